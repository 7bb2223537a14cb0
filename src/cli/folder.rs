//! `xiaoer verify`, `export`, `backup` and `restore`: what is done with a data folder as a whole.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::serve::{LayersArguments, journal_failure};
use super::{Failure, PIECE_BYTES};
use crate::env::{Env, last_words};
use crate::journal::{self, Embedded, JournalError, Kind, Nobody, Record, Settings};
use crate::server::{ask_backup, journal_settings};
use crate::shop::trace_line;

/// How many records pass between two looks at the bar.
const RECORDS_A_LOOK: u64 = 4096;

fn settings(layers: &LayersArguments) -> Result<Settings, Failure> {
    let (settings, _) = layers.load(Vec::new())?;
    Ok(journal_settings(&settings))
}

fn existing(layers: &LayersArguments) -> Result<Settings, Failure> {
    let settings = settings(layers)?;
    if settings.data.join("VERSION").exists() {
        return Ok(settings);
    }
    Err(Failure::bad_input(format!(
        "{} is no data folder of xiaoer: name one with --data",
        settings.data.display()
    )))
}

fn written(error: &io::Error) -> Failure {
    Failure::failed(format!("the answer could not be written: {error}"))
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

/// Read everything in a data folder and hold it against itself; no server may be running on it
#[derive(Args)]
pub(super) struct Verify {
    #[command(flatten)]
    layers: LayersArguments,
}

impl Verify {
    pub(super) fn run(self) -> Result<(), Failure> {
        let settings = existing(&self.layers)?;
        let bar = counter();
        let verified = journal::verify(&settings, |order| {
            if order.is_multiple_of(RECORDS_A_LOOK) {
                bar.inc(RECORDS_A_LOOK);
            }
        });
        bar.finish_and_clear();
        let verified = verified.map_err(|error| journal_failure(&error))?;
        let folder = settings.data.display();
        writeln!(
            io::stdout().lock(),
            "{folder} is sound: {} shops, {} records ({} to {}), {} decisions, {} stored states",
            verified.shops,
            verified.records,
            verified.orders.0,
            verified.orders.1,
            verified.decisions,
            verified.states
        )
        .map_err(|error| written(&error))
    }
}

/// Write the journal as a trace, to replay and to ask why; no server may be running on the folder
#[derive(Args)]
pub(super) struct Export {
    #[command(flatten)]
    layers: LayersArguments,
    /// Only the events of this shop
    #[arg(long)]
    shop: Option<String>,
    /// The decisions as they were answered, instead of the events
    #[arg(long)]
    decisions: bool,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Failure> {
        let settings = existing(&self.layers)?;
        let mut to = BufWriter::with_capacity(PIECE_BYTES, io::stdout().lock());
        let mut stopped = None;
        let mut seen = HashSet::new();
        let exported = journal::each_record(&settings, |shop, record| {
            if self
                .shop
                .as_deref()
                .is_some_and(|wanted| wanted != shop.as_str())
            {
                return Ok(());
            }
            if seen.insert(record.shop) && record.kind != Kind::Created {
                last_words(&format!(
                    "xiaoer: shop {shop:?} begins at its record {}: what came before was dropped by retention, so its \
                     trace does not replay from the start",
                    record.n
                ));
            }
            let line = if self.decisions {
                decisions(&record)?
            } else {
                trace_line(shop, &record)? + "\n"
            };
            if let Err(error) = to.write_all(line.as_bytes()) {
                stopped = Some(error);
                return Err(JournalError::Failed(
                    "the trace could not be written".to_owned(),
                ));
            }
            Ok(())
        });
        match stopped {
            // Whoever reads has read enough.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Some(error) => return Err(written(&error)),
            None => {}
        }
        exported.map_err(|error| journal_failure(&error))?;
        to.flush().map_err(|error| written(&error))
    }
}

fn decisions(record: &Record) -> Result<String, JournalError> {
    let each: Vec<&serde_json::value::RawValue> = serde_json::from_str(&record.decisions)
        .map_err(|error| JournalError::Damaged(format!("record {}: {error}", record.order)))?;
    Ok(each
        .iter()
        .map(|decision| format!("{}\n", decision.get()))
        .collect())
}

/// Write a consistent copy of a data folder to a file, also while a server runs on it
#[derive(Args)]
pub(super) struct Backup {
    #[command(flatten)]
    layers: LayersArguments,
    /// The file to write; it must not be there yet
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

impl Backup {
    pub(super) fn run(self) -> Result<(), Failure> {
        let settings = existing(&self.layers)?;
        let path = self.to.display();
        let file = File::options().write(true).create_new(true).open(&self.to);
        let file =
            file.map_err(|error| Failure::bad_input(format!("{path} cannot be made: {error}")))?;
        let failed =
            |error: io::Error| Failure::failed(format!("{path} could not be written: {error}"));
        let mut to = BufWriter::with_capacity(PIECE_BYTES, file);
        match ask_backup(&settings.data) {
            Some(stream) => {
                let mut stream = stream.map_err(failed)?;
                io::copy(&mut stream, &mut to).map_err(failed)?;
            }
            None => {
                let opened = Embedded::open(&settings, &Env::real(), Box::new(Nobody));
                let opened = opened.map_err(|error| journal_failure(&error))?;
                let copied = journal::backup(&opened.journal, &mut to);
                copied.map_err(|error| journal_failure(&error))?;
            }
        }
        let file = to
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        let checked = journal::check_backup(&mut open(&self.to)?);
        let reach = checked.map_err(|error| journal_failure(&error))?;
        writeln!(
            io::stdout().lock(),
            "{path}: a whole backup, up to record {}",
            reach.order
        )
        .map_err(|error| written(&error))
    }
}

fn open(path: &PathBuf) -> Result<Box<dyn Read>, Failure> {
    let file = File::open(path);
    let file = file.map_err(|error| {
        Failure::bad_input(format!("{} cannot be read: {error}", path.display()))
    })?;
    Ok(Box::new(BufReader::with_capacity(PIECE_BYTES, file)))
}

/// Make a new data folder from a backup, and verify it
#[derive(Args)]
pub(super) struct Restore {
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    layers: LayersArguments,
}

impl Restore {
    pub(super) fn run(self) -> Result<(), Failure> {
        let settings = settings(&self.layers)?;
        let mut from = open(&self.from)?;
        let restored = journal::restore(&mut from, &settings);
        restored.map_err(|error| journal_failure(&error))?;
        let verified = journal::verify(&settings, |_| {});
        let verified = verified.map_err(|error| journal_failure(&error))?;
        writeln!(
            io::stdout().lock(),
            "{} is restored and sound: {} shops, records {} to {}. Keys and settings are not part of a backup: copy \
             keys.json and xiaoer.toml yourself",
            settings.data.display(),
            verified.shops,
            verified.orders.0,
            verified.orders.1
        )
        .map_err(|error| written(&error))
    }
}
