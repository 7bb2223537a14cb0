//! A shop: its whole state and its clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::agent_directory::AgentDirectory;
use super::buyer::{Buyer, BuyerAgentHistory};
use super::daily_stats::DailyStats;
use super::idempotency::{Code, IdempotencyIndex, IdempotencyRecord};
use super::session::Session;
use super::timers::Timers;
use super::totals::Totals;
use crate::domain::base::calendar::LocalDaySpan;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant, OffsetTimestamp};
use crate::domain::collections::indexed_heap::IndexedHeap;
use crate::domain::collections::slab_map::SlabMap;
use crate::domain::policy::group_plan::CheckedPolicy;
use crate::domain::policy::{PRESET_WINDOW_MAX, Policy};
use crate::domain::state::queues::Queue;
use crate::domain::state::scores::Scores;

/// A shop.
pub struct Shop {
    pub(in crate::domain) id: Id,
    pub(in crate::domain) policy: Arc<Policy>,
    pub(in crate::domain) now: Instant,
    pub(in crate::domain) span: LocalDaySpan,
    pub(in crate::domain) seq: u64,
    pub(in crate::domain) directory: AgentDirectory,
    pub(in crate::domain) queue: Queue,
    pub(in crate::domain) sessions: SlabMap<Session>,
    pub(in crate::domain) buyers: SlabMap<Buyer>,
    pub(in crate::domain) ties: SlabMap<BuyerAgentHistory>,
    pub(in crate::domain) timers: Timers,
    /// For each session, the first instant at which one of its unanswered messages becomes late (M1).
    pub(in crate::domain) lates: IndexedHeap<Instant>,
    /// The sessions that take-back still tries to move (R10): by debt, then in the order of opening.
    pub(in crate::domain) overdue: BTreeSet<(Instant, u64, u32)>,
    /// Whether one of them may have found an agent since they were last tried.
    pub(in crate::domain) overdue_may_move: bool,
    /// Whether the shop is open by its opening hours (H3).
    pub(in crate::domain) open_now: bool,
    /// The blocked buyers, and when the block ends by itself (B1).
    pub(in crate::domain) blocks: BTreeMap<u32, Option<Instant>>,
    pub(in crate::domain) days: DailyStats,
    pub(in crate::domain) scores: Scores,
    /// Closed sessions that are still kept, in the order in which they closed (S1).
    pub(in crate::domain) closed: VecDeque<(Instant, u32)>,
    pub(in crate::domain) remembered: IdempotencyIndex,
    /// How long buyers are kept: the longest window of any policy that the shop had, and of any preset.
    pub(in crate::domain) horizon: Duration,
    /// How late events may be: the longest lateness of any policy that the shop had (T1).
    pub(in crate::domain) lateness: Duration,
    pub(in crate::domain) totals: Totals,
}

impl Shop {
    /// An empty shop that starts at `at` with its first policy.
    pub fn new(id: Id, policy: Policy, at: Instant) -> Shop {
        Shop::with(id, CheckedPolicy::accepted(policy), at)
    }

    /// Like [`Shop::new`], with a policy whose groups are expanded.
    pub fn with(id: Id, checked: CheckedPolicy, at: Instant) -> Shop {
        let CheckedPolicy { policy, groups } = checked;
        let span = policy.timezone.span(at);
        Shop {
            id,
            now: at,
            span,
            seq: 0,
            directory: AgentDirectory::new(
                span.day,
                groups,
                policy.routing.strategy,
                policy.routing.queue.mode,
            ),
            queue: Queue::default(),
            sessions: SlabMap::default(),
            buyers: SlabMap::default(),
            ties: SlabMap::default(),
            timers: Timers::default(),
            lates: IndexedHeap::default(),
            overdue: BTreeSet::new(),
            overdue_may_move: false,
            open_now: true,
            blocks: BTreeMap::new(),
            days: DailyStats::default(),
            scores: Scores::default(),
            closed: VecDeque::new(),
            remembered: IdempotencyIndex::default(),
            horizon: policy.longest_window().max(PRESET_WINDOW_MAX),
            lateness: policy.session.lateness,
            totals: Totals::default(),
            policy,
        }
    }

    /// The shop's id.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// The current policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The current policy, shared, so that it can be read while the shop continues.
    pub fn policy_shared(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// The number of group members that were written since the shop was loaded: the cost of policy and agent changes.
    pub fn seats_filled(&self) -> u64 {
        self.directory.seats_filled()
    }

    /// The shop's clock.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The `seq` of the latest decision.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// When the next `clock` event is due, if any.
    pub fn next_timer(&self) -> Option<Instant> {
        Some(self.timers.next()?.0)
    }

    /// An instant at the offset of the shop's zone.
    pub fn stamp(&self, instant: Instant) -> OffsetTimestamp {
        self.span.stamp(&self.policy.timezone, instant)
    }

    /// The idempotency record of an accepted event, while its id is kept.
    pub fn receipt(&self, id: &Id) -> Option<IdempotencyRecord> {
        self.remembered.get((Code::of(id), id), self.now)
    }
}
