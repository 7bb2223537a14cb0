//! Verification of a folder: reads everything and checks it against everything else.

use std::collections::{BTreeMap, HashMap};

use super::legacy_deletions::{self, Findings};
use super::record_index::{self, RecordLocation};
use super::recovery::{self, RecoveredStore};
use super::settings::JournalSettings;
use super::snapshots::SnapshotHeader;
use super::store::Tree;
use super::{block, reader, shop_metadata, snapshots};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::journal::error::damaged;
use crate::journal::record::{Record, RecordKind};
use crate::journal::{JournalError, Snapshot};

/// What an intact folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The number of shops.
    pub shops: u64,
    /// The number of records.
    pub records: u64,
    /// The number of decisions.
    pub decisions: u64,
    /// The number of snapshots.
    pub states: u64,
    /// The order of the first stored record, and of the last.
    pub orders: (u64, u64),
    /// The earliest and the latest instant of the records.
    pub instants: Option<(Instant, Instant)>,
    /// The stored form.
    pub form: u32,
    /// The size of the store, in bytes.
    pub bytes: u64,
    /// What the next start will repair, a sentence each: release 0.1 has left it.
    pub pending_repairs: Vec<String>,
}

/// The records of one shop, in short.
#[derive(Default)]
struct ShopSummary {
    last_n: u64,
    next_seq: u64,
    /// Its last record is its deletion.
    removed: bool,
    locations: LocationSum,
}

/// A sum over the locations of a shop, in order.
#[derive(Default, PartialEq, Eq)]
struct LocationSum(u64);

