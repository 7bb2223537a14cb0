//! A queue of records: pushed at the back, popped at the front.
//!
//! Records are stored in chunks. A long queue never moves its records, and frees memory as it shrinks.

use std::collections::VecDeque;
use std::ops::Index;

/// The number of records in a chunk.
const PIECE: usize = 256;

/// A queue of records, the oldest first.
#[derive(Debug)]
pub struct ChunkedDeque<T> {
    pieces: VecDeque<Piece<T>>,
    /// The number of popped slots in the first chunk.
    left: usize,
}

/// Slots in insertion order. The slot of a popped record is empty.
type Piece<T> = Vec<Option<T>>;

impl<T> Default for ChunkedDeque<T> {
    fn default() -> ChunkedDeque<T> {
        ChunkedDeque {
            pieces: VecDeque::new(),
            left: 0,
        }
    }
}

impl<T> ChunkedDeque<T> {
    /// The number of records.
    pub fn len(&self) -> usize {
        let last = self.pieces.back().map_or(0, Vec::len);
        (self.pieces.len().saturating_sub(1)) * PIECE + last - self.left
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The oldest record.
    pub fn front(&self) -> Option<&T> {
        self.get(0)
    }

    /// The record at this index. The oldest has index 0.
    pub fn get(&self, place: usize) -> Option<&T> {
        let slot = place + self.left;
        self.pieces.get(slot / PIECE)?.get(slot % PIECE)?.as_ref()
    }

    /// The record at this index, mutable.
    pub fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        let slot = place + self.left;
        self.pieces
            .get_mut(slot / PIECE)?
            .get_mut(slot % PIECE)?
            .as_mut()
    }

    /// Appends a record.
    pub fn push_back(&mut self, record: T) {
        match self.pieces.back_mut() {
            Some(last) if last.len() < PIECE => last.push(Some(record)),
            last => {
                // The first chunk grows as it fills, because most queues are short.
                let room = if last.is_some() { PIECE } else { 0 };
                let mut piece = Vec::with_capacity(room);
                piece.push(Some(record));
                self.pieces.push_back(piece);
            }
        }
    }

    /// Removes the oldest record.
    pub fn pop_front(&mut self) -> Option<T> {
        let first = self.pieces.front_mut()?;
        let record = first.get_mut(self.left)?.take();
        self.left += 1;
        if self.left == first.len() {
            self.pieces.pop_front();
            self.left = 0;
        }
        record
    }

    /// All records, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces.iter().flatten().flatten()
    }
}

impl<T> Index<usize> for ChunkedDeque<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        match self.get(place) {
            Some(record) => record,
            None => panic!("place {place} of a row of {}", self.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Long enough for several chunks, and emptied in between.
        #[test]
        fn it_is_a_queue(steps in prop::collection::vec((0usize..900, 0usize..900), 1..12)) {
            let mut row = ChunkedDeque::default();
            let mut model = VecDeque::new();
            let mut next = 0u32;
            for (come, leave) in steps {
                for _ in 0..come {
                    row.push_back(next);
                    model.push_back(next);
                    next += 1;
                }
                for _ in 0..leave {
                    prop_assert_eq!(row.pop_front(), model.pop_front());
                }
                prop_assert_eq!(row.len(), model.len());
                prop_assert_eq!(row.front(), model.front());
                prop_assert!(row.iter().eq(model.iter()));
                for place in [0, model.len() / 2, model.len().saturating_sub(1), model.len()] {
                    prop_assert_eq!(row.get(place), model.get(place));
                }
            }
        }
    }
}
