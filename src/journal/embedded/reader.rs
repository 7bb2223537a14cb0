//! Reads durable records of a shop: by `seq`, those with ratings, and those that explain a decision.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::core::Core;
use super::offline_lookup;
use super::record_index::{self, RecordLocation};
use super::store::{Store, Tree};
use super::{block, snapshots};
use crate::domain::base::id::Id;
use crate::journal::error::damaged;
use crate::journal::record::{self, Record};
use crate::journal::{JournalError, RecordPage, SnapshotAndTail};

/// The most records that are replayed to explain one decision.
const EXPLAINED_MAX: usize = 1_000_000;

/// Locations in a row.
struct LocationRun {
    locations: Vec<RecordLocation>,
    last: u64,
    /// Whether the first location must follow `last`.
    after: bool,
    /// The first record that is missing in the row.
    gap: Option<u64>,
}

impl LocationRun {
    /// A row after record `n`. After 0 the first records may have been dropped by retention.
    fn after(n: u64) -> LocationRun {
        LocationRun {
            locations: Vec::new(),
            last: n,
            after: n > 0,
            gap: None,
        }
    }

    fn take(&mut self, location: RecordLocation) {
        if location.n <= self.last {
            return;
        }
        if location.n != self.last + 1 && (self.after || !self.locations.is_empty()) {
            self.gap = self.gap.or(Some(self.last + 1));
        }
        self.last = location.n;
        self.locations.push(location);
    }
}

/// The locations of durable records of a shop after its record `n`, when its `seq` was `seq`. They are dense.
pub(super) fn locations(
    core: &Core,
    shop: u64,
    seq: u64,
    n: u64,
    limit: usize,
) -> Result<Vec<RecordLocation>, JournalError> {
    // Memory is read before the index: locations move from memory to the index, never back.
    let in_memory = locations_in_memory(core, shop, n, limit);
    let first = record_index::key(shop, 0, 0);
    let from = record_index::key(shop, seq, n);
    let start = core.store.last_at(Tree::Index, &from)?;
    let start = start.filter(|(at, _)| at.starts_with(&shop.to_be_bytes()));
    let start = start.map_or(from.to_vec(), |(at, _)| at.to_vec());
    let mut dense = dense_locations(core, shop, &start, n, limit)?;
    if dense.gap.is_some() {
        // A chunk that begins earlier may be longer than the one that was read first.
        dense = dense_locations(core, shop, &first, n, limit)?;
    }
    if dense.locations.len() < limit {
        in_memory
            .into_iter()
            .for_each(|location| dense.take(location));
    }
    if let Some(n) = dense.gap {
        return Err(damaged(&format!(
            "record {n} of shop {shop} is missing from the index"
        )));
    }
    let mut locations = dense.locations;
    let durable = core.durable.load(Ordering::Acquire);
    let floor = core.floor.load(Ordering::Acquire);
    locations.retain(|location| (floor..=durable).contains(&location.order));
    locations.truncate(limit);
    Ok(locations)
}

/// The locations after record `n` in the index, from this key on, at least `limit` where there are so many.
fn dense_locations(
    core: &Core,
    shop: u64,
    from: &[u8],
    n: u64,
    limit: usize,
) -> Result<LocationRun, JournalError> {
    let mut dense = LocationRun::after(n);
    core.store.scan(Tree::Index, from, |at, value| {
        if !at.starts_with(&shop.to_be_bytes()) {
            return Ok(false);
        }
        for location in record_index::read(shop, value)? {
            dense.take(location);
        }
        Ok(dense.locations.len() < limit)
    })?;
    Ok(dense)
}

/// The first locations after record `n` that are, or were a moment ago, only in memory.
fn locations_in_memory(core: &Core, shop: u64, n: u64, limit: usize) -> Vec<RecordLocation> {
    let tails = core.tails.lock();
    let locations = tails
        .get(&shop)
        .map_or(&[][..], |tail| tail.locations.as_slice());
    let after = &locations[locations.partition_point(|location| location.n <= n)..];
    after[..after.len().min(limit)].to_vec()
}

/// The records at these locations.
pub(super) fn read_records(
    core: &Core,
    locations: &[RecordLocation],
) -> Result<Vec<Record>, JournalError> {
    records(&core.store, locations)
}

/// Records from the one that holds decision `seq` on.
pub(super) fn read_from(
    core: &Core,
    shop: &Id,
    seq: u64,
    limit: usize,
) -> Result<Option<RecordPage>, JournalError> {
    let Some(number) = offline_lookup::number(core, shop)? else {
        return Ok(None);
    };
    // Decision `seq` is in the last record that begins before it.
    let before = seq.saturating_sub(1);
    let mut locations = locations_at(core, number, before, limit)?;
    let more = locations.len() > limit;
    locations.truncate(limit);
    let records = read_records(core, &locations)?;
    Ok(Some(RecordPage { records, more }))
}

