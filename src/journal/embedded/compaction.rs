//! Compaction: keeps the next start short and the folder small, on a thread of low priority.
//!
//! A *checkpoint* writes the locations of all records to the index and stores the ledger's state, so that a start
//! reads only later records. Small blocks are *merged* into large ones, so that the journal has few keys. Blocks older
//! than the retention are *trimmed*, as far as no shop needs them for its recovery.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::checkpoint_record::{CheckpointNotes, ledger_key};
use super::commit;
use super::core::Core;
use super::deletion::remove_remains;
use super::store::{Changes, Tree};
use super::watchdog::Task;
use super::watermark::CommitEnd;
use super::{block, snapshots};
use crate::journal::JournalError;

/// The nice value of the compaction thread; on Linux it belongs to the thread.
const NICE: i32 = 10;

/// How often the free space and the amount of work are checked.
const TICK: Duration = Duration::from_secs(1);

/// Shops whose locations are indexed under one lock.
const SHOPS_AT_ONCE: usize = 256;

/// Blocks of fewer bytes are merged with their neighbours.
const SMALL_BYTES: usize = block::RECORDS_BYTES_MAX / 8;

/// Blocks that are trimmed at one checkpoint at most.
const TRIMMED_MAX: usize = 20_000;

/// Ticks after which old blocks are trimmed although few records were written.
const TRIM_TICKS: u32 = 3600;

