//! `xiaoer verify`, `export`, `backup` and `restore`: what is done with a data folder as a whole.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, IsTerminal, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::serve::{LayersArguments, journal_failure};
use super::{Failure, PIECE_BYTES};
use crate::domain::id::Id;
use crate::env::last_words;
use crate::env::private::KeepsOwner;
use crate::journal::{
    self, Inspector, JournalError, Kind, NoInspector, Record, Salvaged, Settings, Upgrade, Verified,
};
use crate::server::{self, ask_backup, journal_settings, secrets};
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
    /// Write what can be read of a damaged folder, and list on standard error what is lost
    #[arg(long)]
    salvage: bool,
}

impl Export {
    pub(super) fn run(self) -> Result<(), Failure> {
        // A damaged folder may lack anything but its store.
        let settings = match self.salvage {
            true => settings(&self.layers)?,
            false => existing(&self.layers)?,
        };
        let _owner = KeepsOwner::of(&settings.data);
        let mut to = BufWriter::with_capacity(PIECE_BYTES, io::stdout().lock());
        let mut stopped = None;
        let mut seen = HashSet::new();
        let mut each = |shop: &Id, record: Record| {
            if self
                .shop
                .as_deref()
                .is_some_and(|wanted| wanted != shop.as_str())
            {
                return Ok(());
            }
            if !self.salvage && seen.insert(record.shop) && record.kind != Kind::Created {
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
        };
        let exported = match self.salvage {
            true => journal::salvage(&settings, &mut each).map(Some),
            false => journal::each_record(&settings, &mut each).map(|()| None),
        };
        match stopped {
            // The reader has read enough.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Some(error) => return Err(written(&error)),
            None => {}
        }
        let salvaged = exported.map_err(|error| journal_failure(&error))?;
        to.flush().map_err(|error| written(&error))?;
        salvaged.iter().for_each(list);
        Ok(())
    }
}

/// Lists what was saved, and what is lost.
fn list(salvaged: &Salvaged) {
    let ranges = |lost: &[(u64, u64)]| {
        let ranges = lost.iter().map(|(from, to)| match from == to {
            true => from.to_string(),
            false => format!("{from} to {to}"),
        });
        ranges.collect::<Vec<_>>().join(", ")
    };
    for (shop, saved) in &salvaged.shops {
        let lost = match saved.lost.is_empty() {
            true => "none of those before the last of them is lost".to_owned(),
            false => format!("lost are its records {}", ranges(&saved.lost)),
        };
        last_words(&format!(
            "xiaoer: shop {shop:?}: {} records are saved, {lost}",
            saved.records
        ));
    }
    match salvaged.lost.is_empty() {
        true => last_words("xiaoer: the journal has no hole"),
        false => last_words(&format!(
            "xiaoer: of the whole journal the records {} are lost",
            ranges(&salvaged.lost)
        )),
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
    /// Put the secrets of webhooks into it; without them a restored webhook must be given a new secret
    #[arg(long)]
    with_secrets: bool,
    /// A folder on a disk with room for what the backup restores to, where it is checked; by default beside the file
    #[arg(long, value_name = "FOLDER")]
    check_in: Option<PathBuf>,
}

/// A path with something behind its last name.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(what);
    path.with_file_name(name)
}

impl Backup {
    pub(super) fn run(self) -> Result<(), Failure> {
        let settings = existing(&self.layers)?;
        let _owner = KeepsOwner::of(&settings.data);
        let path = self.to.display();
        if self.to.exists() {
            return Err(Failure::bad_input(format!(
                "{path} is there already: name a new file, so that no backup is written over"
            )));
        }
        // Under its own name it is whole.
        let part = beside(&self.to, ".part");
        let written = self.write(&settings, &part);
        let checked = written.and_then(|()| self.check(&settings, &part));
        let verified = checked.inspect_err(|_| drop(std::fs::remove_file(&part)))?;
        let failed =
            |error: io::Error| Failure::failed(format!("{path} could not be written: {error}"));
        std::fs::rename(&part, &self.to).map_err(failed)?;
        let parent = self.to.parent().filter(|parent| *parent != Path::new(""));
        File::open(parent.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
        writeln!(
            io::stdout().lock(),
            "{path}: a whole backup, restored and verified: {} shops, records {} to {}",
            verified.shops,
            verified.orders.0,
            verified.orders.1
        )
        .map_err(|error| self::written(&error))
    }

    fn write(&self, settings: &Settings, part: &Path) -> Result<(), Failure> {
        let path = part.display();
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(part);
        let file =
            file.map_err(|error| Failure::bad_input(format!("{path} cannot be made: {error}")))?;
        let failed =
            |error: io::Error| Failure::failed(format!("{path} could not be written: {error}"));
        let mut to = BufWriter::with_capacity(PIECE_BYTES, file);
        match ask_backup(&settings.data, self.with_secrets) {
            Some(stream) => {
                let mut stream = stream.map_err(failed)?;
                io::copy(&mut stream, &mut to).map_err(failed)?;
            }
            None => {
                let mut files = || secrets(&settings.data, self.with_secrets);
                let copied = journal::backup_folder(settings, &mut files, &mut to);
                copied.map_err(|error| journal_failure(&error))?;
            }
        }
        let file = to
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)
    }

