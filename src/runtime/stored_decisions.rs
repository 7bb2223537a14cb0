//! Decisions as the journal stores them, and the responses to repeated events.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event_result::EventResult;
use super::recovery::diverged;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::state::idempotency::IdempotencyRecord;
use crate::journal::{Journal, JournalError, Record};

/// A decision as the journal stores it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDecision {
    /// The decision's `seq`.
    pub seq: u64,
    /// The time of the event's record.
    pub at: Instant,
    /// The JSON object as it was returned.
    pub json: String,
    /// The event that caused the decision, as it was sent. A timer is a `clock` event.
    pub event: Bytes,
}

/// The common fields of every decision that readers need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DecisionHeader<'a> {
    /// The decision's type.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The decision's time, as written.
    pub at: &'a str,
}

impl StoredDecision {
    /// The type and time of the decision.
    pub fn header(&self) -> DecisionHeader<'_> {
        // Xiaoer wrote this text, and both fields need no escapes.
        serde_json::from_str(&self.json).unwrap_or_default()
    }
}

/// The decisions of a record, one JSON object each.
pub(super) fn decisions_of<'a>(
    shop: &Id,
    record: &'a Record,
) -> Result<Vec<&'a RawValue>, JournalError> {
    serde_json::from_str(&record.decisions).map_err(|_| {
        diverged(
            shop,
            &format!("the decisions of its record {} do not read", record.n),
        )
    })
}

/// The decisions of a record, for lists.
pub(super) fn listed(shop: &Id, record: &Record) -> Result<Vec<StoredDecision>, JournalError> {
    let event = Bytes::copy_from_slice(record.text.as_bytes());
    let decisions = (record.seq_before + 1..).zip(decisions_of(shop, record)?);
    let listed = decisions.map(|(seq, json)| StoredDecision {
        seq,
        at: record.at,
        json: json.get().to_owned(),
        event: event.clone(),
    });
    Ok(listed.collect())
}

/// The response to a repeated event. A failure affects only this event: the others of its request are done.
pub(super) fn answer_again(
    journal: &dyn Journal,
    shop: &Id,
    id: Id,
    receipt: IdempotencyRecord,
) -> EventResult {
    let decisions = match receipt.count {
        0 => Ok(Some("[]".to_owned())),
        _ => answered_then(journal, shop, receipt),
    };
    match decisions {
        Ok(decisions) => EventResult {
            id: Some(id),
            forgotten: decisions.is_none(),
            decisions: decisions.unwrap_or_else(|| "[]".to_owned()).into(),
            ..EventResult::nothing()
        },
        Err(error) => EventResult::refused(Some(id), error.into()),
    }
}

/// The decisions that an idempotency record names, as a JSON array. `None` if retention deleted their record.
fn answered_then(
    journal: &dyn Journal,
    shop: &Id,
    receipt: IdempotencyRecord,
) -> Result<Option<String>, JournalError> {
    let range = receipt.first..receipt.first.saturating_add(u64::from(receipt.count));
    let slice = journal.read(shop, receipt.first, 1)?;
    let record = slice.and_then(|slice| slice.records.into_iter().next());
    // If the record was deleted, the read may return the first later one.
    let Some(record) = record.filter(|record| record.seq_before < receipt.first) else {
        return Ok(None);
    };
    let decisions = listed(shop, &record)?.into_iter();
    let decisions = decisions.filter(|decision| range.contains(&decision.seq));
    let parts: Vec<String> = decisions.map(|decision| decision.json).collect();
    if parts.len() as u64 != u64::from(receipt.count) {
        let n = record.n;
        return Err(diverged(
            shop,
            &format!("its record {n} is not the answer to the event whose id was repeated"),
        ));
    }
    Ok(Some(format!("[{}]", parts.join(","))))
}
