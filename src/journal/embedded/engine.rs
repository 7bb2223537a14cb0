//! The journal in one folder: its threads, and its implementation of [`Journal`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::append;
use super::append_queue::AppendQueue;
use super::commit;
use super::compaction;
use super::core::{Core, LedgerSource};
use super::data_dir::DataDir;
use super::observer::JournalObserver;
use super::offline_lookup;
use super::opening;
use super::ranked_lock::{LockRank, RankedMutex};
use super::reader;
use super::recovery::RecoveredStore;
use super::settings::JournalSettings;
use super::shop_metadata;
use super::shop_ownership;
use super::upgrade::Upgrade;
use super::watermark::{CommitEnd, Watermark};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::env::Env;
use crate::journal::{
    Booked, Claimed, Fenced, FencingToken, Journal, JournalError, JournalFull, MetadataEntry,
    NewRecord, OnDurable, RecordPage, Snapshot, SnapshotAndTail, TimedShop,
};

/// The journal in one folder. Dropping it closes it in order.
pub struct Embedded {
    pub(super) core: Arc<Core>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// An open journal, and what it holds for the ledger: its latest state, and the bookings since.
pub struct Opened {
    /// The journal.
    pub journal: Embedded,
    /// The ledger's latest state.
    pub ledger: Option<Vec<u8>>,
    /// The bookings since, with the ids of their shops.
    pub booked: Vec<(Id, Booked)>,
    /// The instant of the last record.
    pub latest: Option<Instant>,
    /// What was repaired in a folder of an older form, a sentence each.
    pub repairs: Vec<String>,
}

impl Embedded {
    /// Opens the folder. A folder of an older form is converted by a copy, without progress messages.
    ///
    /// # Errors
    ///
    /// The folder is damaged, in use, or of a newer version.
    pub fn open(
        settings: &JournalSettings,
        env: &Env,
        observer: Box<dyn JournalObserver>,
    ) -> Result<Opened, JournalError> {
        Embedded::open_or_upgrade(settings, env, observer, &mut Upgrade::plain())
    }

    /// The same, where an older form is converted as `upgrade` says.
    pub fn open_or_upgrade(
        settings: &JournalSettings,
        env: &Env,
        observer: Box<dyn JournalObserver>,
        upgrade: &mut Upgrade<'_>,
    ) -> Result<Opened, JournalError> {
        let opening::OpenedFolder {
            folder,
            watermark,
            mut found,
            repairs,
        } = opening::open(settings, &env.fail_stop, upgrade)?;
        let (ledger, booked) = (found.ledger.take(), std::mem::take(&mut found.booked));
        let latest = (found.reach.order > 0).then_some(found.reach.at);
        let core = Arc::new(core(settings, env, observer, (folder, watermark, found)));
        commit::check_free_space(&core);
        core.folder.create_ballast();
        let threads = vec![
            spawn(&core, "commit", commit::run)?,
            spawn(&core, "upkeep", compaction::run)?,
        ];
        Ok(Opened {
            journal: Embedded {
                core,
                threads: Mutex::new(threads),
            },
            ledger,
            booked,
            latest,
            repairs,
        })
    }

    /// Sets the source of the ledger's state, which each checkpoint stores.
    pub fn set_ledger_source(&self, source: LedgerSource) {
        *self.core.ledger_source.lock() = Some(source);
    }

    /// Bytes of the store on disk.
    pub fn bytes(&self) -> u64 {
        self.core.store.bytes()
    }

    /// Takes a checkpoint now, merges and trims. A failure is final.
    pub fn checkpoint_now(&self) {
        if let Err(error) = compaction::take_checkpoint(&self.core, true) {
            self.core.fail_stop.stop(&error.to_string());
        }
    }

    /// The number of blocks of records.
    pub fn blocks(&self) -> Result<u64, JournalError> {
        let mut blocks = 0;
        super::block::scan(&self.core.store, 0, &mut |_| {}, |_| {
            blocks += 1;
            Ok(true)
        })?;
        Ok(blocks)
    }

    /// Commits the queue, takes a checkpoint, and stops the threads. Records that are appended later are not durable.
    pub fn close(&self) {
        self.core.queue.lock().closing = true;
        *self.core.maintenance.lock() = true;
        self.core.appended.notify_all();
        self.core.maintenance_due.notify_all();
        let threads = {
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *threads)
        };
        for thread in threads {
            // A thread that panicked has written it to the log.
            thread.join().ok();
        }
    }
}

