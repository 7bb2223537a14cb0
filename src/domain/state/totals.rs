//! Totals: what the report counts since the shop began (contract, section 5).

use std::collections::BTreeMap;

use crate::domain::base::time::Duration;
use crate::domain::protocol::decision::{BlockCode, Trigger};

/// Counters of sessions, waits and invites.
#[derive(Default)]
pub struct Totals {
    /// Sessions opened.
    pub opened: u64,
    /// Sessions that an agent ever had.
    pub assigned: u64,
    /// Sessions that ever waited.
    pub queued: u64,
    /// Sessions closed.
    pub closed: u64,
    /// Sessions that the bot had and no agent ever did.
    pub bot_only: u64,
    /// How long sessions waited for their first assignment, and how many did: what percentiles are read from.
    pub waits: BTreeMap<Duration, u64>,
    /// Automatic invites sent.
    pub auto_sent: u64,
    /// Manual invites sent.
    pub manual_sent: u64,
    /// Invites kept back, by each of their codes.
    pub blocked: [u64; BlockCode::ALL.len()],
}

impl Totals {
    /// A session begins, with the bot or not.
    pub fn opened(&mut self, bot: bool) {
        self.opened += 1;
        self.bot_only += u64::from(bot);
    }

    /// A session has its first agent.
    pub fn first_assignment(&mut self, from_bot: bool, waited: Duration) {
        self.assigned += 1;
        // Where a record of an older core has moved sessions, the bot may have had fewer than came from it.
        self.bot_only = self.bot_only.saturating_sub(u64::from(from_bot));
        *self.waits.entry(waited).or_default() += 1;
    }

    /// An invite was sent, or kept back by `codes`.
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
