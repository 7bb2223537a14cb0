//! The id of a data folder: 16 random bytes in its watermark and in its store, so that parts of different folders are
//! noticed. A restored folder gets a new id.

use serde::{Deserialize, Serialize};

use super::checksummed::{decode, encode};
use super::store::{Changes, Store, Tree};
use crate::journal::JournalError;

/// Bytes of an id.
pub const ID_BYTES: usize = 16;

/// The key in the store.
const KEY: &[u8] = b"folder";

/// The form of the note.
const NOTE_FORM: u8 = 1;

/// The id of a data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderId(pub [u8; ID_BYTES]);

impl FolderId {
    /// A new random id.
    pub fn new() -> FolderId {
        FolderId(rand::random())
    }

    /// The id in the store; `None` in a store of form 1.
    pub fn of_store(store: &Store) -> Result<Option<FolderId>, JournalError> {
        let note = store.get(Tree::Notes, KEY)?;
        let id = note.map(|value| decode(&value, "the id of the folder")?.read_form_1());
        id.transpose()
    }

    /// Writes it into the store, which is of form 2 from then on.
    pub fn write(self, store: &Store) -> Result<(), JournalError> {
        let mut changes = Changes::default();
        changes.set(KEY, encode(NOTE_FORM, &self));
        store.apply(Tree::Notes, changes)
    }
}
