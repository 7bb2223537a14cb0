//! Waiting: pools, positions and prompts (R6), and which session a free agent serves next (R7).
//!
//! Every non-empty pool is in the line of one agent group: that of its scope, or the group of all agents if R7 says so.
//! A group with a free agent and a non-empty line is *ready*. Ready groups are indexed by the oldest ticket of their
//! lines, so a drain finds the next session in O(log n).
//!
//! Invariant: after a drain no group is ready.

use std::collections::BTreeSet;

use crate::domain::collections::indexed_heap::IndexedHeap;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::policy::WhenScopeOffline;
use crate::domain::protocol::decision::{AssignReason, CloseReason, DecisionBody, WaitReason};
use crate::domain::state::agent_directory::{EVERYBODY, RoutingScope};
use crate::domain::state::queues::Pool;
use crate::domain::state::session::SessionPlace;
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
        self.leave(session);
        let pool = self.pool_of(scope);
        let ticket = self.queue.tickets + 1;
        self.queue.tickets = ticket;
        let record = &mut self.sessions[session];
        record.place = SessionPlace::Waiting {
            pool,
            ticket,
            since: self.now,
        };
        if !std::mem::replace(&mut record.marks.queued, true) {
            self.totals.queued += 1;
        }
        let row = &mut self.queue.pools[pool].waiting;
        row.append(&mut self.sessions, session);
        let position = row.len();
        self.queue.waiting += 1;
        if position == 1 {
            self.join_line(pool);
        }
        self.timers.disarm(session, Timer::Silence);
        let max_wait = self.policy.routing.queue.max_wait;
        if !max_wait.is_zero() {
            self.timers.arm(session, Timer::Queue, self.now + max_wait);
        }
        let (id, buyer) = self.names(session);
        let body = DecisionBody::SessionQueued {
            session: id,
            buyer,
            pool: self.queue.pools[pool].name.clone(),
            position,
            reason,
            prompt: self.prompt(position).into(),
        };
        self.decide(body, out);
        self.note_waits(pool, position, reason, out);
        match reason {
            WaitReason::AllBusy | WaitReason::ScopeOffline => self.reply_queued(session, out),
            WaitReason::NobodyOnline => self.reply_offline(session, out),
        }
    }

    /// The prompt for a position.
    fn prompt(&self, position: u32) -> String {
        let queue = &self.policy.routing.queue;
        if queue.show_position_below != 0 && position >= queue.show_position_below {
            return queue.busy_prompt.clone();
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

    /// `auto_reply.offline`, once per session (R5, R9).
    pub(in crate::domain) fn reply_offline(&mut self, session: u32, out: &mut DecisionSink) {
        let reply = &self.policy.auto_reply.offline;
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
    pub(in crate::domain) fn leave_pool(&mut self, session: u32, pool: u32, ticket: u64) {
        self.timers.disarm(session, Timer::Queue);
        self.queue.waiting -= 1;
        let row = &mut self.queue.pools[pool].waiting;
        let at_head = row.first() == Some(session);
        row.unlink(&mut self.sessions, session);
        let empty = row.is_empty();
        if at_head {
            self.leave_line(pool, ticket);
            if empty {
                self.queue.pools.remove(pool);
            } else {
                self.join_line(pool);
            }
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

    /// Serves waiting sessions while there are free agents for them, the longest wait first (R7).
    pub(in crate::domain) fn drain(&mut self, out: &mut DecisionSink) {
        if self.queue.waiting == 0 {
            return;
        }
        self.fresh_crews();
        while let Some((_, line)) = self.queue.ready.first() {
            let Some(&(_, pool)) = self.queue.lines[line as usize].first() else {
                break;
            };
            let Some(session) = self.queue.pools[pool].waiting.first() else {
                break;
            };
            let group = self.serving_crew(pool);
            let id = &self.sessions[session].id;
            let Some(agent) = self.directory.group(group).pick(id) else {
                break;
            };
            self.timers.visit(session);
            self.note_drain(session, group, agent, out);
            self.assign(session, agent, AssignReason::Queue, out);
        }
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
        let line = self.line_of(&scope, group);
        let pool = Pool::from(scope);
        self.queue.pools.insert(Pool {
            group,
            line,
            ..pool
        })
    }

    /// The group whose free agents may serve a pool of this scope (R7).
    fn line_of(&self, scope: &RoutingScope, group: u32) -> u32 {
        let routing = &self.policy.routing;
        let overflows = match scope {
            RoutingScope::Question { .. } => routing.overflow,
            RoutingScope::Entry(_) | RoutingScope::OrderStatus(_) | RoutingScope::All => false,
        };
        let anyone = match routing.when_scope_offline {
            WhenScopeOffline::AnyOnline => !self.directory.has_online(group),
            WhenScopeOffline::Wait => false,
        };
        if overflows || anyone {
            EVERYBODY
        } else {
            group
        }
    }

    fn head_ticket(&self, pool: u32) -> Option<u64> {
        let head = self.queue.pools[pool].waiting.first()?;
        match self.sessions[head].place {
            SessionPlace::Waiting { ticket, .. } => Some(ticket),
            SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. } => None,
        }
    }

    pub(in crate::domain) fn join_line(&mut self, pool: u32) {
        if let Some(ticket) = self.head_ticket(pool) {
            let line = self.queue.pools[pool].line;
            self.queue.lines[line as usize].insert((ticket, pool));
            self.line_changed(line);
        }
    }

    pub(in crate::domain) fn leave_line(&mut self, pool: u32, ticket: u64) {
        let line = self.queue.pools[pool].line;
        self.queue.lines[line as usize].remove(&(ticket, pool));
        self.line_changed(line);
    }

    fn line_changed(&mut self, line: u32) {
        let head = self.queue.lines[line as usize].first();
        match head {
            Some(&(ticket, _)) if self.directory.has_free(line) => {
                self.queue.ready.set(line, ticket);
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
        if self.directory.agents[agent].free() && !self.queue.unmade.is_empty() {
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
            let line = self.line_of(scope, group);
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
