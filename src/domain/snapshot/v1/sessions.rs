//! Sessions, in form 1.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::cards::CardV1;
use super::instant;
use super::name::NameV1;
use crate::domain::base::calendar::Day;
use crate::domain::collections::linked_list::Link;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::codes::WaitReason;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::card::Card;
use crate::domain::state::pending_reply::{PendingReply, UnansweredMessage};
use crate::domain::state::session::{QueueRank, Session, SessionFlags, SessionPlace, Speaker};

#[derive(Serialize, Deserialize)]
pub(super) struct SessionV1<'a> {
    id: NameV1<'a>,
    buyer: u32,
    place: PlaceV1,
    server: u32,
    opened_ms: i64,
    since_seq: u64,
    silent_since_ms: i64,
    attributes: Option<AskV1<'a>>,
    speaker: Option<SpeakerV1>,
    marks: MarksV1,
    awaited: Option<AwaitedV1>,
    late_marks: SmallVec<[LateMarkV1; 1]>,
    cards: SmallVec<[CardV1; 1]>,
}

#[derive(Serialize, Deserialize)]
enum PlaceV1 {
    Bot,
    Waiting {
        pool: u32,
        ticket: u64,
        since_ms: i64,
    },
    Agent(u32),
    Closed {
        at_ms: i64,
    },
}

#[derive(Serialize, Deserialize)]
struct AskV1<'a> {
    entry: Option<NameV1<'a>>,
    question: Option<NameV1<'a>>,
    order_status: Option<NameV1<'a>>,
}

#[derive(Serialize, Deserialize)]
enum SpeakerV1 {
    Buyer,
    Agent,
    Bot,
}

#[derive(Serialize, Deserialize)]
struct MarksV1 {
    routed: bool,
    repeat_visit: bool,
    human: bool,
    queued: bool,
    wrote_to_bot: bool,
    told_offline: bool,
    forgotten: bool,
}

#[derive(Serialize, Deserialize)]
struct AwaitedV1 {
    since_ms: i64,
    overdue_at_ms: i64,
    day: i32,
}

#[derive(Serialize, Deserialize)]
struct LateMarkV1 {
    day: i32,
    late_at_ms: i64,
}

impl<'a> From<&'a Session> for SessionV1<'a> {
    fn from(session: &'a Session) -> SessionV1<'a> {
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
            awaited,
            unanswered,
            cards,
            ..
        } = session;
        SessionV1 {
            id: id.into(),
            buyer: *buyer,
            place: PlaceV1::from(*place),
            server: *server,
            opened_ms: opened.ms(),
            since_seq: *since_seq,
            silent_since_ms: silent_since.ms(),
            attributes: attributes.as_deref().map(AskV1::from),
            speaker: speaker.map(|speaker| match speaker {
                Speaker::Buyer => SpeakerV1::Buyer,
                Speaker::Agent => SpeakerV1::Agent,
                Speaker::Bot => SpeakerV1::Bot,
            }),
            marks: MarksV1::from(*marks),
            awaited: awaited.map(AwaitedV1::from),
            late_marks: unanswered.iter().map(|&mark| mark.into()).collect(),
            cards: cards.iter().map(|&card| card.into()).collect(),
        }
    }
}

impl TryFrom<SessionV1<'_>> for Session {
    type Error = InvalidPart;
    fn try_from(read: SessionV1<'_>) -> Result<Session, InvalidPart> {
        let late_marks = read.late_marks.into_iter().map(UnansweredMessage::try_from);
        let cards = read.cards.into_iter().map(Card::try_from);
        let attributes = read
            .attributes
            .map(RoutingAttributes::try_from)
            .transpose()?;
        let awaited = read.awaited.map(PendingReply::try_from).transpose()?;
        let opened = instant(read.opened_ms)?;
        let answered = matches!(read.speaker, Some(SpeakerV1::Agent));
        let mut marks = SessionFlags::from(read.marks);
        (marks.answered, marks.answered_here) = (answered, answered);
        marks.had_round = true;
        Ok(Session {
            id: read.id.id(),
            buyer: read.buyer,
            place: read.place.try_into()?,
            link: Link::LOOSE,
            server: read.server,
            opened,
            since_seq: read.since_seq,
            silent_since: instant(read.silent_since_ms)?,
            attributes: attributes.map(Box::new),
            speaker: read.speaker.map(|speaker| match speaker {
                SpeakerV1::Buyer => Speaker::Buyer,
                SpeakerV1::Agent => Speaker::Agent,
                SpeakerV1::Bot => Speaker::Bot,
            }),
            marks,
            opened_as: 0,
            priority: None,
            assigned_at: opened,
            last_message: instant(read.silent_since_ms)?,
            debt: awaited.map(|awaited| awaited.since),
            taken_back: None,
            awaited,
            unanswered: late_marks.collect::<Result<_, InvalidPart>>()?,
            round: None,
            asked_on: None,
            cards: cards.collect::<Result<_, InvalidPart>>()?,
        })
    }
}

