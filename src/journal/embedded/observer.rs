//! Observers of the journal, for metrics.

/// An observer of commits and of the size of the store.
pub trait JournalObserver: Send + Sync {
    /// A commit ended: how many records, of how many bytes, in how many microseconds.
    fn committed(&self, records: usize, bytes: usize, micros: u64);
    /// The size of the store in bytes.
    fn stored(&self, bytes: u64);
}

/// Observes nothing.
pub struct NoObserver;

impl JournalObserver for NoObserver {
    fn committed(&self, _records: usize, _bytes: usize, _micros: u64) {}
    fn stored(&self, _bytes: u64) {}
}
