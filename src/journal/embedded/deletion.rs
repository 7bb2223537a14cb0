//! What is taken away with a shop, in two steps, so that a deletion is whole.
//!
//! With the record of the deletion go the shop's name and what other modules keep of it ([`Removal`]). Its head, its states
//! and its places in the index go at the next checkpoint ([`bury`]): there may be many, and a backup that is being
//! copied meanwhile has to find the states that its heads name.
//!
//! The record of the deletion comes before all of this in the store's log. So whatever of it a crash has left is taken
//! away again when the record is read at the next start.

use super::store::{Changes, Store, Tree};
use super::{metadata, snapshots};
use crate::domain::base::id::Id;
use crate::journal::JournalError;

/// Changes that take shops away, as far as they go with the records of the deletions.
#[derive(Default)]
pub struct Removal {
    names: Changes,
    kept: Changes,
    any: bool,
}

impl Removal {
    /// Adds a shop. Its name goes unless it leads to another shop by now.
    pub fn add(&mut self, store: &Store, shop: u64, id: Option<&Id>) -> Result<(), JournalError> {
        if let Some(id) = id
            && snapshots::number_of(store, id)? == Some(shop)
        {
            self.names.remove(id.as_bytes());
        }
        metadata::remove_all(store, shop, &mut self.kept)?;
        self.any = true;
        Ok(())
    }

    /// Makes the changes; nothing of them is durable before the store is synced.
    pub fn apply(self, store: &Store) -> Result<(), JournalError> {
        if !self.any {
            return Ok(());
        }
        store.apply(Tree::Names, self.names)?;
        store.apply(Tree::Kept, self.kept)
    }
}

/// Takes away all that is left of a shop whose name is gone. While it runs, no backup is copied.
pub fn bury(store: &Store, shop: u64) -> Result<(), JournalError> {
    remove_index(store, shop)?;
    // What was kept of it after it was taken away.
    let mut kept = Changes::default();
    metadata::remove_all(store, shop, &mut kept)?;
    store.apply(Tree::Kept, kept)?;
    let head = snapshots::head(store, shop)?;
    let (mut journal, mut heads) = (Changes::default(), Changes::default());
    for state in head.kept.into_iter().chain(head.state) {
        snapshots::remove(state, &mut journal);
    }
    heads.remove(&snapshots::head_key(shop));
    // The head goes first: once its states are gone, the next start may give the numbers of their blocks to others.
    store.apply(Tree::Heads, heads)?;
    store.apply(Tree::Journal, journal)
}

/// Takes away where a shop's records stand.
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
