//! The desk: finds the actor of a shop, wakes it where it sleeps, and asks it.

use bytes::Bytes;

use crate::domain::code::ErrorCode;
use crate::domain::event::Event;
use crate::domain::id::Id;
use crate::domain::installation::Malformed;
use crate::domain::ledger::Ledger;
use crate::domain::shop::Shop;
use crate::domain::time::Instant;
use crate::domain::why::Why;

/// One event of a request, read and not yet decided.
pub enum Intake {
    /// A well-formed one.
    Event {
        /// The event, with the server's clock where it brought none.
        event: Event,
        /// Whether the server's clock was put in: it then is raised to the shop's clock where that is ahead.
        stamped: bool,
        /// As it was sent, one JSON object; what the journal keeps.
        text: Bytes,
    },
    /// One that is none: rejected as `malformed`, which takes a `seq` like any decision.
    Malformed {
        /// What is known of it.
        malformed: Malformed,
        /// A JSON object that is malformed for a replay too.
        text: Bytes,
    },
}

/// What became of one event, durable.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The event's own id.
    pub id: Option<Id>,
    /// Its decisions as a JSON array, in the wire language: `[{"at":…},…]`.
    pub decisions: String,
    /// The code, where it was rejected.
    pub rejected: Option<ErrorCode>,
    /// An event with this id and another body was accepted before: nothing was done (answered 422).
    pub conflict: bool,
}

/// Why nothing was done, and nothing will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The shop's mailbox, or the journal's queue, is full: try again in a second.
    Busy,
    /// The disk is nearly full.
    DiskFull,
    /// The server is shutting down.
    Closing,
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

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

/// A shop in the list of shops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopRow {
    /// Its id.
    pub shop: Id,
}

/// A decision as the journal keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDecision {
    /// Its `seq`.
    pub seq: u64,
    /// The instant of the event's record.
    pub at: Instant,
    /// As it was answered: one JSON object.
    pub json: String,
    /// The event that it was an answer to, as it was sent (a `clock` where a timer fired by itself).
    pub event: Bytes,
}

/// One entry of a session's timeline: an event of the session or a decision about it.
#[derive(Clone, Debug, PartialEq)]
pub enum TimelineEntry {
    /// An event, as it was sent, and when.
    Event(Instant, Bytes),
    /// A decision, as it was answered.
    Decision(String),
}

/// All shops of a server. Cheap to clone.
#[derive(Clone)]
pub struct Desk {}

impl Desk {
    /// Handles events of a shop, in order; answers once what they did is durable.
    pub async fn post(&self, _shop: &Id, _events: Vec<Intake>) -> Result<Vec<Answered>, Refused> {
        todo!()
    }

    /// Whether a shop exists.
    pub async fn exists(&self, _shop: &Id) -> Result<bool, Refused> {
        todo!()
    }

    /// Reads a shop's live state. The shop's timers that are due fire first.
    pub async fn read<T: Send + 'static>(
        &self,
        _shop: &Id,
        _read: impl FnOnce(&mut Shop, &mut dyn Ledger) -> T + Send + 'static,
    ) -> Result<T, ReadError> {
        todo!()
    }

    /// Shops by id, after a cursor; `limit` of them at most.
    pub async fn shops(&self, _after: Option<Id>, _limit: usize) -> Result<Page<ShopRow>, Refused> {
        todo!()
    }

    /// Takes a shop and all it holds away. Whether it existed.
    pub async fn delete(&self, _shop: &Id) -> Result<bool, Refused> {
        todo!()
    }

    /// A shop's decisions with a `seq` above `after`.
    pub async fn decisions(
        &self,
        _shop: &Id,
        _after: u64,
        _limit: usize,
    ) -> Result<Page<StoredDecision>, ReadError> {
        todo!()
    }

    /// Why a decision was taken; nothing where there is no such decision, or its journal was dropped.
    pub async fn why(&self, _shop: &Id, _seq: u64) -> Result<Option<Why>, ReadError> {
        todo!()
    }

    /// A session's events and decisions from its opening on, oldest first; `limit` records of the shop are looked at.
    pub async fn timeline(
        &self,
        _shop: &Id,
        _session: &Id,
        _since_seq: u64,
    ) -> Result<Vec<TimelineEntry>, ReadError> {
        todo!()
    }

    /// Recorded ratings, newest first, with a `seq` below `before`: `rating.recorded` decisions with their events.
    pub async fn ratings(
        &self,
        _shop: &Id,
        _before: Option<u64>,
        _limit: usize,
        _wanted: impl Fn(&StoredDecision) -> bool + Send + 'static,
    ) -> Result<Page<StoredDecision>, ReadError> {
        todo!()
    }

    /// Whether events can be taken now; else why not.
    pub fn ready(&self) -> Result<(), Refused> {
        todo!()
    }

    /// What time it is.
    pub fn now(&self) -> Instant {
        todo!()
    }
}
