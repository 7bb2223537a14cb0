//! Giving up (S7): buyers who leave, and who come back or do not.

use crate::model::shop::{Answer, Shop};
use crate::model::timers::TimerKind;

impl Shop {
    /// A second one changes nothing.
    pub fn buyer_left(&mut self, id: &str) -> Answer {
        let index = self.opened(id)?;
        if !self.sessions[index].buyer_left {
            self.sessions[index].buyer_left = true;
            self.arm_left(index);
        }
        Ok(())
    }

    pub fn buyer_returned(&mut self, id: &str) -> Answer {
        let index = self.opened(id)?;
        self.note_buyer_here(index);
        Ok(())
    }

    /// Also at a message of the buyer.
    pub fn note_buyer_here(&mut self, index: usize) {
        self.sessions[index].buyer_left = false;
        self.timers.cancel(index, TimerKind::Left);
    }

    /// Where it waits, or from when it is queued with that note.
    pub fn arm_left(&mut self, index: usize) {
        let grace = self.policy.routing.queue.leave_grace;
        let session = &self.sessions[index];
        if grace > 0 && session.buyer_left && session.is_waiting() {
            self.timers.arm(index, TimerKind::Left, self.clock + grace);
        }
    }
}
