//! The state that the threads of a journal share: the store, the queue, the index, and how far each has come.
//!
//! [`ranked_lock`](super::ranked_lock) gives the order of the locks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Condvar};
use std::time::Duration;

use super::append_queue::{AppendQueue, SnapshotWrite};
use super::data_dir::DataDir;
use super::observer::JournalObserver;
use super::ranked_lock::RankedMutex;
use super::record_index::Tail;
use super::store::Store;
use super::watermark::{CommitEnd, Watermark};
use crate::env::FailStop;

/// Gives the ledger's state, as of a moment not before the call.
pub type LedgerSource = Box<dyn Fn() -> Vec<u8> + Send + Sync>;

/// The state that the threads of the journal share.
pub(super) struct Core {
    pub(super) folder: DataDir,
    pub(super) store: Store,
    pub(super) watermark: Watermark,
    pub(super) fail_stop: Arc<dyn FailStop>,
    pub(super) clock: Arc<dyn crate::env::Clock>,
    pub(super) observer: Box<dyn JournalObserver>,
    pub(super) linger: Duration,
    pub(super) reserve_bytes: u64,
    pub(super) retention_ms: i64,
    pub(super) checkpoint_records: u64,
    pub(super) queue: RankedMutex<AppendQueue>,
    pub(super) tails: RankedMutex<HashMap<u64, Tail>>,
    pub(super) removed_shops: RankedMutex<Vec<u64>>,
    pub(super) ledger_source: RankedMutex<Option<LedgerSource>>,
    /// Snapshots that wait while a backup is copied; `None` without one.
    pub(super) deferred_snapshots: RankedMutex<Option<Vec<SnapshotWrite>>>,
    /// Notified when the queue gets work.
    pub(super) appended: Condvar,
    /// Notified when a commit is over.
    pub(super) committed: Condvar,
    /// Notified when the compaction thread has work, or must stop.
    pub(super) maintenance_due: Condvar,
    /// Whether the compaction thread must stop. A backup holds the lock, so that no block is moved.
    pub(super) maintenance: RankedMutex<bool>,
    /// Where the last commit ended.
    pub(super) last_commit: RankedMutex<CommitEnd>,
    /// The order of the last durable record.
    pub(super) durable: AtomicU64,
    /// The number of the next block, and the number up to which keys are preallocated.
    pub(super) next_block: AtomicU64,
    pub(super) preallocated_until: AtomicU64,
    /// The order of the first record that is still stored.
    pub(super) floor: AtomicU64,
    /// All records up to this order are in the index.
    pub(super) checkpoint: AtomicU64,
    /// How many commits changed metadata.
    pub(super) metadata_commits: AtomicU32,
    pub(super) disk_full: AtomicBool,
    /// Bytes that were appended and are not yet durable.
    pub(super) waiting_bytes: AtomicUsize,
}

impl Core {
    /// The state of the ledger; nothing where there is no source, or where the state could not be written.
    pub(super) fn ledger_state(&self) -> Option<Vec<u8>> {
        let source = self.ledger_source.lock();
        let state = source.as_ref().map(|source| source());
        state.filter(|bytes| !bytes.is_empty())
    }
}
