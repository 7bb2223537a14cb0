//! Decisions: what the shop answers, in the words of the contract (section 3).

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::calendar::{Day, Month, Week};
use super::event::Stars;
use super::id::Id;
use super::policy::Share;
use super::rating::{Level, Source};
use super::report::Decimal;
use super::time::{Duration, Stamp};

/// One decision of a shop.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// 1, 2, 3 … per shop; 0 where there is no shop.
    pub seq: u64,
    /// The shop's clock; nothing where there is no shop and the event's own instant is malformed.
    pub at: Option<Stamp>,
    /// What was decided.
    pub body: Body,
}

/// What was decided, written as the contract's fields of its type; those without a value are left out.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the fields are the contract's, section 3")]
pub enum Body {
    /// An agent gets a session.
    SessionAssigned {
        session: Id,
        buyer: Id,
        agent: Id,
        reason: AssignReason,
        repeat_visit: bool,
        #[serde(serialize_with = "seconds")]
        waited: Duration,
    },
    /// A session waits.
    SessionQueued {
        session: Id,
        buyer: Id,
        pool: Box<str>,
        position: u32,
        reason: WaitReason,
        prompt: Box<str>,
    },
    /// A session has ended.
    SessionClosed {
        session: Id,
        buyer: Id,
        #[serde(skip_serializing_if = "Option::is_none")]
        agent: Option<Id>,
        reason: CloseReason,
    },
    /// An offline agent got a buyer or a message.
    AgentNotified { agent: Id, session: Id },
    /// The shop says something by itself.
    AutoReplySent { session: Id, text: Box<str> },
    /// The buyer is asked for a rating.
    InviteSent {
        card: Id,
        session: Id,
        buyer: Id,
        agent: Id,
        trigger: Trigger,
    },
    /// The buyer is not asked.
    InviteBlocked {
        session: Id,
        buyer: Id,
        #[serde(skip_serializing_if = "Option::is_none")]
        agent: Option<Id>,
        trigger: Trigger,
        blocked_by: Vec<BlockCode>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at: Option<Stamp>,
    },
    /// A card is open.
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
    },
    /// A rating does not count.
    RatingRefused {
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<Id>,
        #[serde(skip_serializing_if = "Option::is_none")]
        card: Option<Id>,
        reason: RefuseReason,
    },
    /// The slow-response reminder (M3).
    ReplyDue {
        session: Id,
        buyer: Id,
        #[serde(skip_serializing_if = "Option::is_none")]
        agent: Option<Id>,
        since: Stamp,
        overdue_at: Stamp,
    },
    /// A message was not answered in time (M3).
    ReplyOverdue {
        session: Id,
        buyer: Id,
        #[serde(skip_serializing_if = "Option::is_none")]
        agent: Option<Id>,
        since: Stamp,
    },
    /// A score crossed its line for the worse (M6).
    ScoreAlert {
        #[serde(flatten)]
        period: Period,
        value: Rate,
        threshold: Share,
        #[serde(skip_serializing_if = "Option::is_none")]
        needed: Option<u64>,
    },
    /// A score is back on the right side of its line (M6).
    ScoreRecovered {
        #[serde(flatten)]
        period: Period,
        value: Rate,
        threshold: Share,
    },
    /// An event changed nothing, and why.
    EventRejected {
        event: Box<str>,
        error: ErrorCode,
        message: Box<str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<Id>,
    },
}

impl Body {
    /// The decision's type, as the wire language writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Body::SessionAssigned { .. } => "session.assigned",
            Body::SessionQueued { .. } => "session.queued",
            Body::SessionClosed { .. } => "session.closed",
            Body::AgentNotified { .. } => "agent.notified",
            Body::AutoReplySent { .. } => "auto_reply.sent",
            Body::InviteSent { .. } => "invite.sent",
            Body::InviteBlocked { .. } => "invite.blocked",
            Body::RatingOpened { .. } => "rating.opened",
            Body::RatingRecorded { .. } => "rating.recorded",
            Body::RatingRefused { .. } => "rating.refused",
            Body::ReplyDue { .. } => "reply.due",
            Body::ReplyOverdue { .. } => "reply.overdue",
            Body::ScoreAlert { .. } => "score.alert",
            Body::ScoreRecovered { .. } => "score.recovered",
            Body::EventRejected { .. } => "event.rejected",
        }
    }
}

/// A period of a score; it names the metric too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// `reply_rate` of a natural day (M1).
    ReplyRate(Day),
    /// `good_rate` of a natural week (M4).
    GoodRate(Week),
    /// `attitude_rate` of a natural month (M5).
    AttitudeRate(Month),
}

impl Period {
    /// As the wire language writes the metric.
    pub fn metric(self) -> &'static str {
        match self {
            Period::ReplyRate(_) => "reply_rate",
            Period::GoodRate(_) => "good_rate",
            Period::AttitudeRate(_) => "attitude_rate",
        }
    }
}

impl std::fmt::Display for Period {
    /// The day, week or month.
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

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    Decimal::seconds(*duration).serialize(serializer)
}

/// A share of whole numbers, kept exact; it is rounded only where it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Above the line.
    pub over: u64,
    /// Below the line.
    pub under: u64,
}

impl Rate {
    /// Rounded to ten-thousandths, half away from zero; `None` where there is nothing below the line.
    pub fn myriads(self) -> Option<u64> {
        let (over, under) = (u128::from(self.over), u128::from(self.under));
        let doubled = (over * 20_000).checked_div(under)?;
        Some(doubled.div_ceil(2) as u64)
    }

