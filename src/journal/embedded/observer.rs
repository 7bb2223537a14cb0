//! What measures the journal.

/// Those who watch how it does.
pub trait JournalObserver: Send + Sync {
    /// A commit: how many records, of how many bytes, in how many microseconds.
    fn committed(&self, records: usize, bytes: usize, micros: u64);
    /// The size of the store in bytes.
    fn stored(&self, bytes: u64);
}

/// Nobody watches.
pub struct NoObserver;

impl JournalObserver for NoObserver {
    fn committed(&self, _records: usize, _bytes: usize, _micros: u64) {}
    fn stored(&self, _bytes: u64) {}
}
