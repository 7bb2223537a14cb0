//! The words of the wire language that are few: reasons, levels, codes.

use utoipa::ToSchema;

/// Makes a type of words.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($word:ident)+ })+) => { $(
        $(#[$doc])*
        #[derive(ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($word),+ }
    )+ };
}

words! {
    /// Why an agent got a session.
    AssignReason {
        RecentAgent RecentAgentUnavailable Question Entry OrderStatus All ScopeOffline Overflow Queue OfflineRota
        Manual AgentOffline
    }
    /// Why a session waits.
    WaitReason { AllBusy ScopeOffline NobodyOnline }
    /// Why a session ended.
    CloseReason { Agent Buyer System Timeout AgentOffline }
    /// Who asked for an invite.
    Trigger { Auto Manual }
    /// What keeps an invite back.
    BlockCode {
        Disabled BotSession CloseReason BuyerSpokeLast TooShort Suspended RiskBuyer NotSampled RatedRecently
        AlreadyInvited ShopDayCap BuyerDayCap NoContact
    }
    /// Why a rating does not count.
    RefuseReason { SessionOver NobodyServed NoContact RatedRecently CardUnknown CardUsed CardExpired }
    /// Why an event changed nothing.
    ErrorCode {
        Malformed ShopUnknown TimeWentBack AgentUnknown SessionUnknown SessionExists BuyerInSession SessionClosed
        NotSessionAgent AgentOffline NotWithBot QueueFull PolicyInvalid
    }
    /// What asked for a rating.
    Source { Buyer Agent Auto }
    /// How it was.
    Level { Satisfied Neutral Disappointed }
    /// A score.
    Metric { ReplyRate GoodRate AttitudeRate }
    /// Who ended a session.
    ClosedBy { Agent Buyer System }
    /// Where an agent is; `away` is 小休/挂起.
    Presence { Online Away Offline }
    /// Where a session is.
    State { Open Waiting Closed }
    /// What became of a message.
    DeliveryState { Delivered Retrying GivenUp }
    /// What a key is for.
    Scope { Events Read Owner Admin }
    /// What an agent sends; all but `auto_reply` are human replies.
    MessageKind {
        Text Emoji Image Video PaymentCard AddressChangeResult FollowCoupon ProductCoupon ProductCard
        ProductRecommendation GroupFreeCard PaymentRequest GroupCard OrderRepriced ReturnTrackingChanged AutoReply
    }
}
