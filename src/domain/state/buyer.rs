//! Buyers: what each one did that a window may still look at.
//!
//! A window only ever asks for the latest instant, so an instant a rule is all there is to keep. What every buyer has
//! fits in one cache line, its id included; what only those have who rate or are invited by hand is a [`Tie`].
//! What no window reaches any more leaves by the sweep of [`crate::domain::rules::retention`].

use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::time::{DAY_MS, Instant};
use crate::domain::collections::slab_map::{Keyed, NOBODY};

/// One buyer in one shop.
#[derive(Debug)]
#[repr(align(64))]
pub struct Buyer {
    /// Its id; up to 24 bytes of it lie here.
    pub id: Id,
    /// Its open session's number (S1), or [`NOBODY`].
    pub open_session: u32,
    /// How many ties of it the shop holds, and sessions past the time for which they are remembered.
    pub held_by: u32,
    /// The agent that served it last (R1), or [`NOBODY`].
    pub recent_agent: u32,
    /// The day on which its latest session closed, in days since 1970 in UTC.
    pub closed_on: u16,
    /// 违规风险较高的用户 (I7).
    pub risk: bool,
    /// Until when the recent agent served it.
    pub recent_until: Instant,
    /// When it last got an automatic invite of the shop (I10).
    pub auto_invited_at: Instant,
    /// The day on which that is booked, and how many it got on it (I11).
    pub auto_invites: (Day, u32),
}

impl Buyer {
    /// What one buyer takes in memory, its id included where that has no more than 24 bytes.
    pub const BYTES: usize = size_of::<Option<Buyer>>();

    /// A buyer of whom nothing is known.
    pub fn new(id: Id) -> Buyer {
        Buyer {
            id,
            open_session: NOBODY,
            held_by: 0,
            recent_agent: NOBODY,
            closed_on: 0,
            risk: false,
            recent_until: Instant::NEVER,
            auto_invited_at: Instant::NEVER,
            auto_invites: (Day(i32::MIN), 0),
        }
    }

    /// Its session has closed.
    pub fn leave_session(&mut self, now: Instant) {
        self.open_session = NOBODY;
        self.closed_on = (now.ms() / DAY_MS) as u16;
    }

    /// An instant not before the latest deed that a window can look at; those of its ties keep it by [`Buyer::held_by`].
    pub fn last_deed(&self) -> Instant {
        let day_after = Instant::from_ms((i64::from(self.closed_on) + 1) * DAY_MS);
        day_after.max(self.recent_until).max(self.auto_invited_at)
    }
}

impl Keyed for Buyer {
    type Key = str;
    fn key(&self) -> &str {
        &self.id
    }
}

/// The agent's number of a tie to the whole shop.
pub const WHOLE_SHOP: u32 = NOBODY;

/// What passed between a buyer and one agent, or the bot, or the whole shop.
#[derive(Clone, Copy, Debug)]
pub struct Tie {
    /// The buyer's and the agent's number, or [`WHOLE_SHOP`].
    pub pair: (u32, u32),
    /// When the buyer last opened or submitted a rating of this agent (I9).
    pub rated_at: Instant,
    /// When it last submitted one (Q1).
    pub submitted_at: Instant,
    /// When the buyer last got a manual invite, kept for the whole shop alone (I10).
    pub manual_invited_at: Instant,
}

impl Tie {
    /// A tie of which nothing is known.
    pub fn new(buyer: u32, agent: u32) -> Tie {
        Tie {
            pair: (buyer, agent),
            rated_at: Instant::NEVER,
            submitted_at: Instant::NEVER,
            manual_invited_at: Instant::NEVER,
        }
    }

    /// The latest of its deeds; a submission is a deed of the same instant as its rating.
    pub fn last_deed(&self) -> Instant {
        self.rated_at.max(self.manual_invited_at)
    }
}

impl Keyed for Tie {
    type Key = (u32, u32);
    fn key(&self) -> &(u32, u32) {
        &self.pair
    }
}

#[cfg(test)]
mod tests {
    use super::Buyer;

    #[test]
    fn a_buyer_fits_in_64_bytes() {
        const { assert!(Buyer::BYTES <= 64) }
    }
}
