//! The actor of one shop: the only owner of the shop's state in memory.
//!
//! It recovers the shop from the journal and decides the messages of its mailbox in order. It fires the shop's timers,
//! writes snapshots, and passivates when the shop is idle. It never waits for the disk: it appends its decisions, and
//! the journal calls back once they are durable.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::Semaphore;

use super::apply::{EventApplier, EventOutcome, ResponseBuffer};
use super::change_notifier::ChangeNotifier;
use super::messages::{ClockJumped, Close, Delete, ReadShop};
use super::quota::PendingBytes;
use super::quota_check::{self, keeps_buyer_space};
use super::recovery::{Differences, recover};
use super::shared;
use crate::domain::CORE;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::protocol::event::EventBody;
use crate::domain::read::views::{self, Counts};
use crate::env::{BlockingError, Stopwatch, blocking};
use crate::journal::{JournalError, RecordKind};
use crate::runtime::event_result::{EventResult, IncomingEvent, ReadError, Unavailable};
use crate::runtime::live_shop::LiveShop;
use crate::runtime::quota::written;

/// The delay before a timer is tried again after the journal refused its record.
const TIMER_AGAIN: Duration = Duration::from_secs(1);

/// The maximum delay of the gauges.
const RECOUNT_AFTER: Duration = Duration::from_secs(1);

/// How long the actor of a shop that does not exist stays.
pub(super) const ABSENT_IDLE: Duration = Duration::from_millis(100);

pub(super) enum ActorState {
    /// The shop is being read from the journal. The mailbox waits.
    Recovering,
    /// The shop is loaded, or does not exist.
    Loaded(Option<LiveShop>),
    /// The recovery failed.
    Failed(Unavailable),
}

/// The result of reading a shop from the journal.
type LoadedShop = Result<Result<Option<(LiveShop, Differences)>, JournalError>, BlockingError>;

/// The state that all shops share.
pub(super) type SharedRuntime = shared::SharedState<ShopActor>;

/// The actor of one shop.
pub(super) struct ShopActor {
    pub(super) id: Id,
    pub(super) shared: Arc<SharedRuntime>,
    pub(super) state: ActorState,
    /// The position of its latest record in the journal.
    pub(super) appended: u64,
    pub(super) last_request: Stopwatch,
    pub(super) timer: Option<(Instant, SpawnHandle)>,
    pub(super) counts: Counts,
    /// Whether an update of the gauges is scheduled.
    pub(super) will_count: bool,
    /// Whether the next request must start a new actor.
    pub(super) stale: bool,
    /// The bytes that it appended and that are not durable yet.
    pub(super) unwritten: PendingBytes,
    /// Allows one lookup of repeated events at a time.
    pub(super) lookup: Arc<Semaphore>,
    /// Notifies subscribers of new decisions.
    pub(super) notifier: Arc<ChangeNotifier>,
}

impl ShopActor {
    pub(super) fn new(id: Id, shared: Arc<SharedRuntime>) -> ShopActor {
        ShopActor {
            notifier: shared.notifiers.of(&id),
            id,
            shared,
            state: ActorState::Recovering,
            appended: 0,
            last_request: Stopwatch::start(),
            timer: None,
            counts: Counts::default(),
            will_count: false,
            stale: false,
            unwritten: PendingBytes::default(),
            lookup: Arc::new(Semaphore::new(1)),
        }
    }

    fn recovered(&mut self, found: LoadedShop, ctx: &mut Context<Self>) {
        let found = found.unwrap_or_else(|error| match error {
            BlockingError::Busy => {
                // Waiting and later requests start a new actor.
                self.stale = true;
                Err(JournalError::Failed(error.to_string()))
            }
            BlockingError::Panicked => {
                let what = "reading it from the journal met a bug of ours".to_owned();
                Err(JournalError::Damaged(what))
            }
        });
        let mut differences = Differences::default();
        self.state = match found {
            Ok(None) => ActorState::Loaded(None),
            Ok(Some((loaded, differ))) => {
                differences = differ;
                ActorState::Loaded(Some(loaded))
            }
            Err(error) => {
                self.shared.observer.failed(&self.id, &error);
                ActorState::Failed(match self.stale {
                    true => Unavailable::Busy,
                    false => error.into(),
                })
            }
        };
        self.shared.observer.shop_loaded(self.last_request.micros());
        if differences.records > 0 {
            // A snapshot avoids reconciling the records of an older core again.
            self.store_state();
        }
        if differences.count > 0 {
            self.shared
                .observer
                .decisions_differ(&self.id, &differences);
        }
        self.recount_soon(ctx);
        self.schedule_timer(ctx);
        let idle = match &self.state {
            ActorState::Loaded(Some(_)) => self.shared.idle,
            ActorState::Loaded(None) | ActorState::Recovering | ActorState::Failed(_) => {
                ABSENT_IDLE
            }
        };
        ctx.run_later(idle, Self::passivate_if_idle);
        self.stop_if_stale(ctx);
    }

