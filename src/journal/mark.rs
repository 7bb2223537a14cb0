//! The mark: how far the journal is known to reach, and how often something was kept beside it, outside the store, so that
//! a lost end is noticed.
//!
//! It is written after every commit and never before, so it is at or behind the truth. Two slots are written in turn:
//! one that fails its checksum is passed over. It is not synced with every commit: a power cut may set it back, which
//! makes it weaker, never wrong.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::JournalError;
use super::store::{damaged, disk_failed};
use crate::domain::time::Instant;

const SLOT_BYTES: usize = 32;

/// How far the journal reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The order of the last durable record; 0 where there is none.
    pub order: u64,
    /// Its instant.
    pub at: Instant,
}

impl Reach {
    /// Nothing has happened.
    pub const NOWHERE: Reach = Reach {
        order: 0,
        at: Instant::from_ms(0),
    };
}

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    /// How far the records reach.
    pub reach: Reach,
    /// In how many commits something was kept for another room, counted around the end of `u32`.
    pub kept: u32,
}

/// The file.
pub struct Mark {
    file: File,
    writes: AtomicU64,
    /// What it says.
    last: Mutex<Marked>,
}

fn slot(marked: Marked) -> [u8; SLOT_BYTES] {
    let Marked { reach, kept } = marked;
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(b"xiaoer\0\x01");
    slot[8..16].copy_from_slice(&reach.order.to_be_bytes());
    slot[16..24].copy_from_slice(&reach.at.ms().to_be_bytes());
    slot[24..28].copy_from_slice(&kept.to_be_bytes());
    let sum = crc32fast::hash(&slot[..28]);
    slot[28..].copy_from_slice(&sum.to_be_bytes());
    slot
}

fn read_slot(bytes: &[u8]) -> Option<Marked> {
    let order = u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?);
    let at_ms = i64::from_be_bytes(*bytes.get(16..)?.first_chunk()?);
    let marked = Marked {
        reach: Reach {
            order,
            at: Instant::from_ms(at_ms),
        },
        kept: u32::from_be_bytes(*bytes.get(24..)?.first_chunk()?),
    };
    (bytes == slot(marked)).then_some(marked)
}

impl Mark {
    /// Makes the file anew, at `reach`.
    pub fn create(path: &Path, reach: Reach) -> io::Result<Mark> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        let marked = Marked { reach, kept: 0 };
        file.write_all_at(&[slot(marked), slot(marked)].concat(), 0)?;
        file.sync_all()?;
        Ok(Mark {
            file,
            writes: AtomicU64::new(0),
            last: Mutex::new(marked),
        })
    }

    /// Opens the file, and says what it says.
    pub fn open(path: &Path) -> Result<(Mark, Marked), JournalError> {
        let lost = || {
            damaged(
                "the file `mark`, which says how far the journal reaches, is missing or damaged",
            )
        };
        // A disk that cannot be read has not lost it.
        let gone = [io::ErrorKind::NotFound, io::ErrorKind::UnexpectedEof];
        let unread = |error: io::Error| match gone.contains(&error.kind()) {
            true => lost(),
            false => disk_failed("the file `mark`", &error),
        };
        let file = File::options()
            .read(true)
            .write(true)
            .open(path)
            .map_err(unread)?;
        let mut bytes = [0; 2 * SLOT_BYTES];
        file.read_exact_at(&mut bytes, 0).map_err(unread)?;
        let (first, second) = bytes.split_at(SLOT_BYTES);
        let slots = [read_slot(first), read_slot(second)];
        let slots = slots.into_iter().flatten();
        // The later one: neither number ever goes back.
        let marked = slots.max_by_key(|marked| (marked.reach.order, marked.kept));
        let marked = marked.ok_or_else(lost)?;
        let mark = Mark {
            file,
            writes: AtomicU64::new(0),
            last: Mutex::new(marked),
        };
        Ok((mark, marked))
    }

    /// The journal reaches this far, and so often was something kept; nothing: as before.
    pub fn set(&self, reach: Option<Reach>, kept: Option<u32>) -> io::Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Marked {
            reach: reach.unwrap_or(last.reach),
            kept: kept.unwrap_or(last.kept),
        };
        let turn = self.writes.fetch_add(1, Ordering::Relaxed) % 2;
        self.file
            .write_all_at(&slot(*last), turn * SLOT_BYTES as u64)
    }

    /// How far the journal reaches.
    pub fn reach(&self) -> Reach {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.reach
    }

    /// Makes it durable.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_damaged_slot_is_passed_over_and_two_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        let at = Instant::from_ms(1_000_000);
        let mark = Mark::create(&path, Reach::NOWHERE).unwrap();
        let marked = |order, kept| Marked {
            reach: Reach { order, at },
            kept,
        };
        mark.set(Some(Reach { order: 7, at }), None).unwrap();
        mark.set(Some(Reach { order: 8, at }), Some(3)).unwrap();
        assert_eq!(Mark::open(&path).unwrap().1, marked(8, 3));
        mark.set(None, Some(4)).unwrap();
        assert_eq!(Mark::open(&path).unwrap().1, marked(8, 4));
        mark.set(Some(Reach { order: 9, at }), None).unwrap();
        let flip = |place: usize| {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[place] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        };
        flip(SLOT_BYTES + 26);
        assert_eq!(Mark::open(&path).unwrap().1, marked(8, 4));
        flip(3);
        assert!(matches!(Mark::open(&path), Err(JournalError::Damaged(_))));
    }
}
