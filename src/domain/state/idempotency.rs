//! The idempotency index: the ids of accepted events, and the decisions of each (contract, section 2).
//!
//! An id is kept for 7 days and stored once. The records are in the order in which they were added, and the index by id
//! contains their numbers.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::collections::chunked_deque::ChunkedDeque;

/// How long the id of an accepted event is kept.
pub const EVENT_ID_REMEMBERED: Duration = Duration::days(7);

/// The response to an accepted event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// The fingerprint of the event's body.
    pub print: u64,
    /// The `seq` of the first decision of the response. If there was no decision, the `seq` of the next one.
    pub first: u64,
    /// The number of decisions, including those of timers that fired before the event.
    pub count: u32,
}

/// The stored record of one event.
#[derive(Debug)]
struct Kept {
    accepted: Instant,
    id: Id,
    receipt: IdempotencyRecord,
}

/// The idempotency records of accepted events.
#[derive(Default)]
pub struct IdempotencyIndex {
    /// The oldest first.
    kept: ChunkedDeque<Kept>,
    /// The number of the oldest record. The others follow it, modulo 2^32.
    oldest: u32,
    by_id: HashTable<Place>,
}

/// The position of a record. The hash code is stored with it, so the index can grow without the ids.
#[derive(Clone, Copy)]
struct Place {
    code: Code,
    number: u32,
}

/// The hash code of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(u32);

impl Code {
    /// Computes the code of an id.
    pub fn of(id: &Id) -> Code {
        Code(FixedState::default().hash_one(id) as u32)
    }

    /// Spreads the bits: the table uses the low bits as index and the high bits as tag.
    fn spread(self) -> u64 {
        u64::from(self.0).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl IdempotencyIndex {
    /// The record of the event with this id, if it was accepted less than 7 days before `now`.
    pub fn get(&self, (code, id): (Code, &Id), now: Instant) -> Option<IdempotencyRecord> {
        let kept = self.find(code, id)?;
        (now < kept.accepted + EVENT_ID_REMEMBERED).then_some(kept.receipt)
    }

    /// Evicts records that were added 7 days before `now` or earlier.
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

    /// Adds the record of an accepted event. The id must not be in the index.
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

    /// All records, the oldest first, with the time and the id of each.
    pub(in crate::domain) fn iter(
        &self,
    ) -> impl Iterator<Item = (Instant, &Id, IdempotencyRecord)> {
        let kept = self.kept.iter();
        kept.map(|kept| (kept.accepted, &kept.id, kept.receipt))
    }

    /// Adds the record of an accepted event. If the id is already in the index, which an older core may have missed,
    /// the new record replaces the old one and expires when the old one would have.
    pub fn keep_again(&mut self, (code, id): (Code, Id), now: Instant, receipt: IdempotencyRecord) {
        let held = self.find_place(code, &id);
        let at = held.map(|place| place.number.wrapping_sub(self.oldest) as usize);
        match at.and_then(|at| self.kept.get_mut(at)) {
            Some(kept) => kept.receipt = receipt,
            None => self.keep((code, id), now, receipt),
        }
    }

    /// The number of ids.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether there are no ids.
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
            let mut remembered = IdempotencyIndex { oldest: begin, ..IdempotencyIndex::default() };
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
