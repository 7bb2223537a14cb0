//! A block: records in a row under one key, or one record that is too large for a key, in parts.
//!
//! Stored form, version 1: version, first order, number of records, part, parts, checksum of these and the payload,
//! payload. The key is the first order and the part, so that the last block at or before an order holds it.

use super::JournalError;
use super::record;
use super::store::{Changes, Store, Tree, VALUE_BYTES_MAX, damaged};

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 1 + 8 + 4 + 2 + 2 + 4;
/// The most that records of one block take, but for a record that is larger alone.
pub const PAYLOAD_BYTES_MAX: usize = VALUE_BYTES_MAX - HEADER_BYTES;

/// The key of a part.
pub fn key(order: u64, part: u16) -> [u8; 10] {
    let mut key = [0; 10];
    key[..8].copy_from_slice(&order.to_be_bytes());
    key[8..].copy_from_slice(&part.to_be_bytes());
    key
}

fn value(first: u64, count: u32, part: u16, parts: u16, payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEADER_BYTES + payload.len());
    value.push(VERSION);
    value.extend_from_slice(&first.to_be_bytes());
    value.extend_from_slice(&count.to_be_bytes());
    value.extend_from_slice(&part.to_be_bytes());
    value.extend_from_slice(&parts.to_be_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&value);
    sum.update(payload);
    value.extend_from_slice(&sum.finalize().to_be_bytes());
    value.extend_from_slice(payload);
    value
}

/// Puts frames that follow each other into blocks: `ends` are where each of them ends in `frames`.
pub fn write(first: u64, frames: &[u8], ends: &[usize], changes: &mut Changes) {
    let (mut start, mut begun) = (0, 0);
    for (index, &end) in ends.iter().enumerate() {
        let next = ends.get(index + 1).copied();
        if next.is_some_and(|next| next - start <= PAYLOAD_BYTES_MAX) {
            continue;
        }
        let count = (index + 1 - begun) as u32;
        write_one(first + begun as u64, count, &frames[start..end], changes);
        (start, begun) = (end, index + 1);
    }
}

fn write_one(first: u64, count: u32, payload: &[u8], changes: &mut Changes) {
    let parts = payload.len().div_ceil(PAYLOAD_BYTES_MAX) as u16;
    for (part, piece) in (0..).zip(payload.chunks(PAYLOAD_BYTES_MAX)) {
        changes.set(&key(first, part), value(first, count, part, parts, piece));
    }
}

/// A block as it was read, its checksum checked.
#[derive(Debug)]
pub struct Block {
    /// The order of its first record.
    pub first: u64,
    /// How many there are.
    pub count: u32,
    /// In how many parts it is stored.
    pub parts: u16,
    payload: Vec<u8>,
}

struct Part<'a> {
    first: u64,
    count: u32,
    part: u16,
    parts: u16,
    payload: &'a [u8],
}

fn read_part<'a>(at: &[u8], value: &'a [u8]) -> Result<Part<'a>, JournalError> {
    let named = at
        .first_chunk::<8>()
        .map_or(0, |order| u64::from_be_bytes(*order));
    let wrong = || damaged(&format!("the block of record {named} fails its checksum"));
    let (header, rest) = value.split_at_checked(HEADER_BYTES - 4).ok_or_else(wrong)?;
    let (sum, payload) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
    let mut own = crc32fast::Hasher::new();
    own.update(header);
    own.update(payload);
    if own.finalize() != u32::from_be_bytes(*sum) {
        return Err(wrong());
    }
    if header[0] != VERSION {
        return Err(JournalError::Unusable(format!(
            "the block of record {named} is of version {}, which this program does not know: use the newer program",
            header[0]
        )));
    }
    let number = |from: usize, to: usize| {
        let bytes = header[from..to].iter();
        bytes.fold(0u64, |number, &byte| (number << 8) | u64::from(byte))
    };
    let part = Part {
        first: number(1, 9),
        count: number(9, 13) as u32,
        part: number(13, 15) as u16,
        parts: number(15, 17) as u16,
        payload,
    };
    if at != key(part.first, part.part) {
        return Err(damaged(&format!(
            "the block of record {named} stands in another's place"
        )));
    }
    Ok(part)
}

impl Block {
    /// The order after its last record.
    pub fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// How many bytes its records take.
    pub fn bytes(&self) -> usize {
        self.payload.len()
    }

    /// Gives each record's order and body, its checksum checked, as long as `each` says so.
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

/// Reads blocks in order from the one that begins at `from` on, as long as `each` says so. A last block whose parts
/// are not all there was never acknowledged: `torn` gets its order, and it is left out.
pub fn scan(
    store: &Store,
    from: u64,
    torn: &mut dyn FnMut(u64),
    mut each: impl FnMut(Block) -> Result<bool, JournalError>,
) -> Result<(), JournalError> {
    let mut open: Option<Block> = None;
    let mut stopped = false;
    let mut have = 0;
    store.scan(Tree::Journal, &key(from, 0), |at, value| {
        let part = read_part(at, value)?;
        if part.part == 0 {
            if let Some(block) = &open {
                return Err(damaged(&format!(
                    "the block of record {} lacks a part",
                    block.first
                )));
            }
            open = Some(Block {
                first: part.first,
                count: part.count,
                parts: part.parts,
                payload: part.payload.to_vec(),
            });
            have = 1;
        } else {
            match &mut open {
                Some(block) if block.first == part.first && part.part == have => {
                    block.payload.extend_from_slice(part.payload);
                    have += 1;
                }
                Some(_) | None => {
                    return Err(damaged(&format!(
                        "the block of record {} lacks a part",
                        part.first
                    )));
                }
            }
        }
        if let Some(block) = open.take_if(|block| block.parts == have) {
            stopped = !each(block)?;
        }
        Ok(!stopped)
    })?;
    if let Some(block) = open {
        torn(block.first);
    }
    Ok(())
}

/// The block that holds the record of this order.
pub fn holding(store: &Store, order: u64) -> Result<Block, JournalError> {
    let missing = || damaged(&format!("record {order} is missing from the journal"));
    let (at, value) = store
        .last_at(Tree::Journal, &key(order, u16::MAX))?
        .ok_or_else(missing)?;
    let last = read_part(&at, &value)?;
    let mut payload = Vec::new();
    for part in 0..last.part {
        let at = key(last.first, part);
        let value = store.get(Tree::Journal, &at)?.ok_or_else(missing)?;
        payload.extend_from_slice(read_part(&at, &value)?.payload);
    }
    payload.extend_from_slice(last.payload);
    let block = Block {
        first: last.first,
        count: last.count,
        parts: last.parts,
        payload,
    };
    if last.part + 1 != last.parts || block.end() <= order {
        return Err(missing());
    }
    Ok(block)
}
