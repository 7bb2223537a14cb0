//! A shop in memory, and its place in the journal.

use crate::domain::state::shop::Shop;
use crate::journal::FencingToken;

/// A shop that is awake, and its place in the journal.
pub(super) struct LiveShop {
    pub(super) shop: Box<Shop>,
    pub(super) owner: FencingToken,
    /// How many records it has.
    pub(super) n: u64,
    /// How many of them its stored state has not taken in, and their bytes.
    pub(super) fresh: SinceSnapshot,
    /// The bytes of its stored state.
    pub(super) state_bytes: usize,
}

/// What came after the stored state.
#[derive(Clone, Copy, Default)]
pub(super) struct SinceSnapshot {
    pub(super) records: u64,
    pub(super) bytes: usize,
}
