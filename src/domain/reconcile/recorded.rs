//! A recorded decision: the parts that determine a shop's state.

use crate::domain::base::calendar::{Day, Month, Week};
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::protocol::codes::{CloseReason, Presence, WaitReason};
use crate::domain::protocol::decision::{
    AssignReason, BlockCode, Decision, DecisionBody, ErrorCode, Period, Trigger,
};
use crate::domain::protocol::event::Stars;
use crate::domain::protocol::rating::Source;

/// A recorded decision.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordedDecision {
    /// When it was taken.
    pub at: Instant,
    /// The decision.
    pub body: RecordedBody,
}

/// The decision. Codes that this core does not have are omitted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the fields are the contract's, section 3")]
pub enum RecordedBody {
    /// `session.assigned`.
    Assigned {
        session: Id,
        buyer: Id,
        agent: Id,
        reason: Option<AssignReason>,
        repeat_visit: bool,
        waited: Duration,
    },
    /// `session.queued`.
    Queued {
        session: Id,
        buyer: Id,
        pool: Box<str>,
        reason: Option<WaitReason>,
    },
    /// `session.taken_back`.
    TakenBack {
        session: Id,
        buyer: Id,
        agent: Id,
        bounce: u32,
    },
    /// `session.closed`.
    Closed {
        session: Id,
        buyer: Id,
        reason: Option<CloseReason>,
    },
    /// `agent.presence_set`.
    PresenceSet { agent: Id, presence: Presence },
    /// `hours.opened` and `hours.closed`.
    Hours { open: bool },
    /// `invite.sent`.
    InviteSent {
        card: Id,
        session: Id,
        buyer: Id,
        agent: Id,
        trigger: Trigger,
    },
    /// `invite.blocked`.
    InviteBlocked {
        session: Id,
        trigger: Trigger,
        blocked_by: Vec<BlockCode>,
    },
    /// `rating.opened`.
    RatingOpened {
        card: Id,
        session: Id,
        buyer: Id,
        agent: Id,
        source: Source,
    },
    /// `rating.recorded`.
    RatingRecorded {
        card: Id,
        session: Id,
        buyer: Id,
        agent: Id,
        stars: Stars,
        source: Source,
        /// Empty in records of the first core, which has them in the event alone.
        reasons: Vec<Id>,
    },
    /// `reply.due`.
    ReplyDue { session: Id },
    /// `reply.overdue`.
    ReplyOverdue { session: Id },
    /// `score.alert` and `score.recovered`.
    Score { period: Period, alert: bool },
    /// `score.day`.
    DaySummed { day: Day },
    /// `event.rejected`.
    Rejected { error: Option<ErrorCode> },
    /// A decision that does not change the state, or that this core does not know.
    Other,
}

/// The recorded result of an event.
#[derive(Clone, Copy, Debug)]
pub struct RecordedOutcome<'a> {
    /// The record's time.
    pub at: Instant,
    /// The shop's `seq` before the event.
    pub seq_before: u64,
    /// The number of decisions.
    pub decided: u32,
    /// The decisions.
    pub decisions: &'a [RecordedDecision],
}

impl RecordedOutcome<'_> {
    /// The code of the event's own rejection, which is the last decision. `None` if the event was accepted.
    pub fn rejection(&self) -> Option<Option<ErrorCode>> {
        match &self.decisions.last()?.body {
            RecordedBody::Rejected { error } => Some(*error),
            RecordedBody::Assigned { .. }
            | RecordedBody::Queued { .. }
            | RecordedBody::TakenBack { .. }
            | RecordedBody::Closed { .. }
            | RecordedBody::PresenceSet { .. }
            | RecordedBody::Hours { .. }
            | RecordedBody::InviteSent { .. }
            | RecordedBody::InviteBlocked { .. }
            | RecordedBody::RatingOpened { .. }
            | RecordedBody::RatingRecorded { .. }
            | RecordedBody::ReplyDue { .. }
            | RecordedBody::ReplyOverdue { .. }
            | RecordedBody::Score { .. }
            | RecordedBody::DaySummed { .. }
            | RecordedBody::Other => None,
        }
    }

    /// The shop's `seq` after the event.
    pub fn seq_after(&self) -> u64 {
        self.seq_before.saturating_add(u64::from(self.decided))
    }
}

