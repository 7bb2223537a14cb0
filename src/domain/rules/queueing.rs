//! Waiting: pools, positions and prompts (R6), and which session a free agent serves next (R7).
//!
//! Every non-empty pool is in the line of one agent group: that of its scope, or the group of all agents if R7 says so.
//! A group with a free agent and a non-empty line is *ready*. Ready groups are indexed by the oldest ticket of their
//! lines, so a drain finds the next session in O(log n).
//!
//! Invariant: after a drain no group is ready.

use std::collections::BTreeSet;

use crate::domain::base::time::Instant;
use crate::domain::collections::indexed_heap::IndexedHeap;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::policy::WhenScopeOffline;
use crate::domain::protocol::decision::{AssignReason, CloseReason, DecisionBody, WaitReason};
use crate::domain::protocol::event::Priority;
use crate::domain::state::agent_directory::{EVERYBODY, RoutingScope};
use crate::domain::state::queues::Pool;
use crate::domain::state::session::{QueueRank, SessionPlace};
use crate::domain::state::shared_invites::Ledger;
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

impl Shop {
    /// The number of waiting sessions.
    pub fn waiting(&self) -> u32 {
        self.queue.waiting
    }

    /// Whether one more session may wait (R6).
    pub(in crate::domain) fn queue_has_room(&self) -> bool {
        let limit = self.policy.routing.queue.limit;
        limit == 0 || self.queue.waiting < limit
    }

    /// Adds a session to the pool of `scope` with its decision. The automatic reply of R6 follows.
    pub(in crate::domain) fn enqueue(
        &mut self,
        session: u32,
        scope: RoutingScope,
        reason: WaitReason,
        out: &mut DecisionSink,
    ) {
        self.drop_round(session);
        self.leave(session);
        let pool = self.pool_of(scope);
        self.queue.tickets += 1;
        let record = &mut self.sessions[session];
        let queued = match reason {
            WaitReason::NoAnswer | WaitReason::OfflineHandover => record.debt.unwrap_or(self.now),
            WaitReason::AllBusy
            | WaitReason::ScopeOffline
            | WaitReason::NobodyOnline
            | WaitReason::Closed => self.now,
        };
        if !std::mem::replace(&mut record.marks.queued, true) {
            self.totals.queued += 1;
        }
        let left = record.marks.left;
        let rank = self.rank_of(session, queued, self.queue.tickets);
        self.sessions[session].place = SessionPlace::Waiting {
            pool,
            rank,
            since: self.now,
            reason,
        };
        let position = self.queue.pools[pool].position((rank, session));
        self.queue.waiting += 1;
        self.join_queue(session);
        self.timers.disarm(session, Timer::Silence);
        let max_wait = self.policy.routing.queue.max_wait;
        if !max_wait.is_zero() {
            self.timers.arm(session, Timer::Queue, self.now + max_wait);
        }
        if left {
            self.arm_left(session);
        }
        let (id, buyer) = self.names(session);
        let priority = self.priority_of(session);
        let age = self.policy.routing.priority.age;
        let body = DecisionBody::SessionQueued {
            session: id,
            buyer,
            pool: self.queue.pools[pool].name.clone(),
            position,
            reason,
            prompt: self.prompt(position, reason).into(),
            priority: (priority.level() > 0 && !age.is_zero()).then_some(priority),
        };
        self.note_queued(session, out);
        self.decide(body, out);
        self.note_waits(pool, position, reason, out);
        match reason {
            WaitReason::AllBusy | WaitReason::ScopeOffline | WaitReason::NoAnswer => {
                self.reply_queued(session, out);
            }
            WaitReason::NobodyOnline | WaitReason::Closed => self.reply_offline(session, out),
            WaitReason::OfflineHandover => out.drop_notes(),
        }
    }

    /// The priority of a session: its own, or its buyer's (R11).
    pub(in crate::domain) fn priority_of(&self, session: u32) -> Priority {
        let record = &self.sessions[session];
        let of_buyer = || self.buyers[record.buyer].priority;
        record.priority.unwrap_or_else(of_buyer)
    }

    /// The place of a session in the queue (R11).
    pub(in crate::domain) fn rank_of(
        &self,
        session: u32,
        queued: Instant,
        ticket: u64,
    ) -> QueueRank {
        let age = self.policy.routing.priority.age;
        let priority = self.priority_of(session);
        QueueRank {
            as_if: queued - age.times(priority.level()),
            queued,
            ticket,
        }
    }

