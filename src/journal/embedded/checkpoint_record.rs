//! The notes of the latest checkpoint, which the next start reads.

use serde::{Deserialize, Serialize};

use super::checksummed::{decode, encode};
use super::store::{Changes, Store, Tree};
use crate::journal::JournalError;

/// The key of the notes.
const KEY: &[u8] = b"checkpoint";

/// The form of the notes.
const FORM: u8 = 1;

/// The notes of the latest checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointNotes {
    /// All records up to this order are in the index and in the ledger's state.
    pub checkpoint: u64,
    /// The number of the block that ends with that record, when it was written.
    pub checkpoint_block: u64,
    /// The order of the first record that is still stored.
    pub floor: u64,
    /// Blocks before this number hold no stored records.
    pub floor_block: u64,
    /// The number of the next shop.
    pub next_shop: u64,
    /// The generation of the ledger's state; 0 where there is none.
    pub ledger: u64,
    /// Blocks up to this number were examined for merging.
    pub merged: u64,
}

impl CheckpointNotes {
    /// The notes of an empty journal.
    pub const EMPTY: CheckpointNotes = CheckpointNotes {
        checkpoint: 0,
        checkpoint_block: 0,
        floor: 1,
        floor_block: 0,
        next_shop: 1,
        ledger: 0,
        merged: 0,
    };

    /// Reads the notes; an empty journal has none and gets [`CheckpointNotes::EMPTY`].
    pub fn read(store: &Store) -> Result<CheckpointNotes, JournalError> {
        match store.get(Tree::Notes, KEY)? {
            Some(value) => decode(&value, "the notes of the latest checkpoint")?.read_form_1(),
            None => Ok(CheckpointNotes::EMPTY),
        }
    }

    /// Writes the notes.
    pub fn write(&self, store: &Store) -> Result<(), JournalError> {
        let mut changes = Changes::default();
        changes.set(KEY, encode(FORM, self));
        store.apply(Tree::Notes, changes)
    }
}

/// The key of a part of the ledger's state.
pub fn ledger_key(generation: u64, part: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&generation.to_be_bytes());
    key[8..].copy_from_slice(&part.to_be_bytes());
    key
}
