//! The last step of an upgrade: the verified new store replaces the old one.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::data_dir::DataDir;
use crate::journal::JournalError;

/// The folder of the new store until then.
pub(super) const STAGING: &str = "upgrading";

/// The file in it that says that the new store is verified.
pub(super) const VERIFIED: &str = "VERIFIED";

/// The old store, until it is removed.
const OLD: &str = "store.old";

/// Replaces the old store by a verified new one, where that was not finished.
pub fn finish(folder: &DataDir, form: u32) -> Result<(), JournalError> {
    let staging = folder.path().join(STAGING);
    let (store, old) = (folder.store_path(), folder.path().join(OLD));
    if form != super::data_dir::VERSION {
        return Ok(());
    }
    if staging.join(VERIFIED).exists() {
        let new = staging.join("store");
        if new.exists() {
            if store.exists() {
                fs::rename(&store, &old).map_err(failed("the old store cannot be moved"))?;
            }
            fs::rename(&new, &store).map_err(failed("the new store cannot be moved"))?;
        }
        let mark = staging.join("mark");
        if mark.exists() {
            fs::rename(&mark, folder.watermark_path())
                .map_err(failed("the file `mark` cannot be moved"))?;
        }
        sync_folder(&staging)?;
        folder.sync()?;
    }
    remove_folder(&old)?;
    remove_folder(&staging)
}

pub(super) fn remove_folder(path: &Path) -> Result<(), JournalError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(
            "files of an earlier upgrade cannot be removed",
        )(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn sync_folder(path: &Path) -> Result<(), JournalError> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(failed("the folder cannot be synced"))
}

pub(super) fn failed(what: &'static str) -> impl Fn(io::Error) -> JournalError {
    move |error| JournalError::Failed(format!("the folder is not converted: {what}: {error}"))
}
