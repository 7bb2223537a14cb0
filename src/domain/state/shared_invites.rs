//! The ledger of I12: which shops sent a buyer an automatic invitation, over all shops of an installation.
//!
//! It is the only state that shops share. A shop checks and books in one call, so an implementation for several threads
//! can make both one atomic step.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::collections::slab_map::{Keyed, SlabMap};

/// A check of the cap for a buyer, with an optional booking.
pub struct Claim<'a> {
    /// The shop.
    pub shop: &'a Id,
    /// The shop's current buyer space.
    pub space: &'a Id,
    /// The buyer.
    pub buyer: &'a Id,
    /// The shop's clock.
    pub at: Instant,
    /// Whether an instant is on the shop's current natural day.
    pub on_day: &'a dyn Fn(Instant) -> bool,
    /// The maximum number of other shops that may have invited this buyer on that day. 0: no cap.
    pub cap: u32,
    /// Whether to book an invitation at `at` if the cap allows it.
    pub send: bool,
}

/// The state that shops share.
pub trait Ledger {
    /// The number of other shops that sent the buyer an automatic invitation on the claim's day so far. If the claim
    /// wants to send and the number is below its cap, the invitation is booked in the same step.
    fn claim(&mut self, claim: &Claim<'_>) -> u32;
}

/// A ledger in memory. It evicts entries that are older than any shop's day once there are many.
#[derive(Default)]
pub struct MemoryLedger {
    shops: HashMap<Id, u32, FixedState>,
    spaces: HashMap<Id, Space, FixedState>,
    latest: Option<Instant>,
}

/// The number of buyers of a space above which old ones are evicted.
const HELD_MIN: usize = 65_536;

/// The age, relative to the latest clock, at which an invitation is evicted. It exceeds any natural day and any
/// difference between shops' clocks.
const KEPT: Duration = Duration::days(4);

/// The invitations of all buyers in one buyer space.
#[derive(Default)]
pub(in crate::domain) struct Space {
    pub(in crate::domain) buyers: SlabMap<Places>,
    pub(in crate::domain) senders: Senders,
}

impl Space {
    /// Books an invitation, and evicts old entries.
    fn book(&mut self, buyer: &Id, place: (u32, Instant), latest: Instant) {
        let buyers = &mut self.buyers;
        self.senders = self.senders.with(place.0);
        match buyers.find(buyer) {
            Some(number) => buyers[number].more.push(place),
            None => {
                buyers.insert(Places {
                    buyer: buyer.clone(),
                    first: place,
                    more: Vec::new(),
                });
            }
        }
        if buyers.len() > HELD_MIN {
            for _ in 0..2 {
                buyers.sweep(|places| latest - places.latest() > KEPT);
            }
        }
    }
}

/// The shops that sent invitations in a space. If there is only one, the count of other shops is 0 without a look-up.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::domain) enum Senders {
    #[default]
    Nobody,
    One(u32),
    Several,
}

impl Senders {
    fn with(self, shop: u32) -> Senders {
        match self {
            Senders::Nobody => Senders::One(shop),
            Senders::One(one) if one == shop => self,
            Senders::One(_) | Senders::Several => Senders::Several,
        }
    }
}

/// The invitations of one buyer in one space.
pub(in crate::domain) struct Places {
    pub(in crate::domain) buyer: Id,
    /// The first one, usually the only one: the shop's number and the instant.
    pub(in crate::domain) first: (u32, Instant),
    pub(in crate::domain) more: Vec<(u32, Instant)>,
}

impl Places {
    fn all(&self) -> impl Iterator<Item = (u32, Instant)> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }

    fn latest(&self) -> Instant {
        self.all().map(|(_, at)| at).max().unwrap_or(self.first.1)
    }
}

impl Keyed for Places {
    type Key = str;
    fn key(&self) -> &str {
        &self.buyer
    }
}

impl MemoryLedger {
    /// Books an invitation without a claim, to restore a ledger from records.
    pub fn book(&mut self, shop: &Id, space: &Id, buyer: &Id, at: Instant) {
        let shop = self.shop_number(shop);
        let latest = self.latest.map_or(at, |latest| latest.max(at));
        self.latest = Some(latest);
        let space = self.spaces.entry_ref(space).or_default();
        space.book(buyer, (shop, at), latest);
    }

    /// The numbers of shops, the spaces, and the latest instant of an invitation.
    pub(in crate::domain) fn parts(
        &self,
    ) -> (
        impl Iterator<Item = (&Id, u32)>,
        impl Iterator<Item = (&Id, &Space)>,
        Option<Instant>,
    ) {
        let shops = self.shops.iter().map(|(id, &number)| (id, number));
        (shops, self.spaces.iter(), self.latest)
    }

    /// A ledger from the parts that [`MemoryLedger::parts`] returned.
    pub(in crate::domain) fn of(
        shops: HashMap<Id, u32, FixedState>,
        spaces: HashMap<Id, Space, FixedState>,
        latest: Option<Instant>,
    ) -> MemoryLedger {
        MemoryLedger {
            shops,
            spaces,
            latest,
        }
    }

    fn shop_number(&mut self, shop: &Id) -> u32 {
        let new = self.shops.len() as u32;
        *self.shops.entry_ref(shop).or_insert(new)
    }
}

impl Ledger for MemoryLedger {
    fn claim(&mut self, claim: &Claim<'_>) -> u32 {
        let shop = self.shop_number(claim.shop);
        let space = self.spaces.entry_ref(claim.space).or_default();
        let alone = space.senders.with(shop) == Senders::One(shop);
        if alone && !claim.send {
            return 0;
        }
        let found = space.buyers.find(claim.buyer);
        let others = found.map_or(0, |number| {
            others(&space.buyers[number], shop, claim.on_day)
        });
        if claim.send && (claim.cap == 0 || others < claim.cap) {
            let latest = self.latest.map_or(claim.at, |latest| latest.max(claim.at));
            self.latest = Some(latest);
            space.book(claim.buyer, (shop, claim.at), latest);
        }
        others
    }
}

/// The number of other shops with an invitation on the day.
fn others(places: &Places, shop: u32, on_day: &dyn Fn(Instant) -> bool) -> u32 {
    let on_day = |(other, at): &(u32, Instant)| *other != shop && on_day(*at);
    let mut shops: Vec<u32> = places
        .all()
        .filter(on_day)
        .map(|(other, _)| other)
        .collect();
    shops.sort_unstable();
    shops.dedup();
    shops.len() as u32
}
