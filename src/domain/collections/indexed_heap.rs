//! A min-heap with handles: any entry can be found, moved or removed by its handle.
//!
//! Each node has four children. Reading the minimum is O(1); set and remove are O(log n). Equal keys are ordered by
//! handle, so the order does not depend on history.

/// The position of a handle that is not in the heap.
const ABSENT: u32 = u32::MAX;

const CHILDREN: usize = 4;

/// Entries of a key and a handle (a small whole number). Each handle has at most one entry.
#[derive(Clone, Debug)]
pub struct IndexedHeap<K> {
    entries: Vec<(K, u32)>,
    places: Vec<u32>,
}

impl<K> Default for IndexedHeap<K> {
    fn default() -> IndexedHeap<K> {
        IndexedHeap {
            entries: Vec::new(),
            places: Vec::new(),
        }
    }
}

impl<K: Ord + Copy> IndexedHeap<K> {
    /// The smallest key and its handle.
    pub fn first(&self) -> Option<(K, u32)> {
        self.entries.first().copied()
    }

    /// The smallest key and its handle, with a few handles left out.
    pub fn first_except(&self, left_out: &[u32]) -> Option<(K, u32)> {
        let (mut first, mut open) = (None, vec![0]);
        while let Some(place) = open.pop() {
            let Some(&entry) = self.entries.get(place) else {
                continue;
            };
            if left_out.contains(&entry.1) {
                open.extend((1..=CHILDREN).map(|child| place * CHILDREN + child));
            } else if first.is_none_or(|first| entry < first) {
                first = Some(entry);
            }
        }
        first
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The key of a handle.
    pub fn get(&self, handle: u32) -> Option<K> {
        let place = self.place(handle)?;
        Some(self.entries[place].0)
    }

    /// All entries in heap order.
    pub fn iter(&self) -> impl Iterator<Item = (K, u32)> {
        self.entries.iter().copied()
    }

    /// Inserts the entry of `handle`, or changes its key.
    pub fn set(&mut self, handle: u32, key: K) {
        let entry = (key, handle);
        match self.place(handle) {
            None => {
                if self.places.len() <= handle as usize {
                    self.places.resize(handle as usize + 1, ABSENT);
                }
                self.entries.push(entry);
                self.rise(self.entries.len() - 1, entry);
            }
            Some(place) if entry < self.entries[place] => self.rise(place, entry),
            Some(place) => self.sink(place, entry),
        }
    }

    /// Removes the entry of `handle`, if it exists.
    pub fn remove(&mut self, handle: u32) {
        let Some(place) = self.place(handle) else {
            return;
        };
        self.places[handle as usize] = ABSENT;
        let Some(last) = self.entries.pop() else {
            return;
        };
        if place == self.entries.len() {
            return;
        }
        if last < self.entries[place] {
            self.rise(place, last);
        } else {
            self.sink(place, last);
        }
    }

    /// A heap from the entries of [`IndexedHeap::iter`]. Call [`IndexedHeap::find_places`] next.
    pub(in crate::domain) fn of(entries: Vec<(K, u32)>) -> IndexedHeap<K> {
        IndexedHeap {
            entries,
            places: Vec::new(),
        }
    }

    /// Computes the position of each handle in a heap that was just decoded. Returns whether it is a valid heap with
    /// handles below `handles`.
    pub(in crate::domain) fn find_places(&mut self, handles: u32) -> bool {
        self.places.clear();
        for (place, &entry) in self.entries.iter().enumerate() {
            let (_, handle) = entry;
            if self.places.len() <= handle as usize {
                if handle >= handles {
                    return false;
                }
                self.places.resize(handle as usize + 1, ABSENT);
            }
            let parent = place.saturating_sub(1) / CHILDREN;
            if self.places[handle as usize] != ABSENT || entry < self.entries[parent] {
                return false;
            }
            self.places[handle as usize] = place as u32;
        }
        true
    }

    fn place(&self, handle: u32) -> Option<usize> {
        let place = *self.places.get(handle as usize)?;
        (place != ABSENT).then_some(place as usize)
    }

    fn put(&mut self, place: usize, entry: (K, u32)) {
        self.places[entry.1 as usize] = place as u32;
        self.entries[place] = entry;
    }

    fn rise(&mut self, mut place: usize, entry: (K, u32)) {
        while place > 0 {
            let parent = (place - 1) / CHILDREN;
            if self.entries[parent] <= entry {
                break;
            }
            self.put(place, self.entries[parent]);
            place = parent;
        }
        self.put(place, entry);
    }

    fn sink(&mut self, mut place: usize, entry: (K, u32)) {
        loop {
            let first = place * CHILDREN + 1;
            let end = (first + CHILDREN).min(self.entries.len());
            let Some(least) = (first..end).min_by_key(|&child| self.entries[child]) else {
                break;
            };
            if entry <= self.entries[least] {
                break;
            }
            self.put(place, self.entries[least]);
            place = least;
        }
        self.put(place, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_sorted_map_by_key(steps in prop::collection::vec((0u32..40, prop::option::of(0i32..30)), 1..300)) {
            let mut heap = IndexedHeap::default();
            let mut model = BTreeMap::new();
            for (handle, key) in steps {
                match key {
                    Some(key) => {
                        heap.set(handle, key);
                        model.insert(handle, key);
                    }
                    None => {
                        heap.remove(handle);
                        model.remove(&handle);
                    }
                }
                let least = model.iter().map(|(&handle, &key)| (key, handle)).min();
                prop_assert_eq!(heap.first(), least);
                prop_assert_eq!(heap.len(), model.len());
                prop_assert_eq!(heap.get(handle), model.get(&handle).copied());
            }
        }
    }
}
