//! Reading what is durable: records of a shop by `seq`, those with ratings, and what explains a decision.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use super::core::Core;
use super::record_index::{self, RecordLocation};
use super::shop_numbers;
use super::store::{Store, Tree};
use super::{block, snapshots};
use crate::domain::base::id::Id;
use crate::journal::error::damaged;
use crate::journal::record::{self, Record};
use crate::journal::{JournalError, RecordPage, SnapshotAndTail};

/// Records that are decided again at most to explain one decision.
const EXPLAINED_MAX: usize = 1_000_000;

/// Places in a row.
struct Dense {
    places: Vec<RecordLocation>,
    last: u64,
    /// Whether it matters with which the row begins.
    after: bool,
    /// The first record that is missing in it.
    hole: Option<u64>,
}

impl Dense {
    /// Those after record `n`; after none, the first ones may have been dropped.
    fn after(n: u64) -> Dense {
        Dense {
            places: Vec::new(),
            last: n,
            after: n > 0,
            hole: None,
        }
    }

    fn take(&mut self, place: RecordLocation) {
        if place.n <= self.last {
            return;
        }
        if place.n != self.last + 1 && (self.after || !self.places.is_empty()) {
            self.hole = self.hole.or(Some(self.last + 1));
        }
        self.last = place.n;
        self.places.push(place);
    }
}

/// Where the records of a shop stand that come after its record `n`, when its `seq` was `seq`: dense, durable.
pub(super) fn places(
    core: &Core,
    shop: u64,
    seq: u64,
    n: u64,
    limit: usize,
) -> Result<Vec<RecordLocation>, JournalError> {
    // Memory is looked at before the index: places go from there to here, never back.
    let in_memory = places_in_memory(core, shop, n, limit);
    let first = record_index::key(shop, 0, 0);
    let from = record_index::key(shop, seq, n);
    let start = core.store.last_at(Tree::Index, &from)?;
    let start = start.filter(|(at, _)| at.starts_with(&shop.to_be_bytes()));
    let start = start.map_or(from.to_vec(), |(at, _)| at.to_vec());
    let mut dense = dense_places(core, shop, &start, n, limit)?;
    if dense.hole.is_some() {
        // A chunk that begins further back may be longer than the one that was looked at first.
        dense = dense_places(core, shop, &first, n, limit)?;
    }
    if dense.places.len() < limit {
        in_memory.into_iter().for_each(|place| dense.take(place));
    }
    if let Some(n) = dense.hole {
        return Err(damaged(&format!(
            "record {n} of shop {shop} is missing from the index"
        )));
    }
    let mut places = dense.places;
    let durable = core.durable.load(Ordering::Acquire);
    let floor = core.floor.load(Ordering::Acquire);
    places.retain(|place| (floor..=durable).contains(&place.order));
    places.truncate(limit);
    Ok(places)
}

/// The places after record `n` that the index has in chunks from this key on, until there are so many.
fn dense_places(
    core: &Core,
    shop: u64,
    from: &[u8],
    n: u64,
    limit: usize,
) -> Result<Dense, JournalError> {
    let mut dense = Dense::after(n);
    core.store.scan(Tree::Index, from, |at, value| {
        if !at.starts_with(&shop.to_be_bytes()) {
            return Ok(false);
        }
        for place in record_index::read(shop, value)? {
            dense.take(place);
        }
        Ok(dense.places.len() < limit)
    })?;
    Ok(dense)
}

/// The places after record `n` that are only in memory, or that were a moment ago; the first so many.
fn places_in_memory(core: &Core, shop: u64, n: u64, limit: usize) -> Vec<RecordLocation> {
    let tails = core.tails.lock();
    let places = tails
        .get(&shop)
        .map_or(&[][..], |tail| tail.places.as_slice());
    let after = &places[places.partition_point(|place| place.n <= n)..];
    after[..after.len().min(limit)].to_vec()
}

/// The records at these places.
pub(super) fn read_places(
    core: &Core,
    places: &[RecordLocation],
) -> Result<Vec<Record>, JournalError> {
    records(&core.store, places)
}

/// Records from the one that holds decision `seq` on.
pub(super) fn read_from(
    core: &Core,
    shop: &Id,
    seq: u64,
    limit: usize,
) -> Result<Option<RecordPage>, JournalError> {
    let Some(number) = shop_numbers::number(core, shop)? else {
        return Ok(None);
    };
    // What was decided at `seq` stands in the last record that begins before it.
    let before = seq.saturating_sub(1);
    let mut places = places_at(core, number, before, limit)?;
    let more = places.len() > limit;
    places.truncate(limit);
    let records = read_places(core, &places)?;
    Ok(Some(RecordPage { records, more }))
}

