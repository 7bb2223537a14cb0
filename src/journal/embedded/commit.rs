//! The commit: writes what was appended, makes it durable with one sync, and only then calls the callbacks. This is
//! the only file that calls a record durable.
//!
//! One thread commits. Records that arrive meanwhile go into the next commit (group commit). A failure is final.

use std::sync::atomic::Ordering;

use super::append_queue::{Batch, PendingRecord, SnapshotWrite};
use super::block;
use super::core::Core;
use super::deletion::Removal;
use super::record_index::{self, DueChange, Tail};
use super::shop_metadata;
use super::snapshots::{self, SnapshotHeader, SnapshotLocation};
use super::store::{Changes, Tree};
use super::watchdog::Task;
use super::watermark::CommitEnd;
use super::watermark::HighWaterMark;
use crate::env::Stopwatch;
use crate::journal::record::{FORM, RecordKind};
use crate::journal::{JournalError, Snapshot};

/// How many block keys are preallocated at once.
const PREALLOCATED_KEYS: u64 = 256;

/// The commit thread: runs until the journal is closed and the queue is empty.
///
/// Where the last commit had more than one caller, more are likely to come soon, so the thread lingers and one sync
/// serves them all. A lone request is committed at once.
pub(super) fn run(core: &Core) {
    let mut lingers = false;
    loop {
        let mut queue = core.queue.lock();
        while queue.next.is_empty() && !queue.closing {
            queue = queue.wait(&core.appended);
        }
        if queue.next.is_empty() {
            drop(queue);
            core.committed.notify_all();
            return;
        }
        if lingers && !queue.closing {
            drop(queue);
            std::thread::sleep(core.linger);
            queue = core.queue.lock();
        }
        let spare = std::mem::take(&mut queue.spare);
        let mut batch = std::mem::replace(&mut queue.next, spare);
        queue.committing.clone_from(&batch.touched);
        queue.committing_until = queue.next_order - 1;
        drop(queue);
        lingers = !core.linger.is_zero() && batch.callbacks.len() > 1;
        // The callers of a failed commit get no answer: its outcome is unknown.
        let callbacks = std::mem::take(&mut batch.callbacks);
        let committed = core
            .store
            .watched(Task::Commit, |_| commit(core, &mut batch));
        match committed {
            Ok(()) => {}
            Err(error) => core.fail_stop.stop(&format!(
                "a commit could not be made durable, so the server stops: {error}. \
                 Everything that was answered is stored. Check the disk, then start again"
            )),
        };
        let mut queue = core.queue.lock();
        core.waiting_bytes
            .store(queue.next.frames.len(), Ordering::Relaxed);
        queue.committing.clear();
        queue.spare = batch.emptied();
        let late = std::mem::take(&mut queue.committing_callbacks);
        drop(queue);
        core.committed.notify_all();
        for done in callbacks.into_iter().chain(late) {
            done();
        }
    }
}

/// Writes one batch and makes it durable.
fn commit(core: &Core, batch: &mut Batch) -> Result<(), JournalError> {
    let stopwatch = Stopwatch::start();
    let records = batch.ends.len();
    if let (Some(first), Some(last)) = (batch.records.first(), batch.records.last()) {
        let (first, reach) = (
            first.location.order,
            HighWaterMark {
                order: last.location.order,
                at: last.at,
            },
        );
        let mut changes = Changes::default();
        let next = core.next_block.load(Ordering::Relaxed);
        let records = &mut batch.records;
        let placed = |index: usize, number| records[index].location.block = number;
        let frames = block::Frames {
            form: FORM,
            first,
            bytes: &batch.frames,
            ends: &batch.ends,
        };
        let after = block::write(next, frames, &mut changes, placed);
        preallocate_keys(core, after)?;
        core.store.apply(Tree::Journal, changes)?;
        core.next_block.store(after, Ordering::Release);
        apply_names(core, &batch.records)?;
        add_locations(core, &mut batch.records);
        write_snapshots(core, std::mem::take(&mut batch.snapshots))?;
        let kept = shop_metadata::write_all(core, std::mem::take(&mut batch.metadata))?;
        core.store.sync()?;
        set_watermark(core, Some(reach), kept)?;
        *core.last_commit.lock() = CommitEnd {
            order: reach.order,
            block: after - 1,
        };
        core.durable.store(reach.order, Ordering::Release);
    } else {
        let changed = !batch.snapshots.is_empty() || !batch.metadata.is_empty();
        write_snapshots(core, std::mem::take(&mut batch.snapshots))?;
        let kept = shop_metadata::write_all(core, std::mem::take(&mut batch.metadata))?;
        if changed {
            core.store.sync()?;
        }
        if kept.is_some() {
            set_watermark(core, None, kept)?;
        }
    }
    check_free_space(core);
    core.observer
        .committed(records, batch.frames.len(), stopwatch.micros());
    Ok(())
}

