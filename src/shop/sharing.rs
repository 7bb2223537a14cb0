//! The share of one shop, as its actor keeps to it: what it may take on now, and what it has written.

use super::actor::{ShopActor, Stage};
use super::desk::{Intake, Refused};
use super::world::World;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::protocol::event::{GivenPolicy, What};
use crate::journal::Claimed;

impl World {
    /// Whether a shop has not used its share of the disk up.
    pub(super) fn may_write(&self, shop: &Id) -> Result<(), Refused> {
        // Looking at the clock costs more than all else here.
        if !self.shares.counts() {
            return Ok(());
        }
        match self.shares.wait_s(shop, self.env.clock.now()) {
            Some(wait_s) => Err(Refused::OverShare { wait_s }),
            None => Ok(()),
        }
    }
}

impl ShopActor {
    /// Whether the shop may take this event on now: it has not used its share up, and where its buyer space may not be
    /// changed, it is the one that the event was made ready for.
    pub(super) fn may_take(&self, intake: &Intake, may_move: bool) -> Result<(), Refused> {
        let shares = &self.world.shares;
        if shares.is_too_much(&self.unwritten) {
            return Err(Refused::Busy);
        }
        self.world.may_write(&self.id)?;
        match may_move || self.stays(intake) {
            true => Ok(()),
            false => Err(Refused::Busy),
        }
    }

    /// Whether the shop's buyer space is after this event what it is now.
    fn stays(&self, intake: &Intake) -> bool {
        let Intake::Event { event, .. } = intake else {
            return true;
        };
        match (&event.what, &self.stage) {
            (What::ShopConfigured { policy }, Stage::Up(Some(awake))) => match policy {
                GivenPolicy::Checked(Ok(checked)) => {
                    checked.policy.buyer_space == awake.shop.policy().buyer_space
                }
                // It is rejected, and changes nothing.
                GivenPolicy::Checked(Err(_)) => true,
                GivenPolicy::Sent(_) => false,
            },
            // Nor does it make a shop: whoever may do that may give it a space.
            (What::ShopConfigured { .. }, Stage::Up(None)) => false,
            (_, _) => true,
        }
    }

    /// Bytes of the records that its latest snapshot has not taken in.
    pub(super) fn fresh_bytes(&self) -> usize {
        match &self.stage {
            Stage::Up(Some(awake)) => awake.fresh.bytes,
            Stage::Up(None) | Stage::ComingUp | Stage::Down(_) => 0,
        }
    }

    /// It has appended so many bytes.
    pub(super) fn wrote(&mut self, bytes: usize) {
        let bytes = bytes as u64;
        self.unwritten.add(bytes);
        let shares = &self.world.shares;
        if shares.counts() {
            shares.wrote(&self.id, bytes, self.world.env.clock.now());
        }
    }

    /// What was appended takes no memory any more once it is durable.
    pub(super) fn free_when_durable(&mut self) {
        if let Some(free) = self.unwritten.take() {
            let journal = &self.world.journal;
            journal.when_durable(self.appended, Box::new(free));
        }
    }
}

/// When the records after a shop's latest snapshot were made, and their bytes.
pub(super) fn written(claimed: &Claimed) -> Vec<(Instant, u64)> {
    let records = claimed.tail.iter();
    records
        .map(|record| {
            let bytes = record.text.len() + record.decisions.len();
            (record.at, bytes as u64)
        })
        .collect()
}
