//! Messages of a session that wait for a reply.

use crate::domain::base::calendar::Day;
use crate::domain::base::time::Instant;

/// The oldest message of a session that counts and has no human reply yet: a round of the shop (M3, M12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingReply {
    /// When the message was sent.
    pub since: Instant,
    /// When the reply becomes late.
    pub overdue_at: Instant,
    /// The day on which the message is booked.
    pub day: Day,
    /// Whether it is the session's first round.
    pub first: bool,
    /// Whether it is booked as late.
    pub late: bool,
}

/// A message that counts and has no human reply yet (M1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnansweredMessage {
    /// The day on which it is booked.
    pub day: Day,
    /// When the reply becomes late.
    pub late_at: Instant,
    /// Whether it is booked as late.
    pub late: bool,
}

/// The open round of a session with an agent (M9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentRound {
    /// The agent.
    pub agent: u32,
    /// When it began: at the message, or at the assignment if that came later.
    pub began: Instant,
    /// When the reply becomes late.
    pub late_at: Instant,
    /// The day on which it is booked.
    pub day: Day,
    /// Whether it is the first round since the assignment.
    pub first: bool,
    /// Whether it is booked as late.
    pub late: bool,
}
