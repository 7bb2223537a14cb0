//! State that all shops of a server share: the journal, the ledger, the loaded actors, and the wake-up times of
//! passivated shops.

use super::observer::RuntimeObserver;
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix::{Actor, Addr};

use super::change_notifier::ChangeNotifiers;
use super::quota::ShopQuotas;
use super::responder::MailboxDepth;
use super::shared_ledger::SharedLedger;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::env::Env;
use crate::journal::{Journal, JournalFull};
use crate::runtime::event_result::Unavailable;
use crate::runtime::presence_lease_table::Leases;

/// The shared state. The actors are of type `A`.
pub(super) struct SharedState<A: Actor> {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) ledger: Arc<SharedLedger>,
    pub(super) env: Env,
    pub(super) observer: Arc<dyn RuntimeObserver>,
    /// The maximum number of requests that wait for one shop.
    pub(super) mailbox: usize,
    /// How long an idle shop stays in memory.
    pub(super) idle: Duration,
    pub(super) registry: Registry<A>,
    pub(super) waiting: MailboxDepth,
    pub(super) wakeups: WakeupQueue,
    pub(super) notifiers: Arc<ChangeNotifiers>,
    pub(super) leases: Leases,
    pub(super) quotas: ShopQuotas,
}

impl<A: Actor> SharedState<A> {
    /// Whether events can be taken now and become durable.
    pub(super) fn ready(&self) -> Result<(), Unavailable> {
        if !self.journal.is_committing() {
            let what = "what was taken does not become durable".to_owned();
            return Err(Unavailable::Stalled(what));
        }
        self.env.clock.now();
        self.takes_events()
    }

    /// Whether events can be stored and can get a time, by the last reading of the clock. The error says why not.
    pub(super) fn takes_events(&self) -> Result<(), Unavailable> {
        self.env
            .clock
            .trusted()
            .map_err(Unavailable::ClockNotTrusted)?;
        self.journal.has_room().map_err(|no_room| match no_room {
            JournalFull::Memory => Unavailable::Busy,
            JournalFull::Disk => Unavailable::DiskFull,
        })
    }
}

pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while one of these locks is held leaves no change half done.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

const SHARDS: usize = 16;

/// The loaded shops: at most one actor for each shop.
pub(super) struct Registry<A: Actor> {
    hasher: RandomState,
    shards: [Mutex<HashMap<Id, Addr<A>>>; SHARDS],
}

impl<A: Actor> Registry<A> {
    pub(super) fn new() -> Registry<A> {
        Registry {
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    fn shard(&self, shop: &Id) -> MutexGuard<'_, HashMap<Id, Addr<A>>> {
        held(&self.shards[self.hash(shop) as usize % SHARDS])
    }

    /// A hash that distributes shops.
    pub(super) fn hash(&self, shop: &Id) -> u64 {
        self.hasher.hash_one(shop.as_str())
    }

    /// The actor of a shop. `start` creates one if the shop is not loaded.
    pub(super) fn find(&self, shop: &Id, start: impl FnOnce() -> Addr<A>) -> Addr<A> {
        let mut shard = self.shard(shop);
        if let Some(addr) = shard.get(shop)
            && addr.connected()
        {
            return addr.clone();
        }
        let addr = start();
        shard.insert(shop.clone(), addr.clone());
        addr
    }

    /// Removes an actor that stops.
    pub(super) fn remove(&self, shop: &Id, addr: &Addr<A>) {
        let mut shard = self.shard(shop);
        if shard.get(shop) == Some(addr) {
            shard.remove(shop);
        }
    }

    /// All actors.
    pub(super) fn all(&self) -> Vec<Addr<A>> {
        let shards = self.shards.iter();
        shards
            .flat_map(|shard| held(shard).values().cloned().collect::<Vec<_>>())
            .collect()
    }
}

/// Passivated shops, ordered by the time of their next timer.
#[derive(Default)]
pub(super) struct WakeupQueue(Mutex<BTreeSet<(Instant, Id)>>);

impl WakeupQueue {
    /// Schedules a wake-up of a shop.
    pub(super) fn add(&self, due: Instant, shop: Id) {
        held(&self.0).insert((due, shop));
    }

    /// Removes and returns the shops that are due by `now`, at most `limit`.
    pub(super) fn due(&self, now: Instant, limit: usize) -> Vec<Id> {
        let mut wakeups = held(&self.0);
        let mut due = Vec::new();
        while due.len() < limit
            && wakeups.first().is_some_and(|(due, _)| *due <= now)
            && let Some((_, shop)) = wakeups.pop_first()
        {
            due.push(shop);
        }
        due
    }
}
