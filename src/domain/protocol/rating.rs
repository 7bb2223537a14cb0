//! Rating levels and the sources of rating cards.

use super::codes::codes;
use super::event::Stars;

codes! {
    /// The level of a rating (Q5).
    Level {
        /// 4 or 5 stars. A level without stars counts as 5.
        Satisfied = "satisfied",
        /// 3 stars.
        Neutral = "neutral",
        /// 1 or 2 stars. A level without stars counts as 1.
        Disappointed = "disappointed",
    }
}

impl Level {
    /// The number of levels.
    pub const COUNT: usize = Level::ALL.len();

    /// The level for a number of stars.
    pub fn of(stars: Stars) -> Level {
        match stars.count() {
            4.. => Level::Satisfied,
            3 => Level::Neutral,
            0..=2 => Level::Disappointed,
        }
    }

    /// The stars of a level that was given without stars.
    pub fn stars(self) -> u64 {
        match self {
            Level::Satisfied => 5,
            Level::Neutral => 3,
            Level::Disappointed => 1,
        }
    }
}

codes! {
    /// The source of a rating card.
    Source {
        /// The buyer opened it without an invitation (Q1).
        Buyer = "buyer",
        /// The agent's button.
        Agent = "agent",
        /// An automatic invitation.
        Auto = "auto",
    }
}
