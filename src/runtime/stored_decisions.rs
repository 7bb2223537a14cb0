//! Decisions as the journal keeps them, and the answer to an event that had happened before.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::event_result::EventResult;
use super::recovery::astray;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::state::idempotency::IdempotencyRecord;
use crate::journal::{Journal, JournalError, Record};

/// A decision as the journal keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDecision {
    /// Its `seq`.
    pub seq: u64,
    /// The instant of the event's record.
    pub at: Instant,
    /// As it was answered: one JSON object.
    pub json: String,
    /// The event that it was an answer to, as it was sent (a `clock` where a timer fired by itself).
    pub event: Bytes,
}

/// What every decision says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DecisionHeader<'a> {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// When it was taken, as it is written.
    pub at: &'a str,
}

impl StoredDecision {
    /// Its type, and when it was taken.
    pub fn said(&self) -> DecisionHeader<'_> {
        // Written by us, and neither needs an escape.
        serde_json::from_str(&self.json).unwrap_or_default()
    }
}

/// The decisions of a record, one JSON object each.
pub(super) fn decisions_of<'a>(
    shop: &Id,
    record: &'a Record,
) -> Result<Vec<&'a RawValue>, JournalError> {
    serde_json::from_str(&record.decisions).map_err(|_| {
        astray(
            shop,
            &format!("the decisions of its record {} do not read", record.n),
        )
    })
}

/// Decisions as they are listed.
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

/// The answer to an event that had happened before. Whatever becomes of it is told of this event alone: those beside it
/// in its request are done.
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

/// The decisions that a receipt names, as a JSON array; nothing where their record was dropped by retention.
fn answered_then(
    journal: &dyn Journal,
    shop: &Id,
    receipt: IdempotencyRecord,
) -> Result<Option<String>, JournalError> {
    let wanted = receipt.first..receipt.first.saturating_add(u64::from(receipt.count));
    let slice = journal.read(shop, receipt.first, 1)?;
    let record = slice.and_then(|slice| slice.records.into_iter().next());
    // Where the one that is wanted was dropped, the first one that was not may be what is read.
    let Some(record) = record.filter(|record| record.seq_before < receipt.first) else {
        return Ok(None);
    };
    let decisions = listed(shop, &record)?.into_iter();
    let decisions = decisions.filter(|decision| wanted.contains(&decision.seq));
    let parts: Vec<String> = decisions.map(|decision| decision.json).collect();
    if parts.len() as u64 != u64::from(receipt.count) {
        let n = record.n;
        return Err(astray(
            shop,
            &format!("its record {n} is not the answer to the event whose id was repeated"),
        ));
    }
    Ok(Some(format!("[{}]", parts.join(","))))
}
