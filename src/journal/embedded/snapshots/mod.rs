//! Snapshots: the latest of every shop, and some older ones from which decisions are explained. A header says where
//! they are, and holds what is known of a shop without its snapshot.

mod shop_header_forms;

use std::collections::HashMap;

use super::block;
use super::checksummed::{decode, encode};
use super::record_index::DueChange;
use super::store::{Changes, Store, Tree, VALUE_BYTES_MAX};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::journal::error::damaged;
use crate::journal::{JournalError, Snapshot};

/// How many records lie between two older snapshots. At most so many are replayed to explain one decision.
pub const KEPT_EVERY: u64 = 1024;

/// The form of the number behind a name.
const NAME_FORM: u8 = 1;

/// The form of parts.
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 1 + 4 + 4;
const PAYLOAD_BYTES_MAX: usize = VALUE_BYTES_MAX - HEADER_BYTES;

/// Where a snapshot is stored, and which record it includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotLocation {
    /// The last record that it includes.
    pub n: u64,
    /// The shop's `seq` after that record.
    pub seq: u64,
    /// That record's order.
    pub order: u64,
    /// The block in which it begins.
    pub block: u64,
    /// How many blocks it takes.
    pub pieces: u16,
}

/// What is known of a shop without its snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// Its id.
    pub id: String,
    /// The last of its records that are in the index.
    pub n: u64,
    /// The order before the shop's first record.
    pub before_first: u64,
    /// The latest snapshot.
    pub state: Option<SnapshotLocation>,
    /// The shop's next timer, in milliseconds since 1970.
    pub due_ms: Option<i64>,
    /// The record after which the timer was so.
    pub due_n: u64,
    /// Older snapshots, oldest first.
    pub kept: Vec<SnapshotLocation>,
}

impl SnapshotHeader {
    /// The last record that the latest snapshot includes; 0 where there is none.
    pub fn snapshot_n(&self) -> u64 {
        self.state.map_or(0, |state| state.n)
    }

    /// The `seq` of the latest snapshot; 0 where there is none.
    pub fn snapshot_seq(&self) -> u64 {
        self.state.map_or(0, |state| state.seq)
    }

    /// What is known of the shop's next timer.
    pub fn due(&self) -> DueChange {
        if self.due_n < self.n.max(self.snapshot_n()) {
            return DueChange::Unknown;
        }
        DueChange::Known(self.due_ms.map(Instant::from_ms))
    }

    /// The shop's next timer after its record `n`, where it is known.
    pub fn set_due(&mut self, n: u64, due: DueChange) {
        if let DueChange::Known(due) = due {
            self.due_ms = due.map(Instant::ms);
            self.due_n = n;
        }
    }

    /// Records up to this order are not needed for the shop's recovery.
    pub fn not_needed(&self) -> u64 {
        self.state.map_or(self.before_first, |state| state.order)
    }
}

/// The key of a header.
pub fn header_key(shop: u64) -> [u8; 8] {
    shop.to_be_bytes()
}

/// A shop's header; the default where it has none yet.
pub fn header(store: &Store, shop: u64) -> Result<SnapshotHeader, JournalError> {
    match store.get(Tree::Headers, &header_key(shop))? {
        Some(value) => read_header(shop, &value),
        None => Ok(SnapshotHeader::default()),
    }
}

/// Reads a header.
pub fn read_header(shop: u64, value: &[u8]) -> Result<SnapshotHeader, JournalError> {
    shop_header_forms::read(value, &format!("the header of shop {shop}"))
}

/// The shop of a header's key.
pub fn shop_of(key: &[u8]) -> u64 {
    key.first_chunk()
        .map_or(0, |number| u64::from_be_bytes(*number))
}

/// Writes a header.
pub fn write_header(shop: u64, header: &SnapshotHeader, changes: &mut Changes) {
    changes.set(&header_key(shop), shop_header_forms::write(header));
}

/// The number of the shop of this id.
pub fn number_of(store: &Store, shop: &Id) -> Result<Option<u64>, JournalError> {
    let Some(value) = store.get(Tree::Names, shop.as_bytes())? else {
        return Ok(None);
    };
    read_name(shop, &value).map(Some)
}