    /// Moves a waiting session to its place after its priority changed (R11).
    pub(in crate::domain) fn rank_again(&mut self, session: u32) {
        let SessionPlace::Waiting {
            pool,
            rank,
            since,
            reason,
        } = self.sessions[session].place
        else {
            return;
        };
        let now = self.rank_of(session, rank.queued, rank.ticket);
        if now != rank {
            self.quit_queue(session);
            self.sessions[session].place = SessionPlace::Waiting {
                pool,
                rank: now,
                since,
                reason,
            };
            self.join_queue(session);
        }
    }

    /// Moves all waiting sessions to their places after the worth of a priority changed (R11).
    pub(in crate::domain) fn rank_all_again(&mut self) {
        let pools = self.queue.pools.iter();
        let waiting: Vec<u32> = pools.flat_map(|(_, pool)| pool.sessions()).collect();
        for session in waiting {
            self.rank_again(session);
        }
    }

    /// The prompt for a position.
    fn prompt(&self, position: u32, reason: WaitReason) -> String {
        let (queue, hours) = (&self.policy.routing.queue, &self.policy.hours);
        if reason == WaitReason::Closed && !hours.prompt.is_empty() {
            return hours.prompt.clone();
        }
        if queue.show_position_below != 0 && position >= queue.show_position_below {
            return queue.busy_prompt.clone();
        }
        if position == 1 && !queue.next_prompt.is_empty() {
            return fill_in(&queue.next_prompt, position);
        }
        fill_in(&queue.prompt, position)
    }

    fn reply_queued(&mut self, session: u32, out: &mut DecisionSink) {
        let reply = &self.policy.auto_reply.queued;
        if reply.enabled {
            let body = DecisionBody::AutoReplySent {
                session: self.sessions[session].id.clone(),
                text: reply.text.as_str().into(),
            };
            self.decide(body, out);
        } else {
            out.drop_notes();
        }
    }

    /// `auto_reply.offline`, or `auto_reply.closed` while the shop is closed, once per session (R5, R9, H2).
    pub(in crate::domain) fn reply_offline(&mut self, session: u32, out: &mut DecisionSink) {
        let replies = &self.policy.auto_reply;
        let reply = if !self.open_now && replies.closed.enabled {
            self.note_closed_reply(out);
            &replies.closed
        } else {
            &replies.offline
        };
        let record = &mut self.sessions[session];
        if reply.enabled && !std::mem::replace(&mut record.marks.told_offline, true) {
            let body = DecisionBody::AutoReplySent {
                session: record.id.clone(),
                text: reply.text.as_str().into(),
            };
            self.decide(body, out);
        } else {
            out.drop_notes();
        }
    }

    /// Removes a session from its pool.
    pub(in crate::domain) fn leave_pool(&mut self, session: u32) {
        self.timers.disarm(session, Timer::Queue);
        self.queue.waiting -= 1;
        self.quit_queue(session);
        self.timers.disarm(session, Timer::Left);
        if let SessionPlace::Waiting { pool, .. } = self.sessions[session].place
            && self.queue.pools[pool].is_empty()
        {
            self.queue.pools.remove(pool);
        }
    }

    /// Adds a waiting session to the queue of its pool: with the plain ones, or aside, if its buyer has left (S7) or
    /// agents are passed over (R10).
    pub(in crate::domain) fn join_queue(&mut self, session: u32) {
        let record = &self.sessions[session];
        let SessionPlace::Waiting { pool, rank, .. } = record.place else {
            return;
        };
        let entry = (rank, session);
        let left = self.timers.due(session, Timer::Left).is_some();
        let record_pool = &mut self.queue.pools[pool];
        if left {
            record_pool.aside.insert(entry);
        } else if !record.passed().is_empty() {
            record_pool.aside.insert(entry);
            let lane = (pool, record.passed().into());
            self.queue.passing.entry(lane).or_default().insert(entry);
        } else {
            let head = record_pool.plain.first();
            record_pool.plain.insert(entry);
            if head.is_none_or(|head| entry < head) {
                if let Some((rank, _)) = head {
                    self.leave_line(pool, rank);
                }
                self.join_line(pool);
            }
        }
    }

    /// Removes a waiting session from the queue of its pool. The pool stays.
    pub(in crate::domain) fn quit_queue(&mut self, session: u32) {
        let record = &self.sessions[session];
        let SessionPlace::Waiting { pool, rank, .. } = record.place else {
            return;
        };
        let entry = (rank, session);
        let record_pool = &mut self.queue.pools[pool];
        if record_pool.aside.remove(&entry) {
            if !record.passed().is_empty() {
                let lane = (pool, record.passed().into());
                if let Some(waiting) = self.queue.passing.get_mut(&lane) {
                    waiting.remove(&entry);
                    if waiting.is_empty() {
                        self.queue.passing.remove(&lane);
                    }
                }
            }
            return;
        }
        let at_head = record_pool.plain.first() == Some(entry);
        record_pool.plain.remove(&entry);
        if at_head {
            self.leave_line(pool, rank);
            self.join_line(pool);
        }
    }

