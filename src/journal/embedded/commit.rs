//! The commit: what was appended is written in one piece, made durable, and only then called done. The one file that
//! says *durable*.
//!
//! One thread commits; while it does, the next commit gathers (group commit). What fails here is final.

use std::sync::atomic::Ordering;

use super::append_queue::{Batch, PendingRecord, SnapshotWrite};
use super::block;
use super::core::Core;
use super::deletion::Removal;
use super::metadata;
use super::record_index::{self, DueChange, Tail};
use super::snapshots::{self, SnapshotHeader, StateAt};
use super::store::{Changes, Tree};
use super::watchdog::Task;
use super::watermark::CommitEnd;
use super::watermark::HighWaterMark;
use crate::env::Stopwatch;
use crate::journal::record::{FORM, RecordKind};
use crate::journal::{JournalError, Snapshot};

/// Keys of blocks that are laid at once.
const LAID_AHEAD: u64 = 256;

/// The commit thread: until the journal is closed and nothing waits.
///
/// Where more than one came together the last time, more are likely to come in a moment: then it lingers, so that
/// one sync serves them all. A lone request is committed at once.
pub(super) fn commit_all(core: &Core) {
    let mut lingers = false;
    loop {
        let mut line = core.line.lock();
        while line.next.is_empty() && !line.closing {
            line = line.wait(&core.work);
        }
        if line.next.is_empty() {
            drop(line);
            core.committed.notify_all();
            return;
        }
        if lingers && !line.closing {
            drop(line);
            std::thread::sleep(core.linger);
            line = core.line.lock();
        }
        let spare = std::mem::take(&mut line.spare);
        let mut batch = std::mem::replace(&mut line.next, spare);
        line.committing.clone_from(&batch.touched);
        line.committing_until = line.next_order - 1;
        drop(line);
        lingers = !core.linger.is_zero() && batch.dones.len() > 1;
        // A failed commit is not reported to those that wait: its outcome is unknown.
        let dones = std::mem::take(&mut batch.dones);
        let committed = core
            .store
            .watched(Task::Commit, |_| commit(core, &mut batch));
        match committed {
            Ok(()) => {}
            Err(error) => core.fate.stop(&format!(
                "what was taken could not be made durable, so nothing more is answered: {error}. \
                 What was answered before is safe; look at the disk, then start again"
            )),
        };
        let mut line = core.line.lock();
        core.waiting_bytes
            .store(line.next.frames.len(), Ordering::Relaxed);
        line.committing.clear();
        line.spare = batch.emptied();
        let late = std::mem::take(&mut line.committing_dones);
        drop(line);
        core.committed.notify_all();
        for done in dones.into_iter().chain(late) {
            done();
        }
    }
}

/// Writes one batch and makes it durable.
fn commit(core: &Core, batch: &mut Batch) -> Result<(), JournalError> {
    let watch = Stopwatch::start();
    let records = batch.ends.len();
    if let (Some(first), Some(last)) = (batch.gathered.first(), batch.gathered.last()) {
        let (first, reach) = (
            first.place.order,
            HighWaterMark {
                order: last.place.order,
                at: last.at,
            },
        );
        let mut changes = Changes::default();
        let next = core.next_block.load(Ordering::Relaxed);
        let gathered = &mut batch.gathered;
        let placed = |index: usize, number| gathered[index].place.block = number;
        let frames = block::Frames {
            form: FORM,
            first,
            bytes: &batch.frames,
            ends: &batch.ends,
        };
        let after = block::write(next, frames, &mut changes, placed);
        lay_until(core, after)?;
        core.store.apply(Tree::Journal, changes)?;
        core.next_block.store(after, Ordering::Release);
        take_names(core, &batch.gathered)?;
        take_places(core, &mut batch.gathered);
        put_all(core, std::mem::take(&mut batch.puts))?;
        let kept = metadata::keep_all(core, std::mem::take(&mut batch.keeps))?;
        core.store.sync()?;
        set_mark(core, Some(reach), kept)?;
        *core.last_commit.lock() = CommitEnd {
            order: reach.order,
            block: after - 1,
        };
        core.durable.store(reach.order, Ordering::Release);
    } else {
        let changed = !batch.puts.is_empty() || !batch.keeps.is_empty();
        put_all(core, std::mem::take(&mut batch.puts))?;
        let kept = metadata::keep_all(core, std::mem::take(&mut batch.keeps))?;
        if changed {
            core.store.sync()?;
        }
        if kept.is_some() {
            set_mark(core, None, kept)?;
        }
    }
    look_at_the_disk(core);
    core.watch
        .committed(records, batch.frames.len(), watch.micros());
    Ok(())
}

fn set_mark(
    core: &Core,
    reach: Option<HighWaterMark>,
    kept: Option<u32>,
) -> Result<(), JournalError> {
    let set = core.mark.set(reach, kept);
    set.map_err(|error| core.store.has_failed("the mark", &error))
}

/// Lays keys ahead of the blocks that are about to be written.
fn lay_until(core: &Core, after: u64) -> Result<(), JournalError> {
    let laid = core.laid_until.load(Ordering::Relaxed);
    if after <= laid {
        return Ok(());
    }
    let mut changes = Changes::default();
    block::lay(laid..after + LAID_AHEAD, &mut changes);
    core.laid_until.store(after + LAID_AHEAD, Ordering::Relaxed);
    core.store.apply(Tree::Journal, changes)
}

