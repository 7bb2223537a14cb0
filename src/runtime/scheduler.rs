//! Wakes passivated shops for their timers, asks shops to end expired leases, and tells loaded shops when the clock
//! jumps.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use actix::Addr;

use super::actor::ShopActor;
use super::messages::ClockJumped;
use super::presence_leases::LeasesExpired;
use super::shops::Shops;
use crate::domain::base::id::Id;
use crate::env::{Stopwatch, blocking};
use crate::journal::JournalError;

/// The maximum number of passivated shops that are woken at once.
const WOKEN_AT_ONCE: usize = 512;

/// The interval of checks. Timers of passivated shops fire within a second.
const TICK: Duration = Duration::from_millis(200);

/// The clock jumped if it moved this much more than the elapsed time, in milliseconds.
const JUMP_MS: i64 = 300;

/// Wakes shops for timers and expired leases as long as the server runs. First come those that were due before the
/// start.
pub async fn wake_passivated_shops(shops: Shops) -> Result<(), JournalError> {
    let mut doubted = false;
    clock_is_trusted(&shops, &mut doubted);
    let (shared, now) = (Arc::clone(&shops.shared), shops.now());
    let found = blocking(move || {
        shared.journal.each_timed_shop(&mut |timed| {
            shared.wakeups.add(timed.due.unwrap_or(now), timed.shop);
        })
    });
    match found.await {
        Ok(found) => found?,
        Err(error) => return Err(JournalError::Failed(error.to_string())),
    }
    let (mut before, mut stopwatch) = (shops.now(), Stopwatch::start());
    while !shops.is_closing() {
        let trusted = clock_is_trusted(&shops, &mut doubted);
        // While the clock is not plausible, due timers wait.
        let at_once = if trusted { WOKEN_AT_ONCE } else { 0 };
        for shop in shops.shared.wakeups.due(shops.now(), at_once) {
            wake(&shops, shop, drop);
        }
        for shop in shops.shared.leases.due(shops.now(), at_once) {
            // If the mailbox is full, the shop is asked again later.
            wake(&shops, shop, |actor| drop(actor.try_send(LeasesExpired)));
        }
        actix_rt::time::sleep(TICK).await;
        let (now, passed_ms) = (shops.now(), (stopwatch.micros() / 1000) as i64);
        if now.ms() - before.ms() > passed_ms + JUMP_MS {
            // Wake-ups that were set by the previous clock would be late.
            shops
                .shared
                .registry
                .all()
                .iter()
                .for_each(|actor| drop(actor.try_send(ClockJumped)));
        }
        (before, stopwatch) = (now, Stopwatch::start());
    }
    Ok(())
}

/// Whether the clock is trusted. The observer is called when that changes.
fn clock_is_trusted(shops: &Shops, doubted: &mut bool) -> bool {
    shops.now();
    let doubt = shops.shared.env.clock.trusted().err();
    if doubt.is_some() != *doubted {
        *doubted = doubt.is_some();
        shops.shared.observer.clock_doubted(doubt);
    }
    doubt.is_none()
}

/// Loads a shop on one of the runtime threads and sends it a message.
fn wake(shops: &Shops, shop: Id, send: fn(Addr<ShopActor>)) {
    let arbiter = {
        let arbiters = shops
            .arbiters
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let at = shops.shared.registry.hash(&shop) as usize;
        arbiters.get(at % arbiters.len().max(1)).cloned()
    };
    let shops = shops.clone();
    match arbiter {
        Some(arbiter) => {
            arbiter.spawn_fn(move || send(shops.actor(&shop)));
        }
        None => send(shops.actor(&shop)),
    }
}