fn set_watermark(
    core: &Core,
    reach: Option<HighWaterMark>,
    kept: Option<u32>,
) -> Result<(), JournalError> {
    let set = core.watermark.set(reach, kept);
    set.map_err(|error| core.store.has_failed("the file `mark`", &error))
}

/// Preallocates keys for the blocks that are about to be written.
fn preallocate_keys(core: &Core, after: u64) -> Result<(), JournalError> {
    let laid = core.preallocated_until.load(Ordering::Relaxed);
    if after <= laid {
        return Ok(());
    }
    let mut changes = Changes::default();
    block::preallocate(laid..after + PREALLOCATED_KEYS, &mut changes);
    core.preallocated_until
        .store(after + PREALLOCATED_KEYS, Ordering::Relaxed);
    core.store.apply(Tree::Journal, changes)
}

/// Applies the creation and deletion of shops by these records.
fn apply_names(core: &Core, records: &[PendingRecord]) -> Result<(), JournalError> {
    let mut names = Changes::default();
    let (mut created, mut removed) = (Vec::new(), Vec::new());
    for of_shop in records {
        let Some(id) = &of_shop.id else { continue };
        if of_shop.kind == RecordKind::Created {
            snapshots::write_name(id, of_shop.shop, &mut names);
            created.push(id.clone());
        } else {
            removed.push((of_shop.shop, id));
        }
    }
    if created.is_empty() && removed.is_empty() {
        return Ok(());
    }
    core.store.apply(Tree::Names, names)?;
    let mut removal = Removal::default();
    for (shop, id) in removed {
        removal.add(&core.store, shop, Some(id))?;
        core.removed_shops.lock().push(shop);
    }
    removal.apply(&core.store)?;
    let mut queue = core.queue.lock();
    for id in created {
        queue.creating.remove(&id);
    }
    Ok(())
}

fn add_locations(core: &Core, records: &mut Vec<PendingRecord>) {
    let mut tails = core.tails.lock();
    for of_shop in records.drain(..) {
        if of_shop.kind == RecordKind::Removed {
            tails.remove(&of_shop.shop);
            continue;
        }
        let tail: &mut Tail = tails.entry(of_shop.shop).or_default();
        if tail.id.is_none() {
            tail.id = of_shop.id;
        }
        tail.locations.push(of_shop.location);
        tail.due = DueChange::Known(of_shop.due);
    }
}

/// Writes snapshots. During a backup they are deferred, so that the copy is consistent.
pub(super) fn write_snapshots(core: &Core, writes: Vec<SnapshotWrite>) -> Result<(), JournalError> {
    let mut deferred = core.deferred_snapshots.lock();
    if let Some(deferred) = deferred.as_mut() {
        deferred.extend(writes);
        return Ok(());
    }
    for write in writes {
        write_snapshot(core, write)?;
    }
    Ok(())
}

