//! An installation: shops by id, and the ledger that they share. It is the whole core behind one type.

use std::collections::BTreeMap;

use super::base::id::Id;
use super::base::time::{Instant, OffsetTimestamp};
use super::explain::decision_sink::DecisionSink;
use super::protocol::decision::{Decision, DecisionBody, ErrorCode};
use super::protocol::event::{Event, EventBody};
use super::read::report::Report;
use super::state::shared_invites::MemoryLedger;
use super::state::shop::Shop;
use crate::domain::protocol::rejection::Rejection;
use crate::domain::read::report;
use crate::domain::rules::apply_event::Applied;

/// The offset of the times in a rejection without a shop: +08:00, in seconds.
const NO_SHOP_OFFSET_S: i32 = 8 * 3600;

/// Many shops with a shared ledger.
#[derive(Default)]
pub struct Installation {
    shops: BTreeMap<Id, Shop>,
    ledger: MemoryLedger,
}

/// A line that is not a valid event, with the fields that could be read.
#[derive(Clone, Debug)]
pub struct Malformed {
    /// The shop of the event. `None` if it is malformed.
    pub shop: Option<Id>,
    /// The event's type. Empty if it is not a string.
    pub event: String,
    /// The event's time, if it is well-formed.
    pub at: Option<Instant>,
    /// A sentence that says what to change.
    pub message: String,
}

impl Installation {
    /// Handles one well-formed event of a shop.
    pub fn take(&mut self, shop: &Id, event: &Event, out: &mut DecisionSink) -> Applied {
        if let Some(known) = self.shops.get_mut(shop) {
            return known.take(event, &mut self.ledger, out);
        }
        match create(shop, event) {
            Ok(mut new) => {
                let taken = new.take(event, &mut self.ledger, out);
                self.shops.insert(shop.clone(), new);
                taken
            }
            Err(rejection) => {
                out.push(reject_without_shop(
                    event.what.name(),
                    Some(event.at),
                    rejection,
                ));
                Applied::Rejected
            }
        }
    }

    /// Rejects a line that is not a valid event.
    pub fn reject(&mut self, malformed: Malformed, out: &mut DecisionSink) {
        let Malformed {
            shop,
            event,
            at,
            message,
        } = malformed;
        let rejection = Rejection::new(ErrorCode::Malformed, message);
        match shop.and_then(|shop| self.shops.get_mut(&shop)) {
            Some(shop) => shop.reject(&event, rejection, out),
            None => out.push(reject_without_shop(&event, at, rejection)),
        }
    }

    /// A shop by its id.
    pub fn shop(&self, shop: &str) -> Option<&Shop> {
        self.shops.get(shop)
    }

    /// All shops, by id.
    pub fn shops(&self) -> impl Iterator<Item = &Shop> {
        self.shops.values()
    }

    /// The report of every shop, each at its own clock.
    pub fn report(&self) -> BTreeMap<String, Report> {
        let shops = self.shops.iter();
        shops
            .map(|(id, shop)| (id.to_string(), report::report(shop)))
            .collect()
    }
}

/// Creates the shop for `shop.configured`. For any other event the shop is unknown.
pub fn create(shop: &Id, event: &Event) -> Result<Shop, Rejection> {
    let EventBody::ShopConfigured { policy } = &event.what else {
        let message =
            format!("No shop {shop:?} exists: send `shop.configured` with its policy first.");
        return Err(Rejection::new(ErrorCode::ShopUnknown, message));
    };
    let policy = policy
        .read()
        .map_err(|error| Rejection::new(ErrorCode::PolicyInvalid, error.to_string()))?;
    Ok(Shop::with(shop.clone(), policy, event.at))
}

/// A rejection for a shop that does not exist: `seq` is 0, and the event's own time is written at +08:00.
pub fn reject_without_shop(event: &str, at: Option<Instant>, rejection: Rejection) -> Decision {
    let at: Option<OffsetTimestamp> = at.map(|at| at.at_offset(NO_SHOP_OFFSET_S));
    Decision {
        seq: 0,
        at,
        body: DecisionBody::EventRejected {
            event: event.into(),
            error: rejection.error,
            message: rejection.message.into(),
            session: rejection.session,
        },
    }
}
