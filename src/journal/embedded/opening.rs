//! Opening a folder to write in it: an older form is converted first, and an empty folder is initialised.

use std::sync::Arc;

use super::data_dir::{DataDir, DataDirState};
use super::recovery::{RecoveredStore, make, read};
use super::settings::JournalSettings;
use super::upgrade::{self, Upgrade};
use super::watermark::Watermark;
use crate::env::FailStop;
use crate::journal::JournalError;
use crate::journal::error::damaged;

/// A folder that is open for writing.
pub struct OpenedFolder {
    /// The folder.
    pub folder: DataDir,
    /// The file `mark`.
    pub watermark: Watermark,
    /// What recovery found.
    pub found: RecoveredStore,
    /// What was repaired, a sentence each.
    pub repairs: Vec<String>,
}

/// Locks the folder, converts an older form, and recovers it.
pub fn open(
    settings: &JournalSettings,
    fail_stop: &Arc<dyn FailStop>,
    upgrade: &mut Upgrade<'_>,
) -> Result<OpenedFolder, JournalError> {
    let folder = DataDir::take(&settings.data, settings.ballast_bytes)?;
    let repairs = match folder.prepare(settings, fail_stop)? {
        DataDirState::New => {
            make(&folder, settings, fail_stop)?;
            Vec::new()
        }
        DataDirState::Made(form) => {
            upgrade::upgrade_folder(&folder, form, (settings, fail_stop), upgrade)?
        }
    };
    let found = read(
        &folder.store_path(),
        &folder.watermark_path(),
        (settings, fail_stop),
    )?;
    let id = found.id.ok_or_else(|| damaged("the store has no id"))?;
    let watermark = Watermark::open(&folder.watermark_path(), id)?;
    Ok(OpenedFolder {
        folder,
        watermark,
        found,
        repairs,
    })
}
