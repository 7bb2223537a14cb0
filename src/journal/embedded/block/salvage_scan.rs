//! Parts of blocks that are found without the store, for salvage.

use super::{Block, damaged, key, read_part};
use crate::journal::JournalError;
use crate::journal::record::FORM;

/// The header of a part of a block, its checksum checked.
pub struct PartOf {
    /// The number of the block.
    pub number: u64,
    /// The order of its first record.
    pub first: u64,
    /// How many records it holds; 0 for a piece of a snapshot.
    pub count: u32,
    /// The number of this part, from 0.
    pub part: u16,
    /// How many parts there are.
    pub parts: u16,
}

/// Whether bytes may begin a part of a block: a quick check before the checksum.
pub fn looks_like_a_part(bytes: &[u8]) -> bool {
    let small = |from: usize| bytes.get(from).is_some_and(|&byte| byte == 0);
    // No journal has 2^48 blocks or records, and no block 2^24 records.
    let form = bytes.first().is_some_and(|form| (1..=FORM).contains(form));
    form && small(1) && small(2) && small(9) && small(10) && small(17)
}

/// Reads a value that may be a part of a block.
pub fn part_of(value: &[u8]) -> Option<PartOf> {
    let number = value.get(1..9)?.first_chunk::<8>()?;
    let part = u16::from_be_bytes(*value.get(21..23)?.first_chunk::<2>()?);
    let read = read_part(&key(u64::from_be_bytes(*number), part), value).ok()?;
    Some(PartOf {
        number: read.span.number,
        first: read.span.first,
        count: read.span.count,
        part: read.part,
        parts: read.parts,
    })
}

/// The block of these parts, which must be complete and in order.
pub fn of_parts(values: &[Vec<u8>]) -> Result<Block, JournalError> {
    let mut payload = Vec::new();
    let mut last = None;
    for value in values {
        let of = part_of(value).ok_or_else(|| damaged("a part of a block is damaged"))?;
        let part = read_part(&key(of.number, of.part), value)?;
        payload.extend_from_slice(part.payload);
        last = Some((part.span, part.parts));
    }
    let (span, parts) = last.ok_or_else(|| damaged("a block has no parts"))?;
    let block = Block {
        number: span.number,
        first: span.first,
        count: span.count,
        parts,
        form: span.form,
        payload,
    };
    block.whole()
}
