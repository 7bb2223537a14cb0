//! A set of small whole numbers that finds its n-th member in O(log n). It gives the n-th free agent in id order (P3).

/// A Fenwick tree over the numbers below its size.
#[derive(Clone, Debug, Default)]
pub struct RankSet {
    inside: Vec<bool>,
    sums: Vec<u32>,
    count: u32,
}

impl RankSet {
    /// An empty set of numbers below `size`.
    pub fn of_size(size: usize) -> RankSet {
        RankSet {
            inside: vec![false; size],
            sums: vec![0; size + 1],
            count: 0,
        }
    }

    /// The number of members.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Inserts or removes a number. Returns whether the set changed.
    pub fn set(&mut self, number: u32, inside: bool) -> bool {
        let number = number as usize;
        if self.inside[number] == inside {
            return false;
        }
        self.inside[number] = inside;
        let mut node = number + 1;
        while node < self.sums.len() {
            if inside {
                self.sums[node] += 1;
            } else {
                self.sums[node] -= 1;
            }
            node += node & node.wrapping_neg();
        }
        if inside {
            self.count += 1;
        } else {
            self.count -= 1;
        }
        true
    }

    /// Whether a number is a member.
    pub fn has(&self, number: u32) -> bool {
        self.inside[number as usize]
    }

    /// The number of members below a number.
    pub fn rank(&self, number: u32) -> u32 {
        let (mut node, mut below) = (number as usize, 0);
        while node > 0 {
            below += self.sums[node];
            node -= node & node.wrapping_neg();
        }
        below
    }

    /// The member at this index in ascending order.
    pub fn nth(&self, index: u32) -> Option<u32> {
        if index >= self.count {
            return None;
        }
        let mut rest = index;
        let mut node = 0;
        let mut step = self.sums.len().next_power_of_two();
        while step > 0 {
            let next = node + step;
            if next < self.sums.len() && self.sums[next] <= rest {
                rest -= self.sums[next];
                node = next;
            }
            step /= 2;
        }
        Some(node as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_sorted_set(size in 1usize..70, steps in prop::collection::vec((0u32..70, any::<bool>()), 1..200)) {
            let mut ranks = RankSet::of_size(size);
            let mut model = BTreeSet::new();
            for (number, inside) in steps {
                let number = number % size as u32;
                let changed = if inside { model.insert(number) } else { model.remove(&number) };
                prop_assert_eq!(ranks.set(number, inside), changed);
                prop_assert_eq!(ranks.count() as usize, model.len());
                for (index, &member) in model.iter().enumerate() {
                    prop_assert_eq!(ranks.nth(index as u32), Some(member));
                }
                prop_assert_eq!(ranks.nth(model.len() as u32), None);
            }
        }
    }
}
