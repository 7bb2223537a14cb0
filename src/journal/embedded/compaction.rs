//! Upkeep: what keeps the next start quick and the folder small, off everybody's way.
//!
//! A *checkpoint* puts the places of all records into the index and keeps the ledger's state, so that a start reads
//! only what came after. Small blocks are *merged* into large ones, so that the journal has few keys; and what is
//! older than the retention is *trimmed*, a block at a time, as far as no shop needs it to come back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::checkpoint_notes::{CheckpointNotes, ledger_key};
use super::commit;
use super::core::Core;
use super::deletion::bury;
use super::store::{Changes, Tree};
use super::watchdog::Task;
use super::watermark::CommitEnd;
use super::{block, snapshots};
use crate::journal::JournalError;

/// The nice value of the compaction thread; on Linux it belongs to the thread.
const NICE: i32 = 10;

/// How often the disk is looked at, and the chores.
const TICK: Duration = Duration::from_secs(1);

/// Shops whose places are put into the index under one lock.
const SHOPS_AT_ONCE: usize = 256;

/// Blocks of fewer bytes are merged with their neighbours.
const SMALL_BYTES: usize = block::RECORDS_BYTES_MAX / 8;

/// Blocks that are trimmed at one checkpoint at most.
const TRIMMED_MAX: usize = 20_000;

/// Ticks after which old blocks are looked for although little happens.
const TRIM_TICKS: u32 = 3600;

/// The compaction thread: runs until the journal is closed, and ends with a last checkpoint.
pub(super) fn keep_up(core: &Core) {
    // Those who answer come first. Where that may not be said, it is only less smooth.
    rustix::process::setpriority_process(None, NICE).ok();
    let mut ticks = 0;
    loop {
        let stop = {
            let still = core.still.lock();
            if *still {
                true
            } else {
                *still.wait_at_most(&core.chores, TICK)
            }
        };
        if stop {
            // The last commit comes first.
            let mut line = core.line.lock();
            while !line.is_over() {
                line = line.wait_at_most(&core.committed, TICK);
            }
        }
        commit::look_at_the_disk(core);
        ticks += 1;
        let behind = core.durable.load(Ordering::Acquire) - core.checkpoint.load(Ordering::Acquire);
        if behind >= core.checkpoint_records || ticks >= TRIM_TICKS || stop {
            ticks = 0;
            let done = take_checkpoint(core, !stop);
            if let Err(error) = done {
                core.fate.stop(&format!(
                    "the journal's upkeep failed, so nothing more is answered: {error}"
                ));
            }
        }
        if stop {
            return;
        }
    }
}

/// Takes a checkpoint; with `all`, also merges and trims.
pub(super) fn take_checkpoint(core: &Core, all: bool) -> Result<(), JournalError> {
    // A backup holds it as long as its reader takes, so the watch begins after.
    let still = core.still.lock();
    let taken = core
        .store
        .watched(Task::Upkeep, |_| write_checkpoint(core, all));
    drop(still);
    if taken? {
        core.watch.stored(core.store.bytes());
        core.folder.lay_ballast();
    }
    Ok(())
}

/// Whether there was one to take.
fn write_checkpoint(core: &Core, all: bool) -> Result<bool, JournalError> {
    let CommitEnd {
        order: until,
        block,
    } = *core.last_commit.lock();
    let next_shop = core.line.lock().next_shop;
    // What is booked is read again from the records that no checkpoint has passed: where nobody gives the ledger's
    // state, as in a command that only copies the folder, none is taken.
    let Some(ledger) = core.ledger_state() else {
        return Ok(false);
    };
    bury_dead(core)?;
    index_all(core)?;
    let mut notes = CheckpointNotes::read(&core.store)?;
    notes.ledger += 1;
    let generation = notes.ledger;
    let mut parts = Changes::default();
    snapshots::write_parts(&ledger, |part| ledger_key(generation, part), &mut parts);
    core.store.apply(Tree::Ledger, parts)?;
    (notes.checkpoint, notes.checkpoint_block) = (until, block);
    notes.next_shop = next_shop;
    if all {
        // The block that the stored notes name must stay as it is until others are named: a commit beside this makes
        // durable what has been written by then, and no more may come.
        notes.write(&core.store)?;
        merge(core, &mut notes)?;
        trim(core, &mut notes)?;
    }
    notes.write(&core.store)?;
    forget_ledgers(core, notes.ledger)?;
    core.store.sync()?;
    let synced = core.mark.sync();
    synced.map_err(|error| core.store.has_failed("the mark", &error))?;
    core.checkpoint.store(until, Ordering::Release);
    core.floor.store(notes.floor, Ordering::Release);
    Ok(true)
}

/// What was kept of shops that were taken away goes.
fn bury_dead(core: &Core) -> Result<(), JournalError> {
    let dead = std::mem::take(&mut *core.dead.lock());
    for shop in dead {
        bury(&core.store, shop)?;
    }
    Ok(())
}

