//! Snapshots and passivation: an idle shop writes a snapshot and leaves memory.

use std::time::Duration;

use actix::prelude::*;

use super::actor::{ABSENT_IDLE, ActorState, ShopActor};
use super::recovery::stored;
use crate::journal::Snapshot;
use crate::runtime::live_shop::SinceSnapshot;

/// The minimum number of records between snapshots.
const STATE_RECORDS: u64 = 4096;

/// The bytes of records after a snapshot, as a multiple of its length, that trigger the next one. It bounds the write
/// overhead of snapshots.
const STATE_TIMES: usize = 8;

/// A shop whose next timer is due sooner than this is not passivated.
const NAP_MIN: Duration = Duration::from_secs(60);

impl ShopActor {
    /// Writes a snapshot if [`STATE_TIMES`] as many bytes of records follow the last one.
    pub(super) fn store_if_large(&mut self) {
        let large = self.awake().is_some_and(|awake| {
            awake.fresh.records >= STATE_RECORDS
                && awake.fresh.bytes >= STATE_TIMES * awake.state_bytes
        });
        if large {
            self.store_state();
        }
    }

    pub(super) fn store_state(&mut self) {
        let Some(awake) = self.awake() else { return };
        let bytes = stored(&awake.shop);
        if bytes.is_empty() {
            // The state could not be serialized. All records are there and are replayed instead.
            return;
        }
        awake.state_bytes = bytes.len();
        awake.fresh = SinceSnapshot::default();
        let (owner, due) = (awake.owner, awake.shop.next_timer());
        let (n, seq) = (awake.n, awake.shop.seq());
        let state = Snapshot { n, seq, bytes };
        self.shared.journal.put_snapshot(owner, state, due);
    }

    /// Stops without writing a snapshot, because another process owns the shop in the journal.
    pub(super) fn stop_if_stale(&mut self, ctx: &mut Context<Self>) {
        if self.stale {
            self.shared.registry.leave(&self.id, &ctx.address());
            ctx.stop();
        }
    }

    /// Passivates the shop if it is idle.
    pub(super) fn rest(&mut self, ctx: &mut Context<Self>) {
        let now = self.shared.env.clock.now();
        let idle = match &self.stage {
            ActorState::Up(Some(_)) => self.shared.idle,
            ActorState::Up(None) | ActorState::Down(_) | ActorState::ComingUp => ABSENT_IDLE,
        };
        let rested = Duration::from_micros(self.asked.micros());
        if rested < idle {
            ctx.run_later(idle - rested, Self::rest);
            return;
        }
        let next = self.awake().and_then(|awake| awake.shop.next_timer());
        let near = next.is_some_and(|due| due.ms() < now.ms() + NAP_MIN.as_millis() as i64);
        if near {
            ctx.run_later(NAP_MIN, Self::rest);
            return;
        }
        self.sleep(ctx);
    }

    /// Leaves memory. The next request starts a new actor.
    pub(super) fn sleep(&mut self, ctx: &mut Context<Self>) {
        if self.awake().is_some_and(|awake| awake.fresh.records > 0) {
            self.store_state();
        }
        if let Some(awake) = self.awake() {
            let (owner, due) = (awake.owner, awake.shop.next_timer());
            self.shared.journal.release(owner);
            if let Some(due) = due {
                self.shared.sleepers.add(due, self.id.clone());
            }
        }
        self.stage = ActorState::Up(None);
        self.shared.registry.leave(&self.id, &ctx.address());
        ctx.stop();
    }
}
