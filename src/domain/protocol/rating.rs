//! Ratings as they are written: levels, and where cards come from.

use super::codes::codes;
use super::event::Stars;

codes! {
    /// How it was (Q5).
    Level {
        /// 4 or 5 stars; a bare level is 5.
        Satisfied = "satisfied",
        /// 3 stars.
        Neutral = "neutral",
        /// 1 or 2 stars; a bare level is 1.
        Disappointed = "disappointed",
    }
}

impl Level {
    /// How many levels there are.
    pub const COUNT: usize = Level::ALL.len();

    /// The level of a number of stars.
    pub fn of(stars: Stars) -> Level {
        match stars.count() {
            4.. => Level::Satisfied,
            3 => Level::Neutral,
            0..=2 => Level::Disappointed,
        }
    }

    /// The stars of a bare level.
    pub fn stars(self) -> u64 {
        match self {
            Level::Satisfied => 5,
            Level::Neutral => 3,
            Level::Disappointed => 1,
        }
    }
}

codes! {
    /// Where a card comes from.
    Source {
        /// The buyer, by itself (Q1).
        Buyer = "buyer",
        /// The agent's button.
        Agent = "agent",
        /// An automatic invite.
        Auto = "auto",
    }
}
