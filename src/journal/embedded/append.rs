//! Appending: puts a record, a snapshot or a callback into the queue of the next commit.

use std::cell::RefCell;
use std::sync::atomic::Ordering;

use super::append_queue::{PendingRecord, SnapshotWrite};
use super::commit;
use super::core::Core;
use super::record_index::RecordLocation;
use crate::domain::base::time::Instant;
use crate::journal::record::{self, NewRecord, RecordKind};
use crate::journal::{Fenced, FencingToken, JournalFull, OnDurable, Snapshot};

/// The most bytes of records that wait for the next commit.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

thread_local! {
    /// The frame of the record that this thread appends. It is built before the queue is locked, so that the lock is
    /// held for a short time.
    static FRAME: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Puts a record into the next commit. Returns its order.
pub(super) fn append(
    core: &Core,
    owner: FencingToken,
    entry: &NewRecord<'_>,
    done: Option<OnDurable>,
) -> Result<u64, Fenced> {
    FRAME.with_borrow_mut(|frame| {
        frame.clear();
        record::write(owner.shop, entry, frame);
        enqueue(core, owner, entry, frame, done)
    })
}

fn enqueue(
    core: &Core,
    owner: FencingToken,
    entry: &NewRecord<'_>,
    frame: &[u8],
    done: Option<OnDurable>,
) -> Result<u64, Fenced> {
    let mut queue = core.queue.lock();
    match queue.owners.get_mut(&owner.shop) {
        Some(owned) if owned.epoch == owner.epoch && owned.next_n == entry.n => {
            owned.next_n += 1;
        }
        Some(_) | None => return Err(Fenced),
    }
    let order = queue.next_order;
    queue.next_order += 1;
    if entry.kind == RecordKind::Created {
        queue.creating.insert(entry.shop.clone(), owner.shop);
    }
    let batch = &mut queue.next;
    let idle = batch.is_empty();
    batch.frames.extend_from_slice(frame);
    batch.ends.push(batch.frames.len());
    core.waiting_bytes.fetch_add(frame.len(), Ordering::Relaxed);
    let named = matches!(entry.kind, RecordKind::Created | RecordKind::Removed);
    batch.records.push(PendingRecord {
        shop: owner.shop,
        location: RecordLocation {
            n: entry.n,
            order,
            // Set when the block is written.
            block: 0,
            seq_before: entry.seq_before,
            rated: entry.rated,
        },
        at: entry.at,
        due: entry.due,
        kind: entry.kind,
        id: named.then(|| entry.shop.clone()),
    });
    batch.touched.insert(owner.shop);
    batch.callbacks.extend(done);
    drop(queue);
    if idle {
        core.appended.notify_one();
    }
    Ok(order)
}

/// Whether there is room for one more record, in memory and on disk.
pub(super) fn has_room(core: &Core) -> Result<(), JournalFull> {
    // Every commit checks the free space. Without one in progress, another program may have filled the disk.
    if core.waiting_bytes.load(Ordering::Relaxed) == 0 {
        commit::check_free_space(core);
    }
    if core.disk_full.load(Ordering::Relaxed) {
        return Err(JournalFull::Disk);
    }
    if core.waiting_bytes.load(Ordering::Relaxed) > WAITING_BYTES_MAX {
        return Err(JournalFull::Memory);
    }
    Ok(())
}

/// Calls `done` once the record of this order is durable.
pub(super) fn call_when_durable(core: &Core, order: u64, done: OnDurable) {
    if core.durable.load(Ordering::Acquire) >= order {
        return done();
    }
    let mut queue = core.queue.lock();
    if core.durable.load(Ordering::Acquire) >= order {
        drop(queue);
        return done();
    }
    if order <= queue.committing_until {
        queue.committing_callbacks.push(done);
    } else {
        queue.next.callbacks.push(done);
    }
}

/// Waits for the commit in progress. Returns the number of the next block after it.
pub(super) fn wait_for_commit(core: &Core) -> u64 {
    let mut queue = core.queue.lock();
    while !queue.committing.is_empty() {
        queue = queue.wait(&core.committed);
    }
    core.next_block.load(Ordering::Acquire)
}

/// The backup is copied: snapshots that were deferred go into the next commit.
pub(super) fn requeue_deferred(core: &Core) {
    let mut queue = core.queue.lock();
    let waiting = core.deferred_snapshots.lock().take().unwrap_or_default();
    queue
        .next
        .touched
        .extend(waiting.iter().map(|put| put.owner.shop));
    queue.next.snapshots.splice(0..0, waiting);
    drop(queue);
    core.appended.notify_one();
}

/// Puts a snapshot into the next commit.
pub(super) fn append_snapshot(
    core: &Core,
    owner: FencingToken,
    state: Snapshot,
    due: Option<Instant>,
) {
    let mut queue = core.queue.lock();
    let owned = queue.owners.get(&owner.shop);
    if owned.is_none_or(|owned| owned.epoch != owner.epoch) {
        return;
    }
    queue.next.touched.insert(owner.shop);
    queue
        .next
        .snapshots
        .push(SnapshotWrite { owner, state, due });
    drop(queue);
    core.appended.notify_one();
}