impl RecordedDecision {
    /// A decision in the form of a record. `now` is its time if the decision has none.
    pub(super) fn of(decision: &Decision, now: Instant) -> RecordedDecision {
        RecordedDecision {
            at: decision.at.map_or(now, |stamp| stamp.instant),
            body: RecordedBody::from(&decision.body),
        }
    }
}

impl From<&DecisionBody> for RecordedBody {
    fn from(body: &DecisionBody) -> RecordedBody {
        match body.clone() {
            DecisionBody::SessionAssigned {
                session,
                buyer,
                agent,
                reason,
                repeat_visit,
                waited,
            } => RecordedBody::Assigned {
                session,
                buyer,
                agent,
                reason: Some(reason),
                repeat_visit,
                waited,
            },
            DecisionBody::SessionQueued {
                session,
                buyer,
                pool,
                reason,
                ..
            } => RecordedBody::Queued {
                session,
                buyer,
                pool,
                reason: Some(reason),
            },
            DecisionBody::SessionTakenBack {
                session,
                buyer,
                agent,
                bounce,
                ..
            } => RecordedBody::TakenBack {
                session,
                buyer,
                agent,
                bounce,
            },
            DecisionBody::SessionClosed {
                session,
                buyer,
                reason,
                ..
            } => RecordedBody::Closed {
                session,
                buyer,
                reason: Some(reason),
            },
            DecisionBody::AgentPresenceSet {
                agent, presence, ..
            } => RecordedBody::PresenceSet { agent, presence },
            DecisionBody::HoursOpened { .. } => RecordedBody::Hours { open: true },
            DecisionBody::HoursClosed { .. } => RecordedBody::Hours { open: false },
            DecisionBody::InviteSent {
                card,
                session,
                buyer,
                agent,
                trigger,
            } => RecordedBody::InviteSent {
                card,
                session,
                buyer,
                agent,
                trigger,
            },
            DecisionBody::InviteBlocked {
                session,
                trigger,
                blocked_by,
                ..
            } => RecordedBody::InviteBlocked {
                session,
                trigger,
                blocked_by,
            },
            DecisionBody::RatingOpened {
                card,
                session,
                buyer,
                agent,
                source,
            } => RecordedBody::RatingOpened {
                card,
                session,
                buyer,
                agent,
                source,
            },
            DecisionBody::RatingRecorded {
                card,
                session,
                buyer,
                agent,
                stars,
                source,
                reasons,
                ..
            } => RecordedBody::RatingRecorded {
                card,
                session,
                buyer,
                agent,
                stars,
                source,
                reasons,
            },
            DecisionBody::ReplyDue { session, .. } => RecordedBody::ReplyDue { session },
            DecisionBody::ReplyOverdue { session, .. } => RecordedBody::ReplyOverdue { session },
            DecisionBody::ScoreAlert { period, .. } => RecordedBody::Score {
                period,
                alert: true,
            },
            DecisionBody::ScoreRecovered { period, .. } => RecordedBody::Score {
                period,
                alert: false,
            },
            DecisionBody::EventRejected { error, .. } => {
                RecordedBody::Rejected { error: Some(error) }
            }
            DecisionBody::ScoreDay { period, .. } => RecordedBody::DaySummed { day: period },
            DecisionBody::AgentNotified { .. }
            | DecisionBody::AutoReplySent { .. }
            | DecisionBody::RatingRefused { .. } => RecordedBody::Other,
        }
    }
}

impl Period {
    /// The period with this [`Period::metric`] and label. `None` if there is none.
    pub fn named(metric: &str, label: &str) -> Option<Period> {
        match metric {
            "reply_rate" => Day::parse(label).map(Period::ReplyRate),
            "good_rate" => Week::parse(label).map(Period::GoodRate),
            "attitude_rate" => Month::parse(label).map(Period::AttitudeRate),
            _ => None,
        }
    }
}
