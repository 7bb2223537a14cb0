//! Receipts: which events the shop has accepted, by their ids, and which decisions answered each (contract, section 2).
//!
//! An id is remembered for 7 days and held once: the receipts lie in the order in which they were given, and the
//! index by id holds their numbers.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::collections::chunked_deque::Row;

/// For how long the id of an accepted event is remembered.
pub const EVENT_ID_REMEMBERED: Duration = Duration::days(7);

/// What was answered to an accepted event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The fingerprint of its body.
    pub print: u64,
    /// The `seq` of the first decision of its answer; where nothing was decided, of the one that came next.
    pub first: u64,
    /// How many decisions the answer has, those of the timers that fired before it included.
    pub count: u32,
}

/// The receipt of one event.
#[derive(Debug)]
struct Kept {
    accepted: Instant,
    id: Id,
    receipt: IdempotencyRecord,
}

/// The receipts of accepted events, as long as their ids are remembered.
#[derive(Default)]
pub struct Remembered {
    /// Oldest first.
    kept: Row<Kept>,
    /// The number of the oldest; the others count on from it, around the end of `u32`.
    oldest: u32,
    by_id: HashTable<Place>,
}

/// Where a receipt lies. The index grows without a look at the ids, for it knows their codes.
#[derive(Clone, Copy)]
struct Place {
    code: Code,
    number: u32,
}

/// What an id is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(u32);

impl Code {
    /// The code of an id.
    pub fn of(id: &Id) -> Code {
        Code(FixedState::default().hash_one(id) as u32)
    }

    /// Spread over all bits: the table takes its places from the low ones and its tags from the high ones.
    fn spread(self) -> u64 {
        u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Remembered {
    /// The receipt of the event with this id, where it was accepted less than 7 days before `now`.
    pub fn get(&self, (code, id): (Code, &Id), now: Instant) -> Option<IdempotencyRecord> {
        let kept = self.find(code, id)?;
        (now < kept.accepted + EVENT_ID_REMEMBERED).then_some(kept.receipt)
    }

    /// Lets go of what was accepted 7 days before `now` or longer.
    pub fn forget(&mut self, now: Instant) {
        while let Some(front) = self.kept.front()
            && front.accepted + EVENT_ID_REMEMBERED <= now
        {
            let (code, oldest) = (Code::of(&front.id), self.oldest);
            let is_oldest = |place: &Place| place.number == oldest;
            if let Ok(entry) = self.by_id.find_entry(code.spread(), is_oldest) {
                entry.remove();
            }
            self.kept.pop_front();
            self.oldest = oldest.wrapping_add(1);
        }
    }

    /// An event with this id, which is not held, was accepted.
    pub fn keep(&mut self, (code, id): (Code, Id), now: Instant, receipt: IdempotencyRecord) {
        let number = self.oldest.wrapping_add(self.kept.len() as u32);
        self.kept.push_back(Kept {
            accepted: now,
            id,
            receipt,
        });
        let place = Place { code, number };
        self.by_id
            .insert_unique(code.spread(), place, |other| other.code.spread());
    }

    /// All receipts, oldest first: when each was given, and for which id.
    pub(in crate::domain) fn iter(
        &self,
    ) -> impl Iterator<Item = (Instant, &Id, IdempotencyRecord)> {
        let kept = self.kept.iter();
        kept.map(|kept| (kept.accepted, &kept.id, kept.receipt))
    }

    /// An event with this id was accepted. Where the id is held, as an older core may not have known, the later receipt
    /// counts, and is let go when the earlier would have been.
    pub fn keep_again(&mut self, (code, id): (Code, Id), now: Instant, receipt: IdempotencyRecord) {
        let held = self.find_place(code, &id);
        let at = held.map(|place| place.number.wrapping_sub(self.oldest) as usize);
        match at.and_then(|at| self.kept.get_mut(at)) {
            Some(kept) => kept.receipt = receipt,
            None => self.keep((code, id), now, receipt),
        }
    }

    /// How many ids are held.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn find(&self, code: Code, id: &Id) -> Option<&Kept> {
        self.find_place(code, id).map(|place| self.kept_at(place))
    }

    fn find_place(&self, code: Code, id: &Id) -> Option<Place> {
        let is_it = |place: &Place| place.code == code && self.kept_at(*place).id == *id;
        self.by_id.find(code.spread(), is_it).copied()
    }

    fn kept_at(&self, place: Place) -> &Kept {
        &self.kept[place.number.wrapping_sub(self.oldest) as usize]
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
            let mut model: BTreeMap<Id, (Instant, IdempotencyRecord)> = BTreeMap::new();
            let mut now = Instant::from_ms(0);
            for (first, (name, hours)) in (1..).zip(steps) {
                now = now + Duration::from_ms(hours * 3_600_000);
                remembered.forget(now);
                model.retain(|_, (accepted, _)| now < *accepted + EVENT_ID_REMEMBERED);
                prop_assert_eq!(remembered.len(), model.len());
                let id = Id::new(&name.to_string()).unwrap();
                let known = model.get(&id).map(|&(_, receipt)| receipt);
                prop_assert_eq!(remembered.get((Code::of(&id), &id), now), known);
                if known.is_none() {
                    let receipt = IdempotencyRecord { print: u64::from(name), first, count: 1 };
                    remembered.keep((Code::of(&id), id.clone()), now, receipt);
                    model.insert(id, (now, receipt));
                }
            }
        }
    }
}
