//! The journal in one folder of this machine: what its threads share, and the seam carried out.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::folder::Folder;
use super::line::{Line, Put};
use super::mark::Mark;
use super::record::{Booked, Entry};
use super::store::Store;
use super::tail::Tail;
use super::watchdog::Patience;
use super::{
    Basis, Claimed, Done, Fenced, Journal, JournalError, Kept, NoRoom, Owner, Sleeper, Slice,
    State, Upgrade, opening,
};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::env::{Env, Fate};

/// How the folder is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub data: PathBuf,
    /// How many bytes of it are kept in memory.
    pub cache_bytes: u64,
    /// Free bytes of the disk below which nothing more is taken.
    pub reserve_bytes: u64,
    /// The size of the ballast.
    pub ballast_bytes: u64,
    /// How long a commit waits for others to join, in microseconds.
    pub linger_us: u64,
    /// How long records are kept, in milliseconds; 0: for ever.
    pub retention_ms: i64,
    /// Records after which a checkpoint is taken.
    pub checkpoint_records: u64,
    /// How long the disk may be silent before the process ends.
    pub patience: Patience,
    /// Off for proofs alone: what is answered then may be lost.
    pub sync: bool,
}

/// Those who watch how it does.
pub trait Watch: Send + Sync {
    /// A commit: how many records, of how many bytes, in how many microseconds.
    fn committed(&self, records: usize, bytes: usize, micros: u64);
    /// The size of the store in bytes.
    fn stored(&self, bytes: u64);
}

/// Nobody watches.
pub struct Nobody;

impl Watch for Nobody {
    fn committed(&self, _records: usize, _bytes: usize, _micros: u64) {}
    fn stored(&self, _bytes: u64) {}
}

/// Gives the ledger's state, as of a moment not before it is asked.
pub type LedgerSource = Box<dyn Fn() -> Vec<u8> + Send + Sync>;

/// What the threads of the journal share.
pub(super) struct Core {
    pub(super) folder: Folder,
    pub(super) store: Store,
    pub(super) mark: Mark,
    pub(super) fate: Arc<dyn Fate>,
    pub(super) clock: Arc<dyn crate::env::Clock>,
    pub(super) watch: Box<dyn Watch>,
    pub(super) linger: Duration,
    pub(super) reserve_bytes: u64,
    pub(super) retention_ms: i64,
    pub(super) checkpoint_records: u64,
    line: Mutex<Line>,
    tails: Mutex<HashMap<u64, Tail>>,
    dead: Mutex<Vec<u64>>,
    ledger: Mutex<Option<LedgerSource>>,
    /// While a copy is being made, the states that wait until it is.
    copying: Mutex<Option<Vec<Put>>>,
    /// Something waits for a commit.
    pub(super) work: Condvar,
    /// A commit is over.
    pub(super) committed: Condvar,
    /// The upkeep has something to do, or to stop.
    pub(super) chores: Condvar,
    /// Whether the upkeep has to stop; also held by whoever reads all of the journal, which then stands still.
    pub(super) still: Mutex<bool>,
    /// Where the last commit ended.
    last_commit: Mutex<Ended>,
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

/// Where a commit ended.
#[derive(Clone, Copy)]
pub(super) struct Ended {
    /// The order of its last record.
    pub(super) order: u64,
    /// The number of its last block.
    pub(super) block: u64,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while it held a lock of ours has left nothing half done.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    pub(super) fn line(&self) -> MutexGuard<'_, Line> {
        held(&self.line)
    }

