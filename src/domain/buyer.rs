//! Buyers: what each one did that a window may still look at.
//!
//! A window only ever asks for the latest instant, so an instant a rule is all there is to keep.
//! What no window reaches any more leaves by the sweep of [`super::memory`].

use super::calendar::Day;
use super::id::Id;
use super::table::{Keyed, NOBODY};
use super::time::Instant;

/// One buyer in one shop.
#[derive(Debug)]
pub struct Buyer {
    /// Its id.
    pub id: Id,
    /// Its open session's number (S1), or [`NOBODY`].
    pub open_session: u32,
    /// How many ties of it the shop holds, and sessions past the time for which they are remembered.
    pub held_by: u32,
    /// The agent that served it last (R1), or [`NOBODY`].
    pub recent_agent: u32,
    /// 违规风险较高的用户 (I7).
    pub risk: bool,
    /// Until when the recent agent served it.
    pub recent_until: Instant,
    /// When its latest session closed.
    pub closed_at: Instant,
    /// What its invites are counted by.
    pub counters: Counters,
}

/// What I9 to I11 and Q1 count of one buyer in one shop.
#[derive(Debug)]
pub struct Counters {
    /// When it last opened or submitted a rating in the shop (I9).
    pub rated_at: Instant,
    /// When it last submitted one (Q1).
    pub submitted_at: Instant,
    /// When it last got a manual invite of the shop (I10).
    pub manual_invited_at: Instant,
    /// When it last got an automatic one (I10).
    pub auto_invited_at: Instant,
    /// The day on which that is booked, and how many it got on it (I11).
    pub auto_invites: (Day, u32),
}

impl Counters {
    /// What they take in memory.
    pub const BYTES: usize = size_of::<Counters>();
}

impl Buyer {
    /// What one buyer's record takes in memory, its id included where that has no more than 24 bytes.
    pub const BYTES: usize = size_of::<Buyer>();

    /// A buyer of whom nothing is known.
    pub fn new(id: Id) -> Buyer {
        Buyer {
            id,
            open_session: NOBODY,
            held_by: 0,
            recent_agent: NOBODY,
            risk: false,
            recent_until: Instant::NEVER,
            closed_at: Instant::NEVER,
            counters: Counters {
                rated_at: Instant::NEVER,
                submitted_at: Instant::NEVER,
                manual_invited_at: Instant::NEVER,
                auto_invited_at: Instant::NEVER,
                auto_invites: (Day(i32::MIN), 0),
            },
        }
    }

    /// The latest instant that a window can look at.
    pub fn last_deed(&self) -> Instant {
        let deeds = [
            self.recent_until,
            self.closed_at,
            self.counters.rated_at,
            self.counters.submitted_at,
            self.counters.manual_invited_at,
            self.counters.auto_invited_at,
        ];
        deeds.into_iter().max().unwrap_or(Instant::NEVER)
    }
}

impl Keyed for Buyer {
    type Key = str;
    fn key(&self) -> &str {
        &self.id
    }
}

/// What a buyer did to one agent, or to the bot.
#[derive(Debug)]
pub struct Tie {
    /// The buyer's and the agent's number.
    pub pair: (u32, u32),
    /// When the buyer last opened or submitted a rating of this agent (I9).
    pub rated_at: Instant,
    /// When it last submitted one (Q1).
    pub submitted_at: Instant,
}

impl Tie {
    /// A tie of which nothing is known.
    pub fn new(buyer: u32, agent: u32) -> Tie {
        Tie {
            pair: (buyer, agent),
            rated_at: Instant::NEVER,
            submitted_at: Instant::NEVER,
        }
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
    use super::*;

    #[test]
    fn a_buyers_counters_fit_in_64_bytes() {
        const { assert!(Counters::BYTES <= 64) }
    }
}
