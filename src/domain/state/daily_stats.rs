//! Daily statistics by day label. Booked values stay when the policy changes.
//!
//! Totals are kept for the report. The activity of each buyer is dropped once the day cannot return in any time zone
//! and no message of it can become late.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};

use super::sheets::DeskSheet;
use crate::domain::base::calendar::Day;
use crate::domain::base::ratio::Rate;
use crate::domain::base::time::{DAY_MS, Duration};
use crate::domain::policy::ReplyUnit;

/// How many days back a label may return when the shop's zone changes.
pub const LABELS_BACK: i32 = 2;

/// The activity of one buyer on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuyerDay {
    /// The buyer sent a message that counts (M1).
    pub consulted: bool,
    /// One of those messages was answered, or stayed unanswered, too late for good (M1).
    pub late: bool,
    /// The number of those messages that are late so far and may still be answered in time by a late event (T1).
    pub late_so_far: u32,
    /// The buyer got a human reply (M2).
    pub replied: bool,
    /// The buyer wrote, whether that counts or not (Q1).
    pub wrote: bool,
    /// The number of automatic invitations (I11), if the buyer's own record counts those of another day.
    pub auto_invites: u32,
}

impl BuyerDay {
    /// Whether a message of the buyer is late.
    pub fn is_late(&self) -> bool {
        self.late || self.late_so_far > 0
    }
}

/// The rounds of a buyer with an agent, or with the desk, on a day (M9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundDay {
    /// A round was late for good.
    pub late: bool,
    /// The number of rounds that are late so far.
    pub late_so_far: u32,
}

impl RoundDay {
    /// Whether a round is late.
    pub fn is_late(&self) -> bool {
        self.late || self.late_so_far > 0
    }
}

/// Stands for all agents together.
pub const DESK: u32 = u32::MAX;

/// Rounds, and those of them that are late (M12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoundCounts {
    /// The number of rounds.
    pub count: u64,
    /// The number of late ones.
    pub late: u64,
}

impl RoundCounts {
    fn on_time(&self) -> Rate {
        Rate {
            over: self.count - self.late,
            under: self.count,
        }
    }
}

/// The activity of a day by the numbers of buyers and agents.
#[derive(Default)]
pub struct People {
    pub(in crate::domain) buyers: HashMap<u32, BuyerDay, FixedState>,
    pub(in crate::domain) wrote_to: HashSet<(u32, u32), FixedState>,
    /// By agent or [`DESK`], and buyer.
    pub(in crate::domain) rounds: HashMap<(u32, u32), RoundDay, FixedState>,
    /// The number of unanswered messages that can still become late.
    pub pending: u32,
}

/// The statistics of one natural day.
#[derive(Default)]
pub struct DayStats {
    /// The number of buyers with a message that counts.
    pub consulting: u64,
    /// Those of them with a late message.
    pub late: u64,
    /// Those of them with a human reply.
    pub replied: u64,
    /// All rounds of the shop (M12).
    pub rounds: RoundCounts,
    /// The first rounds of sessions (M12).
    pub first_rounds: RoundCounts,
    /// The statistics of the desk (M9, M10).
    pub desk: DeskSheet,
    /// Whether the latest decision about the day's reply rate was an alert (M6).
    pub alerted: bool,
    /// The activity of each buyer, as long as it can matter.
    pub people: Option<Box<People>>,
}

impl DayStats {
    /// What was answered in time, divided by all, in a unit (M1, M12).
    pub fn reply_rate(&self, unit: ReplyUnit) -> Rate {
        match unit {
            ReplyUnit::Buyer => Rate {
                over: self.consulting - self.late,
                under: self.consulting,
            },
            ReplyUnit::Round => self.rounds.on_time(),
            ReplyUnit::Session => self.first_rounds.on_time(),
        }
    }

    /// Consulting buyers with a reply, divided by consulting buyers (M2).
    pub fn effective_rate(&self) -> Rate {
        Rate {
            over: self.replied,
            under: self.consulting,
        }
    }

    /// Whether the day has too many buyers without a reply (M2).
    pub fn is_at_risk(&self, penalty_above: u32) -> bool {
        let many = penalty_above > 0 && self.consulting > u64::from(penalty_above);
        many && 2 * self.replied < self.consulting
    }

    fn people(&mut self) -> &mut People {
        self.people.get_or_insert_default()
    }

    /// The activity of a buyer on the day.
    pub fn buyer(&self, buyer: u32) -> BuyerDay {
        let people = self.people.as_ref();
        let known = people.and_then(|people| people.buyers.get(&buyer));
        known.copied().unwrap_or_default()
    }

    /// Whether the buyer wrote to this agent on the day (I13, Q1).
    pub fn wrote_to(&self, buyer: u32, agent: u32) -> bool {
        let people = self.people.as_ref();
        people.is_some_and(|people| people.wrote_to.contains(&(buyer, agent)))
    }

    /// Books a message of the buyer, and its agent if the session has one.
    pub fn book_message(&mut self, buyer: u32, agent: Option<u32>) {
        let people = self.people();
        people.buyers.entry(buyer).or_default().wrote = true;
        if let Some(agent) = agent {
            people.wrote_to.insert((buyer, agent));
        }
    }

