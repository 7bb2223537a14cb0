//! The outbox of one endpoint decides what is sent next, and when. It is a calculation: time is an argument, and
//! nothing is sent.
//!
//! First attempts are made one after the other, in the order of `seq`. A failing message blocks those after it for at
//! most [`HEAD_OF_LINE_MAX`] while it is retried. It then moves to the retry queue, which has its own schedule, so a
//! message that can never be delivered does not block the endpoint. While an endpoint is dead, about one message a
//! minute moves to the queue, however many decisions there are. A range that is sent again has a lane of its own.

use super::delivery_state::{Attempt, AttemptResult, DeliveryCursor, Lane, PendingRetry, SeqRange};
use super::retry_policy::{RETRY_AFTER_MAX, wait_after};
use super::retry_queue::RetryQueue;
use crate::domain::base::time::{Duration, Instant};

/// How long a failing message blocks those after it.
pub const HEAD_OF_LINE_MAX: Duration = Duration::from_ms(60_000);

/// The most messages that wait in the retry queue. When it is full, new messages wait for the endpoint.
pub const RETRIES_MAX: usize = 10_000;

/// The most messages of the retry queue in flight.
const RETRIES_AT_ONCE: usize = 2;

/// The most ranges that wait to be sent again.
pub const REPLAYS_MAX: usize = 16;

/// An endpoint is disabled after so long without a success.
pub const DISABLE_AFTER: Duration = Duration::days(5);

/// An endpoint counts as back when an attempt succeeds after so many messages failed one after the other.
const OUTAGE: u32 = 2;

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Retry this message.
    Retry(Attempt),
    /// Read the next decisions above this `seq`, up to the other where it is a range.
    Read(Lane, u64, Option<u64>),
    /// Do nothing before this instant, unless there are new decisions.
    Wait(Option<Instant>),
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The endpoint accepted the message.
    Delivered,
    /// The endpoint did not accept the message. It may have asked for no attempt before this instant.
    Failed(Option<Instant>),
    /// The endpoint is gone (410) and is to be disabled.
    Gone,
}

/// What has changed and must be stored, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A message is in the retry queue, or its entry there has changed.
    Queued(SeqRange),
    /// The message has left the retry queue.
    Dequeued(SeqRange),
    /// The cursor.
    Cursor,
    /// The endpoint is gone, or every attempt has failed for [`DISABLE_AFTER`]: disable it.
    Disable,
}

/// What is sent to one endpoint, in which order, and when.
#[derive(Debug, Default)]
pub struct Outbox {
    cursor: DeliveryCursor,
    retry_queue: RetryQueue,
    /// Attempts that have not ended.
    in_flight: Vec<Attempt>,
    /// No decisions are left to read in order.
    idle: bool,
    /// No new message is sent before this instant: the endpoint seems to be away, and its decisions must not fill the
    /// retry queue.
    paused_until: Option<Instant>,
    /// The longest that an attempt may take.
    timeout: Duration,
}

impl Outbox {
    /// An outbox whose first decision is the one after `done`.
    pub fn new(done: u64, timeout: Duration) -> Outbox {
        let cursor = DeliveryCursor {
            done,
            ..DeliveryCursor::default()
        };
        Outbox::restored(cursor, Vec::new(), timeout)
    }

    /// An outbox with its stored cursor and retry queue.
    pub fn restored(
        cursor: DeliveryCursor,
        retries: Vec<PendingRetry>,
        timeout: Duration,
    ) -> Outbox {
        Outbox {
            cursor,
            retry_queue: RetryQueue::of(retries),
            in_flight: Vec::new(),
            idle: false,
            paused_until: None,
            timeout,
        }
    }

    /// The cursor, to be stored.
    pub fn cursor(&self) -> &DeliveryCursor {
        &self.cursor
    }

    /// A message of the retry queue.
    pub fn pending_retry(&self, range: SeqRange) -> Option<&PendingRetry> {
        self.retry_queue.get(range)
    }

    /// All messages that failed: the blocking one, those of the retry queue, and those given up.
    pub fn failed_messages(&self) -> impl Iterator<Item = &PendingRetry> {
        self.cursor.blocking.iter().chain(self.retry_queue.iter())
    }

    /// How many messages will be retried, and how many were given up.
    pub fn counts(&self) -> (usize, usize) {
        let held = usize::from(self.cursor.blocking.is_some());
        (
            held + self.retry_queue.retrying(),
            self.retry_queue.given_up(),
        )
    }

    /// There may be new decisions.
    pub fn mark_new_decisions(&mut self) {
        self.idle = false;
    }

