//! Serializes decisions (contract, section 3): one JSON object each, with the common fields first.

use serde::Serialize;

use crate::domain::base::time::OffsetTimestamp;
use crate::domain::protocol::decision::{Decision, DecisionBody};

/// A decision of a shop, ready to be serialized.
#[derive(Serialize)]
pub struct WrittenDecision<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<OffsetTimestamp>,
    shop: &'a str,
    seq: u64,
    #[serde(rename = "type")]
    name: &'static str,
    #[serde(flatten)]
    body: &'a DecisionBody,
}

impl<'a> WrittenDecision<'a> {
    /// A decision of `shop`. The id is empty if the event's shop was malformed.
    pub fn new(shop: &'a str, decision: &'a Decision) -> WrittenDecision<'a> {
        WrittenDecision {
            at: decision.at,
            shop,
            seq: decision.seq,
            name: decision.body.name(),
            body: &decision.body,
        }
    }
}
