//! The day book: what is booked on a natural day, by its label, and stays booked when the policy changes.
//!
//! Totals stay for the report. Who did what on a day leaves once the day can come back under no zone and no
//! message of it can still become late.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};

use crate::domain::base::calendar::Day;
use crate::domain::base::ratio::Rate;

/// How many days back a label may return when the shop's zone changes.
pub const LABELS_BACK: i32 = 2;

/// What one buyer did on a day, and what was done to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BuyerDay {
    /// It sent a message that counts (M1).
    pub consulted: bool,
    /// One of those was not answered in time (M1).
    pub late: bool,
    /// It got a human reply (M2).
    pub replied: bool,
    /// It wrote, whether that counts or not (Q1).
    pub wrote: bool,
    /// How many automatic invites it got (I11), where its own record counts those of another day.
    pub auto_invites: u32,
}

/// Who did what on a day, by buyers' and agents' numbers.
#[derive(Default)]
pub struct People {
    pub(in crate::domain) buyers: HashMap<u32, BuyerDay, FixedState>,
    pub(in crate::domain) wrote_to: HashSet<(u32, u32), FixedState>,
    /// Unanswered messages that can still make somebody late.
    pub pending: u32,
}

/// One natural day.
#[derive(Default)]
pub struct DayBook {
    /// Buyers with a message that counts.
    pub consulting: u64,
    /// Of them, those that waited too long.
    pub late: u64,
    /// Of them, those that got a human reply.
    pub replied: u64,
    /// Whether the last word on the day's reply rate was an alert (M6).
    pub alerted: bool,
    /// Who did what, as long as it can matter.
    pub people: Option<Box<People>>,
}

impl DayBook {
    /// Those answered in time by consulting (M1).
    pub fn reply_rate(&self) -> Rate {
        Rate {
            over: self.consulting - self.late,
            under: self.consulting,
        }
    }

    fn people(&mut self) -> &mut People {
        self.people.get_or_insert_default()
    }

    /// What a buyer did on the day.
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

    /// Books a message of the buyer, to an agent where one has the session.
    pub fn book_message(&mut self, buyer: u32, agent: Option<u32>) {
        let people = self.people();
        people.buyers.entry(buyer).or_default().wrote = true;
        if let Some(agent) = agent {
            people.wrote_to.insert((buyer, agent));
        }
    }

    /// Books a message that counts; whether it is the buyer's first of the day.
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

    /// Books that a message of the buyer is late.
    pub fn book_late(&mut self, buyer: u32) {
        let day = self.people().buyers.entry(buyer).or_default();
        if !std::mem::replace(&mut day.late, true) {
            self.late += 1;
        }
    }

    /// Keeps how many automatic invites the buyer got on the day, while its own record counts those of another.
    pub fn keep_auto_invites(&mut self, buyer: u32, count: u32) {
        self.people().buyers.entry(buyer).or_default().auto_invites = count;
    }

    /// One more or one less message of the day can make somebody late.
    pub fn change_pending(&mut self, by: i32) {
        let people = self.people();
        people.pending = people.pending.saturating_add_signed(by);
    }

    fn settled(&self) -> bool {
        let people = self.people.as_ref();
        people.is_none_or(|people| people.pending == 0)
    }
}

/// The days of a shop by their labels.
#[derive(Default)]
pub struct DayBooks {
    days: BTreeMap<Day, DayBook>,
}

impl DayBooks {
    /// The book of a day, a new one where nothing was booked on it yet.
    pub fn on(&mut self, day: Day) -> &mut DayBook {
        self.days.entry(day).or_default()
    }

    /// The book of a day, if something was booked on it.
    pub fn get(&self, day: Day) -> Option<&DayBook> {
        self.days.get(&day)
    }

    /// All days, oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Day, &DayBook)> {
        self.days.iter().map(|(&day, book)| (day, book))
    }

    /// Lets go of who did what on days that are over for good; called as a day begins.
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

impl FromIterator<(Day, DayBook)> for DayBooks {
    fn from_iter<I: IntoIterator<Item = (Day, DayBook)>>(days: I) -> DayBooks {
        DayBooks {
            days: days.into_iter().collect(),
        }
    }
}
