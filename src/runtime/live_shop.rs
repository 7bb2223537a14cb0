//! A loaded shop and its position in the journal.

use crate::domain::state::shop::Shop;
use crate::journal::FencingToken;

/// A loaded shop and its position in the journal.
pub(super) struct LiveShop {
    pub(super) shop: Box<Shop>,
    pub(super) owner: FencingToken,
    /// The number of its records.
    pub(super) n: u64,
    /// The records after its latest snapshot: their number and bytes.
    pub(super) fresh: SinceSnapshot,
    /// The length of its latest snapshot, in bytes.
    pub(super) state_bytes: usize,
}

/// The records after the latest snapshot.
#[derive(Clone, Copy, Default)]
pub(super) struct SinceSnapshot {
    pub(super) records: u64,
    pub(super) bytes: usize,
}
