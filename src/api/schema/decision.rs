//! Decisions as they are answered (contract, section 3).

use utoipa::ToSchema;

use super::words::{
    AssignReason, BlockCode, CloseReason, ErrorCode, Level, Metric, RefuseReason, Source, Trigger,
    WaitReason,
};

/// Makes the type of all decisions, which share their common fields.
macro_rules! decisions {
    ($($(#[$doc:meta])* $decision:ident = $type:tt { $($fields:tt)* })+) => {
        /// Something that a shop decided.
        #[derive(ToSchema)]
        #[serde(tag = "type")]
        pub enum Decision {
            $(
                $(#[$doc])*
                #[serde(rename = $type)]
                $decision {
                    /// The shop's clock, in its zone.
                    #[schema(nullable = false, example = "2026-11-11T10:00:00+08:00")]
                    at: Option<String>,
                    shop: String,
                    /// 1, 2, 3 … of the shop, without gaps; 0 where there is no shop.
                    seq: u64,
                    $($fields)*
                },
            )+
        }
    };
}

decisions! {
    /// An agent gets a session.
    SessionAssigned = "session.assigned" {
        session: String,
        buyer: String,
        agent: String,
        reason: AssignReason,
        repeat_visit: bool,
        /// Seconds since it was last queued; 0 where it comes from no queue.
        waited: f64,
    }
    /// A session waits.
    SessionQueued = "session.queued" {
        session: String,
        buyer: String,
        pool: String,
        /// 1 is next.
        position: u32,
        reason: WaitReason,
        prompt: String,
    }
    /// A session has ended.
    SessionClosed = "session.closed" {
        session: String,
        buyer: String,
        #[schema(nullable = false)]
        agent: Option<String>,
        reason: CloseReason,
    }
    /// An offline agent got a buyer, or a message.
    AgentNotified = "agent.notified" { agent: String, session: String, }
    /// The shop says something by itself.
    AutoReplySent = "auto_reply.sent" { session: String, text: String, }
    /// The buyer is asked for a rating.
    InviteSent = "invite.sent" {
        card: String,
        session: String,
        buyer: String,
        agent: String,
        trigger: Trigger,
    }
    /// The buyer is not asked, and why.
    InviteBlocked = "invite.blocked" {
        session: String,
        buyer: String,
        #[schema(nullable = false)]
        agent: Option<String>,
        trigger: Trigger,
        blocked_by: Vec<BlockCode>,
        #[schema(nullable = false)]
        retry_at: Option<String>,
    }
    /// A card is open.
    RatingOpened = "rating.opened" {
        card: String,
        session: String,
        buyer: String,
        agent: String,
        source: Source,
    }
    /// A rating counts.
    RatingRecorded = "rating.recorded" {
        card: String,
        session: String,
        buyer: String,
        agent: String,
        level: Level,
        #[schema(minimum = 1, maximum = 5)]
        stars: u8,
        source: Source,
    }
    /// A rating does not count, and why.
    RatingRefused = "rating.refused" {
        #[schema(nullable = false)]
        session: Option<String>,
        #[schema(nullable = false)]
        card: Option<String>,
        reason: RefuseReason,
    }
    /// The slow-response reminder.
    ReplyDue = "reply.due" {
        session: String,
        buyer: String,
        #[schema(nullable = false)]
        agent: Option<String>,
        since: String,
        overdue_at: String,
    }
    /// A message was not answered in time.
    ReplyOverdue = "reply.overdue" {
        session: String,
        buyer: String,
        #[schema(nullable = false)]
        agent: Option<String>,
        since: String,
    }
    /// A score crossed its line for the worse.
    ScoreAlert = "score.alert" {
        metric: Metric,
        period: String,
        value: Option<f64>,
        threshold: f64,
        #[schema(nullable = false)]
        needed: Option<u64>,
    }
    /// A score is back on the right side of its line.
    ScoreRecovered = "score.recovered" {
        metric: Metric,
        period: String,
        value: Option<f64>,
        threshold: f64,
    }
    /// An event changed nothing, and why.
    EventRejected = "event.rejected" {
        /// Its type.
        event: String,
        error: ErrorCode,
        message: String,
        /// Another session that stands in the way.
        #[schema(nullable = false)]
        session: Option<String>,
    }
}
