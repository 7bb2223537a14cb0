//! The agents of a shop: what they may take, where they are, what they have, and what they had today.
//!
//! Number 0 is the bot, which is never routable. An agent that is removed keeps its number, its counts and its
//! place in the order of assignment (contract, `agent.removed`).

use std::collections::BTreeMap;

use super::daily_stats::LABELS_BACK;
use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::collections::linked_list::Chain;
use crate::domain::collections::slab_map::{Keyed, Table};
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::rating::Level;

/// The bot's number.
pub const BOT: u32 = 0;

/// The id under which the bot is written, and which no agent can have.
pub const BOT_ID: &str = "bot";

/// The role that makes an agent routable.
pub const ROUTABLE_ROLE: &str = "agent";

/// The largest capacity of an agent.
pub const CAPACITY_MAX: u32 = 1000;

/// The largest weight of an agent.
pub const WEIGHT_MAX: u32 = 100;

/// What an agent is configured to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentProfile {
    /// What it is called.
    pub name: Option<String>,
    /// Its roles, among them [`ROUTABLE_ROLE`] where it takes buyers.
    pub roles: Vec<Id>,
    /// How many sessions it may have at once, 1 to [`CAPACITY_MAX`].
    pub capacity: u32,
    /// Its share of the buyers under P2, 1 to [`WEIGHT_MAX`].
    pub weight: u32,
}

impl AgentProfile {
    /// Whether it takes buyers.
    pub fn routable(&self) -> bool {
        self.roles.iter().any(|role| role.as_str() == ROUTABLE_ROLE)
    }
}

/// Assignments of one natural day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCount {
    /// The day's label.
    pub day: Day,
    /// For whatever reason (P2).
    pub assigned: u32,
    /// By the rota, while nobody was online (R5).
    pub rota: u32,
}

impl DayCount {
    fn none(day: Day) -> DayCount {
        DayCount {
            day,
            assigned: 0,
            rota: 0,
        }
    }
}

/// What the report says of an agent, since the shop began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Assignments.
    pub assigned: u64,
    /// Recorded ratings by [`Level`].
    pub levels: [u64; Level::COUNT],
    /// The sum of their stars.
    pub stars: u64,
    /// Each reason of recorded ratings, once a rating.
    pub reasons: BTreeMap<Id, u64>,
}

/// An agent, or the bot.
pub struct Agent {
    /// Its id.
    pub id: Id,
    /// What it is configured to be; nothing once it is removed.
    pub post: Option<AgentProfile>,
    /// Whether its post has the role that takes buyers.
    pub routable: bool,
    /// Where it is; offline without a post.
    pub presence: Presence,
    /// Its open sessions, oldest assignment first; their number is its load.
    pub sessions: Chain,
    /// The `seq` of its latest assignment (P4); 0: never.
    pub last_assigned: u64,
    /// The counts of the latest day on which it was assigned something, and of those before that may come back.
    latest: DayCount,
    earlier: Vec<DayCount>,
    /// The crews it sits in, and at which seat.
    pub seats: Vec<(u32, u32)>,
    /// For the report.
    pub tally: Tally,
}

impl Agent {
    /// An agent of whom nothing is known but its id.
    pub fn new(id: Id, day: Day) -> Agent {
        Agent {
            id,
            post: None,
            routable: false,
            presence: Presence::Offline,
            sessions: Chain::EMPTY,
            last_assigned: 0,
            latest: DayCount::none(day),
            earlier: Vec::new(),
            seats: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Its open sessions.
    pub fn load(&self) -> u32 {
        self.sessions.len()
    }

    /// How many sessions it may have; nothing without a post.
    pub fn capacity(&self) -> u32 {
        self.post.as_ref().map_or(0, |post| post.capacity)
    }

    /// Its weight; 1 without a post.
    pub fn weight(&self) -> u32 {
        self.post.as_ref().map_or(1, |post| post.weight)
    }

    /// Whether it has a place left.
    pub fn has_room(&self) -> bool {
        self.load() < self.capacity()
    }

    /// Free: online and with a place left.
    pub fn free(&self) -> bool {
        self.routable && self.presence == Presence::Online && self.has_room()
    }

    /// What it was assigned on a day, as it was booked then.
    pub fn on_day(&self, day: Day) -> DayCount {
        if self.latest.day == day {
            return self.latest;
        }
        let known = self.earlier.iter().find(|count| count.day == day);
        known.copied().unwrap_or(DayCount::none(day))
    }

    /// The counts of the latest day on which it was assigned something, and of those before that may come back.
    pub(in crate::domain) fn counts(&self) -> (DayCount, &[DayCount]) {
        (self.latest, &self.earlier)
    }

    /// Sets what [`Agent::counts`] gives.
    pub(in crate::domain) fn set_counts(&mut self, latest: DayCount, earlier: Vec<DayCount>) {
        (self.latest, self.earlier) = (latest, earlier);
    }

    /// Books an assignment on a day, by the rota or not.
    pub fn book_assignment(&mut self, day: Day, rota: bool) {
        if self.latest.day != day {
            let known = self.on_day(day);
            self.earlier
                .push(std::mem::replace(&mut self.latest, known));
            // A label may return when the shop's zone changes, but not from far back.
            self.earlier.retain(|count| {
                count.day != day && count.day.0 >= day.0 - LABELS_BACK && count.assigned > 0
            });
        }
        self.latest.assigned += 1;
        self.latest.rota += u32::from(rota);
        self.tally.assigned += 1;
    }
}

impl Keyed for Agent {
    type Key = str;
    fn key(&self) -> &str {
        &self.id
    }
}

/// All agents that a shop ever had, by number and id.
pub type Agents = Table<Agent>;