    /// Whether the shop may handle this event now: it is within its quota, and the buyer space, if it may not change,
    /// is the one for which the event was prepared.
    pub(super) fn may_take(
        &self,
        intake: &IncomingEvent,
        may_change_space: bool,
    ) -> Result<(), Unavailable> {
        quota_check::has_quota_left(&self.shared, &self.id, &self.unwritten)?;
        let loaded = match &self.state {
            ActorState::Loaded(loaded) => Some(loaded.as_ref()),
            ActorState::Recovering | ActorState::Failed(_) => None,
        };
        match may_change_space || loaded.is_none_or(|loaded| keeps_buyer_space(loaded, intake)) {
            true => Ok(()),
            false => Err(Unavailable::Busy),
        }
    }

    /// The bytes of the records after its latest snapshot.
    fn fresh_bytes(&self) -> usize {
        match &self.state {
            ActorState::Loaded(Some(loaded)) => loaded.fresh.bytes,
            ActorState::Loaded(None) | ActorState::Recovering | ActorState::Failed(_) => 0,
        }
    }

    /// Frees the memory quota of what was appended, once it is durable.
    pub(super) fn free_when_durable(&mut self) {
        if let Some(free) = self.unwritten.take() {
            let journal = &self.shared.journal;
            journal.when_durable(self.appended, Box::new(free));
        }
    }

    pub(super) fn loaded(&mut self) -> Option<&mut LiveShop> {
        match &mut self.state {
            ActorState::Loaded(loaded) => loaded.as_mut(),
            ActorState::Recovering | ActorState::Failed(_) => None,
        }
    }

    /// Decides one event and appends it to the journal.
    pub(super) fn decide(
        &mut self,
        intake: IncomingEvent,
        work: &mut ResponseBuffer,
    ) -> Result<EventOutcome, Unavailable> {
        self.shared.takes_events()?;
        let loaded = match &mut self.state {
            ActorState::Loaded(loaded) => loaded,
            ActorState::Recovering => return Err(Unavailable::Busy),
            ActorState::Failed(why) => return Err(why.clone()),
        };
        let (IncomingEvent::Event { text, .. } | IncomingEvent::Malformed { text, .. }) = &intake;
        self.shared
            .env
            .fail_stop
            .before_event(&self.id, text.as_bytes());
        let mut removed = None;
        if let IncomingEvent::Event { event, .. } = &intake {
            self.shared.observer.handled(&event.what);
            if let EventBody::AgentRemoved { agent } = &event.what {
                removed = Some(agent.clone());
            }
        }
        let fresh = loaded.as_ref().map_or(0, |loaded| loaded.fresh.bytes);
        let deciding = EventApplier {
            id: &self.id,
            journal: &self.shared.journal,
            ledger: &self.shared.ledger,
        };
        let decided = deciding.decide(loaded, intake, work);
        // If another process owns the shop in the journal, this state is out of date.
        self.stale |= matches!(decided, Err(Unavailable::Broken));
        let decided = decided?;
        if let Some(order) = decided.order {
            self.appended = order;
            let bytes = self.fresh_bytes().saturating_sub(fresh);
            quota_check::wrote(&self.shared, &self.id, &mut self.unwritten, bytes);
            self.shared.observer.decided(&work.out.decisions);
        }
        if let (EventOutcome::Decided(EventResult { rejected: None, .. }, _), Some(agent)) =
            (&decided.item, removed)
        {
            self.end_lease(&agent);
        }
        Ok(decided.item)
    }

    /// Follow-up work after events were decided.
    pub(super) fn finish_request(&mut self, ctx: &mut Context<Self>) {
        self.free_when_durable();
        self.notify_subscribers();
        self.stop_if_stale(ctx);
        self.recount_soon(ctx);
        self.store_if_large();
        self.schedule_timer(ctx);
    }

    /// Fires the due timers as a `clock` event would, and schedules the next one.
    fn fire_timers(&mut self, ctx: &mut Context<Self>) {
        self.timer = None;
        let now = self.shared.env.clock.now();
        let due = self.loaded().and_then(|loaded| loaded.shop.next_timer());
        if due.is_some_and(|due| due <= now) {
            let clock = IncomingEvent::made(EventBody::Clock, now);
            if self
                .decide(clock, &mut ResponseBuffer::new(&self.id, 1))
                .is_err()
            {
                self.stop_if_stale(ctx);
                ctx.run_later(TIMER_AGAIN, Self::fire_timers);
                return;
            }
            self.free_when_durable();
            self.notify_subscribers();
            self.recount_soon(ctx);
            self.store_if_large();
        }
        self.schedule_timer(ctx);
    }

    /// Notifies subscribers, once the decisions are durable.
    fn notify_subscribers(&mut self) {
        if !self.notifier.is_followed() {
            return;
        }
        if let Some(seq) = self.loaded().map(|loaded| loaded.shop.seq()) {
            let notifier = Arc::clone(&self.notifier);
            let notify = Box::new(move || notifier.notify(seq));
            self.shared.journal.when_durable(self.appended, notify);
        }
    }

