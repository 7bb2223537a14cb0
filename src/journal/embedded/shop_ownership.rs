//! Ownership: claims a shop for an owner with an epoch, and lists shops.

use std::collections::{BTreeSet, HashMap};

use super::append_queue::ShopOwnership;
use super::core::Core;
use super::offline_lookup;
use super::reader;
use super::record_index::DueChange;
use super::snapshots;
use super::store::Tree;
use crate::domain::base::id::Id;
use crate::journal::error::damaged;
use crate::journal::{Claimed, FencingToken, JournalError, TimedShop};

pub(super) fn create(core: &Core, _shop: &Id) -> FencingToken {
    let mut queue = core.queue.lock();
    let (shop, epoch) = (queue.next_shop, queue.next_epoch);
    queue.next_shop += 1;
    queue.next_epoch += 1;
    queue
        .owners
        .insert(shop, ShopOwnership { epoch, next_n: 1 });
    FencingToken { shop, epoch }
}

pub(super) fn claim(core: &Core, shop: &Id) -> Result<Option<Claimed>, JournalError> {
    let Some(number) = offline_lookup::number(core, shop)? else {
        return Ok(None);
    };
    let owner = {
        let mut queue = core.queue.lock();
        let epoch = queue.next_epoch;
        queue.next_epoch += 1;
        // No owner may append while the snapshot is read.
        let owned = ShopOwnership {
            epoch,
            next_n: u64::MAX,
        };
        queue.owners.insert(number, owned);
        while queue.touches(number) {
            queue = queue.wait(&core.committed);
        }
        FencingToken {
            shop: number,
            epoch,
        }
    };
    // The records that were on their way may have deleted it.
    if snapshots::number_of(&core.store, shop)? != Some(number) {
        core.queue.lock().owners.remove(&number);
        return Ok(None);
    }
    let header = snapshots::header(&core.store, number)?;
    let state = header
        .state
        .map(|at| snapshots::read(&core.store, number, at))
        .transpose()?;
    let locations = reader::locations(
        core,
        number,
        header.snapshot_seq(),
        header.snapshot_n(),
        usize::MAX,
    )?;
    let tail = reader::read_records(core, &locations)?;
    let next_n = locations
        .last()
        .map_or(header.snapshot_n(), |location| location.n)
        + 1;
    if next_n <= header.n {
        let n = header.n;
        return Err(damaged(&format!(
            "record {n} of shop {number} is missing from the index"
        )));
    }
    let mut queue = core.queue.lock();
    if let Some(owned) = queue.owners.get_mut(&number)
        && owned.epoch == owner.epoch
    {
        owned.next_n = next_n;
    }
    drop(queue);
    if let Some(tail) = core.tails.lock().get_mut(&number) {
        tail.id = Some(shop.clone());
    }
    Ok(Some(Claimed { owner, state, tail }))
}

pub(super) fn shops_after(
    core: &Core,
    after: Option<&Id>,
    limit: usize,
) -> Result<Vec<Id>, JournalError> {
    let mut shops = BTreeSet::new();
    let from = after.map_or(&b""[..], |after| after.as_bytes());
    core.store.scan(Tree::Names, from, |name, _| {
        let id = std::str::from_utf8(name).ok().and_then(Id::new);
        shops.extend(id.filter(|id| after != Some(id)));
        Ok(shops.len() < limit)
    })?;
    let queue = core.queue.lock();
    let creating = queue
        .creating
        .keys()
        .filter(|id| after.is_none_or(|after| *id > after));
    shops.extend(creating.cloned());
    Ok(shops.into_iter().take(limit).collect())
}

pub(super) fn each_timed_shop(
    core: &Core,
    each: &mut dyn FnMut(TimedShop),
) -> Result<(), JournalError> {
    let tails: HashMap<u64, DueChange> = {
        let tails = core.tails.lock();
        tails.iter().map(|(&shop, tail)| (shop, tail.due)).collect()
    };
    core.store.scan(Tree::Names, b"", |name, value| {
        let Some(id) = std::str::from_utf8(name).ok().and_then(Id::new) else {
            return Ok(true);
        };
        let number = snapshots::read_name(&id, value)?;
        let header = snapshots::header(&core.store, number)?;
        let due = match tails.get(&number) {
            Some(due) => *due,
            None => header.due(),
        };
        match due {
            DueChange::Unknown => each(TimedShop {
                shop: id,
                due: None,
            }),
            DueChange::Known(Some(due)) => each(TimedShop {
                shop: id,
                due: Some(due),
            }),
            DueChange::Known(None) => {}
        }
        Ok(true)
    })
}
