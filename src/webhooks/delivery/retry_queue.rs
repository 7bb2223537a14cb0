//! Messages that failed and are out of the line: those that are tried again, and those that were given up and are listed.

use std::collections::BTreeMap;

use super::attempt::{PendingRetry, SeqRange};
use crate::domain::base::time::Instant;

/// Messages that were given up and are still listed; older ones are let go of.
pub const GIVEN_UP_MAX: usize = 1_000;

/// The messages, by their decisions.
#[derive(Debug, Default)]
pub(super) struct RetryQueue {
    messages: BTreeMap<SeqRange, PendingRetry>,
    given_up: usize,
}

impl RetryQueue {
    /// As they were kept.
    pub fn of(messages: Vec<PendingRetry>) -> RetryQueue {
        let mut aside = RetryQueue::default();
        for failing in messages {
            aside.put(failing);
        }
        aside
    }

    /// Adds a message, or has another word of it.
    pub fn put(&mut self, failing: PendingRetry) {
        self.take(failing.parcel);
        self.given_up += usize::from(failing.again.is_none());
        self.messages.insert(failing.parcel, failing);
    }

    /// Takes a message out.
    pub fn take(&mut self, parcel: SeqRange) -> Option<PendingRetry> {
        let taken = self.messages.remove(&parcel)?;
        self.given_up -= usize::from(taken.again.is_none());
        Some(taken)
    }

    /// Takes out what lies within a message that was delivered; which messages.
    pub fn take_within(&mut self, of: SeqRange) -> Vec<SeqRange> {
        let within = |parcel: &&SeqRange| of.from <= parcel.from && parcel.to <= of.to;
        let taken: Vec<SeqRange> = self.messages.keys().filter(within).copied().collect();
        for parcel in &taken {
            self.take(*parcel);
        }
        taken
    }

    /// Takes out the oldest that was given up, where there are too many.
    pub fn take_oldest_given_up(&mut self) -> Option<SeqRange> {
        if self.given_up <= GIVEN_UP_MAX {
            return None;
        }
        let oldest = self.messages.values().find(|of| of.again.is_none());
        let parcel = oldest?.parcel;
        self.take(parcel);
        Some(parcel)
    }

    /// A message.
    pub fn get(&self, parcel: SeqRange) -> Option<&PendingRetry> {
        self.messages.get(&parcel)
    }

    /// All of them, the oldest decisions first.
    pub fn iter(&self) -> impl Iterator<Item = &PendingRetry> {
        self.messages.values()
    }

    /// How many are tried again.
    pub fn retrying(&self) -> usize {
        self.messages.len() - self.given_up
    }

    /// How many were given up.
    pub fn given_up(&self) -> usize {
        self.given_up
    }

    /// Which is tried next, and when, of those that are not on their way.
    pub fn first(&self, on_way: &[SeqRange]) -> Option<(Instant, SeqRange)> {
        let waiting = self.messages.values();
        let waiting = waiting.filter(|of| !on_way.contains(&of.parcel));
        waiting.filter_map(|of| Some((of.again?, of.parcel))).min()
    }

    /// None waits for longer than until then.
    pub fn bring_forward(&mut self, to: Instant) {
        for again in self
            .messages
            .values_mut()
            .filter_map(|of| of.again.as_mut())
        {
            *again = (*again).min(to);
        }
    }
}