    /// Schedules a wake-up at the shop's next timer.
    fn schedule_timer(&mut self, ctx: &mut Context<Self>) {
        let Some(due) = self.loaded().and_then(|loaded| loaded.shop.next_timer()) else {
            return;
        };
        match self.timer {
            Some((armed, _)) if armed <= due => return,
            Some((_, handle)) => {
                ctx.cancel_future(handle);
            }
            None => {}
        }
        let wait = (due.ms() - self.shared.env.clock.now().ms()).max(0) as u64;
        let handle = ctx.run_later(Duration::from_millis(wait), Self::fire_timers);
        self.timer = Some((due, handle));
    }

    /// Updates the gauges within a second. Counting visits every agent, so it is not done for each event.
    fn recount_soon(&mut self, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.will_count, true) {
            ctx.run_later(RECOUNT_AFTER, |actor, _| actor.recount());
        }
    }

    /// Updates the gauges of this shop.
    fn recount(&mut self) {
        self.will_count = false;
        let counts = self
            .loaded()
            .map_or_else(Counts::default, |loaded| views::counts(&loaded.shop));
        let before = std::mem::replace(&mut self.counts, counts);
        self.shared.observer.counted(&before, &self.counts);
    }
}

impl Actor for ShopActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.shared.observer.actors_changed(1);
        let (shared, id) = (Arc::clone(&self.shared), self.id.clone());
        let found = blocking(move || {
            let Some(claimed) = shared.journal.claim(&id)? else {
                return Ok(None);
            };
            let now = shared.env.clock.now();
            shared.quotas.recovered(&id, || written(&claimed), now);
            let (mut loaded, differences) = recover(&id, claimed)?;
            loaded.shop.prepare();
            Ok(Some((loaded, differences)))
        });
        ctx.wait(
            found
                .into_actor(self)
                .map(|found, actor, ctx| actor.recovered(found, ctx)),
        );
    }
}

impl Drop for ShopActor {
    fn drop(&mut self) {
        self.shared.notifiers.release(&self.id);
        self.shared.observer.actors_changed(-1);
        self.shared
            .observer
            .counted(&self.counts, &Counts::default());
        if std::thread::panicking() {
            self.shared.observer.panicked(&self.id);
        }
    }
}

impl Handler<ReadShop> for ShopActor {
    type Result = ();

    fn handle(&mut self, read: ReadShop, _: &mut Context<Self>) {
        self.last_request = Stopwatch::start();
        let seen = match &self.state {
            ActorState::Loaded(Some(loaded)) => Ok(&*loaded.shop),
            ActorState::Loaded(None) => Err(ReadError::NoShop),
            ActorState::Recovering => Err(ReadError::Refused(Unavailable::Busy)),
            ActorState::Failed(why) => Err(ReadError::Refused(why.clone())),
        };
        let answer = read.0(seen);
        self.shared.journal.when_durable(self.appended, answer);
    }
}

impl Handler<Delete> for ShopActor {
    type Result = ();

    fn handle(&mut self, delete: Delete, ctx: &mut Context<Self>) {
        let mut reply = delete.0;
        reply.begin();
        let Some(loaded) = self.loaded() else {
            return match &self.state {
                ActorState::Failed(why) => reply.refuse(why.clone()),
                ActorState::Loaded(_) | ActorState::Recovering => reply.answer(false),
            };
        };
        let (owner, n, seq_before, at) = (
            loaded.owner,
            loaded.n + 1,
            loaded.shop.seq(),
            loaded.shop.now().in_event_years(),
        );
        let entry = crate::journal::NewRecord {
            shop: &self.id,
            kind: RecordKind::Removed,
            core: CORE,
            n,
            at,
            due: None,
            seq_before,
            decided: 0,
            text: "{}",
            decisions: "[]",
            claims: &[],
            booked: &[],
            rated: false,
        };
        match self.shared.journal.append(owner, &entry, None) {
            Ok(order) => self.appended = order,
            Err(_) => return reply.refuse(Unavailable::Broken),
        }
        self.shared.journal.release(owner);
        self.shared.leases.remove_shop(&self.id);
        self.state = ActorState::Loaded(None);
        self.recount_soon(ctx);
        ctx.run_later(ABSENT_IDLE, Self::passivate_if_idle);
        let notifier = Arc::clone(&self.notifier);
        let answer = Box::new(move || {
            notifier.shop_is_gone();
            reply.answer(true);
        });
        self.shared.journal.when_durable(self.appended, answer);
    }
}

impl Handler<ClockJumped> for ShopActor {
    type Result = ();

    fn handle(&mut self, _: ClockJumped, ctx: &mut Context<Self>) {
        if let Some((_, alarm)) = self.timer.take() {
            ctx.cancel_future(alarm);
        }
        self.schedule_timer(ctx);
    }
}

impl Handler<Close> for ShopActor {
    type Result = ();

    fn handle(&mut self, _: Close, ctx: &mut Context<Self>) {
        self.passivate(ctx);
    }
}
