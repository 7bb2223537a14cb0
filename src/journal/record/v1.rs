//! Records in form 1, written by release 0.1 (`fc8647a`) and read for ever. Frozen: nothing here is changed.
//!
//! A record of form 1 names its shop only where it made the shop or booked an invite. It knows neither the core that
//! decided it (which was core 1) nor the shop's next timer.

use serde::Deserialize;

use super::{Booking, Record, RecordKind};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;

/// The core of every record of this form.
const CORE: u32 = 1;

#[derive(Deserialize)]
enum StoredKind {
    Created,
    Event,
    Malformed,
    Removed,
}

#[derive(Deserialize)]
struct Stored<'a> {
    shop: u64,
    shop_id: Option<&'a str>,
    kind: StoredKind,
    n: u64,
    at_ms: i64,
    seq_before: u64,
    decided: u32,
    text: &'a str,
    decisions: &'a str,
    claims: Vec<u32>,
    booked: Vec<Booking<'a>>,
    rated: bool,
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
        shop_id: stored.shop_id.and_then(Id::new),
        kind: match stored.kind {
            StoredKind::Created => RecordKind::Created,
            StoredKind::Event => RecordKind::Event,
            StoredKind::Malformed => RecordKind::Malformed,
            StoredKind::Removed => RecordKind::Removed,
        },
        core: CORE,
        n: stored.n,
        at: Instant::from_ms(stored.at_ms),
        due: None,
        seq_before: stored.seq_before,
        decided: stored.decided,
        text: stored.text.to_owned(),
        decisions: stored.decisions.to_owned(),
        claims: stored.claims,
        booked: super::read_booked(stored.booked)?,
        rated: stored.rated,
    })
}
