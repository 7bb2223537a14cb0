//! `xiaoer verify`: reads everything in a data folder and checks it against everything else.

use std::io::{self, IsTerminal, Write};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, LayersArguments, existing, journal_failure, written};
use crate::domain::base::id::Id;
use crate::env::private_files::OwnerGuard;
use crate::journal::{self, Inspector, JournalError, Record, Snapshot};
use crate::runtime::{Differences, check_recovery, decode_state};

/// How many records pass between two updates of the progress bar.
const RECORDS_A_LOOK: u64 = 4096;

/// Verify everything in a data folder; no server may be running on it
#[derive(Args)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    layers: LayersArguments,
    /// List what this release would decide otherwise than the one that wrote the folder
    #[arg(long)]
    upgrade: bool,
}

impl Verify {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let settings = existing(&self.layers)?;
        let _owner = OwnerGuard::of(&settings.data);
        let mut checks = Checks::with(counter());
        let verified = journal::verify(&settings, &mut checks);
        checks.bar.finish_and_clear();
        let verified = verified.map_err(|error| journal_failure(&error))?;
        let mut text = format!(
            "{} is sound: {} shops, {} records ({} to {}), {} decisions, {} stored states\n",
            settings.data.display(),
            verified.shops,
            verified.records,
            verified.orders.0,
            verified.orders.1,
            verified.decisions,
            verified.states
        );
        if verified.form < journal::VERSION {
            text += &format!(
                "It is of form {}; the first start of this release converts it to form {}, for which {} MiB must be \
                 free on its disk\n",
                verified.form,
                journal::VERSION,
                (verified.bytes >> 20) + 16
            );
        }
        for sentence in &verified.pending_repairs {
            text += &format!("The first start puts right: {sentence}\n");
        }
        text += &checks.upgrade(self.upgrade);
        io::stdout()
            .lock()
            .write_all(text.as_bytes())
            .map_err(|error| written(&error))
    }
}

/// Recovers every shop as a start would: decodes its snapshots, and decides its latest records again.
pub(super) struct Checks {
    bar: ProgressBar,
    /// Shops with records after the latest snapshot that an older core decided.
    older: u64,
    /// Decisions that this core would make differently.
    otherwise: Vec<(Id, Differences)>,
}

impl Checks {
    /// Without a progress bar.
    pub(super) fn silent() -> Checks {
        Checks::with(ProgressBar::hidden())
    }

    fn with(bar: ProgressBar) -> Checks {
        Checks {
            bar,
            older: 0,
            otherwise: Vec::new(),
        }
    }

    /// The report on decisions of an older core, with each difference where they are asked for.
    fn upgrade(&self, listed: bool) -> String {
        let count: u64 = self.otherwise.iter().map(|(_, of)| of.count).sum();
        let mut text = match (self.older, count) {
            (0, _) if listed => {
                "This release decides all that it would decide again as it was decided\n".to_owned()
            }
            (0, _) => String::new(),
            (shops, 0) => format!(
                "The latest records of {shops} shops are of an older release; this one decides them the same\n"
            ),
            (shops, count) => format!(
                "The latest records of {shops} shops are of an older release; this one would decide otherwise {count} \
                 times, in {} shops. What was answered stands{}\n",
                self.otherwise.len(),
                if listed { ":" } else { "; --upgrade lists it" }
            ),
        };
        for (shop, differences) in self.otherwise.iter().filter(|_| listed) {
            for sentence in &differences.examples {
                text += &format!("  shop {shop:?}: {sentence}\n");
            }
            let more = differences.count - differences.examples.len() as u64;
            if more > 0 {
                text += &format!("  shop {shop:?}: and {more} more\n");
            }
        }
        text
    }
}

impl Inspector for Checks {
    fn record(&mut self, order: u64) {
        if order.is_multiple_of(RECORDS_A_LOOK) {
            self.bar.inc(RECORDS_A_LOOK);
        }
    }

    fn state(&mut self, shop: &Id, state: &Snapshot) -> Result<(), JournalError> {
        decode_state(shop, &state.bytes)
    }

    fn shop(
        &mut self,
        shop: &Id,
        state: Option<Snapshot>,
        tail: Vec<Record>,
    ) -> Result<(), JournalError> {
        let state = state.as_ref().map(|state| state.bytes.as_slice());
        let differences = check_recovery(shop, state, &tail)?;
        self.older += u64::from(differences.records > 0);
        if differences.count > 0 {
            self.otherwise.push((shop.clone(), differences));
        }
        Ok(())
    }
}

/// A counter of records, on a terminal.
fn counter() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} records, {per_sec}") {
        bar.set_style(style);
    }
    bar
}
