//! The desk: finds the actor of a shop, wakes it where it sleeps, and asks it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::dev::SendError;
use actix::prelude::*;
use actix_rt::ArbiterHandle;
use bytestring::ByteString;

use super::actor::ShopActor;
use super::asking::Page;
use super::bell::{Closing, Following, LastBell};
use super::lease::Leases;
use super::ledger::SharedLedger;
use super::message::{Close, Delete, Glance, Read};
use super::reply::Waiting;
use super::share::{Share, Shares};
use super::world::{Registry, Sleepers, Watch, World, held};
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration as Length, Instant};
use crate::domain::installation::Malformed;
use crate::domain::protocol::codes::ErrorCode;
use crate::domain::protocol::event::Event;
use crate::domain::state::shared_invites::Ledger;
use crate::domain::state::shop::Shop;
use crate::env::{Doubt, Env, blocking};
use crate::journal::{Journal, JournalError, Kept};

/// How often a question is asked again that an actor going to sleep did not look at.
pub(super) const TRIES: usize = 8;

/// How long the last shops may take to store their states.
const CLOSE_WITHIN: Duration = Duration::from_secs(20);

/// One event of a request, read and not yet decided.
#[derive(Clone, Debug)]
pub enum Intake {
    /// A well-formed one.
    Event {
        /// The event, with the server's clock where it brought none.
        event: Event,
        /// Whether the server's clock was put in: it then is raised to the shop's clock where that is ahead.
        stamped: bool,
        /// As it was sent, one JSON object; what the journal keeps.
        text: ByteString,
    },
    /// One that is none: rejected as `malformed`, which takes a `seq` like any decision.
    Malformed {
        /// What is known of it.
        malformed: Malformed,
        /// A JSON object that is malformed for a replay too.
        text: ByteString,
    },
}

/// What became of one event, durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The event's own id.
    pub id: Option<Id>,
    /// Its decisions as a JSON array, in the wire language: `[{"at":…},…]`.
    pub decisions: ByteString,
    /// The code, where it was rejected.
    pub rejected: Option<ErrorCode>,
    /// An event with this id and another body was accepted before: nothing was done (answered 422).
    pub conflict: bool,
    /// It had happened before, and the record that has its answer was dropped by retention: nothing was done again, and no
    /// decisions are told.
    pub forgotten: bool,
    /// It was not looked at, and why; those before it were.
    pub refused: Option<Refused>,
}

impl Intake {
    /// The event's own id.
    pub(super) fn id(&self) -> Option<&Id> {
        match self {
            Intake::Event { event, .. } => event.id.as_ref(),
            Intake::Malformed { .. } => None,
        }
    }
}

impl Answered {
    /// Nothing was to be decided.
    pub(super) fn nothing() -> Answered {
        Answered {
            id: None,
            decisions: ByteString::from_static("[]"),
            rejected: None,
            conflict: false,
            forgotten: false,
            refused: None,
        }
    }

    /// An event that was not looked at.
    pub(super) fn refused(id: Option<Id>, why: Refused) -> Answered {
        Answered {
            id,
            refused: Some(why),
            ..Answered::nothing()
        }
    }
}

/// Why nothing was done, and nothing will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The shop's mailbox, or the journal's queue, is full: try again in a second.
    Busy,
    /// The disk is nearly full.
    DiskFull,
    /// The disk does not keep up, or has failed: what it does not do.
    Stalled(String),
    /// The machine's clock cannot be right: nothing is dated by it.
    ClockNotTrusted(Doubt),
    /// The server is shutting down.
    Closing,
    /// The shop has written as much as it may for now: in how many seconds it may go on.
    OverShare {
        /// Whole seconds, at least 1.
        wait_s: u64,
    },
    /// A bug of ours stopped the shop while it decided this; it has come back from its journal without it.
    Broken,
    /// What is stored is damaged: what, and what to do.
    Damaged(String),
}

/// Why a read has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// No such shop.
    NoShop,
    /// It could not be asked.
    Refused(Refused),
}

impl From<JournalError> for ReadError {
    fn from(error: JournalError) -> ReadError {
        ReadError::Refused(error.into())
    }
}

/// A shop in the list of shops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopRow {
    /// Its id.
    pub shop: Id,
}

/// How the desk is run.
#[derive(Clone, Debug)]
pub struct DeskSettings {
    /// Requests that may wait for one shop.
    pub mailbox: usize,
    /// How long a shop stays in memory without being asked.
    pub idle: Duration,
    /// How long after the end of its lease an agent still counts as present.
    pub grace: Length,
    /// What one shop may take of what all share.
    pub share: Share,
}

