//! A reply that is owed: if nobody gives it, the asker learns whether the question was ever looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use crate::runtime::event_result::{Intake, Refused};

/// Why there is no answer.
pub(super) enum Unanswered {
    /// The actor stopped before it looked at the question: it may be asked again, with these events.
    NotBegun(Vec<Intake>),
    /// It was refused.
    Refused(Refused),
}

/// How many questions wait in mailboxes.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    /// One more; how many waited before it.
    fn join(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Owes an answer.
pub(super) struct Reply<T> {
    waiting: Waiting,
    sender: Option<oneshot::Sender<Result<T, Unanswered>>>,
    events: Vec<Intake>,
    begun: bool,
}

/// Gets the answer.
pub(super) type Answer<T> = oneshot::Receiver<Result<T, Unanswered>>;

impl<T> Reply<T> {
    /// A reply to what is asked with these events, where it arrives, and how many wait already.
    pub(super) fn new(events: Vec<Intake>, waiting: &Waiting) -> (Reply<T>, Answer<T>, usize) {
        let (sender, answer) = oneshot::channel();
        let before = waiting.join();
        let reply = Reply {
            waiting: waiting.clone(),
            sender: Some(sender),
            events,
            begun: false,
        };
        (reply, answer, before)
    }

    /// From here on the question is being answered; the events that it is asked with.
    pub(super) fn begin(&mut self) -> Vec<Intake> {
        self.begun = true;
        self.waiting.leave();
        std::mem::take(&mut self.events)
    }

    fn send(&mut self, answer: Result<T, Unanswered>) {
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
    pub(super) fn refuse(mut self, why: Refused) {
        self.send(Err(Unanswered::Refused(why)));
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        let why = if self.begun {
            Unanswered::Refused(Refused::Broken)
        } else {
            self.waiting.leave();
            Unanswered::NotBegun(std::mem::take(&mut self.events))
        };
        self.send(Err(why));
    }
}
