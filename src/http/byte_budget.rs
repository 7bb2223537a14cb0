//! A budget of bytes that many holders share.
//!
//! Each share counts its length. It is returned when it is dropped, including when its connection is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The fill level, in quarters, up to which an allocation may fill the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetPart {
    /// One quarter: for clients without a good key, so that the rest stays for clients with one.
    Quarter,
    /// Three quarters: for large allocations, so that the rest stays for small ones.
    Most,
    /// The whole budget.
    All,
}

impl BudgetPart {
    fn quarters(self) -> u64 {
        match self {
            BudgetPart::Quarter => 1,
            BudgetPart::Most => 3,
            BudgetPart::All => 4,
        }
    }
}

/// A maximum number of bytes, and the number in use.
#[derive(Debug)]
pub struct Budget {
    max: u64,
    used: AtomicU64,
}

impl Budget {
    /// An unused budget of `max` bytes.
    pub fn new(max: u64) -> Arc<Budget> {
        Arc::new(Budget {
            max,
            used: AtomicU64::new(0),
        })
    }

    /// The bytes in use.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether this many bytes could be allocated now.
    pub fn has_room(&self, bytes: u64, part: BudgetPart) -> bool {
        self.used().saturating_add(bytes) <= self.ceiling(part)
    }

    /// Allocates bytes, if the bytes in use then stay within the part.
    pub fn take(self: &Arc<Self>, bytes: u64, part: BudgetPart) -> Option<ByteShare> {
        let mut share = self.nothing();
        share.set(bytes, part).then_some(share)
    }

    /// Allocates bytes without a limit: for data that exists already and cannot be refused.
    pub fn take_anyway(self: &Arc<Self>, bytes: u64) -> ByteShare {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        ByteShare {
            budget: Arc::clone(self),
            bytes,
        }
    }

    /// An empty share, which can grow.
    pub fn nothing(self: &Arc<Self>) -> ByteShare {
        ByteShare {
            budget: Arc::clone(self),
            bytes: 0,
        }
    }

    fn ceiling(&self, part: BudgetPart) -> u64 {
        self.max / 4 * part.quarters() + self.max % 4 * part.quarters() / 4
    }
}

/// Bytes in use. They are returned when this is dropped.
#[derive(Debug)]
pub struct ByteShare {
    budget: Arc<Budget>,
    bytes: u64,
}

impl ByteShare {
    /// Resizes the share to this many bytes. Returns whether that was possible. Shrinking always is.
    pub fn set(&mut self, bytes: u64, part: BudgetPart) -> bool {
        let used = &self.budget.used;
        if bytes <= self.bytes {
            used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        } else {
            let more = bytes - self.bytes;
            let before = used.fetch_add(more, Ordering::Relaxed);
            if before.saturating_add(more) > self.budget.ceiling(part) {
                used.fetch_sub(more, Ordering::Relaxed);
                return false;
            }
        }
        self.bytes = bytes;
        true
    }
}

impl Drop for ByteShare {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_the_part_and_all_comes_back() {
        for (max, used, part, bytes, taken) in [
            (100, 0, BudgetPart::All, 100, true),
            (100, 0, BudgetPart::All, 101, false),
            (100, 60, BudgetPart::All, 40, true),
            (100, 60, BudgetPart::Most, 15, true),
            (100, 60, BudgetPart::Most, 16, false),
            (100, 25, BudgetPart::Quarter, 1, false),
            (100, 0, BudgetPart::Quarter, 25, true),
            (3, 0, BudgetPart::All, 3, true),
            (0, 0, BudgetPart::All, 0, true),
            (0, 0, BudgetPart::All, 1, false),
        ] {
            let budget = Budget::new(max);
            let before = budget.take_anyway(used);
            assert_eq!(budget.has_room(bytes, part), taken, "{max} {used} {bytes}");
            let share = budget.take(bytes, part);
            assert_eq!(share.is_some(), taken, "{max} {used} {part:?} {bytes}");
            drop(share);
            assert_eq!(budget.used(), used);
            drop(before);
            assert_eq!(budget.used(), 0);
        }
    }

    #[test]
    fn a_share_that_cannot_grow_stays_as_it_was() {
        let budget = Budget::new(10);
        let mut share = budget.nothing();
        for (bytes, grown, used) in [(4, true, 4), (11, false, 4), (10, true, 10), (2, true, 2)] {
            assert_eq!(share.set(bytes, BudgetPart::All), grown);
            assert_eq!(budget.used(), used);
        }
    }
}
