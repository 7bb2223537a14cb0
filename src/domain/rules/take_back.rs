//! Take-back: a session leaves an agent that does not answer (R10), or one that is offline when another comes online
//! (R5b).

use super::routing::{RoutingChoice, RoutingRequest};
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::TakeBackAttempt;
use crate::domain::policy::{HandOver, TakeBackOtherwise};
use crate::domain::protocol::codes::{Presence, PresenceReason};
use crate::domain::protocol::decision::{AssignReason, DecisionBody, WaitReason};
use crate::domain::state::agent_directory::{EVERYBODY, RoutingScope};
use crate::domain::state::session::PassedAgents;
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

impl Shop {
    /// The buyer wrote to agents, or left the bot after writing to it: the session is in debt from now on, if it was
    /// not.
    pub(in crate::domain) fn incur_debt(&mut self, session: u32) {
        let now = self.now;
        let debt = &mut self.sessions[session].debt;
        if debt.is_none() {
            *debt = Some(now);
            self.arm_take_back(session);
        }
    }

    /// Starts the clock of R10a, if the session has an agent and a debt.
    pub(in crate::domain) fn arm_take_back(&mut self, session: u32) {
        let policy = self.policy.routing.take_back;
        let record = &self.sessions[session];
        let (Some(debt), Some(_)) = (record.debt, record.agent()) else {
            return;
        };
        let answered = record.marks.answered_here && !policy.each;
        if policy.after.is_zero() || answered || !self.may_bounce(session) {
            return;
        }
        let due = record.assigned_at.max(debt) + policy.after;
        self.timers.arm(session, Timer::TakeBack, due);
    }

    /// Whether the session may be taken back once more.
    fn may_bounce(&self, session: u32) -> bool {
        let max = self.policy.routing.take_back.max;
        max == 0 || self.sessions[session].bounces() < max
    }

    /// Ends the clock of R10a, and what it started.
    pub(in crate::domain) fn end_take_back(&mut self, session: u32) {
        self.timers.disarm(session, Timer::TakeBack);
        let record = &mut self.sessions[session];
        if std::mem::take(&mut record.marks.overdue)
            && let Some(debt) = record.debt
        {
            self.overdue.remove(&(debt, record.opened_as, session));
        }
    }

    /// The agent did not answer in time (R10a).
    pub(in crate::domain) fn answer_is_overdue(&mut self, session: u32, out: &mut DecisionSink) {
        let record = &mut self.sessions[session];
        let Some(debt) = record.debt else {
            return;
        };
        record.marks.overdue = true;
        self.overdue.insert((debt, record.opened_as, session));
        if !self.is_shut() {
            self.fresh_crews();
            self.take_back(session, TakeBackAttempt::Due, out);
        }
    }

    /// Tries the overdue sessions again, the oldest debt first, until one of them moves. Returns whether one did.
    pub(in crate::domain) fn take_back_overdue(&mut self, out: &mut DecisionSink) -> bool {
        if !self.overdue_may_move || self.overdue.is_empty() {
            return false;
        }
        let overdue: Vec<u32> = self
            .overdue
            .iter()
            .map(|&(_, _, session)| session)
            .collect();
        for session in overdue {
            self.timers.visit(session);
            if self.take_back(session, TakeBackAttempt::Again, out) {
                return true;
            }
        }
        self.overdue_may_move = false;
        false
    }

    /// Takes an overdue session from its agent, if another can get it (R10b). The agent groups must be current.
    fn take_back(
        &mut self,
        session: u32,
        attempt: TakeBackAttempt,
        out: &mut DecisionSink,
    ) -> bool {
        let record = &self.sessions[session];
        let Some(agent) = record.agent() else {
            return false;
        };
        if !self.may_bounce(session) {
            return false;
        }
        let mut passed: PassedAgents = record.passed().into();
        if let Err(place) = passed.binary_search(&agent) {
            passed.insert(place, agent);
        }
        let attributes = record.attributes.as_deref().cloned().unwrap_or_default();
        let caller = RoutingRequest {
            session: &record.id,
            attributes: &attributes,
            buyer: Some(record.buyer),
        };
        let bounce = record.bounces() + 1;
        self.note_not_answered(session, attempt, bounce, &passed, out);
        match self.route_anew(caller, &passed, out) {
            RoutingChoice::To { agent: next, .. } => {
                self.take_from(session, agent, passed, out);
                self.note_taken_back(session, attempt, out);
                self.assign(session, next, AssignReason::NoAnswer, out);
            }
            RoutingChoice::Wait { scope, .. } => {
                let queue = self.policy.routing.take_back.otherwise == TakeBackOtherwise::Queue;
                if !queue || !self.another_is_online(&scope, &passed) {
                    out.drop_notes();
                    return false;
                }
                self.take_from(session, agent, passed, out);
                self.note_taken_back(session, attempt, out);
                self.enqueue(session, scope, WaitReason::NoAnswer, out);
            }
        }
        self.miss(agent, out);
        true
    }

