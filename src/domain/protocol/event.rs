//! Events: what happens in a shop, as the contract defines it (section 2).
//!
//! These events are well-formed. The wire folder parses them; the shop decides whether they are accepted.

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::policy::group_plan::CheckedPolicy;
use crate::domain::policy::{Policy, PolicyError};
use crate::domain::protocol::codes::{Presence, codes};

/// The entries that every shop has. A policy may define others.
pub const ENTRIES: [&str; 5] = ["product_detail", "order_detail", "message", "live", "other"];

/// One event of a shop.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it happened.
    pub at: Instant,
    /// The idempotency key. A second event with the same key changes nothing.
    pub id: Option<Id>,
    /// The fingerprint of the event's body. It distinguishes two bodies with the same id. 0 if it is not needed.
    pub print: u64,
    /// The event itself.
    pub what: EventBody,
}

/// The types of events with their fields.
#[derive(Clone, Debug, PartialEq)]
pub enum EventBody {
    /// The shop's policy is set. The first such event creates the shop.
    ShopConfigured {
        /// The policy, as it was sent or already checked.
        policy: GivenPolicy,
    },
    /// An agent is added or replaced.
    AgentConfigured {
        /// Not `bot`.
        agent: Id,
        /// The display name.
        name: Option<String>,
        /// The roles. Default: `["agent"]`.
        roles: Vec<Id>,
        /// 1 to 1000. Default: 10.
        capacity: u32,
        /// 1 to 100. Default: 1.
        weight: u32,
    },
    /// An agent is removed from the shop.
    AgentRemoved {
        /// The agent.
        agent: Id,
    },
    /// An agent is done with the work after its sessions (S8).
    AgentReady {
        /// The agent.
        agent: Id,
    },
    /// `agent.online`, `agent.away`, `agent.offline`.
    PresenceChanged {
        /// The agent.
        agent: Id,
        /// The new presence.
        presence: Presence,
    },
    /// A buyer opens a session.
    SessionOpened {
        /// The session's id.
        session: Id,
        /// The buyer's id.
        buyer: Id,
        /// The entry. Default: `other`.
        entry: Option<Id>,
        /// The buyer's choice in the entry's menu.
        question: Option<Id>,
        /// The state of the buyer's order.
        order_status: Option<Id>,
        /// Whether the bot serves the session first.
        bot: bool,
        /// The session's own priority (R11).
        priority: Option<Priority>,
    },
    /// A session gets another priority (R11).
    SessionRanked {
        /// The session.
        session: Id,
        /// The new priority.
        priority: Priority,
    },
    /// The bot hands the session off to the agents.
    SessionHandoff {
        /// The session.
        session: Id,
        /// Replaces the session's question, if given.
        question: Option<Id>,
        /// Replaces the session's order status, if given.
        order_status: Option<Id>,
    },
    /// A person assigns the session to an agent by hand (R8).
    SessionTransferred {
        /// The session.
        session: Id,
        /// The new agent.
        to: Id,
    },
    /// A session ends.
    SessionClosed {
        /// The session.
        session: Id,
        /// Who ended it.
        by: ClosedBy,
    },
    /// The buyer sends a message.
    BuyerMessage {
        /// The session.
        session: Id,
    },
    /// An agent sends a message.
    AgentMessage {
        /// The session.
        session: Id,
        /// The agent. Default: the session's agent.
        agent: Option<Id>,
        /// Whether a person wrote it. An `auto_reply` is not a reply (M1), not speech (S3) and not a message (I4).
        human: bool,
    },
    /// The bot sends a message.
    BotMessage {
        /// The session.
        session: Id,
    },
    /// The agent asks the buyer for a rating (邀请评价).
    InviteRequested {
        /// The session.
        session: Id,
        /// The agent. Default: the session's agent.
        agent: Option<Id>,
    },
    /// The buyer opens a rating card (Q1, Q2).
    RatingOpened {
        /// The session.
        session: Id,
        /// The card of an invitation. `None` if the buyer opened a card without one.
        card: Option<Id>,
    },
    /// The buyer submits a rating (Q3).
    RatingSubmitted {
        /// The card or the session.
        on: RatedOn,
        /// The rating.
        stars: Stars,
        /// The reasons, each once.
        reasons: Vec<Id>,
        /// What the buyer wrote, if it is not empty.
        comment: Option<Box<str>>,
    },
    /// The buyer has left the page (S7).
    BuyerLeft {
        /// The session.
        session: Id,
    },
    /// The buyer is back (S7).
    BuyerReturned {
        /// The session.
        session: Id,
    },
    /// A buyer is marked as likely to break the platform's rules, or the mark is removed (违规风险较高的用户).
    BuyerFlagged {
        /// The buyer.
        buyer: Id,
        /// Whether the buyer is marked.
        risk: bool,
    },
    /// A buyer gets a priority (R11).
    BuyerRanked {
        /// The buyer.
        buyer: Id,
        /// The new priority.
        priority: Priority,
    },
    /// A buyer is blocked, or the block ends (B1, 拉黑).
    BuyerBlocked {
        /// The buyer.
        buyer: Id,
        /// Whether the buyer is blocked.
        blocked: bool,
        /// When the block ends by itself.
        until: Option<Instant>,
    },
    /// Only advances the shop's time.
    Clock,
}

