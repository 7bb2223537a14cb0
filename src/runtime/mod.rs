//! The actor runtime. One actor per shop is the only owner of the shop's state in memory; [`Shops`] is the entry to all
//! of them.
//!
//! The shop's actor decides an event, appends it to the journal, and responds once it is durable. A read responds once
//! everything it could see is durable. If an actor panics, the next one recovers the shop from the journal, which
//! contains nothing of the unfinished event.

mod actor;
mod apply;
mod change_notifier;
mod event_result;
mod live_shop;
mod messages;
mod observer;
mod passivation;
mod presence_lease_table;
mod presence_leases;
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
mod trace_export;

pub use change_notifier::{ChangeNotice, DecisionFeed, ShutdownListener};
pub use event_result::{EventResult, IncomingEvent, ReadError, Unavailable};
pub use observer::RuntimeObserver;
pub use presence_leases::{LeaseGranted, PresenceRequest, PresenceResult};
pub use queries::{ListPage, ShopRow, TimelineEntry};
pub use quota::ShopQuota;
pub use recovery::{Differences, check_recovery, decode_state};
pub use scheduler::wake_passivated_shops;
pub use shared_ledger::SharedLedger;
pub use shops::{RuntimeSettings, Shops};
pub use stored_decisions::{DecisionHeader, StoredDecision};
pub use trace_export::trace_line;
