//! What the threads of a journal share: the store, the queue, the index, and how far each has come.

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
use crate::env::Fate;

/// Gives the ledger's state, as of a moment not before it is asked.
pub type LedgerSource = Box<dyn Fn() -> Vec<u8> + Send + Sync>;

/// What the threads of the journal share.
pub(super) struct Core {
    pub(super) folder: DataDir,
    pub(super) store: Store,
    pub(super) mark: Watermark,
    pub(super) fate: Arc<dyn Fate>,
    pub(super) clock: Arc<dyn crate::env::Clock>,
    pub(super) watch: Box<dyn JournalObserver>,
    pub(super) linger: Duration,
    pub(super) reserve_bytes: u64,
    pub(super) retention_ms: i64,
    pub(super) checkpoint_records: u64,
    pub(super) line: RankedMutex<AppendQueue>,
    pub(super) tails: RankedMutex<HashMap<u64, Tail>>,
    pub(super) dead: RankedMutex<Vec<u64>>,
    pub(super) ledger: RankedMutex<Option<LedgerSource>>,
    /// While a copy is being made, the states that wait until it is.
    pub(super) copying: RankedMutex<Option<Vec<SnapshotWrite>>>,
    /// Something waits for a commit.
    pub(super) work: Condvar,
    /// A commit is over.
    pub(super) committed: Condvar,
    /// The compaction thread has something to do, or must stop.
    pub(super) chores: Condvar,
    /// Whether the compaction thread must stop. A reader of the whole journal holds the lock, so that nothing is moved.
    pub(super) still: RankedMutex<bool>,
    /// Where the last commit ended.
    pub(super) last_commit: RankedMutex<CommitEnd>,
    /// The order of the last durable record.
    pub(super) durable: AtomicU64,
    /// The number of the next block, and up to which keys are laid.
    pub(super) next_block: AtomicU64,
    pub(super) laid_until: AtomicU64,
    /// The order of the first record that is kept.
    pub(super) floor: AtomicU64,
    /// All records up to this order are in the index.
    pub(super) checkpoint: AtomicU64,
    /// In how many commits something was kept for another room.
    pub(super) kept: AtomicU32,
    pub(super) full: AtomicBool,
    /// Bytes that were appended and are not yet durable.
    pub(super) waiting_bytes: AtomicUsize,
}

impl Core {
    /// The state of the ledger; nothing where there is no source, or where the state could not be written.
    pub(super) fn ledger_state(&self) -> Option<Vec<u8>> {
        let source = self.ledger.lock();
        let state = source.as_ref().map(|source| source());
        state.filter(|bytes| !bytes.is_empty())
    }
}