    /// The session has waited for `max_wait` (R6).
    pub(in crate::domain) fn waited_too_long(
        &mut self,
        session: u32,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) {
        self.note_waited_out(session, out);
        self.close(session, CloseReason::Timeout, ledger, out);
    }

    /// Serves waiting sessions while there are free agents for them, in the order of the queue (R7). Then overdue
    /// sessions are tried again (R10b). While the shop is shut nothing happens (H2).
    pub(in crate::domain) fn drain(&mut self, out: &mut DecisionSink) {
        if (self.queue.waiting == 0 && self.overdue.is_empty()) || self.is_shut() {
            return;
        }
        self.fresh_crews();
        loop {
            while let Some((session, group, agent)) = self.next_served() {
                self.timers.visit(session);
                self.note_drain(session, group, agent, out);
                self.assign(session, agent, AssignReason::Queue, out);
            }
            if !self.take_back_overdue(out) {
                return;
            }
        }
    }

    /// The first session in the queue for which an agent is free, with that agent and its group.
    fn next_served(&self) -> Option<(u32, u32, u32)> {
        let plain = self.queue.ready.first().and_then(|(rank, line)| {
            let &(_, pool) = self.queue.lines[line as usize].first()?;
            let (_, session) = self.queue.pools[pool].plain.first()?;
            Some((rank, pool, session))
        });
        if !self.queue.passing.is_empty()
            && let Some((rank, served)) = self.next_passing()
            && plain.is_none_or(|(other, ..)| rank < other)
        {
            return Some(served);
        }
        let (_, pool, session) = plain?;
        let group = self.serving_crew(pool);
        let id = &self.sessions[session].id;
        let agent = self.directory.group(group).pick(id)?;
        Some((session, group, agent))
    }

    /// The first session in the queue that passes over agents and for which another is free (R10c).
    fn next_passing(&self) -> Option<(QueueRank, (u32, u32, u32))> {
        let mut first = None;
        for ((pool, passed), waiting) in &self.queue.passing {
            let Some(&(rank, session)) = waiting.first() else {
                continue;
            };
            if first.is_some_and(|(other, _)| other < rank) {
                continue;
            }
            if let Some((group, agent)) = self.pick_passing(*pool, passed, session) {
                first = Some((rank, (session, group, agent)));
            }
        }
        first
    }

    /// The free agent for a session of a pool that passes over agents, and its group (R10c). Where no other eligible
    /// agent is online, they count like the rest.
    fn pick_passing(&self, pool: u32, passed: &[u32], session: u32) -> Option<(u32, u32)> {
        let Pool {
            group, ref scope, ..
        } = self.queue.pools[pool];
        let line = self.line_of(scope, group, passed);
        let others = self.directory.has_online_except(line, passed);
        let passed = if others { passed } else { &[] };
        let id = &self.sessions[session].id;
        let pick = |group| Some((group, self.directory.pick_except(group, id, passed)?));
        pick(group).or_else(|| pick(line))
    }

    /// The group that serves a pool: the scope's own agents first, then those in whose line it is.
    fn serving_crew(&self, pool: u32) -> u32 {
        let Pool { group, line, .. } = self.queue.pools[pool];
        if self.directory.has_free(group) {
            group
        } else {
            line
        }
    }

    /// The pool of a scope. Creates it if no session waits in it.
    pub(in crate::domain) fn pool_of(&mut self, scope: RoutingScope) -> u32 {
        let name = scope.pool_name();
        if let Some(pool) = self.queue.pools.find(&name) {
            return pool;
        }
        let group = self.directory.crew_of(&scope).unwrap_or(EVERYBODY);
        let line = self.line_of(&scope, group, &[]);
        let pool = Pool::from(scope);
        self.queue.pools.insert(Pool {
            group,
            line,
            ..pool
        })
    }

