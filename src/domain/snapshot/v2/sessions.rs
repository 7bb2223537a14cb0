//! Sessions, in form 2.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::cards::CardV2;
use super::instant;
use super::name::NameV2;
use super::people::priority;
use crate::domain::base::calendar::Day;
use crate::domain::base::time::Instant;
use crate::domain::collections::linked_list::Link;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::codes::WaitReason;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::card::Card;
use crate::domain::state::pending_reply::{AgentRound, PendingReply, UnansweredMessage};
use crate::domain::state::session::{
    QueueRank, Session, SessionFlags, SessionPlace, Speaker, TakenBack,
};

#[derive(Serialize, Deserialize)]
pub struct SessionV2<'a> {
    pub id: NameV2<'a>,
    pub buyer: u32,
    pub place: PlaceV2,
    pub server: u32,
    pub opened_ms: i64,
    pub since_seq: u64,
    pub opened_as: u64,
    pub silent_since_ms: i64,
    pub attributes: Option<AskV2<'a>>,
    pub priority: Option<u8>,
    pub speaker: Option<SpeakerV2>,
    pub marks: MarksV2,
    pub assigned_at_ms: i64,
    pub last_message_ms: i64,
    pub debt_ms: Option<i64>,
    pub taken_back: Option<TakenBackV2>,
    pub awaited: Option<AwaitedV2>,
    pub unanswered: SmallVec<[UnansweredV2; 1]>,
    pub round: Option<RoundV2>,
    pub asked_on: Option<i32>,
    pub cards: SmallVec<[CardV2; 1]>,
}

#[derive(Serialize, Deserialize)]
pub enum PlaceV2 {
    Bot,
    Waiting {
        pool: u32,
        rank: RankV2,
        since_ms: i64,
        reason: WaitReasonV2,
    },
    Agent(u32),
    Closed {
        at_ms: i64,
    },
}

#[derive(Serialize, Deserialize)]
pub struct RankV2 {
    pub as_if_ms: i64,
    pub queued_ms: i64,
    pub ticket: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum WaitReasonV2 {
    AllBusy,
    ScopeOffline,
    NobodyOnline,
    Closed,
    NoAnswer,
    OfflineHandover,
}

#[derive(Serialize, Deserialize)]
pub struct AskV2<'a> {
    pub entry: Option<NameV2<'a>>,
    pub question: Option<NameV2<'a>>,
    pub order_status: Option<NameV2<'a>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum SpeakerV2 {
    Buyer,
    Agent,
    Bot,
}

#[derive(Default, Serialize, Deserialize)]
pub struct MarksV2 {
    pub routed: bool,
    pub repeat_visit: bool,
    pub human: bool,
    pub queued: bool,
    pub wrote_to_bot: bool,
    pub answered: bool,
    pub answered_here: bool,
    pub left: bool,
    pub overdue: bool,
    pub had_round: bool,
    pub had_round_here: bool,
    pub told_offline: bool,
    pub forgotten: bool,
}

#[derive(Serialize, Deserialize)]
pub struct TakenBackV2 {
    bounces: u32,
    /// In order.
    passed: SmallVec<[u32; 4]>,
}

#[derive(Serialize, Deserialize)]
pub struct AwaitedV2 {
    pub since_ms: i64,
    pub overdue_at_ms: i64,
    pub day: i32,
    pub first: bool,
    pub late: bool,
}

#[derive(Serialize, Deserialize)]
pub struct UnansweredV2 {
    pub day: i32,
    pub late_at_ms: i64,
    pub late: bool,
}

#[derive(Serialize, Deserialize)]
pub struct RoundV2 {
    agent: u32,
    began_ms: i64,
    late_at_ms: i64,
    day: i32,
    first: bool,
    late: bool,
}

impl<'a> From<&'a Session> for SessionV2<'a> {
    fn from(session: &'a Session) -> SessionV2<'a> {
        let Session {
            id,
            buyer,
            place,
            link: _,
            server,
            opened,
            since_seq,
            silent_since,
            attributes,
            speaker,
            marks,
            opened_as,
            priority,
            assigned_at,
            last_message,
            debt,
            taken_back,
            awaited,
            unanswered,
            round,
            asked_on,
            cards,
        } = session;
        SessionV2 {
            id: id.into(),
            buyer: *buyer,
            place: PlaceV2::from(*place),
            server: *server,
            opened_ms: opened.ms(),
            since_seq: *since_seq,
            opened_as: *opened_as,
            silent_since_ms: silent_since.ms(),
            attributes: attributes.as_deref().map(AskV2::from),
            priority: priority.map(|priority| priority.level()),
            speaker: speaker.map(|speaker| match speaker {
                Speaker::Buyer => SpeakerV2::Buyer,
                Speaker::Agent => SpeakerV2::Agent,
                Speaker::Bot => SpeakerV2::Bot,
            }),
            marks: MarksV2::from(*marks),
            assigned_at_ms: assigned_at.ms(),
            last_message_ms: last_message.ms(),
            debt_ms: debt.map(Instant::ms),
            taken_back: taken_back.as_deref().map(TakenBackV2::from),
            awaited: awaited.map(AwaitedV2::from),
            unanswered: unanswered.iter().map(|&message| message.into()).collect(),
            round: round.map(RoundV2::from),
            asked_on: asked_on.map(|day| day.0),
            cards: cards.iter().map(|&card| card.into()).collect(),
        }
    }
}

