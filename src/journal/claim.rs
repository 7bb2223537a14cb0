//! Claims: who owns a shop, what there is of it, and which shops there are.

use std::collections::{BTreeSet, HashMap};

use super::embedded::Core;
use super::line::{Owned, wait};
use super::states;
use super::store::{Tree, damaged};
use super::tail::Due;
use super::{Claimed, JournalError, Owner, Sleeper};
use crate::domain::base::id::Id;

impl Core {
    /// The number of a shop, once its first record is on its way.
    pub(super) fn number(&self, shop: &Id) -> Result<Option<u64>, JournalError> {
        if let Some(&number) = self.line().creating.get(shop) {
            return Ok(Some(number));
        }
        states::number_of(&self.store, shop)
    }

    pub(super) fn create(&self, _shop: &Id) -> Owner {
        let mut line = self.line();
        let (shop, epoch) = (line.next_shop, line.next_epoch);
        line.next_shop += 1;
        line.next_epoch += 1;
        line.owners.insert(shop, Owned { epoch, next_n: 1 });
        Owner { shop, epoch }
    }

    pub(super) fn claim(&self, shop: &Id) -> Result<Option<Claimed>, JournalError> {
        let Some(number) = self.number(shop)? else {
            return Ok(None);
        };
        let owner = {
            let mut line = self.line();
            let epoch = line.next_epoch;
            line.next_epoch += 1;
            // Nobody appends while the state is being read.
            let owned = Owned {
                epoch,
                next_n: u64::MAX,
            };
            line.owners.insert(number, owned);
            while line.touches(number) {
                line = wait(&self.committed, line);
            }
            Owner {
                shop: number,
                epoch,
            }
        };
        // It may have been taken away by what was on its way.
        if states::number_of(&self.store, shop)? != Some(number) {
            self.line().owners.remove(&number);
            return Ok(None);
        }
        let head = states::head(&self.store, number)?;
        let state = head
            .state
            .map(|at| states::read(&self.store, number, at))
            .transpose()?;
        let places = self.places(number, head.state_seq(), head.state_n(), usize::MAX)?;
        let tail = self.records(&places)?;
        let next_n = places.last().map_or(head.state_n(), |place| place.n) + 1;
        if next_n <= head.n {
            let n = head.n;
            return Err(damaged(&format!(
                "record {n} of shop {number} is missing from the index"
            )));
        }
        let mut line = self.line();
        if let Some(owned) = line.owners.get_mut(&number)
            && owned.epoch == owner.epoch
        {
            owned.next_n = next_n;
        }
        drop(line);
        if let Some(tail) = self.tails().get_mut(&number) {
            tail.id = Some(shop.clone());
        }
        Ok(Some(Claimed { owner, state, tail }))
    }

    pub(super) fn shops_after(
        &self,
        after: Option<&Id>,
        limit: usize,
    ) -> Result<Vec<Id>, JournalError> {
        let mut shops = BTreeSet::new();
        let from = after.map_or(&b""[..], |after| after.as_bytes());
        self.store.scan(Tree::Names, from, |name, _| {
            let id = std::str::from_utf8(name).ok().and_then(Id::new);
            shops.extend(id.filter(|id| after != Some(id)));
            Ok(shops.len() < limit)
        })?;
        let line = self.line();
        let creating = line
            .creating
            .keys()
            .filter(|id| after.is_none_or(|after| *id > after));
        shops.extend(creating.cloned());
        Ok(shops.into_iter().take(limit).collect())
    }

    pub(super) fn each_sleeper(&self, each: &mut dyn FnMut(Sleeper)) -> Result<(), JournalError> {
        let tails: HashMap<u64, Due> = {
            let tails = self.tails();
            tails.iter().map(|(&shop, tail)| (shop, tail.due)).collect()
        };
        self.store.scan(Tree::Names, b"", |name, value| {
            let Some(id) = std::str::from_utf8(name).ok().and_then(Id::new) else {
                return Ok(true);
            };
            let number = states::read_name(&id, value)?;
            let head = states::head(&self.store, number)?;
            let due = match tails.get(&number) {
                Some(due) => *due,
                None => head.due(),
            };
            match due {
                Due::Unknown => each(Sleeper {
                    shop: id,
                    due: None,
                }),
                Due::Known(Some(due)) => each(Sleeper {
                    shop: id,
                    due: Some(due),
                }),
                Due::Known(None) => {}
            }
            Ok(true)
        })
    }
}
