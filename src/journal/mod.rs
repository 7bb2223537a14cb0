//! The journal: the events and decisions of every shop, durable, in one order, with indexes for quick reads.
//!
//! [`Journal`] is the interface that the rest of the program uses. [`Embedded`] stores it in one folder of this
//! machine. A failed write or sync is final: the process stops, and nothing more is answered.

mod embedded;
mod error;
mod interface;
mod record;

pub use embedded::{
    ConvertMetadata, DiskTimeouts, Embedded, ExtraFiles, HighWaterMark, Inspector, JournalObserver,
    JournalSettings, LedgerSource, METADATA_BYTES_MAX, NoInspector, NoObserver, Opened, Restored,
    SECRETS_FILE, Salvaged, SavedShop, Upgrade, VERSION, Verified, backup, backup_folder,
    check_backup, each_record, no_files, number_in, restore, salvage, verify,
};
pub use error::{JournalError, damaged};
pub use interface::{
    Claimed, Fenced, FencingToken, Journal, JournalFull, MetadataEntry, OnDurable, RecordPage,
    Snapshot, SnapshotAndTail, TimedShop,
};
pub use record::{Booked, NewRecord, Record, RecordKind};
