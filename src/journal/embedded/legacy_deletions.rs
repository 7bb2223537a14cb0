//! Repairs what release 0.1 could leave in a store after a shop was deleted.
//!
//! Its record of a deletion did not name the shop. So a start after a crash removed the shop's header and snapshots,
//! but not its name. A shop whose deletion was acknowledged then appeared as damaged; it is removed now. A shop whose
//! deletion was not acknowledged went on, and was lost at the next checkpoint; all its records are in the journal, and
//! its index is built again from them.

use std::collections::{BTreeMap, HashMap};

use crate::domain::base::id::Id;
use crate::journal::JournalError;
use crate::journal::embedded::block;
use crate::journal::embedded::deletion::{Removal, remove_index, remove_remains};
use crate::journal::embedded::record_index::{RecordLocation, Tail};
use crate::journal::embedded::snapshots::{self, SnapshotHeader};
use crate::journal::embedded::store::{Changes, Store, Tree};
use crate::journal::record::{Record, RecordKind};

/// What is to be repaired in a store.
#[derive(Default)]
pub struct Findings {
    /// Deleted shops of which something is left, with the name where it is left.
    deleted: BTreeMap<u64, Option<Id>>,
    /// Shops that went on after a deletion that was not acknowledged.
    revived: BTreeMap<u64, Revived>,
}

struct Revived {
    id: Id,
    locations: Vec<RecordLocation>,
    /// Whether its first record is still stored.
    whole: bool,
}

/// The records of a shop, in short.
#[derive(Default)]
struct ShopHistory {
    /// Its last record is its deletion.
    deleted: bool,
    /// It has records after a deletion.
    revived: bool,
}

/// Finds what is to be repaired. Reads all records.
pub fn examine(store: &Store) -> Result<Findings, JournalError> {
    let names = snapshots::names(store)?;
    let mut histories: HashMap<u64, ShopHistory> = HashMap::new();
    each_record(store, |record, _| {
        let history = histories.entry(record.shop).or_default();
        match record.kind {
            RecordKind::Removed => history.deleted = true,
            RecordKind::Created | RecordKind::Event | RecordKind::Malformed => {
                history.revived |= history.deleted;
                history.deleted = false;
            }
        }
    })?;
    let mut findings = Findings::default();
    let mut revived = BTreeMap::new();
    for (&shop, history) in &histories {
        let header = snapshots::header(store, shop)?;
        if history.deleted && (names.contains_key(&shop) || header != SnapshotHeader::default()) {
            findings.deleted.insert(shop, names.get(&shop).cloned());
        }
        // A shop that has a later snapshot needs no repair.
        if history.revived && !history.deleted && header.state.is_none() {
            revived.extend(names.get(&shop).map(|id| (shop, id.clone())));
        }
    }
    for (&shop, id) in &names {
        let forgotten =
            !histories.contains_key(&shop) && snapshots::header(store, shop)?.state.is_none();
        if forgotten {
            findings.deleted.insert(shop, Some(id.clone()));
        }
    }
    findings.revived = locations_of(store, revived)?;
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

/// The locations of the records of these shops.
fn locations_of(
    store: &Store,
    shops: BTreeMap<u64, Id>,
) -> Result<BTreeMap<u64, Revived>, JournalError> {
    let mut locations: HashMap<u64, Vec<RecordLocation>> = HashMap::new();
    if !shops.is_empty() {
        each_record(store, |record, block| {
            if record.kind != RecordKind::Removed && shops.contains_key(&record.shop) {
                locations
                    .entry(record.shop)
                    .or_default()
                    .push(RecordLocation {
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
        let locations = locations.remove(&shop).unwrap_or_default();
        let dense = locations.windows(2).all(|two| two[0].n + 1 == two[1].n);
        let whole = dense && locations.first().is_some_and(|first| first.n == 1);
        let revived = Revived {
            id,
            locations,
            whole,
        };
        (shop, revived)
    });
    Ok(revived.collect())
}

impl Findings {
    /// Whether the shop is to be repaired: its stored state is then not checked against its records.
    pub fn affects(&self, shop: u64) -> bool {
        self.deleted.contains_key(&shop) || self.revived.contains_key(&shop)
    }

    /// Whether the shop was deleted.
    pub fn is_deleted(&self, shop: u64) -> bool {
        self.deleted.contains_key(&shop)
    }

    /// What is to be repaired, a sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let deleted = self.deleted.iter().map(|(shop, id)| match id {
            Some(id) => {
                format!("shop {id:?} was deleted, but parts of it were left; they are removed")
            }
            None => format!(
                "shop number {shop} was deleted, but parts of it were left; they are removed"
            ),
        });
        let revived = self.revived.values().map(|revived| match revived.whole {
            true => format!(
                "shop {:?} went on after a deletion that was not acknowledged: its index is rebuilt from its records",
                revived.id
            ),
            false => format!(
                "shop {:?} went on after a deletion that was not acknowledged, and its first records were dropped by \
                 retention: it cannot be recovered; `xiaoer export --salvage` writes the records that are left",
                revived.id
            ),
        });
        deleted.chain(revived).collect()
    }

    /// Repairs the store. The changes are durable after the next sync. Returns a sentence for each repair.
    pub fn repair(self, store: &Store) -> Result<Vec<String>, JournalError> {
        let sentences = self.sentences();
        let mut removal = Removal::default();
        for (&shop, id) in &self.deleted {
            removal.add(store, shop, id.as_ref())?;
            remove_remains(store, shop)?;
        }
        removal.apply(store)?;
        for (shop, revived) in self.revived.into_iter().filter(|(_, of)| of.whole) {
            let checkpoint =
                crate::journal::embedded::checkpoint_record::CheckpointNotes::read(store)?
                    .checkpoint;
            remove_index(store, shop)?;
            let mut locations = revived.locations;
            let first = locations.first().map_or(0, |location| location.order);
            // Records after the checkpoint are read from the journal at every start.
            locations.retain(|location| location.order <= checkpoint);
            let (mut index, mut headers) = (Changes::default(), Changes::default());
            let header = SnapshotHeader {
                id: revived.id.to_string(),
                n: locations.last().map_or(0, |location| location.n),
                before_first: first.saturating_sub(1),
                ..SnapshotHeader::default()
            };
            let mut tail = Tail {
                locations,
                ..Tail::default()
            };
            tail.index(shop, &mut index);
            snapshots::write_header(shop, &header, &mut headers);
            store.apply(Tree::Index, index)?;
            store.apply(Tree::Headers, headers)?;
        }
        Ok(sentences)
    }
}
