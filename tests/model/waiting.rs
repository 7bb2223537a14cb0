//! Waiting and draining (R6, R7, R11).

use crate::model::session::{Place, Pool};
use crate::model::shop::Shop;
use crate::model::timers::TimerKind;
use crate::model::value::Ms;
use serde_json::json;

impl Shop {
    /// R11: its last `session.ranked`, else its opening's, else its buyer's last `buyer.ranked`, else 0.
    fn priority(&self, index: usize) -> u64 {
        let session = &self.sessions[index];
        let of_buyer = self.buyer_ranks.get(&session.buyer).copied();
        session
            .ranked
            .or(session.opened_with)
            .or(of_buyer)
            .unwrap_or(0)
    }

    /// R11: by queue instant − priority × age, then queue instant, then order of queueing. None where it does not wait.
    pub fn turn(&self, index: usize) -> Option<(Ms, Ms, u64)> {
        let Place::Queue { instant, order, .. } = self.sessions[index].place else {
            return None;
        };
        let priority = i64::try_from(self.priority(index)).expect("at most 9");
        let earlier = priority * self.policy.routing.priority_age;
        Some((instant - earlier, instant, order))
    }

    /// The waiting sessions in the order of R11.
    pub fn waiting(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = self.open.iter().copied().collect();
        waiting.retain(|session| self.sessions[*session].is_waiting());
        waiting.sort_by_key(|session| self.turn(*session));
        waiting
    }

    /// R6c: whether one more session may not wait.
    pub fn queue_is_full(&self) -> bool {
        let limit = self.policy.routing.queue.limit;
        limit > 0 && self.waiting().len() as u64 >= limit
    }

    pub fn queue(&mut self, session: usize, pool: Pool, reason: &'static str) {
        self.leave_agent(session);
        self.drop_round(session);
        self.end_take_back(session);
        self.queueings += 1;
        let instant = match reason {
            "no_answer" | "offline_handover" => self.sessions[session].debt.expect("a debt"), // R11
            _ => self.clock,
        };
        let name = pool.name();
        self.sessions[session].place = Place::Queue {
            pool: pool.clone(),
            since: self.clock,
            instant,
            order: self.queueings,
        };
        self.sessions[session].was_queued = true;
        let position = self.position(session, &pool);
        let priority = self.priority(session);
        let has_weight = priority > 0 && self.policy.routing.priority_age > 0;
        let fields = json!({
            "session": self.sessions[session].id, "buyer": self.sessions[session].buyer,
            "pool": name, "position": position, "reason": reason,
            "prompt": self.prompt(position, reason), "priority": has_weight.then_some(priority),
        });
        self.emit("session.queued", fields);
        self.timers.cancel(session, TimerKind::Silence);
        let max_wait = self.policy.routing.queue.max_wait;
        if max_wait > 0 {
            self.timers
                .arm(session, TimerKind::Queue, self.clock + max_wait);
        }
        self.arm_left(session);
        match reason {
            "nobody_online" | "closed" => self.send_offline_reply(session), // R5
            "offline_handover" => {}                                        // R5b
            _ => self.send_queued_reply(session),                           // R6b
        }
    }

    /// R6: among the pool's sessions, in the order of R11.
    fn position(&self, session: usize, pool: &Pool) -> u64 {
        let in_pool = |other: &usize| match &self.sessions[*other].place {
            Place::Queue { pool: other, .. } => other == pool,
            Place::Nowhere | Place::Bot | Place::Agent { .. } | Place::Closed { .. } => false,
        };
        let mut pool = self.waiting().into_iter().filter(in_pool);
        let ahead = pool.position(|other| other == session);
        ahead.expect("it waits there") as u64 + 1
    }

    /// R6a; H2 where the reason is `closed`.
    fn prompt(&self, position: u64, reason: &str) -> String {
        let closed = &self.policy.hours.prompt;
        if reason == "closed" && !closed.is_empty() {
            return closed.clone();
        }
        let queue = &self.policy.routing.queue;
        if queue.show_position_below != 0 && position >= queue.show_position_below {
            return queue.busy_prompt.clone();
        }
        let prompt = match position {
            1 if !queue.next_prompt.is_empty() => &queue.next_prompt,
            _ => &queue.prompt,
        };
        prompt
            .replace("{ahead}", &(position - 1).to_string())
            .replace("{position}", &position.to_string())
    }

    /// R7: the first in the order of R11 for whom somebody is free, again and again. Where there is none, an overdue
    /// session may leave its agent, which makes room.
    pub fn drain(&mut self) {
        if self.routes_as_closed() {
            return; // H2
        }
        loop {
            if let Some((session, agent)) = self.next_from_queue() {
                self.assign(session, &agent, "queue");
            } else if !self.take_back_one() {
                return;
            }
        }
    }

    fn next_from_queue(&self) -> Option<(usize, String)> {
        self.waiting().into_iter().find_map(|session| {
            let Place::Queue { pool, .. } = &self.sessions[session].place else {
                return None;
            };
            if self.timers.is_armed(session, TimerKind::Left) {
                return None; // S7
            }
            let takers = self.takers(pool, &self.sessions[session].taken_from);
            let id = &self.sessions[session].id;
            (!takers.is_empty()).then(|| (session, self.pick(&takers, id)))
        })
    }
}
