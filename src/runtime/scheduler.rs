//! Waking: shops come up for their timers and for leases that have run out, and those that are awake are told when the
//! clock has jumped.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use actix::Addr;

use super::actor::ShopActor;
use super::leases::LeasesExpired;
use super::messages::ClockJumped;
use super::shops::Shops;
use crate::domain::base::id::Id;
use crate::env::{Stopwatch, blocking};
use crate::journal::JournalError;

/// Sleeping shops that are woken at once.
const WOKEN_AT_ONCE: usize = 512;

/// How often sleepers are looked at: their timers fire within a second.
const TICK: Duration = Duration::from_millis(200);

/// By how much more than has passed the clock must move to have jumped, in milliseconds.
const JUMP_MS: i64 = 300;

/// Wakes sleeping shops for their timers, and any for leases that have run out, as long as the server runs. Those
/// of before the start come first.
pub async fn wake_sleepers(desk: Shops) -> Result<(), JournalError> {
    let mut doubted = false;
    clock_is_trusted(&desk, &mut doubted);
    let (world, now) = (Arc::clone(&desk.world), desk.now());
    let found = blocking(move || {
        world.journal.each_timed_shop(&mut |sleeper| {
            world.sleepers.add(sleeper.due.unwrap_or(now), sleeper.shop);
        })
    });
    match found.await {
        Ok(found) => found?,
        Err(error) => return Err(JournalError::Failed(error.to_string())),
    }
    let (mut before, mut watch) = (desk.now(), Stopwatch::start());
    while !desk.is_closing() {
        let trusted = clock_is_trusted(&desk, &mut doubted);
        // What is due by a clock that cannot be right waits until it is.
        let at_once = if trusted { WOKEN_AT_ONCE } else { 0 };
        for shop in desk.world.sleepers.due(desk.now(), at_once) {
            wake(&desk, shop, drop);
        }
        for shop in desk.world.leases.due(desk.now(), at_once) {
            // One whose mailbox is full is told again.
            wake(&desk, shop, |actor| drop(actor.try_send(LeasesExpired)));
        }
        actix_rt::time::sleep(TICK).await;
        let (now, passed_ms) = (desk.now(), (watch.micros() / 1000) as i64);
        if now.ms() - before.ms() > passed_ms + JUMP_MS {
            // Alarms that were set by the clock of before ring too late.
            desk.world
                .registry
                .all()
                .iter()
                .for_each(|actor| drop(actor.try_send(ClockJumped)));
        }
        (before, watch) = (now, Stopwatch::start());
    }
    Ok(())
}

/// Whether the clock is trusted; those who watch learn when that changes.
fn clock_is_trusted(desk: &Shops, doubted: &mut bool) -> bool {
    desk.now();
    let doubt = desk.world.env.clock.trusted().err();
    if doubt.is_some() != *doubted {
        *doubted = doubt.is_some();
        desk.world.watch.clock_doubted(doubt);
    }
    doubt.is_none()
}

/// Has a shop come up, on one of the threads where shops live, and tells it something.
fn wake(desk: &Shops, shop: Id, tell: fn(Addr<ShopActor>)) {
    let home = {
        let homes = desk.homes.lock().unwrap_or_else(PoisonError::into_inner);
        let at = desk.world.registry.hash(&shop) as usize;
        homes.get(at % homes.len().max(1)).cloned()
    };
    let desk = desk.clone();
    match home {
        Some(home) => {
            home.spawn_fn(move || tell(desk.actor(&shop)));
        }
        None => tell(desk.actor(&shop)),
    }
}
