//! The mark: how far the journal is known to reach, kept outside the store, so that a lost end is noticed.
//!
//! It is written after every commit and never before, so it is at or behind the truth. Two slots are written in turn:
//! one that fails its checksum is passed over. It is not synced with every commit: a power cut may set it back, which
//! makes it weaker, never wrong.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::JournalError;
use super::store::damaged;
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

/// The file.
pub struct Mark {
    file: File,
    writes: AtomicU64,
}

fn slot(reach: Reach) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(b"xiaoer\0\x01");
    slot[8..16].copy_from_slice(&reach.order.to_be_bytes());
    slot[16..24].copy_from_slice(&reach.at.ms().to_be_bytes());
    let sum = crc32fast::hash(&slot[..28]);
    slot[28..].copy_from_slice(&sum.to_be_bytes());
    slot
}

fn read_slot(bytes: &[u8]) -> Option<Reach> {
    let order = u64::from_be_bytes(*bytes.get(8..)?.first_chunk()?);
    let at_ms = i64::from_be_bytes(*bytes.get(16..)?.first_chunk()?);
    let reach = Reach {
        order,
        at: Instant::from_ms(at_ms),
    };
    (bytes == slot(reach)).then_some(reach)
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
        file.write_all_at(&[slot(reach), slot(reach)].concat(), 0)?;
        file.sync_all()?;
        Ok(Mark {
            file,
            writes: AtomicU64::new(0),
        })
    }

    /// Opens the file, and says how far it reaches.
    pub fn open(path: &Path) -> Result<(Mark, Reach), JournalError> {
        let lost = || {
            damaged(
                "the file `mark`, which says how far the journal reaches, is missing or damaged",
            )
        };
        let file = File::options()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|_| lost())?;
        let mut bytes = [0; 2 * SLOT_BYTES];
        file.read_exact_at(&mut bytes, 0).map_err(|_| lost())?;
        let (first, second) = bytes.split_at(SLOT_BYTES);
        let slots = [read_slot(first), read_slot(second)];
        let reach = slots.into_iter().flatten().max_by_key(|reach| reach.order);
        let mark = Mark {
            file,
            writes: AtomicU64::new(0),
        };
        Ok((mark, reach.ok_or_else(lost)?))
    }

    /// The journal reaches this far.
    pub fn set(&self, reach: Reach) -> io::Result<()> {
        let turn = self.writes.fetch_add(1, Ordering::Relaxed) % 2;
        self.file
            .write_all_at(&slot(reach), turn * SLOT_BYTES as u64)
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
        mark.set(Reach { order: 7, at }).unwrap();
        mark.set(Reach { order: 8, at }).unwrap();
        assert_eq!(Mark::open(&path).unwrap().1, Reach { order: 8, at });
        let flip = |place: usize| {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[place] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        };
        flip(SLOT_BYTES + 12);
        assert_eq!(Mark::open(&path).unwrap().1, Reach { order: 7, at });
        flip(3);
        assert!(matches!(Mark::open(&path), Err(JournalError::Damaged(_))));
    }
}
