//! Replies that a session waits for.

use crate::domain::base::calendar::Day;
use crate::domain::base::time::Instant;

/// The oldest message of a session that counts and has no human reply yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// When it was sent.
    pub since: Instant,
    /// When it is late.
    pub overdue_at: Instant,
    /// The day it is booked on.
    pub day: Day,
}

/// Unanswered messages of one day, by the first instant at which one of them is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateMark {
    /// The day they are booked on.
    pub day: Day,
    /// When the first of them is late.
    pub late_at: Instant,
}
