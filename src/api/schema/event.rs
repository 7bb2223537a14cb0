//! Events as they are sent (contract, section 2).

use utoipa::ToSchema;

use super::policy::Policy;
use crate::domain::protocol::event::{ClosedBy, MessageKind};
use crate::domain::protocol::rating::Level;

/// Makes the type of all events, which share their common fields.
macro_rules! events {
    ($($(#[$doc:meta])* $event:ident = $type:tt { $($fields:tt)* })+) => {
        /// Something that happened to a shop; a field that is `null` counts as left out.
        #[derive(ToSchema)]
        #[serde(tag = "type", deny_unknown_fields)]
        pub enum Event {
            $(
                $(#[$doc])*
                #[serde(rename = $type)]
                $event {
                    /// When; the server's clock where it is left out.
                    #[schema(example = "2026-11-11T10:00:00+08:00")]
                    at: Option<String>,
                    /// The event's own id: a second event with it changes nothing, and gets the first one's answer.
                    #[schema(min_length = 1)]
                    id: Option<String>,
                    /// The path's shop, or left out.
                    shop: Option<String>,
                    $($fields)*
                },
            )+
        }
    };
}

events! {
    /// The shop's whole policy is set; the first makes the shop.
    ShopConfigured = "shop.configured" { policy: Policy, }
    /// An agent is added or replaced.
    AgentConfigured = "agent.configured" {
        agent: String,
        name: Option<String>,
        /// `["agent"]` where left out.
        roles: Option<Vec<String>>,
        #[schema(minimum = 1, maximum = 1000)]
        capacity: Option<u32>,
        #[schema(minimum = 1, maximum = 100)]
        weight: Option<u32>,
    }
    /// An agent leaves the shop.
    AgentRemoved = "agent.removed" { agent: String, }
    /// An agent can be given buyers.
    AgentOnline = "agent.online" { agent: String, }
    /// 小休/挂起.
    AgentAway = "agent.away" { agent: String, }
    /// An agent has left.
    AgentOffline = "agent.offline" { agent: String, }
    /// A buyer comes in.
    SessionOpened = "session.opened" {
        session: String,
        buyer: String,
        /// `product_detail`, `order_detail`, `message`, `live`, `other` (where left out), or one of the policy's.
        entry: Option<String>,
        question: Option<String>,
        order_status: Option<String>,
        bot: Option<bool>,
    }
    /// The bot gives the buyer to a person.
    SessionHandoff = "session.handoff" {
        session: String,
        question: Option<String>,
        order_status: Option<String>,
    }
    /// A person decides who serves.
    SessionTransferred = "session.transferred" {
        session: String,
        to: String,
        by: Option<String>,
    }
    /// A session ends.
    SessionClosed = "session.closed" { session: String, by: ClosedBy, }
    /// The buyer writes.
    BuyerMessage = "buyer.message" {
        session: String,
        kind: Option<String>,
        text: Option<String>,
    }
    /// An agent writes.
    AgentMessage = "agent.message" {
        session: String,
        agent: Option<String>,
        /// All kinds but `auto_reply` are human replies.
        kind: Option<MessageKind>,
        text: Option<String>,
    }
    /// The bot writes.
    BotMessage = "bot.message" { session: String, text: Option<String>, }
    /// The agent clicks 邀请评价.
    InviteRequested = "invite.requested" { session: String, agent: Option<String>, }
    /// The buyer opens a rating card.
    RatingOpened = "rating.opened" { session: String, card: Option<String>, }
    /// The buyer rates: exactly one of `card` and `session`, exactly one of `level` and `stars`.
    RatingSubmitted = "rating.submitted" {
        card: Option<String>,
        session: Option<String>,
        level: Option<Level>,
        #[schema(minimum = 1, maximum = 5)]
        stars: Option<u8>,
        /// `attitude` is 服务态度差.
        reasons: Option<Vec<String>>,
        comment: Option<String>,
    }
    /// 违规风险较高的用户.
    BuyerFlagged = "buyer.flagged" { buyer: String, risk: bool, }
    /// Time passes.
    Clock = "clock" {}
}
