//! `xiaoer verify`, `export`, `backup` and `restore`: commands on a whole data folder.

mod backup;
mod export;
mod restore;
mod verify;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::serve::{LayersArguments, journal_failure};
use super::{Failure, PIECE_BYTES};
use crate::journal::JournalSettings;
use crate::server::journal_settings;

pub(super) use backup::Backup;
pub(super) use export::Export;
pub(super) use restore::Restore;
pub(super) use verify::Verify;

fn settings(layers: &LayersArguments) -> Result<JournalSettings, Failure> {
    let (settings, _) = layers.load(Vec::new())?;
    Ok(journal_settings(&settings))
}

fn existing(layers: &LayersArguments) -> Result<JournalSettings, Failure> {
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

fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    let file = File::open(path);
    let file = file.map_err(|error| {
        Failure::bad_input(format!("{} cannot be read: {error}", path.display()))
    })?;
    Ok(Box::new(BufReader::with_capacity(PIECE_BYTES, file)))
}
