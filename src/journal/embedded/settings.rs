//! Settings of a journal's folder.

use std::path::PathBuf;

use super::watchdog::DiskTimeouts;

/// Settings of a journal's folder.
#[derive(Clone, Debug)]
pub struct JournalSettings {
    /// The path of the folder.
    pub data: PathBuf,
    /// Bytes of the read cache in memory.
    pub cache_bytes: u64,
    /// Free bytes of the disk below which no record is accepted.
    pub reserve_bytes: u64,
    /// The size of the ballast file, in bytes.
    pub ballast_bytes: u64,
    /// How long a commit waits for others to join, in microseconds.
    pub linger_us: u64,
    /// How long records are stored, in milliseconds; 0: for ever.
    pub retention_ms: i64,
    /// Records after which a checkpoint is taken.
    pub checkpoint_records: u64,
    /// How long the disk may give no answer before the process ends.
    pub timeouts: DiskTimeouts,
    /// Whether commits are synced. Off for tests only: a power cut then loses answers.
    pub sync: bool,
}
