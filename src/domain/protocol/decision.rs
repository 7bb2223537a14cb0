//! Decisions of a shop, as the contract defines them (section 3).

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::codes::codes;
use super::event::{Priority, Stars};
use crate::domain::base::calendar::{Day, Month, Week};
use crate::domain::base::id::Id;
use crate::domain::base::ratio::{Decimal, Share};
use crate::domain::base::time::{Duration, OffsetTimestamp};
use crate::domain::protocol::rating::{Level, Source};

pub use super::codes::{
    AssignReason, BlockCode, CloseReason, ErrorCode, Presence, PresenceReason, RefuseReason,
    Trigger, WaitReason,
};
pub use crate::domain::base::ratio::Rate;

/// One decision of a shop.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// 1, 2, 3 … for each shop. 0 if the shop does not exist.
    pub seq: u64,
    /// The shop's clock. `None` if the shop does not exist and the event's own time is malformed.
    pub at: Option<OffsetTimestamp>,
    /// The decision itself.
    pub body: DecisionBody,
}

/// The decision with the fields of its type in the contract. Fields without a value are omitted.
#[derive(Clone, Debug, PartialEq, serde::Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the fields are the contract's, section 3")]
pub enum DecisionBody {
    /// An agent gets a session.
    SessionAssigned {
        session: Id,
        buyer: Id,
        agent: Id,
        reason: AssignReason,
        repeat_visit: bool,
        /// Seconds since the session was last queued. 0 if it was not queued.
        #[serde(serialize_with = "seconds")]
        #[schema(value_type = f64)]
        waited: Duration,
    },
    /// A session waits in a pool.
    SessionQueued {
        session: Id,
        buyer: Id,
        pool: Box<str>,
        /// 1 is the next one.
        position: u32,
        reason: WaitReason,
        prompt: Box<str>,
        /// The priority, if it is not 0 and counts (R11).
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        priority: Option<Priority>,
    },
    /// A session was taken from an agent that did not answer (R10).
    SessionTakenBack {
        session: Id,
        buyer: Id,
        /// The agent that loses it.
        agent: Id,
        /// When the buyer's oldest unanswered message came.
        since: OffsetTimestamp,
        /// How often the session was taken back.
        bounce: u32,
    },
    /// A session was closed.
    SessionClosed {
        session: Id,
        buyer: Id,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        agent: Option<Id>,
        reason: CloseReason,
    },
    /// The shop changed the presence of an agent (R10e).
    AgentPresenceSet {
        agent: Id,
        presence: Presence,
        reason: PresenceReason,
    },
    /// The shop opened by its opening hours (H3).
    HoursOpened {
        /// When it closes.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        until: Option<OffsetTimestamp>,
    },
    /// The shop closed by its opening hours (H3).
    HoursClosed {
        /// When it opens.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        until: Option<OffsetTimestamp>,
    },
    /// An agent that is not online got a session or a message.
    AgentNotified { agent: Id, session: Id },
    /// The shop sends an automatic reply.
    AutoReplySent { session: Id, text: Box<str> },
    /// The buyer is asked for a rating.
    InviteSent {
        card: Id,
        session: Id,
        buyer: Id,
        agent: Id,
        trigger: Trigger,
    },
    /// The buyer is not asked for a rating.
    InviteBlocked {
        session: Id,
        buyer: Id,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        agent: Option<Id>,
        trigger: Trigger,
        blocked_by: Vec<BlockCode>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        retry_at: Option<OffsetTimestamp>,
    },
    /// A rating card was opened.
    RatingOpened {
        card: Id,
        session: Id,
        buyer: Id,
        agent: Id,
        source: Source,
    },
    /// A rating counts.
    RatingRecorded {
        card: Id,
        session: Id,
        buyer: Id,
        agent: Id,
        level: Level,
        stars: Stars,
        source: Source,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        #[schema(required = false)]
        reasons: Vec<Id>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        comment: Option<Box<str>>,
    },
    /// A rating does not count.
    RatingRefused {
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        session: Option<Id>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        card: Option<Id>,
        reason: RefuseReason,
    },
    /// The slow-response reminder (M3).
    ReplyDue {
        session: Id,
        buyer: Id,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        agent: Option<Id>,
        since: OffsetTimestamp,
        overdue_at: OffsetTimestamp,
    },
    /// A message was not answered in time (M3).
    ReplyOverdue {
        session: Id,
        buyer: Id,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        agent: Option<Id>,
        since: OffsetTimestamp,
    },
    /// A score crossed its alert threshold (M6).
    ScoreAlert {
        #[serde(flatten)]
        #[schema(inline)]
        period: Period,
        value: Rate,
        threshold: Share,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        needed: Option<u64>,
    },
    /// A score is on the right side of its alert threshold again (M6).
    ScoreRecovered {
        #[serde(flatten)]
        #[schema(inline)]
        period: Period,
        value: Rate,
        threshold: Share,
    },
    /// The counts of a natural day, once its replies are due (M13).
    ScoreDay {
        /// The day.
        #[schema(value_type = String)]
        period: Day,
        /// What consulted, in the policy's unit (M12).
        consulting: u64,
        /// What was late, in the same unit.
        late: u64,
        /// The reply rate. Omitted if the day has none of the unit.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        value: Option<Rate>,
        threshold: Share,
        /// Whether the reply rate is below the threshold.
        below: bool,
        effective_rate: Rate,
        penalty_risk: bool,
    },
    /// An event changed nothing.
    EventRejected {
        event: Box<str>,
        error: ErrorCode,
        message: Box<str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        session: Option<Id>,
    },
}

