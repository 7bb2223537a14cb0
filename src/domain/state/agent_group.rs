//! Agent groups: the agents of a scope, and which of them is next (P1 to P4).
//!
//! A group keeps the agents that can be picked in a heap by the strategy's key, and in a rank set in id order for
//! draws. So a pick and an update of one agent cost O(log n). Scopes with the same members share a group.
//!
//! Invariant: a member is in the heap and in the rank set exactly if its agent can be picked, with its current key.

use std::cmp::Ordering;

use super::agent::Agent;
use crate::domain::base::calendar::Day;
use crate::domain::base::deterministic_draw::draw;
use crate::domain::collections::indexed_heap::IndexedHeap;
use crate::domain::collections::rank_set::RankSet;
use crate::domain::policy::{QueueMode, Strategy};
use crate::domain::protocol::codes::Presence;

/// A ratio of whole numbers, compared exactly by cross-multiplication.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// The numerator.
    pub over: u32,
    /// The denominator, never 0.
    pub under: u32,
}

impl Ord for Ratio {
    fn cmp(&self, other: &Ratio) -> Ordering {
        let this = u64::from(self.over) * u64::from(other.under);
        this.cmp(&(u64::from(other.over) * u64::from(self.under)))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Ratio) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Ratio) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ratio {}

/// The sort key of a member: the smallest ratio, then the earliest latest assignment (P4), then the index, which is id
/// order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PickKey {
    /// Load by capacity, today's assignments by weight, or the rota's assignments.
    pub ratio: Ratio,
    /// The `seq` of the latest assignment.
    pub last_assigned: u64,
}

/// How a group orders its agents, and which of them it can pick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PickBy {
    /// Free agents, ordered by the policy's strategy.
    Desk(Strategy, QueueMode),
    /// All agents regardless of presence, the fewest rota assignments of the day first (R5).
    Rota,
}

impl PickBy {
    /// Whether this group may pick the agent now.
    pub fn takes(self, agent: &Agent) -> bool {
        match self {
            PickBy::Desk(_, queue) => agent.free(queue),
            PickBy::Rota => agent.routable,
        }
    }

    /// Whether the order depends on the day's assignments, so that it changes with the day.
    pub fn by_day(self) -> bool {
        match self {
            PickBy::Desk(Strategy::FewestToday, _) | PickBy::Rota => true,
            PickBy::Desk(Strategy::LeastSaturated | Strategy::Random, _) => false,
        }
    }

    /// The agent's sort key on a day.
    pub fn turn(self, agent: &Agent, day: Day) -> PickKey {
        let (over, under) = match self {
            PickBy::Desk(Strategy::LeastSaturated, _) => (agent.load(), agent.capacity()),
            PickBy::Desk(Strategy::FewestToday, _) => (agent.on_day(day).assigned, agent.weight()),
            PickBy::Desk(Strategy::Random, _) => (0, 1),
            PickBy::Rota => (agent.on_day(day).rota, 1),
        };
        PickKey {
            ratio: Ratio { over, under },
            last_assigned: agent.last_assigned,
        }
    }
}

/// The routable agents of a scope.
pub struct AgentGroup {
    /// The agents' numbers in id order. The index is the position in the group.
    pub seats: Vec<u32>,
    /// The number of online agents.
    pub online: u32,
    duty: PickBy,
    turns: IndexedHeap<PickKey>,
    ranks: RankSet,
}

impl AgentGroup {
    /// A group of these agents. None can be picked until [`AgentGroup::refresh`].
    pub fn new(duty: PickBy, seats: Vec<u32>) -> AgentGroup {
        AgentGroup {
            ranks: RankSet::of_size(seats.len()),
            seats,
            online: 0,
            duty,
            turns: IndexedHeap::default(),
        }
    }

    /// Whether an agent can be picked.
    pub fn has_free(&self) -> bool {
        self.ranks.count() > 0
    }

    /// Whether the order changes with the day.
    pub fn by_day(&self) -> bool {
        self.duty.by_day()
    }

    /// Updates the agent at an index.
    pub fn refresh(&mut self, seat: u32, agent: &Agent, day: Day) {
        let takes = self.duty.takes(agent);
        self.ranks.set(seat, takes);
        if takes {
            // Draws use the rank set. The heap then only shows whether there is a free agent.
            self.turns.set(seat, self.duty.turn(agent, day));
        } else {
            self.turns.remove(seat);
        }
    }

    /// Updates the number of online agents after a change of presence.
    pub fn count_online(&mut self, before: Presence, after: Presence) {
        match (before == Presence::Online, after == Presence::Online) {
            (true, false) => self.online -= 1,
            (false, true) => self.online += 1,
            (true, true) | (false, false) => {}
        }
    }

    /// Like [`AgentGroup::pick`], with the agents at these indices left out, which are ascending.
    pub fn pick_except(&self, session: &str, left_out: &[u32]) -> Option<u32> {
        match self.duty {
            PickBy::Desk(Strategy::Random, _) => self.draw_except(session, left_out),
            PickBy::Desk(Strategy::LeastSaturated | Strategy::FewestToday, _) | PickBy::Rota => {
                let (_, seat) = self.turns.first_except(left_out)?;
                Some(self.seats[seat as usize])
            }
        }
    }

    /// Like [`AgentGroup::draw`], with the agents at these indices left out, which are ascending.
    pub fn draw_except(&self, session: &str, left_out: &[u32]) -> Option<u32> {
        let left_out = || {
            left_out
                .iter()
                .copied()
                .filter(|&seat| self.ranks.has(seat))
        };
        let free = self.ranks.count() - left_out().count() as u32;
        if free == 0 {
            return None;
        }
        let mut index = (draw(&[session]) % u64::from(free)) as u32;
        for seat in left_out() {
            index += u32::from(self.ranks.rank(seat) <= index);
        }
        let seat = self.ranks.nth(index)?;
        Some(self.seats[seat as usize])
    }

    /// The number of free agents at these indices.
    pub fn free_at(&self, seats: &[u32]) -> u32 {
        seats
            .iter()
            .map(|&seat| u32::from(self.ranks.has(seat)))
            .sum()
    }

    /// The number of free agents.
    pub fn free_count(&self) -> u32 {
        self.ranks.count()
    }

    /// The first agent in the group's order.
    pub fn pick(&self, session: &str) -> Option<u32> {
        let seat = match self.duty {
            PickBy::Desk(Strategy::Random, _) => return self.draw(session),
            PickBy::Desk(Strategy::LeastSaturated | Strategy::FewestToday, _) | PickBy::Rota => {
                self.turns.first()?.1
            }
        };
        Some(self.seats[seat as usize])
    }

    /// The agent that the session's draw selects (P3).
    pub fn draw(&self, session: &str) -> Option<u32> {
        if self.ranks.count() == 0 {
            return None;
        }
        let index = draw(&[session]) % u64::from(self.ranks.count());
        let seat = self.ranks.nth(index as u32)?;
        Some(self.seats[seat as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_exact() {
        let ratio = |over, under| Ratio { over, under };
        for (a, b, order) in [
            (ratio(1, 3), ratio(2, 6), Ordering::Equal),
            (ratio(333, 1000), ratio(1, 3), Ordering::Less),
            (ratio(998, 999), ratio(999, 1000), Ordering::Less),
            (ratio(0, 1), ratio(0, 1000), Ordering::Equal),
            (
                ratio(4_000_000_000, 1),
                ratio(4_000_000_000, 1000),
                Ordering::Greater,
            ),
        ] {
            assert_eq!(a.cmp(&b), order, "{a:?} {b:?}");
        }
    }
}
