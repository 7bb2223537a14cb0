//! The commit: what was appended is written in one piece, made durable, and only then called done. The one file that
//! says *durable*.
//!
//! One thread commits; while it does, the next commit gathers (group commit). What fails here is final.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::embedded::Core;
use super::mark::Reach;
use super::record::{self, Entry, Kind};
use super::states::{self, Head};
use super::store::{Changes, Tree};
use super::tail::{self, Place, Tail};
use super::{Done, Fenced, JournalError, NoRoom, Owner, State, block};
use crate::domain::id::Id;
use crate::domain::time::Instant;
use crate::env::Stopwatch;

/// Bytes that may wait for the next commit.
const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What is known of a record before it is written.
struct Gathered {
    shop: u64,
    place: Place,
    at: Instant,
    kind: Kind,
    id: Option<Id>,
}

/// A state on its way into the store.
pub(super) struct Put {
    owner: Owner,
    state: State,
    due: Option<Instant>,
}

/// Who may append to a shop, and what comes next.
#[derive(Clone, Copy)]
pub(super) struct Owned {
    pub(super) epoch: u64,
    pub(super) next_n: u64,
}

/// What waits for a commit.
#[derive(Default)]
struct Batch {
    frames: Vec<u8>,
    ends: Vec<usize>,
    gathered: Vec<Gathered>,
    puts: Vec<Put>,
    dones: Vec<Done>,
    /// The shops that it is about.
    touched: HashSet<u64>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.puts.is_empty() && self.dones.is_empty()
    }
}

