//! Deletion of a shop, in two steps.
//!
//! The record of the deletion also removes the shop's name and its metadata ([`Removal`]). The next checkpoint removes
//! its header, its snapshots and its index ([`remove_remains`]): there may be many, and a backup in progress must find
//! the snapshots that its headers name.
//!
//! The record of the deletion comes first in the store's log. So the next start reads it and repeats whatever a crash
//! has interrupted.

use super::store::{Changes, Store, Tree};
use super::{shop_metadata, snapshots};
use crate::domain::base::id::Id;
use crate::journal::JournalError;

/// The changes that go with the records of deletions.
#[derive(Default)]
pub struct Removal {
    names: Changes,
    kept: Changes,
    any: bool,
}

impl Removal {
    /// Adds a shop. Its name is removed unless it leads to a newer shop.
    pub fn add(&mut self, store: &Store, shop: u64, id: Option<&Id>) -> Result<(), JournalError> {
        if let Some(id) = id
            && snapshots::number_of(store, id)? == Some(shop)
        {
            self.names.remove(id.as_bytes());
        }
        shop_metadata::remove_all(store, shop, &mut self.kept)?;
        self.any = true;
        Ok(())
    }

    /// Applies the changes. They are durable after the next sync.
    pub fn apply(self, store: &Store) -> Result<(), JournalError> {
        if !self.any {
            return Ok(());
        }
        store.apply(Tree::Names, self.names)?;
        store.apply(Tree::Metadata, self.kept)
    }
}

/// Removes everything that is left of a deleted shop. No backup is copied meanwhile.
pub fn remove_remains(store: &Store, shop: u64) -> Result<(), JournalError> {
    remove_index(store, shop)?;
    // Metadata that was written after the deletion.
    let mut kept = Changes::default();
    shop_metadata::remove_all(store, shop, &mut kept)?;
    store.apply(Tree::Metadata, kept)?;
    let header = snapshots::header(store, shop)?;
    let (mut journal, mut headers) = (Changes::default(), Changes::default());
    for state in header.kept.into_iter().chain(header.state) {
        snapshots::remove(state, &mut journal);
    }
    headers.remove(&snapshots::header_key(shop));
    // The header is removed first: once its snapshots are gone, the next start may reuse the numbers of their blocks.
    store.apply(Tree::Headers, headers)?;
    store.apply(Tree::Journal, journal)
}

/// Removes the index of a shop.
pub fn remove_index(store: &Store, shop: u64) -> Result<(), JournalError> {
    let mut changes = Changes::default();
    let prefix = shop.to_be_bytes();
    store.scan(Tree::Index, &prefix, |at, _| {
        let of_it = at.starts_with(&prefix);
        if of_it {
            changes.remove(at);
        }
        Ok(of_it)
    })?;
    store.apply(Tree::Index, changes)
}
