//! What is taken away with a shop, in one place, so that a deletion is whole: its name, its head, its states, and what
//! other rooms keep of it. Its places in the index go later, with [`remove_index`], since there may be many.
//!
//! The record of the deletion comes before all of this in the store's log. So whatever of it a crash has left is taken
//! away again when the record is read at the next start.

use super::store::{Changes, Store, Tree};
use super::{JournalError, kept, states};
use crate::domain::id::Id;

/// Changes that take shops away.
#[derive(Default)]
pub struct Removal {
    names: Changes,
    heads: Changes,
    journal: Changes,
    kept: Changes,
    any: bool,
}

impl Removal {
    /// Adds a shop. Its name goes unless it leads to another shop by now.
    pub fn add(&mut self, store: &Store, shop: u64, id: Option<&Id>) -> Result<(), JournalError> {
        if let Some(id) = id
            && states::number_of(store, id)? == Some(shop)
        {
            self.names.remove(id.as_bytes());
        }
        let head = states::head(store, shop)?;
        for state in head.kept.into_iter().chain(head.state) {
            states::remove(state, &mut self.journal);
        }
        self.heads.remove(&states::head_key(shop));
        kept::remove_all(store, shop, &mut self.kept)?;
        self.any = true;
        Ok(())
    }

    /// Makes the changes; nothing of them is durable before the store is synced.
    pub fn apply(self, store: &Store) -> Result<(), JournalError> {
        if !self.any {
            return Ok(());
        }
        store.apply(Tree::Names, self.names)?;
        store.apply(Tree::Heads, self.heads)?;
        store.apply(Tree::Journal, self.journal)?;
        store.apply(Tree::Kept, self.kept)
    }
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
