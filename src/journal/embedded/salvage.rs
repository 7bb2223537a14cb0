//! Salvage: reads what can be read of a store that cannot be opened, or whose journal has a gap.
//!
//! The store's log holds every value in one piece, after its length. So blocks are found without the store: wherever a
//! length is followed by a block header whose checksum over that many bytes is right. A block that was written twice,
//! or merged, is read once, because every record has its order.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::block;
use super::data_dir::DataDir;
use super::settings::JournalSettings;
use super::store::VALUE_BYTES_MAX;
use super::watermark::Watermark;
use crate::domain::base::id::Id;
use crate::journal::JournalError;
use crate::journal::record::{Record, RecordKind};

/// Bytes that are searched at once.
const WINDOW_BYTES: usize = 8 * 1024 * 1024;

/// Bytes that are read beyond the window, so that a value that begins in the window is complete.
const OVERLAP_BYTES: usize = VALUE_BYTES_MAX + 16;

/// Where a part of a block lies in the file.
#[derive(Clone, Copy)]
struct FileRange {
    offset: u64,
    length: usize,
}

/// The parts of one written block: how many there are, and those that were found.
#[derive(Default)]
struct Found {
    parts: u16,
    at: BTreeMap<u16, FileRange>,
}

/// Lost records: the first and the last number.
pub type Lost = (u64, u64);

/// The result for one shop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedShop {
    /// Records that were written out.
    pub records: u64,
    /// Lost records, from `n` to `n`. The first ones may have been dropped by retention.
    pub lost: Vec<Lost>,
}

/// The result of a salvage.
#[derive(Debug, Default)]
pub struct Salvaged {
    /// By shop, without deleted shops.
    pub shops: BTreeMap<Id, SavedShop>,
    /// Lost records of the whole journal, by order. Those at its beginning may have been dropped by retention; those
    /// at its end are known only where the file `mark` can be read.
    pub lost: Vec<Lost>,
}

/// Gives every record that can be read, in order, with the id of its shop. Records of deleted shops are left out. A
/// record of release 0.1 whose shop is unknown has the id `shop-NUMBER`.
///
/// # Errors
///
/// The folder is in use or has no store, a file cannot be read, or `each` fails.
pub fn salvage(
    settings: &JournalSettings,
    mut each: impl FnMut(&Id, Record) -> Result<(), JournalError>,
) -> Result<Salvaged, JournalError> {
    let folder = DataDir::take(&settings.data, 0)?;
    let path = folder.store_path().join("db");
    let failed = |error: io::Error| {
        JournalError::Failed(format!("{} cannot be read: {error}", path.display()))
    };
    let file = File::open(&path).map_err(failed)?;
    let blocks = find(&file).map_err(failed)?;
    let known = KnownShop::of(&file, &blocks).map_err(failed)?;
    let (mut salvaged, mut next) = (Salvaged::default(), 1);
    let mut last: HashMap<u64, u64> = HashMap::new();
    read(&file, &blocks, &mut |record| {
        if record.order > next {
            salvaged.lost.push((next, record.order - 1));
        }
        next = record.order + 1;
        let n = last.insert(record.shop, record.n);
        if known.deleted(record.shop) || record.kind == RecordKind::Removed {
            return Ok(());
        }
        let id = known.id(record.shop);
        let shop = salvaged.shops.entry(id.clone()).or_default();
        let expected = n.map_or(1, |n| n + 1);
        if record.n > expected {
            shop.lost.push((expected, record.n - 1));
        }
        shop.records += 1;
        each(&id, record)
    })
    .map_err(|error| match error {
        SalvageError::Io(error) => failed(error),
        SalvageError::Each(error) => error,
    })?;
    // The file `mark` is outside of the store and knows how far the records reached.
    if let Ok(watermark) = Watermark::read(&folder.watermark_path())
        && watermark.reach.order >= next
    {
        salvaged.lost.push((next, watermark.reach.order));
    }
    Ok(salvaged)
}

/// What the records say about the shops.
#[derive(Default)]
struct KnownShop {
    ids: HashMap<u64, Id>,
    deleted: HashMap<u64, bool>,
}

