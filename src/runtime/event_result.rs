//! An event on its way to a shop, and its result.

use bytestring::ByteString;

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::installation::Malformed;
use crate::domain::protocol::event::{Event, EventBody};
use crate::domain::protocol::rejection::Rejection;
use crate::env::{BlockingError, Doubt};
use crate::journal::JournalError;
use crate::wire::write_event;

/// One event of a request, parsed and not yet decided.
#[derive(Clone, Debug)]
pub enum IncomingEvent {
    /// A well-formed event.
    Event {
        /// The event. If it had no `at`, it has the server's clock.
        event: Event,
        /// Whether `at` is the server's clock. If the shop's clock is later, the event gets the shop's clock.
        stamped: bool,
        /// The JSON object as it was sent. The journal stores it.
        text: ByteString,
    },
    /// A malformed event. It is rejected as `malformed`, and the rejection has a `seq` like any decision.
    Malformed {
        /// The fields that could be read, and the error.
        malformed: Malformed,
        /// A JSON object that is also malformed in a replay.
        text: ByteString,
    },
}

impl IncomingEvent {
    /// An event that this server creates at `at`. If the shop's clock is later, the event gets the shop's clock.
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

    /// The idempotency key of the event.
    pub(super) fn id(&self) -> Option<&Id> {
        match self {
            IncomingEvent::Event { event, .. } => event.id.as_ref(),
            IncomingEvent::Malformed { .. } => None,
        }
    }
}

/// The result of one event. Everything in it is durable.
#[derive(Clone, Debug, PartialEq)]
pub struct EventResult {
    /// The event's id.
    pub id: Option<Id>,
    /// The decisions as a JSON array: `[{"at":…},…]`.
    pub decisions: ByteString,
    /// The rejection, if the event was rejected. Its last decision says the same.
    pub rejected: Option<Rejection>,
    /// An event with the same id and another body was accepted before. Nothing was done (status 422).
    pub conflict: bool,
    /// The event was accepted before, but retention deleted its record. Nothing was done again, and no decisions are
    /// returned.
    pub forgotten: bool,
    /// Why the event was not handled. Earlier events of the request were.
    pub refused: Option<Unavailable>,
}

impl EventResult {
    /// A result without decisions.
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

    /// The result of an event that was not handled.
    pub(super) fn refused(id: Option<Id>, why: Unavailable) -> EventResult {
        EventResult {
            id,
            refused: Some(why),
            ..EventResult::nothing()
        }
    }
}

/// Why nothing was done and nothing will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The shop's mailbox or the journal's queue is full. Retry in a second.
    Busy,
    /// The disk is nearly full.
    DiskFull,
    /// The disk is too slow or failed. The text says which operation.
    Stalled(String),
    /// The machine's clock is not plausible, so events cannot get a time from it.
    ClockNotTrusted(Doubt),
    /// The server is shutting down.
    Closing,
    /// The shop has used its quota of the journal.
    OverQuota {
        /// When the shop may write again, in whole seconds, at least 1.
        wait_s: u64,
    },
    /// A bug stopped the shop's actor during this event. The shop recovered without the event.
    Broken,
    /// Stored data is damaged. The text says what is damaged and what to do.
    Damaged(String),
}

/// Why a read has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The shop does not exist.
    NoShop,
    /// The shop could not be read.
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

/// An unreadable disk is reported as stalled, not as damaged data.
impl From<JournalError> for Unavailable {
    fn from(error: JournalError) -> Unavailable {
        match error {
            JournalError::Damaged(what) => Unavailable::Damaged(what),
            JournalError::Unusable(what) | JournalError::Failed(what) => Unavailable::Stalled(what),
        }
    }
}
