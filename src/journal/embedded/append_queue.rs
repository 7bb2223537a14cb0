//! The append queue: records and snapshots that wait for the next commit, and the owners of shops.
//!
//! One lock protects it. Its order is the order of the journal: a record that is appended earlier is written earlier,
//! and is durable no later.

use std::collections::{HashMap, HashSet};

use super::record_index::RecordLocation;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::journal::record::RecordKind;
use crate::journal::{FencingToken, OnDurable, Snapshot};

/// The most memory that a buffer of records keeps from one commit to another: fresh memory costs more than writing the
/// records into it.
const FRAMES_KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is known of a record before it is written.
pub(super) struct PendingRecord {
    pub(super) shop: u64,
    pub(super) location: RecordLocation,
    pub(super) at: Instant,
    /// The shop's next timer after it.
    pub(super) due: Option<Instant>,
    pub(super) kind: RecordKind,
    /// The shop's id, where the record makes or deletes the shop.
    pub(super) id: Option<Id>,
}

/// A snapshot that waits for a commit.
pub(super) struct SnapshotWrite {
    pub(super) owner: FencingToken,
    pub(super) state: Snapshot,
    pub(super) due: Option<Instant>,
}

/// A change of metadata that waits for a commit; without a value it removes the key.
pub(super) struct MetadataWrite {
    pub(super) key: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
}

/// The owner of a shop, and the number of the shop's next record.
#[derive(Clone, Copy)]
pub(super) struct ShopOwnership {
    pub(super) epoch: u64,
    pub(super) next_n: u64,
}

/// What the next commit writes.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) frames: Vec<u8>,
    pub(super) ends: Vec<usize>,
    pub(super) records: Vec<PendingRecord>,
    pub(super) snapshots: Vec<SnapshotWrite>,
    pub(super) metadata: Vec<MetadataWrite>,
    pub(super) callbacks: Vec<OnDurable>,
    /// The shops that the batch changes.
    pub(super) touched: HashSet<u64>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
            && self.snapshots.is_empty()
            && self.metadata.is_empty()
            && self.callbacks.is_empty()
    }

    /// Empties the batch and keeps its memory for a later one.
    pub(super) fn emptied(mut self) -> Batch {
        if self.frames.capacity() > FRAMES_KEPT_BYTES_MAX {
            return Batch::default();
        }
        self.frames.clear();
        self.ends.clear();
        self.records.clear();
        self.snapshots.clear();
        self.metadata.clear();
        self.callbacks.clear();
        self.touched.clear();
        self
    }
}

/// The state that appends and commits share.
pub(super) struct AppendQueue {
    pub(super) next: Batch,
    /// An empty batch for the commit after the next.
    pub(super) spare: Batch,
    /// The shops of the commit in progress.
    pub(super) committing: HashSet<u64>,
    /// Callbacks for the commit in progress.
    pub(super) committing_callbacks: Vec<OnDurable>,
    pub(super) committing_until: u64,
    pub(super) next_order: u64,
    pub(super) next_shop: u64,
    pub(super) next_epoch: u64,
    pub(super) owners: HashMap<u64, ShopOwnership>,
    /// Shops whose first record is not yet in the store.
    pub(super) creating: HashMap<Id, u64>,
    pub(super) closing: bool,
}

impl AppendQueue {
    /// An empty queue.
    pub(super) fn new(next_order: u64, next_shop: u64) -> AppendQueue {
        AppendQueue {
            next: Batch::default(),
            spare: Batch::default(),
            committing: HashSet::new(),
            committing_callbacks: Vec::new(),
            committing_until: next_order - 1,
            next_order,
            next_shop,
            next_epoch: 1,
            owners: HashMap::new(),
            creating: HashMap::new(),
            closing: false,
        }
    }

    /// Whether the journal is closed and everything is committed.
    pub(super) fn is_over(&self) -> bool {
        self.closing && self.next.is_empty() && self.committing.is_empty()
    }

    /// Whether a record or a snapshot of the shop waits or is being committed.
    pub(super) fn touches(&self, shop: u64) -> bool {
        self.next.touched.contains(&shop) || self.committing.contains(&shop)
    }
}
