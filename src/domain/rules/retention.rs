//! Eviction: records that no rule can need again are removed, without full scans and without timers.
//!
//! Closed sessions are evicted after 7 days (S1), and event ids in [`crate::domain::state::idempotency`]. A buyer is
//! evicted when all windows have passed, and never before its sessions. A history is evicted when its windows have
//! passed. Each event checks a few records in turn. Small tables are not checked.

use crate::domain::collections::slab_map::NOBODY;
use crate::domain::protocol::event::Priority;
use crate::domain::state::session::REMEMBERED;
use crate::domain::state::shop::Shop;

/// Tables with fewer records are not swept.
const SWEPT_FROM: usize = 4096;

/// The number of records checked with every event. It exceeds the number that an event can add, so dead records stay
/// few.
const LOOKS: u32 = 2;

impl Shop {
    /// Evicts what is too old by now.
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

    /// Checks one history and one buyer, and evicts them if no window reaches them.
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
                let noted = buyer.risk || buyer.priority != Priority::default();
                let held = buyer.held_by > 0 || buyer.open_session != NOBODY || noted;
                !held && buyer.last_deed() + horizon <= now
            });
        }
    }

    /// Frees the session's id. The record stays while one of its messages can still become late.
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

    /// Whether a closed session can have no more effects.
    fn is_done(&self, session: u32) -> bool {
        !self.timers.is_armed(session) && self.lates.get(session).is_none()
    }

    /// Drops an evicted session once it can have no more effects. Judging a day may have dropped it already.
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
}

/// The number of records of a shop, to observe its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordCounts {
    /// Open sessions, and those closed within 7 days.
    pub sessions: usize,
    /// Known buyers.
    pub buyers: usize,
    /// Histories of buyers with agents.
    pub ties: usize,
    /// Armed timers.
    pub timers: usize,
    /// Stored event ids.
    pub event_ids: usize,
}

impl Shop {
    /// The number of records of the shop.
    pub fn held(&self) -> RecordCounts {
        RecordCounts {
            sessions: self.sessions.len(),
            buyers: self.buyers.len(),
            ties: self.ties.len(),
            timers: self.timers.len(),
            event_ids: self.remembered.len(),
        }
    }
}
