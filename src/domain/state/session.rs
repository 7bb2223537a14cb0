//! Sessions: where each one is, who served it, and what was said last.

use smallvec::SmallVec;

use super::agent::BOT;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::collections::linked_list::{Link, Linked};
use crate::domain::collections::slab_map::{Keyed, NOBODY};
use crate::domain::policy::routing_attributes::Ask;
use crate::domain::state::card::Card;
use crate::domain::state::pending_reply::{Awaited, LateMark};

/// For how long a closed session is remembered (S1).
pub const REMEMBERED: Duration = Duration::days(7);

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SessionPlace {
    /// With the bot (S2).
    Bot,
    /// In a pool, by its number (R6).
    Waiting {
        /// Which pool.
        pool: u32,
        /// The order in which sessions began to wait.
        ticket: u64,
        /// Since when.
        since: Instant,
    },
    /// With an agent, by its number.
    Agent(u32),
    /// Over.
    Closed {
        /// Since when.
        at: Instant,
    },
}

/// Who spoke last. A reply that the shop gives by itself is no speaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The buyer.
    Buyer,
    /// An agent of the shop.
    Agent,
    /// The bot.
    Bot,
}

/// What has once been true of a session, each counted or done at most once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// It has been routed, so that `repeat_visit` is settled.
    pub routed: bool,
    /// Its buyer had a recent agent when it was first routed (R1).
    pub repeat_visit: bool,
    /// It has been with an agent: a human session.
    pub human: bool,
    /// It has been queued.
    pub queued: bool,
    /// The buyer has written to the bot in it (M1).
    pub wrote_to_bot: bool,
    /// It was told that nobody is there (R5, R9).
    pub told_offline: bool,
    /// It closed 7 days ago: its id leads to it no more (S1).
    pub forgotten: bool,
}

/// A session, from its opening until it is forgotten.
pub struct Session {
    /// Its id.
    pub id: Id,
    /// Its buyer's number.
    pub buyer: u32,
    /// Where it is.
    pub place: SessionPlace,
    /// Its neighbours in the pool or with its agent.
    pub link: Link,
    /// Who has it or had it last, the bot included; [`NOBODY`] where nobody ever did.
    pub server: u32,
    /// When it was opened.
    pub opened: Instant,
    /// The shop's `seq` as it was opened: what was decided on it came after.
    pub since_seq: u64,
    /// Since when the buyer's silence is timed, where it is (S3).
    pub silent_since: Instant,
    /// What it came with, where that is anything, and as long as it is open.
    pub ask: Option<Box<Ask>>,
    /// Who spoke last in it.
    pub speaker: Option<Speaker>,
    /// What happened once.
    pub marks: Marks,
    /// Its oldest message that counts and waits for a reply (M3).
    pub awaited: Option<Awaited>,
    /// The instants from which its unanswered messages are late, one a day (M1).
    pub late_marks: SmallVec<[LateMark; 1]>,
    /// Its rating cards, in the order in which they came to be.
    pub cards: SmallVec<[Card; 1]>,
}

impl Session {
    /// A session that begins at an instant, after a decision; its place is settled right after.
    pub fn new(id: Id, buyer: u32, (opened, since_seq): (Instant, u64), ask: Ask) -> Session {
        Session {
            id,
            buyer,
            place: SessionPlace::Bot,
            link: Link::LOOSE,
            server: NOBODY,
            opened,
            since_seq,
            silent_since: opened,
            ask: (ask != Ask::default()).then(|| Box::new(ask)),
            speaker: None,
            marks: Marks::default(),
            awaited: None,
            late_marks: SmallVec::new(),
            cards: SmallVec::new(),
        }
    }

    /// Whether it is over.
    pub fn closed(&self) -> bool {
        matches!(self.place, SessionPlace::Closed { .. })
    }

    /// What it is routed by once the bot hands it over with these: what they leave out stays (S2).
    pub fn asked_anew(&self, question: &Option<Id>, order_status: &Option<Id>) -> Ask {
        let mut ask = self.ask.as_deref().cloned().unwrap_or_default();
        ask.question = question.clone().or(ask.question);
        ask.order_status = order_status.clone().or(ask.order_status);
        ask
    }

    /// The number of the agent that has it.
    pub fn agent(&self) -> Option<u32> {
        match self.place {
            SessionPlace::Agent(agent) => Some(agent),
            SessionPlace::Bot | SessionPlace::Waiting { .. } | SessionPlace::Closed { .. } => None,
        }
    }

    /// Who is written as its agent on its close, its invites and its own cards (S6).
    pub fn served_by(&self) -> Option<u32> {
        (self.server != NOBODY).then_some(self.server)
    }

    /// Who is written as its agent on `reply.due` and `reply.overdue` (S6): who has it at that moment.
    pub fn answerable(&self) -> Option<u32> {
        match self.place {
            SessionPlace::Bot => Some(BOT),
            SessionPlace::Agent(agent) => Some(agent),
            SessionPlace::Waiting { .. } => None,
            SessionPlace::Closed { .. } => self.served_by(),
        }
    }
}

impl Keyed for Session {
    type Key = str;
    fn key(&self) -> &str {
        &self.id
    }
    fn findable(&self) -> bool {
        !self.marks.forgotten
    }
}

impl Linked for Session {
    fn link(&self) -> Link {
        self.link
    }

    fn link_mut(&mut self) -> &mut Link {
        &mut self.link
    }
}