impl TryFrom<SessionV2<'_>> for Session {
    type Error = InvalidPart;
    fn try_from(read: SessionV2<'_>) -> Result<Session, InvalidPart> {
        let attributes = read.attributes.map(RoutingAttributes::from);
        let unanswered = read.unanswered.into_iter().map(UnansweredMessage::try_from);
        let cards = read.cards.into_iter().map(Card::try_from);
        Ok(Session {
            id: read.id.id(),
            buyer: read.buyer,
            place: read.place.try_into()?,
            link: Link::LOOSE,
            server: read.server,
            opened: instant(read.opened_ms)?,
            since_seq: read.since_seq,
            silent_since: instant(read.silent_since_ms)?,
            attributes: attributes.map(Box::new),
            speaker: read.speaker.map(|speaker| match speaker {
                SpeakerV2::Buyer => Speaker::Buyer,
                SpeakerV2::Agent => Speaker::Agent,
                SpeakerV2::Bot => Speaker::Bot,
            }),
            marks: read.marks.into(),
            opened_as: read.opened_as,
            priority: read.priority.map(priority).transpose()?,
            assigned_at: instant(read.assigned_at_ms)?,
            last_message: instant(read.last_message_ms)?,
            debt: read.debt_ms.map(instant).transpose()?,
            taken_back: read.taken_back.map(|taken| Box::new(taken.into())),
            awaited: read.awaited.map(PendingReply::try_from).transpose()?,
            unanswered: unanswered.collect::<Result<_, InvalidPart>>()?,
            round: read.round.map(AgentRound::try_from).transpose()?,
            asked_on: read.asked_on.map(Day),
            cards: cards.collect::<Result<_, InvalidPart>>()?,
        })
    }
}

impl From<SessionPlace> for PlaceV2 {
    fn from(place: SessionPlace) -> PlaceV2 {
        match place {
            SessionPlace::Bot => PlaceV2::Bot,
            SessionPlace::Waiting {
                pool,
                rank:
                    QueueRank {
                        as_if,
                        queued,
                        ticket,
                    },
                since,
                reason,
            } => PlaceV2::Waiting {
                pool,
                rank: RankV2 {
                    as_if_ms: as_if.ms(),
                    queued_ms: queued.ms(),
                    ticket,
                },
                since_ms: since.ms(),
                reason: match reason {
                    WaitReason::AllBusy => WaitReasonV2::AllBusy,
                    WaitReason::ScopeOffline => WaitReasonV2::ScopeOffline,
                    WaitReason::NobodyOnline => WaitReasonV2::NobodyOnline,
                    WaitReason::Closed => WaitReasonV2::Closed,
                    WaitReason::NoAnswer => WaitReasonV2::NoAnswer,
                    WaitReason::OfflineHandover => WaitReasonV2::OfflineHandover,
                },
            },
            SessionPlace::Agent(agent) => PlaceV2::Agent(agent),
            SessionPlace::Closed { at } => PlaceV2::Closed { at_ms: at.ms() },
        }
    }
}

impl TryFrom<PlaceV2> for SessionPlace {
    type Error = InvalidPart;
    fn try_from(read: PlaceV2) -> Result<SessionPlace, InvalidPart> {
        Ok(match read {
            PlaceV2::Bot => SessionPlace::Bot,
            PlaceV2::Waiting {
                pool,
                rank,
                since_ms,
                reason,
            } => SessionPlace::Waiting {
                pool,
                rank: QueueRank {
                    as_if: instant(rank.as_if_ms)?,
                    queued: instant(rank.queued_ms)?,
                    ticket: rank.ticket,
                },
                since: instant(since_ms)?,
                reason: match reason {
                    WaitReasonV2::AllBusy => WaitReason::AllBusy,
                    WaitReasonV2::ScopeOffline => WaitReason::ScopeOffline,
                    WaitReasonV2::NobodyOnline => WaitReason::NobodyOnline,
                    WaitReasonV2::Closed => WaitReason::Closed,
                    WaitReasonV2::NoAnswer => WaitReason::NoAnswer,
                    WaitReasonV2::OfflineHandover => WaitReason::OfflineHandover,
                },
            },
            PlaceV2::Agent(agent) => SessionPlace::Agent(agent),
            PlaceV2::Closed { at_ms } => SessionPlace::Closed {
                at: instant(at_ms)?,
            },
        })
    }
}

