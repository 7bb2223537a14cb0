//! What measures the shops.

use super::recovery::Differences;
use crate::domain::base::id::Id;
use crate::domain::protocol::decision::Decision;
use crate::domain::protocol::event::EventBody;
use crate::domain::read::views::Counts;
use crate::env::Doubt;
use crate::journal::JournalError;

/// Those who watch the shops: metrics and logs.
pub trait RuntimeObserver: Send + Sync {
    /// A request came when so many waited in mailboxes.
    fn asked(&self, waiting: usize);
    /// An event is handled, whatever is decided.
    fn handled(&self, what: &EventBody);
    /// Decisions were taken.
    fn decided(&self, decisions: &[Decision]);
    /// A shop's counts have changed.
    fn counted(&self, before: &Counts, after: &Counts);
    /// An actor came or went.
    fn alive(&self, by: i64);
    /// A shop came up from the journal, in so many microseconds.
    fn woke(&self, micros: u64);
    /// A bug of ours stopped a shop.
    fn panicked(&self, shop: &Id);
    /// A shop came up from records of an older core, and this one would have decided some of them otherwise.
    fn decided_otherwise(&self, _shop: &Id, _differences: &Differences) {}
    /// A shop could not come up.
    fn failed(&self, shop: &Id, error: &JournalError);
    /// From now on the machine's clock is not trusted, or is again.
    fn clock_doubted(&self, _doubt: Option<Doubt>) {}
}
