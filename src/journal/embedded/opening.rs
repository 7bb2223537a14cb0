//! Opening a folder to write in it: one of an older form is converted first, and a new one is made.

use std::sync::Arc;

use super::data_dir::{Folder, Stage};
use super::recovery::{Found, make, read};
use super::settings::Settings;
use super::upgrade::{self, Upgrade};
use super::watermark::Mark;
use crate::env::Fate;
use crate::journal::JournalError;
use crate::journal::error::damaged;

/// A folder that is opened to be written.
pub struct Opened {
    /// The folder.
    pub folder: Folder,
    /// Its mark.
    pub mark: Mark,
    /// What it holds.
    pub found: Found,
    /// What was put right in it, a sentence each.
    pub healed: Vec<String>,
}

/// Takes the folder and reads what the next start has to know. A folder of an older form is converted first.
pub fn open(
    settings: &Settings,
    fate: &Arc<dyn Fate>,
    upgrade: &mut Upgrade<'_>,
) -> Result<Opened, JournalError> {
    let folder = Folder::take(&settings.data, settings.ballast_bytes)?;
    let healed = match folder.stage(settings, fate)? {
        Stage::New => {
            make(&folder, settings, fate)?;
            Vec::new()
        }
        Stage::Made(form) => upgrade::bring_up(&folder, form, (settings, fate), upgrade)?,
    };
    let found = read(&folder.store_path(), &folder.mark_path(), (settings, fate))?;
    let id = found.id.ok_or_else(|| damaged("the store has no id"))?;
    let mark = Mark::open(&folder.mark_path(), id)?;
    Ok(Opened {
        folder,
        mark,
        found,
        healed,
    })
}
