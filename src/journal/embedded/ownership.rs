//! Claims: who owns a shop, what there is of it, and which shops there are.

use std::collections::{BTreeSet, HashMap};

use super::append_queue::ShopOwnership;
use super::core::Core;
use super::reader;
use super::record_index::DueChange;
use super::shop_numbers;
use super::snapshots;
use super::store::Tree;
use crate::domain::base::id::Id;
use crate::journal::error::damaged;
use crate::journal::{Claimed, FencingToken, JournalError, TimedShop};

pub(super) fn create(core: &Core, _shop: &Id) -> FencingToken {
    let mut line = core.line.lock();
    let (shop, epoch) = (line.next_shop, line.next_epoch);
    line.next_shop += 1;
    line.next_epoch += 1;
    line.owners.insert(shop, ShopOwnership { epoch, next_n: 1 });
    FencingToken { shop, epoch }
}

pub(super) fn claim(core: &Core, shop: &Id) -> Result<Option<Claimed>, JournalError> {
    let Some(number) = shop_numbers::number(core, shop)? else {
        return Ok(None);
    };
    let owner = {
        let mut line = core.line.lock();
        let epoch = line.next_epoch;
        line.next_epoch += 1;
        // Nobody appends while the state is being read.
        let owned = ShopOwnership {
            epoch,
            next_n: u64::MAX,
        };
        line.owners.insert(number, owned);
        while line.touches(number) {
            line = line.wait(&core.committed);
        }
        FencingToken {
            shop: number,
            epoch,
        }
    };
    // It may have been taken away by what was on its way.
    if snapshots::number_of(&core.store, shop)? != Some(number) {
        core.line.lock().owners.remove(&number);
        return Ok(None);
    }
    let head = snapshots::head(&core.store, number)?;
    let state = head
        .state
        .map(|at| snapshots::read(&core.store, number, at))
        .transpose()?;
    let places = reader::places(core, number, head.state_seq(), head.state_n(), usize::MAX)?;
    let tail = reader::read_places(core, &places)?;
    let next_n = places.last().map_or(head.state_n(), |place| place.n) + 1;
    if next_n <= head.n {
        let n = head.n;
        return Err(damaged(&format!(
            "record {n} of shop {number} is missing from the index"
        )));
    }
    let mut line = core.line.lock();
    if let Some(owned) = line.owners.get_mut(&number)
        && owned.epoch == owner.epoch
    {
        owned.next_n = next_n;
    }
    drop(line);
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
    let line = core.line.lock();
    let creating = line
        .creating
        .keys()
        .filter(|id| after.is_none_or(|after| *id > after));
    shops.extend(creating.cloned());
    Ok(shops.into_iter().take(limit).collect())
}

pub(super) fn each_sleeper(
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
        let head = snapshots::head(&core.store, number)?;
        let due = match tails.get(&number) {
            Some(due) => *due,
            None => head.due(),
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