/// Places from the last that begins at or before `seq`; one more than `limit`, to see that there are more.
fn places_at(
    core: &Core,
    shop: u64,
    seq: u64,
    limit: usize,
) -> Result<Vec<RecordLocation>, JournalError> {
    let in_memory = core
        .tails
        .lock()
        .get(&shop)
        .and_then(|tail| last_before(&tail.places, seq));
    let in_memory = in_memory.map(|place| place.n);
    let at = core
        .store
        .last_at(Tree::Index, &record_index::key(shop, seq, u64::MAX))?;
    let at = at.filter(|(at, _)| at.starts_with(&shop.to_be_bytes()));
    let skip = match &at {
        Some((_, value)) => {
            last_before(&record_index::read(shop, value)?, seq).map(|place| place.n)
        }
        None => None,
    };
    let first = skip.max(in_memory).unwrap_or(1);
    places(core, shop, seq, first - 1, limit.saturating_add(1))
}

/// Records with a recorded rating of a `seq` below `before`, newest first.
pub(super) fn read_rated(
    core: &Core,
    shop: &Id,
    before: u64,
    limit: usize,
) -> Result<Option<RecordPage>, JournalError> {
    let Some(number) = shop_numbers::number(core, shop)? else {
        return Ok(None);
    };
    let (durable, floor) = (
        core.durable.load(Ordering::Acquire),
        core.floor.load(Ordering::Acquire),
    );
    let mut rated: BTreeMap<u64, RecordLocation> = BTreeMap::new();
    let take = |places: &[RecordLocation], rated: &mut BTreeMap<u64, RecordLocation>| {
        let of_page = |place: &&RecordLocation| {
            place.rated && place.seq_before + 1 < before && (floor..=durable).contains(&place.order)
        };
        rated.extend(places.iter().filter(of_page).map(|place| (place.n, *place)));
    };
    if let Some(tail) = core.tails.lock().get(&number) {
        take(&tail.places, &mut rated);
    }
    let (from, to) = (
        record_index::key(number, 0, 0),
        record_index::key(number, before, u64::MAX),
    );
    core.store.scan_back(Tree::Index, &from, &to, |_, value| {
        let places = record_index::read(number, value)?;
        take(&places, &mut rated);
        // One that begins further back may be longer, but not by more than a chunk.
        let first = places.first().map_or(0, |place| place.n);
        let oldest = rated.keys().rev().nth(limit).copied().unwrap_or(0);
        Ok(oldest < first + record_index::CHUNK_RECORDS as u64)
    })?;
    let more = rated.len() > limit;
    let rated = rated.into_values().rev().take(limit);
    let mut rated: Vec<RecordLocation> = rated.collect();
    rated.reverse();
    let mut records = read_places(core, &rated)?;
    records.reverse();
    Ok(Some(RecordPage { records, more }))
}

/// A state from before decision `seq`, and the records from there up to the one that holds it.
pub(super) fn read_before(
    core: &Core,
    shop: &Id,
    seq: u64,
) -> Result<Option<SnapshotAndTail>, JournalError> {
    let Some(number) = shop_numbers::number(core, shop)? else {
        return Ok(None);
    };
    let head = snapshots::head(&core.store, number)?;
    let stored = head.kept.iter().copied().chain(head.state);
    let at = stored.filter(|at| at.seq < seq).max_by_key(|at| at.n);
    let (n, state_seq) = at.map_or((0, 0), |at| (at.n, at.seq));
    let places = places(core, number, state_seq, n, EXPLAINED_MAX)?;
    let places: Vec<RecordLocation> = places
        .into_iter()
        .take_while(|place| place.seq_before < seq)
        .collect();
    if places.first().is_none_or(|first| first.n != n + 1) {
        return Ok(None);
    }
    let records = read_places(core, &places)?;
    let state = at
        .map(|at| snapshots::read(&core.store, number, at))
        .transpose()?;
    Ok(Some(SnapshotAndTail { state, records }))
}

/// The records at these places.
pub(super) fn records(
    store: &Store,
    places: &[RecordLocation],
) -> Result<Vec<Record>, JournalError> {
    let mut records = Vec::with_capacity(places.len().min(4096));
    let mut rest = places;
    while let Some(first) = rest.first() {
        let block = block::holding(store, first.block)?;
        if !(block.first..block.end()).contains(&first.order) {
            let order = first.order;
            return Err(damaged(&format!(
                "record {order} is not in the block that the index names"
            )));
        }
        let inside = rest.partition_point(|place| place.order < block.end());
        let (mut wanted, after) = rest.split_at(inside.max(1));
        block.each(|order, body| {
            if let Some((place, others)) = wanted.split_first()
                && place.order == order
            {
                let record = record::read(block.form, body, order)?;
                if record.n != place.n || record.seq_before != place.seq_before {
                    return Err(damaged(&format!(
                        "record {order} is not the one that the index names"
                    )));
                }
                records.push(record);
                wanted = others;
            }
            Ok(!wanted.is_empty())
        })?;
        rest = after;
    }
    Ok(records)
}

/// The last place that begins at or before `seq`.
fn last_before(places: &[RecordLocation], seq: u64) -> Option<RecordLocation> {
    let after = places.partition_point(|place| place.seq_before <= seq);
    Some(places[after.checked_sub(1)?])
}
