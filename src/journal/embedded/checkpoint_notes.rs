//! The journal's own notes: what its latest checkpoint left for the next start.

use serde::{Deserialize, Serialize};

use super::checksummed::{sealed, unsealed};
use super::store::{Changes, Store, Tree};
use crate::journal::JournalError;

/// Where the journal's own notes are.
const KEY: &[u8] = b"checkpoint";

/// The form of the notes.
const FORM: u8 = 1;

/// The journal's own notes, as of its latest checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointNotes {
    /// All records up to this order are in the index, and in the ledger's state.
    pub checkpoint: u64,
    /// The number of the block that ends there, when it was written.
    pub checkpoint_block: u64,
    /// The first record that is kept.
    pub floor: u64,
    /// The number of the block before which no records are kept.
    pub floor_block: u64,
    /// The number of the next shop.
    pub next_shop: u64,
    /// The generation of the ledger's state; 0 where there is none.
    pub ledger: u64,
    /// Blocks up to this number have been looked at for merging.
    pub merged: u64,
}

impl CheckpointNotes {
    /// Those of an empty journal.
    pub const EMPTY: CheckpointNotes = CheckpointNotes {
        checkpoint: 0,
        checkpoint_block: 0,
        floor: 1,
        floor_block: 0,
        next_shop: 1,
        ledger: 0,
        merged: 0,
    };

    /// Reads them; those of an empty journal where there are none.
    pub fn read(store: &Store) -> Result<CheckpointNotes, JournalError> {
        match store.get(Tree::Notes, KEY)? {
            Some(value) => unsealed(&value, "the note of the latest checkpoint")?.only(),
            None => Ok(CheckpointNotes::EMPTY),
        }
    }

    /// Writes them.
    pub fn write(&self, store: &Store) -> Result<(), JournalError> {
        let mut changes = Changes::default();
        changes.set(KEY, sealed(FORM, self));
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
