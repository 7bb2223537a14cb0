//! Enums whose variants are words of the policy. The reader, the schema and the writer use the same table.

use serde::ser::{Serialize, Serializer};

use super::reader::{KeyKind, ValueAt};
use super::shape::{ChoiceTable, Shape};
use crate::domain::base::suggestion::nearest;

/// An enum whose variants are words of the policy.
pub trait Choice: Copy + Serialize + 'static {
    /// The words.
    const TABLE: &'static ChoiceTable;

    /// The variant with this word.
    fn of_word(word: &str) -> Option<Self>;
}

/// Generates enums whose variants are words of the policy.
macro_rules! choices {
    ($(
        #[doc = $english:literal]
        $choice:ident $(($name:literal))? {
            $($(#[$note:meta])* $variant:ident = $word:literal,)+
        }
    )+) => { $(
        #[doc = $english]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $choice { $($(#[$note])* $variant,)+ }

        impl $choice {
            /// All variants, in the order of the rules.
            pub const ALL: &'static [$choice] = &[$($choice::$variant),+];

            /// The word in a policy.
            pub fn word(self) -> &'static str {
                match self { $($choice::$variant => $word),+ }
            }
        }

        impl $crate::domain::policy::choice::Choice for $choice {
            const TABLE: &'static $crate::domain::policy::shape::ChoiceTable =
                &$crate::domain::policy::shape::ChoiceTable {
                    name: $crate::domain::policy::choice::name_of!($choice $($name)?),
                    english: $english.trim_ascii(),
                    words: &[$($word),+],
                };

            fn of_word(word: &str) -> Option<$choice> {
                $choice::ALL.iter().copied().find(|choice| choice.word() == word)
            }
        }

        impl serde::Serialize for $choice {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.word())
            }
        }
    )+ };
}
pub(super) use choices;

/// The given name, or the identifier.
macro_rules! name_of {
    ($own:ident) => {
        stringify!($own)
    };
    ($own:ident $given:literal) => {
        $given
    };
}
pub(super) use name_of;

impl<T: Choice> KeyKind for T {
    type Value = T;
    const SHAPE: Shape = Shape::Choice(T::TABLE);

    fn read(spot: ValueAt<'_>) -> Option<T> {
        let given = spot.value().as_str().unwrap_or_default();
        T::of_word(given).or_else(|| {
            let words = T::TABLE.words;
            let mut english = format!("must be one of {}", words.join(", "));
            let mut chinese = format!("必须是 {} 之一", words.join("、"));
            if let Some(near) = nearest(given, words.iter().copied()) {
                english += &format!(" (perhaps {near:?} was meant)");
                chinese += &format!("（是否想写 {near:?}）");
            }
            spot.wrong((english, chinese))
        })
    }

    fn write<S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }
}

choices! {
    /// How one of several free agents is picked.
    Strategy {
        /// The smallest ratio of load to capacity (P1, 接待量不饱和优先).
        LeastSaturated = "least_saturated",
        /// The smallest ratio of today's assignments to weight (P2, 平均分配).
        FewestToday = "fewest_today",
        /// By a hash of the session id (P3).
        Random = "random",
    }
    /// What happens if a buyer's recent agent is unavailable.
    RecentOtherwise {
        /// Continue with the scope (R2).
        Continue = "continue",
        /// A random one of all free agents.
        RandomOnline = "random_online",
        /// Like `random_online`, if the policy has no `order_status` lists.
        RandomIfUngrouped = "random_if_ungrouped",
    }
    /// What happens if no agent of a scope is online.
    WhenScopeOffline {
        /// The session waits for the scope's agents.
        Wait = "wait",
        /// Any free agent of the shop gets the session.
        AnyOnline = "any_online",
    }
    /// What happens if no agent of the shop is online.
    OfflineMode {
        /// The session waits.
        Wait = "wait",
        /// A member of the rota gets the session.
        Rota = "rota",
    }
    /// Whether unanswered sessions of offline agents go to agents that come online.
    HandOver {
        /// They stay with the offline agent.
        Keep = "keep",
        /// They are routed again when an agent comes online (R5b).
        Online = "online",
    }
    /// Whether sessions wait for a busy agent.
    QueueMode {
        /// They wait.
        Wait = "wait",
        /// They do not: an online agent gets them, whatever its load (R14).
        None = "none",
    }
    /// What happens to a session whose agent does not answer if no other agent is free.
    TakeBackOtherwise {
        /// It stays with the agent.
        Stay = "stay",
        /// It waits in its pool.
        Queue = "queue",
    }
    /// What happens while the shop is closed.
    OutsideHours {
        /// Sessions are routed as usual.
        Inform = "inform",
        /// Sessions are routed as if no agent were online.
        Offline = "offline",
    }
    /// What the reply rate counts.
    ReplyUnit {
        /// Buyers of a day (M1).
        Buyer = "buyer",
        /// Rounds: each message that starts the reply clock (M12, 对话轮次).
        Round = "round",
        /// Sessions: the first round of each (M12).
        Session = "session",
    }
    /// What happens to the open sessions of an agent that goes offline.
    OnAgentOffline {
        /// They stay with the agent.
        Keep = "keep",
        /// They are closed.
        Close = "close",
        /// They are routed again.
        Reroute = "reroute",
    }
    /// A close reason after which an invitation may be sent.
    InvitedClose ("InviteAfter") {
        /// Buyer silence or the longest wait.
        Timeout = "timeout",
        /// Closed by the agent.
        Agent = "agent",
        /// Closed by the buyer.
        Buyer = "buyer",
    }
    /// Whether a limit applies to an agent or to the whole shop.
    Whom {
        /// The agent of the card or session.
        Agent = "agent",
        /// The whole shop.
        Shop = "shop",
    }
}
