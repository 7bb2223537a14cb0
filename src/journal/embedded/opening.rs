//! Opening a folder to write in it: one of an older form is converted first, and a new one is made.

use std::sync::Arc;

use super::data_dir::{DataDir, DataDirState};
use super::recovery::{RecoveredStore, make, read};
use super::settings::JournalSettings;
use super::upgrade::{self, Upgrade};
use super::watermark::Watermark;
use crate::env::Fate;
use crate::journal::JournalError;
use crate::journal::error::damaged;

/// A folder that is opened to be written.
pub struct OpenedFolder {
    /// The folder.
    pub folder: DataDir,
    /// Its mark.
    pub mark: Watermark,
    /// What it holds.
    pub found: RecoveredStore,
    /// What was put right in it, a sentence each.
    pub healed: Vec<String>,
}

/// Takes the folder and reads what the next start has to know. A folder of an older form is converted first.
pub fn open(
    settings: &JournalSettings,
    fate: &Arc<dyn Fate>,
    upgrade: &mut Upgrade<'_>,
) -> Result<OpenedFolder, JournalError> {
    let folder = DataDir::take(&settings.data, settings.ballast_bytes)?;
    let healed = match folder.stage(settings, fate)? {
        DataDirState::New => {
            make(&folder, settings, fate)?;
            Vec::new()
        }
        DataDirState::Made(form) => upgrade::bring_up(&folder, form, (settings, fate), upgrade)?,
    };
    let found = read(&folder.store_path(), &folder.mark_path(), (settings, fate))?;
    let id = found.id.ok_or_else(|| damaged("the store has no id"))?;
    let mark = Watermark::open(&folder.mark_path(), id)?;
    Ok(OpenedFolder {
        folder,
        mark,
        found,
        healed,
    })
}