codes! {
    /// The types of events, in the order of the contract.
    EventType {
        /// The shop's policy is set.
        ShopConfigured = "shop.configured",
        /// An agent is added or replaced.
        AgentConfigured = "agent.configured",
        /// An agent is removed from the shop.
        AgentRemoved = "agent.removed",
        /// An agent is online and can get sessions.
        AgentOnline = "agent.online",
        /// An agent is away (小休 / 挂起).
        AgentAway = "agent.away",
        /// An agent is offline.
        AgentOffline = "agent.offline",
        /// An agent is done with the work after its sessions (S8).
        AgentReady = "agent.ready",
        /// A buyer opens a session.
        SessionOpened = "session.opened",
        /// The bot hands a session off to the agents.
        SessionHandoff = "session.handoff",
        /// A person assigns a session to an agent by hand (R8).
        SessionTransferred = "session.transferred",
        /// A session gets another priority (R11).
        SessionRanked = "session.ranked",
        /// A session ends.
        SessionClosed = "session.closed",
        /// The buyer sends a message.
        BuyerMessage = "buyer.message",
        /// An agent sends a message.
        AgentMessage = "agent.message",
        /// The bot sends a message.
        BotMessage = "bot.message",
        /// The agent asks the buyer for a rating (邀请评价).
        InviteRequested = "invite.requested",
        /// The buyer opens a rating card (Q1, Q2).
        RatingOpened = "rating.opened",
        /// The buyer submits a rating (Q3).
        RatingSubmitted = "rating.submitted",
        /// The buyer has left the page (S7).
        BuyerLeft = "buyer.left",
        /// The buyer is back (S7).
        BuyerReturned = "buyer.returned",
        /// A buyer is marked as likely to break the platform's rules, or the mark is removed (违规风险较高的用户).
        BuyerFlagged = "buyer.flagged",
        /// A buyer gets a priority (R11).
        BuyerRanked = "buyer.ranked",
        /// A buyer is blocked, or the block ends (B1, 拉黑).
        BuyerBlocked = "buyer.blocked",
        /// Only advances the shop's time.
        Clock = "clock",
    }
}

impl EventBody {
    /// The type of the event.
    pub fn kind(&self) -> EventType {
        match self {
            EventBody::ShopConfigured { .. } => EventType::ShopConfigured,
            EventBody::AgentConfigured { .. } => EventType::AgentConfigured,
            EventBody::AgentRemoved { .. } => EventType::AgentRemoved,
            EventBody::PresenceChanged { presence, .. } => match presence {
                Presence::Online => EventType::AgentOnline,
                Presence::Away => EventType::AgentAway,
                Presence::Offline => EventType::AgentOffline,
            },
            EventBody::AgentReady { .. } => EventType::AgentReady,
            EventBody::SessionOpened { .. } => EventType::SessionOpened,
            EventBody::SessionRanked { .. } => EventType::SessionRanked,
            EventBody::SessionHandoff { .. } => EventType::SessionHandoff,
            EventBody::SessionTransferred { .. } => EventType::SessionTransferred,
            EventBody::SessionClosed { .. } => EventType::SessionClosed,
            EventBody::BuyerMessage { .. } => EventType::BuyerMessage,
            EventBody::AgentMessage { .. } => EventType::AgentMessage,
            EventBody::BotMessage { .. } => EventType::BotMessage,
            EventBody::InviteRequested { .. } => EventType::InviteRequested,
            EventBody::RatingOpened { .. } => EventType::RatingOpened,
            EventBody::RatingSubmitted { .. } => EventType::RatingSubmitted,
            EventBody::BuyerLeft { .. } => EventType::BuyerLeft,
            EventBody::BuyerReturned { .. } => EventType::BuyerReturned,
            EventBody::BuyerFlagged { .. } => EventType::BuyerFlagged,
            EventBody::BuyerRanked { .. } => EventType::BuyerRanked,
            EventBody::BuyerBlocked { .. } => EventType::BuyerBlocked,
            EventBody::Clock => EventType::Clock,
        }
    }