/// Puts all places that are only in memory into the index.
fn index_all(core: &Core) -> Result<(), JournalError> {
    let shops: Vec<u64> = {
        let tails = core.tails.lock();
        let behind = tails
            .iter()
            .filter(|(_, tail)| tail.indexed < tail.places.len());
        behind.map(|(&shop, _)| shop).collect()
    };
    for shops in shops.chunks(SHOPS_AT_ONCE) {
        let (mut index, mut heads) = (Changes::default(), Changes::default());
        let mut tails = core.tails.lock();
        for &shop in shops {
            let Some(tail) = tails.get_mut(&shop) else {
                continue;
            };
            tail.index(shop, &mut index);
            let mut head = commit::head(core, shop, Some(tail))?;
            head.n = tail.places.last().map_or(head.n, |place| place.n);
            head.set_due(head.n, tail.due);
            snapshots::write_head(shop, &head, &mut heads);
        }
        // Under the lock, so that a state that comes now finds the head as it is here.
        core.store.apply(Tree::Index, index)?;
        core.store.apply(Tree::Heads, heads)?;
    }
    Ok(())
}

fn forget_ledgers(core: &Core, keep: u64) -> Result<(), JournalError> {
    let mut changes = Changes::default();
    core.store.scan(Tree::Ledger, b"", |at, _| {
        let old = at < &ledger_key(keep, 0)[..];
        if old {
            changes.remove(at);
        }
        Ok(old)
    })?;
    core.store.apply(Tree::Ledger, changes)
}

/// Puts small blocks that follow each other together.
fn merge(core: &Core, notes: &mut CheckpointNotes) -> Result<(), JournalError> {
    let from = notes.merged + 1;
    let mut run = Run::default();
    let mut torn = |_| {};
    block::scan(&core.store, from, &mut torn, |block| {
        // The checkpoint's own block stays where the notes say.
        if block.number >= notes.checkpoint_block {
            return Ok(false);
        }
        notes.merged = block.number;
        let small = block.parts == 1 && block.bytes() < SMALL_BYTES;
        if !small || !run.can_take(&block) {
            run.write(core)?;
        }
        if small {
            run.add(&block)?;
        }
        Ok(true)
    })?;
    run.write(core)
}

/// Drops blocks that are older than the retention, and that no shop needs to come back.
fn trim(core: &Core, notes: &mut CheckpointNotes) -> Result<(), JournalError> {
    if core.retention_ms == 0 {
        return Ok(());
    }
    // A clock may be wrong, and what it drops is gone: the journal's own end says how old a record is.
    let latest = core.mark.reach().at;
    if !latest.of_an_event() {
        return Ok(());
    }
    let cutoff_ms = latest.ms() - core.retention_ms;
    let mut needed = notes.checkpoint + 1;
    core.store.scan(Tree::Heads, b"", |at, value| {
        let head = snapshots::read_head(snapshots::shop_of(at), value)?;
        if head.n > head.state_n() {
            needed = needed.min(head.not_needed() + 1);
        }
        Ok(true)
    })?;
    let (mut changes, mut blocks) = (Changes::default(), 0);
    block::scan(&core.store, notes.floor_block, &mut |_| {}, |block| {
        let mut latest_ms = 0;
        if block.end() > needed || blocks == TRIMMED_MAX {
            return Ok(false);
        }
        block.records(|record| {
            latest_ms = latest_ms.max(record.at.ms());
            Ok(true)
        })?;
        if latest_ms >= cutoff_ms {
            return Ok(false);
        }
        for part in 0..block.parts {
            changes.remove(&block::key(block.number, part));
        }
        notes.floor = notes.floor.max(block.end());
        notes.floor_block = block.number + 1;
        blocks += 1;
        Ok(true)
    })?;
    if blocks > 0 {
        // The floor is known before what lies under it goes.
        notes.write(&core.store)?;
        core.floor.store(notes.floor, Ordering::Release);
        core.store.apply(Tree::Journal, changes)?;
    }
    Ok(())
}

/// Small blocks in a row.
#[derive(Default)]
struct Run {
    /// The form of the records.
    form: u8,
    /// The order of the first record.
    first: u64,
    /// The numbers of the blocks.
    blocks: Vec<u64>,
    frames: Vec<u8>,
    ends: Vec<usize>,
}

impl Run {
    /// Whether a block may follow: it is the next, nothing lies between, its records are of one form with those before,
    /// and there is room.
    fn can_take(&self, block: &block::Block) -> bool {
        let follows = self
            .blocks
            .last()
            .is_none_or(|last| last + 1 == block.number && self.form == block.form);
        follows && self.frames.len() + block.bytes() <= block::RECORDS_BYTES_MAX
    }

