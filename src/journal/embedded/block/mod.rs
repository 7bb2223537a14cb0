//! A block: records in a row under one key, or one record that is too large for a key, in parts.
//!
//! Stored form: the form of its records, number, first order, count of records, part, parts, checksum of these and the
//! payload, payload. The header is the same for records of form 1 and 2, and for pieces of snapshots, which have the
//! form of the release that wrote them. Blocks are numbered in order, and the key is the number and the part. Small
//! blocks are merged into the first of them, so the last block at or before a number holds the records that were
//! written under it.
//!
//! The records of a block, and a snapshot, are compressed (LZ4): most of the cost of an event is what is written, and
//! events and decisions are alike.
//!
//! Keys are *preallocated* with empty values. A page of the store splits by the number of its keys and then writes all
//! its values again. So it splits while they are empty, and every block is written once.

mod salvage_scan;
mod snapshot_piece;

use lz4_flex::block::{compress_prepend_size, decompress_size_prepended};

use super::store::{Changes, Store, Tree, VALUE_BYTES_MAX};
use crate::journal::JournalError;
use crate::journal::error::damaged;
use crate::journal::record::{self, FORM, Record};

const HEADER_BYTES: usize = 1 + 8 + 8 + 4 + 2 + 2 + 4;
const PAYLOAD_BYTES_MAX: usize = VALUE_BYTES_MAX - HEADER_BYTES;

/// The most bytes of records in one block before compression; a larger record has a block of its own. Most blocks
/// shrink to less than a third, so that they fit under one key.
pub const RECORDS_BYTES_MAX: usize = 64 * 1024;

pub use salvage_scan::{looks_like_a_part, of_parts, part_of};
pub use snapshot_piece::{read_snapshot_blocks, write_snapshot_blocks};

/// No block or snapshot is larger than this before compression. A larger length is damage.
const RAW_BYTES_MAX: usize = 1 << 31;

/// The key of a part of a block.
pub fn key(number: u64, part: u16) -> [u8; 10] {
    let mut key = [0; 10];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key[8..].copy_from_slice(&part.to_be_bytes());
    key
}

/// Preallocates keys for the blocks of these numbers.
pub fn preallocate(numbers: std::ops::Range<u64>, changes: &mut Changes) {
    for number in numbers {
        changes.set(&key(number, 0), Vec::new());
    }
}

/// The number after the last block, and the number up to which keys are preallocated.
pub fn ends(store: &Store) -> Result<(u64, u64), JournalError> {
    let (mut next, mut laid) = (1, 0);
    let (first, last) = (key(0, 0), key(u64::MAX, u16::MAX));
    store.scan_back(Tree::Journal, &first, &last, |at, value| {
        let after = at
            .first_chunk::<8>()
            .map_or(0, |number| u64::from_be_bytes(*number) + 1);
        laid = laid.max(after);
        if !value.is_empty() {
            next = after;
        }
        Ok(value.is_empty())
    })?;
    Ok((next, laid.max(next)))
}

/// Which records a block holds.
#[derive(Clone, Copy)]
struct Span {
    /// The form in which they are stored.
    form: u8,
    number: u64,
    first: u64,
    count: u32,
}

fn value(span: Span, part: u16, parts: u16, payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEADER_BYTES + payload.len());
    value.push(span.form);
    value.extend_from_slice(&span.number.to_be_bytes());
    value.extend_from_slice(&span.first.to_be_bytes());
    value.extend_from_slice(&span.count.to_be_bytes());
    value.extend_from_slice(&part.to_be_bytes());
    value.extend_from_slice(&parts.to_be_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&value);
    sum.update(payload);
    value.extend_from_slice(&sum.finalize().to_be_bytes());
    value.extend_from_slice(payload);
    value
}

/// Consecutive records that will be written into blocks.
#[derive(Clone, Copy)]
pub struct Frames<'a> {
    /// The form in which they are stored.
    pub form: u8,
    /// The order of the first record.
    pub first: u64,
    /// The frames of all records.
    pub bytes: &'a [u8],
    /// Where each of them ends in `bytes`.
    pub ends: &'a [usize],
}