    /// Restores what was written into a folder that is removed again, and verifies that.
    fn check(&self, settings: &Settings, part: &Path) -> Result<Verified, Failure> {
        let name = beside(part, ".check");
        let folder = match (&self.check_in, name.file_name()) {
            (Some(folder), Some(name)) => folder.join(name),
            (None, _) | (_, None) => name,
        };
        let scratch = Scratch::new(folder)?;
        let settings = Settings {
            data: scratch.0.clone(),
            ballast_bytes: 0,
            // What is only looked at need not be durable.
            sync: false,
            ..settings.clone()
        };
        let mut upgrade = Upgrade::plain();
        let checked = journal::restore(&mut *open(part)?, &settings, &mut upgrade)
            .and_then(|_| journal::verify(&settings, &mut NoInspector));
        checked.map_err(|error| match error {
            JournalError::Failed(why) => Failure::disk(format!(
                "the backup was written, but could not be checked in {}: {why}; name a folder with more room by \
                 --check-in",
                scratch.0.display()
            )),
            JournalError::Damaged(_) | JournalError::Unusable(_) => journal_failure(&error),
        })
    }
}

/// A folder that is removed when it is no longer needed.
struct Scratch(PathBuf);

impl Scratch {
    fn new(path: PathBuf) -> Result<Scratch, Failure> {
        let made = match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => std::fs::DirBuilder::new().mode(0o700).create(&path),
        };
        let failed = |error: io::Error| {
            Failure::bad_input(format!("{} cannot be made: {error}", path.display()))
        };
        made.map_err(failed)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of it is removed by the next backup of this name.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
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
        let _owner = KeepsOwner::of(&settings.data);
        let mut from = open(&self.from)?;
        let mut upgrade = server::upgrade(&settings.data);
        let restored = journal::restore(&mut from, &settings, &mut upgrade);
        let restored = restored.map_err(|error| journal_failure(&error))?;
        for sentence in &restored.healed {
            last_words(&format!("xiaoer: put right: {sentence}"));
        }
        let verified = journal::verify(&settings, &mut NoInspector);
        let verified = verified.map_err(|error| journal_failure(&error))?;
        writeln!(
            io::stdout().lock(),
            "{} is restored and sound: {} shops, records {} to {}. Keys and settings are not part of a backup: copy \
             keys.json and xiaoer.toml yourself{}",
            settings.data.display(),
            verified.shops,
            verified.orders.0,
            verified.orders.1,
            match restored.files.is_empty() {
                true => ", and webhook-secrets.json where you have it",
                false => "",
            }
        )
        .map_err(|error| written(&error))
    }
}
