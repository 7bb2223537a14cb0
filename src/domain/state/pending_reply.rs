//! Pending replies of a session.

use crate::domain::base::calendar::Day;
use crate::domain::base::time::Instant;

/// The oldest message of a session that counts and has no human reply yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingReply {
    /// When the message was sent.
    pub since: Instant,
    /// When the reply becomes late.
    pub overdue_at: Instant,
    /// The day on which the message is booked.
    pub day: Day,
}

/// The unanswered messages of one day, by the time at which the first of them becomes late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyDeadline {
    /// The day on which they are booked.
    pub day: Day,
    /// When the first of them becomes late.
    pub late_at: Instant,
}
