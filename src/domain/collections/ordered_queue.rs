//! A queue in the order of a key, with the position of every element.
//!
//! Almost every element is added at the end and taken from the front, which costs O(1). Others are found by binary
//! search. The elements are kept in chunks, so that a change in the middle moves few of them.

use std::collections::VecDeque;

/// The maximum number of elements of a chunk.
const CHUNK: usize = 512;

/// Elements in ascending order. No two are equal.
#[derive(Clone, Debug)]
pub struct OrderedQueue<T> {
    /// Never empty ones.
    chunks: VecDeque<VecDeque<T>>,
    len: usize,
}

impl<T> Default for OrderedQueue<T> {
    fn default() -> OrderedQueue<T> {
        OrderedQueue {
            chunks: VecDeque::new(),
            len: 0,
        }
    }
}

impl<T: Ord + Copy> OrderedQueue<T> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The smallest element.
    pub fn first(&self) -> Option<T> {
        self.chunks.front()?.front().copied()
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.chunks.iter().flatten().copied()
    }

    /// The number of elements that are smaller than this one.
    pub fn rank(&self, element: &T) -> usize {
        let Some(last) = self.chunks.back().and_then(VecDeque::back) else {
            return 0;
        };
        if last < element {
            return self.len;
        }
        let (chunk, at) = self.place(element);
        let before = self.chunks.iter().take(chunk);
        before.map(VecDeque::len).sum::<usize>() + at
    }

    /// Adds an element.
    pub fn insert(&mut self, element: T) {
        let (mut chunk, mut at) = self.place(&element);
        if self.chunks.is_empty() {
            self.chunks.push_back(VecDeque::new());
        }
        if self.chunks[chunk].len() == CHUNK {
            let behind = if at == CHUNK { CHUNK } else { CHUNK / 2 };
            let second = self.chunks[chunk].split_off(behind);
            self.chunks.insert(chunk + 1, second);
            if at >= behind {
                (chunk, at) = (chunk + 1, at - behind);
            }
        }
        self.chunks[chunk].insert(at, element);
        self.len += 1;
    }

    /// Removes an element. Returns whether it was there.
    pub fn remove(&mut self, element: &T) -> bool {
        let (chunk, at) = self.place(element);
        let Some(elements) = self.chunks.get_mut(chunk) else {
            return false;
        };
        if elements.get(at) != Some(element) {
            return false;
        }
        elements.remove(at);
        self.len -= 1;
        let left = elements.len();
        if left == 0 {
            self.chunks.remove(chunk);
        } else if let Some(next) = self.chunks.get(chunk + 1)
            && chunk > 0
            && left + next.len() <= CHUNK / 2
            && let Some(next) = self.chunks.remove(chunk + 1)
        {
            self.chunks[chunk].extend(next);
        }
        true
    }

    /// The chunk and the index in it where an element is or would be.
    fn place(&self, element: &T) -> (usize, usize) {
        let last = self.chunks.len().saturating_sub(1);
        let chunk = match self.chunks.back().and_then(VecDeque::front) {
            Some(first) if first > element => {
                let behind = self
                    .chunks
                    .partition_point(|chunk| chunk.back() < Some(element));
                behind.min(last)
            }
            Some(_) | None => last,
        };
        let at = self.chunks.get(chunk).map_or(0, |elements| {
            if elements.back() < Some(element) {
                elements.len()
            } else {
                elements.partition_point(|other| other < element)
            }
        });
        (chunk, at)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_sorted_set(
            steps in prop::collection::vec((any::<bool>(), 0_u32..3000), 0..6000),
            ascending in 0_u32..4000,
        ) {
            let (mut queue, mut set) = (OrderedQueue::default(), BTreeSet::new());
            for element in 0..ascending {
                queue.insert(element);
                set.insert(element);
            }
            for (add, element) in steps {
                prop_assert_eq!(queue.rank(&element), set.range(..element).count());
                if add && set.insert(element) {
                    queue.insert(element);
                } else {
                    prop_assert_eq!(queue.remove(&element), set.remove(&element));
                }
                prop_assert_eq!(queue.len(), set.len());
                prop_assert_eq!(queue.first(), set.first().copied());
            }
            prop_assert!(queue.iter().eq(set));
        }
    }
}