/// The compaction thread: runs until the journal is closed, and ends with a last checkpoint.
pub(super) fn run(core: &Core) {
    // Threads that answer requests have priority. Without the permission for this, answers are only less even.
    rustix::process::setpriority_process(None, NICE).ok();
    let mut ticks = 0;
    loop {
        let stop = {
            let maintenance = core.maintenance.lock();
            if *maintenance {
                true
            } else {
                *maintenance.wait_at_most(&core.maintenance_due, TICK)
            }
        };
        if stop {
            // The last commit comes first.
            let mut queue = core.queue.lock();
            while !queue.is_over() {
                queue = queue.wait_at_most(&core.committed, TICK);
            }
        }
        commit::check_free_space(core);
        ticks += 1;
        let behind = core.durable.load(Ordering::Acquire) - core.checkpoint.load(Ordering::Acquire);
        if behind >= core.checkpoint_records || ticks >= TRIM_TICKS || stop {
            ticks = 0;
            let done = take_checkpoint(core, !stop);
            if let Err(error) = done {
                core.fail_stop.stop(&format!(
                    "a checkpoint failed, so the server stops: {error}"
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
    // A backup holds this lock as long as its reader takes, so the watchdog begins after it.
    let maintenance = core.maintenance.lock();
    let taken = core
        .store
        .watched(Task::Compaction, |_| write_checkpoint(core, all));
    drop(maintenance);
    if taken? {
        core.observer.stored(core.store.bytes());
        core.folder.create_ballast();
    }
    Ok(())
}

/// Writes a checkpoint. Returns `false` where there is no source of the ledger's state.
fn write_checkpoint(core: &Core, all: bool) -> Result<bool, JournalError> {
    let CommitEnd {
        order: until,
        block,
    } = *core.last_commit.lock();
    let next_shop = core.queue.lock().next_shop;
    // Recovery reads bookings from records after the checkpoint. So a command that only copies a folder, and has no
    // ledger, takes no checkpoint.
    let Some(ledger) = core.ledger_state() else {
        return Ok(false);
    };
    remove_remains_of_deleted(core)?;
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
        // The block that the stored notes name must not change until other notes are stored: a commit at the same time
        // makes durable whatever is written by then.
        notes.write(&core.store)?;
        merge(core, &mut notes)?;
        trim(core, &mut notes)?;
    }
    notes.write(&core.store)?;
    drop_older_ledgers(core, notes.ledger)?;
    core.store.sync()?;
    let synced = core.watermark.sync();
    synced.map_err(|error| core.store.has_failed("the file `mark`", &error))?;
    core.checkpoint.store(until, Ordering::Release);
    core.floor.store(notes.floor, Ordering::Release);
    Ok(true)
}

/// Removes snapshots and index chunks of deleted shops.
fn remove_remains_of_deleted(core: &Core) -> Result<(), JournalError> {
    let dead = std::mem::take(&mut *core.removed_shops.lock());
    for shop in dead {
        remove_remains(&core.store, shop)?;
    }
    Ok(())
}

/// Writes all locations that are only in memory to the index.
fn index_all(core: &Core) -> Result<(), JournalError> {
    let shops: Vec<u64> = {
        let tails = core.tails.lock();
        let behind = tails
            .iter()
            .filter(|(_, tail)| tail.indexed < tail.locations.len());
        behind.map(|(&shop, _)| shop).collect()
    };
    for shops in shops.chunks(SHOPS_AT_ONCE) {
        let (mut index, mut headers) = (Changes::default(), Changes::default());
        let mut tails = core.tails.lock();
        for &shop in shops {
            let Some(tail) = tails.get_mut(&shop) else {
                continue;
            };
            tail.index(shop, &mut index);
            let mut header = commit::header(core, shop, Some(tail))?;
            header.n = tail
                .locations
                .last()
                .map_or(header.n, |location| location.n);
            header.set_due(header.n, tail.due);
            snapshots::write_header(shop, &header, &mut headers);
        }
        // Under the lock, so that a snapshot that is written now finds this header.
        core.store.apply(Tree::Index, index)?;
        core.store.apply(Tree::Headers, headers)?;
    }
    Ok(())
}

fn drop_older_ledgers(core: &Core, keep: u64) -> Result<(), JournalError> {
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

/// Merges small blocks that follow each other.
fn merge(core: &Core, notes: &mut CheckpointNotes) -> Result<(), JournalError> {
    let from = notes.merged + 1;
    let mut run = Run::default();
    let mut torn = |_| {};
    block::scan(&core.store, from, &mut torn, |block| {
        // The checkpoint's own block must stay where the notes say.
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

/// Drops blocks that are older than the retention and that no shop needs for its recovery.
fn trim(core: &Core, notes: &mut CheckpointNotes) -> Result<(), JournalError> {
    if core.retention_ms == 0 {
        return Ok(());
    }
    // A wrong clock must not drop records: their age is measured from the end of the journal.
    let latest = core.watermark.reach().at;
    if !latest.of_an_event() {
        return Ok(());
    }
    let cutoff_ms = latest.ms() - core.retention_ms;
    let mut needed = notes.checkpoint + 1;
    core.store.scan(Tree::Headers, b"", |at, value| {
        let header = snapshots::read_header(snapshots::shop_of(at), value)?;
        if header.n > header.snapshot_n() {
            needed = needed.min(header.not_needed() + 1);
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
        // The floor is stored before the blocks below it are removed.
        notes.write(&core.store)?;
        core.floor.store(notes.floor, Ordering::Release);
        core.store.apply(Tree::Journal, changes)?;
    }
    Ok(())
}

/// Small blocks that follow each other and will be merged.
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
    /// Whether a block may be added: it is the next one, its records are of the same form, and there is room.
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
    use crate::journal::embedded::{DiskTimeouts, Embedded, JournalSettings, NoObserver};
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
            timeouts: DiskTimeouts::default(),
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
        let done_callback = Box::new(move || durable.send(()).unwrap());
        journal.append(owner, &entry, Some(done_callback)).unwrap();
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

    /// The power may fail at any step of a checkpoint, also after merged blocks have become durable.
    #[test]
    fn a_checkpoint_that_is_cut_off_after_merging_leaves_a_folder_that_opens() {
        // As releases before 0.2 left it: the stored notes name a block that was merged with later ones.
        for notes_first in [true, false] {
            let place = tempfile::tempdir().unwrap();
            let data = place.path().join("data");
            let journal = opened(&data);
            journal.set_ledger_source(Box::new(|| vec![1]));
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
            journal.set_ledger_source(Box::new(|| vec![1]));
            journal.checkpoint_now();
            drop(journal);
            opened(&cut);
        }
    }
}