    /// The name of the event's type in the wire format.
    pub fn name(&self) -> &'static str {
        self.kind().code()
    }
}

/// The policy of `shop.configured`.
#[derive(Clone, Debug, PartialEq)]
pub enum GivenPolicy {
    /// The JSON object as it was sent. The shop parses it.
    Sent(Box<serde_json::Value>),
    /// A policy that was parsed on arrival, so that the shop need not parse it.
    Checked {
        /// The JSON object as it was sent.
        sent: Box<serde_json::Value>,
        /// The parsed policy, or its problems.
        checked: Result<CheckedPolicy, PolicyError>,
    },
}

impl GivenPolicy {
    /// The policy with expanded groups.
    pub fn read(&self) -> Result<CheckedPolicy, PolicyError> {
        match self {
            GivenPolicy::Sent(value) => Policy::parse(value).map(CheckedPolicy::accepted),
            GivenPolicy::Checked { checked, .. } => checked.clone(),
        }
    }
}

/// What a rating refers to.
#[derive(Clone, Debug, PartialEq)]
pub enum RatedOn {
    /// A card.
    Card(Id),
    /// A session: its newest card without a submitted rating.
    Session(Id),
}

codes! {
    /// The kinds of agent messages. All except `auto_reply` count as human replies (M1).
    MessageKind {
        /// `text`
        Text = "text",
        /// `emoji`
        Emoji = "emoji",
        /// `image`
        Image = "image",
        /// `video`
        Video = "video",
        /// `payment_card`
        PaymentCard = "payment_card",
        /// `address_change_result`
        AddressChangeResult = "address_change_result",
        /// `follow_coupon`
        FollowCoupon = "follow_coupon",
        /// `product_coupon`
        ProductCoupon = "product_coupon",
        /// `product_card`
        ProductCard = "product_card",
        /// `product_recommendation`
        ProductRecommendation = "product_recommendation",
        /// `group_free_card`
        GroupFreeCard = "group_free_card",
        /// `payment_request`
        PaymentRequest = "payment_request",
        /// `group_card`
        GroupCard = "group_card",
        /// `order_repriced`
        OrderRepriced = "order_repriced",
        /// `return_tracking_changed`
        ReturnTrackingChanged = "return_tracking_changed",
        /// `auto_reply`
        AutoReply = "auto_reply",
    }
}

codes! {
    /// Who ended a session.
    ClosedBy {
        /// The agent.
        Agent = "agent",
        /// The buyer.
        Buyer = "buyer",
        /// The gateway.
        System = "system",
    }
}

/// The priority of a buyer or a session: 0 to 9, 9 first (R11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Priority(u8);

impl Priority {
    /// The highest priority.
    pub const MAX: u8 = 9;

    /// Accepts 0 to 9.
    pub fn new(priority: u32) -> Option<Priority> {
        (priority <= u32::from(Priority::MAX)).then_some(Priority(priority as u8))
    }

    /// The number.
    pub fn level(self) -> u8 {
        self.0
    }
}

impl serde::Serialize for Priority {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl utoipa::PartialSchema for Priority {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::Integer)
            .minimum(Some(0))
            .maximum(Some(Priority::MAX))
            .into()
    }
}

impl utoipa::ToSchema for Priority {}

/// One to five stars (Q5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stars(u8);

impl Stars {
    /// Accepts 1 to 5.
    pub fn new(stars: u64) -> Option<Stars> {
        (1..=5).contains(&stars).then_some(Stars(stars as u8))
    }

    /// The number of stars.
    pub fn count(self) -> u8 {
        self.0
    }
}

impl serde::Serialize for Stars {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl utoipa::PartialSchema for Stars {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::Integer)
            .minimum(Some(1))
            .maximum(Some(5))
            .into()
    }
}

impl utoipa::ToSchema for Stars {}
