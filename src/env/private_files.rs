//! Files that only their owner may read: how they are written, and how a data folder is kept private.
//!
//! A folder has mode 700 and its files 600. A command that root runs gives what it writes to the folder's owner, so
//! that the server, which runs as that owner, can read it.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The mode of a data folder and of the folders in it.
pub const FOLDER_MODE: u32 = 0o700;

/// The mode of a file in a data folder, and of a backup.
pub const FILE_MODE: u32 = 0o600;

/// The mode bits of other users.
const OTHERS: u32 = 0o077;

/// How deep a data folder is searched. The store's own folders are two deep.
const DEPTH_MAX: usize = 4;

/// How long a lock that another process holds is tried: so many tries, this far apart.
const LOCK_TRIES: u32 = 500;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Files that a person writes into the folder, or that the file system makes: their mode is not changed.
const NOT_OURS: [&str; 2] = ["xiaoer.toml", "lost+found"];

/// Makes all files that this process creates private, whatever creates them.
pub fn make_files_private() {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(OTHERS));
}

/// Makes a data folder and the folders above it, where they do not exist.
///
/// # Errors
///
/// The folder cannot be made.
pub fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    let made = std::os::unix::fs::DirBuilderExt::mode(&mut fs::DirBuilder::new(), FOLDER_MODE)
        .create(path);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Writes a file of a folder, whole or not at all. It is durable when this returns.
///
/// # Errors
///
/// It cannot be written, or the folder cannot be synced.
pub fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<Metadata> {
    let (path, beside) = (folder.join(name), folder.join(format!("{name}.new")));
    // A file that a killed writer left behind may have another mode or another owner.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(FILE_MODE);
    let mut file = options.open(&beside)?;
    give_to_owner_of(folder, &file)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    File::open(folder)?.sync_all()?;
    file.metadata()
}

/// While it lives, no other process has this lock.
pub struct FileLock(#[expect(dead_code, reason = "what is held is the open file")] File);

/// Takes the lock of a lock file, and makes the file where it does not exist. `None` where another process held it for
/// 5 s.
///
/// # Errors
///
/// The file cannot be opened or locked.
pub fn lock(folder: &Path, name: &str) -> io::Result<Option<FileLock>> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE);
    let file = options.open(folder.join(name))?;
    give_to_owner_of(folder, &file)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(FileLock(file))),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// Gives a file that root has made in a folder to the folder's owner and group.
fn give_to_owner_of(folder: &Path, file: &File) -> io::Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let (owner, now) = (folder.metadata()?, file.metadata()?);
    if (owner.uid(), owner.gid()) == (now.uid(), now.gid()) {
        return Ok(());
    }
    std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid()))
}

/// The result of making a folder private.
#[derive(Debug, Default)]
pub struct RepairedModes {
    /// What other users could read, and now cannot.
    pub closed: Vec<PathBuf>,
    /// What other users can still read, and why.
    pub open: Vec<(PathBuf, String)>,
}

impl RepairedModes {
    /// Sentences for the log; empty where nothing was open to others.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(first) = self.closed.first() {
            words.push(format!(
                "other users of this machine could read {} (and {} more like it); now they cannot",
                first.display(),
                self.closed.len() - 1
            ));
        }
        for (path, why) in &self.open {
            words.push(format!(
                "other users may read {}, and its mode cannot be changed ({why}): give it to the user who runs \
                 xiaoer, with mode 700 for a folder and 600 for a file",
                path.display()
            ));
        }
        words
    }
}

/// Removes the rights of other users from a data folder and everything in it, except files that a person has put
/// there. Where that fails for a file, the result names it and the rest is done.
pub fn repair_modes(folder: &Path) -> RepairedModes {
    let mut repaired = RepairedModes::default();
    walk(folder, 0, &mut |path, metadata| {
        let mode = metadata.permissions().mode();
        if mode & OTHERS == 0 {
            return;
        }
        let closed = fs::Permissions::from_mode(mode & !OTHERS);
        match fs::set_permissions(path, closed) {
            Ok(()) => repaired.closed.push(path.to_owned()),
            Err(error) => repaired.open.push((path.to_owned(), error.to_string())),
        }
    });
    repaired
}

/// Gives files that root has made in a data folder to the folder's owner and group. Does nothing for other users, or
/// where root owns the folder.
fn chown_all(folder: &Path) {
    let Ok(owner) = folder.metadata() else {
        return;
    };
    if !rustix::process::geteuid().is_root() || owner.uid() == 0 {
        return;
    }
    walk(folder, 0, &mut |path, metadata| {
        if metadata.uid() == 0 {
            // Root may do this; a file that no longer exists needs nothing.
            std::os::unix::fs::lchown(path, Some(owner.uid()), Some(owner.gid())).ok();
        }
    });
}