/// All that appends and commits share, under one lock.
pub(super) struct Line {
    next: Batch,
    /// The shops of the commit that is under way.
    committing: HashSet<u64>,
    /// What waits for the commit that is under way.
    committing_dones: Vec<Done>,
    committing_until: u64,
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
        let before = batch.frames.len();
        record::write(owner.shop, entry, &mut batch.frames);
        batch.ends.push(batch.frames.len());
        let bytes = batch.frames.len() - before;
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let named = matches!(entry.kind, Kind::Created | Kind::Removed);
        batch.gathered.push(Gathered {
            shop: owner.shop,
            place: Place {
                n: entry.n,
                order,
                seq_before: entry.seq_before,
                rated: entry.rated,
            },
            at: entry.at,
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

    /// The commit thread: until the journal is closed and nothing waits.
    pub(super) fn commit_all(&self) {
        loop {
            let mut line = self.line();
            while line.next.is_empty() && !line.closing {
                line = wait(&self.work, line);
            }
            if line.next.is_empty() {
                drop(line);
                self.committed.notify_all();
                return;
            }
            if !self.linger.is_zero() && !line.closing {
                drop(line);
                std::thread::sleep(self.linger);
                line = self.line();
            }
            let batch = std::mem::take(&mut line.next);
            line.committing.clone_from(&batch.touched);
            line.committing_until = line.next_order - 1;
            drop(line);
            let dones = match self.commit(batch) {
                Ok(dones) => dones,
                Err(error) => self.fate.stop(&format!(
                    "what was taken could not be made durable, so nothing more is answered: {error}. \
                     What was answered before is safe; look at the disk, then start again"
                )),
            };
            let mut line = self.line();
            self.waiting_bytes.store(line.next.frames.len(), Ordering::Relaxed);
            line.committing.clear();
            let late = std::mem::take(&mut line.committing_dones);
            drop(line);
            self.committed.notify_all();
            for done in dones.into_iter().chain(late) {
                done();
            }
        }
    }

    /// Writes one batch and makes it durable.
    fn commit(&self, batch: Batch) -> Result<Vec<Done>, JournalError> {
        let watch = Stopwatch::start();
        let records = batch.ends.len();
        if let (Some(first), Some(last)) = (batch.gathered.first(), batch.gathered.last()) {
            let (first, reach) = (first.place.order, Reach {
                order: last.place.order,
                at: last.at,
            });
            let mut changes = Changes::default();
            block::write(first, &batch.frames, &batch.ends, &mut changes);
            self.store.apply(Tree::Journal, changes)?;
            self.take_names(&batch.gathered)?;
            self.take_places(batch.gathered);
            self.put_all(batch.puts)?;
            self.store.sync()?;
            let marked = self.mark.set(reach);
            marked.map_err(|error| JournalError::Failed(format!("the mark: {error}")))?;
            self.durable.store(reach.order, Ordering::Release);
        } else {
            let changed = !batch.puts.is_empty();
            self.put_all(batch.puts)?;
            if changed {
                self.store.sync()?;
            }
        }
        self.look_at_the_disk();
        self.watch.committed(records, batch.frames.len(), watch.micros());
        Ok(batch.dones)
    }

    /// Shops that came to be or were taken away with these records.
    fn take_names(&self, gathered: &[Gathered]) -> Result<(), JournalError> {
        let (mut names, mut heads) = (Changes::default(), Changes::default());
        let mut removed = false;
        let mut created = Vec::new();
        for of_shop in gathered {
            let Some(id) = &of_shop.id else { continue };
            if of_shop.kind == Kind::Created {
                states::write_name(id, of_shop.shop, &mut names);
                created.push(id.clone());
            } else {
                names.remove(id.as_bytes());
                heads.remove(&states::head_key(of_shop.shop));
                removed = true;
                self.dead().push(of_shop.shop);
            }
        }
        if created.is_empty() && !removed {
            return Ok(());
        }
        self.store.apply(Tree::Names, names)?;
        if removed {
            self.store.apply(Tree::Heads, heads)?;
        }
        let mut line = self.line();
        for id in created {
            line.creating.remove(&id);
        }
        Ok(())
    }

    fn take_places(&self, gathered: Vec<Gathered>) {
        let mut tails = self.tails();
        for of_shop in gathered {
            if of_shop.kind == Kind::Removed {
                tails.remove(&of_shop.shop);
                continue;
            }
            let tail: &mut Tail = tails.entry(of_shop.shop).or_default();
            if tail.id.is_none() {
                tail.id = of_shop.id;
            }
            tail.places.push(of_shop.place);
        }
    }

    /// Keeps states; while a copy is being made they wait, so that what is copied fits together.
    pub(super) fn put_all(&self, puts: Vec<Put>) -> Result<(), JournalError> {
        let mut copying = self.copying();
        if let Some(waiting) = copying.as_mut() {
            waiting.extend(puts);
            return Ok(());
        }
        for put in puts {
            self.put(put)?;
        }
        Ok(())
    }

    /// Keeps a state: its records go to the index, and out of memory.
    fn put(&self, put: Put) -> Result<(), JournalError> {
        let shop = put.owner.shop;
        let mut head: Head = states::head(&self.store, shop)?;
        let (mut index, mut parts, mut heads) =
            (Changes::default(), Changes::default(), Changes::default());
        let mut tails = self.tails();
        let mut order = head.state_order;
        if let Some(tail) = tails.get_mut(&shop) {
            tail.index(shop, &mut index);
            if let (Some(id), true) = (&tail.id, head.id.is_empty()) {
                head.id = id.to_string();
            }
            let taken = tail.places.partition_point(|place| place.n <= put.state.n);
            order = tail.places[..taken].last().map_or(order, |place| place.order);
            head.n = tail.places.last().map_or(head.n, |place| place.n);
            tail.places.drain(..taken);
            tail.indexed = tail.places.len();
            if tail.places.is_empty() {
                tails.remove(&shop);
            }
        }
        if head.id.is_empty() {
            // The shop was taken away before its state came.
            return Ok(());
        }
        head.due_ms = put.due.map(Instant::ms);
        states::put(&self.store, shop, &put.state, order, &mut head, &mut parts)?;
        self.let_go(shop, &mut head, &mut index, &mut parts)?;
        states::write_head(shop, &head, &mut heads);
        self.store.apply(Tree::Index, index)?;
        self.store.apply(Tree::States, parts)?;
        // Still under the lock of the tails: the upkeep writes heads too.
        self.store.apply(Tree::Heads, heads)
    }

    /// What is kept of records that have been trimmed goes too.
    fn let_go(
        &self,
        shop: u64,
        head: &mut Head,
        index: &mut Changes,
        parts: &mut Changes,
    ) -> Result<(), JournalError> {
        let floor = self.floor.load(Ordering::Acquire);
        if floor <= 1 {
            return Ok(());
        }
        let (gone, kept): (Vec<_>, Vec<_>) =
            head.kept.drain(..).partition(|&(_, _, order)| order < floor);
        head.kept = kept;
        for (n, _, _) in gone {
            states::remove(&self.store, shop, n, parts)?;
        }
        self.store.scan(Tree::Index, &shop.to_be_bytes(), |at, value| {
            let of_it = at.starts_with(&shop.to_be_bytes());
            let old = of_it
                && tail::read(shop, value)?.last().is_none_or(|last| last.order < floor);
            if old {
                index.remove(at);
            }
            Ok(old)
        })
    }

    /// Whether the disk is nearly full.
    pub(super) fn look_at_the_disk(&self) {
        let full = self.folder.free_bytes() < self.reserve_bytes;
        self.full.store(full, Ordering::Relaxed);
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
