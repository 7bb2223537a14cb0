//! Metadata of shops for other modules (webhook cursors, leases): small values under names, durable in the order of
//! the calls, deleted with the shop. The store and the file `mark` count the commits that changed metadata, so that a
//! lost end is noticed.

use std::sync::atomic::Ordering;

use serde::{Deserialize, Serialize};

use super::append_queue::MetadataWrite;
use super::checksummed::{decode, encode};
use super::core::Core;
use super::offline_lookup;
use super::snapshots;
use super::store::{Changes, Store, Tree, VALUE_BYTES_MAX};
use crate::domain::base::id::Id;
use crate::journal::{JournalError, MetadataEntry, OnDurable};

/// The longest value, in bytes.
pub const METADATA_BYTES_MAX: usize = VALUE_BYTES_MAX / 2;

/// The form of values and of the count.
const FORM: u8 = 1;

/// The stored form.
#[derive(Serialize, Deserialize)]
struct StoredMetadata {
    shop: String,
    value: Vec<u8>,
}

/// The key of the count, which belongs to no shop: their numbers begin with 1.
const COUNT: [u8; 8] = [0; 8];

/// How many commits changed metadata.
pub fn count(store: &Store) -> Result<u32, JournalError> {
    let count = store.get(Tree::Metadata, &COUNT)?;
    let count = count.map(|value| decode(&value, "the count of metadata commits")?.read_form_1());
    Ok(count.transpose()?.unwrap_or(0))
}

/// The key of a value.
pub fn key(shop: u64, name: &str) -> Vec<u8> {
    [&shop.to_be_bytes(), name.as_bytes()].concat()
}

/// A value in its stored form.
pub fn write(shop: &Id, value: Vec<u8>) -> Vec<u8> {
    let shop = shop.to_string();
    encode(FORM, &StoredMetadata { shop, value })
}

/// Reads a pair of a tree where it is metadata of a shop.
pub fn read_of(
    tree: Tree,
    key: &[u8],
    value: &[u8],
) -> Result<Option<(u64, MetadataEntry)>, JournalError> {
    if tree != Tree::Metadata || key == COUNT {
        return Ok(None);
    }
    read(key, value).map(Some)
}

fn read(key: &[u8], value: &[u8]) -> Result<(u64, MetadataEntry), JournalError> {
    let stored: StoredMetadata = decode(value, "a metadata value")?.read_form_1()?;
    let wrong = || crate::journal::error::damaged("a metadata value has no shop or no name");
    let (shop, name) = key.split_first_chunk::<8>().ok_or_else(wrong)?;
    let kept = MetadataEntry {
        shop: Id::new(&stored.shop).ok_or_else(wrong)?,
        name: String::from_utf8(name.to_vec()).map_err(|_| wrong())?,
        value: stored.value,
    };
    Ok((u64::from_be_bytes(*shop), kept))
}

/// Reads all metadata, with the numbers of the shops.
pub fn scan(
    store: &Store,
    each: &mut dyn FnMut(u64, MetadataEntry) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    store.scan(Tree::Metadata, &1u64.to_be_bytes(), |at, value| {
        let (shop, kept) = read(at, value)?;
        each(shop, kept).map(|()| true)
    })
}

/// Removes all metadata of a shop.
pub fn remove_all(store: &Store, shop: u64, changes: &mut Changes) -> Result<(), JournalError> {
    store.scan(Tree::Metadata, &shop.to_be_bytes(), |at, _| {
        let of_it = at.starts_with(&shop.to_be_bytes());
        if of_it {
            changes.remove(at);
        }
        Ok(of_it)
    })
}

/// Puts a change of metadata into the next commit. Returns whether the shop exists.
pub(super) fn enqueue(
    core: &Core,
    shop: &Id,
    name: &str,
    value: Option<Vec<u8>>,
    done: Option<OnDurable>,
) -> Result<bool, JournalError> {
    let too_long = value
        .as_ref()
        .is_some_and(|value| value.len() > METADATA_BYTES_MAX);
    if too_long {
        let what = format!("{name} of shop {shop:?} is longer than {METADATA_BYTES_MAX} bytes");
        return Err(JournalError::Failed(what));
    }
    let Some(number) = offline_lookup::number(core, shop)? else {
        return Ok(false);
    };
    let value = value.map(|value| write(shop, value));
    let mut queue = core.queue.lock();
    queue.next.metadata.push(MetadataWrite {
        key: key(number, name),
        value,
    });
    queue.next.callbacks.extend(done);
    drop(queue);
    core.appended.notify_one();
    Ok(true)
}

/// Writes changes of metadata. Returns the new count, where there were any.
pub(super) fn write_all(
    core: &Core,
    writes: Vec<MetadataWrite>,
) -> Result<Option<u32>, JournalError> {
    if writes.is_empty() {
        return Ok(None);
    }
    let mut changes = Changes::default();
    let count = core
        .metadata_commits
        .load(Ordering::Relaxed)
        .wrapping_add(1);
    core.metadata_commits.store(count, Ordering::Relaxed);
    changes.set(&COUNT, encode(FORM, &count));
    for MetadataWrite { key, value } in writes {
        match value {
            Some(value) => changes.set(&key, value),
            None => changes.remove(&key),
        }
    }
    core.store.apply(Tree::Metadata, changes)?;
    Ok(Some(count))
}

/// All metadata of shops that exist.
pub(super) fn each_entry(
    core: &Core,
    each: &mut dyn FnMut(MetadataEntry),
) -> Result<(), JournalError> {
    scan(&core.store, &mut |shop, kept| {
        // Metadata that was written during the deletion of its shop is ignored.
        if snapshots::number_of(&core.store, &kept.shop)? == Some(shop) {
            each(kept);
        }
        Ok(())
    })
}
