//! The store: named trees of keys and values, written in one order. Only this module names sled.
//!
//! sled's `flush` is not durable on Linux (it calls `sync_file_range`), so [`Store::sync`] calls `fdatasync` on a
//! descriptor of its own. Values stay under [`VALUE_BYTES_MAX`], so that no page becomes a file of its own, which sled
//! does not sync. A panic of sled on damaged bytes is caught and becomes an error.

mod repair;
mod sled_errors;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::settings::JournalSettings;
use super::watchdog::{Task, Watchdog};
use crate::env::FailStop;
use crate::journal::JournalError;
use crate::journal::error::disk_failed;
use sled_errors::{failed, guarded, silence_sled_panics};

/// The largest value. A page of sled holds up to 17 of them and must stay under a quarter of a segment.
pub const VALUE_BYTES_MAX: usize = 24 * 1024;

/// A segment of sled's log.
const SEGMENT_BYTES: usize = 2 * 1024 * 1024;

/// How often sled's lock is tried, and the pause between.
const LOCK_TRIES: u32 = 100;
const LOCK_WAIT: std::time::Duration = std::time::Duration::from_millis(20);

/// Part of sled's error text where its lock is held.
const LOCKED: &str = "could not acquire lock";

/// The trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// Records and snapshots in blocks, by number and part.
    Journal,
    /// Shops' numbers, by id.
    Names,
    /// Headers of shops, by number.
    Headers,
    /// The index, by the shop's number, first `seq` and first `n`.
    Index,
    /// The ledger's state in parts, by generation and part.
    Ledger,
    /// The notes of the latest checkpoint, and the id of the folder.
    Notes,
    /// Metadata of shops, by number and name.
    Metadata,
}

impl Tree {
    /// All trees, in the order of their numbers in a backup.
    pub const ALL: [Tree; 7] = [
        Tree::Journal,
        Tree::Names,
        Tree::Headers,
        Tree::Index,
        Tree::Ledger,
        Tree::Notes,
        Tree::Metadata,
    ];

    fn name(self) -> &'static str {
        match self {
            Tree::Journal => "journal",
            Tree::Names => "names",
            Tree::Headers => "heads",
            Tree::Index => "index",
            Tree::Ledger => "ledger",
            Tree::Notes => "notes",
            Tree::Metadata => "kept",
        }
    }
}

/// Changes of one tree that are applied in one step.
#[derive(Default)]
pub struct Changes(sled::Batch);

impl Changes {
    /// Sets a key.
    pub fn set(&mut self, key: &[u8], value: impl Into<Vec<u8>>) {
        let value: Vec<u8> = value.into();
        self.0.insert(key, value);
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &[u8]) {
        self.0.remove(key);
    }
}

/// A key and its value, as they lie in the store's cache.
pub type Pair = (sled::IVec, sled::IVec);

/// An open store.
pub struct Store {
    db: Option<sled::Db>,
    trees: Vec<sled::Tree>,
    file: File,
    path: PathBuf,
    sync: bool,
    /// Whether opening has succeeded.
    open: AtomicBool,
    /// Whether the disk has failed.
    failed: AtomicBool,
    watchdog: Watchdog,
    fail_stop: Arc<dyn FailStop>,
}

/// Closes sled, which writes what it has buffered and panics where it cannot. After a failure of the disk sled is not
/// closed, because it would wait for writes that have failed: the process is about to end with its reason.
impl Drop for Store {
    fn drop(&mut self) {
        let (db, trees) = (self.db.take(), std::mem::take(&mut self.trees));
        if self.failed.load(Ordering::Relaxed) {
            std::mem::forget((db, trees));
            return;
        }
        // sled's own threads may have failed, and no call after that.
        let closed = if let Some(error) = self.watchdog.error() {
            std::mem::forget((db, trees));
            Err(error)
        } else {
            // Everything that was acknowledged is durable by now.
            let closed = self.watched(Task::Close, |_| {
                guarded(|| {
                    drop((db, trees));
                    Ok(())
                })
            });
            // sled does not say where it could not write.
            closed.and_then(|()| self.watchdog.error().map_or(Ok(()), Err))
        };
        // Where opening failed, that error is reported instead.
        if let Err(error) = closed
            && self.open.load(Ordering::Relaxed)
        {
            self.fail_stop.stop(&format!(
                "the store could not be closed: {error}. No data is lost. Check the disk, then start again"
            ));
        }
    }
}

/// Opens sled. The folder's lock excludes other processes, but threads of a store that was closed a moment ago may
/// still hold sled's own lock, so it is tried again for a while.
fn opened(config: &sled::Config) -> Result<sled::Db, JournalError> {
    let mut tries = 0;
    loop {
        match guarded(|| config.open()) {
            Err(JournalError::Failed(why)) if tries < LOCK_TRIES && why.contains(LOCKED) => {
                tries += 1;
                std::thread::sleep(LOCK_WAIT);
            }
            opened => return opened,
        }
    }
}

