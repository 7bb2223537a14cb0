//! Agents are configured, change their presence and are removed (R9, `agent.*`), with the effects on their sessions.

use super::routing::{RoutingChoice, RoutingRequest};
use crate::domain::base::id::Id;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::Absence;
use crate::domain::policy::{OnAgentOffline, WhenScopeOffline};
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::decision::{AssignReason, CloseReason};
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::agent::{Agent, AgentProfile};
use crate::domain::state::shared_invites::Ledger;
use crate::domain::state::shop::Shop;

impl Shop {
    /// `agent.configured`: omitted fields get their defaults; presence and sessions stay.
    pub(in crate::domain) fn configure_agent(
        &mut self,
        agent: &Id,
        name: &Option<String>,
        roles: &[Id],
        capacity: u32,
        weight: u32,
    ) {
        let day = self.span.day;
        let agents = &mut self.directory.agents;
        let number = agents.find(agent);
        let number = number.unwrap_or_else(|| agents.insert(Agent::new(agent.clone(), day)));
        let post = AgentProfile {
            name: name.clone(),
            roles: roles.to_vec(),
            capacity,
            weight,
        };
        let record = &mut agents[number];
        record.routable = post.routable();
        let before = record.post.replace(post);
        self.overdue_may_move = true;
        self.follow_desk_time(number);
        if before.is_some_and(|before| before.roles == roles) {
            self.agent_changed(number);
        } else {
            self.directory.spoil();
        }
    }

    /// `agent.online`, `agent.away`, `agent.offline`.
    pub(in crate::domain) fn change_presence(
        &mut self,
        agent: &Id,
        presence: Presence,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let number = self.find_agent(agent)?;
        let record = &mut self.directory.agents[number];
        // Of one that the shop set away, `agent.away` says nothing new.
        record.held &= presence == Presence::Away;
        if presence != Presence::Offline {
            record.misses = 0;
        }
        let before = record.presence;
        if before == presence {
            return Ok(());
        }
        self.set_presence(number, presence);
        match presence {
            Presence::Online => self.hand_over(out),
            Presence::Away => {}
            Presence::Offline => {
                self.end_all_wrap_ups(number);
                match self.policy.session.on_agent_offline {
                    OnAgentOffline::Keep => {}
                    OnAgentOffline::Close => {
                        self.close_all_of(number, Absence::WentOffline, ledger, out);
                    }
                    OnAgentOffline::Reroute => {
                        self.reroute_all_of(number, Absence::WentOffline, out);
                    }
                }
            }
        }
        Ok(())
    }

    /// Changes an agent's presence, and which pools its groups serve.
    pub(in crate::domain) fn set_presence(&mut self, agent: u32, presence: Presence) {
        self.directory.set_presence(agent, presence);
        self.directory.agents[agent].presence_since = self.now;
        self.overdue_may_move = true;
        let routing = &self.policy.routing;
        // Whether a pool is served by everybody depends on who is online (R7a).
        let by_presence =
            routing.overflow || routing.when_scope_offline == WhenScopeOffline::AnyOnline;
        if by_presence && self.queue.waiting > 0 && !self.directory.stale() {
            self.line_up();
            self.follow_desk_time(agent);
        } else {
            self.agent_changed(agent);
        }
    }

    /// `agent.removed`.
    pub(in crate::domain) fn remove_agent(
        &mut self,
        agent: &Id,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let number = self.find_agent(agent)?;
        self.set_presence(number, Presence::Offline);
        self.end_all_wrap_ups(number);
        let record = &mut self.directory.agents[number];
        record.held = false;
        record.post = None;
        record.routable = false;
        self.directory.spoil();
        match self.policy.session.on_agent_offline {
            OnAgentOffline::Close => self.close_all_of(number, Absence::Removed, ledger, out),
            OnAgentOffline::Keep | OnAgentOffline::Reroute => {
                self.reroute_all_of(number, Absence::Removed, out);
            }
        }
        Ok(())
    }

    fn sessions_of(&self, agent: u32) -> Vec<u32> {
        let row = &self.directory.agents[agent].sessions;
        row.iter(&self.sessions).collect()
    }

    fn close_all_of(
        &mut self,
        agent: u32,
        absence: Absence,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) {
        for session in self.sessions_of(agent) {
            self.timers.visit(session);
            self.note_absent(agent, absence, out);
            self.close(session, CloseReason::AgentOffline, ledger, out);
        }
    }

    fn reroute_all_of(&mut self, agent: u32, absence: Absence, out: &mut DecisionSink) {
        self.fresh_crews();
        for session in self.sessions_of(agent) {
            self.timers.visit(session);
            self.reroute(session, absence, out);
        }
    }

    /// Routes a session again whose agent is offline or removed (R9). The agent groups must be current.
    pub(in crate::domain) fn reroute(
        &mut self,
        session: u32,
        absence: Absence,
        out: &mut DecisionSink,
    ) {
        let record = &self.sessions[session];
        if let Some(agent) = record.agent() {
            self.note_absent(agent, absence, out);
        }
        let attributes = record.attributes.as_deref().cloned().unwrap_or_default();
        let caller = RoutingRequest {
            session: &record.id,
            attributes: &attributes,
            buyer: Some(record.buyer),
        };
        match (self.route_anew(caller, &[], out), absence) {
            (RoutingChoice::To { agent, .. }, _) => {
                self.assign(session, agent, AssignReason::AgentOffline, out);
            }
            (RoutingChoice::Wait { scope, reason }, Absence::Removed) => {
                self.enqueue(session, scope, reason, out);
            }
            (RoutingChoice::Wait { .. }, Absence::WentOffline | Absence::AlreadyOffline) => {
                out.drop_notes();
            }
        }
    }
}
