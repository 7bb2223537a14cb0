//! Forgetting: what no rule can look at any more leaves, without scans and without timers.
//!
//! Closed sessions leave after 7 days (S1); event ids do in [`crate::domain::state::idempotency`]. A buyer leaves when every
//! window has passed, which is never before its sessions are forgotten; a tie when its windows have: a few records are
//! looked at with every event, in turn. Small tables are left alone.

use crate::domain::base::id::Id;
use crate::domain::collections::slab_map::NOBODY;
use crate::domain::state::buyer::Buyer;
use crate::domain::state::session::REMEMBERED;
use crate::domain::state::shop::Shop;

/// Tables of fewer records are not swept.
const SWEPT_FROM: usize = 4096;

/// Records looked at with every event: more than an event can add, so that the dead stay few.
const LOOKS: u32 = 2;

impl Shop {
    /// Lets go of what has become too old by now.
    pub(in crate::domain) fn forget(&mut self) {
        while let Some(&(closed, session)) = self.closed.front()
            && closed + REMEMBERED <= self.now
        {
            self.closed.pop_front();
            self.forget_session(session);
        }
        self.remembered.forget(self.now);
        for _ in 0..LOOKS {
            self.sweep();
        }
    }

    /// Looks at one tie and one buyer, and lets go of what no window reaches.
    fn sweep(&mut self) {
        let (now, horizon) = (self.now, self.horizon);
        if self.ties.len() >= SWEPT_FROM {
            let gone = self.ties.sweep(|tie| tie.last_deed() + horizon <= now);
            if let Some(tie) = gone {
                self.buyers[tie.pair.0].held_by -= 1;
            }
        }
        if self.buyers.len() >= SWEPT_FROM {
            self.buyers.sweep(|buyer| {
                let held = buyer.held_by > 0 || buyer.open_session != NOBODY || buyer.risk;
                !held && buyer.last_deed() + horizon <= now
            });
        }
    }

    /// The session's id is free again. The record stays while a message of it can still become late.
    fn forget_session(&mut self, session: u32) {
        if self.is_done(session) {
            self.sessions.remove(session);
        } else {
            self.sessions.forget_key(session);
            let record = &mut self.sessions[session];
            record.marks.forgotten = true;
            self.buyers[record.buyer].held_by += 1;
        }
    }

    /// Whether nothing about a closed session is to come.
    fn is_done(&self, session: u32) -> bool {
        !self.timers.is_armed(session) && self.lates.get(session).is_none()
    }

    /// Drops a forgotten session once nothing about it is to come. Judging a day may have dropped it already.
    pub(in crate::domain) fn drop_if_done(&mut self, session: u32) {
        let record = self.sessions.get(session);
        let forgotten = record.filter(|record| record.marks.forgotten);
        if let Some(buyer) = forgotten.map(|record| record.buyer)
            && self.is_done(session)
        {
            self.buyers[buyer].held_by -= 1;
            self.sessions.remove(session);
        }
    }

    /// `buyer.flagged` (I7).
    pub(in crate::domain) fn flag(&mut self, buyer: &Id, risk: bool) {
        let known = self.buyers.find(buyer);
        let number = known.unwrap_or_else(|| self.buyers.insert(Buyer::new(buyer.clone())));
        self.buyers[number].risk = risk;
    }
}

/// How many records a shop holds, for those who watch its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Open and remembered sessions.
    pub sessions: usize,
    /// Buyers of whom something is known.
    pub buyers: usize,
    /// Ties between buyers and agents.
    pub ties: usize,
    /// Armed timers.
    pub timers: usize,
    /// Remembered event ids.
    pub event_ids: usize,
}

impl Shop {
    /// How many records the shop holds.
    pub fn held(&self) -> Held {
        Held {
            sessions: self.sessions.len(),
            buyers: self.buyers.len(),
            ties: self.ties.len(),
            timers: self.timers.len(),
            event_ids: self.remembered.len(),
        }
    }
}
