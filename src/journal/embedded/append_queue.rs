//! The line: what was appended and waits for the next commit, and who may append.
//!
//! One lock guards it. Its order is the journal's: what is appended first is written first, and durable no later.

use std::collections::{HashMap, HashSet};

use super::record_index::RecordLocation;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::journal::record::RecordKind;
use crate::journal::{FencingToken, OnDurable, Snapshot};

/// The largest room for records that is kept from one commit to another: memory that is new each time costs more than
/// what is written into it.
const FRAMES_KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is known of a record before it is written.
pub(super) struct PendingRecord {
    pub(super) shop: u64,
    pub(super) place: RecordLocation,
    pub(super) at: Instant,
    /// The shop's next timer after it.
    pub(super) due: Option<Instant>,
    pub(super) kind: RecordKind,
    /// The shop's id, where it came to be or was taken away.
    pub(super) id: Option<Id>,
}

/// A state on its way into the store.
pub(super) struct SnapshotWrite {
    pub(super) owner: FencingToken,
    pub(super) state: Snapshot,
    pub(super) due: Option<Instant>,
}

/// Something on its way to be kept, or to be let go of.
pub(super) struct MetadataWrite {
    pub(super) key: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
}

/// Who may append to a shop, and what comes next.
#[derive(Clone, Copy)]
pub(super) struct ShopOwnership {
    pub(super) epoch: u64,
    pub(super) next_n: u64,
}

/// What waits for a commit.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) frames: Vec<u8>,
    pub(super) ends: Vec<usize>,
    pub(super) gathered: Vec<PendingRecord>,
    pub(super) puts: Vec<SnapshotWrite>,
    pub(super) keeps: Vec<MetadataWrite>,
    pub(super) dones: Vec<OnDurable>,
    /// The shops that it is about.
    pub(super) touched: HashSet<u64>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
            && self.puts.is_empty()
            && self.keeps.is_empty()
            && self.dones.is_empty()
    }

    /// Empty, with the room that it had, for one that comes later.
    pub(super) fn emptied(mut self) -> Batch {
        if self.frames.capacity() > FRAMES_KEPT_BYTES_MAX {
            return Batch::default();
        }
        self.frames.clear();
        self.ends.clear();
        self.gathered.clear();
        self.puts.clear();
        self.keeps.clear();
        self.dones.clear();
        self.touched.clear();
        self
    }
}

/// All that appends and commits share, under one lock.
pub(super) struct AppendQueue {
    pub(super) next: Batch,
    /// An empty one, for the commit after the next.
    pub(super) spare: Batch,
    /// The shops of the commit that is under way.
    pub(super) committing: HashSet<u64>,
    /// What waits for the commit that is under way.
    pub(super) committing_dones: Vec<OnDurable>,
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
    /// A line in which nobody waits.
    pub(super) fn new(next_order: u64, next_shop: u64) -> AppendQueue {
        AppendQueue {
            next: Batch::default(),
            spare: Batch::default(),
            committing: HashSet::new(),
            committing_dones: Vec::new(),
            committing_until: next_order - 1,
            next_order,
            next_shop,
            next_epoch: 1,
            owners: HashMap::new(),
            creating: HashMap::new(),
            closing: false,
        }
    }

    /// Whether nothing will be committed any more.
    pub(super) fn is_over(&self) -> bool {
        self.closing && self.next.is_empty() && self.committing.is_empty()
    }

    /// Whether something of a shop is on its way.
    pub(super) fn touches(&self, shop: u64) -> bool {
        self.next.touched.contains(&shop) || self.committing.contains(&shop)
    }
}
