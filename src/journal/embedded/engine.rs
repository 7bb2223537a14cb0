//! The journal in one folder: its threads, and what it is asked, carried out.

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
use super::metadata;
use super::observer::JournalObserver;
use super::opening;
use super::ownership;
use super::ranked_lock::{LockRank, RankedMutex};
use super::reader;
use super::settings::JournalSettings;
use super::shop_numbers;
use super::upgrade::Upgrade;
use super::watermark::CommitEnd;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::env::Env;
use crate::journal::{
    Booked, Claimed, Fenced, FencingToken, Journal, JournalError, MetadataEntry, NewRecord, NoRoom,
    OnDurable, RecordPage, Snapshot, SnapshotAndTail, TimedShop,
};

/// The journal in one folder. Dropping it closes it in order.
pub struct Embedded {
    pub(super) core: Arc<Core>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// An open journal, and what it holds for the ledger: its latest state, and what was booked since.
pub struct Opened {
    /// The journal.
    pub journal: Embedded,
    /// The ledger's latest state.
    pub ledger: Option<Vec<u8>>,
    /// What was booked since, by the ids of the shops that did.
    pub booked: Vec<(Id, Booked)>,
    /// The instant of the last record.
    pub latest: Option<Instant>,
    /// What was put right in a folder of an older form, a sentence each.
    pub healed: Vec<String>,
}

impl Embedded {
    /// Opens the folder, and refuses where it is damaged, in use, or of a newer version. One of an older form is
    /// converted by a copy, in silence.
    pub fn open(
        settings: &JournalSettings,
        env: &Env,
        watch: Box<dyn JournalObserver>,
    ) -> Result<Opened, JournalError> {
        Embedded::open_or_upgrade(settings, env, watch, &mut Upgrade::plain())
    }

    /// The same, where an older form is converted as `upgrade` says.
    pub fn open_or_upgrade(
        settings: &JournalSettings,
        env: &Env,
        watch: Box<dyn JournalObserver>,
        upgrade: &mut Upgrade<'_>,
    ) -> Result<Opened, JournalError> {
        let opening::OpenedFolder {
            folder,
            mark,
            found,
            healed,
        } = opening::open(settings, &env.fate, upgrade)?;
        let core = Arc::new(Core {
            folder,
            store: found.store,
            mark,
            fate: Arc::clone(&env.fate),
            clock: Arc::clone(&env.clock),
            watch,
            linger: Duration::from_micros(settings.linger_us),
            reserve_bytes: settings.reserve_bytes,
            retention_ms: settings.retention_ms,
            checkpoint_records: settings.checkpoint_records,
            line: RankedMutex::new(
                LockRank::Queue,
                AppendQueue::new(found.reach.order + 1, found.notes.next_shop),
            ),
            tails: RankedMutex::new(LockRank::Tails, found.tails),
            dead: RankedMutex::new(LockRank::RemovedShops, found.dead),
            ledger: RankedMutex::new(LockRank::LedgerSource, None),
            copying: RankedMutex::new(LockRank::DeferredSnapshots, None),
            work: Condvar::new(),
            committed: Condvar::new(),
            chores: Condvar::new(),
            still: RankedMutex::new(LockRank::Maintenance, false),
            last_commit: RankedMutex::new(
                LockRank::LastCommit,
                CommitEnd {
                    order: found.reach.order,
                    block: found.last_block,
                },
            ),
            durable: AtomicU64::new(found.reach.order),
            next_block: AtomicU64::new(found.next_block),
            laid_until: AtomicU64::new(found.laid_until),
            floor: AtomicU64::new(found.notes.floor),
            checkpoint: AtomicU64::new(found.notes.checkpoint),
            kept: AtomicU32::new(found.kept),
            full: AtomicBool::new(false),
            waiting_bytes: AtomicUsize::new(0),
        });
        commit::look_at_the_disk(&core);
        core.folder.lay_ballast();
        let spawn = |name: &str, run: fn(&Core)| {
            let core = Arc::clone(&core);
            let thread = std::thread::Builder::new().name(name.to_owned());
            let failed = |error| JournalError::Failed(format!("a thread: {error}"));
            let run = move || {
                if catch_unwind(AssertUnwindSafe(|| run(&core))).is_err() {
                    core.fate.stop(&format!(
                        "a bug of ours stopped the thread `{}` of the journal, so nothing more is answered. What was \
                         answered before is safe; please report it with the server's log",
                        std::thread::current().name().unwrap_or_default()
                    ));
                }
            };
            thread.spawn(run).map_err(failed)
        };
        let threads = vec![
            spawn("commit", commit::commit_all)?,
            spawn("upkeep", compaction::keep_up)?,
        ];
        Ok(Opened {
            journal: Embedded {
                core,
                threads: Mutex::new(threads),
            },
            ledger: found.ledger,
            booked: found.booked,
            latest: (found.reach.order > 0).then_some(found.reach.at),
            healed,
        })
    }