/// Shops that came to be or were taken away with these records.
fn take_names(core: &Core, gathered: &[PendingRecord]) -> Result<(), JournalError> {
    let mut names = Changes::default();
    let (mut created, mut removed) = (Vec::new(), Vec::new());
    for of_shop in gathered {
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
        core.dead.lock().push(shop);
    }
    removal.apply(&core.store)?;
    let mut line = core.line.lock();
    for id in created {
        line.creating.remove(&id);
    }
    Ok(())
}

fn take_places(core: &Core, gathered: &mut Vec<PendingRecord>) {
    let mut tails = core.tails.lock();
    for of_shop in gathered.drain(..) {
        if of_shop.kind == RecordKind::Removed {
            tails.remove(&of_shop.shop);
            continue;
        }
        let tail: &mut Tail = tails.entry(of_shop.shop).or_default();
        if tail.id.is_none() {
            tail.id = of_shop.id;
        }
        tail.places.push(of_shop.place);
        tail.due = DueChange::Known(of_shop.due);
    }
}

/// Keeps states; while a copy is being made they wait, so that what is copied fits together.
pub(super) fn put_all(core: &Core, puts: Vec<SnapshotWrite>) -> Result<(), JournalError> {
    let mut copying = core.copying.lock();
    if let Some(waiting) = copying.as_mut() {
        waiting.extend(puts);
        return Ok(());
    }
    for put in puts {
        put_one(core, put)?;
    }
    Ok(())
}

/// Keeps a state: its records go to the index, and out of memory.
fn put_one(core: &Core, put: SnapshotWrite) -> Result<(), JournalError> {
    let shop = put.owner.shop;
    let (mut index, mut journal, mut heads) =
        (Changes::default(), Changes::default(), Changes::default());
    // What the head of before leads to goes after the head has changed: a crash may come between any two trees.
    let mut gone = Changes::default();
    let mut tails = core.tails.lock();
    let mut head = head(core, shop, tails.get(&shop))?;
    if head.id.is_empty() {
        // The shop was taken away before its state came.
        return Ok(());
    }
    let mut order = head.not_needed();
    let mut rest = None;
    if let Some(tail) = tails.get_mut(&shop) {
        tail.index(shop, &mut index);
        let taken = tail.places.partition_point(|place| place.n <= put.state.n);
        order = tail.places[..taken]
            .last()
            .map_or(order, |place| place.order);
        head.n = tail.places.last().map_or(head.n, |place| place.n);
        tail.places.drain(..taken);
        rest = Some((head.n, tail.due)).filter(|_| !tail.places.is_empty());
        tail.indexed = tail.places.len();
        if tail.places.is_empty() {
            tails.remove(&shop);
        }
    }
    let Snapshot { n, seq, bytes } = put.state;
    let first = core.next_block.load(Ordering::Relaxed);
    let pieces = block::write_state(first, shop, &bytes, &mut journal);
    let after = first + u64::from(pieces);
    let state = StateAt {
        n,
        seq,
        order,
        block: first,
        pieces,
    };
    snapshots::succeed(&mut head, state, &mut gone);
    let (n, due) = rest.unwrap_or((n, DueChange::Known(put.due)));
    head.set_due(n, due);
    let_go(core, shop, &mut head, &mut index, &mut gone)?;
    snapshots::write_head(shop, &head, &mut heads);
    lay_until(core, after)?;
    core.store.apply(Tree::Journal, journal)?;
    core.next_block.store(after, Ordering::Release);
    core.store.apply(Tree::Index, index)?;
    // Still under the lock of the tails: the compaction thread writes headers too.
    core.store.apply(Tree::Heads, heads)?;
    core.store.apply(Tree::Journal, gone)
}

/// A shop's head, a new one where it has none yet: then nothing before its first record is needed.
pub(super) fn head(
    core: &Core,
    shop: u64,
    tail: Option<&Tail>,
) -> Result<SnapshotHeader, JournalError> {
    let mut head = snapshots::head(&core.store, shop)?;
    if let Some(tail) = tail.filter(|_| head.id.is_empty())
        && let (Some(id), Some(first)) = (&tail.id, tail.places.first())
    {
        head.id = id.to_string();
        head.before_first = first.order - 1;
    }
    Ok(head)
}

/// What is kept of records that have been trimmed goes too.
fn let_go(
    core: &Core,
    shop: u64,
    head: &mut SnapshotHeader,
    index: &mut Changes,
    journal: &mut Changes,
) -> Result<(), JournalError> {
    let floor = core.floor.load(Ordering::Acquire);
    if floor <= 1 {
        return Ok(());
    }
    let gone = head.kept.partition_point(|kept| kept.order < floor);
    for kept in head.kept.drain(..gone) {
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

/// Whether the disk is nearly full.
pub(super) fn look_at_the_disk(core: &Core) {
    let full = core.folder.free_bytes() < core.reserve_bytes;
    core.full.store(full, Ordering::Relaxed);
}
