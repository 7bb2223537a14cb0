//! Timers, idempotency records and totals, in form 1.

use serde::Deserialize;

use super::name::NameV1;
use crate::domain::snapshot::InvalidPart;
use crate::domain::snapshot::v2::receipts::{KeptV2, ReceiptV2};
use crate::domain::snapshot::v2::timers::{ArmedV2, TimerV2, TimersV2};
use crate::domain::snapshot::v2::totals::TotalsV2;

/// The kinds of timers. The remainder of a handle is an index here: `session * 4 + kind`.
const TIMERS: [TimerV2; 4] = [
    TimerV2::ReplyDue,
    TimerV2::ReplyOverdue,
    TimerV2::Silence,
    TimerV2::Queue,
];

#[derive(Deserialize)]
pub(super) struct TimersV1 {
    /// A heap with four children per node: `((due, visit * 4 + kind), session * 4 + kind)`.
    entries: Vec<((i64, u64), u32)>,
    visited: u64,
}

impl TryFrom<TimersV1> for TimersV2 {
    type Error = InvalidPart;
    /// The shop had no timers of its own. The kinds have kept their order, so the heap stays one.
    fn try_from(timers: TimersV1) -> Result<TimersV2, InvalidPart> {
        let armed = |((due_ms, order), handle): ((i64, u64), u32)| {
            if order % 4 != u64::from(handle % 4) {
                return Err("a timer of two kinds".into());
            }
            Ok(ArmedV2 {
                due_ms,
                visit: order / 4,
                session: handle / 4,
                timer: TIMERS[(handle % 4) as usize],
            })
        };
        let armed = timers.entries.into_iter().map(armed);
        Ok(TimersV2 {
            armed: armed.collect::<Result<_, InvalidPart>>()?,
            own: Vec::new(),
            visited: timers.visited,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct KeptV1 {
    accepted_ms: i64,
    id: NameV1<'static>,
    receipt: ReceiptV1,
}

#[derive(Deserialize)]
struct ReceiptV1 {
    print: u64,
    first: u64,
    count: u32,
}

impl From<KeptV1> for KeptV2<'static> {
    fn from(kept: KeptV1) -> KeptV2<'static> {
        KeptV2 {
            accepted_ms: kept.accepted_ms,
            id: kept.id.into(),
            receipt: ReceiptV2 {
                print: kept.receipt.print,
                first: kept.receipt.first,
                count: kept.receipt.count,
            },
        }
    }
}

#[derive(Deserialize)]
pub(super) struct TotalsV1 {
    opened: u64,
    assigned: u64,
    queued: u64,
    closed: u64,
    bot_only: u64,
    /// By wait in milliseconds, in order.
    waits: Vec<(i64, u64)>,
    auto_sent: u64,
    manual_sent: u64,
    /// By the codes of I1 to I13, in order.
    blocked: [u64; 13],
}

impl From<TotalsV1> for TotalsV2 {
    fn from(totals: TotalsV1) -> TotalsV2 {
        TotalsV2 {
            opened: totals.opened,
            assigned: totals.assigned,
            queued: totals.queued,
            closed: totals.closed,
            bot_only: totals.bot_only,
            waits: totals.waits,
            auto_sent: totals.auto_sent,
            manual_sent: totals.manual_sent,
            blocked: totals.blocked,
        }
    }
}
