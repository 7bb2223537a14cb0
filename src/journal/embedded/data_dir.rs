//! The data folder: its lock, its stored form, and its free space.
//!
//! The one process that uses the folder holds `LOCK`. `VERSION` names the stored form. `mark` says how far the journal
//! reaches. `ballast` is a file that is deleted when the disk is full, since the store cannot be opened without free
//! space.
//!
//! `NEW` exists while a first start makes the folder, and `RESTORING` while a restore fills it. The folder `upgrading`
//! holds a converted store until it is verified.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::settings::JournalSettings;
use super::store::{Store, Tree};
use super::watermark::Watermark;
use crate::env::{FailStop, private_files};
use crate::journal::JournalError;
use crate::journal::error::{disk_failed, is_of_the_disk};

/// The version of the stored form that this program writes.
pub const VERSION: u32 = 2;

/// The oldest version that it reads.
const VERSION_MIN: u32 = 1;

/// How often a held lock is tried again, and the pause between.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Exists while a first start makes the folder.
const BEGUN: &str = "NEW";

/// Exists while a restore fills the folder.
const RESTORING: &str = "RESTORING";

/// The same file before it is renamed.
const RESTORING_IN_MAKING: &str = "RESTORING.new";

/// Files that may be in a folder before a restore: none of them is data of a journal.
const NO_DATA: [&str; 8] = [
    "lost+found",
    "xiaoer.toml",
    "keys.json",
    "keys.lock",
    "webhook-secrets.json",
    "webhook-secrets.lock",
    "LOCK",
    "ballast",
];

/// Further files that an unfinished restore may have left.
const LEFT_BY_RESTORE: [&str; 5] = [
    "store",
    "mark",
    "mark.new",
    "VERSION.new",
    RESTORING_IN_MAKING,
];

/// The state in which a folder was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataDirState {
    /// It is empty, and a first start makes it.
    New,
    /// It is complete, in this stored form.
    Made(u32),
}

/// A folder that this process has locked.
pub struct DataDir {
    path: PathBuf,
    ballast_bytes: u64,
    /// Held until the folder is dropped.
    _lock: File,
}

/// Takes a lock, and tries again for a moment: its holder may be about to end, or may have passed it to a child
/// process that has not started its program yet.
fn take_lock(lock: &File) -> Result<(), TryLockError> {
    for _ in 0..LOCK_TRIES {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            taken => return taken,
        }
    }
    lock.try_lock()
}

fn unusable(path: &Path, what: &str, error: &io::Error) -> JournalError {
    if is_of_the_disk(error) {
        return disk_failed(&path.display().to_string(), error);
    }
    JournalError::Unusable(format!("{}: {what}: {error}", path.display()))
}

