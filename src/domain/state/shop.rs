//! A shop: all its state, and its clock.

use std::collections::VecDeque;
use std::sync::Arc;

use super::agent_directory::Roster;
use super::buyer::{Buyer, Tie};
use super::daily_stats::DayBooks;
use super::idempotency::{Code, IdempotencyRecord, Remembered};
use super::session::Session;
use super::timers::Timers;
use super::totals::Totals;
use crate::domain::base::calendar::Stretch;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant, Stamp};
use crate::domain::collections::indexed_heap::Heap;
use crate::domain::collections::slab_map::Table;
use crate::domain::policy::group_plan::CheckedPolicy;
use crate::domain::policy::{PRESET_WINDOW_MAX, Policy};
use crate::domain::state::queues::Queue;
use crate::domain::state::scores::Scores;

/// A shop.
pub struct Shop {
    pub(in crate::domain) id: Id,
    pub(in crate::domain) policy: Arc<Policy>,
    pub(in crate::domain) now: Instant,
    pub(in crate::domain) stretch: Stretch,
    pub(in crate::domain) seq: u64,
    pub(in crate::domain) roster: Roster,
    pub(in crate::domain) queue: Queue,
    pub(in crate::domain) sessions: Table<Session>,
    pub(in crate::domain) buyers: Table<Buyer>,
    pub(in crate::domain) ties: Table<Tie>,
    pub(in crate::domain) timers: Timers,
    /// By session, the first instant at which one of its unanswered messages is late (M1).
    pub(in crate::domain) lates: Heap<Instant>,
    pub(in crate::domain) days: DayBooks,
    pub(in crate::domain) scores: Scores,
    /// Closed sessions that are still remembered, in the order in which they closed (S1).
    pub(in crate::domain) closed: VecDeque<(Instant, u32)>,
    pub(in crate::domain) remembered: Remembered,
    /// How far back buyers are remembered: the longest window that a policy of the shop ever had, or any preset has.
    pub(in crate::domain) horizon: Duration,
    pub(in crate::domain) totals: Totals,
}

impl Shop {
    /// A shop that begins at `at` with its first policy, with nobody in it.
    pub fn new(id: Id, policy: Policy, at: Instant) -> Shop {
        Shop::with(id, CheckedPolicy::accepted(policy), at)
    }

    /// The same with a policy whose groups are written out.
    pub fn with(id: Id, checked: CheckedPolicy, at: Instant) -> Shop {
        let CheckedPolicy { policy, groups } = checked;
        let stretch = policy.timezone.stretch(at);
        Shop {
            id,
            now: at,
            stretch,
            seq: 0,
            roster: Roster::new(stretch.day, groups, policy.routing.strategy),
            queue: Queue::default(),
            sessions: Table::default(),
            buyers: Table::default(),
            ties: Table::default(),
            timers: Timers::default(),
            lates: Heap::default(),
            days: DayBooks::default(),
            scores: Scores::default(),
            closed: VecDeque::new(),
            remembered: Remembered::default(),
            horizon: policy.longest_window().max(PRESET_WINDOW_MAX),
            totals: Totals::default(),
            policy,
        }
    }

    /// Its id.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Its policy of now.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same, to be looked at while the shop goes on.
    pub fn policy_shared(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// How many seats of crews were filled since it came up: what a change of its policy or its agents has cost.
    pub fn seats_filled(&self) -> u64 {
        self.roster.seats_filled()
    }

    /// Its clock.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The `seq` of its latest decision.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// When it wants to be woken by a `clock` event, if at all.
    pub fn next_timer(&self) -> Option<Instant> {
        Some(self.timers.next()?.0)
    }

    /// An instant as the shop writes it.
    pub fn stamp(&self, instant: Instant) -> Stamp {
        self.stretch.stamp(&self.policy.timezone, instant)
    }

    /// The receipt of an accepted event, as long as its id is remembered.
    pub fn receipt(&self, id: &Id) -> Option<IdempotencyRecord> {
        self.remembered.get((Code::of(id), id), self.now)
    }
}
