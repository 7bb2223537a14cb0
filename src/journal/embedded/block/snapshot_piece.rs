//! Snapshots in blocks: one piece in each block, numbered in order with the blocks of records.

use lz4_flex::block::compress_prepend_size;

use super::{
    Changes, FORM, PAYLOAD_BYTES_MAX, Span, Store, Tree, damaged, expand, key, read_part, value,
};
use crate::journal::JournalError;

/// Writes a snapshot into blocks of its own from `number` on. In their headers the shop takes the place of the first
/// order, and the count of records is 0. Returns how many blocks it takes.
pub fn write_snapshot_blocks(number: u64, shop: u64, bytes: &[u8], changes: &mut Changes) -> u16 {
    let payload = compress_prepend_size(bytes);
    let pieces = payload.len().div_ceil(PAYLOAD_BYTES_MAX) as u16;
    for (piece, payload) in (0..).zip(payload.chunks(PAYLOAD_BYTES_MAX)) {
        let span = Span {
            form: FORM,
            number: number + u64::from(piece),
            first: shop,
            count: 0,
        };
        changes.set(&key(span.number, 0), value(span, piece, pieces, payload));
    }
    pieces
}

/// Reads the snapshot of a shop that begins in this block.
pub fn read_snapshot_blocks(
    store: &Store,
    number: u64,
    shop: u64,
) -> Result<Vec<u8>, JournalError> {
    let wrong = || {
        damaged(&format!(
            "the snapshot of shop {shop} in block {number} is incomplete"
        ))
    };
    let (mut bytes, mut piece, mut pieces) = (Vec::new(), 0, 1);
    while piece < pieces {
        let at = key(number + u64::from(piece), 0);
        let value = store.get(Tree::Journal, &at)?.ok_or_else(wrong)?;
        let part = read_part(&at, &value)?;
        if part.span.count != 0 || part.span.first != shop || part.part != piece {
            return Err(wrong());
        }
        bytes.extend_from_slice(part.payload);
        (piece, pieces) = (piece + 1, part.parts);
    }
    expand(&bytes, &wrong)
}
