//! The watermark, the file `mark`: how far the journal reaches, and how many commits changed metadata. It is outside
//! of the store, so that a lost end is noticed.
//!
//! It is written after every commit, so it is at or behind the truth. Two slots are written in turn, and one that
//! fails its checksum is ignored. It is not synced with every commit: a power cut may set it back, which makes it
//! weaker, never wrong.
//!
//! A slot of form 2 also holds the id of the folder. Form 1, of release 0.1, is read for ever and replaced when the
//! folder is converted.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::folder_id::{FolderId, ID_BYTES};
use super::ranked_lock::{LockRank, RankedMutex};
use crate::domain::base::time::Instant;
use crate::journal::JournalError;
use crate::journal::error::disk_failed;

const SLOT_BYTES: usize = 48;

/// Bytes of a slot of form 1.
const SLOT_BYTES_1: usize = 32;

/// How far the journal reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HighWaterMark {
    /// The order of the last durable record; 0 where there is none.
    pub order: u64,
    /// The instant of that record.
    pub at: Instant,
}

impl HighWaterMark {
    /// The watermark of an empty journal.
    pub const NOWHERE: HighWaterMark = HighWaterMark {
        order: 0,
        at: Instant::from_ms(0),
    };
}

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatermarkState {
    /// How far the records reach.
    pub reach: HighWaterMark,
    /// How many commits changed metadata, modulo 2^32.
    pub metadata_commits: u32,
    /// The id of the folder; `None` in form 1.
    pub folder: Option<FolderId>,
}

/// The open file.
pub struct Watermark {
    file: File,
    folder: FolderId,
    writes: AtomicU64,
    /// What the file says.
    last: RankedMutex<WatermarkState>,
}

fn slot(watermark: WatermarkState, folder: FolderId) -> [u8; SLOT_BYTES] {
    let WatermarkState {
        reach,
        metadata_commits,
        ..
    } = watermark;
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(b"xiaoer\0\x02");
    slot[8..16].copy_from_slice(&reach.order.to_be_bytes());
    slot[16..24].copy_from_slice(&reach.at.ms().to_be_bytes());
    slot[24..28].copy_from_slice(&metadata_commits.to_be_bytes());
    slot[28..44].copy_from_slice(&folder.0);
    let sum = crc32fast::hash(&slot[..44]);
    slot[44..].copy_from_slice(&sum.to_be_bytes());
    slot
}

/// Reads a slot of either form; `None` where it is damaged.
fn read_slot(bytes: &[u8]) -> Option<WatermarkState> {
    let (body, sum) = bytes.split_last_chunk::<4>()?;
    let right = crc32fast::hash(body) == u32::from_be_bytes(*sum);
    let folder = match (body.strip_prefix(b"xiaoer\0")?.first()?, body.len()) {
        (1, 28) => None,
        (2, 44) => Some(FolderId(*body[28..].first_chunk::<ID_BYTES>()?)),
        _ => return None,
    };
    let order = u64::from_be_bytes(*body[8..].first_chunk()?);
    let at_ms = i64::from_be_bytes(*body[16..].first_chunk()?);
    let watermark = WatermarkState {
        reach: HighWaterMark {
            order,
            at: Instant::from_ms(at_ms),
        },
        metadata_commits: u32::from_be_bytes(*body[24..].first_chunk()?),
        folder,
    };
    right.then_some(watermark)
}

/// The later one of two slots: neither number ever decreases.
fn read_slots(bytes: &[u8]) -> Option<WatermarkState> {
    let slot_bytes = match bytes.len() {
        length if length == 2 * SLOT_BYTES => SLOT_BYTES,
        length if length == 2 * SLOT_BYTES_1 => SLOT_BYTES_1,
        _ => return None,
    };
    let slots = bytes.chunks_exact(slot_bytes).filter_map(read_slot);
    slots.max_by_key(|watermark| (watermark.reach.order, watermark.metadata_commits))
}