/// The ids of all shops, by number.
pub fn names(store: &Store) -> Result<HashMap<u64, Id>, JournalError> {
    let mut names = HashMap::new();
    store.scan(Tree::Names, b"", |name, value| {
        let id = std::str::from_utf8(name).ok().and_then(Id::new);
        let id = id.ok_or_else(|| damaged("the name of a shop is not an id"))?;
        names.insert(read_name(&id, value)?, id);
        Ok(true)
    })?;
    Ok(names)
}

/// Reads a shop's number.
pub fn read_name(shop: &str, value: &[u8]) -> Result<u64, JournalError> {
    decode(value, &format!("the name {shop:?}"))?.read_form_1()
}

/// Writes a shop's number.
pub fn write_name(shop: &Id, number: u64, changes: &mut Changes) {
    changes.set(shop.as_bytes(), encode(NAME_FORM, &number));
}

/// Splits bytes into parts; `key` gives the key of each part.
pub fn write_parts<K: AsRef<[u8]>>(bytes: &[u8], key: impl Fn(u32) -> K, changes: &mut Changes) {
    let parts = bytes.len().div_ceil(PAYLOAD_BYTES_MAX).max(1) as u32;
    for part in 0..parts {
        let from = part as usize * PAYLOAD_BYTES_MAX;
        let piece = &bytes[from..bytes.len().min(from + PAYLOAD_BYTES_MAX)];
        let mut value = Vec::with_capacity(HEADER_BYTES + piece.len());
        value.push(VERSION);
        value.extend_from_slice(&parts.to_be_bytes());
        let mut sum = crc32fast::Hasher::new();
        sum.update(&value);
        sum.update(piece);
        value.extend_from_slice(&sum.finalize().to_be_bytes());
        value.extend_from_slice(piece);
        changes.set(key(part).as_ref(), value);
    }
}

/// Reads what was split into parts; `what` names it in errors.
pub fn read_parts<K: AsRef<[u8]>>(
    store: &Store,
    tree: Tree,
    key: impl Fn(u32) -> K,
    what: &str,
) -> Result<Vec<u8>, JournalError> {
    let wrong = || damaged(&format!("{what} is cut off or fails its checksum"));
    let (mut bytes, mut part, mut parts) = (Vec::new(), 0, 1);
    while part < parts {
        let value = store.get(tree, key(part).as_ref())?.ok_or_else(wrong)?;
        let (header, rest) = value.split_at_checked(5).ok_or_else(wrong)?;
        let (sum, piece) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
        let mut own = crc32fast::Hasher::new();
        own.update(header);
        own.update(piece);
        if own.finalize() != u32::from_be_bytes(*sum) || header[0] != VERSION {
            return Err(wrong());
        }
        parts = header[1..]
            .iter()
            .fold(0u32, |n, &byte| (n << 8) | u32::from(byte));
        bytes.extend_from_slice(piece);
        part += 1;
    }
    Ok(bytes)
}

/// Reads a snapshot of a shop.
pub fn read(store: &Store, shop: u64, at: SnapshotLocation) -> Result<Snapshot, JournalError> {
    Ok(Snapshot {
        n: at.n,
        seq: at.seq,
        bytes: block::read_snapshot_blocks(store, at.block, shop)?,
    })
}

/// Removes the blocks of a snapshot.
pub fn remove(at: SnapshotLocation, journal: &mut Changes) {
    for number in at.block..at.block + u64::from(at.pieces) {
        journal.remove(&block::key(number, 0));
    }
}

/// Makes `state` the latest snapshot. The one before is removed, unless it is one of the older ones to be stored.
/// `gone` must be applied after the header is written.
pub fn replace_latest(header: &mut SnapshotHeader, state: SnapshotLocation, gone: &mut Changes) {
    let kept = header.kept.last().map_or(0, |kept| kept.n);
    match header.state.replace(state) {
        Some(old) if old.n >= kept + KEPT_EVERY && old.n < state.n => header.kept.push(old),
        Some(old) => remove(old, gone),
        None => {}
    }
}