    fn add(&mut self, block: &block::Block) -> Result<(), JournalError> {
        if self.blocks.is_empty() {
            (self.form, self.first) = (block.form, block.first);
        }
        self.blocks.push(block.number);
        let (frames, ends) = block.frames()?;
        let before = self.frames.len();
        self.frames.extend_from_slice(frames);
        self.ends.extend(ends.into_iter().map(|end| before + end));
        Ok(())
    }

    fn write(&mut self, core: &Core) -> Result<(), JournalError> {
        let run = std::mem::take(self);
        let [first, others @ ..] = run.blocks.as_slice() else {
            return Ok(());
        };
        if others.is_empty() {
            return Ok(());
        }
        let mut changes = Changes::default();
        for &number in others {
            changes.remove(&block::key(number, 0));
        }
        let frames = block::Frames {
            form: run.form,
            first: run.first,
            bytes: &run.frames,
            ends: &run.ends,
        };
        block::write(*first, frames, &mut changes, |_, _| {});
        core.store.apply(Tree::Journal, changes)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::domain::CORE;
    use crate::domain::base::id::Id;
    use crate::domain::base::time::Instant;
    use crate::env::Env;
    use crate::journal::embedded::{Embedded, JournalSettings, NoObserver, Patience};
    use crate::journal::{FencingToken, Journal, NewRecord, RecordKind};

    fn settings(data: &Path) -> JournalSettings {
        JournalSettings {
            data: data.to_owned(),
            cache_bytes: 8 << 20,
            reserve_bytes: 0,
            ballast_bytes: 0,
            linger_us: 0,
            retention_ms: 0,
            checkpoint_records: u64::MAX,
            patience: Patience::default(),
            sync: true,
        }
    }

    fn opened(data: &Path) -> Embedded {
        let opened = Embedded::open(&settings(data), &Env::real(), Box::new(NoObserver));
        opened.map_err(|error| error.to_string()).unwrap().journal
    }

    /// Appends one record in a commit of its own, so that it has a block of its own.
    fn append(journal: &Embedded, shop: &Id, owner: FencingToken, n: u64) {
        let (durable, done) = std::sync::mpsc::sync_channel(1);
        let entry = NewRecord {
            shop,
            kind: if n == 1 {
                RecordKind::Created
            } else {
                RecordKind::Event
            },
            core: CORE,
            n,
            at: Instant::from_ms(1_794_362_400_000 + n as i64),
            due: None,
            seq_before: n - 1,
            decided: 1,
            text: "{}",
            decisions: "[{}]",
            claims: &[],
            booked: &[],
            rated: false,
        };
        let told = Box::new(move || durable.send(()).unwrap());
        journal.append(owner, &entry, Some(told)).unwrap();
        done.recv().unwrap();
    }

    fn copied(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => copied(&entry.path(), &to.join(entry.file_name())),
                kind if kind.is_file() => {
                    fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
                }
                _ => {}
            }
        }
    }

    /// The power may go at any step of a checkpoint, also after what it has merged has become durable.
    #[test]
    fn a_checkpoint_that_is_cut_off_after_merging_leaves_a_folder_that_opens() {
        // What releases before 0.2 left: the notes that are stored name a block that was merged with later ones.
        for notes_first in [true, false] {
            let place = tempfile::tempdir().unwrap();
            let data = place.path().join("data");
            let journal = opened(&data);
            journal.keep_ledger(Box::new(|| vec![1]));
            let shop = Id::known("s");
            let owner = journal.create(&shop);
            for n in 1..=3 {
                append(&journal, &shop, owner, n);
            }
            journal.checkpoint_now();
            for n in 4..=8 {
                append(&journal, &shop, owner, n);
            }
            let core = &journal.core;
            let mut notes = CheckpointNotes::read(&core.store).unwrap();
            let ended = *core.last_commit.lock();
            assert!(notes.checkpoint_block < ended.block);
            index_all(core).unwrap();
            (notes.checkpoint, notes.checkpoint_block) = (ended.order, ended.block);
            if notes_first {
                notes.write(&core.store).unwrap();
            }
            merge(core, &mut notes).unwrap();
            core.store.sync().unwrap();
            let cut = place.path().join("cut");
            copied(&data, &cut);
            let journal = opened(&cut);
            let read = journal.read(&shop, 1, 100).unwrap().unwrap();
            let found: Vec<u64> = read.records.iter().map(|record| record.n).collect();
            assert_eq!(found, (1..=8).collect::<Vec<u64>>(), "{notes_first}");
            assert_eq!(journal.core.durable.load(Ordering::Acquire), 8);
            let owner = journal.claim(&shop).unwrap().unwrap().owner;
            append(&journal, &shop, owner, 9);
            journal.keep_ledger(Box::new(|| vec![1]));
            journal.checkpoint_now();
            drop(journal);
            opened(&cut);
        }
    }
}
