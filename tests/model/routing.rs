//! Routing (R1 to R5, R14, P1 to P4, and the agents that R7 may use). It only plans and changes nothing.

use crate::model::event::Presence;
use crate::model::policy::{Member, Otherwise, Strategy};
use crate::model::session::{Pool, Session};
use crate::model::shop::Shop;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The role that makes an agent routable.
const ROUTABLE_ROLE: &str = "agent";

pub enum Plan {
    Assign {
        agent: String,
        reason: &'static str,
    },
    /// R5: to an agent that is not online.
    Rota {
        agent: String,
    },
    Wait {
        pool: Pool,
        reason: &'static str,
    },
}

impl Shop {
    /// R1 to R5: a session that was never with an agent nor in a pool.
    pub fn plan(&self, session: &Session) -> Plan {
        if self.routes_as_closed() {
            return self.plan_offline(self.scope(session), "closed"); // H2
        }
        if let Some(plan) = self.plan_recent(session) {
            return plan;
        }
        let scope = self.scope(session);
        if self.online().is_empty() {
            return self.plan_offline(scope, "nobody_online"); // R3
        }
        self.plan_scope(session, scope, &BTreeSet::new())
    }

    /// R9: R1 and R5 left out, and at every step the agents that R10 passes. A `Wait` is what H2, R3 or R4 gives.
    pub fn plan_anew(&self, session: &Session, passed: &BTreeSet<String>) -> Plan {
        let scope = self.scope(session);
        let nobody = if self.routes_as_closed() {
            Some("closed")
        } else if self.online().is_subset(passed) {
            Some("nobody_online")
        } else {
            None
        };
        match nobody {
            Some(reason) => Plan::Wait {
                pool: scope,
                reason,
            },
            None => self.plan_scope(session, scope, passed),
        }
    }

    /// R1. None where it goes on to R2.
    fn plan_recent(&self, session: &Session) -> Option<Plan> {
        let routing = &self.policy.routing;
        let recent = self.recent.get(&session.buyer)?;
        if !self.is_repeat_visit(&session.buyer) || !self.is_routable(&recent.agent) {
            return None;
        }
        let over = routing.recent_over_capacity;
        let in_away_window = self.clock - recent.until < routing.recent_away_window;
        let takes_it = match self.agents[&recent.agent].presence {
            Presence::Online if self.is_free(&recent.agent) || over => true, // a
            Presence::Online => return None,                                 // c
            Presence::Away => in_away_window && (self.has_room(&recent.agent) || over), // b
            Presence::Offline => false,
        };
        if takes_it {
            return Some(Plan::Assign {
                agent: recent.agent.clone(),
                reason: "recent_agent",
            });
        }
        let at_random = match routing.recent_otherwise {
            Otherwise::Continue => false,
            Otherwise::RandomOnline => true,
            Otherwise::RandomIfUngrouped => routing.order_status.is_empty(),
        };
        at_random.then(|| self.plan_random(session)) // d
    }

    /// R1d: any free agent, else pool `all`, else R5.
    fn plan_random(&self, session: &Session) -> Plan {
        if self.online().is_empty() {
            return self.plan_offline(Pool::All, "nobody_online");
        }
        let free = self.free(&self.routable());
        if free.is_empty() {
            return Plan::Wait {
                pool: Pool::All,
                reason: "all_busy",
            };
        }
        Plan::Assign {
            agent: at_random(&free, &session.id),
            reason: "recent_agent_unavailable",
        }
    }

    /// Whether the buyer has a recent agent within the window, routable or not.
    pub fn is_repeat_visit(&self, buyer: &str) -> bool {
        let window = self.policy.routing.recent_window;
        self.recent
            .get(buyer)
            .is_some_and(|recent| self.clock < recent.until + window)
    }

    /// R2: the first that fits.
    fn scope(&self, session: &Session) -> Pool {
        let routing = &self.policy.routing;
        let entry = routing.entries.get(&session.entry);
        if let (Some(entry), Some(question)) = (entry, &session.question)
            && entry.questions.contains_key(question)
        {
            return Pool::Question {
                entry: session.entry.clone(),
                question: question.clone(),
            };
        }
        if entry.is_some_and(|entry| entry.members.is_some()) {
            return Pool::Entry(session.entry.clone());
        }
        match &session.order_status {
            Some(status) if routing.order_status.contains_key(status) => {
                Pool::OrderStatus(status.clone())
            }
            _ => Pool::All,
        }
    }

