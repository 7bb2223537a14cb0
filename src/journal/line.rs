//! The line: what was appended and waits for the next commit, and who may append.
//!
//! One lock holds it. Its order is the journal's: whoever appends first is written first, and durable no later.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::embedded::Core;
use super::record::{self, Entry, Kind};
use super::tail::Place;
use super::{Done, Fenced, NoRoom, Owner, State};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;

/// Bytes that may wait for the next commit.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The largest room for records that is kept from one commit to another: memory that is new each time costs more than
/// what is written into it.
const FRAMES_KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

thread_local! {
    /// The record that this thread appends: written before the line is held, so that nobody waits for it.
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What is known of a record before it is written.
pub(super) struct Gathered {
    pub(super) shop: u64,
    pub(super) place: Place,
    pub(super) at: Instant,
    /// The shop's next timer after it.
    pub(super) due: Option<Instant>,
    pub(super) kind: Kind,
    /// The shop's id, where it came to be or was taken away.
    pub(super) id: Option<Id>,
}

/// A state on its way into the store.
pub(super) struct Put {
    pub(super) owner: Owner,
    pub(super) state: State,
    pub(super) due: Option<Instant>,
}

/// Something on its way to be kept, or to be let go of.
pub(super) struct Keep {
    pub(super) key: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
}

/// Who may append to a shop, and what comes next.
#[derive(Clone, Copy)]
pub(super) struct Owned {
    pub(super) epoch: u64,
    pub(super) next_n: u64,
}

/// What waits for a commit.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) frames: Vec<u8>,
    pub(super) ends: Vec<usize>,
    pub(super) gathered: Vec<Gathered>,
    pub(super) puts: Vec<Put>,
    pub(super) keeps: Vec<Keep>,
    pub(super) dones: Vec<Done>,
    /// The shops that it is about.
    pub(super) touched: HashSet<u64>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
            && self.puts.is_empty()
            && self.keeps.is_empty()
            && self.dones.is_empty()
    }

    /// Empty, with the room that it had, for one that comes later.
    pub(super) fn emptied(mut self) -> Batch {
        if self.frames.capacity() > FRAMES_KEPT_BYTES_MAX {
            return Batch::default();
        }
        self.frames.clear();
        self.ends.clear();
        self.gathered.clear();
        self.puts.clear();
        self.keeps.clear();
        self.dones.clear();
        self.touched.clear();
        self
    }
}

/// All that appends and commits share, under one lock.
pub(super) struct Line {
    pub(super) next: Batch,
    /// An empty one, for the commit after the next.
    pub(super) spare: Batch,
    /// The shops of the commit that is under way.
    pub(super) committing: HashSet<u64>,
    /// What waits for the commit that is under way.
    pub(super) committing_dones: Vec<Done>,
    pub(super) committing_until: u64,
    pub(super) next_order: u64,
    pub(super) next_shop: u64,
    pub(super) next_epoch: u64,
    pub(super) owners: HashMap<u64, Owned>,
    /// Shops whose first record is not yet in the store.
    pub(super) creating: HashMap<Id, u64>,
    pub(super) closing: bool,
}

impl Line {
    /// A line in which nobody waits.
    pub(super) fn new(next_order: u64, next_shop: u64) -> Line {
        Line {
            next: Batch::default(),
            spare: Batch::default(),
            committing: HashSet::new(),
            committing_dones: Vec::new(),
            committing_until: next_order - 1,
            next_order,
            next_shop,
            next_epoch: 1,
            owners: HashMap::new(),
            creating: HashMap::new(),
            closing: false,
        }
    }

    /// Whether nothing will be committed any more.
    pub(super) fn is_over(&self) -> bool {
        self.closing && self.next.is_empty() && self.committing.is_empty()
    }

    /// Whether something of a shop is on its way.
    pub(super) fn touches(&self, shop: u64) -> bool {
        self.next.touched.contains(&shop) || self.committing.contains(&shop)
    }
}

