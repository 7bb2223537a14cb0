//! `keys.json`: the stored form of the keys, and how it is read, locked and written.
//!
//! The file is written under another name and renamed, so that a reader sees the old file or the new one. A content
//! has exactly one form in bytes, and a checksum covers it, so every flipped bit is noticed.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::KeyError;
use super::key_text::{ID_CHARS, is_drawn};
use super::scope::Scope;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::env::private_files::{self, FileLock};
use crate::keys::record::{KeyRecord, KeyRow};

/// The version that this release writes; it reads every one up to it.
const VERSION: u32 = 1;

/// The names of the file and of the lock of its writers.
const FILE: &str = "keys.json";
const LOCK: &str = "keys.lock";

/// The files of keys in a folder.
pub(super) struct KeyFile {
    folder: PathBuf,
}

/// The file as the system shows it; a file with another stamp has another content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FileStamp {
    inode: u64,
    modified: (i64, i64),
    bytes: u64,
}

/// While it lives, no other process writes the keys of the folder.
pub(super) struct Lock(#[expect(dead_code, reason = "it is held, not read")] FileLock);

impl KeyFile {
    /// The file of a folder. The folder must exist, the file need not.
    pub fn of(folder: &Path) -> Result<KeyFile, KeyError> {
        if !folder.is_dir() {
            return Err(KeyError::NoFolder {
                folder: folder.to_owned(),
            });
        }
        Ok(KeyFile {
            folder: folder.to_owned(),
        })
    }

    /// The path of the file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// The stamp of the file; `None` where there is no file.
    pub fn stamp(&self) -> Result<Option<FileStamp>, KeyError> {
        let path = self.path();
        match path.metadata() {
            Ok(metadata) => Ok(Some(FileStamp::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("look at", &path)(source)),
        }
    }

    /// All keys, and the stamp of the file that they were read from; no keys where there is no file.
    pub fn read(&self) -> Result<(Vec<KeyRecord>, Option<FileStamp>), KeyError> {
        let path = self.path();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), None)),
            Err(source) => return Err(failed("read", &path)(source)),
        };
        let metadata = file.metadata().map_err(failed("read", &path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(failed("read", &path))?;
        Ok((self.decode(&bytes)?, Some(FileStamp::of(&metadata))))
    }

    fn decode(&self, bytes: &[u8]) -> Result<Vec<KeyRecord>, KeyError> {
        let damaged = |how: String| KeyError::Damaged {
            path: self.path(),
            how,
        };
        let head: KeysHead =
            serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        if head.version > VERSION {
            return Err(KeyError::Newer {
                path: self.path(),
                version: head.version,
            });
        }
        let form: KeysForm =
            serde_json::from_slice(bytes).map_err(|error| damaged(error.to_string()))?;
        let records = form.keys.iter().map(StoredKey::record);
        let records: Option<Vec<KeyRecord>> = records.collect();
        let records = records.ok_or_else(|| damaged("a key is not of the form of keys".into()))?;
        if encode(&records) != bytes {
            return Err(damaged("its checksum is that of another content".into()));
        }
        Ok(records)
    }

    /// Waits until no other process writes, for at most 5 s.
    pub fn lock(&self) -> Result<Lock, KeyError> {
        let path = self.folder.join(LOCK);
        let lock = private_files::lock(&self.folder, LOCK).map_err(failed("lock", &path))?;
        lock.map(Lock).ok_or(KeyError::Locked { path })
    }

    /// Replaces the content of the file. The keys are durable when this returns.
    pub fn write(
        &self,
        records: &[KeyRecord],
        _held: &Lock,
    ) -> Result<Option<FileStamp>, KeyError> {
        let written = private_files::write_whole(&self.folder, FILE, &encode(records));
        let metadata = written.map_err(failed("write", &self.path()))?;
        Ok(Some(FileStamp::of(&metadata)))
    }
}

impl FileStamp {
    fn of(metadata: &std::fs::Metadata) -> FileStamp {
        FileStamp {
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            bytes: metadata.len(),
        }
    }
}

fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Io {
        doing,
        path: path.clone(),
        source,
    }
}

/// The field that every version has.
#[derive(Deserialize)]
struct KeysHead {
    version: u32,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysForm {
    version: u32,
    /// The checksum of the keys as JSON without blanks: 8 hexadecimal digits.
    crc32: String,
    keys: Vec<StoredKey>,
}

/// One key in the file. Names are added to, never renamed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    id: String,
    secret_sha256: String,
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shop: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    created: String,
    own_clock: bool,
    /// The number of its shop; absent in keys of 0.1.0, and where the shop is not made yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shop_number: Option<u64>,
}

impl StoredKey {
    fn of(record: &KeyRecord) -> StoredKey {
        let row = &record.row;
        StoredKey {
            id: row.id.to_string(),
            secret_sha256: hex(&record.secret_sha256),
            scope: row.scope.code().to_owned(),
            shop: row.shop.as_ref().map(Id::to_string),
            name: row.name.clone(),
            created: row.created.at_offset(0).to_string(),
            own_clock: row.own_clock,
            shop_number: record.number,
        }
    }

