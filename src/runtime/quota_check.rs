//! Whether a shop may take an event on now: it keeps to its share, and to its buyer space where that may not change.

use actix::Actor;

use super::event_result::{IncomingEvent, Unavailable};
use super::live_shop::LiveShop;
use super::quota::PendingBytes;
use super::shared::SharedState;
use crate::domain::base::id::Id;
use crate::domain::protocol::event::{EventBody, GivenPolicy};

/// Whether a shop has not used its share of the disk up.
pub(super) fn may_write<A: Actor>(world: &SharedState<A>, shop: &Id) -> Result<(), Unavailable> {
    // Looking at the clock costs more than all else here.
    if !world.shares.counts() {
        return Ok(());
    }
    match world.shares.wait_s(shop, world.env.clock.now()) {
        Some(wait_s) => Err(Unavailable::OverShare { wait_s }),
        None => Ok(()),
    }
}

/// Whether the shop has not used up its share of the disk or of what waits to be written.
pub(super) fn has_share_left<A: Actor>(
    world: &SharedState<A>,
    shop: &Id,
    unwritten: &PendingBytes,
) -> Result<(), Unavailable> {
    if world.shares.is_too_much(unwritten) {
        return Err(Unavailable::Busy);
    }
    may_write(world, shop)
}

/// Whether the shop's buyer space is after this event what it is now.
pub(super) fn keeps_buyer_space(awake: Option<&LiveShop>, intake: &IncomingEvent) -> bool {
    let IncomingEvent::Event { event, .. } = intake else {
        return true;
    };
    match (&event.what, awake) {
        (EventBody::ShopConfigured { policy }, Some(awake)) => match policy {
            GivenPolicy::Checked {
                checked: Ok(checked),
                ..
            } => checked.policy.buyer_space == awake.shop.policy().buyer_space,
            // It is rejected, and changes nothing.
            GivenPolicy::Checked {
                checked: Err(_), ..
            } => true,
            GivenPolicy::Sent(_) => false,
        },
        // Nor does it make a shop: who may do that may give it a space.
        (EventBody::ShopConfigured { .. }, None) => false,
        (_, _) => true,
    }
}

/// A shop has appended so many bytes.
pub(super) fn wrote<A: Actor>(
    world: &SharedState<A>,
    shop: &Id,
    unwritten: &mut PendingBytes,
    bytes: usize,
) {
    let bytes = bytes as u64;
    unwritten.add(bytes);
    if world.shares.counts() {
        world.shares.wrote(shop, bytes, world.env.clock.now());
    }
}
