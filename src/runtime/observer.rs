//! Observers of the runtime.

use super::recovery::Differences;
use crate::domain::base::id::Id;
use crate::domain::protocol::decision::Decision;
use crate::domain::protocol::event::EventBody;
use crate::domain::read::views::Counts;
use crate::env::Doubt;
use crate::journal::JournalError;

/// Records metrics and logs of the runtime.
pub trait RuntimeObserver: Send + Sync {
    /// A request arrived while `waiting` requests were in mailboxes.
    fn request_arrived(&self, waiting: usize);
    /// An event is handled, whatever is decided.
    fn handled(&self, what: &EventBody);
    /// Decisions were taken.
    fn decided(&self, decisions: &[Decision]);
    /// The counts of a shop changed.
    fn counted(&self, before: &Counts, after: &Counts);
    /// The number of actors changed by `by`.
    fn actors_changed(&self, by: i64);
    /// A shop was recovered in this many microseconds.
    fn shop_loaded(&self, micros: u64);
    /// A bug stopped a shop's actor.
    fn panicked(&self, shop: &Id);
    /// A shop was recovered from records of an older core, and this core would have decided some of them differently.
    fn decisions_differ(&self, _shop: &Id, _differences: &Differences) {}
    /// The recovery of a shop failed.
    fn failed(&self, shop: &Id, error: &JournalError);
    /// The machine's clock stopped being trusted, or is trusted again.
    fn clock_doubted(&self, _doubt: Option<Doubt>) {}
}
