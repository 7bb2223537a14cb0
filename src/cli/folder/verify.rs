//! `xiaoer verify`: everything in a data folder is read and held against everything else.

use std::io::{self, IsTerminal, Write};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, LayersArguments, existing, journal_failure, written};
use crate::env::private::KeepsOwner;
use crate::journal::{self, Inspector};

/// How many records pass between two looks at the bar.
const RECORDS_A_LOOK: u64 = 4096;

/// Read everything in a data folder and hold it against itself; no server may be running on it
#[derive(Args)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    layers: LayersArguments,
}

impl Verify {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let settings = existing(&self.layers)?;
        let _owner = KeepsOwner::of(&settings.data);
        let mut looking = Looking { bar: counter() };
        let verified = journal::verify(&settings, &mut looking);
        looking.bar.finish_and_clear();
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
        for sentence in &verified.to_heal {
            text += &format!("The first start puts right: {sentence}\n");
        }
        io::stdout()
            .lock()
            .write_all(text.as_bytes())
            .map_err(|error| written(&error))
    }
}

/// Looks at what is verified.
struct Looking {
    bar: ProgressBar,
}

impl Inspector for Looking {
    fn record(&mut self, order: u64) {
        if order.is_multiple_of(RECORDS_A_LOOK) {
            self.bar.inc(RECORDS_A_LOOK);
        }
    }
}

/// A counter of records, where somebody looks.
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