impl From<SessionPlace> for PlaceV1 {
    fn from(place: SessionPlace) -> PlaceV1 {
        match place {
            SessionPlace::Bot => PlaceV1::Bot,
            SessionPlace::Waiting {
                pool, rank, since, ..
            } => PlaceV1::Waiting {
                pool,
                ticket: rank.ticket,
                since_ms: since.ms(),
            },
            SessionPlace::Agent(agent) => PlaceV1::Agent(agent),
            SessionPlace::Closed { at } => PlaceV1::Closed { at_ms: at.ms() },
        }
    }
}

impl TryFrom<PlaceV1> for SessionPlace {
    type Error = InvalidPart;
    fn try_from(read: PlaceV1) -> Result<SessionPlace, InvalidPart> {
        Ok(match read {
            PlaceV1::Bot => SessionPlace::Bot,
            PlaceV1::Waiting {
                pool,
                ticket,
                since_ms,
            } => {
                let since = instant(since_ms)?;
                SessionPlace::Waiting {
                    pool,
                    rank: QueueRank {
                        as_if: since,
                        queued: since,
                        ticket,
                    },
                    since,
                    reason: WaitReason::AllBusy,
                }
            }
            PlaceV1::Agent(agent) => SessionPlace::Agent(agent),
            PlaceV1::Closed { at_ms } => SessionPlace::Closed {
                at: instant(at_ms)?,
            },
        })
    }
}

impl<'a> From<&'a RoutingAttributes> for AskV1<'a> {
    fn from(attributes: &'a RoutingAttributes) -> AskV1<'a> {
        let RoutingAttributes {
            entry,
            question,
            order_status,
        } = attributes;
        AskV1 {
            entry: entry.as_ref().map(NameV1::from),
            question: question.as_ref().map(NameV1::from),
            order_status: order_status.as_ref().map(NameV1::from),
        }
    }
}

impl TryFrom<AskV1<'_>> for RoutingAttributes {
    type Error = InvalidPart;
    fn try_from(read: AskV1<'_>) -> Result<RoutingAttributes, InvalidPart> {
        Ok(RoutingAttributes {
            entry: read.entry.map(NameV1::id),
            question: read.question.map(NameV1::id),
            order_status: read.order_status.map(NameV1::id),
        })
    }
}

impl From<SessionFlags> for MarksV1 {
    fn from(marks: SessionFlags) -> MarksV1 {
        let SessionFlags {
            routed,
            repeat_visit,
            human,
            queued,
            wrote_to_bot,
            told_offline,
            forgotten,
            ..
        } = marks;
        MarksV1 {
            routed,
            repeat_visit,
            human,
            queued,
            wrote_to_bot,
            told_offline,
            forgotten,
        }
    }
}

impl From<MarksV1> for SessionFlags {
    fn from(read: MarksV1) -> SessionFlags {
        SessionFlags {
            routed: read.routed,
            repeat_visit: read.repeat_visit,
            human: read.human,
            queued: read.queued,
            wrote_to_bot: read.wrote_to_bot,
            told_offline: read.told_offline,
            forgotten: read.forgotten,
            ..SessionFlags::default()
        }
    }
}

impl From<PendingReply> for AwaitedV1 {
    fn from(awaited: PendingReply) -> AwaitedV1 {
        let PendingReply {
            since,
            overdue_at,
            day,
            ..
        } = awaited;
        AwaitedV1 {
            since_ms: since.ms(),
            overdue_at_ms: overdue_at.ms(),
            day: day.0,
        }
    }
}

impl TryFrom<AwaitedV1> for PendingReply {
    type Error = InvalidPart;
    fn try_from(read: AwaitedV1) -> Result<PendingReply, InvalidPart> {
        Ok(PendingReply {
            since: instant(read.since_ms)?,
            overdue_at: instant(read.overdue_at_ms)?,
            day: Day(read.day),
            first: false,
            late: true,
        })
    }
}

impl From<UnansweredMessage> for LateMarkV1 {
    fn from(UnansweredMessage { day, late_at, .. }: UnansweredMessage) -> LateMarkV1 {
        LateMarkV1 {
            day: day.0,
            late_at_ms: late_at.ms(),
        }
    }
}

impl TryFrom<LateMarkV1> for UnansweredMessage {
    type Error = InvalidPart;
    fn try_from(read: LateMarkV1) -> Result<UnansweredMessage, InvalidPart> {
        Ok(UnansweredMessage {
            day: Day(read.day),
            late_at: instant(read.late_at_ms)?,
            late: false,
        })
    }
}
