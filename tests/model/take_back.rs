//! Take-back (R10): a session whose agent does not answer goes to another one, and the agent away.

use crate::model::event::Presence;
use crate::model::routing::Plan;
use crate::model::shop::Shop;
use crate::model::timers::TimerKind;
use serde_json::json;

impl Shop {
    /// A buyer's message that is not to the bot: it makes a debt where there is none.
    pub fn note_debt(&mut self, index: usize) {
        if self.sessions[index].debt.is_none() {
            self.sessions[index].debt = Some(self.clock);
            self.arm_take_back(index);
        }
    }

    /// R10a: at the assignment where there is a debt, else at the message that makes one.
    pub fn arm_take_back(&mut self, index: usize) {
        let policy = &self.policy.routing.take_back;
        let session = &self.sessions[index];
        let (Some(debt), Some(_)) = (session.debt, session.agent()) else {
            return;
        };
        let spoken = !policy.each && session.replied_since_assigned;
        if policy.after == 0 || self.is_bounced_out(index) || spoken {
            return;
        }
        let due = session.assigned_at.max(debt) + policy.after;
        self.timers.arm(index, TimerKind::TakeBack, due);
    }

    fn is_bounced_out(&self, index: usize) -> bool {
        let max = self.policy.routing.take_back.max;
        max > 0 && self.sessions[index].bounces >= max
    }

    /// R10a: a human reply, a close, and leaving the agent.
    pub fn end_take_back(&mut self, index: usize) {
        self.sessions[index].overdue = false;
        self.timers.cancel(index, TimerKind::TakeBack);
    }

    /// The timer has fired.
    pub fn take_back_due(&mut self, index: usize) {
        self.sessions[index].overdue = true;
        self.try_take_back(index);
    }

    /// R7b: the first overdue session that leaves its agent, oldest debt first, then in the order of opening.
    pub fn take_back_one(&mut self) -> bool {
        let mut overdue: Vec<usize> = self.open.iter().copied().collect();
        overdue.retain(|session| self.sessions[*session].overdue);
        overdue.sort_by_key(|session| (self.sessions[*session].debt, *session));
        overdue
            .into_iter()
            .any(|session| self.try_take_back(session))
    }

    /// R10b: whether it has left its agent.
    fn try_take_back(&mut self, index: usize) -> bool {
        if self.is_bounced_out(index) || self.routes_as_closed() {
            return false;
        }
        let session = &self.sessions[index];
        let agent = session.agent().expect("an agent has it").to_owned();
        let mut passed = session.taken_from.clone();
        passed.insert(agent.clone());
        let otherwise_queue = self.policy.routing.take_back.otherwise_queue;
        match self.plan_anew(session, &passed) {
            Plan::Assign { agent: to, .. } => {
                self.note_taken_back(index, &agent);
                self.assign(index, &to, "no_answer");
            }
            Plan::Wait { pool, .. }
                if otherwise_queue && self.may_wait_for_another(&pool, &passed) =>
            {
                self.note_taken_back(index, &agent);
                self.queue(index, pool, "no_answer");
            }
            Plan::Rota { .. } | Plan::Wait { .. } => return false,
        }
        self.send_away(&agent);
        true
    }

    fn note_taken_back(&mut self, index: usize, agent: &str) {
        let session = &mut self.sessions[index];
        session.bounces += 1;
        session.taken_from.insert(agent.to_owned());
        let (since, bounce) = (session.debt.expect("overdue"), session.bounces);
        let (id, buyer) = (session.id.clone(), session.buyer.clone());
        let fields = json!({
            "session": id, "buyer": buyer, "agent": agent, "since": self.written(since), "bounce": bounce,
        });
        self.emit("session.taken_back", fields);
        *self.misses.entry(agent.to_owned()).or_default() += 1;
        self.taken_backs.push((agent.to_owned(), self.today()));
    }

    /// R10e.
    fn send_away(&mut self, agent: &str) {
        let away_after = self.policy.routing.take_back.away_after;
        let known = self.agents.get_mut(agent).expect("it has lost a session");
        if away_after == 0 || self.misses[agent] < away_after || known.presence != Presence::Online
        {
            return;
        }
        known.presence = Presence::Away;
        self.misses.remove(agent);
        let fields = json!({ "agent": agent, "presence": "away", "reason": "no_answer" });
        self.emit("agent.presence_set", fields);
    }
}
