//! The actor layer: one actor a shop is the only owner of its live state. [`Desk`] is the door to all of them.
//!
//! An event is decided by the shop's actor, appended to the journal, made durable, and only then answered. Reads are
//! answered once all that they could see is durable.

mod desk;

pub use desk::{
    Answered, Desk, Intake, Page, ReadError, Refused, ShopRow, StoredDecision, TimelineEntry,
};
