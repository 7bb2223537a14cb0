//! Records in form 2, the one that is written. Frozen like form 1: a field more is a form more.

use serde::{Deserialize, Serialize};

use super::{Booking, NewRecord, Record, RecordKind};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;

#[derive(Serialize, Deserialize)]
enum StoredKind {
    Created,
    Event,
    Malformed,
    Removed,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    shop: u64,
    shop_id: &'a str,
    kind: StoredKind,
    core: u32,
    n: u64,
    at_ms: i64,
    due_ms: Option<i64>,
    seq_before: u64,
    decided: u32,
    text: &'a str,
    decisions: &'a str,
    claims: Vec<u32>,
    booked: Vec<Booking<'a>>,
    rated: bool,
}

/// Appends the body of an entry to `buffer`.
pub(super) fn write(shop: u64, entry: &NewRecord<'_>, buffer: &mut Vec<u8>) {
    let booked = entry.booked.iter();
    let stored = Stored {
        shop,
        shop_id: entry.shop.as_str(),
        kind: match entry.kind {
            RecordKind::Created => StoredKind::Created,
            RecordKind::Event => StoredKind::Event,
            RecordKind::Malformed => StoredKind::Malformed,
            RecordKind::Removed => StoredKind::Removed,
        },
        core: entry.core,
        n: entry.n,
        at_ms: entry.at.ms(),
        due_ms: entry.due.map(Instant::ms),
        seq_before: entry.seq_before,
        decided: entry.decided,
        text: entry.text,
        decisions: entry.decisions,
        claims: entry.claims.to_vec(),
        booked: booked
            .map(|place| (place.space.as_str(), place.buyer.as_str(), place.at.ms()))
            .collect(),
        rated: entry.rated,
    };
    let config = bincode::config::standard();
    // Writing into memory cannot fail; were it to, the checksum of nothing would not hide it.
    let written = bincode::serde::encode_into_std_write(&stored, buffer, config);
    debug_assert!(written.is_ok());
}

/// Reads the body of a record; `None` where it does not read as one.
pub(super) fn read(body: &[u8], order: u64) -> Option<Record> {
    let config = bincode::config::standard();
    let (stored, length): (Stored<'_>, usize) =
        bincode::serde::borrow_decode_from_slice(body, config).ok()?;
    if length != body.len() {
        return None;
    }
    Some(Record {
        order,
        shop: stored.shop,
        shop_id: Some(Id::new(stored.shop_id)?),
        kind: match stored.kind {
            StoredKind::Created => RecordKind::Created,
            StoredKind::Event => RecordKind::Event,
            StoredKind::Malformed => RecordKind::Malformed,
            StoredKind::Removed => RecordKind::Removed,
        },
        core: stored.core,
        n: stored.n,
        at: Instant::from_ms(stored.at_ms),
        due: stored.due_ms.map(Instant::from_ms),
        seq_before: stored.seq_before,
        decided: stored.decided,
        text: stored.text.to_owned(),
        decisions: stored.decisions.to_owned(),
        claims: stored.claims,
        booked: super::read_booked(stored.booked)?,
        rated: stored.rated,
    })
}
