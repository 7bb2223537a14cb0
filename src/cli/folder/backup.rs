//! `xiaoer backup`: a consistent copy of a data folder as one file, which is restored and verified before it gets its
//! name.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;

use super::verify::Checks;
use super::{Failure, LayersArguments, PIECE_BYTES, existing, journal_failure, open};
use crate::env::private_files::OwnerGuard;
use crate::journal::{self, JournalError, JournalSettings, Upgrade, Verified};
use crate::server::{ask_backup, secrets};

/// Write a consistent copy of a data folder to a file, also while a server runs on it
#[derive(Args)]
pub(in crate::cli) struct Backup {
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
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let settings = existing(&self.layers)?;
        let _owner = OwnerGuard::of(&settings.data);
        let path = self.to.display();
        if self.to.exists() {
            return Err(Failure::bad_input(format!(
                "{path} exists already: name a new file, so that no backup is overwritten"
            )));
        }
        // The file gets its own name once it is complete.
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
            "{path}: a complete backup, restored and verified: {} shops, records {} to {}",
            verified.shops,
            verified.orders.0,
            verified.orders.1
        )
        .map_err(|error| super::written(&error))
    }

    fn write(&self, settings: &JournalSettings, part: &Path) -> Result<(), Failure> {
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

    /// Restores the copy into a temporary folder, and verifies that.
    fn check(&self, settings: &JournalSettings, part: &Path) -> Result<Verified, Failure> {
        let name = beside(part, ".check");
        let folder = match (&self.check_in, name.file_name()) {
            (Some(folder), Some(name)) => folder.join(name),
            (None, _) | (_, None) => name,
        };
        let scratch = Scratch::new(folder)?;
        let settings = JournalSettings {
            data: scratch.0.clone(),
            ballast_bytes: 0,
            // A temporary folder need not be durable.
            sync: false,
            ..settings.clone()
        };
        let mut upgrade = Upgrade::plain();
        let checked = journal::restore(&mut *open(part)?, &settings, &mut upgrade)
            .and_then(|_| journal::verify(&settings, &mut Checks::silent()));
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

/// A folder that is removed when this is dropped.
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
        // The next backup of this name removes anything that is left of it.
        std::fs::remove_dir_all(&self.0).ok();
    }
}
