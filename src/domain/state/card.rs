//! Rating cards.

use crate::domain::base::time::Instant;
use crate::domain::protocol::rating::Source;

/// A rating card of a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Card {
    /// For whom its rating counts (Q4): the number of an agent, or of the bot.
    pub agent: u32,
    /// Where it comes from.
    pub source: Source,
    /// When it was made.
    pub made: Instant,
    /// Whether its rating has been submitted.
    pub used: bool,
}
