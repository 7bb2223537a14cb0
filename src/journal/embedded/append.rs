//! Appending: a record, a snapshot or a callback goes into the queue, and with the next commit.

use std::cell::RefCell;
use std::sync::atomic::Ordering;

use super::append_queue::{PendingRecord, SnapshotWrite};
use super::commit;
use super::core::Core;
use super::record_index::RecordLocation;
use crate::domain::base::time::Instant;
use crate::journal::record::{self, NewRecord, RecordKind};
use crate::journal::{Fenced, FencingToken, NoRoom, OnDurable, Snapshot};

/// Bytes that may wait for the next commit.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

thread_local! {
    /// The record that this thread appends: written before the line is held, so that nobody waits for it.
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Puts a record into the next commit.
pub(super) fn gather(
    core: &Core,
    owner: FencingToken,
    entry: &NewRecord<'_>,
    done: Option<OnDurable>,
) -> Result<u64, Fenced> {
    WRITTEN.with_borrow_mut(|frame| {
        frame.clear();
        record::write(owner.shop, entry, frame);
        put_in_line(core, owner, entry, frame, done)
    })
}

fn put_in_line(
    core: &Core,
    owner: FencingToken,
    entry: &NewRecord<'_>,
    frame: &[u8],
    done: Option<OnDurable>,
) -> Result<u64, Fenced> {
    let mut line = core.line.lock();
    match line.owners.get_mut(&owner.shop) {
        Some(owned) if owned.epoch == owner.epoch && owned.next_n == entry.n => {
            owned.next_n += 1;
        }
        Some(_) | None => return Err(Fenced),
    }
    let order = line.next_order;
    line.next_order += 1;
    if entry.kind == RecordKind::Created {
        line.creating.insert(entry.shop.clone(), owner.shop);
    }
    let batch = &mut line.next;
    let idle = batch.is_empty();
    batch.frames.extend_from_slice(frame);
    batch.ends.push(batch.frames.len());
    core.waiting_bytes.fetch_add(frame.len(), Ordering::Relaxed);
    let named = matches!(entry.kind, RecordKind::Created | RecordKind::Removed);
    batch.gathered.push(PendingRecord {
        shop: owner.shop,
        place: RecordLocation {
            n: entry.n,
            order,
            // Known when it is written.
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
    batch.dones.extend(done);
    drop(line);
    if idle {
        core.work.notify_one();
    }
    Ok(order)
}

/// Whether there is room for one more, in memory and on disk.
pub(super) fn has_room(core: &Core) -> Result<(), NoRoom> {
    // Every commit looks at the disk. Where none is on its way, others may have filled it meanwhile.
    if core.waiting_bytes.load(Ordering::Relaxed) == 0 {
        commit::look_at_the_disk(core);
    }
    if core.full.load(Ordering::Relaxed) {
        return Err(NoRoom::Disk);
    }
    if core.waiting_bytes.load(Ordering::Relaxed) > WAITING_BYTES_MAX {
        return Err(NoRoom::Memory);
    }
    Ok(())
}

/// Calls `done` once the record of this order is durable.
pub(super) fn call_when_durable(core: &Core, order: u64, done: OnDurable) {
    if core.durable.load(Ordering::Acquire) >= order {
        return done();
    }
    let mut line = core.line.lock();
    if core.durable.load(Ordering::Acquire) >= order {
        drop(line);
        return done();
    }
    if order <= line.committing_until {
        line.committing_dones.push(done);
    } else {
        line.next.dones.push(done);
    }
}

/// Waits for the commit that is under way; the number after the last block that is written then.
pub(super) fn settled_blocks(core: &Core) -> u64 {
    let mut line = core.line.lock();
    while !line.committing.is_empty() {
        line = line.wait(&core.committed);
    }
    core.next_block.load(Ordering::Acquire)
}

/// The copy is made: the states that waited for it come with the next commit.
pub(super) fn gather_again(core: &Core) {
    let mut line = core.line.lock();
    let waiting = core.copying.lock().take().unwrap_or_default();
    line.next
        .touched
        .extend(waiting.iter().map(|put| put.owner.shop));
    line.next.puts.splice(0..0, waiting);
    drop(line);
    core.work.notify_one();
}

/// Puts a state into the next commit.
pub(super) fn gather_state(
    core: &Core,
    owner: FencingToken,
    state: Snapshot,
    due: Option<Instant>,
) {
    let mut line = core.line.lock();
    let owned = line.owners.get(&owner.shop);
    if owned.is_none_or(|owned| owned.epoch != owner.epoch) {
        return;
    }
    line.next.touched.insert(owner.shop);
    line.next.puts.push(SnapshotWrite { owner, state, due });
    drop(line);
    core.work.notify_one();
}
