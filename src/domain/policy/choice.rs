//! Choices of few: every one with its words, which the reader, the description and what is written back follow.

use serde::ser::{Serialize, Serializer};

use super::reader::{KeyKind, Spot};
use super::shape::{ChoiceTable, Shape};
use crate::domain::base::suggestion::nearest;

/// An enum whose variants are words of the wire language.
pub trait Choice: Copy + Serialize + 'static {
    /// Its words.
    const TABLE: &'static ChoiceTable;

    /// The one of this word.
    fn of_word(word: &str) -> Option<Self>;
}

/// Makes enums whose variants are words of the wire language.
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
            /// All of them, in the order of the rules.
            pub const ALL: &'static [$choice] = &[$($choice::$variant),+];

            /// As the wire language writes it.
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

/// The name that is given, or else the identifier's own.
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

    fn read(spot: Spot<'_>) -> Option<T> {
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
        /// The smallest load by capacity (P1, 接待量不饱和优先).
        LeastSaturated = "least_saturated",
        /// The smallest count of today by weight (P2, 平均分配).
        FewestToday = "fewest_today",
        /// Drawn by the session's id (P3).
        Random = "random",
    }
    /// What happens where the recent agent of a buyer cannot take it.
    RecentOtherwise {
        /// On to the scope (R2).
        Continue = "continue",
        /// At random among all free agents.
        RandomOnline = "random_online",
        /// The same, where the policy routes by no order status.
        RandomIfUngrouped = "random_if_ungrouped",
    }
    /// What happens where no agent of a scope is online.
    WhenScopeOffline {
        /// Wait for the scope's own agents.
        Wait = "wait",
        /// Any free agent of the shop will do.
        AnyOnline = "any_online",
    }
    /// What happens where no agent at all is online.
    OfflineMode {
        /// The buyer waits.
        Wait = "wait",
        /// A member of the rota gets the buyer.
        Rota = "rota",
    }
    /// What becomes of the sessions of an agent that goes offline.
    OnAgentOffline {
        /// The sessions stay with their agent.
        Keep = "keep",
        /// They close.
        Close = "close",
        /// They are routed anew.
        Reroute = "reroute",
    }
    /// A way to close a session that may be followed by an invite.
    InvitedClose ("InviteAfter") {
        /// By the silence or by the longest wait.
        Timeout = "timeout",
        /// By the agent.
        Agent = "agent",
        /// By the buyer.
        Buyer = "buyer",
    }
    /// An agent, or any agent of the shop.
    Whom {
        /// The agent of the card or session.
        Agent = "agent",
        /// Any agent of the shop.
        Shop = "shop",
    }
}
