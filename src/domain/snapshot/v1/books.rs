//! Timers, idempotency records and totals, in form 1.

use serde::{Deserialize, Serialize, Serializer};

use super::instant;
use super::name::NameV1;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::snapshot::InvalidPart;
use crate::domain::snapshot::stream::sequence;
use crate::domain::state::idempotency::{IdempotencyIndex, IdempotencyRecord};
use crate::domain::state::timers::{Armed, Timer, Timers};
use crate::domain::state::totals::Totals;

/// The kinds of timers. The remainder of a handle is an index here: `session * 4 + kind`.
const TIMERS: [Timer; 4] = [
    Timer::ReplyDue,
    Timer::ReplyOverdue,
    Timer::Silence,
    Timer::Queue,
];

#[derive(Serialize, Deserialize)]
pub(super) struct TimersV1 {
    /// A heap with four children per node: `((due, visit * 4 + kind), session * 4 + kind)`.
    entries: Vec<((i64, u64), u32)>,
    visited: u64,
}

fn kind(timer: Timer) -> u8 {
    match timer {
        Timer::ReplyDue => 0,
        Timer::ReplyOverdue => 1,
        Timer::Silence => 2,
        Timer::Queue | Timer::Day | Timer::TakeBack | Timer::Left | Timer::WrapUp => 3,
    }
}

impl From<&Timers> for TimersV1 {
    fn from(timers: &Timers) -> TimersV1 {
        let entry = |armed: Armed| {
            let kind = kind(armed.timer);
            let order = armed.visit * 4 + u64::from(kind);
            ((armed.due.ms(), order), armed.session * 4 + u32::from(kind))
        };
        TimersV1 {
            entries: timers.armed().map(entry).collect(),
            visited: timers.visited(),
        }
    }
}

impl TryFrom<TimersV1> for Timers {
    type Error = InvalidPart;
    fn try_from(read: TimersV1) -> Result<Timers, InvalidPart> {
        let armed = |((due_ms, order), handle): ((i64, u64), u32)| {
            if order % 4 != u64::from(handle % 4) {
                return Err("a timer of two kinds".into());
            }
            Ok(Armed {
                due: instant(due_ms)?,
                visit: order / 4,
                session: handle / 4,
                timer: TIMERS[(handle % 4) as usize],
            })
        };
        let armed = read.entries.into_iter().map(armed);
        Ok(Timers::of(
            armed.collect::<Result<_, InvalidPart>>()?,
            read.visited,
        ))
    }
}

/// The idempotency records of a shop, the oldest first.
pub(super) struct ReceiptsV1<'a>(pub(super) &'a IdempotencyIndex);

impl Serialize for ReceiptsV1<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        sequence(self.0.len(), self.0.iter().map(KeptV1::from), to)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct KeptV1<'a> {
    accepted_ms: i64,
    id: NameV1<'a>,
    receipt: ReceiptV1,
}

#[derive(Serialize, Deserialize)]
struct ReceiptV1 {
    print: u64,
    first: u64,
    count: u32,
}

/// The time, the id and the idempotency record of an accepted event.
pub(super) struct Accepted(
    pub(super) Instant,
    pub(super) Id,
    pub(super) IdempotencyRecord,
);

impl<'a> From<(Instant, &'a Id, IdempotencyRecord)> for KeptV1<'a> {
    fn from((accepted, id, receipt): (Instant, &'a Id, IdempotencyRecord)) -> KeptV1<'a> {
        let IdempotencyRecord {
            print,
            first,
            count,
        } = receipt;
        KeptV1 {
            accepted_ms: accepted.ms(),
            id: id.into(),
            receipt: ReceiptV1 {
                print,
                first,
                count,
            },
        }
    }
}

impl TryFrom<KeptV1<'_>> for Accepted {
    type Error = InvalidPart;
    fn try_from(read: KeptV1<'_>) -> Result<Accepted, InvalidPart> {
        let receipt = IdempotencyRecord {
            print: read.receipt.print,
            first: read.receipt.first,
            count: read.receipt.count,
        };
        Ok(Accepted(instant(read.accepted_ms)?, read.id.id(), receipt))
    }
}

#[derive(Serialize, Deserialize)]
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

impl From<&Totals> for TotalsV1 {
    fn from(totals: &Totals) -> TotalsV1 {
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
        TotalsV1 {
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

impl From<TotalsV1> for Totals {
    fn from(read: TotalsV1) -> Totals {
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
