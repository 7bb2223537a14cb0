//! Events: what happens to a shop, in the words of the contract (section 2).
//!
//! These are well-formed ones. Reading them from text is the wire's work; whether they may happen is the shop's.

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::policy::group_plan::CheckedPolicy;
use crate::domain::policy::{Policy, PolicyError};
use crate::domain::protocol::codes::{Presence, codes};

/// The entries that every shop has; others are those of the policy.
pub const ENTRIES: [&str; 5] = ["product_detail", "order_detail", "message", "live", "other"];

/// One thing that happened to a shop.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// The event's own id: a second one with it changes nothing.
    pub id: Option<Id>,
    /// The fingerprint of its body as it was sent, for whoever has to tell two bodies with one id apart; 0 where
    /// nobody does.
    pub print: u64,
    /// What.
    pub what: EventBody,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum EventBody {
    /// The shop's policy is set; the first makes the shop.
    ShopConfigured {
        /// The policy, as it was sent or already checked.
        policy: GivenPolicy,
    },
    /// An agent is added or replaced.
    AgentConfigured {
        /// Not `bot`.
        agent: Id,
        /// What it is called.
        name: Option<String>,
        /// Its roles; `["agent"]` where left out.
        roles: Vec<Id>,
        /// 1 to 1000; 10 where left out.
        capacity: u32,
        /// 1 to 100; 1 where left out.
        weight: u32,
    },
    /// An agent leaves the shop.
    AgentRemoved {
        /// Who.
        agent: Id,
    },
    /// `agent.online`, `agent.away`, `agent.offline`.
    PresenceChanged {
        /// Who.
        agent: Id,
        /// Where it is from now on.
        presence: Presence,
    },
    /// A buyer comes in.
    SessionOpened {
        /// The session's id.
        session: Id,
        /// The buyer's id.
        buyer: Id,
        /// Where it came in; `other` where left out.
        entry: Option<Id>,
        /// What it chose from the entry's menu.
        question: Option<Id>,
        /// The state of its order.
        order_status: Option<Id>,
        /// Whether the bot serves it first.
        bot: bool,
    },
    /// The bot gives the buyer to a person.
    SessionHandoff {
        /// Which session.
        session: Id,
        /// Replaces the session's question where given.
        question: Option<Id>,
        /// Replaces the session's order status where given.
        order_status: Option<Id>,
    },
    /// A person decides who serves (R8).
    SessionTransferred {
        /// Which session.
        session: Id,
        /// To which agent.
        to: Id,
    },
    /// A session ends.
    SessionClosed {
        /// Which session.
        session: Id,
        /// Who ended it.
        by: ClosedBy,
    },
    /// The buyer writes.
    BuyerMessage {
        /// In which session.
        session: Id,
    },
    /// An agent writes.
    AgentMessage {
        /// In which session.
        session: Id,
        /// Who; the session's own where left out.
        agent: Option<Id>,
        /// Whether a person wrote it: `auto_reply` is no reply (M1), no speaking (S3), no message (I4).
        human: bool,
    },
    /// The bot writes.
    BotMessage {
        /// In which session.
        session: Id,
    },
    /// The agent clicks 邀请评价.
    InviteRequested {
        /// In which session.
        session: Id,
        /// Who; the session's own where left out.
        agent: Option<Id>,
    },
    /// The buyer opens a rating card (Q1, Q2).
    RatingOpened {
        /// In which session.
        session: Id,
        /// The invited card, or none: by itself.
        card: Option<Id>,
    },
    /// The buyer rates (Q3).
    RatingSubmitted {
        /// By card or by session.
        on: RatedOn,
        /// How it was.
        stars: Stars,
        /// Why, each once.
        reasons: Vec<Id>,
    },
    /// 违规风险较高的用户.
    BuyerFlagged {
        /// Who.
        buyer: Id,
        /// Whether it is one.
        risk: bool,
    },
    /// Time passes.
    Clock,
}

