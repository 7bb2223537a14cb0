//! One session: its current and past agents, the last speaker, and its cards.

use crate::model::event::BOT;
use crate::model::value::{DAY_MS, Ms};
use std::collections::BTreeSet;

/// S1: how long a closed session is remembered.
pub const MEMORY_MS: Ms = 7 * DAY_MS;

/// What a session is routed into (R2), and the pool it waits in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pool {
    Question { entry: String, question: String },
    Entry(String),
    OrderStatus(String),
    All,
}

impl Pool {
    pub fn name(&self) -> String {
        match self {
            Pool::Question { entry, question } => format!("question:{entry}/{question}"),
            Pool::Entry(entry) => format!("entry:{entry}"),
            Pool::OrderStatus(status) => format!("order_status:{status}"),
            Pool::All => "all".to_owned(),
        }
    }

    /// The reason of an assignment within this scope (R4a).
    pub fn reason(&self) -> &'static str {
        match self {
            Pool::Question { .. } => "question",
            Pool::Entry(_) => "entry",
            Pool::OrderStatus(_) => "order_status",
            Pool::All => "all",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// Opened, and nobody has it yet: only within the event that opens it.
    Nowhere,
    Bot,
    /// `order` counts assignments of the shop.
    Agent {
        agent: String,
        order: u64,
    },
    /// `instant` is R11's queue instant; `order` counts queueings of the shop.
    Queue {
        pool: Pool,
        since: Ms,
        instant: Ms,
        order: u64,
    },
    Closed {
        at: Ms,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaker {
    Buyer,
    Agent,
    Bot,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    Buyer,
    Agent,
    Auto,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Source::Buyer => "buyer",
            Source::Agent => "agent",
            Source::Auto => "auto",
        }
    }
}

/// The natural day, week and month of an instant, as they were when something was booked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Periods {
    pub day: String,
    pub week: String,
    pub month: String,
}

#[derive(Clone, Debug)]
pub struct Card {
    pub id: String,
    pub agent: String,
    pub source: Source,
    pub made: Ms,
    /// The day, week and month on which it was made.
    pub booked: Periods,
    pub submitted: bool,
}

/// The oldest unanswered message that M1 counts, which the reminders are about (M3).
#[derive(Clone, Debug)]
pub struct Reminder {
    pub since: Ms,
    pub overdue_at: Ms,
    pub day: String,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub id: String,
    pub buyer: String,
    pub entry: String,
    pub question: Option<String>,
    pub order_status: Option<String>,
    pub opened: Ms,
    pub place: Place,
    pub bot_had_it: bool,
    pub last_agent: Option<String>,
    pub repeat_visit: bool,
    pub last_speaker: Option<Speaker>,
    pub wrote_to_bot: bool,
    pub offline_reply_sent: bool,
    pub cards: Vec<Card>,
    pub reminder: Option<Reminder>,
    /// Day and place in that day's list of every counting message without an answer.
    pub unanswered: Vec<(String, usize)>,
    pub was_queued: bool,
    pub first_wait: Option<Ms>,
    /// R11: of its opening, and of its last `session.ranked`.
    pub opened_with: Option<u64>,
    pub ranked: Option<u64>,
    /// When its oldest buyer message since the last human reply was handled.
    pub debt: Option<Ms>,
    /// R10.
    pub overdue: bool,
    pub bounces: u64,
    /// R10: those it was taken from.
    pub taken_from: BTreeSet<String>,
    /// The latest assignment.
    pub assigned_at: Ms,
    /// Whether the agent sent a human reply in it since that assignment.
    pub replied_since_assigned: bool,
    /// S7: the buyer has left, and has not come back.
    pub buyer_left: bool,
    pub human_replied: bool,
    /// The last buyer's message or human reply, by the clock (M9d).
    pub last_heard: Option<Ms>,
    /// M10: the day of its first message that M1 counts.
    pub asked_on: Option<String>,
    /// M12: whether it had a round.
    pub had_round: bool,
    /// M9: place in the shop's list of the round that is open, and whether this stretch had one.
    pub open_round: Option<usize>,
    pub stretch_had_round: bool,
}

impl Session {
    pub fn is_closed(&self) -> bool {
        matches!(self.place, Place::Closed { .. })
    }

    pub fn is_with_bot(&self) -> bool {
        self.place == Place::Bot
    }

    pub fn is_waiting(&self) -> bool {
        matches!(self.place, Place::Queue { .. })
    }

    pub fn agent(&self) -> Option<&str> {
        match &self.place {
            Place::Agent { agent, .. } => Some(agent),
            Place::Nowhere | Place::Bot | Place::Queue { .. } | Place::Closed { .. } => None,
        }
    }

    /// S1: a closed one is remembered for 7 days, at exactly 7 days it is not.
    pub fn is_known(&self, now: Ms) -> bool {
        match self.place {
            Place::Closed { at } => now < at + MEMORY_MS,
            Place::Nowhere | Place::Bot | Place::Agent { .. } | Place::Queue { .. } => true,
        }
    }

    /// S6: who has the session or had it last; `bot` where only the bot had it.
    pub fn served_by(&self) -> Option<&str> {
        let bot = self.bot_had_it.then_some(BOT);
        self.last_agent.as_deref().or(bot)
    }

    /// S6: the agent of `reply.*`, and to whom a message goes.
    pub fn serving_now(&self) -> Option<&str> {
        match &self.place {
            Place::Agent { agent, .. } => Some(agent),
            Place::Bot => Some(BOT),
            Place::Nowhere | Place::Queue { .. } => None,
            Place::Closed { .. } => self.served_by(),
        }
    }
}
