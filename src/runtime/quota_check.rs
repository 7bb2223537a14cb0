//! Checks before an event is handled: the shop's quota, and its buyer space if that may not change.

use actix::Actor;

use super::event_result::{IncomingEvent, Unavailable};
use super::live_shop::LiveShop;
use super::quota::PendingBytes;
use super::shared::SharedState;
use crate::domain::base::id::Id;
use crate::domain::protocol::event::{EventBody, GivenPolicy};

/// Whether the shop is within its quota of the disk.
pub(super) fn may_write<A: Actor>(shared: &SharedState<A>, shop: &Id) -> Result<(), Unavailable> {
    // Reading the clock is the most expensive part of this check.
    if !shared.quotas.counts() {
        return Ok(());
    }
    match shared.quotas.wait_s(shop, shared.env.clock.now()) {
        Some(wait_s) => Err(Unavailable::OverQuota { wait_s }),
        None => Ok(()),
    }
}

/// Whether the shop is within its quotas of the disk and of bytes that wait to be written.
pub(super) fn has_quota_left<A: Actor>(
    shared: &SharedState<A>,
    shop: &Id,
    unwritten: &PendingBytes,
) -> Result<(), Unavailable> {
    if shared.quotas.is_too_much(unwritten) {
        return Err(Unavailable::Busy);
    }
    may_write(shared, shop)
}

/// Whether this event leaves the shop's buyer space unchanged.
pub(super) fn keeps_buyer_space(loaded: Option<&LiveShop>, intake: &IncomingEvent) -> bool {
    let IncomingEvent::Event { event, .. } = intake else {
        return true;
    };
    match (&event.what, loaded) {
        (EventBody::ShopConfigured { policy }, Some(loaded)) => match policy {
            GivenPolicy::Checked {
                checked: Ok(checked),
                ..
            } => checked.policy.buyer_space == loaded.shop.policy().buyer_space,
            // An invalid policy is rejected and changes nothing.
            GivenPolicy::Checked {
                checked: Err(_), ..
            } => true,
            GivenPolicy::Sent(_) => false,
        },
        // The event would create the shop. A client that may do so may also set the buyer space.
        (EventBody::ShopConfigured { .. }, None) => false,
        (_, _) => true,
    }
}

/// Counts bytes that a shop appended.
pub(super) fn wrote<A: Actor>(
    shared: &SharedState<A>,
    shop: &Id,
    unwritten: &mut PendingBytes,
    bytes: usize,
) {
    let bytes = bytes as u64;
    unwritten.add(bytes);
    if shared.quotas.counts() {
        shared.quotas.wrote(shop, bytes, shared.env.clock.now());
    }
}
