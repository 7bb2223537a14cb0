//! Repairs the store's folder before sled opens it, after an interrupted start, a power cut or a full disk.
//!
//! sled 0.34.7 writes its snapshot, the table of its pages, to `snap.X.generating` and renames that to `snap.X`. It
//! takes the name that sorts last for the newest snapshot, finished or not, and reports corruption where that file
//! fails its checksum. A snapshot only saves reading the log: everything in it is in the log too. So [`prepare`]
//! removes unfinished snapshots, and sets aside those that fail their checksum; sled then reads its log.
//!
//! Only the process that holds the folder's lock may call this. The log is never changed. Where a snapshot fails and
//! the log is damaged too, nothing is changed: sled skips damaged messages while it reads the log.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::SEGMENT_BYTES;
use crate::journal::JournalError;
use crate::journal::error::damaged;

/// What the names of sled's snapshots begin with.
const SNAPSHOT: &str = "snap.";

/// What the name of a snapshot that is being written ends with.
const UNFINISHED: &str = ".generating";

/// sled's settings: lines of text and a checksum.
const SETTINGS: &str = "conf";

/// sled writes its settings again where the file is no longer than this.
const SETTINGS_BYTES_MIN: usize = 8;

/// The prefix of a file that is set aside, so that sled ignores it.
const SET_ASIDE: &str = "bad.";

/// Repairs the store's folder.
pub(super) fn prepare(store: &Path) -> Result<(), JournalError> {
    let failed = |what: &str, error: &io::Error| {
        JournalError::Failed(format!("{}: {what}: {error}", store.display()))
    };
    let found = files(store).map_err(|error| failed("it cannot be read", &error))?;
    let aside = mismatched(store, &found).map_err(|error| failed("it cannot be read", &error))?;
    if aside.iter().any(|name| is_snapshot(name)) {
        let whole = log_is_whole(&store.join("db"));
        if !whole.map_err(|error| failed("its log cannot be read", &error))? {
            return Err(damaged(
                "the store's snapshot fails its checksum, and its log is damaged too, so the snapshot cannot be \
                 rebuilt",
            ));
        }
    }
    for name in found.iter().filter(|name| name.ends_with(UNFINISHED)) {
        let gone = fs::remove_file(store.join(name));
        gone.map_err(|error| failed("an unfinished snapshot cannot be removed", &error))?;
        tracing::info!("the store's unfinished snapshot {name} was removed");
    }
    for name in aside {
        let kept = format!("{SET_ASIDE}{name}");
        let moved = fs::rename(store.join(&name), store.join(&kept));
        moved.map_err(|error| failed("a damaged file cannot be set aside", &error))?;
        tracing::warn!(
            "the store's file {name} fails its checksum: it was renamed to {kept} and is rebuilt from the log. No data \
             is lost"
        );
    }
    Ok(())
}

/// The names of the files that sled reads, in order.
fn files(store: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(store) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        // sled's own names are UTF-8.
        names.extend(entry?.file_name().into_string().ok());
    }
    names.retain(|name| name == SETTINGS || name.starts_with(SNAPSHOT));
    names.sort();
    Ok(names)
}