    /// R4: somebody routable is online that is not passed.
    fn plan_scope(&self, session: &Session, scope: Pool, passed: &BTreeSet<String>) -> Plan {
        let candidates = &self.among(&self.agents_of(&scope), Presence::Online) - passed;
        let free = self.free(&candidates);
        let all_free = &self.free(&self.routable()) - passed;
        if !free.is_empty() {
            return Plan::Assign {
                agent: self.pick(&free, &session.id),
                reason: scope.reason(),
            }; // a
        }
        if !candidates.is_empty() {
            let overflows = self.policy.routing.overflow && matches!(scope, Pool::Question { .. });
            if overflows && !all_free.is_empty() {
                return Plan::Assign {
                    agent: self.pick(&all_free, &session.id),
                    reason: "overflow",
                };
            }
            return Plan::Wait {
                pool: scope,
                reason: "all_busy",
            }; // b
        }
        if !self.policy.routing.any_online_when_scope_offline {
            return Plan::Wait {
                pool: scope,
                reason: "scope_offline",
            }; // c
        }
        if all_free.is_empty() {
            return Plan::Wait {
                pool: Pool::All,
                reason: "all_busy",
            };
        }
        Plan::Assign {
            agent: at_random(&all_free, &session.id),
            reason: "scope_offline",
        }
    }

    /// R5.
    fn plan_offline(&self, pool: Pool, reason: &'static str) -> Plan {
        let members = match &self.policy.routing.rota {
            Some(members) => self.agents_named(members),
            None => BTreeSet::new(),
        };
        let today = self.today();
        let offline_assignments = |agent: &String| {
            let key = (agent.clone(), today.clone());
            self.day_counts.get(&key).map_or(0, |count| count.rota)
        };
        let fewest = |a: &&String, b: &&String| {
            offline_assignments(a)
                .cmp(&offline_assignments(b))
                .then_with(|| self.by_p4(a, b))
        };
        match members.iter().min_by(fewest) {
            Some(agent) => Plan::Rota {
                agent: agent.clone(),
            },
            None => Plan::Wait { pool, reason },
        }
    }

    /// R7a: the agents that are eligible for `pool`, whatever they are doing, and whether its own come first.
    fn eligible(&self, pool: &Pool, passed: &BTreeSet<String>) -> (BTreeSet<String>, bool) {
        let routing = &self.policy.routing;
        let own = self.agents_of(pool);
        let own_online = self.among(&own, Presence::Online);
        let is_question = matches!(pool, Pool::Question { .. });
        if routing.overflow && is_question && !own_online.is_empty() {
            return (self.routable(), true);
        }
        if routing.any_online_when_scope_offline && own_online.is_subset(passed) {
            return (self.routable(), false);
        }
        (own, false)
    }

    /// R7a and R10c: the free agents that a session waiting in `pool` may be given to.
    pub fn takers(&self, pool: &Pool, passed: &BTreeSet<String>) -> BTreeSet<String> {
        let (eligible, own_first) = self.eligible(pool, passed);
        let online = self.among(&eligible, Presence::Online);
        let others = &online - passed;
        let free = self.free(if others.is_empty() { &online } else { &others });
        let own_free = &free & &self.agents_of(pool);
        if own_first && !own_free.is_empty() {
            own_free
        } else {
            free
        }
    }

    /// R10b: whether an agent that is eligible for `pool` and not passed is online.
    pub fn may_wait_for_another(&self, pool: &Pool, passed: &BTreeSet<String>) -> bool {
        let (eligible, _) = self.eligible(pool, passed);
        !self.among(&eligible, Presence::Online).is_subset(passed)
    }

    /// The routable agents of a scope as the policy of now has it; one that it no longer has is `all`.
    fn agents_of(&self, pool: &Pool) -> BTreeSet<String> {
        let routing = &self.policy.routing;
        let members = match pool {
            Pool::Question { entry, question } => routing
                .entries
                .get(entry)
                .and_then(|entry| entry.questions.get(question)),
            Pool::Entry(entry) => routing
                .entries
                .get(entry)
                .and_then(|entry| entry.members.as_ref()),
            Pool::OrderStatus(status) => routing.order_status.get(status),
            Pool::All => None,
        };
        match members {
            Some(members) => self.agents_named(members),
            None => self.routable(),
        }
    }

    /// The routable agents that a list of members names.
    fn agents_named(&self, members: &[Member]) -> BTreeSet<String> {
        let named = |agent: &String| members.iter().any(|member| self.names(member, agent));
        self.routable().into_iter().filter(named).collect()
    }

