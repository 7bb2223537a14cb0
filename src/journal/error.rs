//! Errors of the journal, with what to do about them.

use std::io;

use rustix::io::Errno;

/// The disk has failed or is full. Stored data is not damaged by that.
pub fn disk_failed(what: &str, error: &io::Error) -> JournalError {
    JournalError::Failed(if is_full(error) {
        format!("{what}: the disk is full ({error}). Make room on it, then start again")
    } else {
        format!("{what}: {error}")
    })
}

fn is_full(error: &io::Error) -> bool {
    let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
    full.contains(&error.kind())
}

/// Whether the disk has failed or is full, as opposed to a wrong name or a missing permission.
pub fn is_of_the_disk(error: &io::Error) -> bool {
    is_full(error) || error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

/// An error about damaged data. A backup is named last, because it lacks everything after it.
pub fn damaged(what: &str) -> JournalError {
    JournalError::Damaged(format!(
        "{what}. Nothing was changed. Run `xiaoer verify --data FOLDER` to see what is damaged, and \
         `xiaoer export --salvage --data FOLDER` to write what can still be read. A backup (`xiaoer restore --from \
         BACKUP \
         --data NEW_FOLDER`) is the last resort: it lacks everything after it"
    ))
}

/// Why the journal could not carry out a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalError {
    /// Stored data is damaged; the text says what and what to do.
    Damaged(String),
    /// The folder is in use, of a newer version, or without permission; the text says what to do.
    Unusable(String),
    /// A file could not be read or written.
    Failed(String),
}

impl std::fmt::Display for JournalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            JournalError::Damaged(what)
            | JournalError::Unusable(what)
            | JournalError::Failed(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for JournalError {}