/// All shops of a server. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    pub(super) world: Arc<World>,
    /// Threads on which shops can live.
    pub(super) homes: Arc<Mutex<Vec<ArbiterHandle>>>,
    closing: Arc<LastBell>,
}

impl Desk {
    /// A desk over a journal; the ledger is what the journal holds for it.
    pub fn new(
        journal: Arc<dyn Journal>,
        ledger: Arc<SharedLedger>,
        env: Env,
        watch: Arc<dyn Watch>,
        settings: &DeskSettings,
    ) -> Desk {
        Desk {
            world: Arc::new(World {
                journal,
                ledger,
                env,
                watch,
                mailbox: settings.mailbox,
                idle: settings.idle,
                registry: Registry::new(),
                waiting: Waiting::default(),
                sleepers: Sleepers::default(),
                bells: Arc::default(),
                leases: Leases::new(settings.grace),
                shares: Shares::new(settings.share),
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
    pub async fn exists(&self, shop: &Id) -> Result<bool, Refused> {
        Ok(self.world.journal.exists(shop)?)
    }

    /// The number of a shop, by which it is told from an earlier or a later one of its name; nothing where there is none.
    pub fn number(&self, shop: &Id) -> Result<Option<u64>, Refused> {
        Ok(self.world.journal.number(shop)?)
    }

    /// Reads a shop's live state; asks again where the actor went to sleep before it looked.
    pub async fn read<T: Send + 'static>(
        &self,
        shop: &Id,
        read: impl FnOnce(&mut Shop, &mut dyn Ledger) -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        let busy = ReadError::Refused(Refused::Busy);
        // It comes back from a message that was dropped unseen.
        let read = Arc::new(Mutex::new(Some(read)));
        for _ in 0..TRIES {
            let (sender, answer) = tokio::sync::oneshot::channel();
            let theirs = Arc::clone(&read);
            let look: Glance = Box::new(move |seen| {
                let unread = ReadError::Refused(Refused::Busy);
                let seen = seen.and_then(|(shop, ledger)| {
                    let read = held(&theirs).take().ok_or(unread)?;
                    Ok(read(shop, ledger))
                });
                Box::new(move || drop(sender.send(seen)))
            });
            match self.actor(shop).try_send(Read(look)) {
                Err(SendError::Full(_)) => return Err(busy),
                Ok(()) | Err(SendError::Closed(_)) => {}
            }
            match answer.await {
                Ok(seen) => return seen,
                // It was looked at, and the answer got lost.
                Err(_) if held(&read).is_none() => return Err(busy),
                Err(_) if self.is_closing() => return Err(ReadError::Refused(Refused::Closing)),
                Err(_) => {}
            }
        }
        Err(busy)
    }

    /// Shops by id, after a cursor; `limit` of them at most.
    pub async fn shops(&self, after: Option<Id>, limit: usize) -> Result<Page<ShopRow>, Refused> {
        let journal = Arc::clone(&self.world.journal);
        let found = blocking(move || journal.shops(after.as_ref(), limit + 1)).await?;
        let mut shops = found?;
        let more = shops.len() > limit;
        shops.truncate(limit);
        let items = shops.into_iter().map(|shop| ShopRow { shop }).collect();
        Ok(Page { items, more })
    }

    /// Takes a shop and all it holds away. Whether it existed.
    pub async fn delete(&self, shop: &Id) -> Result<bool, Refused> {
        self.ask(shop, Delete, Vec::new()).await
    }

    /// Whether events can be taken now; else why not.
    pub fn ready(&self) -> Result<(), Refused> {
        if self.is_closing() {
            return Err(Refused::Closing);
        }
        self.world.ready()
    }

    /// From here on, word of every decision of the shop that has become durable.
    pub fn follow(&self, shop: &Id) -> Following {
        self.world.bells.of(shop).follow()
    }

    /// Whether the server is closing.
    pub(super) fn is_closing(&self) -> bool {
        self.closing.has_rung()
    }

    /// Word of the server's closing, for what has no end of its own and has to end then.
    pub fn closing(&self) -> Closing {
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
        let exists = self.world.journal.keep(shop, name, value, Some(done));
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
        self.world.journal.keep(shop, name, value, None)
    }

    /// All that is kept, by shop and name.
    pub fn kept(&self, each: &mut dyn FnMut(Kept)) -> Result<(), JournalError> {
        self.world.journal.kept(each)
    }

    /// What time it is.
    pub fn now(&self) -> Instant {
        self.world.env.clock.now()
    }

    /// Whether a shop may write now: asked before its events are read, so that what is refused costs little.
    ///
    /// # Errors
    ///
    /// [`Refused::OverShare`].
    pub fn may_write(&self, shop: &Id) -> Result<(), Refused> {
        self.world.may_write(shop)
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