    fn names(&self, member: &Member, agent: &str) -> bool {
        match member {
            Member::Agent(id) => id == agent,
            Member::Role(role) => self.agents[agent].roles.contains(role),
            Member::Group(group) => {
                let members = self.policy.routing.groups.get(group);
                members
                    .is_some_and(|members| members.iter().any(|member| self.names(member, agent)))
            }
        }
    }

    pub fn is_routable(&self, agent: &str) -> bool {
        let roles = self.agents.get(agent).map(|agent| &agent.roles);
        roles.is_some_and(|roles| roles.iter().any(|role| role == ROUTABLE_ROLE))
    }

    fn routable(&self) -> BTreeSet<String> {
        self.agents
            .keys()
            .filter(|agent| self.is_routable(agent))
            .cloned()
            .collect()
    }

    fn among(&self, agents: &BTreeSet<String>, presence: Presence) -> BTreeSet<String> {
        let has_it = |agent: &&String| self.agents[*agent].presence == presence;
        agents.iter().filter(has_it).cloned().collect()
    }

    /// The routable agents that are online.
    pub fn online(&self) -> BTreeSet<String> {
        self.among(&self.routable(), Presence::Online)
    }

    fn free(&self, agents: &BTreeSet<String>) -> BTreeSet<String> {
        let is_free = |agent: &&String| self.is_free(agent);
        agents.iter().filter(is_free).cloned().collect()
    }

    /// R14: with `queue.mode` `none` who is online is free whatever its load.
    pub fn is_free(&self, agent: &str) -> bool {
        let is_online = self.agents[agent].presence == Presence::Online;
        is_online && (self.policy.routing.queue.nobody_waits_for_room || self.has_room(agent))
    }

    pub fn has_room(&self, agent: &str) -> bool {
        self.load(agent) < self.agents[agent].capacity
    }

    /// Its open sessions, and its places after work (S8).
    pub fn load(&self, agent: &str) -> u64 {
        let assigned = |session: &&usize| self.sessions[**session].agent() == Some(agent);
        let places = self.places_after_work.iter().filter(|by| by.agent == agent);
        (self.open.iter().filter(assigned).count() + places.count()) as u64
    }

    fn count_today(&self, agent: &str) -> u64 {
        let key = (agent.to_owned(), self.today());
        self.day_counts.get(&key).map_or(0, |count| count.all)
    }

    /// P: one of some candidates.
    pub fn pick(&self, candidates: &BTreeSet<String>, session: &str) -> String {
        let rate = |agent: &str| match self.policy.routing.strategy {
            Strategy::LeastSaturated => (self.load(agent), self.agents[agent].capacity),
            Strategy::FewestToday | Strategy::Random => {
                (self.count_today(agent), self.agents[agent].weight)
            }
        };
        if self.policy.routing.strategy == Strategy::Random {
            return at_random(candidates, session);
        }
        let by_rate = |a: &&String, b: &&String| {
            let ((a_part, a_whole), (b_part, b_whole)) = (rate(a), rate(b));
            (a_part * b_whole)
                .cmp(&(b_part * a_whole))
                .then_with(|| self.by_p4(a, b))
        };
        candidates
            .iter()
            .min_by(by_rate)
            .expect("some candidates")
            .clone()
    }

    /// P4: whose latest assignment came first; never comes first of all; then the smaller id.
    fn by_p4(&self, a: &str, b: &str) -> Ordering {
        (self.latest.get(a), a).cmp(&(self.latest.get(b), b))
    }
}

/// P3: sorted by id, index H(session id) mod their number.
fn at_random(candidates: &BTreeSet<String>, session: &str) -> String {
    let index = hash(session) % candidates.len() as u64;
    let index = usize::try_from(index).expect("a small index");
    candidates
        .iter()
        .nth(index)
        .expect("some candidates")
        .clone()
}

/// H of P3 and I8.
pub fn hash(text: &str) -> u64 {
    let mut h: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        h ^= u64::from(byte);
        h = h.wrapping_mul(0x0100_0000_01b3);
    }
    h ^= h >> 30;
    h = h.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h ^= h >> 27;
    h = h.wrapping_mul(0x94d0_49bb_1331_11eb);
    h ^ (h >> 31)
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn hashes_of_the_spec() {
        let rows = [
            ("", 0xf52a_15e9_a9b5_e89b),
            ("a", 0x02c0_bdbf_4814_20f8),
            ("会话-1", 0xe69b_b63d_486f_c21d),
        ];
        for (text, expected) in rows {
            assert_eq!(hash(text), expected, "{text}");
        }
    }
}
