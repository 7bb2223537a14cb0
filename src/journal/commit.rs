//! The commit: what was appended is written in one piece, made durable, and only then called done. The one file that
//! says *durable*.
//!
//! One thread commits; while it does, the next commit gathers (group commit). What fails here is final.

use std::sync::atomic::Ordering;

use super::embedded::{Core, Ended};
use super::line::{Batch, Gathered, Put, wait};
use super::mark::Reach;
use super::record::{FORM, Kind};
use super::removal::Removal;
use super::states::{self, Head, StateAt};
use super::store::{Changes, Tree};
use super::tail::{self, Due, Tail};
use super::watchdog::Task;
use super::{JournalError, State, block};
use crate::env::Stopwatch;

/// Keys of blocks that are laid at once.
const LAID_AHEAD: u64 = 256;

impl Core {
    /// The commit thread: until the journal is closed and nothing waits.
    ///
    /// Where more than one came together the last time, more are likely to come in a moment: then it lingers, so that
    /// one sync serves them all. Whoever comes alone waits for nobody.
    pub(super) fn commit_all(&self) {
        let mut lingers = false;
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
            if lingers && !line.closing {
                drop(line);
                std::thread::sleep(self.linger);
                line = self.line();
            }
            let spare = std::mem::take(&mut line.spare);
            let mut batch = std::mem::replace(&mut line.next, spare);
            line.committing.clone_from(&batch.touched);
            line.committing_until = line.next_order - 1;
            drop(line);
            lingers = !self.linger.is_zero() && batch.dones.len() > 1;
            // Whoever waits hears nothing of a commit that failed: nobody knows what became of it.
            let dones = std::mem::take(&mut batch.dones);
            let committed = self
                .store
                .watched(Task::Commit, |_| self.commit(&mut batch));
            match committed {
                Ok(()) => {}
                Err(error) => self.fate.stop(&format!(
                    "what was taken could not be made durable, so nothing more is answered: {error}. \
                     What was answered before is safe; look at the disk, then start again"
                )),
            };
            let mut line = self.line();
            self.waiting_bytes
                .store(line.next.frames.len(), Ordering::Relaxed);
            line.committing.clear();
            line.spare = batch.emptied();
            let late = std::mem::take(&mut line.committing_dones);
            drop(line);
            self.committed.notify_all();
            for done in dones.into_iter().chain(late) {
                done();
            }
        }
    }

    /// Writes one batch and makes it durable.
    fn commit(&self, batch: &mut Batch) -> Result<(), JournalError> {
        let watch = Stopwatch::start();
        let records = batch.ends.len();
        if let (Some(first), Some(last)) = (batch.gathered.first(), batch.gathered.last()) {
            let (first, reach) = (
                first.place.order,
                Reach {
                    order: last.place.order,
                    at: last.at,
                },
            );
            let mut changes = Changes::default();
            let next = self.next_block.load(Ordering::Relaxed);
            let gathered = &mut batch.gathered;
            let placed = |index: usize, number| gathered[index].place.block = number;
            let frames = block::Frames {
                form: FORM,
                first,
                bytes: &batch.frames,
                ends: &batch.ends,
            };
            let after = block::write(next, frames, &mut changes, placed);
            self.lay_until(after)?;
            self.store.apply(Tree::Journal, changes)?;
            self.next_block.store(after, Ordering::Release);
            self.take_names(&batch.gathered)?;
            self.take_places(&mut batch.gathered);
            self.put_all(std::mem::take(&mut batch.puts))?;
            let kept = self.keep_all(std::mem::take(&mut batch.keeps))?;
            self.store.sync()?;
            self.set_mark(Some(reach), kept)?;
            *self.last_commit() = Ended {
                order: reach.order,
                block: after - 1,
            };
            self.durable.store(reach.order, Ordering::Release);
        } else {
            let changed = !batch.puts.is_empty() || !batch.keeps.is_empty();
            self.put_all(std::mem::take(&mut batch.puts))?;
            let kept = self.keep_all(std::mem::take(&mut batch.keeps))?;
            if changed {
                self.store.sync()?;
            }
            if kept.is_some() {
                self.set_mark(None, kept)?;
            }
        }
        self.look_at_the_disk();
        self.watch
            .committed(records, batch.frames.len(), watch.micros());
        Ok(())
    }

    fn set_mark(&self, reach: Option<Reach>, kept: Option<u32>) -> Result<(), JournalError> {
        let set = self.mark.set(reach, kept);
        set.map_err(|error| self.store.has_failed("the mark", &error))
    }

    /// Lays keys ahead of the blocks that are about to be written.
    fn lay_until(&self, after: u64) -> Result<(), JournalError> {
        let laid = self.laid_until.load(Ordering::Relaxed);
        if after <= laid {
            return Ok(());
        }
        let mut changes = Changes::default();
        block::lay(laid..after + LAID_AHEAD, &mut changes);
        self.laid_until.store(after + LAID_AHEAD, Ordering::Relaxed);
        self.store.apply(Tree::Journal, changes)
    }

    /// Shops that came to be or were taken away with these records.
    fn take_names(&self, gathered: &[Gathered]) -> Result<(), JournalError> {
        let mut names = Changes::default();
        let (mut created, mut removed) = (Vec::new(), Vec::new());
        for of_shop in gathered {
            let Some(id) = &of_shop.id else { continue };
            if of_shop.kind == Kind::Created {
                states::write_name(id, of_shop.shop, &mut names);
                created.push(id.clone());
            } else {
                removed.push((of_shop.shop, id));
            }
        }
        if created.is_empty() && removed.is_empty() {
            return Ok(());
        }
        self.store.apply(Tree::Names, names)?;
        let mut removal = Removal::default();
        for (shop, id) in removed {
            removal.add(&self.store, shop, Some(id))?;
            self.dead().push(shop);
        }
        removal.apply(&self.store)?;
        let mut line = self.line();
        for id in created {
            line.creating.remove(&id);
        }
        Ok(())
    }

    fn take_places(&self, gathered: &mut Vec<Gathered>) {
        let mut tails = self.tails();
        for of_shop in gathered.drain(..) {
            if of_shop.kind == Kind::Removed {
                tails.remove(&of_shop.shop);
                continue;
            }
            let tail: &mut Tail = tails.entry(of_shop.shop).or_default();
            if tail.id.is_none() {
                tail.id = of_shop.id;
            }
            tail.places.push(of_shop.place);
            tail.due = Due::Known(of_shop.due);
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
        let (mut index, mut journal, mut heads) =
            (Changes::default(), Changes::default(), Changes::default());
        // What the head of before leads to goes after the head has changed: a crash may come between any two trees.
        let mut gone = Changes::default();
        let mut tails = self.tails();
        let mut head = self.head(shop, tails.get(&shop))?;
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
        let State { n, seq, bytes } = put.state;
        let first = self.next_block.load(Ordering::Relaxed);
        let pieces = block::write_state(first, shop, &bytes, &mut journal);
        let after = first + u64::from(pieces);
        let state = StateAt {
            n,
            seq,
            order,
            block: first,
            pieces,
        };
        states::succeed(&mut head, state, &mut gone);
        let (n, due) = rest.unwrap_or((n, Due::Known(put.due)));
        head.set_due(n, due);
        self.let_go(shop, &mut head, &mut index, &mut gone)?;
        states::write_head(shop, &head, &mut heads);
        self.lay_until(after)?;
        self.store.apply(Tree::Journal, journal)?;
        self.next_block.store(after, Ordering::Release);
        self.store.apply(Tree::Index, index)?;
        // Still under the lock of the tails: the upkeep writes heads too.
        self.store.apply(Tree::Heads, heads)?;
        self.store.apply(Tree::Journal, gone)
    }

    /// A shop's head, a new one where it has none yet: then nothing before its first record is needed.
    pub(super) fn head(&self, shop: u64, tail: Option<&Tail>) -> Result<Head, JournalError> {
        let mut head = states::head(&self.store, shop)?;
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
        &self,
        shop: u64,
        head: &mut Head,
        index: &mut Changes,
        journal: &mut Changes,
    ) -> Result<(), JournalError> {
        let floor = self.floor.load(Ordering::Acquire);
        if floor <= 1 {
            return Ok(());
        }
        let gone = head.kept.partition_point(|kept| kept.order < floor);
        for kept in head.kept.drain(..gone) {
            states::remove(kept, journal);
        }
        self.store
            .scan(Tree::Index, &shop.to_be_bytes(), |at, value| {
                let of_it = at.starts_with(&shop.to_be_bytes());
                let old = of_it
                    && tail::read(shop, value)?
                        .last()
                        .is_none_or(|last| last.order < floor);
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
