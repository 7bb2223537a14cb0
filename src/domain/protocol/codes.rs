//! Codes: the words of the wire language for reasons, triggers and errors.

/// Defines an enum whose variants have a name in the wire language.
macro_rules! codes {
    ($(#[doc = $doc:expr])* $name:ident { $($(#[$note:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$note])* $variant,)+ }

        impl $name {
            /// All of them, in the order of the rules.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// As the wire language writes it.
            pub fn code(self) -> &'static str {
                match self { $($name::$variant => $code,)+ }
            }

            /// All of them, as the wire language writes them.
            pub fn codes() -> impl Iterator<Item = &'static str> + Clone {
                $name::ALL.iter().map(|known| known.code())
            }

            /// The one that the wire language writes so.
            #[allow(dead_code, reason = "some enums are only written")]
            pub fn named(code: &str) -> Option<$name> {
                match code {
                    $($code => Some($name::$variant),)+
                    _ => None,
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.code())
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .description(Some(concat!($($doc, "\n"),*).trim()))
                    .enum_values(Some($name::codes()))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
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

codes! {
    /// Where an agent is.
    Presence {
        /// Takes buyers.
        Online = "online",
        /// 小休 / 挂起: here, but takes no buyers.
        Away = "away",
        /// Not here.
        Offline = "offline",
    }
}
