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
mod checkpoint_notes;
mod deletion;
mod metadata;
mod record_index;
mod snapshots;

// Opening a folder, and work on a whole folder.
mod heal;
mod opening;
mod recovery;
mod salvage;
mod shop_numbers;
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
mod ownership;
mod reader;

pub use self::core::LedgerSource;
pub use backup::{
    ExtraFiles, Restored, SECRETS_FILE, backup, backup_folder, check as check_backup, no_files,
    restore,
};
pub use data_dir::VERSION;
pub use engine::{Embedded, Opened};
pub use metadata::KEPT_BYTES_MAX;
pub use observer::{JournalObserver, NoObserver};
pub use salvage::{Salvaged, SavedShop, salvage};
pub use settings::JournalSettings;
pub use shop_numbers::number_in;
pub use upgrade::{ConvertKept, Upgrade};
pub use verify::{Inspector, NoInspector, Verified, each_record, verify};
pub use watchdog::Patience;
pub use watermark::HighWaterMark;
