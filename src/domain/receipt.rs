//! Receipts: which events the shop has accepted, by their ids, and which decisions answered each (contract, section 2).
//!
//! An id is remembered for 7 days and held once: the receipts lie in the order in which they were given, and the
//! index by id holds their numbers.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::id::Id;
use super::shop::Shop;
use super::time::{Duration, Instant};

/// For how long the id of an accepted event is remembered.
pub const EVENT_ID_REMEMBERED: Duration = Duration::days(7);

/// What was answered to an accepted event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The fingerprint of its body.
    pub print: u64,
    /// The `seq` of the first decision of its answer; where nothing was decided, of the one that came next.
    pub first: u64,
    /// How many decisions the answer has, those of the timers that fired before it included.
    pub count: u32,
}

/// The receipt of one event.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    accepted: Instant,
    id: Id,
    receipt: Receipt,
}

/// The receipts of accepted events, as long as their ids are remembered.
#[derive(Default)]
pub struct Remembered {
    /// Oldest first.
    kept: VecDeque<Kept>,
    /// The number of the oldest; the others count on from it, around the end of `u32`.
    oldest: u32,
    by_id: HashTable<u32>,
}

impl Remembered {
    /// The receipt of the event with this id, where it was accepted less than 7 days before `now`.
    pub fn get(&self, id: &Id, now: Instant) -> Option<Receipt> {
        let kept = self.find(id)?;
        (now < kept.accepted + EVENT_ID_REMEMBERED).then_some(kept.receipt)
    }

    /// Lets go of what was accepted 7 days before `now` or longer.
    pub fn forget(&mut self, now: Instant) {
        while let Some(front) = self.kept.front()
            && front.accepted + EVENT_ID_REMEMBERED <= now
        {
            let (code, oldest) = (hash(&front.id), self.oldest);
            if let Ok(entry) = self.by_id.find_entry(code, |&number| number == oldest) {
                entry.remove();
            }
            self.kept.pop_front();
            self.oldest = oldest.wrapping_add(1);
        }
    }

    /// An event with this id, which is not held, was accepted.
    pub fn keep(&mut self, id: Id, now: Instant, receipt: Receipt) {
        let number = self.oldest.wrapping_add(self.kept.len() as u32);
        let code = hash(&id);
        self.kept.push_back(Kept {
            accepted: now,
            id,
            receipt,
        });
        let (kept, oldest) = (&self.kept, self.oldest);
        self.by_id.insert_unique(code, number, |&other| {
            hash(&kept[other.wrapping_sub(oldest) as usize].id)
        });
    }

    /// How many ids are held.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn find(&self, id: &Id) -> Option<&Kept> {
        let kept = |number: u32| &self.kept[number.wrapping_sub(self.oldest) as usize];
        let found = self.by_id.find(hash(id), |&number| kept(number).id == *id);
        found.map(|&number| kept(number))
    }
}

impl Serialize for Remembered {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.kept.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Remembered {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Remembered, D::Error> {
        let mut remembered = Remembered::default();
        for Kept {
            accepted,
            id,
            receipt,
        } in Vec::<Kept>::deserialize(from)?
        {
            remembered.keep(id, accepted, receipt);
        }
        Ok(remembered)
    }
}

fn hash(id: &Id) -> u64 {
    FixedState::default().hash_one(id)
}

impl Shop {
    /// The receipt of an accepted event, as long as its id is remembered.
    pub fn receipt(&self, id: &Id) -> Option<Receipt> {
        self.remembered.get(id, self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_is_a_map_of_the_last_7_days(
            begin in prop::sample::select(vec![0, u32::MAX - 20]),
            steps in prop::collection::vec((0u8..40, 0i64..30), 1..300),
        ) {
            let mut remembered = Remembered { oldest: begin, ..Remembered::default() };
            let mut model: BTreeMap<Id, (Instant, Receipt)> = BTreeMap::new();
            let mut now = Instant::from_ms(0);
            for (first, (name, hours)) in (1..).zip(steps) {
                now = now + Duration::from_ms(hours * 3_600_000);
                remembered.forget(now);
                model.retain(|_, (accepted, _)| now < *accepted + EVENT_ID_REMEMBERED);
                prop_assert_eq!(remembered.len(), model.len());
                let id = Id::new(&name.to_string()).unwrap();
                let known = model.get(&id).map(|&(_, receipt)| receipt);
                prop_assert_eq!(remembered.get(&id, now), known);
                if known.is_none() {
                    let receipt = Receipt { print: u64::from(name), first, count: 1 };
                    remembered.keep(id.clone(), now, receipt);
                    model.insert(id, (now, receipt));
                }
            }
        }
    }
}
