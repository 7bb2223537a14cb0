//! A reply that is owed: if nobody gives it, the asker learns whether the question was ever looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use crate::runtime::event_result::{IncomingEvent, Unavailable};

/// Why there is no answer.
pub(super) enum NotProcessed {
    /// The actor stopped before it looked at the question: it may be asked again, with these events.
    NotBegun(Vec<IncomingEvent>),
    /// It was refused.
    Refused(Unavailable),
}

/// How many questions wait in mailboxes.
#[derive(Clone, Default)]
pub(super) struct MailboxDepth(Arc<AtomicUsize>);

impl MailboxDepth {
    /// One more; how many waited before it.
    fn join(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Owes an answer.
pub(super) struct Responder<T> {
    waiting: MailboxDepth,
    sender: Option<oneshot::Sender<Result<T, NotProcessed>>>,
    events: Vec<IncomingEvent>,
    begun: bool,
}

/// Gets the answer.
pub(super) type PendingAnswer<T> = oneshot::Receiver<Result<T, NotProcessed>>;

impl<T> Responder<T> {
    /// A reply to what is asked with these events, where it arrives, and how many wait already.
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

    /// From here on the question is being answered; the events that it is asked with.
    pub(super) fn begin(&mut self) -> Vec<IncomingEvent> {
        self.begun = true;
        self.waiting.leave();
        std::mem::take(&mut self.events)
    }

    fn send(&mut self, answer: Result<T, NotProcessed>) {
        if let Some(sender) = self.sender.take() {
            // Whoever asked may be gone.
            sender.send(answer).ok();
        }
    }

    /// The answer.
    pub(super) fn answer(mut self, answer: T) {
        self.send(Ok(answer));
    }

    /// There is none, and why.
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