impl LocationSum {
    fn add(&mut self, location: &RecordLocation) {
        for part in [
            location.n,
            location.order,
            location.seq_before,
            u64::from(location.rated),
        ] {
            self.0 = (self.0.rotate_left(5) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }
}

/// Checks of other modules while a folder is verified.
pub trait Inspector {
    /// A record was read.
    fn record(&mut self, _order: u64) {}

    /// A snapshot of a shop: the module that wrote it checks that it can be read.
    fn state(&mut self, _shop: &Id, _state: &Snapshot) -> Result<(), JournalError> {
        Ok(())
    }

    /// What recovery finds of a shop: its latest snapshot, and the records after it.
    fn shop(
        &mut self,
        _shop: &Id,
        _state: Option<Snapshot>,
        _tail: Vec<Record>,
    ) -> Result<(), JournalError> {
        Ok(())
    }
}

/// Checks nothing.
pub struct NoInspector;

impl Inspector for NoInspector {}

/// Verifies a folder that no server uses.
///
/// # Errors
///
/// The folder is damaged, in use or of a newer version.
pub fn verify(
    settings: &JournalSettings,
    inspector: &mut dyn Inspector,
) -> Result<Verified, JournalError> {
    let (_folder, found) = recovery::inspect(settings)?;
    verify_found(&found, inspector)
}

/// The same for a store that is not yet in its folder.
pub(super) fn verify_store(found: &RecoveredStore) -> Result<Verified, JournalError> {
    verify_found(found, &mut NoInspector)
}

fn verify_found(
    found: &RecoveredStore,
    inspector: &mut dyn Inspector,
) -> Result<Verified, JournalError> {
    let mut verified = Verified {
        orders: (found.notes.floor, found.reach.order),
        form: found.id.map_or(1, |_| super::data_dir::VERSION),
        bytes: found.store.bytes(),
        ..Verified::default()
    };
    let findings = match found.id {
        Some(_) => Findings::default(),
        None => legacy_deletions::examine(&found.store)?,
    };
    verified.pending_repairs = findings.sentences();
    let mut summaries: HashMap<u64, ShopSummary> = HashMap::new();
    let spans = scan(found, |record| {
        inspector.record(record.order);
        let (first, last) = verified.instants.unwrap_or((record.at, record.at));
        verified.instants = Some((first.min(record.at), last.max(record.at)));
        verified.records += 1;
        verified.decisions += u64::from(record.decided);
        if record.kind == RecordKind::Removed {
            if let Some(summary) = summaries.get_mut(&record.shop) {
                summary.removed = true;
            }
            return Ok(());
        }
        take(&mut summaries, &record)
    })?;
    summaries.retain(|shop, summary| !summary.removed && !findings.affects(*shop));
    if found.store.stray_files() > 0 {
        return Err(damaged("the store has values outside its log"));
    }
    let mut names = snapshots::names(&found.store)?;
    names.retain(|shop, _| !findings.affects(*shop));
    check_metadata(found)?;
    for (&shop, summary) in &summaries {
        if !names.contains_key(&shop) {
            return Err(damaged(&format!("shop {shop} has records but no name")));
        }
        check_index(found, shop, summary, &spans)?;
    }
    for (&shop, id) in &names {
        verified.states += check_states(found, (shop, id), summaries.get(&shop), inspector)?;
    }
    verified.shops = names.len() as u64;
    Ok(verified)
}

/// Gives every stored record of a folder that no server uses, in order, with the id of its shop. Records of deleted
/// shops are left out.
pub fn each_record(
    settings: &JournalSettings,
    mut each: impl FnMut(&Id, Record) -> Result<(), JournalError>,
) -> Result<(), JournalError> {
    let (_folder, found) = recovery::inspect(settings)?;
    let mut names = snapshots::names(&found.store)?;
    if found.id.is_none() {
        let findings = legacy_deletions::examine(&found.store)?;
        names.retain(|shop, _| !findings.is_deleted(*shop));
    }
    scan(&found, |record| match names.get(&record.shop) {
        Some(id) if record.kind != RecordKind::Removed => each(id, record),
        Some(_) | None => Ok(()),
    })
    .map(drop)
}

/// The blocks of a journal in order: number, first order, and the order after the last.
struct Spans(Vec<(u64, u64, u64)>);

impl Spans {
    /// Whether the block that the location names holds the record.
    fn hold(&self, location: &RecordLocation) -> bool {
        let after = self.0.partition_point(|span| span.0 <= location.block);
        let span = after.checked_sub(1).map(|at| self.0[at]);
        span.is_some_and(|(_, first, end)| (first..end).contains(&location.order))
    }
}

fn scan(
    found: &RecoveredStore,
    mut each: impl FnMut(Record) -> Result<(), JournalError>,
) -> Result<Spans, JournalError> {
    let mut next = found.notes.floor;
    let mut spans = Vec::new();
    block::scan(&found.store, 0, &mut |_| {}, |block| {
        if block.end() <= next {
            // Below the floor, and about to be trimmed.
            return Ok(true);
        }
        if block.first != next {
            let last = block.first.saturating_sub(1);
            return Err(damaged(&format!(
                "records {next} to {last} are missing from the journal"
            )));
        }
        next = block.end();
        spans.push((block.number, block.first, block.end()));
        block.records(|record| {
            each(record)?;
            Ok(true)
        })?;
        Ok(true)
    })?;
    if next != found.reach.order + 1 {
        let last = found.reach.order;
        return Err(damaged(&format!(
            "records {next} to {last} are missing from the journal"
        )));
    }
    Ok(Spans(spans))
}

fn take(summaries: &mut HashMap<u64, ShopSummary>, record: &Record) -> Result<(), JournalError> {
    let summary = summaries.entry(record.shop).or_default();
    let begins = summary.last_n == 0;
    let follows = record.n == summary.last_n + 1 && record.seq_before == summary.next_seq;
    if !begins && !follows {
        let (n, shop, order) = (summary.last_n + 1, record.shop, record.order);
        return Err(damaged(&format!(
            "record {order} is not record {n} of shop {shop}, as it should be"
        )));
    }
    summary.removed = false;
    summary.last_n = record.n;
    summary.next_seq = record.seq_before + u64::from(record.decided);
    summary.locations.add(&RecordLocation {
        n: record.n,
        order: record.order,
        block: 0,
        seq_before: record.seq_before,
        rated: record.rated,
    });
    Ok(())
}

/// Checks that all metadata can be read.
fn check_metadata(found: &RecoveredStore) -> Result<(), JournalError> {
    shop_metadata::scan(&found.store, &mut |_, _| Ok(()))
}

/// Checks that the index names the records that exist.
fn check_index(
    found: &RecoveredStore,
    shop: u64,
    summary: &ShopSummary,
    spans: &Spans,
) -> Result<(), JournalError> {
    let (mut sum, mut last, mut misplaced) = (LocationSum::default(), 0, false);
    let mut take = |location: &RecordLocation| {
        if location.n > last && location.order >= found.notes.floor {
            last = location.n;
            misplaced |= !spans.hold(location);
            sum.add(location);
        }
    };
    found
        .store
        .scan(Tree::Index, &shop.to_be_bytes(), |at, value| {
            if !at.starts_with(&shop.to_be_bytes()) {
                return Ok(false);
            }
            record_index::read(shop, value)?.iter().for_each(&mut take);
            Ok(true)
        })?;
    if let Some(tail) = found.tails.get(&shop) {
        tail.locations.iter().for_each(&mut take);
    }
    if sum == summary.locations && last == summary.last_n && !misplaced {
        return Ok(());
    }
    Err(damaged(&format!(
        "the index of shop {shop} does not match its records"
    )))
}

/// Checks that a shop's snapshots can be read, and that its latest one can be continued. Returns how many there are.
fn check_states(
    found: &RecoveredStore,
    (shop, id): (u64, &Id),
    summary: Option<&ShopSummary>,
    inspector: &mut dyn Inspector,
) -> Result<u64, JournalError> {
    let header = snapshots::header(&found.store, shop)?;
    let records = summary.map_or(0, |summary| summary.last_n);
    let indexed = header.n.max(header.snapshot_n());
    let known = header.id == id.as_str() || (header == snapshots::SnapshotHeader::default());
    if !known
        || (summary.is_some() && indexed > records)
        || (summary.is_none() && header.state.is_none())
    {
        return Err(damaged(&format!(
            "the header of shop {id:?} does not match its records"
        )));
    }
    if header.snapshot_n() < records
        && header == snapshots::SnapshotHeader::default()
        && !found.tails.contains_key(&shop)
    {
        return Err(damaged(&format!(
            "shop {id:?} has records, but neither a header nor a snapshot"
        )));
    }
    let mut count = 0;
    for &at in &header.kept {
        inspector.state(id, &snapshots::read(&found.store, shop, at)?)?;
        count += 1;
    }
    let state = header
        .state
        .map(|at| snapshots::read(&found.store, shop, at));
    let state = state.transpose()?;
    count += u64::from(state.is_some());
    inspector.shop(id, state, tail_of(found, shop, &header)?)?;
    Ok(count)
}

/// The records after a shop's latest snapshot.
fn tail_of(
    found: &RecoveredStore,
    shop: u64,
    header: &SnapshotHeader,
) -> Result<Vec<Record>, JournalError> {
    let n = header.snapshot_n();
    let mut locations: BTreeMap<u64, RecordLocation> = BTreeMap::new();
    let prefix = shop.to_be_bytes();
    let mut take = |location: RecordLocation| {
        if location.n > n && location.order >= found.notes.floor {
            locations.insert(location.n, location);
        }
    };
    found.store.scan(Tree::Index, &prefix, |at, value| {
        let of_it = at.starts_with(&prefix);
        if of_it {
            record_index::read(shop, value)?
                .into_iter()
                .for_each(&mut take);
        }
        Ok(of_it)
    })?;
    if let Some(tail) = found.tails.get(&shop) {
        tail.locations.iter().copied().for_each(&mut take);
    }
    let locations: Vec<RecordLocation> = locations.into_values().collect();
    reader::records(&found.store, &locations)
}
