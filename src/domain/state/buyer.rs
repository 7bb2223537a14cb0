//! Buyers: the latest time of each kind of activity that a window may look at.
//!
//! A sliding window needs only the latest timestamp, so one instant per rule is stored. The part that every buyer has
//! fits in one cache line, including the id. The part for buyers that rate or are invited manually is a [`BuyerAgentHistory`]. The
//! sweep of [`crate::domain::rules::retention`] evicts what no window reaches.

use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::time::{DAY_MS, Instant};
use crate::domain::collections::slab_map::{Keyed, NOBODY};
use crate::domain::protocol::event::Priority;

/// A buyer of a shop.
#[derive(Debug)]
#[repr(align(64))]
pub struct Buyer {
    /// The buyer's id. Up to 24 bytes are stored inline.
    pub id: Id,
    /// The number of the open session (S1), or [`NOBODY`].
    pub open_session: u32,
    /// The number of histories and of evicted sessions that refer to this buyer.
    pub held_by: u32,
    /// The agent that served the buyer last (R1), or [`NOBODY`].
    pub recent_agent: u32,
    /// The day on which the latest session closed, in days since 1970 (UTC).
    pub closed_on: u16,
    /// 违规风险较高的用户 (I7).
    pub risk: bool,
    /// The buyer's priority (R11).
    pub priority: Priority,
    /// When the recent agent last served the buyer.
    pub recent_until: Instant,
    /// When the buyer got the latest automatic invitation of the shop (I10).
    pub auto_invited_at: Instant,
    /// The day of that invitation, and the number of invitations on it (I11).
    pub auto_invites: (Day, u32),
}

impl Buyer {
    /// The memory of one buyer in bytes, with an id of at most 24 bytes.
    pub const BYTES: usize = size_of::<Option<Buyer>>();

    /// A new buyer without activity.
    pub fn new(id: Id) -> Buyer {
        Buyer {
            id,
            open_session: NOBODY,
            held_by: 0,
            recent_agent: NOBODY,
            closed_on: 0,
            risk: false,
            priority: Priority::default(),
            recent_until: Instant::NEVER,
            auto_invited_at: Instant::NEVER,
            auto_invites: (Day(i32::MIN), 0),
        }
    }

    /// The buyer's session was closed.
    pub fn leave_session(&mut self, now: Instant) {
        self.open_session = NOBODY;
        self.closed_on = (now.ms() / DAY_MS) as u16;
    }

    /// An instant not before the latest activity that a window can reach. Histories keep their buyer by
    /// [`Buyer::held_by`].
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

/// The agent number of a history with the whole shop.
pub const WHOLE_SHOP: u32 = NOBODY;

/// The history of a buyer with one agent, the bot, or the whole shop.
#[derive(Clone, Copy, Debug)]
pub struct BuyerAgentHistory {
    /// The buyer's number, and the agent's number or [`WHOLE_SHOP`].
    pub pair: (u32, u32),
    /// When the buyer last opened or submitted a rating of this agent (I9).
    pub rated_at: Instant,
    /// When the buyer last submitted a rating (Q1).
    pub submitted_at: Instant,
    /// When the buyer got the latest manual invitation. Stored only for the whole shop (I10).
    pub manual_invited_at: Instant,
}

impl BuyerAgentHistory {
    /// A history without activity.
    pub fn new(buyer: u32, agent: u32) -> BuyerAgentHistory {
        BuyerAgentHistory {
            pair: (buyer, agent),
            rated_at: Instant::NEVER,
            submitted_at: Instant::NEVER,
            manual_invited_at: Instant::NEVER,
        }
    }

    /// The latest activity. A submission has the same time as its rating.
    pub fn last_deed(&self) -> Instant {
        self.rated_at.max(self.manual_invited_at)
    }
}

impl Keyed for BuyerAgentHistory {
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