fn is_snapshot(name: &str) -> bool {
    let lsn = name.strip_prefix(SNAPSHOT);
    lsn.is_some_and(|lsn| lsn.len() == 16 && lsn.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Files that fail their checksums: the settings, snapshots back to the newest good one, and files that are only named
/// like a snapshot.
fn mismatched(store: &Path, found: &[String]) -> io::Result<Vec<String>> {
    let mut aside = Vec::new();
    let mut newest_found = false;
    for name in found.iter().rev() {
        let matches = if name == SETTINGS {
            let bytes = fs::read(store.join(name))?;
            bytes.len() <= SETTINGS_BYTES_MIN || matches_its_end(&bytes, 4)
        } else if is_snapshot(name) {
            // A snapshot is followed by its length, then its checksum.
            newest_found = newest_found || matches_its_end(&fs::read(store.join(name))?, 12);
            newest_found
        } else {
            name.ends_with(UNFINISHED)
        };
        if !matches {
            aside.push(name.clone());
        }
    }
    Ok(aside)
}

/// Whether the last four bytes are the checksum of everything before the last `end` bytes. An empty snapshot does not
/// count as one.
fn matches_its_end(bytes: &[u8], end: usize) -> bool {
    let body = bytes.len().checked_sub(end).filter(|length| *length > 0);
    let sum = bytes.last_chunk().map(|sum| u32::from_le_bytes(*sum));
    body.is_some_and(|length| sum == Some(crc32fast::hash(&bytes[..length])))
}

/// The head of a segment of the log: a checksum, its position in the log, and the position up to which the log was
/// stable.
const SEGMENT_HEAD_BYTES: usize = 20;

/// The longest head of a message: no message begins in the last bytes of a segment.
const MESSAGE_HEAD_BYTES_MAX: usize = 32;

/// The kind of a message that fills the rest of its segment.
const CAP: u8 = 2;

/// The kinds of messages.
const KINDS: Range<u8> = 1..12;

struct SegmentHead {
    begin: i64,
    stable: i64,
}

/// Whether every message in the stable part of the log can be read. The end of the log may be torn.
fn log_is_whole(path: &Path) -> io::Result<bool> {
    let log = File::open(path)?;
    let segments = log.metadata()?.len().div_ceil(SEGMENT_BYTES as u64);
    let mut stable = 0;
    for number in 0..segments {
        let mut head = [0; SEGMENT_HEAD_BYTES];
        read_at(&log, &mut head, number * SEGMENT_BYTES as u64)?;
        stable = segment_head(&head).map_or(stable, |head| stable.max(head.stable));
    }
    let mut segment = vec![0; SEGMENT_BYTES];
    for number in 0..segments {
        let length = read_at(&log, &mut segment, number * SEGMENT_BYTES as u64)?;
        let bytes = &segment[..length];
        let whole = match segment_head(bytes) {
            Some(head) if head.begin.saturating_add(SEGMENT_BYTES as i64) > stable => true,
            Some(head) => messages_are_whole(bytes, head.begin as u64 / SEGMENT_BYTES as u64),
            // An unused segment.
            None => bytes.iter().all(|byte| *byte == 0),
        };
        if !whole {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads until the buffer is full or the file ends.
fn read_at(file: &File, to: &mut [u8], from: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < to.len() {
        match file.read_at(&mut to[length..], from + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

fn segment_head(bytes: &[u8]) -> Option<SegmentHead> {
    let head = bytes.get(..SEGMENT_HEAD_BYTES)?;
    let number = |from: usize| {
        let bytes = head.get(from..)?.first_chunk()?;
        Some(i64::from_le_bytes(*bytes) ^ i64::MAX)
    };
    let sum = u32::from_le_bytes(*head.first_chunk()?);
    (!sum == crc32fast::hash(&head[4..])).then_some(SegmentHead {
        begin: number(4)?,
        stable: number(12)?,
    })
}

/// Whether the messages of a segment follow each other up to its end.
fn messages_are_whole(segment: &[u8], number: u64) -> bool {
    let mut at = SEGMENT_HEAD_BYTES;
    while at + MESSAGE_HEAD_BYTES_MAX <= SEGMENT_BYTES {
        match message(&segment[at.min(segment.len())..], number) {
            Some((CAP, _)) => return true,
            Some((_, length)) => at += length,
            None => return false,
        }
    }
    true
}

/// The kind and the length of a message that matches its checksum and is of this segment.
fn message(bytes: &[u8], segment: u64) -> Option<(u8, usize)> {
    let sum = u32::from_le_bytes(*bytes.first_chunk()?);
    let kind = *bytes.get(4)?;
    let mut at = 5;
    let (length, of_segment, _page) = (
        number(bytes, &mut at)?,
        number(bytes, &mut at)?,
        number(bytes, &mut at)?,
    );
    let end = at.checked_add(usize::try_from(length).ok()?)?;
    let mut actual = crc32fast::Hasher::new();
    actual.update(bytes.get(at..end)?);
    actual.update(&bytes[4..at]);
    let matches = sum == !actual.finalize() && of_segment == segment;
    (matches && KINDS.contains(&kind)).then_some((kind, end))
}

/// A number in sled's encoding: one byte up to 240, then more.
fn number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let first = *bytes.get(*at)?;
    let rest = bytes.get(*at + 1..)?;
    let byte = |place: usize| rest.get(place).map(|byte| u64::from(*byte));
    let (number, length) = match first {
        0..=240 => (u64::from(first), 1),
        241..=248 => (240 + 256 * (u64::from(first) - 241) + byte(0)?, 2),
        249 => (2288 + 256 * byte(0)? + byte(1)?, 3),
        250..=255 => {
            let length = usize::from(first) - 247;
            let mut number = [0; 8];
            number[..length].copy_from_slice(rest.get(..length)?);
            (u64::from_le_bytes(number), length + 1)
        }
    };
    *at += length;
    Some(number)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::super::{Changes, Store, Tree};
    use super::*;
    use crate::env::Env;
    use crate::journal::{DiskTimeouts, JournalSettings};

    /// Bytes of a value, and how many keys take turns: more is written than the log keeps, so that its segments are
    /// used again.
    const VALUE_BYTES: usize = 6000;
    const KEYS: u32 = 300;
    const ROUNDS: u32 = 12;

    type Content = BTreeMap<Vec<u8>, Vec<u8>>;

    fn open(store: &Path) -> Result<Store, JournalError> {
        let settings = JournalSettings {
            data: PathBuf::new(),
            cache_bytes: 8 * 1024 * 1024,
            reserve_bytes: 0,
            ballast_bytes: 0,
            linger_us: 0,
            retention_ms: 0,
            checkpoint_records: 262_144,
            timeouts: DiskTimeouts::default(),
            sync: true,
        };
        let store = Store::open(store, &settings, &Env::real().fail_stop)?;
        store.opened();
        Ok(store)
    }

    fn content(store: &Store) -> Content {
        let mut content = Content::new();
        let keep = |key: &[u8], value: &[u8]| {
            content.insert(key.to_vec(), value.to_vec());
            Ok(true)
        };
        store.scan(Tree::Journal, b"", keep).unwrap();
        content
    }

    /// Writes so much that the log goes round, and says what is there then. The last round is synced many times: the heads
    /// of its segments then say that what stands before them was written for good, however slow the disk is.
    fn fill(store: &Store, seed: u32) -> Content {
        let mut noise = seed;
        for round in 0..ROUNDS {
            for key in 0..KEYS {
                let mut changes = Changes::default();
                let value: Vec<u8> = (0..VALUE_BYTES)
                    .map(|_| {
                        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        (noise >> 24) as u8
                    })
                    .collect();
                let key = (key * 7 + round) % KEYS;
                changes.set(&key.to_be_bytes(), value);
                store.apply(Tree::Journal, changes).unwrap();
                if round + 1 == ROUNDS && key.is_multiple_of(30) {
                    store.sync().unwrap();
                }
            }
            store.sync().unwrap();
        }
        content(store)
    }

    /// The store as a process leaves it that is killed.
    fn killed(from: &Path, to: &Path) {
        fs::create_dir_all(to.join("blobs")).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
            }
        }
    }

    /// A store that was killed three times under load: where it is, and what is in it.
    fn used() -> (tempfile::TempDir, PathBuf, Content) {
        let place = tempfile::tempdir().unwrap();
        let mut at = place.path().join("0");
        for life in 1..=3 {
            let store = open(&at).unwrap();
            fill(&store, life);
            let next = place.path().join(life.to_string());
            killed(&at, &next);
            at = next;
        }
        let store = open(&at).unwrap();
        let content = fill(&store, 4);
        let last = place.path().join("last");
        killed(&at, &last);
        (place, last, content)
    }

    fn snapshot(store: &Path) -> PathBuf {
        let found = files(store).unwrap();
        let name = found.iter().rev().find(|name| is_snapshot(name));
        store.join(name.unwrap())
    }

    fn listed(store: &Path) -> Vec<(String, Vec<u8>)> {
        let mut all: Vec<_> = fs::read_dir(store)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_file())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read(entry.path()).unwrap())
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn what_an_interrupted_start_leaves_is_no_damage() {
        let (place, store, content_before) = used();
        let whole = fs::read(snapshot(&store)).unwrap();
        let next = "snap.00000000FFFFFFF0";
        for (case, name, bytes) in [
            ("nothing written", format!("{next}.generating"), &whole[..0]),
            (
                "half written",
                format!("{next}.generating"),
                &whole[..whole.len() / 2],
            ),
            ("not renamed", format!("{next}.generating"), &whole[..]),
            ("renamed, its content lost", next.to_owned(), &whole[..0]),
            ("cut off", next.to_owned(), &whole[..whole.len() - 1]),
            ("zeros", next.to_owned(), &vec![0; whole.len()][..]),
            ("no name of sled's", "snap.old".to_owned(), &b"mine"[..]),
            ("settings of nothing", SETTINGS.to_owned(), &[][..]),
            ("settings of zeros", SETTINGS.to_owned(), &[0; 60][..]),
        ] {
            let copy = place.path().join("copy");
            fs::remove_dir_all(&copy).ok();
            killed(&store, &copy);
            fs::write(copy.join(&name), bytes).unwrap();
            let opened = open(&copy).unwrap_or_else(|error| panic!("{case}: {error}"));
            assert!(
                content(&opened) == content_before,
                "{case}: another content"
            );
        }
    }

    #[test]
    fn a_damaged_snapshot_is_set_aside_and_the_log_read() {
        let (_place, store, content_before) = used();
        let newest = snapshot(&store);
        let mut bytes = fs::read(&newest).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&newest, &bytes).unwrap();
        let opened = open(&store).unwrap();
        assert!(content(&opened) == content_before);
        let name = newest.file_name().unwrap().to_str().unwrap();
        assert_eq!(
            fs::read(store.join(format!("{SET_ASIDE}{name}"))).unwrap(),
            bytes
        );
    }

    #[test]
    fn nothing_is_changed_where_the_log_is_damaged_too() {
        let (_place, store, _) = used();
        let newest = snapshot(&store);
        fs::write(&newest, b"no snapshot of anything").unwrap();
        fs::write(store.join("snap.00000000FFFFFFF0.generating"), b"").unwrap();
        // Threads of the store that was closed a moment ago may still write.
        let whole = |_: &u32| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            log_is_whole(&store.join("db")).unwrap()
        };
        assert!((0..6000).any(|n| whole(&n)), "the log is not whole");
        let log = fs::read(store.join("db")).unwrap();
        let mut found = 0;
        for place in (SEGMENT_BYTES / 3..log.len()).step_by(SEGMENT_BYTES / 8) {
            let mut damaged = log.clone();
            damaged[place] ^= 0x10;
            fs::write(store.join("db"), &damaged).unwrap();
            if log_is_whole(&store.join("db")).unwrap() {
                // At the end of the log, wherever in the file that is.
                continue;
            }
            found += 1;
            let before = listed(&store);
            assert!(matches!(open(&store), Err(JournalError::Damaged(_))));
            assert!(listed(&store) == before, "something was changed");
        }
        assert!(found > 0, "no damage was before the end of the log");
    }
}