    /// From now on the ledger's state is kept with every checkpoint.
    pub fn keep_ledger(&self, source: LedgerSource) {
        *self.core.ledger.lock() = Some(source);
    }

    /// Bytes of the store on disk.
    pub fn bytes(&self) -> u64 {
        self.core.store.bytes()
    }

    /// Takes a checkpoint now, merges and trims; it is done by itself from time to time. A failure is final.
    pub fn checkpoint_now(&self) {
        if let Err(error) = compaction::take_checkpoint(&self.core, true) {
            self.core.fate.stop(&error.to_string());
        }
    }

    /// In how many blocks the records lie.
    pub fn blocks(&self) -> Result<u64, JournalError> {
        let mut blocks = 0;
        super::block::scan(&self.core.store, 0, &mut |_| {}, |_| {
            blocks += 1;
            Ok(true)
        })?;
        Ok(blocks)
    }

    /// Commits what waits, takes a checkpoint, and stops: nothing is durable any more that is appended from now on.
    pub fn close(&self) {
        self.core.line.lock().closing = true;
        *self.core.still.lock() = true;
        self.core.work.notify_all();
        self.core.chores.notify_all();
        let threads = {
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *threads)
        };
        for thread in threads {
            // A thread that panicked has said so.
            thread.join().ok();
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

impl Journal for Embedded {
    fn claim(&self, shop: &Id) -> Result<Option<Claimed>, JournalError> {
        ownership::claim(&self.core, shop)
    }

    fn create(&self, shop: &Id) -> FencingToken {
        ownership::create(&self.core, shop)
    }

    fn release(&self, owner: FencingToken) {
        let mut line = self.core.line.lock();
        if line
            .owners
            .get(&owner.shop)
            .is_some_and(|owned| owned.epoch == owner.epoch)
        {
            line.owners.remove(&owner.shop);
        }
    }

    fn append(
        &self,
        owner: FencingToken,
        entry: &NewRecord<'_>,
        done: Option<OnDurable>,
    ) -> Result<u64, Fenced> {
        append::gather(&self.core, owner, entry, done)
    }

    fn when_durable(&self, order: u64, done: OnDurable) {
        append::call_when_durable(&self.core, order, done);
    }

    fn put_state(&self, owner: FencingToken, state: Snapshot, due: Option<Instant>) {
        append::gather_state(&self.core, owner, state, due);
    }

    fn exists(&self, shop: &Id) -> Result<bool, JournalError> {
        Ok(shop_numbers::number(&self.core, shop)?.is_some())
    }

    fn number(&self, shop: &Id) -> Result<Option<u64>, JournalError> {
        shop_numbers::number(&self.core, shop)
    }

    fn shops(&self, after: Option<&Id>, limit: usize) -> Result<Vec<Id>, JournalError> {
        ownership::shops_after(&self.core, after, limit)
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

    fn sleepers(&self, each: &mut dyn FnMut(TimedShop)) -> Result<(), JournalError> {
        ownership::each_sleeper(&self.core, each)
    }

    fn keep(
        &self,
        shop: &Id,
        name: &str,
        value: Option<Vec<u8>>,
        done: Option<OnDurable>,
    ) -> Result<bool, JournalError> {
        metadata::gather_keep(&self.core, shop, name, value, done)
    }

    fn kept(&self, each: &mut dyn FnMut(MetadataEntry)) -> Result<(), JournalError> {
        metadata::each_kept(&self.core, each)
    }

    fn has_room(&self) -> Result<(), NoRoom> {
        append::has_room(&self.core)
    }

    fn commits_go_on(&self) -> bool {
        self.core.store.commits_go_on()
    }
}