    pub(super) fn tails(&self) -> MutexGuard<'_, HashMap<u64, Tail>> {
        held(&self.tails)
    }

    pub(super) fn dead(&self) -> MutexGuard<'_, Vec<u64>> {
        held(&self.dead)
    }

    pub(super) fn copying(&self) -> MutexGuard<'_, Option<Vec<Put>>> {
        held(&self.copying)
    }

    pub(super) fn last_commit(&self) -> MutexGuard<'_, Ended> {
        held(&self.last_commit)
    }

    pub(super) fn ledger_state(&self) -> Option<Vec<u8>> {
        let state = held(&self.ledger).as_ref().map(|source| source());
        // One that could not be written is none.
        state.filter(|bytes| !bytes.is_empty())
    }

    pub(super) fn still(&self) -> MutexGuard<'_, bool> {
        held(&self.still)
    }
}

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
        settings: &Settings,
        env: &Env,
        watch: Box<dyn Watch>,
    ) -> Result<Opened, JournalError> {
        Embedded::open_or_upgrade(settings, env, watch, &mut Upgrade::plain())
    }

    /// The same, where an older form is converted as `upgrade` says.
    pub fn open_or_upgrade(
        settings: &Settings,
        env: &Env,
        watch: Box<dyn Watch>,
        upgrade: &mut Upgrade<'_>,
    ) -> Result<Opened, JournalError> {
        let opening::Opened {
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
            line: Mutex::new(Line::new(found.reach.order + 1, found.notes.next_shop)),
            tails: Mutex::new(found.tails),
            dead: Mutex::new(found.dead),
            ledger: Mutex::new(None),
            copying: Mutex::new(None),
            work: Condvar::new(),
            committed: Condvar::new(),
            chores: Condvar::new(),
            still: Mutex::new(false),
            last_commit: Mutex::new(Ended {
                order: found.reach.order,
                block: found.last_block,
            }),
            durable: AtomicU64::new(found.reach.order),
            next_block: AtomicU64::new(found.next_block),
            laid_until: AtomicU64::new(found.laid_until),
            floor: AtomicU64::new(found.notes.floor),
            checkpoint: AtomicU64::new(found.notes.checkpoint),
            kept: AtomicU32::new(found.kept),
            full: AtomicBool::new(false),
            waiting_bytes: AtomicUsize::new(0),
        });
        core.look_at_the_disk();
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
            spawn("commit", Core::commit_all)?,
            spawn("upkeep", Core::keep_up)?,
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
        *held(&self.core.ledger) = Some(source);
    }

    /// Bytes of the store on disk.
    pub fn bytes(&self) -> u64 {
        self.core.store.bytes()
    }

    /// Takes a checkpoint now, merges and trims; it is done by itself from time to time. A failure is final.
    pub fn checkpoint_now(&self) {
        if let Err(error) = self.core.take_checkpoint(true) {
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
        self.core.line().closing = true;
        *self.core.still() = true;
        self.core.work.notify_all();
        self.core.chores.notify_all();
        let threads = std::mem::take(&mut *held(&self.threads));
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
        self.core.claim(shop)
    }

    fn create(&self, shop: &Id) -> Owner {
        self.core.create(shop)
    }

    fn release(&self, owner: Owner) {
        let mut line = self.core.line();
        if line
            .owners
            .get(&owner.shop)
            .is_some_and(|owned| owned.epoch == owner.epoch)
        {
            line.owners.remove(&owner.shop);
        }
    }

    fn append(&self, owner: Owner, entry: &Entry<'_>, done: Option<Done>) -> Result<u64, Fenced> {
        self.core.gather(owner, entry, done)
    }

    fn when_durable(&self, order: u64, done: Done) {
        self.core.call_when_durable(order, done);
    }

    fn put_state(&self, owner: Owner, state: State, due: Option<Instant>) {
        self.core.gather_state(owner, state, due);
    }

    fn exists(&self, shop: &Id) -> Result<bool, JournalError> {
        Ok(self.core.number(shop)?.is_some())
    }

    fn number(&self, shop: &Id) -> Result<Option<u64>, JournalError> {
        self.core.number(shop)
    }

    fn shops(&self, after: Option<&Id>, limit: usize) -> Result<Vec<Id>, JournalError> {
        self.core.shops_after(after, limit)
    }

    fn read(&self, shop: &Id, seq: u64, limit: usize) -> Result<Option<Slice>, JournalError> {
        self.core.read_from(shop, seq, limit)
    }

    fn rated(&self, shop: &Id, before: u64, limit: usize) -> Result<Option<Slice>, JournalError> {
        self.core.read_rated(shop, before, limit)
    }

    fn before(&self, shop: &Id, seq: u64) -> Result<Option<Basis>, JournalError> {
        self.core.read_before(shop, seq)
    }

    fn sleepers(&self, each: &mut dyn FnMut(Sleeper)) -> Result<(), JournalError> {
        self.core.each_sleeper(each)
    }

    fn keep(
        &self,
        shop: &Id,
        name: &str,
        value: Option<Vec<u8>>,
        done: Option<Done>,
    ) -> Result<bool, JournalError> {
        self.core.gather_keep(shop, name, value, done)
    }

    fn kept(&self, each: &mut dyn FnMut(Kept)) -> Result<(), JournalError> {
        self.core.each_kept(each)
    }

    fn has_room(&self) -> Result<(), NoRoom> {
        self.core.has_room()
    }

    fn commits_go_on(&self) -> bool {
        self.core.store.commits_go_on()
    }
}
