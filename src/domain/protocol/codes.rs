//! Codes: the words of the wire format for reasons, triggers and errors.

/// Defines an enum whose variants have a name in the wire format.
macro_rules! codes {
    ($(#[doc = $doc:expr])* $name:ident { $($(#[$note:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$note])* $variant,)+ }

        impl $name {
            /// All variants, in the order of the rules.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The code in the wire format.
            pub fn code(self) -> &'static str {
                match self { $($name::$variant => $code,)+ }
            }

            /// All codes.
            pub fn codes() -> impl Iterator<Item = &'static str> + Clone {
                $name::ALL.iter().map(|known| known.code())
            }

            /// The variant with this code.
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
        /// The buyer's recent agent (R1a, R1b).
        RecentAgent = "recent_agent",
        /// A random free agent, because the recent agent was unavailable (R1d).
        RecentAgentUnavailable = "recent_agent_unavailable",
        /// A member of the question's list (R4a).
        Question = "question",
        /// A member of the entry's list (R4a).
        Entry = "entry",
        /// A member of the order status's list (R4a).
        OrderStatus = "order_status",
        /// An agent of the shop, because no list applied (R4a).
        All = "all",
        /// Any agent, because no agent of the scope was online (R4c).
        ScopeOffline = "scope_offline",
        /// Any agent, because all agents of the question were busy (R4b).
        Overflow = "overflow",
        /// The session was next in its pool (R7).
        Queue = "queue",
        /// The rota (R5).
        OfflineRota = "offline_rota",
        /// A transfer by hand (R8).
        Manual = "manual",
        /// The previous agent went offline or was removed (R9).
        AgentOffline = "agent_offline",
        /// The previous agent did not answer (R10).
        NoAnswer = "no_answer",
        /// The previous agent was offline when another came online (R5b).
        OfflineHandover = "offline_handover",
    }
}

codes! {
    /// Why a session waits.
    WaitReason {
        /// All agents are busy (R1d, R4b, R4c).
        AllBusy = "all_busy",
        /// No agent of the scope is online (R4c).
        ScopeOffline = "scope_offline",
        /// No agent of the shop is online (R5).
        NobodyOnline = "nobody_online",
        /// The shop is closed (H2).
        Closed = "closed",
        /// Its agent did not answer, and no other agent was free (R10).
        NoAnswer = "no_answer",
        /// Its agent was offline when another came online, and no agent was free (R5b).
        OfflineHandover = "offline_handover",
    }
}

codes! {
    /// Why a session was closed.
    CloseReason {
        /// The agent closed it.
        Agent = "agent",
        /// The buyer closed it.
        Buyer = "buyer",
        /// The gateway closed it.
        System = "system",
        /// Buyer silence (S3), or the longest wait was reached (R6).
        Timeout = "timeout",
        /// The agent went offline (R9).
        AgentOffline = "agent_offline",
        /// The buyer left the page and did not come back in time (S7).
        Abandoned = "abandoned",
        /// The buyer was blocked (B1).
        Blocked = "blocked",
    }
}

codes! {
    /// Why the shop changed the presence of an agent.
    PresenceReason {
        /// Too many sessions were taken from the agent, one after the other (R10e).
        NoAnswer = "no_answer",
    }
}

codes! {
    /// What triggered an invitation.
    Trigger {
        /// The close of a session.
        Auto = "auto",
        /// The agent's button.
        Manual = "manual",
    }
}

codes! {
    /// Why an invitation is blocked, in the order of the rules.
    BlockCode {
        /// Invitations of this kind are off (I1).
        Disabled = "disabled",
        /// Only the bot served the session (I2).
        BotSession = "bot_session",
        /// The close reason allows no invitation (I3).
        CloseReason = "close_reason",
        /// An agent did not speak last (I4).
        BuyerSpokeLast = "buyer_spoke_last",
        /// The session was too short (I5).
        TooShort = "too_short",
        /// Automatic invitations are suspended at this time of the year (I6).
        Suspended = "suspended",
        /// The buyer is flagged as a risk (I7).
        RiskBuyer = "risk_buyer",
        /// The session is not in the sample (I8).
        NotSampled = "not_sampled",
        /// The buyer rated recently (I9).
        RatedRecently = "rated_recently",
        /// The buyer was invited recently (I10).
        AlreadyInvited = "already_invited",
        /// The buyer's cap for this shop and day is reached (I11).
        ShopDayCap = "shop_day_cap",
        /// The buyer's cap over all shops and this day is reached (I12).
        BuyerDayCap = "buyer_day_cap",
        /// The buyer did not write to the agent on this day (I13).
        NoContact = "no_contact",
    }
}

codes! {
    /// Why a rating does not count (B1, Q1 to Q3).
    RefuseReason {
        /// The buyer is blocked (B1).
        BuyerBlocked = "buyer_blocked",
        /// The session was closed 24 h ago or earlier (Q1).
        SessionOver = "session_over",
        /// Neither an agent nor the bot ever served the session (Q1).
        NobodyServed = "nobody_served",
        /// The buyer wrote nothing on this day (Q1).
        NoContact = "no_contact",
        /// The buyer rated recently (Q1, Q3).
        RatedRecently = "rated_recently",
        /// The session has no such card (Q2).
        CardUnknown = "card_unknown",
        /// The card's rating was submitted before (Q2).
        CardUsed = "card_used",
        /// The card's validity has ended (Q2).
        CardExpired = "card_expired",
    }
}

codes! {
    /// Why an event was rejected.
    ErrorCode {
        /// A field is missing, unknown or malformed.
        Malformed = "malformed",
        /// The shop does not exist. `shop.configured` creates it.
        ShopUnknown = "shop_unknown",
        /// The event is older than the shop's clock, by more than the policy's `session.lateness` (T1).
        TimeWentBack = "time_went_back",
        /// The agent does not exist, or is not routable.
        AgentUnknown = "agent_unknown",
        /// The session does not exist, or was closed more than 7 days ago.
        SessionUnknown = "session_unknown",
        /// A session with this id exists.
        SessionExists = "session_exists",
        /// The buyer has an open session.
        BuyerInSession = "buyer_in_session",
        /// The session is closed.
        SessionClosed = "session_closed",
        /// The agent is not the session's agent.
        NotSessionAgent = "not_session_agent",
        /// The agent is offline.
        AgentOffline = "agent_offline",
        /// The session is not with the bot.
        NotWithBot = "not_with_bot",
        /// The buyer is blocked (B1).
        BuyerBlocked = "buyer_blocked",
        /// The maximum number of sessions is waiting.
        QueueFull = "queue_full",
        /// A key of the policy is invalid.
        PolicyInvalid = "policy_invalid",
    }
}

codes! {
    /// The presence of an agent.
    Presence {
        /// Can get sessions.
        Online = "online",
        /// 小休 / 挂起: at work, but gets no new sessions except by R1b.
        Away = "away",
        /// Not at work.
        Offline = "offline",
    }
}
