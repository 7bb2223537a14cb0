//! The outbox of one endpoint: what goes to it next, and when. A calculation: time is an argument, and nothing is sent.
//!
//! First tries go out in the order of `seq`, one after the other. What fails holds the line for at most [`HOLD`] while
//! it is tried again, and is then set aside, where it has a schedule of its own; so one that can never be delivered
//! stops nobody, and of a dead endpoint's decisions about one a minute is set aside, however many are taken.
//! A range that is sent again has a lane of its own.

use super::attempt::{Attempt, AttemptResult, DeliveryCursor, Lane, PendingRetry, SeqRange};
use super::retry_policy::{RETRY_AFTER_MAX, wait_after};
use super::retry_queue::RetryQueue;
use crate::domain::base::time::{Duration, Instant};

/// For how long a message that fails holds back those after it.
pub const HOLD: Duration = Duration::from_ms(60_000);

/// Messages that may be aside and still to be tried; with as many, the line waits for the endpoint.
pub const ASIDE_MAX: usize = 10_000;

/// Messages from aside that are on their way at once.
const ASIDE_AT_ONCE: usize = 2;

/// Ranges that may wait to be sent again.
pub const RESENDS_MAX: usize = 16;

/// After so long with nothing but failures an endpoint is switched off.
pub const DEAD_AFTER: Duration = Duration::days(5);

/// Messages that failed one after the other before a success means that the endpoint is back.
const OUTAGE: u32 = 2;

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This message is tried again.
    Again(Attempt),
    /// The next decisions above this `seq` are looked for, up to the other where it is a range.
    Look(Lane, u64, Option<u64>),
    /// Nothing before this instant, unless there is news.
    Wait(Option<Instant>),
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// It was taken.
    Delivered,
    /// It was not, and the endpoint may have asked to be left alone until then.
    Failed(Option<Instant>),
    /// The endpoint is gone (410): it is to be switched off.
    Gone,
}

/// What has changed and must be kept, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A message is aside, or its place there has changed.
    Aside(SeqRange),
    /// It is aside no more.
    Settled(SeqRange),
    /// The progress.
    Progress,
    /// Nothing but failures for [`DEAD_AFTER`], or gone: the endpoint is to be switched off.
    SwitchOff,
}

/// The outbox.
#[derive(Debug, Default)]
pub struct Outbox {
    progress: DeliveryCursor,
    aside: RetryQueue,
    /// What is on its way.
    under_way: Vec<Attempt>,
    /// The line was looked at, and there was nothing more.
    idle: bool,
    /// The line rests until then: the endpoint seems to be away, and its decisions are not to pile up aside.
    rests: Option<Instant>,
    /// The longest that a try may take.
    timeout: Duration,
}

impl Outbox {
    /// An outbox that begins behind `done`.
    pub fn new(done: u64, timeout: Duration) -> Outbox {
        let progress = DeliveryCursor {
            done,
            ..DeliveryCursor::default()
        };
        Outbox::restored(progress, Vec::new(), timeout)
    }

    /// As it was kept.
    pub fn restored(
        progress: DeliveryCursor,
        aside: Vec<PendingRetry>,
        timeout: Duration,
    ) -> Outbox {
        Outbox {
            progress,
            aside: RetryQueue::of(aside),
            under_way: Vec::new(),
            idle: false,
            rests: None,
            timeout,
        }
    }

    /// What is kept of it.
    pub fn progress(&self) -> &DeliveryCursor {
        &self.progress
    }

    /// A message that is aside.
    pub fn aside(&self, parcel: SeqRange) -> Option<&PendingRetry> {
        self.aside.get(parcel)
    }

    /// All that failed so far: what holds the line, what is aside, what was given up.
    pub fn failing(&self) -> impl Iterator<Item = &PendingRetry> {
        self.progress.held.iter().chain(self.aside.iter())
    }

    /// How many are to be tried again, and how many were given up.
    pub fn counts(&self) -> (usize, usize) {
        let held = usize::from(self.progress.held.is_some());
        (held + self.aside.retrying(), self.aside.given_up())
    }

    /// There may be new decisions.
    pub fn news(&mut self) {
        self.idle = false;
    }