impl Watermark {
    /// Makes the file, durable, in place of an earlier one. The caller syncs the folder.
    pub fn create(
        path: &Path,
        folder: FolderId,
        reach: HighWaterMark,
        metadata_commits: u32,
    ) -> io::Result<Watermark> {
        let new = path.with_extension("new");
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&new)?;
        let watermark = WatermarkState {
            reach,
            metadata_commits,
            folder: Some(folder),
        };
        let slot = slot(watermark, folder);
        file.write_all_at(&[slot, slot].concat(), 0)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        Ok(Watermark {
            file,
            folder,
            writes: AtomicU64::new(0),
            last: RankedMutex::new(LockRank::Watermark, watermark),
        })
    }

    /// Reads the file without changing it.
    pub fn read(path: &Path) -> Result<WatermarkState, JournalError> {
        let lost = || {
            JournalError::Damaged(format!(
                "{}, which says how far the journal reaches, is missing or damaged. The records may all be there. \
                 Nothing was changed. Put the file back if you have it elsewhere; `xiaoer export --salvage --data \
                 FOLDER` writes all \
                 records that can be read, without it",
                path.display()
            ))
        };
        match std::fs::read(path) {
            Ok(bytes) => read_slots(&bytes).ok_or_else(lost),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(lost()),
            // An unreadable disk has not lost the file.
            Err(error) => Err(disk_failed("the file `mark`", &error)),
        }
    }

    /// Opens the file of a folder for writing.
    pub fn open(path: &Path, folder: FolderId) -> Result<Watermark, JournalError> {
        let watermark = Watermark::read(path)?;
        let file = File::options().read(true).write(true).open(path);
        let file = file.map_err(|error| disk_failed("the file `mark`", &error))?;
        Ok(Watermark {
            file,
            folder,
            writes: AtomicU64::new(0),
            last: RankedMutex::new(LockRank::Watermark, watermark),
        })
    }

    /// Sets how far the journal reaches, and how many commits changed metadata; `None` keeps the value.
    pub fn set(
        &self,
        reach: Option<HighWaterMark>,
        metadata_commits: Option<u32>,
    ) -> io::Result<()> {
        let mut last = self.last.lock();
        *last = WatermarkState {
            reach: reach.unwrap_or(last.reach),
            metadata_commits: metadata_commits.unwrap_or(last.metadata_commits),
            folder: Some(self.folder),
        };
        let turn = self.writes.fetch_add(1, Ordering::Relaxed) % 2;
        self.file
            .write_all_at(&slot(*last, self.folder), turn * SLOT_BYTES as u64)
    }

    /// How far the journal reaches.
    pub fn reach(&self) -> HighWaterMark {
        let last = self.last.lock();
        last.reach
    }

    /// Syncs the file.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// Where a commit ended.
#[derive(Clone, Copy)]
pub(super) struct CommitEnd {
    /// The order of its last record.
    pub(super) order: u64,
    /// The number of its last block.
    pub(super) block: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: FolderId = FolderId([7; ID_BYTES]);

    fn watermark(order: u64, metadata_commits: u32) -> WatermarkState {
        WatermarkState {
            reach: HighWaterMark {
                order,
                at: Instant::from_ms(1_000_000),
            },
            metadata_commits,
            folder: Some(FOLDER),
        }
    }

    #[test]
    fn one_damaged_slot_is_passed_over_and_two_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mark");
        let at = Instant::from_ms(1_000_000);
        let mark = Watermark::create(&path, FOLDER, HighWaterMark::NOWHERE, 0).unwrap();
        mark.set(Some(HighWaterMark { order: 7, at }), None)
            .unwrap();
        mark.set(Some(HighWaterMark { order: 8, at }), Some(3))
            .unwrap();
        assert_eq!(Watermark::read(&path).unwrap(), watermark(8, 3));
        mark.set(None, Some(4)).unwrap();
        assert_eq!(Watermark::read(&path).unwrap(), watermark(8, 4));
        mark.set(Some(HighWaterMark { order: 9, at }), None)
            .unwrap();
        let flip = |place: usize| {
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[place] ^= 1;
            std::fs::write(&path, bytes).unwrap();
        };
        flip(SLOT_BYTES + 26);
        assert_eq!(Watermark::read(&path).unwrap(), watermark(8, 4));
        flip(3);
        assert!(matches!(
            Watermark::read(&path),
            Err(JournalError::Damaged(_))
        ));
    }

    #[test]
    fn form_1_is_read_for_ever() {
        // As release 0.1 wrote it: order 9, 2026-11-27T00:00:00Z, metadata_commits 2.
        let mut slot = b"xiaoer\0\x01".to_vec();
        slot.extend(9u64.to_be_bytes());
        slot.extend(1_795_737_600_000i64.to_be_bytes());
        slot.extend(2u32.to_be_bytes());
        slot.extend(crc32fast::hash(&slot).to_be_bytes());
        assert_eq!(slot.len(), SLOT_BYTES_1);
        let read = read_slots(&[slot.clone(), slot].concat()).unwrap();
        let reach = HighWaterMark {
            order: 9,
            at: Instant::from_ms(1_795_737_600_000),
        };
        let folder = None;
        assert_eq!(
            read,
            WatermarkState {
                reach,
                metadata_commits: 2,
                folder
            }
        );
    }
}
