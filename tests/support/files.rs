//! Lists and copies folders.

use std::fs;
use std::path::{Path, PathBuf};

/// All files in a folder and below it, but for sockets.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path if path.is_file() => found.push(path),
            // A socket holds nothing.
            _ => {}
        }
    }
    found.sort();
    found
}

/// Copies a folder over whatever is there.
pub fn copy_folder(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).expect("a folder");
    for file in files(from) {
        let copy = to.join(file.strip_prefix(from).expect("a file in it"));
        fs::create_dir_all(copy.parent().expect("its folder")).expect("a folder");
        fs::copy(&file, &copy).expect("a copy");
    }
}

/// Whether there is more in a folder than a lock that somebody took: what a command leaves that could not begin.
pub fn has_begun(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name());
    names.any(|name| name != "LOCK")
}
