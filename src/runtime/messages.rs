//! The messages of a shop's actor, each with its responder.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::Semaphore;

use super::apply::EventOutcome;
use super::responder::Responder;
use crate::domain::state::shop::Shop;
use crate::runtime::event_result::ReadError;

/// The events of one request.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct SubmitEvents {
    /// The events and the responder.
    pub(super) reply: Responder<Submitted>,
    /// Whether the events may change the shop's buyer space.
    pub(super) may_change_space: bool,
}

/// The results of one request's events.
pub(super) struct Submitted {
    /// One result for each event, in order.
    pub(super) items: Vec<EventOutcome>,
    /// The shop's semaphore for looking up the responses of repeated events.
    pub(super) lookup: Arc<Semaphore>,
}

/// Reads the shop's state. Returns a closure that sends the response once everything it read is durable.
pub(super) type ReadFn =
    Box<dyn FnOnce(Result<&Shop, ReadError>) -> Box<dyn FnOnce() + Send> + Send>;

/// Reads the shop's state.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct ReadShop(pub(super) ReadFn);

/// Deletes the shop. The response says whether it existed.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Delete(pub(super) Responder<bool>);

/// Writes a snapshot and stops, because the server shuts down.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Close;

/// The clock jumped: the timer has to be scheduled again.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct ClockJumped;
