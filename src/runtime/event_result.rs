//! An event on its way to a shop, and what became of it.

use bytestring::ByteString;

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::installation::Malformed;
use crate::domain::protocol::event::{Event, EventBody};
use crate::domain::protocol::rejection::Rejection;
use crate::env::{BlockingError, Doubt};
use crate::journal::JournalError;
use crate::wire::write_event;

/// One event of a request, read and not yet decided.
#[derive(Clone, Debug)]
pub enum IncomingEvent {
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

impl IncomingEvent {
    /// An event that this server makes itself, at `at`, which is raised to the shop's clock where that is ahead.
    pub fn made(what: EventBody, at: Instant) -> IncomingEvent {
        let text = write_event(&what).into();
        let (id, print) = (None, 0);
        IncomingEvent::Event {
            event: Event {
                at,
                id,
                print,
                what,
            },
            stamped: true,
            text,
        }
    }

    /// The event's own id.
    pub(super) fn id(&self) -> Option<&Id> {
        match self {
            IncomingEvent::Event { event, .. } => event.id.as_ref(),
            IncomingEvent::Malformed { .. } => None,
        }
    }
}

/// What became of one event, durable.
#[derive(Clone, Debug, PartialEq)]
pub struct EventResult {
    /// The event's own id.
    pub id: Option<Id>,
    /// Its decisions as a JSON array, in the wire language: `[{"at":…},…]`.
    pub decisions: ByteString,
    /// Why it was rejected, where it was: what its last decision says.
    pub rejected: Option<Rejection>,
    /// An event with this id and another body was accepted before: nothing was done (answered 422).
    pub conflict: bool,
    /// It had happened before, and the record that has its answer was dropped by retention: nothing was done again, and no
    /// decisions are told.
    pub forgotten: bool,
    /// It was not looked at, and why; those before it were.
    pub refused: Option<Unavailable>,
}

impl EventResult {
    /// Nothing was to be decided.
    pub(super) fn nothing() -> EventResult {
        EventResult {
            id: None,
            decisions: ByteString::from_static("[]"),
            rejected: None,
            conflict: false,
            forgotten: false,
            refused: None,
        }
    }

    /// An event that was not looked at.
    pub(super) fn refused(id: Option<Id>, why: Unavailable) -> EventResult {
        EventResult {
            id,
            refused: Some(why),
            ..EventResult::nothing()
        }
    }
}

/// Why nothing was done, and nothing will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
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
    Refused(Unavailable),
}

impl From<JournalError> for ReadError {
    fn from(error: JournalError) -> ReadError {
        ReadError::Refused(error.into())
    }
}

impl From<BlockingError> for Unavailable {
    fn from(error: BlockingError) -> Unavailable {
        match error {
            BlockingError::Busy => Unavailable::Busy,
            BlockingError::Panicked => Unavailable::Broken,
        }
    }
}

/// A disk that cannot be read is no damage.
impl From<JournalError> for Unavailable {
    fn from(error: JournalError) -> Unavailable {
        match error {
            JournalError::Damaged(what) => Unavailable::Damaged(what),
            JournalError::Unusable(what) | JournalError::Failed(what) => Unavailable::Stalled(what),
        }
    }
}
