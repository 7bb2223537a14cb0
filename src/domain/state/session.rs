//! Sessions: place, agents, and the latest activity.

use smallvec::SmallVec;

use super::agent::BOT;
use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::collections::linked_list::{Link, Linked};
use crate::domain::collections::slab_map::{Keyed, NOBODY};
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::codes::WaitReason;
use crate::domain::protocol::event::Priority;
use crate::domain::state::card::Card;
use crate::domain::state::pending_reply::{AgentRound, PendingReply, UnansweredMessage};

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
        /// The place in the queue (R11).
        rank: QueueRank,
        /// When it was last queued.
        since: Instant,
        /// Why it waits.
        reason: WaitReason,
    },
    /// With an agent, by its number.
    Agent(u32),
    /// Closed.
    Closed {
        /// The time of the close.
        at: Instant,
    },
}

/// The place of a waiting session in the queue: the smaller one comes first (R11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueRank {
    /// The queue instant, less what the priority is worth.
    pub as_if: Instant,
    /// The queue instant: when the session was last queued, or its debt.
    pub queued: Instant,
    /// The order of queueing.
    pub ticket: u64,
}

/// Agents that take-back passes over, by number, ascending (R10).
pub type PassedAgents = SmallVec<[u32; 4]>;

/// How often a session was taken from agents that did not answer, and from whom, since the last transfer by hand (R10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// How often.
    pub bounces: u32,
    /// The agents.
    pub passed: PassedAgents,
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

/// Flags of a session.
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
    /// An agent sent a human reply in this session (M10).
    pub answered: bool,
    /// The agent sent a human reply since the session was last assigned (R10, S8).
    pub answered_here: bool,
    /// The buyer left the page (S7).
    pub left: bool,
    /// The agent did not answer in time (R10).
    pub overdue: bool,
    /// A round began in this session (M12).
    pub had_round: bool,
    /// A round began since the session was last assigned (M9).
    pub had_round_here: bool,
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
    /// The number of sessions that the shop opened before, and this one: the order of opening.
    pub opened_as: u64,
    /// The session's own priority (R11).
    pub priority: Option<Priority>,
    /// When the session was last assigned to an agent.
    pub assigned_at: Instant,
    /// The latest message of the buyer or human reply.
    pub last_message: Instant,
    /// When the oldest message that the buyer sent to agents since the last human reply was handled (R10).
    pub debt: Option<Instant>,
    /// What take-back did to the session, if anything (R10).
    pub taken_back: Option<Box<TakenBack>>,
    /// The oldest message that counts and waits for a reply (M3).
    pub awaited: Option<PendingReply>,
    /// The messages that count and wait for a reply (M1).
    pub unanswered: SmallVec<[UnansweredMessage; 1]>,
    /// The open round with an agent (M9).
    pub round: Option<AgentRound>,
    /// The day of the first message that counts (M10).
    pub asked_on: Option<Day>,
    /// The rating cards, in the order of creation.
    pub cards: SmallVec<[Card; 1]>,
}

impl Session {
    /// A new session at an instant, after a decision. The caller sets its place.
    pub fn new(
        id: Id,
        buyer: u32,
        (opened, since_seq, opened_as): (Instant, u64, u64),
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
            opened_as,
            priority: None,
            assigned_at: Instant::NEVER,
            last_message: Instant::NEVER,
            debt: None,
            taken_back: None,
            awaited: None,
            unanswered: SmallVec::new(),
            round: None,
            asked_on: None,
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

    /// The next instant at which something of the session becomes late: an unanswered message, or a round (M1, M9, M12).
    pub fn next_late(&self) -> Option<Instant> {
        let messages = self.unanswered.iter().filter(|message| !message.late);
        let messages = messages.map(|message| message.late_at);
        let awaited = self.awaited.filter(|awaited| !awaited.late);
        let round = self.round.filter(|round| !round.late);
        let rounds = [
            awaited.map(|awaited| awaited.overdue_at),
            round.map(|round| round.late_at),
        ];
        messages.chain(rounds.into_iter().flatten()).min()
    }

    /// The agents that take-back passes over (R10).
    pub fn passed(&self) -> &[u32] {
        self.taken_back.as_ref().map_or(&[], |taken| &taken.passed)
    }

    /// How often the session was taken back (R10).
    pub fn bounces(&self) -> u32 {
        self.taken_back.as_ref().map_or(0, |taken| taken.bounces)
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
