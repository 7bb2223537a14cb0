//! The index: where a shop's records are in the journal. Locations since the latest snapshot are in memory; chunks of
//! them are in the store.
//!
//! The key of a chunk is the shop's number, the `seq` before its first record, and that record's `n`. So the last
//! chunk at or before a `seq` holds it. Up to release 0.1 chunks could overlap after a crash: a longer one begins
//! before a shorter one. Readers go by `n`, and read earlier chunks where they find a gap.

use serde::{Deserialize, Serialize};

use super::checksummed::{decode, encode};
use super::store::{Changes, Store, Tree};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::journal::JournalError;

/// The form of chunks.
const FORM: u8 = 1;

/// Records in one chunk at most.
pub const CHUNK_RECORDS: usize = 1024;

/// The location of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLocation {
    /// Its number among the records of its shop.
    pub n: u64,
    /// Its order among all records.
    pub order: u64,
    /// The number of the block in which it was written.
    pub block: u64,
    /// The shop's `seq` before it.
    pub seq_before: u64,
    /// Whether a rating was recorded.
    pub rated: bool,
}

/// What is in memory of a shop with records after its latest snapshot.
#[derive(Debug, Default)]
pub struct Tail {
    /// Its id, where it is known.
    pub id: Option<Id>,
    /// The records after the latest snapshot, or since the journal was opened; dense.
    pub locations: Vec<RecordLocation>,
    /// How many of them are in the index.
    pub indexed: usize,
    /// The shop's next timer after the last of them.
    pub due: DueChange,
}

/// What is known of a shop's next timer without its snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DueChange {
    /// Nothing: the shop must be loaded to find out.
    #[default]
    Unknown,
    /// The instant of the timer; `None` where none is armed.
    Known(Option<Instant>),
}

impl Tail {
    /// After a start: marks records that the index has already, so that they are not indexed twice.
    pub fn skip_indexed(&mut self, shop: u64, store: &Store) -> Result<(), JournalError> {
        let last = store.last_at(Tree::Index, &key(shop, u64::MAX, u64::MAX))?;
        let Some((_, chunk)) = last.filter(|(at, _)| at.starts_with(&shop.to_be_bytes())) else {
            return Ok(());
        };
        let end = read(shop, &chunk)?.last().map_or(0, |location| location.n);
        self.indexed = self.locations.partition_point(|location| location.n <= end);
        Ok(())
    }

    /// Writes locations that are not indexed yet to the index.
    pub fn index(&mut self, shop: u64, changes: &mut Changes) {
        for locations in self.locations[self.indexed..].chunks(CHUNK_RECORDS) {
            changes.set(
                &key(shop, locations[0].seq_before, locations[0].n),
                write(locations),
            );
        }
        self.indexed = self.locations.len();
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
    /// Each record's order, block and `seq`, as the difference from the record before it, and whether it has a rating.
    steps: Vec<(u64, u64, u64, bool)>,
}

fn write(locations: &[RecordLocation]) -> Vec<u8> {
    let first = locations[0];
    let mut before = first;
    let mut steps = Vec::with_capacity(locations.len());
    for location in locations {
        steps.push((
            location.order - before.order,
            location.block - before.block,
            location.seq_before - before.seq_before,
            location.rated,
        ));
        before = *location;
    }
    let chunk = IndexChunk {
        n: first.n,
        order: first.order,
        block: first.block,
        seq_before: first.seq_before,
        steps,
    };
    encode(FORM, &chunk)
}

/// Reads a chunk.
pub fn read(shop: u64, value: &[u8]) -> Result<Vec<RecordLocation>, JournalError> {
    let chunk: IndexChunk = decode(value, &format!("the index of shop {shop}"))?.read_form_1()?;
    let (mut order, mut block, mut seq_before) = (chunk.order, chunk.block, chunk.seq_before);
    let locations = (chunk.n..).zip(chunk.steps).map(|(n, step)| {
        (order, block, seq_before) = (order + step.0, block + step.1, seq_before + step.2);
        RecordLocation {
            n,
            order,
            block,
            seq_before,
            rated: step.3,
        }
    });
    Ok(locations.collect())
}
