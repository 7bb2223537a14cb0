//! Totals for the report since the shop was created (contract, section 5).

use std::collections::BTreeMap;

use crate::domain::base::time::Duration;
use crate::domain::protocol::decision::{BlockCode, Trigger};

/// Counters of sessions, waits and invitations.
#[derive(Default)]
pub struct Totals {
    /// Sessions opened.
    pub opened: u64,
    /// Sessions that had an agent.
    pub assigned: u64,
    /// Sessions that waited.
    pub queued: u64,
    /// Sessions closed.
    pub closed: u64,
    /// Sessions that had the bot and never an agent.
    pub bot_only: u64,
    /// The number of sessions by their wait before the first assignment, for percentiles.
    pub waits: BTreeMap<Duration, u64>,
    /// Automatic invitations sent.
    pub auto_sent: u64,
    /// Manual invitations sent.
    pub manual_sent: u64,
    /// Blocked invitations, for each of their codes.
    pub blocked: [u64; BlockCode::ALL.len()],
}

impl Totals {
    /// A session was opened, with the bot or not.
    pub fn opened(&mut self, bot: bool) {
        self.opened += 1;
        self.bot_only += u64::from(bot);
    }

    /// A session got its first agent.
    pub fn first_assignment(&mut self, from_bot: bool, waited: Duration) {
        self.assigned += 1;
        // A record of an older core may have moved sessions, so this counter may be too low to subtract.
        self.bot_only = self.bot_only.saturating_sub(u64::from(from_bot));
        *self.waits.entry(waited).or_default() += 1;
    }

    /// An invitation was sent, or blocked by `codes`.
    pub fn invite(&mut self, trigger: Trigger, codes: &[BlockCode]) {
        match trigger {
            _ if !codes.is_empty() => {}
            Trigger::Auto => self.auto_sent += 1,
            Trigger::Manual => self.manual_sent += 1,
        }
        for &code in codes {
            self.blocked[code as usize] += 1;
        }
    }
}
