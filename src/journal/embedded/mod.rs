//! The journal in one folder of this machine, in a store of sled.
//!
//! Records are appended to a queue. One thread writes them, makes them durable, and then calls the callbacks. A second
//! thread takes checkpoints, merges and trims. Opening a folder reads the records after the latest checkpoint.

// Stored forms, and where they are.
mod checksummed;
mod data_dir;
mod folder_id;
mod observer;
mod ranked_lock;
mod settings;
mod store;
mod watchdog;
mod watermark;

mod block;
mod checkpoint_record;
mod deletion;
mod record_index;
mod shop_metadata;
mod snapshots;

// Opening a folder, and work on a whole folder.
mod legacy_deletions;
mod offline_lookup;
mod opening;
mod recovery;
mod salvage;
mod store_switch;
mod upgrade;
mod verify;

// A folder in use.
mod append;
mod append_queue;
mod core;
mod engine;

mod backup;
mod commit;
mod compaction;
mod reader;
mod shop_ownership;

pub use self::core::LedgerSource;
pub use backup::{
    ExtraFiles, Restored, SECRETS_FILE, backup, backup_folder, check as check_backup, no_files,
    restore,
};
pub use data_dir::VERSION;
pub use engine::{Embedded, Opened};
pub use observer::{JournalObserver, NoObserver};
pub use offline_lookup::number_in;
pub use salvage::{Salvaged, SavedShop, salvage};
pub use settings::JournalSettings;
pub use shop_metadata::METADATA_BYTES_MAX;
pub use upgrade::{ConvertMetadata, Upgrade};
pub use verify::{Inspector, NoInspector, Verified, each_record, verify};
pub use watchdog::DiskTimeouts;
pub use watermark::HighWaterMark;
