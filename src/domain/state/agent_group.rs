//! Crews: the agents of a scope, and who of them is next (P1 to P4).
//!
//! A crew keeps those who can be picked in a heap by the strategy's key, and by their order of ids for drawing
//! lots, so that a pick and a change of one agent cost O(log n). Scopes with the same members share a crew.
//!
//! Invariant: a seat is in the heap and in the ranks exactly when its agent can be picked, with the key of now.

use std::cmp::Ordering;

use super::agent::Agent;
use crate::domain::base::calendar::Day;
use crate::domain::base::deterministic_draw::lot;
use crate::domain::collections::indexed_heap::Heap;
use crate::domain::collections::rank_set::Ranks;
use crate::domain::policy::Strategy;
use crate::domain::protocol::codes::Presence;

/// A ratio of whole numbers, compared exactly by cross-multiplication.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// Above the line.
    pub over: u32,
    /// Below the line, not 0.
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

/// Who is next: the least ratio, then whose latest assignment came first (P4); then the seat, which is the order of ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Turn {
    /// Load by capacity, today's count by weight, or the rota's count.
    pub ratio: Ratio,
    /// The `seq` of the latest assignment.
    pub last_assigned: u64,
}

/// By what a crew orders its agents, and who of them can be picked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duty {
    /// The free ones, by the policy's strategy.
    Desk(Strategy),
    /// All of them whether there or not, the fewest offline assignments of today first (R5).
    Rota,
}

impl Duty {
    /// Whether this crew may pick the agent now.
    pub fn takes(self, agent: &Agent) -> bool {
        match self {
            Duty::Desk(_) => agent.free(),
            Duty::Rota => agent.routable,
        }
    }

    /// Whether the order follows what was assigned on the day, so that it is another on the next.
    pub fn by_day(self) -> bool {
        match self {
            Duty::Desk(Strategy::FewestToday) | Duty::Rota => true,
            Duty::Desk(Strategy::LeastSaturated | Strategy::Random) => false,
        }
    }

    /// The agent's place in the order on a day.
    pub fn turn(self, agent: &Agent, day: Day) -> Turn {
        let (over, under) = match self {
            Duty::Desk(Strategy::LeastSaturated) => (agent.load(), agent.capacity()),
            Duty::Desk(Strategy::FewestToday) => (agent.on_day(day).assigned, agent.weight()),
            Duty::Desk(Strategy::Random) => (0, 1),
            Duty::Rota => (agent.on_day(day).rota, 1),
        };
        Turn {
            ratio: Ratio { over, under },
            last_assigned: agent.last_assigned,
        }
    }
}

/// The routable agents of a scope.
pub struct Crew {
    /// Agents by their numbers, in the order of their ids; the place here is the seat.
    pub seats: Vec<u32>,
    /// How many of them are online.
    pub online: u32,
    duty: Duty,
    turns: Heap<Turn>,
    ranks: Ranks,
}

impl Crew {
    /// A crew of these agents, of whom none can be picked until [`Crew::refresh`] says so.
    pub fn new(duty: Duty, seats: Vec<u32>) -> Crew {
        Crew {
            ranks: Ranks::of_size(seats.len()),
            seats,
            online: 0,
            duty,
            turns: Heap::default(),
        }
    }

    /// Whether somebody can be picked.
    pub fn has_free(&self) -> bool {
        self.ranks.count() > 0
    }

    /// Whether its order is another on the next day.
    pub fn by_day(&self) -> bool {
        self.duty.by_day()
    }

    /// Takes a seat's agent as it is now.
    pub fn refresh(&mut self, seat: u32, agent: &Agent, day: Day) {
        let takes = self.duty.takes(agent);
        self.ranks.set(seat, takes);
        if takes {
            // Lots are drawn by rank: the heap then only says that somebody is there.
            self.turns.set(seat, self.duty.turn(agent, day));
        } else {
            self.turns.remove(seat);
        }
    }

    /// Counts an agent in or out of those online, where its presence has changed.
    pub fn count_online(&mut self, before: Presence, after: Presence) {
        match (before == Presence::Online, after == Presence::Online) {
            (true, false) => self.online -= 1,
            (false, true) => self.online += 1,
            (true, true) | (false, false) => {}
        }
    }

    /// The agent that the crew's own order picks.
    pub fn pick(&self, session: &str) -> Option<u32> {
        let seat = match self.duty {
            Duty::Desk(Strategy::Random) => return self.draw(session),
            Duty::Desk(Strategy::LeastSaturated | Strategy::FewestToday) | Duty::Rota => {
                self.turns.first()?.1
            }
        };
        Some(self.seats[seat as usize])
    }

    /// The agent that the session's lot falls on (P3).
    pub fn draw(&self, session: &str) -> Option<u32> {
        if self.ranks.count() == 0 {
            return None;
        }
        let index = lot(&[session]) % u64::from(self.ranks.count());
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
