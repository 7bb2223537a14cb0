//! The actor layer: one actor a shop is the only owner of its live state. [`Shops`] is the door to all of them.
//!
//! An event is decided by the shop's actor, appended to the journal, made durable, and only then answered. Reads are
//! answered once all that they could see is durable. An actor that panics is gone, and the next one comes up from the
//! journal, which has nothing of what was not finished.

mod actor;
mod apply;
mod event_result;
mod lease_table;
mod leases;
mod live_shop;
mod messages;
mod observer;
mod passivation;
mod queries;
mod quota;
mod quota_check;
mod recovery;
mod responder;
mod scheduler;
mod shared;
mod shared_ledger;
mod shops;
mod stored_decisions;
mod submission;
mod subscription;
mod trace_export;

pub use event_result::{EventResult, IncomingEvent, ReadError, Unavailable};
pub use leases::{LeaseGranted, PresenceResult};
pub use observer::RuntimeObserver;
pub use queries::{ListPage, ShopRow, TimelineEntry};
pub use quota::ShopQuota;
pub use recovery::{Differences, check_recovery, decode_state};
pub use scheduler::wake_sleepers;
pub use shared_ledger::SharedLedger;
pub use shops::{RuntimeSettings, Shops};
pub use stored_decisions::{DecisionHeader, StoredDecision};
pub use subscription::{ChangeNotice, DecisionFeed, ShutdownListener};
pub use trace_export::trace_line;
