//! Rating cards.

use crate::domain::base::calendar::Day;
use crate::domain::base::time::Instant;
use crate::domain::protocol::rating::Source;

/// A rating card of a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Card {
    /// The agent or bot, by number, for which the rating counts (Q4).
    pub agent: u32,
    /// The source of the card.
    pub source: Source,
    /// When the card was created.
    pub made: Instant,
    /// The day on which it is booked (M7). `None` if it was created before such days were kept.
    pub day: Option<Day>,
    /// Whether a rating was submitted.
    pub used: bool,
}
