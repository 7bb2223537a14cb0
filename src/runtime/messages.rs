//! What an actor can be asked, each with the answer that it owes.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::Semaphore;

use super::apply::EventOutcome;
use super::responder::Responder;
use crate::domain::state::shop::Shop;
use crate::runtime::event_result::ReadError;

/// Events of one request.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct SubmitEvents {
    /// The events, and who is answered.
    pub(super) reply: Responder<Submitted>,
    /// Whether they may change the buyer space of the shop.
    pub(super) may_move: bool,
}

/// What became of the events of one request.
pub(super) struct Submitted {
    /// What became of each, in order.
    pub(super) items: Vec<EventOutcome>,
    /// The shop's turn to look up the answers of events that had happened before.
    pub(super) lookup: Arc<Semaphore>,
}

/// A look at the live state: gives what answers the asker once all that was seen is durable.
pub(super) type ReadFn =
    Box<dyn FnOnce(Result<&Shop, ReadError>) -> Box<dyn FnOnce() + Send> + Send>;

/// Asks for a look.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct ReadShop(pub(super) ReadFn);

/// Takes the shop away; whether it was there.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Delete(pub(super) Responder<bool>);

/// Stores its state and stops; the server is closing.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Close;

/// Looks at the clock: it has jumped.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct ClockJumped;
