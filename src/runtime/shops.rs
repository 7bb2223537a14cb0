//! The front end of the runtime: finds the actor of a shop, loads it if needed, and sends it messages.

use super::apply::EventOutcome;
use super::event_result::EventResult;
use super::event_result::{IncomingEvent, ReadError, Unavailable};
use super::messages::{SubmitEvents, Submitted};
use super::observer::RuntimeObserver;
use super::presence_lease_table::Leases;
use super::responder::{NotProcessed, PendingAnswer, Responder};
use super::stored_decisions::answer_again;
use crate::env::Stopwatch;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::dev::SendError;
use actix::prelude::*;
use actix_rt::ArbiterHandle;

use super::actor::SharedRuntime;
use super::actor::ShopActor;
use super::change_notifier::{DecisionFeed, ShutdownListener, ShutdownSignal};
use super::messages::{Close, Delete, ReadFn, ReadShop};
use super::quota::{ShopQuota, ShopQuotas};
use super::quota_check;
use super::responder::MailboxDepth;
use super::shared::{Registry, WakeupQueue, held};
use super::shared_ledger::SharedLedger;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration as Length, Instant};
use crate::domain::state::shop::Shop;
use crate::env::{Env, blocking};
use crate::journal::{Journal, JournalError, MetadataEntry};

/// The number of attempts to send a request that a stopping actor did not start.
pub(super) const TRIES: usize = 8;

/// The maximum time for the last shops to write their snapshots at shutdown.
const CLOSE_WITHIN: Duration = Duration::from_secs(20);

/// The settings of the runtime.
#[derive(Clone, Debug)]
pub struct RuntimeSettings {
    /// The maximum number of requests that wait for one shop.
    pub mailbox: usize,
    /// How long an idle shop stays in memory.
    pub idle: Duration,
    /// How long after the end of its lease an agent still counts as present.
    pub grace: Length,
    /// The quotas of one shop.
    pub quota: ShopQuota,
}

/// All shops of a server. Cheap to clone.
#[derive(Clone)]
pub struct Shops {
    pub(super) shared: Arc<SharedRuntime>,
    /// The threads on which actors can run.
    pub(super) arbiters: Arc<Mutex<Vec<ArbiterHandle>>>,
    closing: Arc<ShutdownSignal>,
}

impl Shops {
    /// The runtime over a journal. The ledger is loaded from the journal.
    pub fn new(
        journal: Arc<dyn Journal>,
        ledger: Arc<SharedLedger>,
        env: Env,
        observer: Arc<dyn RuntimeObserver>,
        settings: &RuntimeSettings,
    ) -> Shops {
        Shops {
            shared: Arc::new(SharedRuntime {
                journal,
                ledger,
                env,
                observer,
                mailbox: settings.mailbox,
                idle: settings.idle,
                registry: Registry::new(),
                waiting: MailboxDepth::default(),
                wakeups: WakeupQueue::default(),
                notifiers: Arc::default(),
                leases: Leases::new(settings.grace),
                quotas: ShopQuotas::new(settings.quota),
            }),
            arbiters: Arc::default(),
            closing: Arc::default(),
        }
    }

    /// Allows actors on this thread, which runs an arbiter. A shop that is first requested from here is loaded here.
    pub fn run_actors_here(&self) {
        if let Some(arbiter) = actix_rt::Arbiter::try_current() {
            self.arbiters
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(arbiter);
        }
    }

    /// The actor of a shop. A new one runs on this thread.
    pub(super) fn actor(&self, shop: &Id) -> Addr<ShopActor> {
        self.shared.registry.find(shop, || {
            ShopActor::create(|ctx| {
                ctx.set_mailbox_capacity(self.shared.mailbox);
                ShopActor::new(shop.clone(), Arc::clone(&self.shared))
            })
        })
    }

    /// Whether a shop exists.
    pub async fn exists(&self, shop: &Id) -> Result<bool, Unavailable> {
        Ok(self.shared.journal.exists(shop)?)
    }

    /// The number of a shop. It differs between shops that had the same id one after the other. `None` if the shop does
    /// not exist.
    pub fn number(&self, shop: &Id) -> Result<Option<u64>, Unavailable> {
        Ok(self.shared.journal.number(shop)?)
    }

