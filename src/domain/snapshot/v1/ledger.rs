//! The ledger that shops share, in form 1. It has no version ([`super::super`] says how later forms are distinguished).

use serde::{Deserialize, Serialize, Serializer};

use super::name::NameV1;
use super::slab_map::{TableRead, TableV1};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::snapshot::InvalidPart;
use crate::domain::snapshot::stream::{Via, sequence};
use crate::domain::state::shared_invites::{MemoryLedger, Places, Senders, Space};

#[derive(Serialize)]
struct LedgerV1<'a> {
    /// The numbers of shops, by id.
    shops: Vec<(&'a str, u32)>,
    spaces: Spaces<'a>,
    latest_ms: Option<i64>,
}

/// The spaces, by id.
struct Spaces<'a>(Vec<(&'a Id, &'a Space)>);

impl Serialize for Spaces<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let spaces = self.0.iter();
        let spaces = spaces.map(|&(id, space)| (id.as_str(), SpaceV1::from(space)));
        sequence(self.0.len(), spaces, to)
    }
}

#[derive(Serialize)]
struct SpaceV1<'a> {
    buyers: TableV1<'a, Places, PlacesV1<'a>>,
    senders: SendersV1,
}

#[derive(Serialize, Deserialize)]
enum SendersV1 {
    Nobody,
    One(u32),
    Several,
}

#[derive(Serialize, Deserialize)]
struct PlacesV1<'a> {
    buyer: NameV1<'a>,
    /// The shop's number and the instant.
    first: (u32, i64),
    more: Vec<(u32, i64)>,
}

/// The serializable form of the ledger.
pub(in super::super) fn ledger(ledger: &MemoryLedger) -> impl Serialize {
    let (shops, spaces, latest) = ledger.parts();
    let mut shops: Vec<(&str, u32)> = shops.map(|(id, number)| (id.as_str(), number)).collect();
    shops.sort_unstable();
    let mut spaces: Vec<(&Id, &Space)> = spaces.collect();
    spaces.sort_unstable_by_key(|(id, _)| *id);
    LedgerV1 {
        shops,
        spaces: Spaces(spaces),
        latest_ms: latest.map(Instant::ms),
    }
}

impl<'a> From<&'a Space> for SpaceV1<'a> {
    fn from(Space { buyers, senders }: &'a Space) -> SpaceV1<'a> {
        SpaceV1 {
            buyers: TableV1::of(buyers),
            senders: match *senders {
                Senders::Nobody => SendersV1::Nobody,
                Senders::One(shop) => SendersV1::One(shop),
                Senders::Several => SendersV1::Several,
            },
        }
    }
}

impl<'a> From<&'a Places> for PlacesV1<'a> {
    fn from(Places { buyer, first, more }: &'a Places) -> PlacesV1<'a> {
        let place = |&(shop, at): &(u32, Instant)| (shop, at.ms());
        PlacesV1 {
            buyer: buyer.into(),
            first: place(first),
            more: more.iter().map(place).collect(),
        }
    }
}

impl TryFrom<PlacesV1<'_>> for Places {
    type Error = InvalidPart;
    fn try_from(read: PlacesV1<'_>) -> Result<Places, InvalidPart> {
        let place = |(shop, ms): (u32, i64)| Ok((shop, instant(ms)?));
        Ok(Places {
            buyer: read.buyer.id(),
            first: place(read.first)?,
            more: read
                .more
                .into_iter()
                .map(place)
                .collect::<Result<_, InvalidPart>>()?,
        })
    }
}

/// The fields of [`LedgerV1`] in the same order, for decoding.
#[derive(Deserialize)]
pub(in super::super) struct LedgerRead {
    shops: Vec<(NameV1<'static>, u32)>,
    spaces: Vec<(NameV1<'static>, Via<SpaceRead, Space>)>,
    latest_ms: Option<i64>,
}

#[derive(Deserialize)]
struct SpaceRead {
    buyers: TableRead<PlacesV1<'static>, Places>,
    senders: SendersV1,
}

impl TryFrom<SpaceRead> for Space {
    type Error = InvalidPart;
    fn try_from(read: SpaceRead) -> Result<Space, InvalidPart> {
        Ok(Space {
            buyers: read.buyers.table()?,
            senders: match read.senders {
                SendersV1::Nobody => Senders::Nobody,
                SendersV1::One(shop) => Senders::One(shop),
                SendersV1::Several => Senders::Several,
            },
        })
    }
}

impl LedgerRead {
    /// Converts the decoded ledger to the live type.
    pub(in super::super) fn ledger(self) -> Result<MemoryLedger, InvalidPart> {
        let shops = self.shops.into_iter();
        let spaces = self.spaces.into_iter();
        Ok(MemoryLedger::of(
            shops.map(|(id, number)| (id.id(), number)).collect(),
            spaces.map(|(id, space)| (id.id(), space.0)).collect(),
            self.latest_ms.map(instant).transpose()?,
        ))
    }
}

fn instant(ms: i64) -> Result<Instant, InvalidPart> {
    Instant::try_from(ms).map_err(InvalidPart::from)
}