    /// Whether the rate is less than `line`. Nothing below the line is no rate, and not less.
    pub fn is_below(self, line: Share) -> bool {
        u128::from(self.over) * 10_000 < u128::from(line.0) * u128::from(self.under)
    }

    /// Whether the rate is more than `line`.
    pub fn is_above(self, line: Share) -> bool {
        u128::from(self.over) * 10_000 > u128::from(line.0) * u128::from(self.under)
    }
}

impl Serialize for Rate {
    /// With 4 decimals; `null` where nothing is below the line.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Decimal::rate(*self).serialize(serializer)
    }
}

/// Defines an enum whose variants have a name in the wire language.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$note])* $variant,)+ }

        impl $name {
            /// All of them, in the order of the rules.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// As the wire language writes it.
            pub fn code(self) -> &'static str {
                match self { $($name::$variant => $code,)+ }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.code())
            }
        }
    };
}
pub(crate) use codes;

codes! {
    /// Why an agent got a session.
    AssignReason {
        /// R1a, R1b.
        RecentAgent = "recent_agent",
        /// R1d.
        RecentAgentUnavailable = "recent_agent_unavailable",
        /// R4a.
        Question = "question",
        /// R4a.
        Entry = "entry",
        /// R4a.
        OrderStatus = "order_status",
        /// R4a.
        All = "all",
        /// R4c.
        ScopeOffline = "scope_offline",
        /// R4b.
        Overflow = "overflow",
        /// R7.
        Queue = "queue",
        /// R5.
        OfflineRota = "offline_rota",
        /// R8.
        Manual = "manual",
        /// R9.
        AgentOffline = "agent_offline",
    }
}

codes! {
    /// Why a session waits.
    WaitReason {
        /// R1d, R4b, R4c.
        AllBusy = "all_busy",
        /// R4c.
        ScopeOffline = "scope_offline",
        /// R5.
        NobodyOnline = "nobody_online",
    }
}

codes! {
    /// Why a session ended.
    CloseReason {
        /// Its agent closed it.
        Agent = "agent",
        /// Its buyer did.
        Buyer = "buyer",
        /// The gateway did.
        System = "system",
        /// S3, or R6's longest wait.
        Timeout = "timeout",
        /// R9.
        AgentOffline = "agent_offline",
    }
}

codes! {
    /// Who asked for an invite.
    Trigger {
        /// The close of a session.
        Auto = "auto",
        /// The agent's button.
        Manual = "manual",
    }
}

codes! {
    /// What keeps an invite back, in the order of the rules.
    BlockCode {
        /// I1.
        Disabled = "disabled",
        /// I2.
        BotSession = "bot_session",
        /// I3.
        CloseReason = "close_reason",
        /// I4.
        BuyerSpokeLast = "buyer_spoke_last",
        /// I5.
        TooShort = "too_short",
        /// I6.
        Suspended = "suspended",
        /// I7.
        RiskBuyer = "risk_buyer",
        /// I8.
        NotSampled = "not_sampled",
        /// I9.
        RatedRecently = "rated_recently",
        /// I10.
        AlreadyInvited = "already_invited",
        /// I11.
        ShopDayCap = "shop_day_cap",
        /// I12.
        BuyerDayCap = "buyer_day_cap",
        /// I13.
        NoContact = "no_contact",
    }
}

codes! {
    /// Why a rating does not count (Q1 to Q3).
    RefuseReason {
        /// Q1: the session closed 24 h ago or longer.
        SessionOver = "session_over",
        /// Q1: neither an agent nor the bot ever had it.
        NobodyServed = "nobody_served",
        /// Q1: the buyer wrote nothing today.
        NoContact = "no_contact",
        /// Q1, Q3.
        RatedRecently = "rated_recently",
        /// Q2.
        CardUnknown = "card_unknown",
        /// Q2.
        CardUsed = "card_used",
        /// Q2.
        CardExpired = "card_expired",
    }
}

codes! {
    /// Why an event changed nothing.
    ErrorCode {
        /// A field is missing, unknown or of the wrong form.
        Malformed = "malformed",
        /// No such shop: `shop.configured` makes one.
        ShopUnknown = "shop_unknown",
        /// The event is older than the shop's clock.
        TimeWentBack = "time_went_back",
        /// No such agent, or one that takes no buyers.
        AgentUnknown = "agent_unknown",
        /// No such session, or one forgotten.
        SessionUnknown = "session_unknown",
        /// The session's id is taken.
        SessionExists = "session_exists",
        /// The buyer has an open session.
        BuyerInSession = "buyer_in_session",
        /// The session is over.
        SessionClosed = "session_closed",
        /// Only the session's own agent may do this.
        NotSessionAgent = "not_session_agent",
        /// The agent is not there.
        AgentOffline = "agent_offline",
        /// The session is not with the bot.
        NotWithBot = "not_with_bot",
        /// As many wait as may.
        QueueFull = "queue_full",
        /// A key of the policy is wrong.
        PolicyInvalid = "policy_invalid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_rounded_half_away_from_zero() {
        for (over, under, myriads) in [
            (0, 0, None),
            (0, 3, Some(0)),
            (1, 3, Some(3333)),
            (2, 3, Some(6667)),
            (1, 20_000, Some(1)),
            (1, 20_001, Some(0)),
            (3, 3, Some(10_000)),
        ] {
            assert_eq!(Rate { over, under }.myriads(), myriads, "{over}/{under}");
        }
    }

    #[test]
    fn a_rate_on_its_line_is_neither_below_nor_above() {
        let rate = Rate { over: 4, under: 5 };
        assert!(!rate.is_below(Share(8000)) && !rate.is_above(Share(8000)));
        assert!(rate.is_below(Share(8001)) && rate.is_above(Share(7999)));
    }
}
