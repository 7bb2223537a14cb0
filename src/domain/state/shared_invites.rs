//! The ledger of I12: which shops have sent a buyer an automatic invite, over all shops of an installation.
//!
//! It is the one thing that shops share. A shop asks and books in one call, so that whoever keeps the ledger for
//! shops on several threads can make the two one step.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::collections::slab_map::{Keyed, Table};

/// A shop's question about a buyer, and its wish to send an invite.
pub struct Claim<'a> {
    /// The shop that asks.
    pub shop: &'a Id,
    /// What is now its buyer space.
    pub space: &'a Id,
    /// The buyer.
    pub buyer: &'a Id,
    /// The shop's clock.
    pub at: Instant,
    /// Whether an instant is on the shop's natural day of now.
    pub on_day: &'a dyn Fn(Instant) -> bool,
    /// How many other shops may have asked this buyer that day; 0: any number.
    pub cap: u32,
    /// Whether to book an invite at `at`, where the cap allows it.
    pub send: bool,
}

/// Keeps what shops share.
pub trait Ledger {
    /// How many other shops have sent the buyer an automatic invite on the claim's day so far. Where the claim
    /// wants to send and that is below its cap, the invite is booked in the same step.
    fn claim(&mut self, claim: &Claim<'_>) -> u32;
}

/// A ledger in memory. What has become older than any shop's day is let go once there is much of it.
#[derive(Default)]
pub struct MemoryLedger {
    shops: HashMap<Id, u32, FixedState>,
    spaces: HashMap<Id, Space, FixedState>,
    latest: Option<Instant>,
}

/// How many buyers of a space are held before old ones are let go.
const HELD_MIN: usize = 65_536;

/// How far behind the latest clock an invite is let go: longer than any natural day, and than shops' clocks differ.
const KEPT: Duration = Duration::days(4);

/// The invites of all buyers that are known by the same ids.
#[derive(Default)]
pub(in crate::domain) struct Space {
    pub(in crate::domain) buyers: Table<Places>,
    pub(in crate::domain) senders: Senders,
}

impl Space {
    /// Books an invite, and lets go of what is far behind the latest.
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

/// Who has sent invites in a space: while it is one shop alone, no other can have sent any.
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

/// The invites of one buyer in one space.
pub(in crate::domain) struct Places {
    pub(in crate::domain) buyer: Id,
    /// The first, which is mostly the only one: the shop's number and the instant.
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
    /// Books an invite that a shop has sent, where no claim did: a ledger is made anew from what was written down.
    pub fn book(&mut self, shop: &Id, space: &Id, buyer: &Id, at: Instant) {
        let shop = self.shop_number(shop);
        let latest = self.latest.map_or(at, |latest| latest.max(at));
        self.latest = Some(latest);
        let space = self.spaces.entry_ref(space).or_default();
        space.book(buyer, (shop, at), latest);
    }

    /// The numbers of shops, the spaces, and the latest instant of an invite.
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

    /// The ledger of what [`MemoryLedger::parts`] gave.
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

/// The other shops with an invite on the day, each counted once.
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