codes! {
    /// The types of events, in the order of the contract.
    EventType {
        /// The shop's policy is set.
        ShopConfigured = "shop.configured",
        /// An agent is added or replaced.
        AgentConfigured = "agent.configured",
        /// An agent leaves the shop.
        AgentRemoved = "agent.removed",
        /// An agent takes buyers.
        AgentOnline = "agent.online",
        /// 小休 / 挂起.
        AgentAway = "agent.away",
        /// An agent is not here.
        AgentOffline = "agent.offline",
        /// A buyer comes in.
        SessionOpened = "session.opened",
        /// The bot gives the buyer to a person.
        SessionHandoff = "session.handoff",
        /// A person decides who serves (R8).
        SessionTransferred = "session.transferred",
        /// A session ends.
        SessionClosed = "session.closed",
        /// The buyer writes.
        BuyerMessage = "buyer.message",
        /// An agent writes.
        AgentMessage = "agent.message",
        /// The bot writes.
        BotMessage = "bot.message",
        /// The agent clicks 邀请评价.
        InviteRequested = "invite.requested",
        /// The buyer opens a rating card (Q1, Q2).
        RatingOpened = "rating.opened",
        /// The buyer rates (Q3).
        RatingSubmitted = "rating.submitted",
        /// 违规风险较高的用户.
        BuyerFlagged = "buyer.flagged",
        /// Time passes.
        Clock = "clock",
    }
}

impl EventBody {
    /// The event's type.
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
            EventBody::SessionOpened { .. } => EventType::SessionOpened,
            EventBody::SessionHandoff { .. } => EventType::SessionHandoff,
            EventBody::SessionTransferred { .. } => EventType::SessionTransferred,
            EventBody::SessionClosed { .. } => EventType::SessionClosed,
            EventBody::BuyerMessage { .. } => EventType::BuyerMessage,
            EventBody::AgentMessage { .. } => EventType::AgentMessage,
            EventBody::BotMessage { .. } => EventType::BotMessage,
            EventBody::InviteRequested { .. } => EventType::InviteRequested,
            EventBody::RatingOpened { .. } => EventType::RatingOpened,
            EventBody::RatingSubmitted { .. } => EventType::RatingSubmitted,
            EventBody::BuyerFlagged { .. } => EventType::BuyerFlagged,
            EventBody::Clock => EventType::Clock,
        }
    }

    /// The event's type, as the wire language writes it.
    pub fn name(&self) -> &'static str {
        self.kind().code()
    }
}

/// The policy of `shop.configured`.
#[derive(Clone, Debug, PartialEq)]
pub enum GivenPolicy {
    /// As it was sent: an object. The shop reads it.
    Sent(Box<serde_json::Value>),
    /// Read where it came in, so that the shop need not.
    Checked {
        /// As it was sent.
        sent: Box<serde_json::Value>,
        /// What it says, or why it is refused.
        checked: Result<CheckedPolicy, PolicyError>,
    },
}

impl GivenPolicy {
    /// The policy, with its groups written out.
    pub fn read(&self) -> Result<CheckedPolicy, PolicyError> {
        match self {
            GivenPolicy::Sent(value) => Policy::parse(value).map(CheckedPolicy::accepted),
            GivenPolicy::Checked { checked, .. } => checked.clone(),
        }
    }
}

/// What a rating names.
#[derive(Clone, Debug, PartialEq)]
pub enum RatedOn {
    /// A card.
    Card(Id),
    /// A session: its newest card that is not yet submitted.
    Session(Id),
}

codes! {
    /// What an agent sends. All but `auto_reply` are replies by a person (M1).
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
        /// Its agent.
        Agent = "agent",
        /// Its buyer.
        Buyer = "buyer",
        /// The gateway.
        System = "system",
    }
}

/// One to five stars (Q5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stars(u8);

impl Stars {
    /// 1 to 5 stars.
    pub fn new(stars: u64) -> Option<Stars> {
        (1..=5).contains(&stars).then_some(Stars(stars as u8))
    }

    /// How many.
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