/// Maps each decision to its type, and to the codes that explain it.
macro_rules! types {
    ($($variant:ident = $name:literal $({ $field:ident => $codes:ident: $index:expr })?,)+) => {
        codes! {
            /// The types of decisions, in the order of the contract.
            DecisionType { $(#[doc = concat!("`", $name, "`")] $variant = $name,)+ }
        }

        impl DecisionType {
            /// The codes that explain decisions of this type, if it has any.
            pub fn reasons(self) -> Vec<&'static str> {
                match self {
                    $(DecisionType::$variant => std::iter::empty()$(.chain($codes::codes()))?.collect(),)+
                }
            }
        }

        impl DecisionBody {
            /// The type of the decision.
            pub fn kind(&self) -> DecisionType {
                match self { $(DecisionBody::$variant { .. } => DecisionType::$variant,)+ }
            }

            /// The index of the decision's code in [`DecisionType::reasons`]. 0 if the type has none. A blocked
            /// invitation has several codes, and the first one counts.
            pub fn reason_index(&self) -> usize {
                match self {
                    $($(DecisionBody::$variant { $field, .. } => $index,)?)+
                    _ => 0,
                }
            }
        }
    };
}

types! {
    SessionAssigned = "session.assigned" { reason => AssignReason: *reason as usize },
    SessionQueued = "session.queued" { reason => WaitReason: *reason as usize },
    SessionTakenBack = "session.taken_back",
    SessionClosed = "session.closed" { reason => CloseReason: *reason as usize },
    AgentPresenceSet = "agent.presence_set" { reason => PresenceReason: *reason as usize },
    HoursOpened = "hours.opened",
    HoursClosed = "hours.closed",
    AgentNotified = "agent.notified",
    AutoReplySent = "auto_reply.sent",
    InviteSent = "invite.sent",
    InviteBlocked = "invite.blocked" {
        blocked_by => BlockCode: blocked_by.first().map_or(0, |code| *code as usize)
    },
    RatingOpened = "rating.opened",
    RatingRecorded = "rating.recorded",
    RatingRefused = "rating.refused" { reason => RefuseReason: *reason as usize },
    ReplyDue = "reply.due",
    ReplyOverdue = "reply.overdue",
    ScoreAlert = "score.alert",
    ScoreRecovered = "score.recovered",
    ScoreDay = "score.day",
    EventRejected = "event.rejected" { error => ErrorCode: *error as usize },
}

impl DecisionBody {
    /// The name of the decision's type in the wire format.
    pub fn name(&self) -> &'static str {
        self.kind().code()
    }
}

/// The period of a score. It also names the metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// `reply_rate` of a natural day (M1).
    ReplyRate(Day),
    /// `good_rate` of a natural week (M4).
    GoodRate(Week),
    /// `attitude_rate` of a natural month (M5).
    AttitudeRate(Month),
}

impl Period {
    /// The name of the metric in the wire format.
    pub fn metric(self) -> &'static str {
        match self {
            Period::ReplyRate(_) => "reply_rate",
            Period::GoodRate(_) => "good_rate",
            Period::AttitudeRate(_) => "attitude_rate",
        }
    }
}

impl std::fmt::Display for Period {
    /// The label of the day, week or month.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Period::ReplyRate(day) => day.fmt(f),
            Period::GoodRate(week) => week.fmt(f),
            Period::AttitudeRate(month) => month.fmt(f),
        }
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("metric", self.metric())?;
        map.serialize_entry("period", &self.to_string())?;
        map.end()
    }
}

impl utoipa::PartialSchema for Period {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        let text =
            || utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::Type::String);
        let metrics = ["reply_rate", "good_rate", "attitude_rate"];
        utoipa::openapi::ObjectBuilder::new()
            .property("metric", text().enum_values(Some(metrics)))
            .required("metric")
            .property(
                "period",
                text().description(Some("The day, week or month.")),
            )
            .required("period")
            .into()
    }
}

impl utoipa::ToSchema for Period {}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    Decimal::seconds(*duration).serialize(serializer)
}
