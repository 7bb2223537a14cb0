//! The statistics of agents and of the desk by day (M7 to M11). They are read by the report alone.
//!
//! A booked value stays on its day when the policy changes. Weeks and months are sums of their days.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::protocol::rating::{Level, Source};

/// How many durations there were, their sum and the longest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: Duration,
    /// The longest.
    pub max: Duration,
}

impl Durations {
    /// Adds one. It is never below zero, although the record of an older core may set the clock back for a moment.
    pub fn add(&mut self, one: Duration) {
        let one = one.max(Duration::ZERO);
        self.count += 1;
        self.sum = self.sum + one;
        self.max = self.max.max(one);
    }
}

impl AddAssign for Durations {
    fn add_assign(&mut self, other: Durations) {
        self.count += other.count;
        self.sum = self.sum + other.sum;
        self.max = self.max.max(other.max);
    }
}

/// Rating cards by when they were made (M7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CardCounts {
    /// By [`Source`].
    pub made: [u64; Source::ALL.len()],
    /// Those of them that were rated so far.
    pub rated: [u64; Source::ALL.len()],
}

impl AddAssign for CardCounts {
    fn add_assign(&mut self, other: CardCounts) {
        for source in 0..Source::ALL.len() {
            self.made[source] += other.made[source];
            self.rated[source] += other.rated[source];
        }
    }
}

/// Ratings by when they were recorded (M8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RatingCounts {
    /// By [`Level`].
    pub levels: [u64; Level::COUNT],
    /// The sum of the stars.
    pub stars: u64,
    /// For each level, how many ratings name each reason.
    pub reasons: [BTreeMap<Id, u64>; Level::COUNT],
}

impl RatingCounts {
    /// The number of ratings.
    pub fn count(&self) -> u64 {
        self.levels.iter().sum()
    }
}

impl AddAssign<&RatingCounts> for RatingCounts {
    fn add_assign(&mut self, other: &RatingCounts) {
        self.stars += other.stars;
        for level in 0..Level::COUNT {
            self.levels[level] += other.levels[level];
            for (reason, count) in &other.reasons[level] {
                *self.reasons[level].entry(reason.clone()).or_default() += count;
            }
        }
    }
}

/// Rounds of buyers with an agent, or with the desk (M9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerCounts {
    /// Buyers with a round.
    pub buyers: u64,
    /// Buyers with a late round.
    pub late_buyers: u64,
    /// Rounds that began.
    pub rounds: u64,
    /// Rounds that were answered.
    pub answered: u64,
    /// Rounds that were late.
    pub late: u64,
    /// Rounds that the agent lost before it answered.
    pub dropped: u64,
    /// The time to the answer, of the first round since each assignment.
    pub first: Durations,
    /// The time to the answer, of all rounds.
    pub each: Durations,
}

/// What time at the desk counts as (M11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeskState {
    /// Not at the desk.
    #[default]
    Offline,
    /// Online, with room for more sessions.
    Online,
    /// Away.
    Away,
    /// Online, with as many sessions as the agent can have.
    Full,
}

/// Time at the desk that runs (M11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeskTime {
    /// What it counts as.
    pub state: DeskState,
    /// Since when. What came before is booked.
    pub since: Instant,
}

impl Default for DeskTime {
    fn default() -> DeskTime {
        DeskTime {
            state: DeskState::Offline,
            since: Instant::NEVER,
        }
    }
}

/// Time at the desk (M11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeCounts {
    /// Online, full or not.
    pub online: Duration,
    /// Away.
    pub away: Duration,
    /// Online and full.
    pub full: Duration,
}

impl TimeCounts {
    /// Adds time in a state.
    pub fn add(&mut self, state: DeskState, time: Duration) {
        match state {
            DeskState::Offline => {}
            DeskState::Away => self.away = self.away + time,
            DeskState::Online => self.online = self.online + time,
            DeskState::Full => {
                self.online = self.online + time;
                self.full = self.full + time;
            }
        }
    }
}

impl AddAssign for TimeCounts {
    fn add_assign(&mut self, other: TimeCounts) {
        self.online = self.online + other.online;
        self.away = self.away + other.away;
        self.full = self.full + other.full;
    }
}

/// The statistics of an agent, or the bot, on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentSheet {
    /// Cards made on the day.
    pub cards: CardCounts,
    /// Ratings recorded on the day.
    pub ratings: RatingCounts,
    /// Rounds that began on the day.
    pub answers: AnswerCounts,
    /// Sessions that were taken from the agent (R10).
    pub taken_back: u64,
    /// Of the sessions that closed with the agent: the time from the last message to the close.
    pub linger: Durations,
    /// Sessions that asked on the day, were with the agent last and closed without a human reply (M10).
    pub unserved: u64,
    /// Time at the desk.
    pub time: TimeCounts,
}

/// The statistics of the desk on one day that are not the sum of its agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeskSheet {
    /// Buyers with a round with any agent (M9).
    pub buyers: u64,
    /// Buyers with a late round with any agent (M9).
    pub late_buyers: u64,
    /// Sessions whose first message that counts is of the day (M10).
    pub asked: u64,
    /// Those of them that closed without a human reply and were never assigned.
    pub never_assigned: u64,
    /// Those of them that closed without a human reply and were assigned.
    pub never_answered: u64,
    /// Sessions that were given up on the day while they waited: how long they had waited (M10).
    pub abandoned: Durations,
}
