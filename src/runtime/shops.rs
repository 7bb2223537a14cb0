//! The desk: finds the actor of a shop, wakes it where it sleeps, and asks it.

use super::apply::EventOutcome;
use super::event_result::EventResult;
use super::event_result::{IncomingEvent, ReadError, Unavailable};
use super::lease_table::Leases;
use super::messages::{SubmitEvents, Submitted};
use super::observer::RuntimeObserver;
use super::responder::{NotProcessed, PendingAnswer, Responder};
use super::stored_decisions::answer_again;
use crate::env::Stopwatch;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::dev::SendError;
use actix::prelude::*;
use actix_rt::ArbiterHandle;

use super::actor::ShopActor;
use super::actor::World;
use super::messages::{Close, Delete, ReadFn, ReadShop};
use super::quota::{ShopQuota, ShopQuotas};
use super::quota_check;
use super::responder::MailboxDepth;
use super::shared::{Registry, Sleepers, held};
use super::shared_ledger::SharedLedger;
use super::subscription::{DecisionFeed, ShutdownListener, ShutdownSignal};
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration as Length, Instant};
use crate::domain::state::shop::Shop;
use crate::env::{Env, blocking};
use crate::journal::{Journal, JournalError, MetadataEntry};

/// How often a question is asked again that an actor going to sleep did not look at.
pub(super) const TRIES: usize = 8;

/// How long the last shops may take to store their states.
const CLOSE_WITHIN: Duration = Duration::from_secs(20);

/// The settings of the actor runtime.
#[derive(Clone, Debug)]
pub struct RuntimeSettings {
    /// Requests that may wait for one shop.
    pub mailbox: usize,
    /// How long a shop stays in memory without being asked.
    pub idle: Duration,
    /// How long after the end of its lease an agent still counts as present.
    pub grace: Length,
    /// What one shop may take of what all share.
    pub share: ShopQuota,
}

/// All shops of a server. Cheap to clone.
#[derive(Clone)]
pub struct Shops {
    pub(super) world: Arc<World>,
    /// Threads on which shops can live.
    pub(super) homes: Arc<Mutex<Vec<ArbiterHandle>>>,
    closing: Arc<ShutdownSignal>,
}

impl Shops {
    /// A desk over a journal; the ledger is what the journal holds for it.
    pub fn new(
        journal: Arc<dyn Journal>,
        ledger: Arc<SharedLedger>,
        env: Env,
        watch: Arc<dyn RuntimeObserver>,
        settings: &RuntimeSettings,
    ) -> Shops {
        Shops {
            world: Arc::new(World {
                journal,
                ledger,
                env,
                watch,
                mailbox: settings.mailbox,
                idle: settings.idle,
                registry: Registry::new(),
                waiting: MailboxDepth::default(),
                sleepers: Sleepers::default(),
                bells: Arc::default(),
                leases: Leases::new(settings.grace),
                shares: ShopQuotas::new(settings.share),
            }),
            homes: Arc::default(),
            closing: Arc::default(),
        }
    }

    /// Shops may live on this thread, which runs an arbiter. A shop that is asked from here for the first time does.
    pub fn settle_here(&self) {
        if let Some(arbiter) = actix_rt::Arbiter::try_current() {
            self.homes
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(arbiter);
        }
    }

    /// The actor of a shop; a new one lives on this thread.
    pub(super) fn actor(&self, shop: &Id) -> Addr<ShopActor> {
        self.world.registry.find(shop, || {
            ShopActor::create(|ctx| {
                ctx.set_mailbox_capacity(self.world.mailbox);
                ShopActor::new(shop.clone(), Arc::clone(&self.world))
            })
        })
    }

    /// Whether a shop exists.
    pub async fn exists(&self, shop: &Id) -> Result<bool, Unavailable> {
        Ok(self.world.journal.exists(shop)?)
    }

    /// The number of a shop, by which it is told from an earlier or a later one of its name; nothing where there is none.
    pub fn number(&self, shop: &Id) -> Result<Option<u64>, Unavailable> {
        Ok(self.world.journal.number(shop)?)
    }

