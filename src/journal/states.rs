//! Stored states: the latest of every shop and some older ones, from which decisions can be explained; and heads, what
//! is known of a shop without its state.

use serde::{Deserialize, Serialize};

use super::store::{Changes, Store, Tree, VALUE_BYTES_MAX, damaged};
use super::tail::{sealed, unsealed};
use super::{JournalError, State};
use crate::domain::id::Id;

/// An older state is kept where so many records lie between it and the one kept before: as many are decided again at
/// most to explain one decision.
pub const KEPT_EVERY: u64 = 1024;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 1 + 4 + 4;
const PAYLOAD_BYTES_MAX: usize = VALUE_BYTES_MAX - HEADER_BYTES;

/// What is known of a shop without its state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its id.
    pub id: String,
    /// The last of its records that are in the index.
    pub n: u64,
    /// The last record that the latest state has taken in; 0 where there is none.
    pub state_n: u64,
    /// The shop's `seq` then.
    pub state_seq: u64,
    /// That record's order; where there is no state, the order before the shop's first record.
    pub state_order: u64,
    /// When the shop wants to be woken, in milliseconds since 1970, as of the latest state.
    pub due_ms: Option<i64>,
    /// Older states that are kept: `n`, `seq`, order.
    pub kept: Vec<(u64, u64, u64)>,
}

/// The key of a head.
pub fn head_key(shop: u64) -> [u8; 8] {
    shop.to_be_bytes()
}

/// A shop's head; the default where it has none yet.
pub fn head(store: &Store, shop: u64) -> Result<Head, JournalError> {
    match store.get(Tree::Heads, &head_key(shop))? {
        Some(value) => read_head(shop, &value),
        None => Ok(Head::default()),
    }
}

/// Reads a head.
pub fn read_head(shop: u64, value: &[u8]) -> Result<Head, JournalError> {
    unsealed(value, &format!("what is known of shop {shop}"))
}

/// Writes a head.
pub fn write_head(shop: u64, head: &Head, changes: &mut Changes) {
    changes.set(&head_key(shop), sealed(head));
}

/// The number of the shop of this id.
pub fn number_of(store: &Store, shop: &Id) -> Result<Option<u64>, JournalError> {
    let Some(value) = store.get(Tree::Names, shop.as_bytes())? else {
        return Ok(None);
    };
    read_name(shop, &value).map(Some)
}

/// Reads a shop's number.
pub fn read_name(shop: &str, value: &[u8]) -> Result<u64, JournalError> {
    unsealed(value, &format!("the name {shop:?}"))
}

/// Writes a shop's number.
pub fn write_name(shop: &Id, number: u64, changes: &mut Changes) {
    changes.set(shop.as_bytes(), sealed(&number));
}

/// The key of a part of a state.
pub fn key(shop: u64, n: u64, part: u32) -> [u8; 20] {
    let mut key = [0; 20];
    key[..8].copy_from_slice(&shop.to_be_bytes());
    key[8..16].copy_from_slice(&n.to_be_bytes());
    key[16..].copy_from_slice(&part.to_be_bytes());
    key
}

/// Puts bytes into parts; `key` gives each part's.
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

/// Reads what was put into parts; `what` it is stands in the error.
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

/// A stored state of a shop.
pub fn read(store: &Store, shop: u64, n: u64, seq: u64) -> Result<State, JournalError> {
    let what = format!("the state of shop {shop} at its record {n}");
    let bytes = read_parts(store, Tree::States, |part| key(shop, n, part), &what)?;
    Ok(State { n, seq, bytes })
}

/// Removes a state, all its parts.
pub fn remove(store: &Store, shop: u64, n: u64, changes: &mut Changes) -> Result<(), JournalError> {
    let prefix = key(shop, n, 0);
    store.scan(Tree::States, &prefix, |at, _| {
        let of_it = at.starts_with(&prefix[..16]);
        if of_it {
            changes.remove(at);
        }
        Ok(of_it)
    })
}

/// Keeps a state, with the head that names it: an older one goes, unless it is one of those that are kept.
pub fn put(
    store: &Store,
    shop: u64,
    state: &State,
    order: u64,
    head: &mut Head,
    changes: &mut Changes,
) -> Result<(), JournalError> {
    let old = (head.state_n, head.state_seq, head.state_order);
    let kept = head.kept.last().map_or(0, |kept| kept.0);
    if old.0 > 0 && old.0 != state.n {
        if old.0 >= kept + KEPT_EVERY {
            head.kept.push(old);
        } else {
            remove(store, shop, old.0, changes)?;
        }
    }
    write_parts(&state.bytes, |part| key(shop, state.n, part), changes);
    (head.state_n, head.state_seq, head.state_order) = (state.n, state.seq, order);
    Ok(())
}