    /// What is to be done now. What it says has to be done before it is asked again.
    pub fn next(&self, now: Instant) -> Next {
        let mut wake: Option<Instant> = None;
        let mut sooner = |at: Instant| wake = Some(wake.map_or(at, |wake| wake.min(at)));
        if self.on_way(Lane::Line).is_none() {
            match &self.progress.held {
                Some(held) => match held.again {
                    Some(again) if again > now => sooner(again),
                    Some(_) | None => return again_of(held.parcel, Lane::Line),
                },
                None if self.idle => {}
                None => match self.rests {
                    Some(until) if until > now => sooner(until),
                    Some(_) | None => {
                        return Next::Look(Lane::Line, self.progress.done, None);
                    }
                },
            }
        }
        if self.on_way(Lane::Resend).is_none()
            && let Some(range) = self.progress.resends.front()
        {
            return Next::Look(Lane::Resend, range.from - 1, Some(range.to));
        }
        let busy: Vec<SeqRange> = self.aside_under_way().collect();
        if busy.len() < ASIDE_AT_ONCE {
            match self.aside.first(&busy) {
                Some((again, parcel)) if again <= now => return again_of(parcel, Lane::Aside),
                Some((again, _)) => sooner(again),
                None => {}
            }
        }
        Next::Wait(wake)
    }

    fn on_way(&self, lane: Lane) -> Option<&Attempt> {
        self.under_way.iter().find(|of| of.lane == lane)
    }

    fn aside_under_way(&self) -> impl Iterator<Item = SeqRange> {
        let aside = self.under_way.iter().filter(|of| of.lane == Lane::Aside);
        aside.map(|of| of.parcel)
    }

    /// Nothing is asked for between what is done and this `seq`.
    pub fn pass(&mut self, lane: Lane, seq: u64) -> Change {
        match lane {
            Lane::Line | Lane::Aside => self.progress.done = self.progress.done.max(seq),
            Lane::Resend => self.resent(seq),
        }
        Change::Progress
    }

    /// There is nothing more to look at: of a range, that it is through.
    pub fn exhausted(&mut self, lane: Lane) {
        match lane {
            Lane::Line | Lane::Aside => self.idle = true,
            Lane::Resend => drop(self.progress.resends.pop_front()),
        }
    }

    /// A range is to be sent again. Whether there is room for one more.
    pub fn resend(&mut self, range: SeqRange) -> bool {
        let room = self.progress.resends.len() < RESENDS_MAX;
        if room {
            self.progress.resends.push_back(range);
        }
        room
    }

    /// A try begins.
    pub fn began(&mut self, of: Attempt, now: Instant) {
        self.under_way.push(of);
        if of.lane == Lane::Line && self.progress.held.is_none() {
            self.progress.held = Some(PendingRetry {
                parcel: of.parcel,
                tries: 0,
                first: now,
                again: None,
                told: AttemptResult::default(),
            });
        }
    }

    /// A try cannot be made: what it was to bring is not in the journal any more.
    pub fn lost(&mut self, of: Attempt, told: AttemptResult, now: Instant) -> Vec<Change> {
        self.began(of, now);
        self.under_way.retain(|other| *other != of);
        let (tries, first) = self.tries_of(of, now);
        let failing = PendingRetry {
            parcel: of.parcel,
            tries,
            first,
            again: None,
            told,
        };
        self.set_aside(of, failing)
    }

    /// A try ended. What has to be kept of that.
    pub fn ended(
        &mut self,
        of: Attempt,
        ended: AttemptEnd,
        told: AttemptResult,
        message: &str,
        now: Instant,
    ) -> Vec<Change> {
        self.under_way.retain(|other| *other != of);
        match ended {
            AttemptEnd::Delivered => self.delivered(of, now),
            AttemptEnd::Failed(not_before) => self.failed(of, not_before, told, message, now),
            AttemptEnd::Gone => {
                let mut changes = self.failed(of, None, told, message, now);
                changes.retain(|change| *change != Change::SwitchOff);
                changes.push(Change::SwitchOff);
                changes
            }
        }
    }

    /// Nothing of a message is asked for any more: it leaves without a word.
    pub fn unwanted(&mut self, of: Attempt) -> Vec<Change> {
        self.leave_lane(of);
        let settled = self
            .aside
            .take(of.parcel)
            .map(|of| Change::Settled(of.parcel));
        settled.into_iter().chain([Change::Progress]).collect()
    }

