//! A record: one event of a shop with all that came of it; and its stored form, version 1.
//!
//! In a block every record stands as its length, its checksum (CRC-32 of what follows) and its bytes.

use serde::{Deserialize, Serialize};

use super::JournalError;
use super::store::damaged;
use crate::domain::id::Id;
use crate::domain::time::Instant;

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The event that made the shop.
    Created,
    /// An event, or a `clock` of the server's own.
    Event,
    /// A JSON object that is no event, and was rejected.
    Malformed,
    /// The shop was taken away.
    Removed,
}

/// An invite that was booked with the ledger (I12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The buyer space.
    pub space: Id,
    /// The buyer.
    pub buyer: Id,
    /// The shop's clock.
    pub at: Instant,
}

/// What is appended.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The shop's id.
    pub shop: &'a Id,
    /// Of what it is.
    pub kind: Kind,
    /// The shop's records up to this one, itself included: 1, 2, 3 …
    pub n: u64,
    /// The event's instant, or the shop's clock where it was rejected before that.
    pub at: Instant,
    /// The `seq` of the shop before it.
    pub seq_before: u64,
    /// How many decisions it has.
    pub decided: u32,
    /// The event as it was sent: one JSON object.
    pub text: &'a str,
    /// The decisions as they are answered: one JSON array.
    pub decisions: &'a str,
    /// What the ledger answered, in order (I12).
    pub claims: &'a [u32],
    /// What was booked with it.
    pub booked: &'a [Booked],
    /// Whether a rating was recorded.
    pub rated: bool,
}

/// A record as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place among all records: 1, 2, 3 …
    pub order: u64,
    /// The shop's number.
    pub shop: u64,
    /// The shop's id, where the record keeps it: on its first, and where something was booked.
    pub shop_id: Option<Id>,
    /// See [`Entry`].
    pub kind: Kind,
    /// See [`Entry`].
    pub n: u64,
    /// See [`Entry`].
    pub at: Instant,
    /// See [`Entry`].
    pub seq_before: u64,
    /// See [`Entry`].
    pub decided: u32,
    /// See [`Entry`].
    pub text: String,
    /// See [`Entry`].
    pub decisions: String,
    /// See [`Entry`].
    pub claims: Vec<u32>,
    /// See [`Entry`].
    pub booked: Vec<Booked>,
    /// See [`Entry`].
    pub rated: bool,
}

/// The stored form, version 1; the version stands in the block.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    shop: u64,
    shop_id: Option<&'a str>,
    kind: Kind,
    n: u64,
    at_ms: i64,
    seq_before: u64,
    decided: u32,
    text: &'a str,
    decisions: &'a str,
    claims: Vec<u32>,
    booked: Vec<(&'a str, &'a str, i64)>,
    rated: bool,
}

/// Before the bytes of a record: its length and its checksum.
pub const FRAME_BYTES: usize = 8;

/// Appends an entry's frame to `buffer`.
pub fn write(shop: u64, entry: &Entry<'_>, buffer: &mut Vec<u8>) {
    let named = entry.kind == Kind::Created || !entry.booked.is_empty();
    let booked = entry.booked.iter();
    let stored = Stored {
        shop,
        shop_id: named.then_some(entry.shop.as_str()),
        kind: entry.kind,
        n: entry.n,
        at_ms: entry.at.ms(),
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
    let start = buffer.len();
    buffer.extend_from_slice(&[0; FRAME_BYTES]);
    let config = bincode::config::standard();
    // Writing into memory cannot fail; were it to, the checksum of nothing would not hide it.
    let written = bincode::serde::encode_into_std_write(&stored, buffer, config);
    debug_assert!(written.is_ok());
    let length = (buffer.len() - start - FRAME_BYTES) as u32;
    let sum = crc32fast::hash(&buffer[start + FRAME_BYTES..]);
    buffer[start..start + 4].copy_from_slice(&length.to_be_bytes());
    buffer[start + 4..start + FRAME_BYTES].copy_from_slice(&sum.to_be_bytes());
}

/// The frame at the head of `bytes`, checked, and what follows it.
pub fn split(bytes: &[u8], order: u64) -> Result<(&[u8], &[u8]), JournalError> {
    let wrong = || {
        damaged(&format!(
            "record {order} is cut off or its checksum is wrong"
        ))
    };
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
    let (sum, rest) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
    let (body, rest) = rest
        .split_at_checked(u32::from_be_bytes(*length) as usize)
        .ok_or_else(wrong)?;
    if crc32fast::hash(body) != u32::from_be_bytes(*sum) {
        return Err(wrong());
    }
    Ok((body, rest))
}

/// Reads the body of a record.
pub fn read(body: &[u8], order: u64) -> Result<Record, JournalError> {
    let wrong = || damaged(&format!("record {order} does not read as one"));
    let config = bincode::config::standard();
    let (stored, length): (Stored<'_>, usize) =
        bincode::serde::borrow_decode_from_slice(body, config).map_err(|_| wrong())?;
    if length != body.len() {
        return Err(wrong());
    }
    let booked = stored.booked.into_iter().map(|(space, buyer, at_ms)| {
        Some(Booked {
            space: Id::new(space)?,
            buyer: Id::new(buyer)?,
            at: Instant::from_ms(at_ms),
        })
    });
    Ok(Record {
        order,
        shop: stored.shop,
        shop_id: stored.shop_id.and_then(Id::new),
        kind: stored.kind,
        n: stored.n,
        at: Instant::from_ms(stored.at_ms),
        seq_before: stored.seq_before,
        decided: stored.decided,
        text: stored.text.to_owned(),
        decisions: stored.decisions.to_owned(),
        claims: stored.claims,
        booked: booked.collect::<Option<_>>().ok_or_else(wrong)?,
        rated: stored.rated,
    })
}
