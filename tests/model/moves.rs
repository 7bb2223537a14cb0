//! How a session gets an agent (R5, R5b), and the effects of agents that come and go (R9).

use crate::model::calendar;
use crate::model::event::Presence;
use crate::model::policy::OnAgentOffline;
use crate::model::routing::Plan;
use crate::model::session::Place;
use crate::model::shop::{Answer, Recent, Shop};
use crate::model::timers::TimerKind;
use crate::model::value::seconds;
use serde_json::json;
use std::collections::BTreeSet;

impl Shop {
    /// R1 to R6: does what was planned, with its notice and auto reply.
    pub fn follow(&mut self, session: usize, plan: Plan) {
        match plan {
            Plan::Assign { agent, reason } => self.assign(session, &agent, reason),
            Plan::Rota { agent } => {
                self.assign(session, &agent, "offline_rota");
                if self.agents[&agent].presence != Presence::Online {
                    self.notify(session, &agent); // H2
                }
                self.send_offline_reply(session);
            }
            Plan::Wait { pool, reason } => self.queue(session, pool, reason),
        }
    }

    pub fn assign(&mut self, session: usize, agent: &str, reason: &'static str) {
        let wait = match self.sessions[session].place {
            Place::Queue { since, .. } => self.clock - since,
            Place::Nowhere | Place::Bot | Place::Agent { .. } | Place::Closed { .. } => 0,
        };
        self.leave_agent(session);
        self.drop_round(session);
        self.end_take_back(session);
        self.assignments += 1;
        self.count_assignment(agent, reason);
        let place = Place::Agent {
            agent: agent.to_owned(),
            order: self.assignments,
        };
        let moved = &mut self.sessions[session];
        moved.place = place;
        moved.last_agent = Some(agent.to_owned());
        moved.assigned_at = self.clock;
        moved.replied_since_assigned = false;
        moved.stretch_had_round = false;
        moved.first_wait.get_or_insert(wait);
        let fields = json!({
            "session": moved.id, "buyer": moved.buyer, "agent": agent, "reason": reason,
            "repeat_visit": moved.repeat_visit, "waited": seconds(wait),
        });
        let buyer = moved.buyer.clone();
        self.recent.insert(
            buyer,
            Recent {
                agent: agent.to_owned(),
                until: self.clock,
            },
        );
        self.emit("session.assigned", fields);
        self.timers.cancel(session, TimerKind::Queue);
        self.timers.cancel(session, TimerKind::Left);
        self.restart_silence(session);
        self.arm_take_back(session);
        self.begin_round(session);
    }

    fn count_assignment(&mut self, agent: &str, reason: &str) {
        let day = calendar::day(self.clock, &self.policy.zone);
        let count = self.day_counts.entry((agent.to_owned(), day)).or_default();
        count.all += 1;
        count.rota += u64::from(reason == "offline_rota");
        self.latest.insert(agent.to_owned(), self.assignments);
        *self.assigned.entry(agent.to_owned()).or_default() += 1;
    }

    /// R1: the recent agent served until the session closes or leaves it.
    pub fn leave_agent(&mut self, session: usize) {
        let left = &self.sessions[session];
        if let Some(agent) = left.agent() {
            let recent = Recent {
                agent: agent.to_owned(),
                until: self.clock,
            };
            self.recent.insert(left.buyer.clone(), recent);
        }
    }

    fn notify(&mut self, session: usize, agent: &str) {
        let fields = json!({ "agent": agent, "session": self.sessions[session].id });
        self.emit("agent.notified", fields);
    }

    /// `auto_reply.offline`, or `auto_reply.closed` in its place (H2): once a session, whichever rule sends it.
    pub fn send_offline_reply(&mut self, session: usize) {
        let closed = &self.policy.closed_reply;
        let reply = match !self.is_open && closed.enabled {
            true => closed,
            false => &self.policy.offline_reply,
        };
        if reply.enabled && !self.sessions[session].offline_reply_sent {
            let text = reply.text.clone();
            self.sessions[session].offline_reply_sent = true;
            self.send_auto_reply(session, text);
        }
    }

    pub fn send_queued_reply(&mut self, session: usize) {
        if self.policy.queued_reply.enabled {
            let text = self.policy.queued_reply.text.clone();
            self.send_auto_reply(session, text);
        }
    }

    fn send_auto_reply(&mut self, session: usize, text: String) {
        let fields = json!({ "session": self.sessions[session].id, "text": text });
        self.emit("auto_reply.sent", fields);
    }

