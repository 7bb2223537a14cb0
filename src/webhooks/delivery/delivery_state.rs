//! Records of delivery: attempts in flight, messages that failed, and the cursor of an endpoint.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::base::time::Instant;

/// The decisions of one message: those from the first `seq` to the last that the endpoint asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SeqRange {
    /// The `seq` of the first decision.
    pub from: u64,
    /// The `seq` of the last decision.
    pub to: u64,
}

/// The result of the latest attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptResult {
    /// When it ended, in milliseconds since 1970.
    pub at_ms: i64,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The first kilobyte of the answer.
    pub answer: String,
    /// Why there was no answer, in words.
    pub failure: Option<String>,
}

/// A message that has failed so far, or was given up. The stored names are of release 0.1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRetry {
    /// The decisions of the message.
    #[serde(rename = "parcel")]
    pub range: SeqRange,
    /// The number of attempts so far.
    #[serde(rename = "tries")]
    pub attempts: u32,
    /// The instant of the first attempt.
    pub first: Instant,
    /// The instant of the next attempt; `None` where the message was given up.
    #[serde(rename = "again")]
    pub retry_at: Option<Instant>,
    /// The result of the latest attempt.
    #[serde(rename = "told")]
    pub result: AttemptResult,
}

/// What survives a restart beside the retry queue. The stored names are of release 0.1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryCursor {
    /// Decisions up to this `seq` were delivered, are in the retry queue, or are not asked for.
    pub done: u64,
    /// The message that failed and blocks those after it.
    #[serde(rename = "held")]
    pub blocking: Option<PendingRetry>,
    /// Ranges that are to be sent again.
    #[serde(rename = "resends")]
    pub replays: VecDeque<SeqRange>,
    /// The start of a period in which every attempt failed.
    pub failing_since: Option<Instant>,
    /// How many messages failed one after the other.
    #[serde(rename = "failed_in_a_row")]
    pub consecutive_failures: u32,
}

/// The lane from which a message comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// First attempts, in the order of `seq`.
    InOrder,
    /// The retry queue.
    Retry,
    /// A range that is sent again.
    Replay,
}

/// An attempt in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The decisions of the message.
    pub range: SeqRange,
    /// The lane of the message.
    pub lane: Lane,
}
