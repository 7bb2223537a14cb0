//! What the gateway says of a buyer: a risk (I7), a priority (R11), a block (B1), and that it left the page (S7).

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::collections::slab_map::NOBODY;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::protocol::codes::CloseReason;
use crate::domain::protocol::event::Priority;
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::buyer::Buyer;
use crate::domain::state::session::SessionPlace;
use crate::domain::state::shared_invites::Ledger;
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

impl Shop {
    fn buyer_or_new(&mut self, buyer: &Id) -> u32 {
        let known = self.buyers.find(buyer);
        known.unwrap_or_else(|| self.buyers.insert(Buyer::new(buyer.clone())))
    }

    /// `buyer.flagged` (I7).
    pub(in crate::domain) fn flag(&mut self, buyer: &Id, risk: bool) {
        let number = self.buyer_or_new(buyer);
        self.buyers[number].risk = risk;
    }

    /// `buyer.ranked` (R11).
    pub(in crate::domain) fn rank_buyer(&mut self, buyer: &Id, priority: Priority) {
        let number = self.buyer_or_new(buyer);
        self.buyers[number].priority = priority;
        let session = self.buyers[number].open_session;
        if session != NOBODY {
            self.rank_again(session);
        }
    }

    /// `session.ranked` (R11).
    pub(in crate::domain) fn rank_session(
        &mut self,
        session: &Id,
        priority: Priority,
    ) -> Result<(), Rejection> {
        let session = self.find_open(session)?;
        self.sessions[session].priority = Some(priority);
        self.rank_again(session);
        Ok(())
    }

    /// `buyer.blocked` (B1).
    pub(in crate::domain) fn block(
        &mut self,
        buyer: &Id,
        blocked: bool,
        until: Option<Instant>,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) {
        let number = self.buyer_or_new(buyer);
        let now = self.now;
        // A later block takes the place of the one before. Those that have ended go, too.
        let buyers = &mut self.buyers;
        self.blocks.retain(|&other, until| {
            let stays = other != number && until.is_none_or(|until| now < until);
            if !stays {
                buyers[other].held_by -= 1;
            }
            stays
        });
        if !blocked || until.is_some_and(|until| until <= now) {
            return;
        }
        self.blocks.insert(number, until);
        self.buyers[number].held_by += 1;
        let session = self.buyers[number].open_session;
        if session != NOBODY {
            self.note_blocked(number, out);
            self.close(session, CloseReason::Blocked, ledger, out);
        }
    }

    /// Whether a buyer is blocked now (B1).
    pub(in crate::domain) fn is_blocked(&self, buyer: u32) -> bool {
        let block = self.blocks.get(&buyer);
        block.is_some_and(|until| until.is_none_or(|until| self.now < until))
    }

    /// `buyer.left` (S7). A second one changes nothing.
    pub(in crate::domain) fn buyer_left(&mut self, session: &Id) -> Result<(), Rejection> {
        let session = self.find_open(session)?;
        if !std::mem::replace(&mut self.sessions[session].marks.left, true) {
            self.arm_left(session);
        }
        Ok(())
    }

    /// `buyer.returned` (S7).
    pub(in crate::domain) fn buyer_returned(&mut self, session: &Id) -> Result<(), Rejection> {
        let session = self.find_open(session)?;
        self.is_back(session);
        Ok(())
    }

    /// The buyer is on the page again.
    pub(in crate::domain) fn is_back(&mut self, session: u32) {
        self.sessions[session].marks.left = false;
        if self.timers.due(session, Timer::Left).is_some() {
            self.quit_queue(session);
            self.timers.disarm(session, Timer::Left);
            self.join_queue(session);
        }
    }

    /// Starts the clock of S7, if the session waits and its buyer has left.
    pub(in crate::domain) fn arm_left(&mut self, session: u32) {
        let grace = self.policy.routing.queue.leave_grace;
        let waits = matches!(self.sessions[session].place, SessionPlace::Waiting { .. });
        if waits && !grace.is_zero() {
            self.quit_queue(session);
            self.timers.arm(session, Timer::Left, self.now + grace);
            self.join_queue(session);
        }
    }

    /// The buyer left and did not come back in time (S7).
    pub(in crate::domain) fn abandon(
        &mut self,
        session: u32,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) {
        self.note_gave_up(session, out);
        self.close(session, CloseReason::Abandoned, ledger, out);
    }
}