    /// Reads a shop's live state; asks again where the actor went to sleep before it looked.
    pub async fn read<T: Send + 'static>(
        &self,
        shop: &Id,
        read: impl FnOnce(&Shop) -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        let busy = ReadError::Refused(Unavailable::Busy);
        // It comes back from a message that was dropped unseen.
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
                // It was looked at, and the answer got lost.
                Err(_) if held(&read).is_none() => return Err(busy),
                Err(_) if self.is_closing() => {
                    return Err(ReadError::Refused(Unavailable::Closing));
                }
                Err(_) => {}
            }
        }
        Err(busy)
    }

    /// Does what may take long on a thread that may wait, so that it keeps no shop waiting.
    pub async fn aside<T: Send + 'static>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        Ok(blocking(work).await?)
    }

    /// Handles events of a shop, in order; answers once what they did is durable.
    pub async fn post(
        &self,
        shop: &Id,
        events: Vec<IncomingEvent>,
    ) -> Result<Vec<EventResult>, Unavailable> {
        self.put(shop, events, true).await
    }

    /// The same for those who may not change the shop's buyer space. Where it has changed since their event was made
    /// ready for the one before, that event is not looked at ([`Unavailable::Busy`]).
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
        may_move: bool,
    ) -> Result<Vec<EventResult>, Unavailable> {
        let post = |reply| SubmitEvents { reply, may_move };
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
        // One request of a shop at a time, and a rest as long as its work: a shop that repeats itself takes half a thread
        // from the others and no more.
        let turn = lookup.acquire_owned().await;
        // What is done is answered, whatever becomes of what had happened before.
        let (journal, shop) = (Arc::clone(&self.world.journal), shop.clone());
        let again = blocking(move || {
            let watch = Stopwatch::start();
            let again = repeats
                .into_iter()
                .map(|(place, id, receipt)| (place, answer_again(&*journal, &shop, id, receipt)));
            let again = again.collect::<Vec<_>>();
            // The turn is kept also where the asker is gone.
            (again, Duration::from_micros(watch.micros()), turn)
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

    /// Sends a message that owes a reply; again where the actor went to sleep before it looked.
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
                Responder::new(events, &self.world.waiting);
            self.world.watch.asked(waiting);
            let sent = self.actor(shop).try_send(message(reply));
            if let Err(SendError::Full(_)) = sent {
                return Err(Unavailable::Busy);
            }
            // A message that came too late comes back as one that was not looked at.
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

    /// Takes a shop and all it holds away. Whether it existed.
    pub async fn delete(&self, shop: &Id) -> Result<bool, Unavailable> {
        self.ask(shop, Delete, Vec::new()).await
    }

    /// Whether events can be taken now; else why not.
    pub fn ready(&self) -> Result<(), Unavailable> {
        if self.is_closing() {
            return Err(Unavailable::Closing);
        }
        self.world.ready()
    }

    /// From here on, word of every decision of the shop that has become durable.
    pub fn follow(&self, shop: &Id) -> DecisionFeed {
        self.world.bells.of(shop).follow()
    }

    /// Whether the server is closing.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.has_rung()
    }

    /// Word of the server's closing, for what has no end of its own and has to end then.
    pub fn closing(&self) -> ShutdownListener {
        self.closing.listen()
    }

    /// Whether something that has no end of its own has not ended yet.
    pub fn has_listeners(&self) -> bool {
        self.closing.is_listened_to()
    }

    /// Keeps a value of another room with the shop: from this call on in its place among what is kept, durable once the
    /// answer is there. Whether the shop exists.
    pub fn keep(
        &self,
        shop: &Id,
        name: &str,
        value: Option<Vec<u8>>,
    ) -> impl Future<Output = Result<bool, JournalError>> + use<> {
        let (sender, kept) = tokio::sync::oneshot::channel();
        // Where nobody waits any more it is kept all the same.
        let done = Box::new(move || sender.send(()).unwrap_or_default());
        let exists = self
            .world
            .journal
            .put_metadata(shop, name, value, Some(done));
        async move {
            if exists.clone()? {
                let closed = |_| JournalError::Failed("the journal was closed".to_owned());
                kept.await.map_err(closed)?;
            }
            exists
        }
    }

    /// Keeps a value with the next commit, behind what was given before it.
    pub fn keep_soon(
        &self,
        shop: &Id,
        name: &str,
        value: Option<Vec<u8>>,
    ) -> Result<bool, JournalError> {
        self.world.journal.put_metadata(shop, name, value, None)
    }

    /// All that is kept, by shop and name.
    pub fn kept(&self, each: &mut dyn FnMut(MetadataEntry)) -> Result<(), JournalError> {
        self.world.journal.each_metadata(each)
    }

    /// What time it is.
    pub fn now(&self) -> Instant {
        self.world.env.clock.now()
    }

    /// Whether a shop may write now: asked before its events are read, so that what is refused costs little.
    ///
    /// # Errors
    ///
    /// [`Unavailable::OverShare`].
    pub fn may_write(&self, shop: &Id) -> Result<(), Unavailable> {
        quota_check::may_write(&self.world, shop)
    }

    /// Takes nothing more, and has every shop store its state.
    pub async fn close(&self) {
        self.closing.ring();
        self.sleep_all().await;
    }

    /// Has every shop store its state and leave memory; whoever asks next wakes it.
    pub async fn sleep_all(&self) {
        let actors = self.world.registry.all();
        let stored = actors.into_iter().map(|actor| actor.send(Close));
        let stored = futures_util::future::join_all(stored);
        // What a shop does not store now is read from its records at the next start.
        actix_rt::time::timeout(CLOSE_WITHIN, stored).await.ok();
    }
}
