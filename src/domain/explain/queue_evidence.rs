//! Collects the evidence about waiting sessions ([`super::explanation`]): their place in the queue, which sessions come
//! before and after them, and what ends a wait.

use super::decision_sink::DecisionSink;
use super::explanation::{Evidence, QueueOrder, Step, WaitingSession};
use crate::domain::base::time::Instant;
use crate::domain::protocol::codes::WaitReason;
use crate::domain::state::session::{QueueRank, SessionPlace};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

/// How many sessions of one kind are named.
const NAMED_MAX: usize = 3;

impl Shop {
    /// R11, S7: the place of a session that is about to be told as waiting.
    pub(in crate::domain) fn note_queued(&self, session: u32, out: &mut DecisionSink) {
        if !out.is_asked(self.seq) {
            return;
        }
        let SessionPlace::Waiting { pool, .. } = self.sessions[session].place else {
            return;
        };
        let (before, _) = self.waiting_around(session, Some(pool));
        self.note_order(session, before, out);
        if let Some(until) = self.timers.due(session, Timer::Left) {
            let until = self.stamp(until);
            out.note(self.seq, || Evidence::LeftPage { until });
        }
    }

    /// R7: the session that is next, and which agent of the group serves it.
    pub(in crate::domain) fn note_drain(
        &self,
        session: u32,
        group: u32,
        picked: u32,
        out: &mut DecisionSink,
    ) {
        out.drop_notes();
        if !out.is_asked(self.seq) {
            return;
        }
        let SessionPlace::Waiting { pool, since, .. } = self.sessions[session].place else {
            return;
        };
        let (before, ahead) = self.waiting_around(session, None);
        let (left, unserved): (Vec<u32>, Vec<u32>) = ahead
            .into_iter()
            .partition(|&other| self.timers.due(other, Timer::Left).is_some());
        out.note(self.seq, || Evidence::Drained {
            pool: self.queue.pools[pool].name().into(),
            since: self.stamp(since),
            waiting: self.queue.waiting,
            longest: before.is_empty(),
            unserved: unserved.len() as u32,
        });
        self.note_order(session, before, out);
        if !left.is_empty() {
            out.note(self.seq, || Evidence::LeftAhead {
                sessions: self.named_waiting(&left),
                in_all: left.len() as u32,
            });
        }
        let passed = self.sessions[session].passed();
        let record = &self.queue.pools[pool];
        let line = self.line_of(&record.scope, record.group, passed);
        let counted = !self.directory.has_online_except(line, passed);
        if !passed.is_empty() {
            out.note(self.seq, || Evidence::PassedOver {
                agents: passed.iter().map(|&agent| self.agent_id(agent)).collect(),
                counted,
            });
        }
        let passed = if counted { &[] } else { passed };
        self.note_candidates(Step::Drain, group, Some(picked), passed, out);
    }

    /// R5, R6: the reason of an automatic reply.
    pub(in crate::domain) fn note_waits(
        &self,
        pool: u32,
        position: u32,
        reason: WaitReason,
        out: &mut DecisionSink,
    ) {
        out.drop_notes();
        out.note(self.seq, || Evidence::Waits {
            pool: self.queue.pools[pool].name().into(),
            position,
            reason,
        });
    }

    /// R6: the session reached its longest wait. Its timer was armed when the wait began.
    pub(in crate::domain) fn note_waited_out(&self, session: u32, out: &mut DecisionSink) {
        out.drop_notes();
        let SessionPlace::Waiting { pool, since, .. } = self.sessions[session].place else {
            return;
        };
        out.note(self.seq, || Evidence::WaitedOut {
            pool: self.queue.pools[pool].name().into(),
            since: self.stamp(since),
            max_wait: self.now - since,
        });
    }

    /// S7: the buyer did not come back. The timer does not keep its length, so the one of the current policy is told, if
    /// it can have been that.
    pub(in crate::domain) fn note_gave_up(&self, session: u32, out: &mut DecisionSink) {
        out.drop_notes();
        let SessionPlace::Waiting { pool, since, .. } = self.sessions[session].place else {
            return;
        };
        let grace = self.policy.routing.queue.leave_grace;
        let away_since = self.now - grace;
        let known = !grace.is_zero() && away_since >= since;
        out.note(self.seq, || Evidence::GaveUp {
            pool: self.queue.pools[pool].name().into(),
            since: self.stamp(since),
            away_since: known.then(|| self.stamp(away_since)),
            leave_grace: grace,
        });
    }

    /// R11: what the order of the queue does to a session, if it is not that of queueing.
    fn note_order(&self, session: u32, before: Vec<u32>, out: &mut DecisionSink) {
        let SessionPlace::Waiting { rank, since, .. } = self.sessions[session].place else {
            return;
        };
        if rank.as_if == since && before.is_empty() {
            return;
        }
        out.note(self.seq, || {
            Evidence::Ranked(Box::new(QueueOrder {
                queued: self.stamp(rank.queued),
                since: self.stamp(since),
                priority: self.priority_of(session),
                age: self.policy.routing.priority.age,
                before: self.named_waiting(&before),
                before_in_all: before.len() as u32,
            }))
        });
    }

    /// The sessions that were queued earlier and come later than this one, and those that come before it: of one pool,
    /// or of all. Both in the order of the queue.
    fn waiting_around(&self, session: u32, of_pool: Option<u32>) -> (Vec<u32>, Vec<u32>) {
        let Some((own, since)) = self.place_in_queue(session) else {
            return (Vec::new(), Vec::new());
        };
        let (mut later, mut ahead) = (Vec::new(), Vec::new());
        for (number, pool) in self.queue.pools.iter() {
            if of_pool.is_some_and(|only| only != number) {
                continue;
            }
            for other in pool.sessions().filter(|&other| other != session) {
                match self.place_in_queue(other) {
                    Some((rank, _)) if rank < own => ahead.push((rank, other)),
                    Some((rank, queued)) if queued < since => later.push((rank, other)),
                    Some(_) | None => {}
                }
            }
        }
        let in_order = |mut sessions: Vec<(QueueRank, u32)>| {
            sessions.sort_unstable();
            sessions.into_iter().map(|(_, session)| session).collect()
        };
        (in_order(later), in_order(ahead))
    }

    /// The rank of a waiting session, and when it was queued.
    fn place_in_queue(&self, session: u32) -> Option<(QueueRank, Instant)> {
        match self.sessions[session].place {
            SessionPlace::Waiting { rank, since, .. } => Some((rank, since)),
            SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. } => None,
        }
    }

    /// The first of these waiting sessions.
    fn named_waiting(&self, sessions: &[u32]) -> Vec<WaitingSession> {
        let named = sessions.iter().take(NAMED_MAX);
        let waiting = named.filter_map(|&session| {
            let (rank, since) = self.place_in_queue(session)?;
            Some(WaitingSession {
                session: self.sessions[session].id.clone(),
                since: self.stamp(since),
                queued: self.stamp(rank.queued),
                priority: self.priority_of(session),
            })
        });
        waiting.collect()
    }
}
