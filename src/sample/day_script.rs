//! What distinguishes the days of the sample: the date, the policy, the staff, the arrivals, and what people do.

use crate::domain::protocol::codes::Presence;

use super::event_queue::Moment;

/// The first day of a sample.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SampleDay {
    /// 2026-11-10: the promotion before 11.11 begins, and all come at once.
    Promotion,
    /// 2026-10-01: short opening hours, half of the staff, buyers with priorities, buyers who are blocked.
    Holiday,
}

/// The head of the shop, who serves no buyers.
pub const HEAD: &str = "掌柜";

/// The task of an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Before the sale.
    Presale,
    /// After the sale.
    Aftersale,
}

/// An agent.
pub struct StaffMember {
    /// Its id.
    pub id: &'static str,
    /// The name that buyers see.
    pub name: &'static str,
    /// Its task.
    pub role: Role,
    /// Its capacity.
    pub capacity: u64,
    /// Its weight for `fewest_today`.
    pub weight: u64,
    /// How long it writes a reply, in seconds.
    pub pace_s: (u64, u64),
    /// The percentage of replies in which it is rude.
    pub rude: u64,
    /// The percentage of a buyer's messages that it does not see.
    pub overlooks: u64,
    /// When it leaves its desk and forgets to say so, from a minute of the day to another.
    pub leaves_desk: &'static [(u64, u64)],
    /// Whether its workbench greets automatically.
    pub greets: bool,
    /// Its shifts: hour, minute, and its presence from then on.
    pub shifts: &'static [(u64, u64, Presence)],
}

/// How many buyers come at some time of the day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As on other days.
    Usual,
    /// The live stream runs.
    Live,
}

/// A part of the day: its first minute, the first one after it, how many buyers come, and how.
pub type ArrivalSlot = (u64, u64, u64, Mood);

/// The script of a day.
pub struct DayScript {
    /// Midnight, when it begins.
    pub begin: Moment,
    /// The policy of the shop, as JSON.
    pub policy: &'static str,
    /// All agents.
    pub staff: &'static [StaffMember],
    /// How many buyers come when.
    pub arrivals: &'static [ArrivalSlot],
    /// The last arrivals are on the morning after, in so many of the first slots.
    pub night_slots: usize,
    /// The minutes of the day at which the head of the shop looks after the queue.
    pub supervised: &'static [u64],
    /// What people do on this day and not on others.
    pub habits: Habits,
}

/// What people do on some days only. Percentages of 0, and what is `false` or 0, draw nothing.
pub struct Habits {
    /// The percentage of new buyers to whom the gateway gives a priority.
    pub vips: u64,
    /// The percentage of sessions that open with a priority of their own.
    pub urgent: u64,
    /// Whether a buyer who gives up waiting closes the page, and does not end the session.
    pub leaves_page: bool,
    /// Of the sessions that are queued while the shop is closed, the percentage that never give up.
    pub waits_until_open: u64,
    /// The head of the shop raises the longest-waiting session in the queue, and does not transfer it.
    pub ranks_waiting: bool,
    /// The percentage of closed sessions after which the agent says that it is ready again.
    pub ready: u64,
    /// How long after the close an agent still answers, in seconds.
    pub late_answer_s: u64,
    /// The percentage of answers that reach the gateway later than they were written.
    pub slow_line: u64,
    /// Every so many sessions, the buyer of one is blocked; 0: none.
    pub blocked_every: usize,
}

impl Habits {
    /// Nothing of it.
    pub const NONE: Habits = Habits {
        vips: 0,
        urgent: 0,
        leaves_page: false,
        waits_until_open: 0,
        ranks_waiting: false,
        ready: 0,
        late_answer_s: 0,
        slow_line: 0,
        blocked_every: 0,
    };
}
