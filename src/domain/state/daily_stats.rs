//! Daily statistics by day label. Booked values stay when the policy changes.
//!
//! Totals are kept for the report. The activity of each buyer is dropped once the day cannot return in any time zone
//! and no message of it can become late.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

use crate::domain::base::calendar::Day;
use crate::domain::base::ratio::Rate;

/// How many days back a label may return when the shop's zone changes.
pub const LABELS_BACK: i32 = 2;

/// The activity of one buyer on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuyerDay {
    /// The buyer sent a message that counts (M1).
    pub consulted: bool,
    /// One of those messages was not answered in time (M1).
    pub late: bool,
    /// The buyer got a human reply (M2).
    pub replied: bool,
    /// The buyer wrote, whether that counts or not (Q1).
    pub wrote: bool,
    /// The number of automatic invitations (I11), if the buyer's own record counts those of another day.
    pub auto_invites: u32,
}

/// The activity of a day by the numbers of buyers and agents.
#[derive(Default)]
pub struct People {
    pub(in crate::domain) buyers: HashMap<u32, BuyerDay, FixedState>,
    pub(in crate::domain) wrote_to: HashSet<(u32, u32), FixedState>,
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
    /// Whether the latest decision about the day's reply rate was an alert (M6).
    pub alerted: bool,
    /// The activity of each buyer, as long as it can matter.
    pub people: Option<Box<People>>,
}

impl DayStats {
    /// Buyers answered in time, divided by consulting buyers (M1).
    pub fn reply_rate(&self) -> Rate {
        Rate {
            over: self.consulting - self.late,
            under: self.consulting,
        }
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

    /// Books the buyer as late.
    pub fn book_late(&mut self, buyer: u32) {
        let day = self.people().buyers.entry(buyer).or_default();
        if !std::mem::replace(&mut day.late, true) {
            self.late += 1;
        }
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

    /// Drops the activity of days that are over for good. Called when a day starts.
    pub fn turn_to(&mut self, today: Day) {
        let over = Day(today.0 - LABELS_BACK);
        for (_, book) in self.days.range_mut(..over) {
            if book.settled() {
                book.people = None;
            }
        }
        self.days
            .retain(|&day, book| day >= over || book.consulting > 0 || book.people.is_some());
    }
}

impl FromIterator<(Day, DayStats)> for DailyStats {
    fn from_iter<I: IntoIterator<Item = (Day, DayStats)>>(days: I) -> DailyStats {
        DailyStats {
            days: days.into_iter().collect(),
        }
    }
}