    /// What is to be done now. The caller must do it before it asks again.
    pub fn next(&self, now: Instant) -> Next {
        let mut wake: Option<Instant> = None;
        let mut sooner = |at: Instant| wake = Some(wake.map_or(at, |wake| wake.min(at)));
        if self.in_flight_of(Lane::InOrder).is_none() {
            match &self.cursor.blocking {
                Some(held) => match held.retry_at {
                    Some(again) if again > now => sooner(again),
                    Some(_) | None => return retry_of(held.range, Lane::InOrder),
                },
                None if self.idle => {}
                None => match self.paused_until {
                    Some(until) if until > now => sooner(until),
                    Some(_) | None => {
                        return Next::Read(Lane::InOrder, self.cursor.done, None);
                    }
                },
            }
        }
        if self.in_flight_of(Lane::Replay).is_none()
            && let Some(range) = self.cursor.replays.front()
        {
            return Next::Read(Lane::Replay, range.from - 1, Some(range.to));
        }
        let busy: Vec<SeqRange> = self.retries_in_flight().collect();
        if busy.len() < RETRIES_AT_ONCE {
            match self.retry_queue.first(&busy) {
                Some((again, range)) if again <= now => return retry_of(range, Lane::Retry),
                Some((again, _)) => sooner(again),
                None => {}
            }
        }
        Next::Wait(wake)
    }

    fn in_flight_of(&self, lane: Lane) -> Option<&Attempt> {
        self.in_flight.iter().find(|of| of.lane == lane)
    }

    fn retries_in_flight(&self) -> impl Iterator<Item = SeqRange> {
        let retries = self.in_flight.iter().filter(|of| of.lane == Lane::Retry);
        retries.map(|of| of.range)
    }

    /// No decision up to this `seq` is asked for.
    pub fn skip_to(&mut self, lane: Lane, seq: u64) -> Change {
        match lane {
            Lane::InOrder | Lane::Retry => self.cursor.done = self.cursor.done.max(seq),
            Lane::Replay => self.advance_replay(seq),
        }
        Change::Cursor
    }

    /// There are no more decisions to read; a range that is sent again is complete.
    pub fn exhausted(&mut self, lane: Lane) {
        match lane {
            Lane::InOrder | Lane::Retry => self.idle = true,
            Lane::Replay => drop(self.cursor.replays.pop_front()),
        }
    }

    /// Adds a range to send again. Returns whether there was room for it.
    pub fn resend(&mut self, range: SeqRange) -> bool {
        let room = self.cursor.replays.len() < REPLAYS_MAX;
        if room {
            self.cursor.replays.push_back(range);
        }
        room
    }

    /// Records the start of an attempt.
    pub fn begin(&mut self, of: Attempt, now: Instant) {
        self.in_flight.push(of);
        if of.lane == Lane::InOrder && self.cursor.blocking.is_none() {
            self.cursor.blocking = Some(PendingRetry {
                range: of.range,
                attempts: 0,
                first: now,
                retry_at: None,
                result: AttemptResult::default(),
            });
        }
    }

    /// The message cannot be sent, because its decisions are no longer in the journal.
    pub fn lost(&mut self, of: Attempt, result: AttemptResult, now: Instant) -> Vec<Change> {
        self.begin(of, now);
        self.in_flight.retain(|other| *other != of);
        let (tries, first) = self.tries_of(of, now);
        let failing = PendingRetry {
            range: of.range,
            attempts: tries,
            first,
            retry_at: None,
            result,
        };
        self.enqueue_retry(of, failing)
    }

    /// Records the end of an attempt. Returns what must be stored.
    pub fn finish(
        &mut self,
        of: Attempt,
        ended: AttemptEnd,
        result: AttemptResult,
        message: &str,
        now: Instant,
    ) -> Vec<Change> {
        self.in_flight.retain(|other| *other != of);
        match ended {
            AttemptEnd::Delivered => self.delivered(of, now),
            AttemptEnd::Failed(not_before) => self.failed(of, not_before, result, message, now),
            AttemptEnd::Gone => {
                let mut changes = self.failed(of, None, result, message, now);
                changes.retain(|change| *change != Change::Disable);
                changes.push(Change::Disable);
                changes
            }
        }
    }

    /// The endpoint no longer asks for any decision of the message, so it is dropped without a notice.
    pub fn drop_unsubscribed(&mut self, of: Attempt) -> Vec<Change> {
        self.advance(of);
        let settled = self
            .retry_queue
            .take(of.range)
            .map(|of| Change::Dequeued(of.range));
        settled.into_iter().chain([Change::Cursor]).collect()
    }