impl KnownShop {
    fn of(file: &File, blocks: &Blocks) -> io::Result<KnownShop> {
        let mut known = KnownShop::default();
        let read = read(file, blocks, &mut |record| {
            let deleted = record.kind == RecordKind::Removed;
            known.deleted.insert(record.shop, deleted);
            if let Some(id) = record.shop_id {
                known.ids.insert(record.shop, id);
            }
            Ok(())
        });
        match read {
            Ok(()) | Err(SalvageError::Each(_)) => Ok(known),
            Err(SalvageError::Io(error)) => Err(error),
        }
    }

    fn deleted(&self, shop: u64) -> bool {
        self.deleted.get(&shop).is_some_and(|deleted| *deleted)
    }

    fn id(&self, shop: u64) -> Id {
        let named = format!("shop-{shop}");
        let known = self.ids.get(&shop).cloned();
        known
            .or_else(|| Id::new(&named))
            .unwrap_or_else(|| Id::known("shop"))
    }
}

/// Blocks by the order of their first record, number, and count of records.
type Blocks = BTreeMap<(u64, u64, u32), Found>;

/// Finds the parts of all blocks in a file.
fn find(file: &File) -> io::Result<Blocks> {
    let mut blocks = Blocks::new();
    let size = file.metadata()?.len();
    let mut buffer = vec![0; WINDOW_BYTES + OVERLAP_BYTES];
    let mut start = 0;
    while start < size {
        let length = read_up_to(file, start, &mut buffer)?;
        let window = &buffer[..length];
        for place in 0..length.min(WINDOW_BYTES) {
            // A length comes before the header; no block is shorter than its header.
            let Some((header, value_bytes)) = value_at(window, place) else {
                continue;
            };
            let Some(value) = window.get(header..header + value_bytes) else {
                continue;
            };
            if let Some(part) = block::part_of(value)
                && part.count > 0
            {
                let key = (part.first, part.number, part.count);
                let found = blocks.entry(key).or_default();
                found.parts = part.parts;
                let offset = start + header as u64;
                let length = value_bytes;
                found.at.insert(part.part, FileRange { offset, length });
            }
        }
        start += WINDOW_BYTES as u64;
    }
    Ok(blocks)
}

fn read_up_to(file: &File, mut from: u64, mut buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while !buffer.is_empty() {
        match file.read_at(buffer, from)? {
            0 => break,
            read => {
                (length, from) = (length + read, from + read as u64);
                buffer = &mut buffer[read..];
            }
        }
    }
    Ok(length)
}

/// A length at this place, as the store writes it, and where its value begins; `None` where that does not look like a
/// block.
fn value_at(window: &[u8], place: usize) -> Option<(usize, usize)> {
    let at = |by: usize| window.get(place + by).map(|&byte| usize::from(byte));
    let (length, taken) = match at(0)? {
        short @ 0..=240 => (short, 1),
        first @ 241..=248 => (240 + 256 * (first - 241) + at(1)?, 2),
        249 => (2288 + 256 * at(1)? + at(2)?, 3),
        _ => return None,
    };
    let header = place + taken;
    let likely = block::looks_like_a_part(window.get(header..)?);
    (likely && length <= VALUE_BYTES_MAX).then_some((header, length))
}

enum SalvageError {
    Io(io::Error),
    Each(JournalError),
}

/// Gives the records of all complete blocks in order, each order once.
fn read(
    file: &File,
    blocks: &Blocks,
    each: &mut dyn FnMut(Record) -> Result<(), JournalError>,
) -> Result<(), SalvageError> {
    let mut next = 0;
    for (&(first, _, count), found) in blocks {
        let whole = found.at.len() == usize::from(found.parts);
        if !whole || first + u64::from(count) <= next {
            continue;
        }
        let mut values = Vec::new();
        for at in found.at.values() {
            let mut value = vec![0; at.length];
            file.read_exact_at(&mut value, at.offset)
                .map_err(SalvageError::Io)?;
            values.push(value);
        }
        // A block that cannot be read is lost, and shows as a gap.
        let Ok(block) = block::of_parts(&values) else {
            continue;
        };
        let mut failed = None;
        let read = block.records(|record| {
            if record.order >= next {
                next = record.order + 1;
                if let Err(error) = each(record) {
                    failed = Some(error);
                    return Ok(false);
                }
            }
            Ok(true)
        });
        if let Some(error) = failed {
            return Err(SalvageError::Each(error));
        }
        drop(read);
    }
    Ok(())
}
