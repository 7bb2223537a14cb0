//! How a session gets an agent or a pool (R5 to R7), and the effects of agents that leave (R9).

use crate::model::calendar;
use crate::model::event::Presence;
use crate::model::policy::OnAgentOffline;
use crate::model::routing::Plan;
use crate::model::session::{Place, Pool};
use crate::model::shop::{Answer, Recent, Shop};
use crate::model::timers::TimerKind;
use crate::model::value::seconds;
use serde_json::json;

impl Shop {
    /// Whether one more session may wait (R6).
    pub fn queue_is_full(&self) -> bool {
        let limit = self.policy.routing.queue.limit;
        limit > 0 && self.waiting().len() as u64 >= limit
    }

    /// R1 to R6: does what was planned, with its notice and auto reply.
    pub fn follow(&mut self, session: usize, plan: Plan) {
        match plan {
            Plan::Assign { agent, reason } => self.assign(session, &agent, reason),
            Plan::Rota { agent } => {
                self.assign(session, &agent, "offline_rota");
                self.notify(session, &agent);
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
        self.assignments += 1;
        self.count_assignment(agent, reason);
        let place = Place::Agent {
            agent: agent.to_owned(),
            order: self.assignments,
        };
        let moved = &mut self.sessions[session];
        moved.place = place;
        moved.last_agent = Some(agent.to_owned());
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
        self.restart_silence(session);
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

    /// R6.
    fn queue(&mut self, session: usize, pool: Pool, reason: &'static str) {
        self.leave_agent(session);
        self.queueings += 1;
        let name = pool.name();
        let place = Place::Queue {
            pool: pool.clone(),
            since: self.clock,
            order: self.queueings,
        };
        self.sessions[session].place = place;
        self.sessions[session].was_queued = true;
        let position = self.position(&pool);
        let fields = json!({
            "session": self.sessions[session].id, "buyer": self.sessions[session].buyer,
            "pool": name, "position": position, "reason": reason, "prompt": self.prompt(position),
        });
        self.emit("session.queued", fields);
        self.timers.cancel(session, TimerKind::Silence);
        let max_wait = self.policy.routing.queue.max_wait;
        if max_wait > 0 {
            self.timers
                .arm(session, TimerKind::Queue, self.clock + max_wait);
        }
        match reason {
            "nobody_online" => self.send_offline_reply(session), // R5
            _ => self.send_queued_reply(session),
        }
    }

    /// The pool's sessions, the one that came last included.
    fn position(&self, pool: &Pool) -> u64 {
        let same = |session: &&usize| match &self.sessions[**session].place {
            Place::Queue { pool: other, .. } => other == pool,
            Place::Nowhere | Place::Bot | Place::Agent { .. } | Place::Closed { .. } => false,
        };
        self.open.iter().filter(same).count() as u64
    }

    fn prompt(&self, position: u64) -> String {
        let queue = &self.policy.routing.queue;
        if queue.show_position_below != 0 && position >= queue.show_position_below {
            return queue.busy_prompt.clone();
        }
        let ahead = (position - 1).to_string();
        queue
            .prompt
            .replace("{ahead}", &ahead)
            .replace("{position}", &position.to_string())
    }

    fn notify(&mut self, session: usize, agent: &str) {
        let fields = json!({ "agent": agent, "session": self.sessions[session].id });
        self.emit("agent.notified", fields);
    }

    /// `auto_reply.offline`: once a session, whichever rule sends it.
    fn send_offline_reply(&mut self, session: usize) {
        if self.policy.offline_reply.enabled && !self.sessions[session].offline_reply_sent {
            self.sessions[session].offline_reply_sent = true;
            let text = self.policy.offline_reply.text.clone();
            self.send_auto_reply(session, text);
        }
    }

    fn send_queued_reply(&mut self, session: usize) {
        if self.policy.queued_reply.enabled {
            let text = self.policy.queued_reply.text.clone();
            self.send_auto_reply(session, text);
        }
    }

    fn send_auto_reply(&mut self, session: usize, text: String) {
        let fields = json!({ "session": self.sessions[session].id, "text": text });
        self.emit("auto_reply.sent", fields);
    }

    /// R7: who has waited longest among those for whom somebody is free, again and again.
    pub fn drain(&mut self) {
        while let Some((session, agent)) = self.next_from_queue() {
            self.assign(session, &agent, "queue");
        }
    }

    fn next_from_queue(&self) -> Option<(usize, String)> {
        self.waiting().into_iter().find_map(|session| {
            let Place::Queue { pool, .. } = &self.sessions[session].place else {
                return None;
            };
            let eligible = self.eligible(pool);
            let id = &self.sessions[session].id;
            (!eligible.is_empty()).then(|| (session, self.pick(&eligible, id)))
        })
    }

    pub fn set_presence(&mut self, agent: &str, presence: Presence) -> Answer {
        let known = self.agents.get_mut(agent).ok_or("agent_unknown")?;
        let before = std::mem::replace(&mut known.presence, presence);
        if presence == Presence::Offline && before != Presence::Offline {
            self.went_offline(agent);
        }
        Ok(())
    }

    /// R9.
    fn went_offline(&mut self, agent: &str) {
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
        if let Plan::Assign { agent, .. } = self.plan_anew(&self.sessions[session]) {
            self.assign(session, &agent, "agent_offline");
        }
    }

    /// R9: a removed agent's sessions close or are routed anew; what cannot be assigned waits.
    pub fn remove_agent(&mut self, agent: &str) -> Answer {
        self.agents.remove(agent).ok_or("agent_unknown")?;
        for session in self.served_by(agent) {
            if self.policy.session.on_agent_offline == OnAgentOffline::Close {
                self.close(session, "agent_offline");
                continue;
            }
            match self.plan_anew(&self.sessions[session]) {
                Plan::Assign { agent, .. } => self.assign(session, &agent, "agent_offline"),
                wait @ (Plan::Rota { .. } | Plan::Wait { .. }) => self.follow(session, wait),
            }
        }
        Ok(())
    }

    /// R9, before the buyer's message is the agent's: true where nobody routable is online.
    pub fn reroute_from_offline(&mut self, session: usize) -> bool {
        if !self.agent_is_offline(session) {
            return false;
        }
        if self.online().is_empty() {
            return true;
        }
        self.reroute(session);
        false
    }

    fn agent_is_offline(&self, session: usize) -> bool {
        let agent = self.sessions[session]
            .agent()
            .and_then(|agent| self.agents.get(agent));
        agent.is_some_and(|agent| agent.presence == Presence::Offline)
    }

    /// R9, after the buyer's message that nobody sees.
    pub fn notify_offline(&mut self, session: usize) {
        let agent = self.sessions[session]
            .agent()
            .expect("an offline agent has it")
            .to_owned();
        self.notify(session, &agent);
        self.send_offline_reply(session);
    }
}