    /// Books a message that counts. Returns whether it is the buyer's first of the day.
    pub fn book_consulting(&mut self, buyer: u32) -> bool {
        let day = self.people().buyers.entry(buyer).or_default();
        if std::mem::replace(&mut day.consulted, true) {
            return false;
        }
        let replied = day.replied;
        self.consulting += 1;
        self.replied += u64::from(replied);
        true
    }

    /// Books a human reply to the buyer.
    pub fn book_reply(&mut self, buyer: u32) {
        let day = self.people().buyers.entry(buyer).or_default();
        let first = !std::mem::replace(&mut day.replied, true);
        if first && day.consulted {
            self.replied += 1;
        }
    }

    /// Books a message of the buyer as late so far.
    pub fn book_late(&mut self, buyer: u32) {
        let day = self.people().buyers.entry(buyer).or_default();
        let before = day.is_late();
        day.late_so_far += 1;
        self.late += u64::from(!before);
    }

    /// A message that was booked as late was answered: too late for good, or in time after all (T1).
    pub fn settle_late(&mut self, buyer: u32, late: bool) {
        let day = self.people().buyers.entry(buyer).or_default();
        let before = day.is_late();
        day.late_so_far = day.late_so_far.saturating_sub(1);
        day.late |= late;
        if before && !day.is_late() {
            self.late -= 1;
        }
    }

    /// Books a round of the shop (M12).
    pub fn book_round(&mut self, first: bool) {
        self.rounds.count += 1;
        self.first_rounds.count += u64::from(first);
    }

    /// Books a round of the shop as late, or takes that back.
    pub fn book_round_late(&mut self, first: bool, late: bool) {
        let of_first = first.then_some(&mut self.first_rounds);
        for counts in [Some(&mut self.rounds), of_first].into_iter().flatten() {
            if late {
                counts.late += 1;
            } else {
                counts.late = counts.late.saturating_sub(1);
            }
        }
    }

    /// Books a round of a buyer with an agent, or with [`DESK`]. Returns whether it is the first of the day.
    pub fn book_round_of(&mut self, whom: u32, buyer: u32) -> bool {
        match self.people().rounds.entry((whom, buyer)) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(RoundDay::default());
                true
            }
        }
    }

    /// Books that round as late so far. Returns whether the buyer was not late with it before.
    pub fn book_late_round_of(&mut self, whom: u32, buyer: u32) -> bool {
        let round = self.people().rounds.entry((whom, buyer)).or_default();
        let before = round.is_late();
        round.late_so_far += 1;
        !before
    }

    /// That round ended: too late for good, or in time after all. Returns whether the buyer is no longer late.
    pub fn settle_late_round_of(&mut self, whom: u32, buyer: u32, late: bool) -> bool {
        let round = self.people().rounds.entry((whom, buyer)).or_default();
        let before = round.is_late();
        round.late_so_far = round.late_so_far.saturating_sub(1);
        round.late |= late;
        before && !round.is_late()
    }

    /// Stores the day's number of automatic invitations to the buyer, while the buyer's own record counts another day.
    pub fn keep_auto_invites(&mut self, buyer: u32, count: u32) {
        self.people().buyers.entry(buyer).or_default().auto_invites = count;
    }

    /// Changes the number of messages of the day that can become late, by one.
    pub fn change_pending(&mut self, by: i32) {
        let people = self.people();
        people.pending = people.pending.saturating_add_signed(by);
    }

    /// Whether the report shows anything of the day.
    fn has_counts(&self) -> bool {
        self.consulting > 0 || self.desk != DeskSheet::default()
    }

    fn settled(&self) -> bool {
        let people = self.people.as_ref();
        people.is_none_or(|people| people.pending == 0)
    }
}

/// The statistics of all days, by label.
#[derive(Default)]
pub struct DailyStats {
    days: BTreeMap<Day, DayStats>,
}

impl DailyStats {
    /// The statistics of a day. Creates them if the day has none.
    pub fn on(&mut self, day: Day) -> &mut DayStats {
        self.days.entry(day).or_default()
    }

    /// The statistics of a day, if it has any.
    pub fn get(&self, day: Day) -> Option<&DayStats> {
        self.days.get(&day)
    }

    /// All days, the oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Day, &DayStats)> {
        self.days.iter().map(|(&day, book)| (day, book))
    }

    /// Drops the activity of days that are over for good. Called when a day starts. Events may be `lateness` late.
    pub fn turn_to(&mut self, today: Day, lateness: Duration) {
        let late_days = (lateness.ms() / DAY_MS) as i32;
        let over = Day(today.0 - LABELS_BACK - late_days);
        for (_, book) in self.days.range_mut(..over) {
            if book.settled() {
                book.people = None;
            }
        }
        self.days
            .retain(|&day, book| day >= over || book.has_counts() || book.people.is_some());
    }
}

impl FromIterator<(Day, DayStats)> for DailyStats {
    fn from_iter<I: IntoIterator<Item = (Day, DayStats)>>(days: I) -> DailyStats {
        DailyStats {
            days: days.into_iter().collect(),
        }
    }
}
