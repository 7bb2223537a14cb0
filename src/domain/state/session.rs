//! Sessions: place, agents, and the latest activity.

use smallvec::SmallVec;

use super::agent::BOT;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::collections::linked_list::{Link, Linked};
use crate::domain::collections::slab_map::{Keyed, NOBODY};
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::state::card::Card;
use crate::domain::state::pending_reply::{PendingReply, ReplyDeadline};

/// How long a closed session is kept (S1).
pub const REMEMBERED: Duration = Duration::days(7);

/// The place of a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SessionPlace {
    /// With the bot (S2).
    Bot,
    /// In a pool (R6).
    Waiting {
        /// The pool's number.
        pool: u32,
        /// The order in which sessions started to wait.
        ticket: u64,
        /// The start of the wait.
        since: Instant,
    },
    /// With an agent, by its number.
    Agent(u32),
    /// Closed.
    Closed {
        /// The time of the close.
        at: Instant,
    },
}

/// Who sent the last message. Automatic replies do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The buyer.
    Buyer,
    /// An agent of the shop.
    Agent,
    /// The bot.
    Bot,
}

/// Flags of a session. Each is set at most once.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionFlags {
    /// The session was routed, so `repeat_visit` is decided.
    pub routed: bool,
    /// The buyer had a recent agent at the first routing (R1).
    pub repeat_visit: bool,
    /// The session had an agent: it is a human session.
    pub human: bool,
    /// The session was queued.
    pub queued: bool,
    /// The buyer wrote to the bot in this session (M1).
    pub wrote_to_bot: bool,
    /// The automatic offline reply was sent (R5, R9).
    pub told_offline: bool,
    /// The session was closed 7 days ago, and its id no longer finds it (S1).
    pub forgotten: bool,
}

/// A session, from its opening until it is evicted.
pub struct Session {
    /// The session's id.
    pub id: Id,
    /// Its buyer's number.
    pub buyer: u32,
    /// The place of the session.
    pub place: SessionPlace,
    /// The links in the list of its pool or agent.
    pub link: Link,
    /// The current or last agent, which may be the bot. [`NOBODY`] if there never was one.
    pub server: u32,
    /// When the session was opened.
    pub opened: Instant,
    /// The shop's `seq` when the session was opened. All its decisions come later.
    pub since_seq: u64,
    /// The start of the silence timer, if it runs (S3).
    pub silent_since: Instant,
    /// The routing attributes, if there are any, while the session is open.
    pub attributes: Option<Box<RoutingAttributes>>,
    /// Who sent the last message.
    pub speaker: Option<Speaker>,
    /// The flags.
    pub marks: SessionFlags,
    /// The oldest message that counts and waits for a reply (M3).
    pub awaited: Option<PendingReply>,
    /// The times at which unanswered messages become late, one per day (M1).
    pub late_marks: SmallVec<[ReplyDeadline; 1]>,
    /// The rating cards, in the order of creation.
    pub cards: SmallVec<[Card; 1]>,
}

impl Session {
    /// A new session at an instant, after a decision. The caller sets its place.
    pub fn new(
        id: Id,
        buyer: u32,
        (opened, since_seq): (Instant, u64),
        attributes: RoutingAttributes,
    ) -> Session {
        Session {
            id,
            buyer,
            place: SessionPlace::Bot,
            link: Link::LOOSE,
            server: NOBODY,
            opened,
            since_seq,
            silent_since: opened,
            attributes: (attributes != RoutingAttributes::default()).then(|| Box::new(attributes)),
            speaker: None,
            marks: SessionFlags::default(),
            awaited: None,
            late_marks: SmallVec::new(),
            cards: SmallVec::new(),
        }
    }

    /// Whether the session is closed.
    pub fn closed(&self) -> bool {
        matches!(self.place, SessionPlace::Closed { .. })
    }

    /// The routing attributes after a handoff with these values. Omitted values stay (S2).
    pub fn asked_anew(
        &self,
        question: &Option<Id>,
        order_status: &Option<Id>,
    ) -> RoutingAttributes {
        let mut attributes = self.attributes.as_deref().cloned().unwrap_or_default();
        attributes.question = question.clone().or(attributes.question);
        attributes.order_status = order_status.clone().or(attributes.order_status);
        attributes
    }

    /// The number of the current agent.
    pub fn agent(&self) -> Option<u32> {
        match self.place {
            SessionPlace::Agent(agent) => Some(agent),
            SessionPlace::Bot | SessionPlace::Waiting { .. } | SessionPlace::Closed { .. } => None,
        }
    }

    /// The agent in the decisions of the close, invitations and cards without invitation (S6).
    pub fn served_by(&self) -> Option<u32> {
        (self.server != NOBODY).then_some(self.server)
    }

    /// The agent in `reply.due` and `reply.overdue` (S6): the current one.
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
