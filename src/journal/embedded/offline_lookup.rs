//! Shop numbers, in an open journal and in a folder that no server uses.

use super::JournalSettings;
use super::core::Core;
use super::data_dir::{DataDir, DataDirState, VERSION};
use super::snapshots;
use super::store::Store;
use crate::domain::base::id::Id;
use crate::env::Env;
use crate::journal::JournalError;

/// The number of a shop in a folder that is not in use; `None` where it has no such shop.
///
/// # Errors
///
/// The folder is in use, of another version, or damaged.
pub fn number_in(settings: &JournalSettings, shop: &Id) -> Result<Option<u64>, JournalError> {
    if !settings.data.join("VERSION").exists() {
        return Ok(None);
    }
    let folder = DataDir::take(&settings.data, settings.ballast_bytes)?;
    let fail_stop = &Env::real().fail_stop;
    match folder.prepare(settings, fail_stop)? {
        DataDirState::Made(VERSION) => {}
        DataDirState::New | DataDirState::Made(_) => {
            let what = "the folder is of an older form, which the server's next start converts";
            return Err(JournalError::Failed(what.to_owned()));
        }
    }
    let store = Store::open(&folder.store_path(), settings, fail_stop)?;
    store.opened();
    snapshots::number_of(&store, shop)
}

/// The number of a shop, once its first record is in the queue.
pub(super) fn number(core: &Core, shop: &Id) -> Result<Option<u64>, JournalError> {
    if let Some(&number) = core.queue.lock().creating.get(shop) {
        return Ok(Some(number));
    }
    snapshots::number_of(&core.store, shop)
}