    /// Reads a shop's state. Retries if the actor was passivated before it started the read.
    pub async fn read<T: Send + 'static>(
        &self,
        shop: &Id,
        read: impl FnOnce(&Shop) -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        let busy = ReadError::Refused(Unavailable::Busy);
        // The closure comes back if the message is dropped before it started.
        let read = Arc::new(Mutex::new(Some(read)));
        for _ in 0..TRIES {
            let (sender, answer) = tokio::sync::oneshot::channel();
            let theirs = Arc::clone(&read);
            let look: ReadFn = Box::new(move |seen| {
                let unread = ReadError::Refused(Unavailable::Busy);
                let seen = seen.and_then(|shop| {
                    let read = held(&theirs).take().ok_or(unread)?;
                    Ok(read(shop))
                });
                Box::new(move || drop(sender.send(seen)))
            });
            match self.actor(shop).try_send(ReadShop(look)) {
                Err(SendError::Full(_)) => return Err(busy),
                Ok(()) | Err(SendError::Closed(_)) => {}
            }
            match answer.await {
                Ok(seen) => return seen,
                // The read started, and its result was lost.
                Err(_) if held(&read).is_none() => return Err(busy),
                Err(_) if self.is_closing() => {
                    return Err(ReadError::Refused(Unavailable::Closing));
                }
                Err(_) => {}
            }
        }
        Err(busy)
    }

    /// Runs slow work on a blocking thread, so that it delays no shop.
    pub async fn run_blocking<T: Send + 'static>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        Ok(blocking(work).await?)
    }

    /// Handles the events of a shop in order. Responds once their decisions are durable.
    pub async fn post(
        &self,
        shop: &Id,
        events: Vec<IncomingEvent>,
    ) -> Result<Vec<EventResult>, Unavailable> {
        self.put(shop, events, true).await
    }

    /// Like [`Shops::post`], for clients that may not change the shop's buyer space. If the buyer space changed after
    /// an event was prepared for the previous one, the event is not handled ([`Unavailable::Busy`]).
    pub async fn post_in_its_space(
        &self,
        shop: &Id,
        events: Vec<IncomingEvent>,
    ) -> Result<Vec<EventResult>, Unavailable> {
        self.put(shop, events, false).await
    }

    async fn put(
        &self,
        shop: &Id,
        events: Vec<IncomingEvent>,
        may_change_space: bool,
    ) -> Result<Vec<EventResult>, Unavailable> {
        let post = |reply| SubmitEvents {
            reply,
            may_change_space,
        };
        let Submitted { items, lookup } = self.ask(shop, post, events).await?;
        let (mut answered, mut repeats) = (Vec::with_capacity(items.len()), Vec::new());
        for item in items {
            answered.push(match item {
                EventOutcome::Decided(answered, _) | EventOutcome::Answered(answered) => answered,
                EventOutcome::Repeated(id, receipt) => {
                    repeats.push((answered.len(), id.clone(), receipt));
                    EventResult::refused(Some(id), Unavailable::Busy)
                }
            });
        }
        if repeats.is_empty() {
            return Ok(answered);
        }
        // One lookup per shop at a time, followed by a pause of the same length. So a shop that repeats events uses at
        // most half a thread.
        let turn = lookup.acquire_owned().await;
        // New results are returned even if the lookup of repeated events fails.
        let (journal, shop) = (Arc::clone(&self.shared.journal), shop.clone());
        let again = blocking(move || {
            let stopwatch = Stopwatch::start();
            let again = repeats
                .into_iter()
                .map(|(place, id, receipt)| (place, answer_again(&*journal, &shop, id, receipt)));
            let again = again.collect::<Vec<_>>();
            // The permit is held even if the caller is gone.
            (again, Duration::from_micros(stopwatch.micros()), turn)
        });
        let Ok((again, rest, turn)) = again.await else {
            return Ok(answered);
        };
        actix_rt::spawn(async move {
            actix_rt::time::sleep(rest).await;
            drop(turn);
        });
        for (place, again) in again {
            answered[place] = again;
        }
        Ok(answered)
    }

    /// Sends a message with a responder. Retries if the actor was passivated before it started.
    pub(super) async fn ask<M, T>(
        &self,
        shop: &Id,
        message: impl Fn(Responder<T>) -> M,
        mut events: Vec<IncomingEvent>,
    ) -> Result<T, Unavailable>
    where
        M: Message<Result = ()> + Send + 'static,
        ShopActor: Handler<M>,
        T: Send + 'static,
    {
        for _ in 0..TRIES {
            if self.is_closing() {
                return Err(Unavailable::Closing);
            }
            let (reply, answer, waiting): (Responder<T>, PendingAnswer<T>, usize) =
                Responder::new(events, &self.shared.waiting);
            self.shared.observer.request_arrived(waiting);
            let sent = self.actor(shop).try_send(message(reply));
            if let Err(SendError::Full(_)) = sent {
                return Err(Unavailable::Busy);
            }
            // A message that arrives too late counts as not started.
            drop(sent);
            match answer.await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(NotProcessed::Refused(why))) => return Err(why),
                Ok(Err(NotProcessed::NotBegun(back))) => events = back,
                Err(_) => return Err(Unavailable::Broken),
            }
        }
        Err(Unavailable::Busy)
    }

    /// Deletes a shop with all its data. Returns whether it existed.
    pub async fn delete(&self, shop: &Id) -> Result<bool, Unavailable> {
        self.ask(shop, Delete, Vec::new()).await
    }

    /// Whether events can be taken now. The error says why not.
    pub fn ready(&self) -> Result<(), Unavailable> {
        if self.is_closing() {
            return Err(Unavailable::Closing);
        }
        self.shared.ready()
    }

    /// Subscribes to the shop's decisions from now on. Notices come once they are durable.
    pub fn follow(&self, shop: &Id) -> DecisionFeed {
        self.shared.notifiers.of(shop).follow()
    }

    /// Whether the server is shutting down.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.has_begun()
    }

    /// A listener for the shutdown, for tasks that have no end of their own.
    pub fn closing(&self) -> ShutdownListener {
        self.closing.listen()
    }

    /// Whether a task with a shutdown listener is still running.
    pub fn has_listeners(&self) -> bool {
        self.closing.is_listened_to()
    }

    /// Stores a metadata value of another module with the shop. The order of calls is the order of writes. The value is
    /// durable when the call returns. Returns whether the shop exists.
    pub fn put_metadata(
        &self,
        shop: &Id,
        name: &str,
        value: Option<Vec<u8>>,
    ) -> impl Future<Output = Result<bool, JournalError>> + use<> {
        let (sender, stored) = tokio::sync::oneshot::channel();
        // The value is stored even if the caller is gone.
        let done = Box::new(move || sender.send(()).unwrap_or_default());
        let exists = self
            .shared
            .journal
            .put_metadata(shop, name, value, Some(done));
        async move {
            if exists.clone()? {
                let closed = |_| JournalError::Failed("the journal was closed".to_owned());
                stored.await.map_err(closed)?;
            }
            exists
        }
    }

    /// Stores a metadata value with the next commit, after all earlier values.
    pub fn put_metadata_soon(
        &self,
        shop: &Id,
        name: &str,
        value: Option<Vec<u8>>,
    ) -> Result<bool, JournalError> {
        self.shared.journal.put_metadata(shop, name, value, None)
    }

    /// All metadata, by shop and name.
    pub fn each_metadata(&self, each: &mut dyn FnMut(MetadataEntry)) -> Result<(), JournalError> {
        self.shared.journal.each_metadata(each)
    }

    /// The current time.
    pub fn now(&self) -> Instant {
        self.shared.env.clock.now()
    }

    /// Whether a shop may write now. Called before its events are parsed, so that a refusal is cheap.
    ///
    /// # Errors
    ///
    /// [`Unavailable::OverQuota`].
    pub fn may_write(&self, shop: &Id) -> Result<(), Unavailable> {
        quota_check::may_write(&self.shared, shop)
    }

    /// Stops taking requests, and has every shop write a snapshot.
    pub async fn close(&self) {
        self.closing.signal();
        self.passivate_all().await;
    }

    /// Passivates all shops. The next request loads a shop again.
    pub async fn passivate_all(&self) {
        let actors = self.shared.registry.all();
        let stored = actors.into_iter().map(|actor| actor.send(Close));
        let stored = futures_util::future::join_all(stored);
        // A shop without a new snapshot is recovered from its records at the next start.
        actix_rt::time::timeout(CLOSE_WITHIN, stored).await.ok();
    }
}