    /// Moves the lane past the message.
    fn advance(&mut self, of: Attempt) {
        match of.lane {
            Lane::InOrder => {
                self.cursor.blocking = None;
                self.cursor.done = self.cursor.done.max(of.range.to);
                self.idle = false;
            }
            Lane::Replay => self.advance_replay(of.range.to),
            Lane::Retry => {}
        }
    }

    fn delivered(&mut self, of: Attempt, now: Instant) -> Vec<Change> {
        let mut changes = Vec::new();
        self.advance(of);
        // A message that was delivered in another lane is not retried.
        let settled = self.retry_queue.take_within(of.range).into_iter();
        changes.extend(settled.map(Change::Dequeued));
        let was_away = self.cursor.consecutive_failures >= OUTAGE;
        self.cursor.failing_since = None;
        self.cursor.consecutive_failures = 0;
        self.paused_until = None;
        if was_away {
            // The endpoint is back, so messages that wait for hours are retried now. This is not stored: after a
            // restart they wait as before.
            self.retry_queue.bring_forward(now);
        }
        changes.push(Change::Cursor);
        changes
    }

    fn failed(
        &mut self,
        of: Attempt,
        not_before: Option<Instant>,
        result: AttemptResult,
        message: &str,
        now: Instant,
    ) -> Vec<Change> {
        let (tries, first) = self.tries_of(of, now);
        let tries = tries + 1;
        if tries == 1 {
            self.cursor.consecutive_failures = self.cursor.consecutive_failures.saturating_add(1);
        }
        let since = *self.cursor.failing_since.get_or_insert(now);
        let again = wait_after(tries, message).map(|wait| {
            let asked = not_before.map(|at| at.min(now + RETRY_AFTER_MAX));
            (now + wait).max(asked.unwrap_or(now))
        });
        let failing = PendingRetry {
            range: of.range,
            attempts: tries,
            first,
            retry_at: again,
            result,
        };
        let holds = of.lane == Lane::InOrder
            && again.is_some_and(|again| again + self.timeout <= first + HEAD_OF_LINE_MAX);
        let full = self.retry_queue.retrying() >= RETRIES_MAX;
        let mut changes = if holds || (of.lane == Lane::InOrder && full) {
            let again = match again {
                Some(again) if holds => again,
                Some(_) | None => (now + HEAD_OF_LINE_MAX).max(not_before.unwrap_or(now)),
            };
            self.cursor.blocking = Some(PendingRetry {
                retry_at: Some(again),
                ..failing
            });
            vec![Change::Cursor]
        } else {
            let away = of.lane == Lane::InOrder && self.cursor.consecutive_failures >= OUTAGE;
            self.paused_until = away
                .then_some(first + HEAD_OF_LINE_MAX)
                .or(self.paused_until);
            self.enqueue_retry(of, failing)
        };
        if now - since >= DISABLE_AFTER {
            changes.push(Change::Disable);
        }
        changes
    }

    fn tries_of(&self, of: Attempt, now: Instant) -> (u32, Instant) {
        let so_far = match of.lane {
            Lane::InOrder => self.cursor.blocking.as_ref(),
            Lane::Retry => self.retry_queue.get(of.range),
            Lane::Replay => None,
        };
        so_far.map_or((0, now), |of| (of.attempts, of.first))
    }

    /// Moves a message from its lane to the retry queue.
    fn enqueue_retry(&mut self, of: Attempt, failing: PendingRetry) -> Vec<Change> {
        let range = of.range;
        let mut changes = Vec::new();
        self.retry_queue.put(failing);
        changes.push(Change::Queued(range));
        self.advance(of);
        changes.extend(
            self.retry_queue
                .take_oldest_given_up()
                .map(Change::Dequeued),
        );
        changes.push(Change::Cursor);
        changes
    }

    /// Moves the first range past this `seq`.
    fn advance_replay(&mut self, seq: u64) {
        if let Some(range) = self.cursor.replays.front_mut() {
            range.from = range.from.max(seq + 1);
            if range.from > range.to {
                self.cursor.replays.pop_front();
            }
        }
    }

    /// The endpoint was enabled again: retry at once, and start the count of failures anew.
    pub fn reset_failures(&mut self, now: Instant) {
        self.idle = false;
        self.paused_until = None;
        self.cursor.failing_since = None;
        self.cursor.consecutive_failures = 0;
        if let Some(held) = &mut self.cursor.blocking {
            held.retry_at = held.retry_at.map(|again| again.min(now));
        }
        self.retry_queue.bring_forward(now);
    }
}

fn retry_of(range: SeqRange, lane: Lane) -> Next {
    Next::Retry(Attempt { range, lane })
}