/// Calls `look` for a folder and what is in it, except links and files that a person has put there.
fn walk(path: &Path, depth: usize, look: &mut dyn FnMut(&Path, &Metadata)) {
    let Ok(metadata) = path.symlink_metadata() else {
        return;
    };
    if metadata.is_symlink() {
        // The path of the data folder itself may be a link.
        if depth > 0 {
            return;
        }
        let Ok(behind) = path.canonicalize() else {
            return;
        };
        return walk(&behind, depth + 1, look);
    }
    look(path, &metadata);
    if !metadata.is_dir() || depth > DEPTH_MAX {
        return;
    }
    let Ok(entries) = fs::read_dir(path) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = |name: &std::ffi::OsStr| NOT_OURS.iter().all(|other| name != *other);
        if ours(&entry.file_name()) {
            walk(&entry.path(), depth + 1, look);
        }
    }
}

/// Lives while a command works on a data folder. At its end, files that root has made there get the folder's owner.
pub struct OwnerGuard(PathBuf);

impl OwnerGuard {
    /// The owner of a folder on which a command works. Made before anything that writes there, so that it ends after
    /// it.
    pub fn of(folder: &Path) -> OwnerGuard {
        OwnerGuard(folder.to_owned())
    }
}

impl Drop for OwnerGuard {
    fn drop(&mut self) {
        chown_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().unwrap().permissions().mode() & 0o777
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A folder as a release before this one left it, under the usual umask.
    fn open_folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir_all(path.join("store/blobs")).unwrap();
        for name in ["LOCK", "mark", "store/db", "xiaoer.toml"] {
            fs::write(path.join(name), "x").unwrap();
            set(&path.join(name), 0o644);
        }
        for name in ["", "store", "store/blobs"] {
            set(&path.join(name), 0o755);
        }
        folder
    }

    #[test]
    fn a_folder_that_others_can_read_is_closed_to_them() {
        let folder = open_folder();
        let outside = tempfile::NamedTempFile::new().unwrap();
        set(outside.path(), 0o644);
        std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
        let repaired = repair_modes(folder.path());
        assert!(repaired.open.is_empty(), "{repaired:?}");
        assert_eq!(repaired.closed.len(), 6, "{repaired:?}");
        assert_eq!(repaired.words().len(), 1);
        for (name, expected) in [
            ("", FOLDER_MODE),
            ("store", FOLDER_MODE),
            ("store/blobs", FOLDER_MODE),
            ("LOCK", FILE_MODE),
            ("mark", FILE_MODE),
            ("store/db", FILE_MODE),
            ("xiaoer.toml", 0o644),
        ] {
            assert_eq!(mode(&folder.path().join(name)), expected, "{name:?}");
        }
        assert_eq!(mode(outside.path()), 0o644, "a link is not followed");
        let again = repair_modes(folder.path());
        assert!(again.closed.is_empty() && again.words().is_empty());
    }

    #[test]
    fn a_file_is_written_whole_and_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("f.new");
        fs::write(&left, "half").unwrap();
        set(&left, 0o644);
        for text in ["one", "two"] {
            write_whole(folder.path(), "f", text.as_bytes()).unwrap();
            let path = folder.path().join("f");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(mode(&path), FILE_MODE);
            assert!(!left.exists());
        }
    }

    #[test]
    fn a_new_folder_is_its_owners_alone() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("a/b");
        make_folder(&path).unwrap();
        make_folder(&path).unwrap();
        assert_eq!(mode(&path), FOLDER_MODE);
        fs::write(above.path().join("file"), "").unwrap();
        assert!(make_folder(&above.path().join("file")).is_err());
    }

    #[test]
    fn what_root_makes_belongs_to_the_owner_of_the_folder() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("not root: what root makes is not tried");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let (uid, gid) = (12_345, 23_456);
        std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).unwrap();
        let owner = |name: &str| {
            let metadata = folder.path().join(name).metadata().unwrap();
            (metadata.uid(), metadata.gid())
        };
        write_whole(folder.path(), "f", b"").unwrap();
        assert_eq!(owner("f"), (uid, gid));
        drop(lock(folder.path(), "f.lock").unwrap().unwrap());
        assert_eq!(owner("f.lock"), (uid, gid));
        let keeps = OwnerGuard::of(folder.path());
        fs::create_dir(folder.path().join("store")).unwrap();
        fs::write(folder.path().join("store/db"), "").unwrap();
        fs::write(folder.path().join("other"), "").unwrap();
        std::os::unix::fs::chown(folder.path().join("other"), Some(7), Some(8)).unwrap();
        drop(keeps);
        assert_eq!(
            (owner("store"), owner("store/db")),
            ((uid, gid), (uid, gid))
        );
        assert_eq!(
            owner("other"),
            (7, 8),
            "what another user has made stays theirs"
        );
    }
}
