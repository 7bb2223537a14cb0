//! The actor layer: one actor a shop is the only owner of its live state. [`Desk`] is the door to all of them.
//!
//! An event is decided by the shop's actor, appended to the journal, made durable, and only then answered. Reads are
//! answered once all that they could see is durable. An actor that panics is gone, and the next one comes up from the
//! journal, which has nothing of what was not finished.

mod actor;
mod asking;
mod bell;
mod deciding;
mod desk;
mod lease;
mod ledger;
mod message;
mod posting;
mod recovery;
mod reply;
mod resting;
mod share;
mod sharing;
mod trace;
mod waking;
mod world;

pub use asking::{Page, Said, StoredDecision, TimelineEntry};
pub use bell::{Closing, Following, Heard};
pub use desk::{Answered, Desk, DeskSettings, Intake, ReadError, Refused, ShopRow};
pub use lease::{Leased, Presented};
pub use ledger::SharedLedger;
pub use recovery::{Differences, check_recovery, decode_state};
pub use share::Share;
pub use trace::trace_line;
pub use world::Watch;
