//! Why the journal could not do what was asked, and what to do about it.

use std::io;

use rustix::io::Errno;

/// The disk has failed or is full; what is stored is not damaged by that.
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

/// Whether it is the disk that failed or is full, and no permission or name that a person gave.
pub fn is_of_the_disk(error: &io::Error) -> bool {
    is_full(error) || error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

/// Damage, and what to do about it. A backup is named last: what came after it is not in it.
pub fn damaged(what: &str) -> JournalError {
    JournalError::Damaged(format!(
        "{what}. Nothing was changed. Run `xiaoer verify --data FOLDER` to see how far the damage goes, and \
         `xiaoer export --salvage --data FOLDER` to write what can still be read. Only then think of a backup \
         (`xiaoer restore --from BACKUP --data NEW_FOLDER`): it lacks what came after it"
    ))
}

/// Why the journal could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalError {
    /// What is stored is damaged: what, and what to do.
    Damaged(String),
    /// The folder is of another use: in use, of a newer version, without permission; and what to do.
    Unusable(String),
    /// The world failed: a file could not be read or written.
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