/// Writes frames into blocks from `number` on. `placed` gets each record's index and block. Returns the number after
/// the last block.
pub fn write(
    mut number: u64,
    of: Frames<'_>,
    changes: &mut Changes,
    mut placed: impl FnMut(usize, u64),
) -> u64 {
    let Frames {
        form,
        first,
        bytes,
        ends,
    } = of;
    let (mut start, mut begun) = (0, 0);
    for (index, &end) in ends.iter().enumerate() {
        placed(index, number);
        let next = ends.get(index + 1).copied();
        if next.is_some_and(|next| next - start <= RECORDS_BYTES_MAX) {
            continue;
        }
        let span = Span {
            form,
            number,
            first: first + begun as u64,
            count: (index + 1 - begun) as u32,
        };
        write_one(span, &bytes[start..end], changes);
        (start, begun, number) = (end, index + 1, number + 1);
    }
    number
}

fn write_one(span: Span, records: &[u8], changes: &mut Changes) {
    let payload = compress_prepend_size(records);
    let parts = payload.len().div_ceil(PAYLOAD_BYTES_MAX) as u16;
    for (part, piece) in (0..).zip(payload.chunks(PAYLOAD_BYTES_MAX)) {
        changes.set(&key(span.number, part), value(span, part, parts, piece));
    }
}

/// Decompresses a payload.
fn expand(payload: &[u8], what: &dyn Fn() -> JournalError) -> Result<Vec<u8>, JournalError> {
    let (size, _) = payload.split_first_chunk::<4>().ok_or_else(what)?;
    if u32::from_le_bytes(*size) as usize > RAW_BYTES_MAX {
        return Err(what());
    }
    decompress_size_prepended(payload).map_err(|_| what())
}

/// A block that was read, its checksum checked.
#[derive(Debug)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// The order of its first record.
    pub first: u64,
    /// How many records there are.
    pub count: u32,
    /// In how many parts it is stored.
    pub parts: u16,
    /// The form of its records.
    pub form: u8,
    /// Compressed while the parts are read, then the records.
    payload: Vec<u8>,
}

struct BlockPart<'a> {
    span: Span,
    part: u16,
    parts: u16,
    payload: &'a [u8],
}

fn read_part<'a>(at: &[u8], value: &'a [u8]) -> Result<BlockPart<'a>, JournalError> {
    let named = at
        .first_chunk::<8>()
        .map_or(0, |number| u64::from_be_bytes(*number));
    let wrong = || damaged(&format!("block {named} of the journal fails its checksum"));
    let (header, rest) = value.split_at_checked(HEADER_BYTES - 4).ok_or_else(wrong)?;
    let (sum, payload) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
    let mut own = crc32fast::Hasher::new();
    own.update(header);
    own.update(payload);
    if own.finalize() != u32::from_be_bytes(*sum) {
        return Err(wrong());
    }
    if !(1..=FORM).contains(&header[0]) {
        return Err(JournalError::Unusable(format!(
            "block {named} of the journal is stored in form {}, and this program reads forms 1 to {FORM}: use the \
             newer program",
            header[0]
        )));
    }
    let field = |from: usize, to: usize| {
        let bytes = header[from..to].iter();
        bytes.fold(0u64, |number, &byte| (number << 8) | u64::from(byte))
    };
    let part = BlockPart {
        span: Span {
            form: header[0],
            number: field(1, 9),
            first: field(9, 17),
            count: field(17, 21) as u32,
        },
        part: field(21, 23) as u16,
        parts: field(23, 25) as u16,
        payload,
    };
    // Each piece of a snapshot has a block number of its own.
    let under = if part.span.count == 0 { 0 } else { part.part };
    if at != key(part.span.number, under) {
        return Err(damaged(&format!(
            "block {named} of the journal is stored under the key of another block"
        )));
    }
    Ok(part)
}

impl Block {
    /// Decompresses the block once all its parts are read.
    fn whole(mut self) -> Result<Block, JournalError> {
        let number = self.number;
        let wrong = || {
            damaged(&format!(
                "block {number} of the journal cannot be decompressed"
            ))
        };
        self.payload = expand(&self.payload, &wrong)?;
        Ok(self)
    }