    /// It is done with in its lane.
    fn leave_lane(&mut self, of: Attempt) {
        match of.lane {
            Lane::Line => {
                self.progress.held = None;
                self.progress.done = self.progress.done.max(of.parcel.to);
                self.idle = false;
            }
            Lane::Resend => self.resent(of.parcel.to),
            Lane::Aside => {}
        }
    }

    fn delivered(&mut self, of: Attempt, now: Instant) -> Vec<Change> {
        let mut changes = Vec::new();
        self.leave_lane(of);
        // What was delivered by another way is not tried again.
        let settled = self.aside.take_within(of.parcel).into_iter();
        changes.extend(settled.map(Change::Settled));
        let was_away = self.progress.failed_in_a_row >= OUTAGE;
        self.progress.failing_since = None;
        self.progress.failed_in_a_row = 0;
        self.rests = None;
        if was_away {
            // It is back: what waits for hours need not. This is not kept: after a restart they wait as before.
            self.aside.bring_forward(now);
        }
        changes.push(Change::Progress);
        changes
    }

    fn failed(
        &mut self,
        of: Attempt,
        not_before: Option<Instant>,
        told: AttemptResult,
        message: &str,
        now: Instant,
    ) -> Vec<Change> {
        let (tries, first) = self.tries_of(of, now);
        let tries = tries + 1;
        if tries == 1 {
            self.progress.failed_in_a_row = self.progress.failed_in_a_row.saturating_add(1);
        }
        let since = *self.progress.failing_since.get_or_insert(now);
        let again = wait_after(tries, message).map(|wait| {
            let asked = not_before.map(|at| at.min(now + RETRY_AFTER_MAX));
            (now + wait).max(asked.unwrap_or(now))
        });
        let failing = PendingRetry {
            parcel: of.parcel,
            tries,
            first,
            again,
            told,
        };
        let holds = of.lane == Lane::Line
            && again.is_some_and(|again| again + self.timeout <= first + HOLD);
        let full = self.aside.retrying() >= ASIDE_MAX;
        let mut changes = if holds || (of.lane == Lane::Line && full) {
            let again = match again {
                Some(again) if holds => again,
                Some(_) | None => (now + HOLD).max(not_before.unwrap_or(now)),
            };
            self.progress.held = Some(PendingRetry {
                again: Some(again),
                ..failing
            });
            vec![Change::Progress]
        } else {
            let away = of.lane == Lane::Line && self.progress.failed_in_a_row >= OUTAGE;
            self.rests = away.then_some(first + HOLD).or(self.rests);
            self.set_aside(of, failing)
        };
        if now - since >= DEAD_AFTER {
            changes.push(Change::SwitchOff);
        }
        changes
    }

    fn tries_of(&self, of: Attempt, now: Instant) -> (u32, Instant) {
        let so_far = match of.lane {
            Lane::Line => self.progress.held.as_ref(),
            Lane::Aside => self.aside.get(of.parcel),
            Lane::Resend => None,
        };
        so_far.map_or((0, now), |of| (of.tries, of.first))
    }

    /// Out of its lane.
    fn set_aside(&mut self, of: Attempt, failing: PendingRetry) -> Vec<Change> {
        let parcel = of.parcel;
        let mut changes = Vec::new();
        self.aside.put(failing);
        changes.push(Change::Aside(parcel));
        self.leave_lane(of);
        changes.extend(self.aside.take_oldest_given_up().map(Change::Settled));
        changes.push(Change::Progress);
        changes
    }

    /// The first range is through up to this `seq`.
    fn resent(&mut self, seq: u64) {
        if let Some(range) = self.progress.resends.front_mut() {
            range.from = range.from.max(seq + 1);
            if range.from > range.to {
                self.progress.resends.pop_front();
            }
        }
    }

    /// The endpoint was switched on again: nothing waits for hours, and it is not dead yet.
    pub fn begin_anew(&mut self, now: Instant) {
        self.idle = false;
        self.rests = None;
        self.progress.failing_since = None;
        self.progress.failed_in_a_row = 0;
        if let Some(held) = &mut self.progress.held {
            held.again = held.again.map(|again| again.min(now));
        }
        self.aside.bring_forward(now);
    }
}

fn again_of(parcel: SeqRange, lane: Lane) -> Next {
    Next::Again(Attempt { parcel, lane })
}
