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
const PASSIVATION_MIN: Duration = Duration::from_secs(60);

impl ShopActor {
    /// Writes a snapshot if [`STATE_TIMES`] as many bytes of records follow the last one.
    pub(super) fn store_if_large(&mut self) {
        let large = self.loaded().is_some_and(|loaded| {
            loaded.fresh.records >= STATE_RECORDS
                && loaded.fresh.bytes >= STATE_TIMES * loaded.state_bytes
        });
        if large {
            self.store_state();
        }
    }

    pub(super) fn store_state(&mut self) {
        let Some(loaded) = self.loaded() else { return };
        let bytes = stored(&loaded.shop);
        if bytes.is_empty() {
            // The state could not be serialized. All records are there and are replayed instead.
            return;
        }
        loaded.state_bytes = bytes.len();
        loaded.fresh = SinceSnapshot::default();
        let (owner, due) = (loaded.owner, loaded.shop.next_timer());
        let (n, seq) = (loaded.n, loaded.shop.seq());
        let state = Snapshot { n, seq, bytes };
        self.shared.journal.put_snapshot(owner, state, due);
    }

    /// Stops without writing a snapshot, because another process owns the shop in the journal.
    pub(super) fn stop_if_stale(&mut self, ctx: &mut Context<Self>) {
        if self.stale {
            self.shared.registry.remove(&self.id, &ctx.address());
            ctx.stop();
        }
    }

    /// Passivates the shop if it is idle.
    pub(super) fn passivate_if_idle(&mut self, ctx: &mut Context<Self>) {
        let now = self.shared.env.clock.now();
        let idle = match &self.state {
            ActorState::Loaded(Some(_)) => self.shared.idle,
            ActorState::Loaded(None) | ActorState::Failed(_) | ActorState::Recovering => {
                ABSENT_IDLE
            }
        };
        let idle_for = Duration::from_micros(self.last_request.micros());
        if idle_for < idle {
            ctx.run_later(idle - idle_for, Self::passivate_if_idle);
            return;
        }
        let next = self.loaded().and_then(|loaded| loaded.shop.next_timer());
        let near = next.is_some_and(|due| due.ms() < now.ms() + PASSIVATION_MIN.as_millis() as i64);
        if near {
            ctx.run_later(PASSIVATION_MIN, Self::passivate_if_idle);
            return;
        }
        self.passivate(ctx);
    }

    /// Leaves memory. The next request starts a new actor.
    pub(super) fn passivate(&mut self, ctx: &mut Context<Self>) {
        if self.loaded().is_some_and(|loaded| loaded.fresh.records > 0) {
            self.store_state();
        }
        if let Some(loaded) = self.loaded() {
            let (owner, due) = (loaded.owner, loaded.shop.next_timer());
            self.shared.journal.release(owner);
            if let Some(due) = due {
                self.shared.wakeups.add(due, self.id.clone());
            }
        }
        self.state = ActorState::Loaded(None);
        self.shared.registry.remove(&self.id, &ctx.address());
        ctx.stop();
    }
}