    /// The group whose free agents may serve a session of this scope that passes over agents (R7a).
    pub(in crate::domain) fn line_of(
        &self,
        scope: &RoutingScope,
        group: u32,
        passed: &[u32],
    ) -> u32 {
        let routing = &self.policy.routing;
        let overflows = match scope {
            RoutingScope::Question { .. } => {
                group != EVERYBODY && routing.overflow && self.directory.has_online(group)
            }
            RoutingScope::Entry(_) | RoutingScope::OrderStatus(_) | RoutingScope::All => false,
        };
        let anyone = match routing.when_scope_offline {
            WhenScopeOffline::AnyOnline => !self.directory.has_online_except(group, passed),
            WhenScopeOffline::Wait => false,
        };
        if overflows || anyone {
            EVERYBODY
        } else {
            group
        }
    }

    pub(in crate::domain) fn join_line(&mut self, pool: u32) {
        let record = &self.queue.pools[pool];
        if let Some((rank, _)) = record.plain.first() {
            let line = record.line;
            self.queue.lines[line as usize].insert((rank, pool));
            self.line_changed(line);
        }
    }

    fn leave_line(&mut self, pool: u32, rank: QueueRank) {
        let line = self.queue.pools[pool].line;
        self.queue.lines[line as usize].remove(&(rank, pool));
        self.line_changed(line);
    }

    fn line_changed(&mut self, line: u32) {
        let head = self.queue.lines[line as usize].first();
        match head {
            Some(&(rank, _)) if self.directory.has_free(line) => {
                self.queue.ready.set(line, rank);
            }
            Some(_) | None => self.queue.ready.remove(line),
        }
        if head.is_some() && !self.directory.is_made(line) {
            self.queue.unmade.insert(line);
        } else {
            self.queue.unmade.remove(&line);
        }
    }

    /// Updates the indices after an agent's load, counts or order changed.
    pub(in crate::domain) fn agent_changed(&mut self, agent: u32) {
        self.directory.refresh(agent);
        self.follow_desk_time(agent);
        self.overdue_may_move |= self.directory.is_free(agent);
        if self.queue.waiting == 0 || self.directory.stale() {
            return;
        }
        for at in 0..self.directory.agents[agent].seats.len() {
            let (group, _) = self.directory.agents[agent].seats[at];
            // The rota's group has no line.
            if !self.queue.lines[group as usize].is_empty() {
                self.line_changed(group);
            }
        }
        if self.directory.is_free(agent) && !self.queue.unmade.is_empty() {
            let lines = self.queue.unmade.iter().copied();
            let its_own: Vec<u32> = lines
                .filter(|&line| self.directory.sits_in(agent, line))
                .collect();
            its_own.into_iter().for_each(|line| self.line_changed(line));
        }
    }

    /// Moves every pool to the line where it belongs now.
    pub(in crate::domain) fn line_up(&mut self) {
        self.queue.ready = IndexedHeap::default();
        self.queue.lines.clear();
        self.queue.unmade.clear();
        let groups = self.directory.crew_count();
        self.queue.lines.resize_with(groups, BTreeSet::new);
        let pools: Vec<u32> = self.queue.pools.iter().map(|(pool, _)| pool).collect();
        for pool in pools {
            let scope = &self.queue.pools[pool].scope;
            let group = self.directory.crew_of(scope).unwrap_or(EVERYBODY);
            let line = self.line_of(scope, group, &[]);
            let record = &mut self.queue.pools[pool];
            (record.group, record.line) = (group, line);
            self.join_line(pool);
        }
    }

    /// Rebuilds groups and lines if the policy or the agents changed.
    pub(in crate::domain) fn fresh_crews(&mut self) {
        if self.directory.stale() {
            self.directory.make_crews();
            self.line_up();
        }
    }
}

/// Replaces `{ahead}` and `{position}` in one pass.
fn fill_in(prompt: &str, position: u32) -> String {
    let (ahead, position) = ((position - 1).to_string(), position.to_string());
    let mut filled = String::with_capacity(prompt.len() + 8);
    let mut rest = prompt;
    while let Some(at) = rest.find('{') {
        let (before, tail) = rest.split_at(at);
        filled.push_str(before);
        let known = [("{ahead}", &ahead), ("{position}", &position)];
        let hit = known.iter().find(|(name, _)| tail.starts_with(name));
        let (word, length) = hit.map_or(("{", 1), |(name, word)| (word.as_str(), name.len()));
        filled.push_str(word);
        rest = &tail[length..];
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::fill_in;

    #[test]
    fn prompts_are_filled_in() {
        for (prompt, filled) in [
            ("前面还有{ahead}位，请稍候", "前面还有2位，请稍候"),
            ("第{position}，前{ahead}，{ahead}", "第3，前2，2"),
            ("{ahead{position}}", "{ahead3}"),
            ("{}", "{}"),
            ("", ""),
        ] {
            assert_eq!(fill_in(prompt, 3), filled);
        }
    }
}
