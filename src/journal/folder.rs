//! The folder in which a server keeps everything: whose it is, of which version, and how much room is left.
//!
//! `LOCK` is held by the one process that uses it, `VERSION` names the stored form, `mark` says how far the journal
//! reaches, `ballast` is room that is given back when the disk is full, since the store cannot be opened without any.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::JournalError;
use super::mark::{Mark, Marked, Reach};
use super::store::disk_failed;

/// The version of the stored form that this program writes.
pub const VERSION: u32 = 1;

/// There while a folder is being made.
const BEGUN: &str = "NEW";

/// A folder that this process holds.
pub struct Folder {
    path: PathBuf,
    ballast_bytes: u64,
    /// Held until the folder is dropped.
    _lock: File,
}

fn unusable(path: &Path, what: &str, error: &io::Error) -> JournalError {
    if error.kind() == io::ErrorKind::StorageFull {
        return disk_failed(&path.display().to_string(), error);
    }
    JournalError::Unusable(format!("{}: {what}: {error}", path.display()))
}

impl Folder {
    /// Takes a folder for this process alone, and makes it where it is not there. Gives the ballast back where the
    /// disk is full.
    pub fn take(path: &Path, ballast_bytes: u64) -> Result<Folder, JournalError> {
        fs::create_dir_all(path).map_err(|error| {
            unusable(
                path,
                "the folder cannot be made; choose another with --data, or make it writable",
                &error,
            )
        })?;
        let lock = path.join("LOCK");
        let ballast = path.join("ballast");
        let opened = File::options().create(true).append(true).open(&lock);
        let lock = match opened {
            // Not even an empty file has room.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                fs::remove_file(&ballast).ok();
                File::options().create(true).append(true).open(&lock)
            }
            opened => opened,
        };
        let lock = lock.map_err(|error| {
            unusable(
                path,
                "the folder is not writable; make it so, or choose another with --data",
                &error,
            )
        })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::Unusable(format!(
                    "{} is in use by another xiaoer: stop that one first, or choose another folder with --data",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => {
                return Err(unusable(path, "the folder cannot be locked", &error));
            }
        }
        let folder = Folder {
            path: path.to_owned(),
            ballast_bytes,
            _lock: lock,
        };
        folder.check_version()?;
        if folder.free_bytes() < ballast_bytes {
            fs::remove_file(&ballast).ok();
        }
        Ok(folder)
    }

    /// Whether the folder is of this version; one that was being made when the process died is made anew.
    fn check_version(&self) -> Result<(), JournalError> {
        let path = self.path.join("VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => match text.trim().parse::<u32>() {
                Ok(VERSION) => Ok(()),
                Ok(newer) if newer > VERSION => Err(JournalError::Unusable(format!(
                    "{} was written by a newer xiaoer (stored form {newer}, this program knows {VERSION}): use that one",
                    self.path.display()
                ))),
                Ok(_) | Err(_) => Err(JournalError::Damaged(format!(
                    "{} does not name a version: put \"{VERSION}\" into it if nothing else is damaged \
                     (`xiaoer verify` tells)",
                    path.display()
                ))),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.begin(),
            Err(error) => Err(unusable(&path, "the version cannot be read", &error)),
        }
    }

    /// Begins to make the folder: `NEW` is there until `VERSION` is, and nothing is acknowledged before.
    fn begin(&self) -> Result<(), JournalError> {
        let begun = self.path.join(BEGUN);
        let store = self.store_path();
        if store.exists() && !begun.exists() {
            return Err(JournalError::Damaged(format!(
                "{} has a store, but no file VERSION: put \"{VERSION}\" into one if nothing else is damaged \
                 (`xiaoer verify` tells)",
                self.path.display()
            )));
        }
        self.write_whole(BEGUN, b"this folder is being made\n")?;
        let clear = || -> io::Result<()> {
            if store.exists() {
                fs::remove_dir_all(&store)?;
            }
            let mark = self.path.join("mark");
            if mark.exists() {
                fs::remove_file(mark)?;
            }
            Ok(())
        };
        clear().map_err(|error| {
            unusable(
                &self.path,
                "what a first start left cannot be cleared",
                &error,
            )
        })
    }

    /// The folder is made, if it was not before.
    pub fn made(&self) -> Result<(), JournalError> {
        let begun = self.path.join(BEGUN);
        if begun.exists() {
            self.write_whole("VERSION", format!("{VERSION}\n").as_bytes())?;
            let gone = fs::remove_file(&begun).and_then(|()| File::open(&self.path)?.sync_all());
            gone.map_err(|error| unusable(&begun, "it cannot be removed", &error))?;
        }
        Ok(())
    }

    /// Writes a small file so that it is there whole or not at all, durable.
    fn write_whole(&self, name: &str, bytes: &[u8]) -> Result<(), JournalError> {
        let path = self.path.join(name);
        let write = || -> io::Result<()> {
            let new = self.path.join(format!("{name}.new"));
            let mut file = File::create(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|error| unusable(&path, "it cannot be written", &error))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the store is.
    pub fn store_path(&self) -> PathBuf {
        self.path.join("store")
    }

    /// The mark; a new one where the store is new too.
    pub fn mark(&self, new: bool) -> Result<(Mark, Marked), JournalError> {
        let path = self.path.join("mark");
        if new {
            let mark = Mark::create(&path, Reach::NOWHERE)
                .and_then(|mark| File::open(&self.path)?.sync_all().map(|()| mark));
            let mark = mark.map_err(|error| unusable(&path, "it cannot be made", &error))?;
            let marked = Marked {
                reach: Reach::NOWHERE,
                kept: 0,
            };
            return Ok((mark, marked));
        }
        Mark::open(&path)
    }

    /// Free bytes of its disk; none where that cannot be told.
    pub fn free_bytes(&self) -> u64 {
        rustix::fs::statvfs(&self.path).map_or(0, |disk| disk.f_bavail * disk.f_frsize)
    }

    /// Lays the ballast, where there is none, or a piece of one, and there is room for twice as much.
    pub fn lay_ballast(&self) {
        let path = self.path.join("ballast");
        let laid = fs::metadata(&path).map_or(0, |ballast| ballast.len());
        if laid >= self.ballast_bytes || self.free_bytes() < 2 * self.ballast_bytes {
            return;
        }
        let lay = || -> io::Result<()> {
            let file = File::create(&path)?;
            rustix::fs::fallocate(
                &file,
                rustix::fs::FallocateFlags::empty(),
                0,
                self.ballast_bytes,
            )?;
            file.sync_all()
        };
        if lay().is_err() {
            fs::remove_file(&path).ok();
        }
    }
}
