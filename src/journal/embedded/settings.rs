//! How a folder of the journal is kept.

use std::path::PathBuf;

use super::watchdog::Patience;

/// How the folder is kept.
#[derive(Clone, Debug)]
pub struct JournalSettings {
    /// Where it is.
    pub data: PathBuf,
    /// How many bytes of it are kept in memory.
    pub cache_bytes: u64,
    /// Free bytes of the disk below which nothing more is taken.
    pub reserve_bytes: u64,
    /// The size of the ballast.
    pub ballast_bytes: u64,
    /// How long a commit waits for others to join, in microseconds.
    pub linger_us: u64,
    /// How long records are kept, in milliseconds; 0: for ever.
    pub retention_ms: i64,
    /// Records after which a checkpoint is taken.
    pub checkpoint_records: u64,
    /// How long the disk may be silent before the process ends.
    pub patience: Patience,
    /// Off for proofs alone: what is answered then may be lost.
    pub sync: bool,
}