impl DataDir {
    /// Locks a folder, and makes it where it does not exist. Deletes the ballast where the disk is full.
    pub fn take(path: &Path, ballast_bytes: u64) -> Result<DataDir, JournalError> {
        private_files::make_folder(path).map_err(|error| {
            unusable(
                path,
                "the folder cannot be made; choose another with --data, or make it writable",
                &error,
            )
        })?;
        let lock = path.join("LOCK");
        let ballast = path.join("ballast");
        let open = |lock| {
            let mut options = File::options();
            options
                .create(true)
                .append(true)
                .mode(private_files::FILE_MODE);
            options.open(lock)
        };
        let opened = open(&lock);
        let lock = match opened {
            // There is no room for an empty file.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                fs::remove_file(&ballast).ok();
                open(&lock)
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
        match take_lock(&lock) {
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
        for words in private_files::repair_modes(path).words() {
            tracing::warn!("{words}");
        }
        let folder = DataDir {
            path: path.to_owned(),
            ballast_bytes,
            _lock: lock,
        };
        if folder.free_bytes() < ballast_bytes {
            fs::remove_file(&ballast).ok();
        }
        Ok(folder)
    }

    /// The state of the folder. An empty folder is marked as `NEW`.
    ///
    /// # Errors
    ///
    /// A restore was not finished, the version is newer, or a part is missing.
    pub fn prepare(
        &self,
        settings: &JournalSettings,
        fail_stop: &Arc<dyn FailStop>,
    ) -> Result<DataDirState, JournalError> {
        if self.restore_has_begun() {
            return Err(self.unfinished_restore());
        }
        let path = self.path.join("VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => match text.trim().parse::<u32>() {
                Ok(version) if (VERSION_MIN..=VERSION).contains(&version) => {
                    Ok(DataDirState::Made(version))
                }
                Ok(newer) if newer > VERSION => Err(JournalError::Unusable(format!(
                    "{} was written by a newer xiaoer (stored form {newer}, this program knows {VERSION}): use that \
                     version",
                    self.path.display()
                ))),
                Ok(_) | Err(_) => Err(self.without_version("does not name a version")),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.begin(settings, fail_stop)?;
                Ok(DataDirState::New)
            }
            Err(error) => Err(unusable(&path, "the version cannot be read", &error)),
        }
    }

    /// Whether a restore has begun. A crash may have left its file under the first name.
    fn restore_has_begun(&self) -> bool {
        let has = |name: &str| self.path.join(name).exists();
        has(RESTORING) || (has(RESTORING_IN_MAKING) && !has("VERSION"))
    }

    fn unfinished_restore(&self) -> JournalError {
        JournalError::Unusable(format!(
            "a restore into {} was not finished. Run `xiaoer restore --from BACKUP --data {0}` again; it starts from \
             the beginning",
            self.path.display()
        ))
    }

    /// The file VERSION is missing or unreadable, but there is a store. The file `mark` shows which version it should
    /// name.
    fn without_version(&self, what: &str) -> JournalError {
        let form = match Watermark::read(&self.watermark_path()) {
            Ok(marked) if marked.folder.is_none() => VERSION_MIN,
            Ok(_) | Err(_) => VERSION,
        };
        JournalError::Damaged(format!(
            "{}: the file VERSION {what}. If nothing else is damaged, write \"{form}\" into it, then run \
             `xiaoer verify --data {}`",
            self.path.display(),
            self.path.display()
        ))
    }

    /// Begins to make the folder. `NEW` exists until `VERSION` does, and nothing is acknowledged before. Only what a
    /// first start may have left is removed.
    fn begin(
        &self,
        settings: &JournalSettings,
        fail_stop: &Arc<dyn FailStop>,
    ) -> Result<(), JournalError> {
        let begun = self.path.join(BEGUN);
        let store = self.store_path();
        if !begun.exists() && (store.exists() || self.watermark_path().exists()) {
            return Err(self.without_version("is missing"));
        }
        if Watermark::read(&self.watermark_path()).is_ok_and(|marked| marked.reach.order > 0) {
            return Err(self.without_version(
                "is missing, and there is a file NEW that does not belong there",
            ));
        }
        if store.exists() && self.store_has_records(settings, fail_stop)? {
            // Release 0.1 marked a restore like a first start.
            return Err(self.unfinished_restore());
        }
        self.write_whole(BEGUN, b"this folder is being made\n")?;
        self.clear_parts()
    }

    fn store_has_records(
        &self,
        settings: &JournalSettings,
        fail_stop: &Arc<dyn FailStop>,
    ) -> Result<bool, JournalError> {
        let store = Store::open(&self.store_path(), settings, fail_stop)?;
        store.opened();
        Ok(store.last(Tree::Journal)?.is_some())
    }

    /// Removes the store, the watermark and the version, where they exist.
    fn clear_parts(&self) -> Result<(), JournalError> {
        let clear = || -> io::Result<()> {
            let store = self.store_path();
            if store.exists() {
                fs::remove_dir_all(store)?;
            }
            for name in ["mark", "mark.new", "VERSION", "VERSION.new"] {
                match fs::remove_file(self.path.join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
            File::open(&self.path)?.sync_all()
        };
        clear().map_err(|error| {
            unusable(
                &self.path,
                "files of an unfinished start or restore cannot be removed",
                &error,
            )
        })
    }

    /// Begins a restore: `RESTORING` exists until it is finished, and a server refuses the folder meanwhile.
    ///
    /// # Errors
    ///
    /// The folder holds data, which would be overwritten.
    pub fn begin_restore(&self) -> Result<(), JournalError> {
        let has = |name: &str| self.path.join(name).exists();
        let marked =
            Watermark::read(&self.watermark_path()).is_ok_and(|marked| marked.reach.order > 0);
        let unfinished = self.restore_has_begun() || (has(BEGUN) && !has("VERSION") && !marked);
        let listed = fs::read_dir(&self.path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let listed = listed.map_err(|error| unusable(&self.path, "it cannot be read", &error))?;
        for entry in listed {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let left_over = [BEGUN, RESTORING, "VERSION"].contains(&&*name)
                || LEFT_BY_RESTORE.contains(&&*name);
            let may_stay = NO_DATA.contains(&&*name) || (unfinished && left_over);
            if !may_stay {
                return Err(JournalError::Unusable(format!(
                    "{} is not empty (it holds {name:?}): name a new folder, so that no file is overwritten",
                    self.path.display()
                )));
            }
        }
        self.write_whole(RESTORING, b"a restore fills this folder\n")?;
        self.clear_parts()?;
        self.remove(BEGUN)
    }

    /// Ends a restore.
    pub fn restored(&self) -> Result<(), JournalError> {
        self.write_version()?;
        self.remove(RESTORING)
    }

    fn remove(&self, name: &str) -> Result<(), JournalError> {
        let path = self.path.join(name);
        if !path.exists() {
            return Ok(());
        }
        let gone = fs::remove_file(&path).and_then(|()| File::open(&self.path)?.sync_all());
        gone.map_err(|error| unusable(&path, "it cannot be removed", &error))
    }

    /// Writes `VERSION`: the folder is now of this program's form.
    pub fn write_version(&self) -> Result<(), JournalError> {
        self.write_whole("VERSION", format!("{VERSION}\n").as_bytes())
    }

    /// Ends a first start.
    pub fn made(&self) -> Result<(), JournalError> {
        self.write_version()?;
        self.remove(BEGUN)
    }

    /// Writes a file, whole or not at all, durable and readable by its owner only.
    pub fn write_whole(&self, name: &str, bytes: &[u8]) -> Result<(), JournalError> {
        let written = private_files::write_whole(&self.path, name, bytes).map(drop);
        written.map_err(|error| unusable(&self.path.join(name), "it cannot be written", &error))
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the store.
    pub fn store_path(&self) -> PathBuf {
        self.path.join("store")
    }

    /// The path of the file `mark`.
    pub fn watermark_path(&self) -> PathBuf {
        self.path.join("mark")
    }

    /// Syncs the folder, so that renamed and new files are durable.
    pub fn sync(&self) -> Result<(), JournalError> {
        let synced = File::open(&self.path).and_then(|folder| folder.sync_all());
        synced.map_err(|error| unusable(&self.path, "it cannot be synced", &error))
    }

    /// Free bytes of the disk; 0 where they cannot be read.
    pub fn free_bytes(&self) -> u64 {
        rustix::fs::statvfs(&self.path).map_or(0, |disk| disk.f_bavail * disk.f_frsize)
    }

    /// Creates the ballast where it is missing or too short, if twice its size is free.
    pub fn create_ballast(&self) {
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