    /// The evidence again, for the decision that follows `session.taken_back`.
    fn note_taken_back(&self, session: u32, attempt: TakeBackAttempt, out: &mut DecisionSink) {
        if !out.is_asked(self.seq) {
            return;
        }
        let record = &self.sessions[session];
        self.note_not_answered(session, attempt, record.bounces(), record.passed(), out);
        let attributes = record.attributes.as_deref().cloned().unwrap_or_default();
        let caller = RoutingRequest {
            session: &record.id,
            attributes: &attributes,
            buyer: Some(record.buyer),
        };
        self.route_anew(caller, record.passed(), out);
    }

    /// Whether an agent that may serve the pool of this scope (R7), and is not passed over, is online.
    fn another_is_online(&self, scope: &RoutingScope, passed: &[u32]) -> bool {
        let group = self.directory.crew_of(scope).unwrap_or(EVERYBODY);
        let line = self.line_of(scope, group, passed);
        self.directory.has_online_except(line, passed)
    }

    /// `session.taken_back`.
    fn take_from(
        &mut self,
        session: u32,
        agent: u32,
        passed: PassedAgents,
        out: &mut DecisionSink,
    ) {
        let record = &mut self.sessions[session];
        let taken = record.taken_back.get_or_insert_default();
        taken.bounces += 1;
        taken.passed = passed;
        let bounce = taken.bounces;
        let since = self.stamp(self.sessions[session].debt.unwrap_or(self.now));
        self.directory.agents[agent].sheet(self.span.day).taken_back += 1;
        let (id, buyer) = self.names(session);
        let body = DecisionBody::SessionTakenBack {
            session: id,
            buyer,
            agent: self.agent_id(agent),
            since,
            bounce,
        };
        self.decide(body, out);
    }

    /// A session was taken from the agent. Too many in a row set it away (R10e).
    fn miss(&mut self, agent: u32, out: &mut DecisionSink) {
        let away_after = self.policy.routing.take_back.away_after;
        let record = &mut self.directory.agents[agent];
        record.misses += 1;
        let too_many = away_after > 0 && record.misses >= away_after;
        if !too_many || record.presence != Presence::Online {
            return;
        }
        self.note_missed(agent, out);
        let record = &mut self.directory.agents[agent];
        record.misses = 0;
        record.held = true;
        let presence = Presence::Away;
        self.set_presence(agent, presence);
        let body = DecisionBody::AgentPresenceSet {
            agent: self.agent_id(agent),
            presence,
            reason: PresenceReason::NoAnswer,
        };
        self.decide(body, out);
    }

    /// Hands sessions that wait for a reply of an offline agent over to the agents that are online (R5b).
    pub(in crate::domain) fn hand_over(&mut self, out: &mut DecisionSink) {
        let wanted = self.policy.routing.offline.hand_over == HandOver::Online;
        if !wanted || self.is_shut() {
            return;
        }
        self.fresh_crews();
        if !self.directory.anybody_online() {
            return;
        }
        let mut unanswered = Vec::new();
        for (_, agent) in self.directory.agents.iter() {
            if agent.presence == Presence::Offline {
                unanswered.extend(agent.sessions.iter(&self.sessions).filter_map(|session| {
                    let record = &self.sessions[session];
                    Some((record.debt?, record.opened_as, session))
                }));
            }
        }
        unanswered.sort_unstable();
        for (_, _, session) in unanswered {
            self.timers.visit(session);
            self.note_handed_over(session, out);
            let record = &self.sessions[session];
            let attributes = record.attributes.as_deref().cloned().unwrap_or_default();
            let caller = RoutingRequest {
                session: &record.id,
                attributes: &attributes,
                buyer: Some(record.buyer),
            };
            match self.route_anew(caller, &[], out) {
                RoutingChoice::To { agent, .. } => {
                    self.assign(session, agent, AssignReason::OfflineHandover, out);
                }
                RoutingChoice::Wait { scope, .. } => {
                    self.enqueue(session, scope, WaitReason::OfflineHandover, out);
                }
            }
        }
    }
}
