//! What can go wrong with keys, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::scope::Scope;
use crate::keys::record::{KEYS_MAX, NAME_BYTES_MAX};

/// Why keys could not be read or changed. The text says what to do next.
#[derive(Debug)]
pub enum KeyError {
    /// The keys' folder is not there.
    NoFolder {
        /// Which.
        folder: PathBuf,
    },
    /// The world failed.
    Io {
        /// What was being done: `read`, `write`, …
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// Another process keeps the keys locked for longer than writing takes.
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// The file is not what was written.
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it shows.
        how: String,
    },
    /// The file was written by a newer program.
    Newer {
        /// The file.
        path: PathBuf,
        /// The form that it is in.
        version: u32,
    },
    /// The file was there, and is not any more.
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// The clock is outside of the years 2000 to 2099.
    ClockWrong,
    /// Such a key is for one shop, and none was named.
    ShopMissing {
        /// The key's scope.
        scope: Scope,
    },
    /// Such a key is for all shops, and one was named.
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
                "could not {doing} {}: {source}; the folder and its files must belong to who runs xiaoer, and the \
                 disk must have room",
                path.display()
            ),
            KeyError::Locked { path } => write!(
                f,
                "another process has held {} for 5 s: wait for it to end, or stop it, and try again",
                path.display()
            ),
            KeyError::Damaged { path, how } => write!(
                f,
                "{} is damaged ({how}): put it back from a backup; or move it away, start again, and make new keys \
                 with `xiaoer key new`: the old ones are then refused",
                path.display()
            ),
            KeyError::Newer { path, version } => write!(
                f,
                "{} is in form {version}, which a newer xiaoer has written: run that one, or put back the file of \
                 this one from a backup",
                path.display()
            ),
            KeyError::Gone { path } => write!(
                f,
                "{} was taken away while it was in use: put it back, or start again to begin without keys",
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
                "there are {KEYS_MAX} keys, and no more can be kept: revoke those that are not used"
            ),
            KeyError::Unknown { id } => write!(
                f,
                "there is no key `{id}`: `xiaoer key list` shows the ids of all (the 8 characters after `xek_`)"
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