    pub fn set_presence(&mut self, agent: &str, presence: Presence) -> Answer {
        let known = self.agents.get_mut(agent).ok_or("agent_unknown")?;
        let before = std::mem::replace(&mut known.presence, presence);
        match presence {
            Presence::Online | Presence::Away => {
                self.misses.remove(agent); // R10e
            }
            Presence::Offline if before != Presence::Offline => self.went_offline(agent),
            Presence::Offline => {}
        }
        if presence == Presence::Online && before != Presence::Online {
            self.hand_over();
        }
        Ok(())
    }

    /// R5b: what is with agents who are offline, and has a debt.
    pub fn hand_over(&mut self) {
        let wanted = self.policy.routing.hand_over;
        if !wanted || self.online().is_empty() || self.routes_as_closed() {
            return;
        }
        let mut owing: Vec<usize> = self.open.iter().copied().collect();
        owing.retain(|session| {
            self.agent_is_offline(*session) && self.sessions[*session].debt.is_some()
        });
        owing.sort_by_key(|session| (self.sessions[*session].debt, *session));
        for session in owing {
            match self.plan_anew(&self.sessions[session], &BTreeSet::new()) {
                Plan::Assign { agent, .. } => self.assign(session, &agent, "offline_handover"),
                Plan::Wait { pool, .. } => self.queue(session, pool, "offline_handover"),
                Plan::Rota { .. } => unreachable!("R5 is left out"),
            }
        }
    }

    /// R9a.
    fn went_offline(&mut self, agent: &str) {
        self.free_places_of(agent); // S8
        for session in self.served_by(agent) {
            match self.policy.session.on_agent_offline {
                OnAgentOffline::Keep => {}
                OnAgentOffline::Close => self.close(session, "agent_offline"),
                OnAgentOffline::Reroute => self.reroute(session),
            }
        }
    }

    /// The open sessions of an agent, oldest assignment first.
    fn served_by(&self, agent: &str) -> Vec<usize> {
        let order = |session: &usize| match &self.sessions[*session].place {
            Place::Agent { agent: by, order } if by == agent => Some(*order),
            Place::Nowhere
            | Place::Bot
            | Place::Agent { .. }
            | Place::Queue { .. }
            | Place::Closed { .. } => None,
        };
        let mut served: Vec<usize> = self
            .open
            .iter()
            .copied()
            .filter(|session| order(session).is_some())
            .collect();
        served.sort_by_key(order);
        served
    }

    /// R9: routed anew; where it would be queued or nobody is online, it stays.
    fn reroute(&mut self, session: usize) {
        let plan = self.plan_anew(&self.sessions[session], &BTreeSet::new());
        if let Plan::Assign { agent, .. } = plan {
            self.assign(session, &agent, "agent_offline");
        }
    }

    /// R9: a removed agent's sessions close or are routed anew; what cannot be assigned waits.
    pub fn remove_agent(&mut self, agent: &str) -> Answer {
        self.agents.remove(agent).ok_or("agent_unknown")?;
        self.free_places_of(agent); // S8
        for session in self.served_by(agent) {
            if self.policy.session.on_agent_offline == OnAgentOffline::Close {
                self.close(session, "agent_offline");
                continue;
            }
            match self.plan_anew(&self.sessions[session], &BTreeSet::new()) {
                Plan::Assign { agent, .. } => self.assign(session, &agent, "agent_offline"),
                wait @ (Plan::Rota { .. } | Plan::Wait { .. }) => self.follow(session, wait),
            }
        }
        Ok(())
    }

    /// R9c, before the buyer's message is the agent's.
    pub fn reroute_from_offline(&mut self, session: usize) {
        if self.agent_is_offline(session) {
            self.reroute(session);
        }
    }

    fn agent_is_offline(&self, session: usize) -> bool {
        let agent = self.sessions[session]
            .agent()
            .and_then(|agent| self.agents.get(agent));
        agent.is_some_and(|agent| agent.presence == Presence::Offline)
    }

    /// R9c, after the buyer's message of a session that has stayed with an agent who is offline.
    pub fn notify_offline(&mut self, session: usize) {
        if !self.agent_is_offline(session) {
            return;
        }
        let agent = self.sessions[session].agent().expect("it is offline");
        let agent = agent.to_owned();
        self.notify(session, &agent);
        if self.online().is_empty() || self.routes_as_closed() {
            self.send_offline_reply(session);
        }
    }
}
