//! Healing: what release 0.1 could leave in a store after a shop was deleted.
//!
//! Its record of a deletion did not name the shop, so that a start after a crash took the shop's head and states away, and
//! left its name. A shop whose deletion was acknowledged came back damaged (it is removed now). A shop whose deletion was
//! not acknowledged answered on, and was lost at the next checkpoint (its records are all in the journal, and its index is
//! made anew from them).

use std::collections::{BTreeMap, HashMap};

use crate::domain::base::id::Id;
use crate::journal::JournalError;
use crate::journal::embedded::block;
use crate::journal::embedded::deletion::{Removal, bury, remove_index};
use crate::journal::embedded::record_index::{RecordLocation, Tail};
use crate::journal::embedded::snapshots::{self, SnapshotHeader};
use crate::journal::embedded::store::{Changes, Store, Tree};
use crate::journal::record::{Record, RecordKind};

/// What is to be put right in a store.
#[derive(Default)]
pub struct Findings {
    /// Shops that were deleted, of which something was left; with the name where that is left.
    deleted: BTreeMap<u64, Option<Id>>,
    /// Shops that went on after a deletion that was not acknowledged.
    revived: BTreeMap<u64, Revived>,
}

struct Revived {
    id: Id,
    places: Vec<RecordLocation>,
    /// Whether its first record is still there.
    whole: bool,
}

/// What the journal says of a shop.
#[derive(Default)]
struct Life {
    /// Its last record is that of its deletion.
    deleted: bool,
    /// It had records after one.
    revived: bool,
}

/// Looks for what is to be put right. Reads all records.
pub fn examine(store: &Store) -> Result<Findings, JournalError> {
    let names = snapshots::names(store)?;
    let mut lives: HashMap<u64, Life> = HashMap::new();
    each_record(store, |record, _| {
        let life = lives.entry(record.shop).or_default();
        match record.kind {
            RecordKind::Removed => life.deleted = true,
            RecordKind::Created | RecordKind::Event | RecordKind::Malformed => {
                life.revived |= life.deleted;
                life.deleted = false;
            }
        }
    })?;
    let mut findings = Findings::default();
    let mut revived = BTreeMap::new();
    for (&shop, life) in &lives {
        let head = snapshots::head(store, shop)?;
        if life.deleted && (names.contains_key(&shop) || head != SnapshotHeader::default()) {
            findings.deleted.insert(shop, names.get(&shop).cloned());
        }
        // One that has stored a state since then needs no healing.
        if life.revived && !life.deleted && head.state.is_none() {
            revived.extend(names.get(&shop).map(|id| (shop, id.clone())));
        }
    }
    for (&shop, id) in &names {
        let forgotten = !lives.contains_key(&shop) && snapshots::head(store, shop)?.state.is_none();
        if forgotten {
            findings.deleted.insert(shop, Some(id.clone()));
        }
    }
    findings.revived = places_of(store, revived)?;
    Ok(findings)
}

fn each_record(store: &Store, mut each: impl FnMut(&Record, u64)) -> Result<(), JournalError> {
    block::scan(store, 0, &mut |_| {}, |block| {
        block.records(|record| {
            each(&record, block.number);
            Ok(true)
        })?;
        Ok(true)
    })
}

/// Where the records of these shops stand.
fn places_of(
    store: &Store,
    shops: BTreeMap<u64, Id>,
) -> Result<BTreeMap<u64, Revived>, JournalError> {
    let mut places: HashMap<u64, Vec<RecordLocation>> = HashMap::new();
    if !shops.is_empty() {
        each_record(store, |record, block| {
            if record.kind != RecordKind::Removed && shops.contains_key(&record.shop) {
                places.entry(record.shop).or_default().push(RecordLocation {
                    n: record.n,
                    order: record.order,
                    block,
                    seq_before: record.seq_before,
                    rated: record.rated,
                });
            }
        })?;
    }
    let revived = shops.into_iter().map(|(shop, id)| {
        let places = places.remove(&shop).unwrap_or_default();
        let dense = places.windows(2).all(|two| two[0].n + 1 == two[1].n);
        let whole = dense && places.first().is_some_and(|first| first.n == 1);
        let revived = Revived { id, places, whole };
        (shop, revived)
    });
    Ok(revived.collect())
}

impl Findings {
    /// The shops that are to be put right: what is stored of them is not held against their records.
    pub fn concern(&self, shop: u64) -> bool {
        self.deleted.contains_key(&shop) || self.revived.contains_key(&shop)
    }

    /// Whether the shop was deleted.
    pub fn is_deleted(&self, shop: u64) -> bool {
        self.deleted.contains_key(&shop)
    }

    /// What is to be put right, a sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let deleted = self.deleted.iter().map(|(shop, id)| match id {
            Some(id) => {
                format!("shop {id:?} was deleted, and parts of it were left: they are removed")
            }
            None => format!(
                "shop number {shop} was deleted, and parts of it were left: they are removed"
            ),
        });
        let revived = self.revived.values().map(|revived| match revived.whole {
            true => format!(
                "shop {:?} went on after a deletion that was not acknowledged: its index is made anew from its records",
                revived.id
            ),
            false => format!(
                "shop {:?} went on after a deletion that was not acknowledged, and its first records were dropped by \
                 retention: it cannot come back; `xiaoer export --salvage` writes what is left of it",
                revived.id
            ),
        });
        deleted.chain(revived).collect()
    }

    /// Puts it right; nothing is durable before the store is synced. Returns a sentence each.
    pub fn heal(self, store: &Store) -> Result<Vec<String>, JournalError> {
        let sentences = self.sentences();
        let mut removal = Removal::default();
        for (&shop, id) in &self.deleted {
            removal.add(store, shop, id.as_ref())?;
            bury(store, shop)?;
        }
        removal.apply(store)?;
        for (shop, revived) in self.revived.into_iter().filter(|(_, of)| of.whole) {
            let checkpoint =
                crate::journal::embedded::checkpoint_notes::CheckpointNotes::read(store)?
                    .checkpoint;
            remove_index(store, shop)?;
            let mut places = revived.places;
            let first = places.first().map_or(0, |place| place.order);
            // What comes after the checkpoint is read from the journal at every start.
            places.retain(|place| place.order <= checkpoint);
            let (mut index, mut heads) = (Changes::default(), Changes::default());
            let head = SnapshotHeader {
                id: revived.id.to_string(),
                n: places.last().map_or(0, |place| place.n),
                before_first: first.saturating_sub(1),
                ..SnapshotHeader::default()
            };
            let mut tail = Tail {
                places,
                ..Tail::default()
            };
            tail.index(shop, &mut index);
            snapshots::write_head(shop, &head, &mut heads);
            store.apply(Tree::Index, index)?;
            store.apply(Tree::Heads, heads)?;
        }
        Ok(sentences)
    }
}