    /// The order after its last record.
    pub fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// The size of its records in bytes.
    pub fn bytes(&self) -> usize {
        self.payload.len()
    }

    /// Gives each record's order and body, its checksum checked, as long as `each` returns true.
    pub fn each(
        &self,
        mut each: impl FnMut(u64, &[u8]) -> Result<bool, JournalError>,
    ) -> Result<(), JournalError> {
        let mut rest = self.payload.as_slice();
        for order in self.first..self.end() {
            let (body, after) = record::split(rest, order)?;
            if !each(order, body)? {
                return Ok(());
            }
            rest = after;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err(damaged(&format!(
                "the block of record {} is longer than its records",
                self.first
            )))
        }
    }

    /// Gives each record, as long as `each` returns true.
    pub fn records(
        &self,
        mut each: impl FnMut(Record) -> Result<bool, JournalError>,
    ) -> Result<(), JournalError> {
        self.each(|order, body| each(record::read(self.form, body, order)?))
    }

    /// The frames of its records, and where each ends.
    pub fn frames(&self) -> Result<(&[u8], Vec<usize>), JournalError> {
        let (mut ends, mut end) = (Vec::new(), 0);
        self.each(|_, body| {
            end += body.len() + record::FRAME_BYTES;
            ends.push(end);
            Ok(true)
        })?;
        Ok((&self.payload, ends))
    }
}

/// Reads blocks in order from a number on, as long as `each` returns true. A last block with missing parts was never
/// acknowledged: it is left out, and `torn` gets its number.
pub fn scan(
    store: &Store,
    from: u64,
    torn: &mut dyn FnMut(u64),
    mut each: impl FnMut(Block) -> Result<bool, JournalError>,
) -> Result<(), JournalError> {
    let mut open: Option<Block> = None;
    let mut stopped = false;
    let mut have = 0;
    let lacks = |number: u64| damaged(&format!("block {number} of the journal lacks a part"));
    store.scan(Tree::Journal, &key(from, 0), |at, value| {
        if value.is_empty() {
            // Preallocated, not used yet.
            return Ok(open.is_none());
        }
        let part = read_part(at, value)?;
        let span = part.span;
        if span.count == 0 && open.is_none() {
            // A piece of a snapshot.
            return Ok(true);
        }
        match &mut open {
            None if part.part == 0 => {
                open = Some(Block {
                    number: span.number,
                    first: span.first,
                    count: span.count,
                    parts: part.parts,
                    form: span.form,
                    payload: part.payload.to_vec(),
                });
                have = 1;
            }
            Some(block) if block.number == span.number && part.part == have => {
                block.payload.extend_from_slice(part.payload);
                have += 1;
            }
            Some(block) => return Err(lacks(block.number)),
            None => return Err(lacks(span.number)),
        }
        if let Some(block) = open.take_if(|block| block.parts == have) {
            stopped = !each(block.whole()?)?;
        }
        Ok(!stopped)
    })?;
    if let Some(block) = open {
        torn(block.number);
    }
    Ok(())
}

/// The block that holds the records written under this number. It may have been merged into an earlier one.
pub fn holding(store: &Store, number: u64) -> Result<Block, JournalError> {
    let missing = || damaged(&format!("block {number} is missing from the journal"));
    let (at, value) = store
        .last_at(Tree::Journal, &key(number, u16::MAX))?
        .ok_or_else(missing)?;
    let last = read_part(&at, &value)?;
    let span = last.span;
    let mut payload = Vec::new();
    for part in 0..last.part {
        let at = key(span.number, part);
        let value = store.get(Tree::Journal, &at)?.ok_or_else(missing)?;
        payload.extend_from_slice(read_part(&at, &value)?.payload);
    }
    payload.extend_from_slice(last.payload);
    if last.part + 1 != last.parts || span.count == 0 {
        return Err(missing());
    }
    let block = Block {
        number: span.number,
        first: span.first,
        count: span.count,
        parts: last.parts,
        form: span.form,
        payload,
    };
    block.whole()
}
