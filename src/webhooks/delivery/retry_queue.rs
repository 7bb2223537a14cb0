//! Messages that failed and left the in-order lane: those that will be retried, and those that were given up and are
//! listed.

use std::collections::BTreeMap;

use super::delivery_state::{PendingRetry, SeqRange};
use crate::domain::base::time::Instant;

/// The most messages that were given up and are still listed; the oldest are dropped first.
pub const GIVEN_UP_MAX: usize = 1_000;

/// The messages, by their decisions.
#[derive(Debug, Default)]
pub(super) struct RetryQueue {
    messages: BTreeMap<SeqRange, PendingRetry>,
    given_up: usize,
}

impl RetryQueue {
    /// A queue of stored messages.
    pub fn of(messages: Vec<PendingRetry>) -> RetryQueue {
        let mut queue = RetryQueue::default();
        for failing in messages {
            queue.put(failing);
        }
        queue
    }

    /// Adds a message, or replaces it.
    pub fn put(&mut self, failing: PendingRetry) {
        self.take(failing.range);
        self.given_up += usize::from(failing.retry_at.is_none());
        self.messages.insert(failing.range, failing);
    }

    /// Removes a message.
    pub fn take(&mut self, range: SeqRange) -> Option<PendingRetry> {
        let taken = self.messages.remove(&range)?;
        self.given_up -= usize::from(taken.retry_at.is_none());
        Some(taken)
    }

    /// Removes the messages within one that was delivered, and returns them.
    pub fn take_within(&mut self, of: SeqRange) -> Vec<SeqRange> {
        let within = |range: &&SeqRange| of.from <= range.from && range.to <= of.to;
        let taken: Vec<SeqRange> = self.messages.keys().filter(within).copied().collect();
        for range in &taken {
            self.take(*range);
        }
        taken
    }

    /// Removes the oldest message that was given up, where there are too many.
    pub fn take_oldest_given_up(&mut self) -> Option<SeqRange> {
        if self.given_up <= GIVEN_UP_MAX {
            return None;
        }
        let oldest = self.messages.values().find(|of| of.retry_at.is_none());
        let range = oldest?.range;
        self.take(range);
        Some(range)
    }

    /// A message of the queue.
    pub fn get(&self, range: SeqRange) -> Option<&PendingRetry> {
        self.messages.get(&range)
    }

    /// All messages, the oldest decisions first.
    pub fn iter(&self) -> impl Iterator<Item = &PendingRetry> {
        self.messages.values()
    }

    /// How many will be retried.
    pub fn retrying(&self) -> usize {
        self.messages.len() - self.given_up
    }

    /// How many were given up.
    pub fn given_up(&self) -> usize {
        self.given_up
    }

    /// The next message to retry, and when, without those in flight.
    pub fn first(&self, in_flight: &[SeqRange]) -> Option<(Instant, SeqRange)> {
        let waiting = self.messages.values();
        let waiting = waiting.filter(|of| !in_flight.contains(&of.range));
        waiting
            .filter_map(|of| Some((of.retry_at?, of.range)))
            .min()
    }

    /// No message waits longer than until `to`.
    pub fn bring_forward(&mut self, to: Instant) {
        for again in self
            .messages
            .values_mut()
            .filter_map(|of| of.retry_at.as_mut())
        {
            *again = (*again).min(to);
        }
    }
}
