//! One-shot responder. Dropping it tells the caller whether the request had started (do not retry) or not (retry).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use crate::runtime::event_result::{IncomingEvent, Unavailable};

/// Why there is no response.
pub(super) enum NotProcessed {
    /// The actor stopped before it started the request. The caller may retry with these events.
    NotBegun(Vec<IncomingEvent>),
    /// The request was refused.
    Refused(Unavailable),
}

/// The number of requests in mailboxes.
#[derive(Clone, Default)]
pub(super) struct MailboxDepth(Arc<AtomicUsize>);

impl MailboxDepth {
    /// Adds a request. Returns how many waited before it.
    fn join(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Must send one response.
pub(super) struct Responder<T> {
    waiting: MailboxDepth,
    sender: Option<oneshot::Sender<Result<T, NotProcessed>>>,
    events: Vec<IncomingEvent>,
    begun: bool,
}

/// Receives the response.
pub(super) type PendingAnswer<T> = oneshot::Receiver<Result<T, NotProcessed>>;

impl<T> Responder<T> {
    /// A responder for a request with these events, its receiver, and the number of requests that wait already.
    pub(super) fn new(
        events: Vec<IncomingEvent>,
        waiting: &MailboxDepth,
    ) -> (Responder<T>, PendingAnswer<T>, usize) {
        let (sender, answer) = oneshot::channel();
        let before = waiting.join();
        let reply = Responder {
            waiting: waiting.clone(),
            sender: Some(sender),
            events,
            begun: false,
        };
        (reply, answer, before)
    }

    /// Marks the request as started and returns its events.
    pub(super) fn begin(&mut self) -> Vec<IncomingEvent> {
        self.begun = true;
        self.waiting.leave();
        std::mem::take(&mut self.events)
    }

    fn send(&mut self, answer: Result<T, NotProcessed>) {
        if let Some(sender) = self.sender.take() {
            // The caller may be gone.
            sender.send(answer).ok();
        }
    }

    /// Sends the response.
    pub(super) fn answer(mut self, answer: T) {
        self.send(Ok(answer));
    }

    /// Refuses the request, with the reason.
    pub(super) fn refuse(mut self, why: Unavailable) {
        self.send(Err(NotProcessed::Refused(why)));
    }
}

impl<T> Drop for Responder<T> {
    fn drop(&mut self) {
        let why = if self.begun {
            NotProcessed::Refused(Unavailable::Broken)
        } else {
            self.waiting.leave();
            NotProcessed::NotBegun(std::mem::take(&mut self.events))
        };
        self.send(Err(why));
    }
}
