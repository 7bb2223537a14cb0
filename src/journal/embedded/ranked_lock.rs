//! The order in which the journal's locks are taken, checked in debug builds.
//!
//! A thread takes locks in rising [`LockRank`] only, so two threads never wait for each other. A debug build panics where
//! a thread takes a lock while it holds one of the same or a higher rank; a release build checks nothing. The order, with
//! the nestings that occur:
//!
//! 1. `Maintenance`: a checkpoint or a backup holds it to its end, and takes any lock below.
//! 2. `LedgerSource`: held while the source reads the ledger. The ledger's own lock, in `runtime`, stands here: its holder
//!    appends, which takes `Queue`.
//! 3. `Queue`: taken for one short step of an append or a commit; `DeferredSnapshots` is taken under it.
//! 4. `DeferredSnapshots`: a commit that writes snapshots takes `Tails` under it.
//! 5. `Tails`: held while the store is written, so that an index and a header are changed together.
//! 6. `RemovedShops`, `LastCommit`, `Watermark`: nothing is taken under them.
//!
//! Locks that are not listed belong to one file, are taken alone and released at once.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The position of a lock in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockRank {
    /// Excludes checkpoints and backups from each other.
    Maintenance,
    /// Where a checkpoint reads the ledger's state.
    LedgerSource,
    /// The append queue.
    Queue,
    /// Snapshots that wait until a backup is copied.
    DeferredSnapshots,
    /// Locations of records that are in memory.
    Tails,
    /// Shops whose remains the next checkpoint removes.
    RemovedShops,
    /// Where the last commit ended.
    LastCommit,
    /// What the file `mark` says.
    Watermark,
}

thread_local! {
    /// The ranks that this thread holds, one bit each.
    static HELD: Cell<u16> = const { Cell::new(0) };
}

/// A rank that this thread holds. Dropping it releases the rank.
struct HeldRank(LockRank);

impl HeldRank {
    fn take(rank: LockRank) -> HeldRank {
        if cfg!(debug_assertions) {
            let held = HELD.get();
            let from = rank as u16;
            assert!(
                held >> from == 0,
                "lock order: {rank:?} was taken while locks of rank {held:#b} were held"
            );
            HELD.set(held | 1 << from);
        }
        HeldRank(rank)
    }

    /// Checks that no higher rank is held: a wait takes the lock again at its end.
    fn check_highest(&self) {
        let HeldRank(rank) = self;
        debug_assert!(
            HELD.get() >> (*rank as u16 + 1) == 0,
            "lock order: {rank:?} is waited for while a higher lock is held"
        );
    }
}

impl Drop for HeldRank {
    fn drop(&mut self) {
        if cfg!(debug_assertions) {
            HELD.set(HELD.get() & !(1 << self.0 as u16));
        }
    }
}

/// A mutex with a position in the lock order.
pub struct RankedMutex<T> {
    rank: LockRank,
    mutex: Mutex<T>,
}

/// The guard of a [`RankedMutex`].
pub struct RankedGuard<'a, T> {
    guard: MutexGuard<'a, T>,
    held: HeldRank,
}

impl<T> RankedMutex<T> {
    /// A mutex of this rank.
    pub fn new(rank: LockRank, value: T) -> RankedMutex<T> {
        let mutex = Mutex::new(value);
        RankedMutex { rank, mutex }
    }

    /// Takes the lock. A lock that a panic has poisoned is taken all the same: no value is left half changed.
    ///
    /// # Panics
    ///
    /// In a debug build, where this thread holds a lock of the same or a higher rank.
    pub fn lock(&self) -> RankedGuard<'_, T> {
        let held = HeldRank::take(self.rank);
        let guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        RankedGuard { guard, held }
    }
}

impl<'a, T> RankedGuard<'a, T> {
    /// Releases the lock, waits for `condition`, and takes the lock again.
    pub fn wait(self, condition: &Condvar) -> RankedGuard<'a, T> {
        let RankedGuard { guard, held } = self;
        held.check_highest();
        let guard = condition
            .wait(guard)
            .unwrap_or_else(PoisonError::into_inner);
        RankedGuard { guard, held }
    }

    /// The same, for at most `limit`.
    pub fn wait_at_most(self, condition: &Condvar, limit: Duration) -> RankedGuard<'a, T> {
        let RankedGuard { guard, held } = self;
        held.check_highest();
        let waited = condition.wait_timeout(guard, limit);
        let (guard, _) = waited.unwrap_or_else(PoisonError::into_inner);
        RankedGuard { guard, held }
    }
}

impl<T> Deref for RankedGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for RankedGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

#[cfg(test)]
#[cfg(debug_assertions)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    /// Whether `locks` can be taken in this order while all of them stay held.
    fn can_be_taken(locks: &[&RankedMutex<()>]) -> bool {
        let taken = catch_unwind(AssertUnwindSafe(|| {
            let held: Vec<_> = locks.iter().map(|lock| lock.lock()).collect();
            drop(held);
        }));
        taken.is_ok()
    }

    #[test]
    fn locks_are_taken_in_rising_rank_only() {
        let queue = RankedMutex::new(LockRank::Queue, ());
        let deferred = RankedMutex::new(LockRank::DeferredSnapshots, ());
        let tails = RankedMutex::new(LockRank::Tails, ());
        let other_tails = RankedMutex::new(LockRank::Tails, ());
        for (locks, expected) in [
            (&[&queue, &deferred, &tails][..], true),
            (&[&queue, &tails], true),
            (&[&tails, &queue], false),
            (&[&queue, &tails, &deferred], false),
            (&[&tails, &other_tails], false),
            // A refused lock leaves no rank behind.
            (&[&queue, &deferred, &tails], true),
        ] {
            assert_eq!(can_be_taken(locks), expected);
        }
    }

    #[test]
    fn a_rank_is_free_again_in_whatever_order_the_guards_are_dropped() {
        let queue = RankedMutex::new(LockRank::Queue, ());
        let tails = RankedMutex::new(LockRank::Tails, ());
        let (first, second) = (queue.lock(), tails.lock());
        drop(first);
        assert!(!can_be_taken(&[&queue]), "tails is still held");
        drop(second);
        assert!(can_be_taken(&[&queue, &tails]));
    }

    #[test]
    fn a_wait_under_a_higher_lock_panics() {
        let (queue, tails) = (
            RankedMutex::new(LockRank::Queue, ()),
            RankedMutex::new(LockRank::Tails, ()),
        );
        let condition = Condvar::new();
        let limit = Duration::from_millis(1);
        let waited = catch_unwind(AssertUnwindSafe(|| {
            let first = queue.lock();
            let _second = tails.lock();
            drop(first.wait_at_most(&condition, limit));
        }));
        assert!(waited.is_err());
        let guard = queue.lock().wait_at_most(&condition, limit);
        let under_it = tails.lock();
        drop((guard, under_it));
    }
}
