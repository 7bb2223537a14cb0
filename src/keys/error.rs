//! Errors of keys, with what to do about them.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::scope::Scope;
use crate::keys::record::{KEYS_MAX, NAME_BYTES_MAX};

/// Why keys could not be read or changed. The text says what to do next.
#[derive(Debug)]
pub enum KeyError {
    /// The folder of the keys does not exist.
    NoFolder {
        /// Its path.
        folder: PathBuf,
    },
    /// The system has failed.
    Io {
        /// What was being done: `read`, `write`, …
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another process has held the lock of the keys for 5 s.
    Locked {
        /// The path of the lock.
        path: PathBuf,
    },
    /// The file is damaged.
    Damaged {
        /// Its path.
        path: PathBuf,
        /// How the damage shows.
        how: String,
    },
    /// A newer program wrote the file.
    Newer {
        /// Its path.
        path: PathBuf,
        /// The version of the file.
        version: u32,
    },
    /// The file existed before, and does not now.
    Gone {
        /// Its path.
        path: PathBuf,
    },
    /// The clock is outside of the years 2000 to 2099.
    ClockWrong,
    /// A key of this scope belongs to one shop, and none was named.
    ShopMissing {
        /// The key's scope.
        scope: Scope,
    },
    /// A key of this scope belongs to all shops, and one was named.
    ShopNamed {
        /// The key's scope.
        scope: Scope,
    },
    /// The name is empty, too long, or holds control characters.
    NameMalformed,
    /// There are [`KEYS_MAX`] keys.
    TooMany,
    /// There is no key with this id.
    Unknown {
        /// The id, as it was given.
        id: String,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyError::NoFolder { folder } => write!(
                f,
                "there is no folder {}: make it, or name the server's folder with --data",
                folder.display()
            ),
            KeyError::Io {
                doing,
                path,
                source,
            } => write!(
                f,
                "could not {doing} {}: {source}; the folder and its files must belong to the user who runs xiaoer, and \
                 the disk must have room",
                path.display()
            ),
            KeyError::Locked { path } => write!(
                f,
                "another process has held {} for 5 s: wait for it to end, or stop it, and try again",
                path.display()
            ),
            KeyError::Damaged { path, how } => write!(
                f,
                "{} is damaged ({how}): restore it from a backup; or move it away, restart, and make new keys with \
                 `xiaoer key new`: the old ones are then refused",
                path.display()
            ),
            KeyError::Newer { path, version } => write!(
                f,
                "{} is in form {version}, which a newer xiaoer has written: run that version, or restore this \
                 version's file from a backup",
                path.display()
            ),
            KeyError::Gone { path } => write!(
                f,
                "{} was removed while it was in use: put it back, or restart to begin without keys",
                path.display()
            ),
            KeyError::ClockWrong => write!(
                f,
                "the clock of this machine is not in the years 2000 to 2099: set it, and make the key again"
            ),
            KeyError::ShopMissing { scope } => write!(
                f,
                "a key of scope `{}` is for one shop: name it with --shop (`shop` over HTTP)",
                scope.code()
            ),
            KeyError::ShopNamed { scope } => write!(
                f,
                "a key of scope `{}` is for all shops: leave the shop out, or ask for scope `owner`",
                scope.code()
            ),
            KeyError::NameMalformed => write!(
                f,
                "a key's name has 1 to {NAME_BYTES_MAX} bytes and no control characters: choose another, or leave \
                 it out"
            ),
            KeyError::TooMany => write!(
                f,
                "there are {KEYS_MAX} keys, the most that are allowed: revoke those that are not used"
            ),
            KeyError::Unknown { id } => write!(
                f,
                "there is no key `{id}`: `xiaoer key list` shows all ids (the 8 characters after `xek_`)"
            ),
        }
    }
}

impl std::error::Error for KeyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            KeyError::Io { source, .. } => Some(source),
            KeyError::NoFolder { .. }
            | KeyError::Locked { .. }
            | KeyError::Damaged { .. }
            | KeyError::Newer { .. }
            | KeyError::Gone { .. }
            | KeyError::ClockWrong
            | KeyError::ShopMissing { .. }
            | KeyError::ShopNamed { .. }
            | KeyError::NameMalformed
            | KeyError::TooMany
            | KeyError::Unknown { .. } => None,
        }
    }
}
