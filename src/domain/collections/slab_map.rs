//! A slab of records that are found by key or by number, with incremental removal of records that are no longer needed.
//!
//! A record keeps its number until it is removed; the number is then reused. Records are stored in chunks, so a large
//! table never moves them. Each call of [`SlabMap::sweep`] checks the next record in turn, so removal needs no timers and
//! no full scans.

use std::hash::{BuildHasher, Hash};
use std::ops::{Index, IndexMut};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// The number of records in a chunk.
const CHUNK: usize = 256;

/// A number that no record has.
pub const NOBODY: u32 = u32::MAX;

/// A record that contains its own key.
pub trait Keyed {
    /// The type by which the key is looked up.
    type Key: Hash + Eq + ?Sized;
    /// The record's key.
    fn key(&self) -> &Self::Key;
    /// Whether the key finds this record. True until [`SlabMap::forget_key`].
    fn findable(&self) -> bool {
        true
    }
}

/// The records, by number and by key.
pub struct SlabMap<T> {
    chunks: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    by_key: HashTable<u32>,
    hand: u32,
}

impl<T> Default for SlabMap<T> {
    fn default() -> SlabMap<T> {
        SlabMap {
            chunks: Vec::new(),
            free: Vec::new(),
            by_key: HashTable::new(),
            hand: 0,
        }
    }
}

impl<T> SlabMap<T> {
    /// The record with this number, unless it was removed.
    pub fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        self.chunks
            .get(number / CHUNK)?
            .get(number % CHUNK)?
            .as_ref()
    }

    fn slot_mut(&mut self, number: u32) -> Option<&mut Option<T>> {
        let number = number as usize;
        self.chunks.get_mut(number / CHUNK)?.get_mut(number % CHUNK)
    }

    /// The number of numbers assigned so far, including free ones.
    pub fn reach(&self) -> u32 {
        match self.chunks.last() {
            Some(last) => ((self.chunks.len() - 1) * CHUNK + last.len()) as u32,
            None => 0,
        }
    }

    /// Stores a record without a key and returns its number.
    fn keep(&mut self, record: T) -> u32 {
        if let Some(number) = self.free.pop() {
            if let Some(slot) = self.slot_mut(number) {
                *slot = Some(record);
            }
            return number;
        }
        let number = self.reach();
        self.push(Some(record));
        number
    }

    /// Adds one number, with a record or free.
    fn push(&mut self, slot: Option<T>) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(slot),
            last => {
                // The first chunk grows as it fills, because most shops are small.
                let room = if last.is_none() { 0 } else { CHUNK };
                let mut chunk = Vec::with_capacity(room);
                chunk.push(slot);
                self.chunks.push(chunk);
            }
        }
    }

    /// The free numbers, in the order in which they became free.
    pub(in crate::domain) fn free(&self) -> &[u32] {
        &self.free
    }

    /// The number that the next sweep checks.
    pub(in crate::domain) fn hand(&self) -> u32 {
        self.hand
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.reach() as usize - self.free.len()
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All records with their numbers, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let slots = self.chunks.iter().flatten();
        (0..)
            .zip(slots)
            .filter_map(|(number, slot)| Some((number, slot.as_ref()?)))
    }
}

impl<T: Keyed> SlabMap<T> {
    /// The number of the record with this key.
    pub fn find(&self, key: &T::Key) -> Option<u32> {
        let found = self.by_key.find(hash(key), |&number| {
            self.get(number).is_some_and(|record| record.key() == key)
        });
        found.copied()
    }

    /// Inserts a record with a unique key and returns its number.
    pub fn insert(&mut self, record: T) -> u32 {
        let code = hash(record.key());
        let number = self.keep(record);
        let chunks = &self.chunks;
        self.by_key
            .insert_unique(code, number, |&other| rehash(chunks, other));
        number
    }

    /// Removes the key of a record. The record keeps its number.
    pub fn forget_key(&mut self, number: u32) {
        let Some(record) = self.get(number) else {
            return;
        };
        let code = hash(record.key());
        if let Ok(entry) = self.by_key.find_entry(code, |&other| other == number) {
            entry.remove();
        }
    }

    /// Removes a record.
    pub fn remove(&mut self, number: u32) -> Option<T> {
        self.forget_key(number);
        let record = self.slot_mut(number)?.take()?;
        self.free.push(number);
        Some(record)
    }