/// Writes a snapshot. Locations of the shop's records move from memory to the index.
fn write_snapshot(core: &Core, write: SnapshotWrite) -> Result<(), JournalError> {
    let shop = write.owner.shop;
    let (mut index, mut journal, mut headers) =
        (Changes::default(), Changes::default(), Changes::default());
    // A snapshot that the header no longer names is removed after the header has changed: a crash may come between any
    // two trees.
    let mut gone = Changes::default();
    let mut tails = core.tails.lock();
    let mut header = header(core, shop, tails.get(&shop))?;
    if header.id.is_empty() {
        // The shop was deleted before its snapshot was written.
        return Ok(());
    }
    let mut order = header.not_needed();
    let mut rest = None;
    if let Some(tail) = tails.get_mut(&shop) {
        tail.index(shop, &mut index);
        let taken = tail
            .locations
            .partition_point(|location| location.n <= write.state.n);
        order = tail.locations[..taken]
            .last()
            .map_or(order, |location| location.order);
        header.n = tail
            .locations
            .last()
            .map_or(header.n, |location| location.n);
        tail.locations.drain(..taken);
        rest = Some((header.n, tail.due)).filter(|_| !tail.locations.is_empty());
        tail.indexed = tail.locations.len();
        if tail.locations.is_empty() {
            tails.remove(&shop);
        }
    }
    let Snapshot { n, seq, bytes } = write.state;
    let first = core.next_block.load(Ordering::Relaxed);
    let pieces = block::write_snapshot_blocks(first, shop, &bytes, &mut journal);
    let after = first + u64::from(pieces);
    let state = SnapshotLocation {
        n,
        seq,
        order,
        block: first,
        pieces,
    };
    snapshots::replace_latest(&mut header, state, &mut gone);
    let (n, due) = rest.unwrap_or((n, DueChange::Known(write.due)));
    header.set_due(n, due);
    drop_trimmed(core, shop, &mut header, &mut index, &mut gone)?;
    snapshots::write_header(shop, &header, &mut headers);
    preallocate_keys(core, after)?;
    core.store.apply(Tree::Journal, journal)?;
    core.next_block.store(after, Ordering::Release);
    core.store.apply(Tree::Index, index)?;
    // Still under the lock of the tails: the compaction thread writes headers too.
    core.store.apply(Tree::Headers, headers)?;
    core.store.apply(Tree::Journal, gone)
}

/// A shop's header. A shop without one gets a new header, which needs nothing before the shop's first record.
pub(super) fn header(
    core: &Core,
    shop: u64,
    tail: Option<&Tail>,
) -> Result<SnapshotHeader, JournalError> {
    let mut header = snapshots::header(&core.store, shop)?;
    if let Some(tail) = tail.filter(|_| header.id.is_empty())
        && let (Some(id), Some(first)) = (&tail.id, tail.locations.first())
    {
        header.id = id.to_string();
        header.before_first = first.order - 1;
    }
    Ok(header)
}

/// Removes older snapshots and index chunks of records that were trimmed.
fn drop_trimmed(
    core: &Core,
    shop: u64,
    header: &mut SnapshotHeader,
    index: &mut Changes,
    journal: &mut Changes,
) -> Result<(), JournalError> {
    let floor = core.floor.load(Ordering::Acquire);
    if floor <= 1 {
        return Ok(());
    }
    let gone = header.kept.partition_point(|kept| kept.order < floor);
    for kept in header.kept.drain(..gone) {
        snapshots::remove(kept, journal);
    }
    core.store
        .scan(Tree::Index, &shop.to_be_bytes(), |at, value| {
            let of_it = at.starts_with(&shop.to_be_bytes());
            let old = of_it
                && record_index::read(shop, value)?
                    .last()
                    .is_none_or(|last| last.order < floor);
            if old {
                index.remove(at);
            }
            Ok(old)
        })
}

/// Checks whether the disk is nearly full.
pub(super) fn check_free_space(core: &Core) {
    let full = core.folder.free_bytes() < core.reserve_bytes;
    core.disk_full.store(full, Ordering::Relaxed);
}