impl<'a> From<&'a RoutingAttributes> for AskV2<'a> {
    fn from(attributes: &'a RoutingAttributes) -> AskV2<'a> {
        let RoutingAttributes {
            entry,
            question,
            order_status,
        } = attributes;
        AskV2 {
            entry: entry.as_ref().map(NameV2::from),
            question: question.as_ref().map(NameV2::from),
            order_status: order_status.as_ref().map(NameV2::from),
        }
    }
}

impl From<AskV2<'_>> for RoutingAttributes {
    fn from(read: AskV2<'_>) -> RoutingAttributes {
        RoutingAttributes {
            entry: read.entry.map(NameV2::id),
            question: read.question.map(NameV2::id),
            order_status: read.order_status.map(NameV2::id),
        }
    }
}

impl From<SessionFlags> for MarksV2 {
    fn from(marks: SessionFlags) -> MarksV2 {
        let SessionFlags {
            routed,
            repeat_visit,
            human,
            queued,
            wrote_to_bot,
            answered,
            answered_here,
            left,
            overdue,
            had_round,
            had_round_here,
            told_offline,
            forgotten,
        } = marks;
        MarksV2 {
            routed,
            repeat_visit,
            human,
            queued,
            wrote_to_bot,
            answered,
            answered_here,
            left,
            overdue,
            had_round,
            had_round_here,
            told_offline,
            forgotten,
        }
    }
}

impl From<MarksV2> for SessionFlags {
    fn from(read: MarksV2) -> SessionFlags {
        SessionFlags {
            routed: read.routed,
            repeat_visit: read.repeat_visit,
            human: read.human,
            queued: read.queued,
            wrote_to_bot: read.wrote_to_bot,
            answered: read.answered,
            answered_here: read.answered_here,
            left: read.left,
            overdue: read.overdue,
            had_round: read.had_round,
            had_round_here: read.had_round_here,
            told_offline: read.told_offline,
            forgotten: read.forgotten,
        }
    }
}

impl From<&TakenBack> for TakenBackV2 {
    fn from(TakenBack { bounces, passed }: &TakenBack) -> TakenBackV2 {
        TakenBackV2 {
            bounces: *bounces,
            passed: passed.clone(),
        }
    }
}

impl From<TakenBackV2> for TakenBack {
    fn from(read: TakenBackV2) -> TakenBack {
        TakenBack {
            bounces: read.bounces,
            passed: read.passed,
        }
    }
}

impl From<PendingReply> for AwaitedV2 {
    fn from(awaited: PendingReply) -> AwaitedV2 {
        let PendingReply {
            since,
            overdue_at,
            day,
            first,
            late,
        } = awaited;
        AwaitedV2 {
            since_ms: since.ms(),
            overdue_at_ms: overdue_at.ms(),
            day: day.0,
            first,
            late,
        }
    }
}

impl TryFrom<AwaitedV2> for PendingReply {
    type Error = InvalidPart;
    fn try_from(read: AwaitedV2) -> Result<PendingReply, InvalidPart> {
        Ok(PendingReply {
            since: instant(read.since_ms)?,
            overdue_at: instant(read.overdue_at_ms)?,
            day: Day(read.day),
            first: read.first,
            late: read.late,
        })
    }
}

impl From<UnansweredMessage> for UnansweredV2 {
    fn from(UnansweredMessage { day, late_at, late }: UnansweredMessage) -> UnansweredV2 {
        UnansweredV2 {
            day: day.0,
            late_at_ms: late_at.ms(),
            late,
        }
    }
}

impl TryFrom<UnansweredV2> for UnansweredMessage {
    type Error = InvalidPart;
    fn try_from(read: UnansweredV2) -> Result<UnansweredMessage, InvalidPart> {
        Ok(UnansweredMessage {
            day: Day(read.day),
            late_at: instant(read.late_at_ms)?,
            late: read.late,
        })
    }
}

impl From<AgentRound> for RoundV2 {
    fn from(round: AgentRound) -> RoundV2 {
        let AgentRound {
            agent,
            began,
            late_at,
            day,
            first,
            late,
        } = round;
        RoundV2 {
            agent,
            began_ms: began.ms(),
            late_at_ms: late_at.ms(),
            day: day.0,
            first,
            late,
        }
    }
}

impl TryFrom<RoundV2> for AgentRound {
    type Error = InvalidPart;
    fn try_from(read: RoundV2) -> Result<AgentRound, InvalidPart> {
        Ok(AgentRound {
            agent: read.agent,
            began: instant(read.began_ms)?,
            late_at: instant(read.late_at_ms)?,
            day: Day(read.day),
            first: read.first,
            late: read.late,
        })
    }
}
