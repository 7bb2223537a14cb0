//! Sessions, in form 1.

use serde::Deserialize;
use smallvec::SmallVec;

use super::NEVER_MS;
use super::cards::CardV1;
use super::name::NameV1;
use crate::domain::snapshot::v2::sessions::{
    AskV2, AwaitedV2, MarksV2, PlaceV2, RankV2, SessionV2, SpeakerV2, UnansweredV2, WaitReasonV2,
};

#[derive(Deserialize)]
pub(super) struct SessionV1 {
    id: NameV1<'static>,
    buyer: u32,
    place: PlaceV1,
    server: u32,
    opened_ms: i64,
    since_seq: u64,
    silent_since_ms: i64,
    attributes: Option<AskV1>,
    speaker: Option<SpeakerV1>,
    marks: MarksV1,
    awaited: Option<AwaitedV1>,
    late_marks: SmallVec<[LateMarkV1; 1]>,
    cards: SmallVec<[CardV1; 1]>,
}

#[derive(Deserialize)]
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

#[derive(Deserialize)]
struct AskV1 {
    entry: Option<NameV1<'static>>,
    question: Option<NameV1<'static>>,
    order_status: Option<NameV1<'static>>,
}

#[derive(Clone, Copy, Deserialize)]
enum SpeakerV1 {
    Buyer,
    Agent,
    Bot,
}

#[derive(Deserialize)]
struct MarksV1 {
    routed: bool,
    repeat_visit: bool,
    human: bool,
    queued: bool,
    wrote_to_bot: bool,
    told_offline: bool,
    forgotten: bool,
}

#[derive(Deserialize)]
struct AwaitedV1 {
    since_ms: i64,
    overdue_at_ms: i64,
    day: i32,
}

#[derive(Deserialize)]
struct LateMarkV1 {
    day: i32,
    late_at_ms: i64,
}

impl From<SessionV1> for SessionV2<'static> {
    /// What form 1 does not know:
    ///
    /// - `opened_as` and whether `awaited` is late follow from the whole shop, and are set later.
    /// - The latest assignment counts as the opening.
    /// - The latest message counts as the start of silence, if anybody wrote.
    /// - The debt is the oldest message that counts, if it was to an agent.
    /// - Human replies are known only if the last message was one.
    /// - A session in which somebody wrote had its first round.
    /// - The day of the first message is not known, so the next message counts as the first one.
    fn from(session: SessionV1) -> SessionV2<'static> {
        let SessionV1 {
            place,
            speaker,
            marks,
            awaited,
            ..
        } = session;
        let with_agent = matches!(place, PlaceV1::Agent(_));
        let to_agents = with_agent || matches!(place, PlaceV1::Waiting { .. });
        let answered = matches!(speaker, Some(SpeakerV1::Agent));
        let wrote = speaker.is_some();
        let known = |known: bool, ms: i64| if known { ms } else { NEVER_MS };
        let debt_ms = awaited.as_ref().filter(|_| to_agents);
        SessionV2 {
            id: session.id.into(),
            buyer: session.buyer,
            place: place.into(),
            server: session.server,
            opened_ms: session.opened_ms,
            since_seq: session.since_seq,
            opened_as: 0,
            silent_since_ms: session.silent_since_ms,
            attributes: session.attributes.map(AskV2::from),
            priority: None,
            speaker: speaker.map(|speaker| match speaker {
                SpeakerV1::Buyer => SpeakerV2::Buyer,
                SpeakerV1::Agent => SpeakerV2::Agent,
                SpeakerV1::Bot => SpeakerV2::Bot,
            }),
            assigned_at_ms: known(marks.human || with_agent, session.opened_ms),
            last_message_ms: known(wrote, session.silent_since_ms),
            debt_ms: debt_ms.map(|awaited| awaited.since_ms),
            taken_back: None,
            marks: MarksV2 {
                routed: marks.routed,
                repeat_visit: marks.repeat_visit,
                human: marks.human,
                queued: marks.queued,
                wrote_to_bot: marks.wrote_to_bot,
                answered,
                answered_here: answered && with_agent,
                left: false,
                overdue: false,
                had_round: wrote,
                had_round_here: wrote && with_agent,
                told_offline: marks.told_offline,
                forgotten: marks.forgotten,
            },
            awaited: awaited.map(AwaitedV2::from),
            unanswered: session.late_marks.into_iter().map(Into::into).collect(),
            round: None,
            asked_on: None,
            cards: session.cards.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<PlaceV1> for PlaceV2 {
    /// Nobody had a priority, so who waits is in the order of queueing. Why it waits is not known.
    fn from(place: PlaceV1) -> PlaceV2 {
        match place {
            PlaceV1::Bot => PlaceV2::Bot,
            PlaceV1::Waiting {
                pool,
                ticket,
                since_ms,
            } => PlaceV2::Waiting {
                pool,
                rank: RankV2 {
                    as_if_ms: since_ms,
                    queued_ms: since_ms,
                    ticket,
                },
                since_ms,
                reason: WaitReasonV2::AllBusy,
            },
            PlaceV1::Agent(agent) => PlaceV2::Agent(agent),
            PlaceV1::Closed { at_ms } => PlaceV2::Closed { at_ms },
        }
    }
}

impl From<AskV1> for AskV2<'static> {
    fn from(ask: AskV1) -> AskV2<'static> {
        AskV2 {
            entry: ask.entry.map(Into::into),
            question: ask.question.map(Into::into),
            order_status: ask.order_status.map(Into::into),
        }
    }
}

impl From<AwaitedV1> for AwaitedV2 {
    fn from(awaited: AwaitedV1) -> AwaitedV2 {
        AwaitedV2 {
            since_ms: awaited.since_ms,
            overdue_at_ms: awaited.overdue_at_ms,
            day: awaited.day,
            first: false,
            late: true,
        }
    }
}

impl From<LateMarkV1> for UnansweredV2 {
    /// Form 1 keeps only messages that are not late yet.
    fn from(mark: LateMarkV1) -> UnansweredV2 {
        UnansweredV2 {
            day: mark.day,
            late_at_ms: mark.late_at_ms,
            late: false,
        }
    }
}
