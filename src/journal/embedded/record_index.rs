//! Where a shop's records stand in the journal: in memory since its latest state, and in chunks of the index.
//!
//! A chunk is stored under the shop's number, the `seq` before its first record and that record's `n`; so the last
//! chunk at or before a `seq` holds it. After a crash, up to release 0.1, chunks could overlap: a longer one begins
//! before a shorter one. Readers go by `n`, and look further back where they find a hole.

use serde::{Deserialize, Serialize};

use super::checksummed::{sealed, unsealed};
use super::store::{Changes, Store, Tree};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::journal::JournalError;

/// The form of chunks.
const FORM: u8 = 1;

/// Records in one chunk at most.
pub const CHUNK_RECORDS: usize = 1024;

/// Where one record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLocation {
    /// Its number among the shop's.
    pub n: u64,
    /// Its order among all.
    pub order: u64,
    /// The block that it was written in.
    pub block: u64,
    /// The shop's `seq` before it.
    pub seq_before: u64,
    /// Whether a rating was recorded.
    pub rated: bool,
}

/// What is known in memory of a shop whose records are not all taken in by a stored state.
#[derive(Debug, Default)]
pub struct Tail {
    /// Its id, where it is known.
    pub id: Option<Id>,
    /// The records that follow the latest state, or those since the journal was opened; dense.
    pub places: Vec<RecordLocation>,
    /// How many of them are in the index.
    pub indexed: usize,
    /// The shop's next timer after the last of them.
    pub due: DueChange,
}

/// What is known of a shop's next timer without its state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DueChange {
    /// Nothing: the shop must be looked at.
    #[default]
    Unknown,
    /// This; nothing where no timer is armed.
    Known(Option<Instant>),
}

impl Tail {
    /// After a start: what the index has of the records that were read again is not put there once more.
    pub fn skip_indexed(&mut self, shop: u64, store: &Store) -> Result<(), JournalError> {
        let last = store.last_at(Tree::Index, &key(shop, u64::MAX, u64::MAX))?;
        let Some((_, chunk)) = last.filter(|(at, _)| at.starts_with(&shop.to_be_bytes())) else {
            return Ok(());
        };
        let end = read(shop, &chunk)?.last().map_or(0, |place| place.n);
        self.indexed = self.places.partition_point(|place| place.n <= end);
        Ok(())
    }

    /// Puts what is not yet in the index there.
    pub fn index(&mut self, shop: u64, changes: &mut Changes) {
        for places in self.places[self.indexed..].chunks(CHUNK_RECORDS) {
            changes.set(&key(shop, places[0].seq_before, places[0].n), write(places));
        }
        self.indexed = self.places.len();
    }
}

/// The key of a chunk.
pub fn key(shop: u64, seq_before: u64, n: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&shop.to_be_bytes());
    key[8..16].copy_from_slice(&seq_before.to_be_bytes());
    key[16..].copy_from_slice(&n.to_be_bytes());
    key
}

#[derive(Serialize, Deserialize)]
struct IndexChunk {
    n: u64,
    order: u64,
    block: u64,
    seq_before: u64,
    /// Each record's order, block and `seq` beyond those of the one before, and whether it is rated.
    steps: Vec<(u64, u64, u64, bool)>,
}

fn write(places: &[RecordLocation]) -> Vec<u8> {
    let first = places[0];
    let mut before = first;
    let mut steps = Vec::with_capacity(places.len());
    for place in places {
        steps.push((
            place.order - before.order,
            place.block - before.block,
            place.seq_before - before.seq_before,
            place.rated,
        ));
        before = *place;
    }
    let chunk = IndexChunk {
        n: first.n,
        order: first.order,
        block: first.block,
        seq_before: first.seq_before,
        steps,
    };
    sealed(FORM, &chunk)
}

/// Reads a chunk.
pub fn read(shop: u64, value: &[u8]) -> Result<Vec<RecordLocation>, JournalError> {
    let chunk: IndexChunk = unsealed(value, &format!("the index of shop {shop}"))?.only()?;
    let (mut order, mut block, mut seq_before) = (chunk.order, chunk.block, chunk.seq_before);
    let places = (chunk.n..).zip(chunk.steps).map(|(n, step)| {
        (order, block, seq_before) = (order + step.0, block + step.1, seq_before + step.2);
        RecordLocation {
            n,
            order,
            block,
            seq_before,
            rated: step.3,
        }
    });
    Ok(places.collect())
}