    /// Checks the next record in turn, and removes it if it is dead.
    pub fn sweep(&mut self, dead: impl FnOnce(&T) -> bool) -> Option<T> {
        if self.hand >= self.reach() {
            self.hand = 0;
        }
        let number = self.hand;
        self.hand += 1;
        if self.get(number).is_some_and(dead) {
            self.remove(number)
        } else {
            None
        }
    }
}

impl<T: Keyed> SlabMap<T> {
    /// A table of these records by number, from pieces of any length. `free` are the numbers without a record, each
    /// once, in the order in which they became free. `hand` is the number that the next sweep checks.
    pub(in crate::domain) fn of(
        pieces: Vec<Vec<Option<T>>>,
        free: Vec<u32>,
        hand: u32,
    ) -> Option<SlabMap<T>> {
        let mut table = SlabMap {
            free,
            hand,
            ..SlabMap::default()
        };
        for piece in pieces {
            let full = table.chunks.last().is_none_or(|last| last.len() == CHUNK);
            if full && (1..=CHUNK).contains(&piece.len()) {
                table.chunks.push(piece);
            } else {
                piece.into_iter().for_each(|slot| table.push(slot));
            }
        }
        let slots = (0..).zip(table.chunks.iter().flatten());
        let empty = slots.filter(|(_, slot)| slot.is_none());
        let mut free = table.free.clone();
        free.sort_unstable();
        if !empty.map(|(number, _)| number).eq(free) {
            return None;
        }
        let mut by_key = HashTable::with_capacity(table.len());
        for (number, record) in table.iter().filter(|(_, record)| record.findable()) {
            by_key.insert_unique(hash(record.key()), number, |&other| {
                rehash(&table.chunks, other)
            });
        }
        table.by_key = by_key;
        Some(table)
    }
}

fn hash<K: Hash + ?Sized>(key: &K) -> u64 {
    FixedState::default().hash_one(key)
}

fn rehash<T: Keyed>(chunks: &[Vec<Option<T>>], number: u32) -> u64 {
    let slot = &chunks[number as usize / CHUNK][number as usize % CHUNK];
    slot.as_ref().map_or(0, |record| hash(record.key()))
}

impl<T> Index<u32> for SlabMap<T> {
    type Output = T;
    /// Panics if the number has no record, which is a bug.
    #[track_caller]
    fn index(&self, number: u32) -> &T {
        match self.get(number) {
            Some(record) => record,
            None => panic!("no record has the number {number}"),
        }
    }
}

impl<T> IndexMut<u32> for SlabMap<T> {
    #[track_caller]
    fn index_mut(&mut self, number: u32) -> &mut T {
        match self.slot_mut(number) {
            Some(Some(record)) => record,
            Some(None) | None => panic!("no record has the number {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    struct Pair(u16, u16);

    impl Keyed for Pair {
        type Key = u16;
        fn key(&self) -> &u16 {
            &self.0
        }
    }

    proptest! {
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0u16..600, any::<u16>(), 0u8..4), 1..900)) {
            let mut table = SlabMap::default();
            let mut model = BTreeMap::new();
            for (key, value, step) in steps {
                match (step, table.find(&key)) {
                    (0, Some(number)) => {
                        table.remove(number);
                        model.remove(&key);
                    }
                    (1, _) => {
                        if let Some(Pair(key, _)) = table.sweep(|pair: &Pair| pair.1.is_multiple_of(5)) {
                            model.remove(&key);
                        }
                    }
                    (_, Some(number)) => {
                        table[number].1 = value;
                        model.insert(key, value);
                    }
                    (_, None) => {
                        table.insert(Pair(key, value));
                        model.insert(key, value);
                    }
                }
                prop_assert_eq!(table.len(), model.len());
                let found = table.find(&key).map(|number| table[number].1);
                prop_assert_eq!(found, model.get(&key).copied());
            }
        }
    }

    #[test]
    fn a_sweep_in_turn_reaches_every_record() {
        let mut table = SlabMap::default();
        for key in 0..1000 {
            table.insert(Pair(key, key % 2));
        }
        for _ in 0..1000 {
            table.sweep(|pair| pair.1 == 0);
        }
        assert_eq!(table.len(), 500);
        assert!(table.iter().all(|(_, pair)| pair.1 == 1));
    }
}
