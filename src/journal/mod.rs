//! The journal: what happened to every shop, durable, in one order; and what is kept so that it can be read quickly.
//!
//! [`Journal`] is what the rest of the program knows of it. [`Embedded`] keeps it in one folder of this machine. A failed
//! write or sync is final: the process stops, and nothing is answered any more.

mod embedded;
mod error;
mod interface;
mod record;

pub use embedded::{
    ConvertKept, Embedded, Files, Inspector, KEPT_BYTES_MAX, LedgerSource, NoInspector, Nobody,
    Opened, Patience, Reach, Restored, SECRETS_FILE, Salvaged, SavedShop, Settings, Upgrade,
    VERSION, Verified, Watch, backup, backup_folder, check_backup, each_record, no_files,
    number_in, restore, salvage, verify,
};
pub use error::{JournalError, damaged};
pub use interface::{
    Basis, Claimed, Done, Fenced, Journal, Kept, NoRoom, Owner, Sleeper, Slice, State,
};
pub use record::{Booked, Entry, Kind, Record};
