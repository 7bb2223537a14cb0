//! Assignment: gives a session to an agent and removes it from its previous place. Includes the transfer by hand (R8).

use super::routing::RoutingChoice;
use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::decision::{AssignReason, DecisionBody, ErrorCode};
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::agent::BOT;
use crate::domain::state::session::SessionPlace;
use crate::domain::state::shop::Shop;

impl Shop {
    /// Carries out a routing choice, with the follow-up decisions of R5.
    pub(in crate::domain) fn follow(
        &mut self,
        session: u32,
        route: RoutingChoice,
        out: &mut DecisionSink,
    ) {
        match route {
            RoutingChoice::To { agent, reason } => {
                self.assign(session, agent, reason, out);
                if reason == AssignReason::OfflineRota {
                    // Outside the opening hours, the agent of the rota may be online (H2).
                    if self.directory.agents[agent].presence != Presence::Online {
                        self.note_left_to_rota(agent, out);
                        self.notify(session, agent, out);
                    }
                    self.note_left_to_rota(agent, out);
                    self.reply_offline(session, out);
                }
            }
            RoutingChoice::Wait { scope, reason } => self.enqueue(session, scope, reason, out),
        }
    }

    /// Assigns a session to an agent, from any place.
    pub(in crate::domain) fn assign(
        &mut self,
        session: u32,
        agent: u32,
        reason: AssignReason,
        out: &mut DecisionSink,
    ) {
        self.drop_round(session);
        let waited = self.leave(session);
        let record = &mut self.sessions[session];
        record.place = SessionPlace::Agent(agent);
        record.assigned_at = self.now;
        record.marks.answered_here = false;
        record.marks.had_round_here = false;
        if reason == AssignReason::Manual {
            // A transfer by hand starts anew (R10d).
            record.taken_back = None;
        }
        let before = std::mem::replace(&mut record.server, agent);
        let (repeat_visit, buyer) = (record.marks.repeat_visit, record.buyer);
        if !std::mem::replace(&mut record.marks.human, true) {
            self.totals.first_assignment(before == BOT, waited);
        }
        let server = &mut self.directory.agents[agent];
        server.sessions.append(&mut self.sessions, session);
        server.last_assigned = self.seq + 1;
        server.book_assignment(self.span.day, reason == AssignReason::OfflineRota);
        self.agent_changed(agent);
        self.served(buyer, agent);
        self.time_silence(session);
        self.arm_take_back(session);
        self.begin_round(session);
        let (id, buyer) = self.names(session);
        let body = DecisionBody::SessionAssigned {
            session: id,
            buyer,
            agent: self.agent_id(agent),
            reason,
            repeat_visit,
            waited,
        };
        self.decide(body, out);
    }

    /// Removes a session from its place. Returns how long it waited, if it was in a pool.
    pub(in crate::domain) fn leave(&mut self, session: u32) -> Duration {
        let record = &self.sessions[session];
        let buyer = record.buyer;
        match record.place {
            SessionPlace::Bot | SessionPlace::Closed { .. } => Duration::ZERO,
            SessionPlace::Waiting { since, .. } => {
                self.leave_pool(session);
                self.now - since
            }
            SessionPlace::Agent(agent) => {
                self.end_take_back(session);
                let server = &mut self.directory.agents[agent];
                server.sessions.unlink(&mut self.sessions, session);
                self.served(buyer, agent);
                self.agent_changed(agent);
                Duration::ZERO
            }
        }
    }

    /// Records the agent as the buyer's recent agent as of now (R1).
    pub(in crate::domain) fn served(&mut self, buyer: u32, agent: u32) {
        let buyer = &mut self.buyers[buyer];
        buyer.recent_agent = agent;
        buyer.recent_until = self.now;
    }

    /// `agent.notified`: a push notification to the agent's phone.
    pub(in crate::domain) fn notify(&mut self, session: u32, agent: u32, out: &mut DecisionSink) {
        let body = DecisionBody::AgentNotified {
            agent: self.agent_id(agent),
            session: self.sessions[session].id.clone(),
        };
        self.decide(body, out);
    }

    /// `session.transferred` (R8).
    pub(in crate::domain) fn transfer(
        &mut self,
        session: &Id,
        to: &Id,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let session = self.find_open(session)?;
        let found = self.directory.agents.find(to);
        let record = &self.sessions[session];
        if found.is_some() && record.agent() == found {
            return Ok(());
        }
        let agent = self.transferable(to, found)?;
        let from_bot = record.place == SessionPlace::Bot;
        if from_bot {
            self.settle_repeat_visit(session);
            self.leave_bot(session);
        }
        self.note_manual(agent, out);
        self.assign(session, agent, AssignReason::Manual, out);
        if from_bot {
            self.count_handoff(session, out);
        }
        Ok(())
    }

    pub(in crate::domain) fn transferable(
        &self,
        to: &Id,
        found: Option<u32>,
    ) -> Result<u32, Rejection> {
        let routable = found.filter(|&agent| self.directory.agents[agent].routable);
        let Some(agent) = routable else {
            let message = format!(
                "`to` {to:?} is no agent that takes buyers: name one whose roles contain `agent`."
            );
            return Err(Rejection::new(ErrorCode::AgentUnknown, message));
        };
        match self.directory.agents[agent].presence {
            Presence::Online | Presence::Away => Ok(agent),
            Presence::Offline => {
                let message = format!(
                    "Agent {to:?} is offline: name one who is online or away, or send `agent.online` first."
                );
                Err(Rejection::new(ErrorCode::AgentOffline, message))
            }
        }
    }
}