/// The state of a journal whose folder was recovered.
fn core(
    settings: &JournalSettings,
    env: &Env,
    observer: Box<dyn JournalObserver>,
    (folder, watermark, found): (DataDir, Watermark, RecoveredStore),
) -> Core {
    Core {
        folder,
        store: found.store,
        watermark,
        fail_stop: Arc::clone(&env.fail_stop),
        clock: Arc::clone(&env.clock),
        observer,
        linger: Duration::from_micros(settings.linger_us),
        reserve_bytes: settings.reserve_bytes,
        retention_ms: settings.retention_ms,
        checkpoint_records: settings.checkpoint_records,
        queue: RankedMutex::new(
            LockRank::Queue,
            AppendQueue::new(found.reach.order + 1, found.notes.next_shop),
        ),
        tails: RankedMutex::new(LockRank::Tails, found.tails),
        removed_shops: RankedMutex::new(LockRank::RemovedShops, found.deleted_shops),
        ledger_source: RankedMutex::new(LockRank::LedgerSource, None),
        deferred_snapshots: RankedMutex::new(LockRank::DeferredSnapshots, None),
        appended: Condvar::new(),
        committed: Condvar::new(),
        maintenance_due: Condvar::new(),
        maintenance: RankedMutex::new(LockRank::Maintenance, false),
        last_commit: RankedMutex::new(
            LockRank::LastCommit,
            CommitEnd {
                order: found.reach.order,
                block: found.last_block,
            },
        ),
        durable: AtomicU64::new(found.reach.order),
        next_block: AtomicU64::new(found.next_block),
        preallocated_until: AtomicU64::new(found.preallocated_until),
        floor: AtomicU64::new(found.notes.floor),
        checkpoint: AtomicU64::new(found.notes.checkpoint),
        metadata_commits: AtomicU32::new(found.metadata_commits),
        disk_full: AtomicBool::new(false),
        waiting_bytes: AtomicUsize::new(0),
    }
}

/// Starts a thread of the journal. A panic of it stops the process.
fn spawn(core: &Arc<Core>, name: &str, run: fn(&Core)) -> Result<JoinHandle<()>, JournalError> {
    let core = Arc::clone(core);
    let thread = std::thread::Builder::new().name(name.to_owned());
    let failed = |error| JournalError::Failed(format!("a thread cannot be started: {error}"));
    let run = move || {
        if catch_unwind(AssertUnwindSafe(|| run(&core))).is_err() {
            core.fail_stop.stop(&format!(
                "the thread `{}` of the journal has panicked, so the server stops. Everything that was \
                 answered is stored. Please report this with the server's log",
                std::thread::current().name().unwrap_or_default()
            ));
        }
    };
    thread.spawn(run).map_err(failed)
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

impl Journal for Embedded {
    fn claim(&self, shop: &Id) -> Result<Option<Claimed>, JournalError> {
        shop_ownership::claim(&self.core, shop)
    }

    fn create(&self, shop: &Id) -> FencingToken {
        shop_ownership::create(&self.core, shop)
    }

    fn release(&self, owner: FencingToken) {
        let mut queue = self.core.queue.lock();
        if queue
            .owners
            .get(&owner.shop)
            .is_some_and(|owned| owned.epoch == owner.epoch)
        {
            queue.owners.remove(&owner.shop);
        }
    }

    fn append(
        &self,
        owner: FencingToken,
        entry: &NewRecord<'_>,
        done: Option<OnDurable>,
    ) -> Result<u64, Fenced> {
        append::append(&self.core, owner, entry, done)
    }

    fn when_durable(&self, order: u64, done: OnDurable) {
        append::call_when_durable(&self.core, order, done);
    }

    fn put_snapshot(&self, owner: FencingToken, state: Snapshot, due: Option<Instant>) {
        append::append_snapshot(&self.core, owner, state, due);
    }

    fn exists(&self, shop: &Id) -> Result<bool, JournalError> {
        Ok(offline_lookup::number(&self.core, shop)?.is_some())
    }

    fn number(&self, shop: &Id) -> Result<Option<u64>, JournalError> {
        offline_lookup::number(&self.core, shop)
    }

    fn shops(&self, after: Option<&Id>, limit: usize) -> Result<Vec<Id>, JournalError> {
        shop_ownership::shops_after(&self.core, after, limit)
    }

    fn read(&self, shop: &Id, seq: u64, limit: usize) -> Result<Option<RecordPage>, JournalError> {
        reader::read_from(&self.core, shop, seq, limit)
    }

    fn rated(
        &self,
        shop: &Id,
        before: u64,
        limit: usize,
    ) -> Result<Option<RecordPage>, JournalError> {
        reader::read_rated(&self.core, shop, before, limit)
    }

    fn before(&self, shop: &Id, seq: u64) -> Result<Option<SnapshotAndTail>, JournalError> {
        reader::read_before(&self.core, shop, seq)
    }

    fn each_timed_shop(&self, each: &mut dyn FnMut(TimedShop)) -> Result<(), JournalError> {
        shop_ownership::each_timed_shop(&self.core, each)
    }

    fn put_metadata(
        &self,
        shop: &Id,
        name: &str,
        value: Option<Vec<u8>>,
        done: Option<OnDurable>,
    ) -> Result<bool, JournalError> {
        shop_metadata::enqueue(&self.core, shop, name, value, done)
    }

    fn each_metadata(&self, each: &mut dyn FnMut(MetadataEntry)) -> Result<(), JournalError> {
        shop_metadata::each_entry(&self.core, each)
    }

    fn has_room(&self) -> Result<(), JournalFull> {
        append::has_room(&self.core)
    }

    fn is_committing(&self) -> bool {
        self.core.store.is_committing()
    }
}