    fn record(&self) -> Option<KeyRecord> {
        let shop = match &self.shop {
            Some(shop) => Some(Id::new(shop)?),
            None => None,
        };
        let scope = Scope::named(&self.scope)?;
        let good = is_drawn(&self.id, ID_CHARS)
            && scope.is_of_a_shop() == shop.is_some()
            && (self.shop_number.is_none() || shop.is_some());
        good.then_some(KeyRecord {
            row: KeyRow {
                id: Id::new(&self.id)?,
                scope,
                shop,
                name: self.name.clone(),
                created: Instant::parse(&self.created)?,
                own_clock: self.own_clock,
            },
            secret_sha256: bytes_of_hex(&self.secret_sha256)?,
            number: self.shop_number,
        })
    }
}

fn encode(records: &[KeyRecord]) -> Vec<u8> {
    let keys: Vec<StoredKey> = records.iter().map(StoredKey::of).collect();
    let plain = serde_json::to_vec(&keys).unwrap_or_default();
    let form = KeysForm {
        version: VERSION,
        crc32: format!("{:08x}", crc32fast::hash(&plain)),
        keys,
    };
    let mut bytes = serde_json::to_vec_pretty(&form).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As release 0.1 wrote it; it must be read for ever.
    const FIRST_FORM: &str = r#"{
  "version": 1,
  "crc32": "c1f3ef0b",
  "keys": [
    {
      "id": "abcdefgh",
      "secret_sha256": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
      "scope": "events",
      "shop": "s",
      "name": "till",
      "created": "2026-11-11T02:00:00+00:00",
      "own_clock": true
    },
    {
      "id": "ABCDEFGH",
      "secret_sha256": "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
      "scope": "admin",
      "created": "2026-11-11T02:00:00.250+00:00",
      "own_clock": false
    }
  ]
}
"#;

    fn records() -> Vec<KeyRecord> {
        let record = |id: &str, scope, shop: Option<&str>, ms| KeyRecord {
            row: KeyRow {
                id: Id::new(id).unwrap(),
                scope,
                shop: shop.and_then(Id::new),
                name: shop.map(|_| "till".to_owned()),
                created: Instant::from_ms(ms),
                own_clock: shop.is_some(),
            },
            secret_sha256: std::array::from_fn(|at| at as u8),
            number: None,
        };
        vec![
            record("abcdefgh", Scope::Events, Some("s"), 1_794_362_400_000),
            record("ABCDEFGH", Scope::Admin, None, 1_794_362_400_250),
        ]
    }

    fn folder() -> (tempfile::TempDir, KeyFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::of(folder.path()).unwrap();
        (folder, file)
    }

    #[test]
    fn the_first_form_is_read_and_written_for_ever() {
        let (_folder, file) = folder();
        assert_eq!(String::from_utf8(encode(&records())).unwrap(), FIRST_FORM);
        assert!(file.decode(FIRST_FORM.as_bytes()).unwrap() == records());
    }

    #[test]
    fn the_number_of_the_shop_is_kept_with_its_key() {
        let (_folder, file) = folder();
        let mut bound = records();
        bound[0].number = Some(7);
        let text = String::from_utf8(encode(&bound)).unwrap();
        assert!(
            text.contains("\"own_clock\": true,\n      \"shop_number\": 7\n"),
            "{text}"
        );
        assert!(file.decode(text.as_bytes()).unwrap() == bound);
        // A key of scope `admin` belongs to no shop.
        bound[1].number = Some(7);
        assert!(file.decode(&encode(&bound)).is_err());
    }

    #[test]
    fn no_flipped_bit_goes_unnoticed() {
        let (_folder, file) = folder();
        let mut whole = records();
        whole[0].number = Some(7);
        let whole = encode(&whole);
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(file.decode(&bytes).is_err(), "bit {bit}");
        }
        for bytes in 0..whole.len() {
            assert!(file.decode(&whole[..bytes]).is_err(), "cut at {bytes}");
        }
    }

    #[test]
    fn a_newer_form_is_named_as_such() {
        let (_folder, file) = folder();
        let newer = br#"{"version": 2, "keys": {"by": "shop"}}"#;
        let error = file.decode(newer).err().unwrap();
        assert!(matches!(error, KeyError::Newer { version: 2, .. }));
    }

    #[test]
    fn the_file_is_for_its_owner_alone() {
        let (folder, file) = folder();
        // As a killed writer leaves it.
        std::fs::write(folder.path().join("keys.json.new"), "half").unwrap();
        let lock = file.lock().unwrap();
        let stamp = file.write(&records(), &lock).unwrap();
        assert!(file.stamp().unwrap() == stamp && file.read().unwrap() == (records(), stamp));
        let mode = folder.path().join("keys.json").metadata().unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!folder.path().join("keys.json.new").exists());
    }
}