impl Core {
    /// Puts a record into the next commit.
    pub(super) fn gather(
        &self,
        owner: Owner,
        entry: &Entry<'_>,
        done: Option<Done>,
    ) -> Result<u64, Fenced> {
        WRITTEN.with_borrow_mut(|frame| {
            frame.clear();
            record::write(owner.shop, entry, frame);
            self.put_in_line(owner, entry, frame, done)
        })
    }

    fn put_in_line(
        &self,
        owner: Owner,
        entry: &Entry<'_>,
        frame: &[u8],
        done: Option<Done>,
    ) -> Result<u64, Fenced> {
        let mut line = self.line();
        match line.owners.get_mut(&owner.shop) {
            Some(owned) if owned.epoch == owner.epoch && owned.next_n == entry.n => {
                owned.next_n += 1;
            }
            Some(_) | None => return Err(Fenced),
        }
        let order = line.next_order;
        line.next_order += 1;
        if entry.kind == Kind::Created {
            line.creating.insert(entry.shop.clone(), owner.shop);
        }
        let batch = &mut line.next;
        let idle = batch.is_empty();
        batch.frames.extend_from_slice(frame);
        batch.ends.push(batch.frames.len());
        self.waiting_bytes.fetch_add(frame.len(), Ordering::Relaxed);
        let named = matches!(entry.kind, Kind::Created | Kind::Removed);
        batch.gathered.push(Gathered {
            shop: owner.shop,
            place: Place {
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
            self.work.notify_one();
        }
        Ok(order)
    }

    /// Whether there is room for one more, in memory and on disk.
    pub(super) fn has_room(&self) -> Result<(), NoRoom> {
        // Every commit looks at the disk. Where none is on its way, others may have filled it meanwhile.
        if self.waiting_bytes.load(Ordering::Relaxed) == 0 {
            self.look_at_the_disk();
        }
        if self.full.load(Ordering::Relaxed) {
            return Err(NoRoom::Disk);
        }
        if self.waiting_bytes.load(Ordering::Relaxed) > WAITING_BYTES_MAX {
            return Err(NoRoom::Memory);
        }
        Ok(())
    }

    /// Calls `done` once the record of this order is durable.
    pub(super) fn call_when_durable(&self, order: u64, done: Done) {
        if self.durable.load(Ordering::Acquire) >= order {
            return done();
        }
        let mut line = self.line();
        if self.durable.load(Ordering::Acquire) >= order {
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
    pub(super) fn settled_blocks(&self) -> u64 {
        let mut line = self.line();
        while !line.committing.is_empty() {
            line = wait(&self.committed, line);
        }
        self.next_block.load(Ordering::Acquire)
    }

    /// The copy is made: the states that waited for it come with the next commit.
    pub(super) fn gather_again(&self) {
        let mut line = self.line();
        let waiting = self.copying().take().unwrap_or_default();
        line.next
            .touched
            .extend(waiting.iter().map(|put| put.owner.shop));
        line.next.puts.splice(0..0, waiting);
        drop(line);
        self.work.notify_one();
    }

    /// Puts a state into the next commit.
    pub(super) fn gather_state(&self, owner: Owner, state: State, due: Option<Instant>) {
        let mut line = self.line();
        let owned = line.owners.get(&owner.shop);
        if owned.is_none_or(|owned| owned.epoch != owner.epoch) {
            return;
        }
        line.next.touched.insert(owner.shop);
        line.next.puts.push(Put { owner, state, due });
        drop(line);
        self.work.notify_one();
    }
}

/// Waits for a word on a lock; a thread that panicked while it held it has left nothing half done.
pub(super) fn wait<'a, T>(
    word: &std::sync::Condvar,
    guard: std::sync::MutexGuard<'a, T>,
) -> std::sync::MutexGuard<'a, T> {
    match word.wait(guard) {
        Ok(guard) => guard,
        Err(poisoned) => poisoned.into_inner(),
    }
}

/// Waits for a word, or for as long at most.
pub(super) fn wait_at_most<'a, T>(
    word: &std::sync::Condvar,
    guard: std::sync::MutexGuard<'a, T>,
    limit: Duration,
) -> std::sync::MutexGuard<'a, T> {
    match word.wait_timeout(guard, limit) {
        Ok((guard, _)) => guard,
        Err(poisoned) => poisoned.into_inner().0,
    }
}