impl Store {
    /// Opens the store in `folder`, and makes it where it does not exist. The watchdog watches this until
    /// [`Store::opened`].
    ///
    /// What an interrupted process has left is repaired first, so the caller must hold the folder's lock.
    pub fn open(
        folder: &Path,
        settings: &JournalSettings,
        fail_stop: &Arc<dyn FailStop>,
    ) -> Result<Store, JournalError> {
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(settings.cache_bytes)
            .segment_size(SEGMENT_BYTES)
            .flush_every_ms(None)
            .mode(sled::Mode::HighThroughput);
        let error = {
            let config = config.clone();
            Box::new(move || config.global_error().err().map(failed))
        };
        let watchdog = Watchdog::start(settings.timeouts, fail_stop, error)?;
        watchdog.begin(Task::Open);
        silence_sled_panics();
        repair::prepare(folder)?;
        let new = !folder.join("db").exists();
        let db = opened(&config)?;
        let file = File::options()
            .read(true)
            .write(true)
            .open(folder.join("db"));
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                std::mem::forget(db);
                return Err(disk_failed("the store's file", &error));
            }
        };
        let mut store = Store {
            db: Some(db),
            trees: Vec::new(),
            file,
            path: folder.to_owned(),
            sync: settings.sync,
            open: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            watchdog,
            fail_stop: Arc::clone(fail_stop),
        };
        for tree in Tree::ALL {
            let opened = store.on_disk(|store| match &store.db {
                Some(db) => db.open_tree(tree.name()),
                None => Err(sled::Error::Unsupported("it is closed".to_owned())),
            })?;
            store.trees.push(opened);
        }
        if new {
            store.sync_new()?;
        }
        Ok(store)
    }

    /// Syncs the files of a new store, which sled does not do.
    fn sync_new(&self) -> Result<(), JournalError> {
        if !self.sync {
            return Ok(());
        }
        for name in ["conf", "db", "blobs", ""] {
            let synced = File::open(self.path.join(name)).and_then(|file| file.sync_all());
            synced.map_err(|error| self.has_failed("the store's files", &error))?;
        }
        Ok(())
    }

    /// Ends the watch of opening. From now on each call is watched, and tasks by [`Store::watched`].
    pub fn opened(&self) {
        self.open.store(true, Ordering::Relaxed);
        self.watchdog.end(Task::Open);
    }

    /// Runs a task of this thread. The process ends where the disk stops its progress.
    pub fn watched<T>(&self, task: Task, work: impl FnOnce(&Store) -> T) -> T {
        self.watchdog.begin(task);
        let done = work(self);
        self.watchdog.end(task);
        done
    }

    /// Whether commits make progress: the disk has not failed, and no commit is very slow.
    pub fn is_committing(&self) -> bool {
        self.watchdog.is_committing()
    }

    /// Records that the disk has failed. It is not used again.
    pub fn has_failed(&self, what: &str, error: &io::Error) -> JournalError {
        self.failed.store(true, Ordering::Relaxed);
        self.watchdog.fail();
        disk_failed(what, error)
    }

    /// Calls sled, and records a failure of the disk.
    fn on_disk<T>(
        &self,
        call: impl FnOnce(&Store) -> Result<T, sled::Error>,
    ) -> Result<T, JournalError> {
        let result = self.watchdog.call(|| guarded(|| call(self)));
        if matches!(result, Err(JournalError::Failed(_))) {
            self.failed.store(true, Ordering::Relaxed);
            self.watchdog.fail();
        }
        result
    }

    fn tree(&self, tree: Tree) -> &sled::Tree {
        &self.trees[tree as usize]
    }

    /// Applies changes. They are durable after [`Store::sync`].
    pub fn apply(&self, tree: Tree, changes: Changes) -> Result<(), JournalError> {
        self.on_disk(|store| store.tree(tree).apply_batch(changes.0))
    }

    /// Makes all applied changes durable.
    pub fn sync(&self) -> Result<(), JournalError> {
        self.on_disk(|store| store.db.as_ref().map_or(Ok(0), |db| db.flush()))?;
        if self.sync {
            let synced = self.watchdog.call(|| self.file.sync_data());
            synced.map_err(|error| self.has_failed("fdatasync of the store", &error))?;
        }
        Ok(())
    }

    /// The value of a key.
    pub fn get(&self, tree: Tree, key: &[u8]) -> Result<Option<sled::IVec>, JournalError> {
        self.on_disk(|store| store.tree(tree).get(key))
    }

    /// The last pair with a key at or before `key`.
    pub fn last_at(&self, tree: Tree, key: &[u8]) -> Result<Option<Pair>, JournalError> {
        self.on_disk(|store| store.tree(tree).range(..=key).next_back().transpose())
    }

    /// The last pair of a tree.
    pub fn last(&self, tree: Tree) -> Result<Option<Pair>, JournalError> {
        self.on_disk(|store| store.tree(tree).last())
    }

    /// Reads pairs in order from a key on, as long as `each` returns true.
    pub fn scan(
        &self,
        tree: Tree,
        from: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> Result<bool, JournalError>,
    ) -> Result<(), JournalError> {
        let mut pairs = self.tree(tree).range(from..);
        while let Some((key, value)) = self.on_disk(|_| pairs.next().transpose())? {
            if !each(&key, &value)? {
                break;
            }
        }
        Ok(())
    }

    /// Reads the pairs of a range of keys in reverse, as long as `each` returns true.
    pub fn scan_back(
        &self,
        tree: Tree,
        from: &[u8],
        to: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> Result<bool, JournalError>,
    ) -> Result<(), JournalError> {
        let mut pairs = self.tree(tree).range(from..=to);
        while let Some((key, value)) = self.on_disk(|_| pairs.next_back().transpose())? {
            if !each(&key, &value)? {
                break;
            }
        }
        Ok(())
    }

    /// The size of the store on disk, in bytes.
    pub fn bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |file| file.len())
    }

    /// The number of files that sled has made for large values. There must be none, because sled does not sync them.
    pub fn stray_files(&self) -> usize {
        let blobs = std::fs::read_dir(self.path.join("blobs"));
        blobs.map_or(0, |files| files.count())
    }
}
