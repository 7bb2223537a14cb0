//! Folders of older releases, each packed into one file: an LZ4 block of entries with the length of the name, the name,
//! the length of the content, and the content.

use std::fs;
use std::path::{Path, PathBuf};

/// A packed folder of the tests.
pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// Packs the files of a folder.
pub fn pack(folder: &Path, to: &Path) {
    let (mut names, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(&inner).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                names.push(path);
            }
        }
    }
    names.sort();
    let mut bytes = Vec::new();
    let mut put = |part: &[u8]| {
        bytes.extend((part.len() as u32).to_be_bytes());
        bytes.extend(part);
    };
    for path in names {
        let name = path.strip_prefix(folder).expect("a file of it");
        put(name.to_str().expect("a name").as_bytes());
        put(&fs::read(&path).expect("a file"));
    }
    let packed = lz4_flex::block::compress_prepend_size(&bytes);
    fs::write(to, packed).expect("a packed folder");
}

/// Unpacks a folder to a place where nothing is.
pub fn unpack(from: &Path, folder: &Path) {
    let packed = fs::read(from).expect("a packed folder");
    let bytes = lz4_flex::block::decompress_size_prepended(&packed).expect("a packed folder");
    let mut rest = bytes.as_slice();
    let mut take = || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (part, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        rest = after;
        Some(part)
    };
    while let (Some(name), Some(content)) = (take(), take()) {
        let path = folder.join(std::str::from_utf8(name).expect("a name"));
        fs::create_dir_all(path.parent().expect("its folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
}
