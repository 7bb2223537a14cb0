//! The schema of events as clients send them (contract, section 2).

use utoipa::ToSchema;

use super::policy::Policy;
use crate::domain::protocol::event::{ClosedBy, MessageKind};
use crate::domain::protocol::rating::Level;

/// Generates the type of all events with their common fields.
macro_rules! events {
    ($($(#[$doc:meta])* $event:ident = $type:tt { $($fields:tt)* })+) => {
        /// Something that happened in a shop. A field that is `null` counts as omitted.
        #[derive(ToSchema)]
        #[serde(tag = "type", deny_unknown_fields)]
        pub enum Event {
            $(
                $(#[$doc])*
                #[serde(rename = $type)]
                $event {
                    /// When the event happened. Default: the server's clock.
                    #[schema(example = "2026-11-11T10:00:00+08:00")]
                    at: Option<String>,
                    /// The idempotency key. A second event with the same id changes nothing and gets the result of the
                    /// first.
                    #[schema(min_length = 1)]
                    id: Option<String>,
                    /// The shop of the path, or omitted.
                    shop: Option<String>,
                    $($fields)*
                },
            )+
        }
    };
}

events! {
    /// Sets the shop's whole policy. The first such event creates the shop.
    ShopConfigured = "shop.configured" { policy: Policy, }
    /// Adds or replaces an agent.
    AgentConfigured = "agent.configured" {
        agent: String,
        name: Option<String>,
        /// Default: `["agent"]`.
        roles: Option<Vec<String>>,
        #[schema(minimum = 1, maximum = 1000)]
        capacity: Option<u32>,
        #[schema(minimum = 1, maximum = 100)]
        weight: Option<u32>,
    }
    /// Removes an agent from the shop.
    AgentRemoved = "agent.removed" { agent: String, }
    /// The agent is online and can get sessions.
    AgentOnline = "agent.online" { agent: String, }
    /// The agent is away (小休/挂起).
    AgentAway = "agent.away" { agent: String, }
    /// The agent is offline.
    AgentOffline = "agent.offline" { agent: String, }
    /// A buyer opens a session.
    SessionOpened = "session.opened" {
        session: String,
        buyer: String,
        /// `product_detail`, `order_detail`, `message`, `live`, `other` (the default), or an entry of the policy.
        entry: Option<String>,
        question: Option<String>,
        order_status: Option<String>,
        bot: Option<bool>,
    }
    /// The bot hands the session off to the agents.
    SessionHandoff = "session.handoff" {
        session: String,
        question: Option<String>,
        order_status: Option<String>,
    }
    /// A person assigns the session to an agent by hand.
    SessionTransferred = "session.transferred" {
        session: String,
        to: String,
        by: Option<String>,
    }
    /// A session ends.
    SessionClosed = "session.closed" { session: String, by: ClosedBy, }
    /// The buyer sends a message.
    BuyerMessage = "buyer.message" {
        session: String,
        kind: Option<String>,
        text: Option<String>,
    }
    /// An agent sends a message.
    AgentMessage = "agent.message" {
        session: String,
        agent: Option<String>,
        /// All kinds except `auto_reply` count as human replies.
        kind: Option<MessageKind>,
        text: Option<String>,
    }
    /// The bot sends a message.
    BotMessage = "bot.message" { session: String, text: Option<String>, }
    /// The agent asks the buyer for a rating (邀请评价).
    InviteRequested = "invite.requested" { session: String, agent: Option<String>, }
    /// The buyer opens a rating card.
    RatingOpened = "rating.opened" { session: String, card: Option<String>, }
    /// The buyer submits a rating: exactly one of `card` and `session`, and exactly one of `level` and `stars`.
    RatingSubmitted = "rating.submitted" {
        card: Option<String>,
        session: Option<String>,
        level: Option<Level>,
        #[schema(minimum = 1, maximum = 5)]
        stars: Option<u8>,
        /// `attitude` means a bad attitude of the agent (服务态度差).
        reasons: Option<Vec<String>>,
        comment: Option<String>,
    }
    /// Marks a buyer as likely to break the platform's rules (违规风险较高的用户), or removes the mark.
    BuyerFlagged = "buyer.flagged" { buyer: String, risk: bool, }
    /// Only advances the shop's time.
    Clock = "clock" {}
}
