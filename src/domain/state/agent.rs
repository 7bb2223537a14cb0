//! The agents of a shop: profile, presence, open sessions, and the counts of the day.
//!
//! Number 0 is the bot, which is never routable. A removed agent keeps its number, its counts and its position in the
//! order of assignments (contract, `agent.removed`).

use std::collections::BTreeMap;

use super::daily_stats::LABELS_BACK;
use super::sheets::{AgentSheet, DeskState, DeskTime};
use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::collections::linked_list::LinkedList;
use crate::domain::collections::slab_map::{Keyed, SlabMap};
use crate::domain::policy::QueueMode;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::rating::Level;

/// The bot's number.
pub const BOT: u32 = 0;

/// The id of the bot. No agent can have it.
pub const BOT_ID: &str = "bot";

/// The role that makes an agent routable.
pub const ROUTABLE_ROLE: &str = "agent";

/// The maximum capacity of an agent.
pub const CAPACITY_MAX: u32 = 1000;

/// The maximum weight of an agent.
pub const WEIGHT_MAX: u32 = 100;

/// The configuration of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentProfile {
    /// The display name.
    pub name: Option<String>,
    /// The roles. With [`ROUTABLE_ROLE`], the agent can get sessions.
    pub roles: Vec<Id>,
    /// The maximum number of open sessions, 1 to [`CAPACITY_MAX`].
    pub capacity: u32,
    /// The share of assignments under P2, 1 to [`WEIGHT_MAX`].
    pub weight: u32,
}

impl AgentProfile {
    /// Whether the agent can get sessions.
    pub fn routable(&self) -> bool {
        self.roles.iter().any(|role| role.as_str() == ROUTABLE_ROLE)
    }
}

/// The assignments of one natural day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayCount {
    /// The day's label.
    pub day: Day,
    /// All assignments (P2).
    pub assigned: u32,
    /// Assignments by the rota, while no agent was online (R5).
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

/// The totals of an agent for the report, since the shop was created.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// The number of assignments.
    pub assigned: u64,
    /// Recorded ratings by [`Level`].
    pub levels: [u64; Level::COUNT],
    /// The sum of the stars.
    pub stars: u64,
    /// How many recorded ratings name each reason.
    pub reasons: BTreeMap<Id, u64>,
}

/// An agent, or the bot.
pub struct Agent {
    /// The agent's id.
    pub id: Id,
    /// The configuration. `None` if the agent was removed.
    pub post: Option<AgentProfile>,
    /// Whether the profile has the role that makes an agent routable.
    pub routable: bool,
    /// The presence. Offline if the agent was removed.
    pub presence: Presence,
    /// When the presence last changed.
    pub presence_since: Instant,
    /// Whether the shop set the agent away (R10e), until it is set online or offline.
    pub held: bool,
    /// The open sessions, the oldest assignment first.
    pub sessions: LinkedList,
    /// The closed sessions whose places are still taken (S8).
    pub wrapping_up: LinkedList,
    /// How often a session was taken from the agent since its last sign of activity (R10e).
    pub misses: u32,
    /// The time at the desk that is not booked yet (M11).
    pub desk_time: DeskTime,
    /// The `seq` of the latest assignment (P4). 0: never.
    pub last_assigned: u64,
    /// The counts of the latest day with an assignment, and of earlier days whose labels may return.
    pub(in crate::domain) latest: DayCount,
    pub(in crate::domain) earlier: Vec<DayCount>,
    /// The agent groups that contain the agent, with its index in each.
    pub seats: Vec<(u32, u32)>,
    /// The totals for the report.
    pub tally: Tally,
    /// The statistics of each day (M7 to M11).
    pub sheets: BTreeMap<Day, AgentSheet>,
}

impl Agent {
    /// A new agent without a profile.
    pub fn new(id: Id, day: Day) -> Agent {
        Agent {
            id,
            post: None,
            routable: false,
            presence: Presence::Offline,
            presence_since: Instant::NEVER,
            held: false,
            sessions: LinkedList::EMPTY,
            wrapping_up: LinkedList::EMPTY,
            misses: 0,
            desk_time: DeskTime::default(),
            last_assigned: 0,
            latest: DayCount::none(day),
            earlier: Vec::new(),
            seats: Vec::new(),
            tally: Tally::default(),
            sheets: BTreeMap::new(),
        }
    }

    /// The number of open sessions, and of places that are still taken after them (S8).
    pub fn load(&self) -> u32 {
        self.sessions.len() + self.wrapping_up.len()
    }

    /// The maximum number of open sessions. 0 without a profile.
    pub fn capacity(&self) -> u32 {
        self.post.as_ref().map_or(0, |post| post.capacity)
    }

    /// The weight. 1 without a profile.
    pub fn weight(&self) -> u32 {
        self.post.as_ref().map_or(1, |post| post.weight)
    }

    /// Whether the load is below the capacity.
    pub fn has_room(&self) -> bool {
        self.load() < self.capacity()
    }

    /// Whether the agent can get sessions: routable and online.
    pub fn on_duty(&self) -> bool {
        self.routable && self.presence == Presence::Online
    }

    /// Whether the agent is free: on duty, and with a load below its capacity unless the shop has no queue (R14).
    pub fn free(&self, queue: QueueMode) -> bool {
        self.on_duty() && (queue == QueueMode::None || self.has_room())
    }

    /// What the agent's time at the desk counts as now (M11).
    pub fn desk_state(&self) -> DeskState {
        match self.presence {
            Presence::Online if self.post.is_some() && !self.has_room() => DeskState::Full,
            Presence::Online => DeskState::Online,
            Presence::Away => DeskState::Away,
            Presence::Offline => DeskState::Offline,
        }
    }

    /// The statistics of a day. Creates them if the day has none.
    pub fn sheet(&mut self, day: Day) -> &mut AgentSheet {
        self.sheets.entry(day).or_default()
    }

    /// The assignments that were booked on a day.
    pub fn on_day(&self, day: Day) -> DayCount {
        if self.latest.day == day {
            return self.latest;
        }
        let known = self.earlier.iter().find(|count| count.day == day);
        known.copied().unwrap_or(DayCount::none(day))
    }

    /// Books an assignment on a day, by the rota or not.
    pub fn book_assignment(&mut self, day: Day, rota: bool) {
        if self.latest.day != day {
            let known = self.on_day(day);
            self.earlier
                .push(std::mem::replace(&mut self.latest, known));
            // If the shop's zone changes, a recent day's label may return.
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

/// All agents that the shop ever had, by number and id.
pub type Agents = SlabMap<Agent>;