/// Locations from the last that begins at or before `seq`; one more than `limit` where there are more.
fn locations_at(
    core: &Core,
    shop: u64,
    seq: u64,
    limit: usize,
) -> Result<Vec<RecordLocation>, JournalError> {
    let in_memory = core
        .tails
        .lock()
        .get(&shop)
        .and_then(|tail| last_before(&tail.locations, seq));
    let in_memory = in_memory.map(|location| location.n);
    let at = core
        .store
        .last_at(Tree::Index, &record_index::key(shop, seq, u64::MAX))?;
    let at = at.filter(|(at, _)| at.starts_with(&shop.to_be_bytes()));
    let skip = match &at {
        Some((_, value)) => {
            last_before(&record_index::read(shop, value)?, seq).map(|location| location.n)
        }
        None => None,
    };
    let first = skip.max(in_memory).unwrap_or(1);
    locations(core, shop, seq, first - 1, limit.saturating_add(1))
}

/// Records with a recorded rating and a `seq` below `before`, newest first.
pub(super) fn read_rated(
    core: &Core,
    shop: &Id,
    before: u64,
    limit: usize,
) -> Result<Option<RecordPage>, JournalError> {
    let Some(number) = offline_lookup::number(core, shop)? else {
        return Ok(None);
    };
    let (durable, floor) = (
        core.durable.load(Ordering::Acquire),
        core.floor.load(Ordering::Acquire),
    );
    let mut rated: BTreeMap<u64, RecordLocation> = BTreeMap::new();
    let take = |locations: &[RecordLocation], rated: &mut BTreeMap<u64, RecordLocation>| {
        let of_page = |location: &&RecordLocation| {
            location.rated
                && location.seq_before + 1 < before
                && (floor..=durable).contains(&location.order)
        };
        rated.extend(
            locations
                .iter()
                .filter(of_page)
                .map(|location| (location.n, *location)),
        );
    };
    if let Some(tail) = core.tails.lock().get(&number) {
        take(&tail.locations, &mut rated);
    }
    let (from, to) = (
        record_index::key(number, 0, 0),
        record_index::key(number, before, u64::MAX),
    );
    core.store.scan_back(Tree::Index, &from, &to, |_, value| {
        let locations = record_index::read(number, value)?;
        take(&locations, &mut rated);
        // A chunk that begins earlier may be longer, but not by more than a chunk.
        let first = locations.first().map_or(0, |location| location.n);
        let oldest = rated.keys().rev().nth(limit).copied().unwrap_or(0);
        Ok(oldest < first + record_index::CHUNK_RECORDS as u64)
    })?;
    let more = rated.len() > limit;
    let rated = rated.into_values().rev().take(limit);
    let mut rated: Vec<RecordLocation> = rated.collect();
    rated.reverse();
    let mut records = read_records(core, &rated)?;
    records.reverse();
    Ok(Some(RecordPage { records, more }))
}

/// A snapshot before decision `seq`, and the records from there up to the one that holds it.
pub(super) fn read_before(
    core: &Core,
    shop: &Id,
    seq: u64,
) -> Result<Option<SnapshotAndTail>, JournalError> {
    let Some(number) = offline_lookup::number(core, shop)? else {
        return Ok(None);
    };
    let header = snapshots::header(&core.store, number)?;
    let stored = header.kept.iter().copied().chain(header.state);
    let at = stored.filter(|at| at.seq < seq).max_by_key(|at| at.n);
    let (n, snapshot_seq) = at.map_or((0, 0), |at| (at.n, at.seq));
    let locations = locations(core, number, snapshot_seq, n, EXPLAINED_MAX)?;
    let locations: Vec<RecordLocation> = locations
        .into_iter()
        .take_while(|location| location.seq_before < seq)
        .collect();
    if locations.first().is_none_or(|first| first.n != n + 1) {
        return Ok(None);
    }
    let records = read_records(core, &locations)?;
    let state = at
        .map(|at| snapshots::read(&core.store, number, at))
        .transpose()?;
    Ok(Some(SnapshotAndTail { state, records }))
}

/// The records at these locations.
pub(super) fn records(
    store: &Store,
    locations: &[RecordLocation],
) -> Result<Vec<Record>, JournalError> {
    let mut records = Vec::with_capacity(locations.len().min(4096));
    let mut rest = locations;
    while let Some(first) = rest.first() {
        let block = block::holding(store, first.block)?;
        if !(block.first..block.end()).contains(&first.order) {
            let order = first.order;
            return Err(damaged(&format!(
                "record {order} is not in the block that the index names"
            )));
        }
        let inside = rest.partition_point(|location| location.order < block.end());
        let (mut here, after) = rest.split_at(inside.max(1));
        block.each(|order, body| {
            if let Some((location, others)) = here.split_first()
                && location.order == order
            {
                let record = record::read(block.form, body, order)?;
                if record.n != location.n || record.seq_before != location.seq_before {
                    return Err(damaged(&format!(
                        "record {order} is not the one that the index names"
                    )));
                }
                records.push(record);
                here = others;
            }
            Ok(!here.is_empty())
        })?;
        rest = after;
    }
    Ok(records)
}

/// The last location that begins at or before `seq`.
fn last_before(locations: &[RecordLocation], seq: u64) -> Option<RecordLocation> {
    let after = locations.partition_point(|location| location.seq_before <= seq);
    Some(locations[after.checked_sub(1)?])
}
