//! Totals, in form 2.

use serde::{Deserialize, Serialize};

use crate::domain::base::time::Duration;
use crate::domain::state::totals::Totals;

#[derive(Serialize, Deserialize)]
pub struct TotalsV2 {
    pub opened: u64,
    pub assigned: u64,
    pub queued: u64,
    pub closed: u64,
    pub bot_only: u64,
    /// By wait in milliseconds, in order.
    pub waits: Vec<(i64, u64)>,
    pub auto_sent: u64,
    pub manual_sent: u64,
    /// By the codes of I1 to I13, in order.
    pub blocked: [u64; 13],
}

impl From<&Totals> for TotalsV2 {
    fn from(totals: &Totals) -> TotalsV2 {
        let Totals {
            opened,
            assigned,
            queued,
            closed,
            bot_only,
            waits,
            auto_sent,
            manual_sent,
            blocked,
        } = totals;
        TotalsV2 {
            opened: *opened,
            assigned: *assigned,
            queued: *queued,
            closed: *closed,
            bot_only: *bot_only,
            waits: waits.iter().map(|(length, &n)| (length.ms(), n)).collect(),
            auto_sent: *auto_sent,
            manual_sent: *manual_sent,
            blocked: *blocked,
        }
    }
}

impl From<TotalsV2> for Totals {
    fn from(read: TotalsV2) -> Totals {
        let waits = read.waits.into_iter();
        Totals {
            opened: read.opened,
            assigned: read.assigned,
            queued: read.queued,
            closed: read.closed,
            bot_only: read.bot_only,
            waits: waits.map(|(ms, n)| (Duration::from_ms(ms), n)).collect(),
            auto_sent: read.auto_sent,
            manual_sent: read.manual_sent,
            blocked: read.blocked,
        }
    }
}
