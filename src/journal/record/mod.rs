//! A record: one event of a shop with its decisions, and its stored forms.
//!
//! In a block every record is stored as its length, its checksum (CRC-32 of what follows) and its body. The block's
//! header names the form of the bodies. [`v1`] and [`v2`] are frozen, each with types of its own. To add a field:
//! write `v3`, add it to [`read`], raise [`FORM`], and add a golden folder of the release before.

mod v1;
mod v2;

use super::JournalError;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::journal::error::damaged;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// The event that made the shop.
    Created,
    /// An event, or a `clock` event of the server.
    Event,
    /// A JSON object that is not a valid event, and was rejected.
    Malformed,
    /// The deletion of the shop.
    Removed,
}

/// An invitation that was booked with the ledger (I12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The buyer space.
    pub space: Id,
    /// The buyer.
    pub buyer: Id,
    /// The shop's clock.
    pub at: Instant,
}

/// A record to append.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    /// The shop's id.
    pub shop: &'a Id,
    /// The kind of the record.
    pub kind: RecordKind,
    /// The number of the core that decided it ([`crate::domain::CORE`]).
    pub core: u32,
    /// The record's number among those of its shop: 1, 2, 3 …
    pub n: u64,
    /// The event's instant, or the shop's clock where it was rejected before that.
    pub at: Instant,
    /// The shop's next timer after the record; `None` where none is armed.
    pub due: Option<Instant>,
    /// The `seq` of the shop before the record.
    pub seq_before: u64,
    /// The number of decisions.
    pub decided: u32,
    /// The event as it was sent: one JSON object.
    pub text: &'a str,
    /// The decisions as they are answered: one JSON array.
    pub decisions: &'a str,
    /// The ledger's answers, in order (I12).
    pub claims: &'a [u32],
    /// Invitations that were booked.
    pub booked: &'a [Booked],
    /// Whether a rating was recorded.
    pub rated: bool,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its order among all records: 1, 2, 3 …
    pub order: u64,
    /// The shop's number.
    pub shop: u64,
    /// The shop's id. A record of form 1 has it only where it made the shop or booked an invitation.
    pub shop_id: Option<Id>,
    /// The kind of the record.
    pub kind: RecordKind,
    /// The number of the core that decided it; 1 in form 1.
    pub core: u32,
    /// The record's number among those of its shop.
    pub n: u64,
    /// The event's instant, or the shop's clock where it was rejected before that.
    pub at: Instant,
    /// The shop's next timer after the record; `None` in form 1.
    pub due: Option<Instant>,
    /// The `seq` of the shop before the record.
    pub seq_before: u64,
    /// The number of decisions.
    pub decided: u32,
    /// The event as it was sent: one JSON object.
    pub text: String,
    /// The decisions as they are answered: one JSON array.
    pub decisions: String,
    /// The ledger's answers, in order (I12).
    pub claims: Vec<u32>,
    /// Invitations that were booked.
    pub booked: Vec<Booked>,
    /// Whether a rating was recorded.
    pub rated: bool,
}

/// The form in which records are written.
pub const FORM: u8 = 2;

/// A stored booking: space, buyer, milliseconds since 1970.
type Booking<'a> = (&'a str, &'a str, i64);

fn read_booked(stored: Vec<Booking<'_>>) -> Option<Vec<Booked>> {
    let booked = stored.into_iter().map(|(space, buyer, at_ms)| {
        Some(Booked {
            space: Id::new(space)?,
            buyer: Id::new(buyer)?,
            at: Instant::from_ms(at_ms),
        })
    });
    booked.collect()
}

/// Bytes before the body of a record: its length and its checksum.
pub const FRAME_BYTES: usize = 8;

/// Appends the frame of a record to `buffer`.
pub fn write(shop: u64, entry: &NewRecord<'_>, buffer: &mut Vec<u8>) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; FRAME_BYTES]);
    v2::write(shop, entry, buffer);
    let length = (buffer.len() - start - FRAME_BYTES) as u32;
    let sum = crc32fast::hash(&buffer[start + FRAME_BYTES..]);
    buffer[start..start + 4].copy_from_slice(&length.to_be_bytes());
    buffer[start + 4..start + FRAME_BYTES].copy_from_slice(&sum.to_be_bytes());
}

/// Splits `bytes` into the body of the first frame, checked, and the rest.
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

/// Reads the body of a record that is stored in a form.
pub fn read(form: u8, body: &[u8], order: u64) -> Result<Record, JournalError> {
    let read = match form {
        1 => v1::read(body, order),
        2 => v2::read(body, order),
        newer => {
            return Err(JournalError::Unusable(format!(
                "record {order} is stored in form {newer}, and this program reads forms 1 to {FORM}: use the newer \
                 program"
            )));
        }
    };
    read.ok_or_else(|| damaged(&format!("record {order} cannot be decoded")))
}
