//! Messages, told by their decisions: what is kept of those that failed, and of how far an endpoint is.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::base::time::Instant;

/// The decisions of one message: those from the first `seq` to the last that the endpoint asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeqRange {
    /// The first one's `seq`.
    pub from: u64,
    /// The last one's.
    pub to: u64,
}

/// What came of the latest try.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptResult {
    /// When it ended.
    pub at_ms: i64,
    /// The status of the answer.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The first kilobyte of the answer.
    pub answer: String,
    /// Why there was no answer, in words.
    pub failure: Option<String>,
}

/// A message that has failed so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRetry {
    /// Its decisions.
    pub parcel: SeqRange,
    /// How often it was tried.
    pub tries: u32,
    /// When it was tried first.
    pub first: Instant,
    /// When it is tried again; nothing where it was given up.
    pub again: Option<Instant>,
    /// What came of the latest try.
    pub told: AttemptResult,
}

/// What of it survives a restart beside the messages aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryCursor {
    /// Decisions up to this `seq` have gone out, are aside, or are not asked for.
    pub done: u64,
    /// What holds the line.
    pub held: Option<PendingRetry>,
    /// Ranges that are to be sent again.
    pub resends: VecDeque<SeqRange>,
    /// Since when nothing but failures came back.
    pub failing_since: Option<Instant>,
    /// How many messages failed one after the other.
    pub failed_in_a_row: u32,
}

/// Where a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// In order.
    Line,
    /// Aside.
    Aside,
    /// A range that is sent again.
    Resend,
}

/// A try that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Of which decisions.
    pub parcel: SeqRange,
    /// From where.
    pub lane: Lane,
}
