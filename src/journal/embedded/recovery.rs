//! Recovery of a folder: indexed records are taken as they are, and later records are read again.
//!
//! A folder with a gap, a wrong checksum, or a lost end that the file `mark` knows of is refused. Nothing is guessed.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::block::Block;
use super::checkpoint_record::{CheckpointNotes, ledger_key};
use super::data_dir::{DataDir, DataDirState};
use super::deletion::Removal;
use super::folder_id::FolderId;
use super::record_index::{DueChange, RecordLocation, Tail};
use super::settings::JournalSettings;
use super::snapshots;
use super::store::{Changes, Store, Tree};
use super::store_switch;
use super::watermark::{HighWaterMark, Watermark, WatermarkState};
use super::{block, shop_metadata};
use crate::domain::base::id::Id;
use crate::env::{Env, FailStop};
use crate::journal::JournalError;
use crate::journal::error::damaged;
use crate::journal::record::{self, Booked, Record, RecordKind};

/// The result of recovery.
pub struct RecoveredStore {
    /// The store.
    pub store: Store,
    /// What the file `mark` says.
    pub watermark: WatermarkState,
    /// The id of the folder in the store; `None` in a store of form 1.
    pub id: Option<FolderId>,
    /// How far the records reach.
    pub reach: HighWaterMark,
    /// The notes of the latest checkpoint.
    pub notes: CheckpointNotes,
    /// The number of the block that ends with the last record.
    pub last_block: u64,
    /// The number of the first block that holds a record after the checkpoint.
    tail_block: u64,
    /// The number of the next block.
    pub next_block: u64,
    /// The number up to which block keys are preallocated.
    pub preallocated_until: u64,
    /// Locations of records since the checkpoint, by shop.
    pub tails: HashMap<u64, Tail>,
    /// Shops that were deleted since the checkpoint.
    pub deleted_shops: Vec<u64>,
    /// How many commits changed metadata.
    pub metadata_commits: u32,
    /// The ledger's state as of the checkpoint.
    pub ledger: Option<Vec<u8>>,
    /// Bookings since the checkpoint.
    pub booked: Vec<(Id, Booked)>,
}

/// Locks the folder and reads it in the form that it has. It is not converted.
pub fn inspect(settings: &JournalSettings) -> Result<(DataDir, RecoveredStore), JournalError> {
    let fail_stop = &Env::real().fail_stop;
    let folder = DataDir::take(&settings.data, settings.ballast_bytes)?;
    match folder.prepare(settings, fail_stop)? {
        DataDirState::New => make(&folder, settings, fail_stop)?,
        DataDirState::Made(form) => store_switch::finish(&folder, form)?,
    }
    let found = read(
        &folder.store_path(),
        &folder.watermark_path(),
        (settings, fail_stop),
    )?;
    Ok((folder, found))
}

/// Makes an empty folder. Nothing is acknowledged before the last step.
pub(super) fn make(
    folder: &DataDir,
    settings: &JournalSettings,
    fail_stop: &Arc<dyn FailStop>,
) -> Result<(), JournalError> {
    let store = Store::open(&folder.store_path(), settings, fail_stop)?;
    let id = FolderId::new();
    id.write(&store)?;
    store.sync()?;
    store.opened();
    drop(store);
    let watermark = Watermark::create(&folder.watermark_path(), id, HighWaterMark::NOWHERE, 0);
    watermark.map_err(|error| {
        JournalError::Failed(format!("the file `mark` cannot be made: {error}"))
    })?;
    folder.sync()?;
    folder.made()
}

/// Reads a store and its watermark, and checks them against each other.
pub fn read(
    store: &Path,
    watermark: &Path,
    (settings, fail_stop): (&JournalSettings, &Arc<dyn FailStop>),
) -> Result<RecoveredStore, JournalError> {
    if !store.exists() {
        return Err(damaged(&format!("{} is missing", store.display())));
    }
    let watermark = Watermark::read(watermark)?;
    let store = Store::open(store, settings, fail_stop)?;
    let id = FolderId::of_store(&store)?;
    // A folder that is converted in place has the new id in its watermark first.
    if id.is_some() && id != watermark.folder {
        return Err(damaged(
            "`mark` and `store` are of different folders: put back the ones that belong together",
        ));
    }
    let notes = CheckpointNotes::read(&store)?;
    let mut found = RecoveredStore {
        watermark,
        id,
        metadata_commits: shop_metadata::count(&store)?,
        ledger: read_ledger(&store, &notes)?,
        store,
        reach: HighWaterMark::NOWHERE,
        last_block: notes.checkpoint_block,
        tail_block: notes.checkpoint_block + 1,
        next_block: 0,
        preallocated_until: 0,
        notes,
        tails: HashMap::new(),
        deleted_shops: Vec::new(),
        booked: Vec::new(),
    };
    found.read_checkpoint()?;
    found.read_tail()?;
    if found.reach.order < watermark.reach.order {
        let (lost, known) = (found.reach.order + 1, watermark.reach.order);
        return Err(damaged(&format!(
            "records {lost} to {known} were acknowledged, and are missing at the end of the journal"
        )));
    }
    if (found
        .metadata_commits
        .wrapping_sub(watermark.metadata_commits) as i32)
        < 0
    {
        return Err(damaged(
            "changes of webhooks or leases were acknowledged, and are missing at the end of the store",
        ));
    }
    if !found.reach.at.of_an_event() {
        // There is no record, or its instant is outside of the years that are served.
        found.reach.at = watermark.reach.at;
    }
    found.store.opened();
    Ok(found)
}

fn read_ledger(store: &Store, notes: &CheckpointNotes) -> Result<Option<Vec<u8>>, JournalError> {
    if notes.ledger == 0 {
        return Ok(None);
    }
    let key = |part| ledger_key(notes.ledger, part);
    snapshots::read_parts(store, Tree::Ledger, key, "the state of the ledger").map(Some)
}

impl RecoveredStore {
    /// The record of the checkpoint must exist, and be the last of its block.
    fn read_checkpoint(&mut self) -> Result<(), JournalError> {
        let order = self.notes.checkpoint;
        if order < self.notes.floor {
            self.reach.order = order;
            return Ok(());
        }
        let block = block::holding(&self.store, self.notes.checkpoint_block)?;
        let mut at = None;
        block.each(|number, body| {
            if number == order {
                at = Some(record::read(block.form, body, order)?.at);
            }
            Ok(at.is_none())
        })?;
        if let Some(at) = at {
            self.reach = HighWaterMark { order, at };
            if block.end() > order + 1 {
                // Release 0.1 merged this block with later ones before it stored notes that name another. A power cut
                // between the two left this.
                self.tail_block = block.number;
            }
            return Ok(());
        }
        Err(damaged(&format!(
            "record {order} is not in the block that the checkpoint names"
        )))
    }

    /// Reads the records after the checkpoint.
    fn read_tail(&mut self) -> Result<(), JournalError> {
        let mut torn = Vec::new();
        let (mut reach, mut last_block) = (self.reach, self.last_block);
        let mut since = ShopChanges::default();
        let (tails, booked) = (&mut self.tails, &mut self.booked);
        let tail_block = self.tail_block;
        block::scan(
            &self.store,
            tail_block,
            &mut |number| torn.push(number),
            |block| {
                let merged = block.number == tail_block && block.first <= reach.order;
                if block.first != reach.order + 1 && !merged {
                    let (from, to) = (reach.order + 1, block.first - 1);
                    return Err(damaged(&format!(
                        "records {from} to {to} are missing from the journal"
                    )));
                }
                last_block = block.number;
                block.records(|record| {
                    if record.order <= reach.order {
                        return Ok(true);
                    }
                    reach = HighWaterMark {
                        order: record.order,
                        at: record.at,
                    };
                    since.note(&record);
                    if record.kind == RecordKind::Removed {
                        return Ok(true);
                    }
                    add_location(tails.entry(record.shop).or_default(), &record, &block)?;
                    if let Some(id) = record.shop_id {
                        booked.extend(
                            record
                                .booked
                                .into_iter()
                                .map(|location| (id.clone(), location)),
                        );
                    }
                    Ok(true)
                })?;
                Ok(true)
            },
        )?;
        (self.reach, self.last_block) = (reach, last_block);
        for (&shop, tail) in &mut self.tails {
            tail.skip_indexed(shop, &self.store)?;
        }
        self.apply_removals(since)?;
        for number in torn {
            self.drop_torn_block(number)?;
        }
        (self.next_block, self.preallocated_until) = block::ends(&self.store)?;
        self.store.sync()
    }

    /// Writes the names of new shops, and removes what is left of deleted ones.
    fn apply_removals(&mut self, since: ShopChanges) -> Result<(), JournalError> {
        let mut names = Changes::default();
        for (number, id) in &since.created {
            self.notes.next_shop = self.notes.next_shop.max(number + 1);
            if !since.removed.contains_key(number) {
                snapshots::write_name(id, *number, &mut names);
            }
        }
        self.store.apply(Tree::Names, names)?;
        let mut removal = Removal::default();
        let nameless = since.removed.values().any(Option::is_none);
        let known = if nameless {
            snapshots::names(&self.store)?
        } else {
            HashMap::new()
        };
        for (number, id) in since.removed {
            let of_tail = self.tails.remove(&number).and_then(|tail| tail.id);
            let id = id.or(of_tail).or_else(|| known.get(&number).cloned());
            removal.add(&self.store, number, id.as_ref())?;
            self.deleted_shops.push(number);
        }
        removal.apply(&self.store)
    }

    /// Removes the last block, which was being written when the process died.
    fn drop_torn_block(&self, number: u64) -> Result<(), JournalError> {
        let mut changes = Changes::default();
        self.store
            .scan(Tree::Journal, &block::key(number, 0), |at, _| {
                changes.remove(at);
                Ok(true)
            })?;
        self.store.apply(Tree::Journal, changes)
    }
}

/// Shops that were created and deleted since the checkpoint.
#[derive(Default)]
struct ShopChanges {
    created: Vec<(u64, Id)>,
    /// With the id, where this record or an earlier one names it.
    removed: BTreeMap<u64, Option<Id>>,
}

impl ShopChanges {
    fn note(&mut self, record: &Record) {
        match record.kind {
            RecordKind::Created => {
                let id = record.shop_id.clone();
                self.created.extend(id.map(|id| (record.shop, id)));
            }
            RecordKind::Removed => {
                self.removed.insert(record.shop, record.shop_id.clone());
            }
            // In release 0.1 a shop could go on after a deletion that was not acknowledged.
            RecordKind::Event | RecordKind::Malformed => drop(self.removed.remove(&record.shop)),
        }
    }
}

fn add_location(tail: &mut Tail, record: &Record, block: &Block) -> Result<(), JournalError> {
    if let Some(last) = tail.locations.last()
        && last.n + 1 != record.n
    {
        let (shop, n) = (record.shop, last.n + 1);
        return Err(damaged(&format!(
            "record {n} of shop {shop} is missing from the journal"
        )));
    }
    tail.locations.push(RecordLocation {
        n: record.n,
        order: record.order,
        block: block.number,
        seq_before: record.seq_before,
        rated: record.rated,
    });
    tail.due = match block.form {
        1 => DueChange::Unknown,
        _ => DueChange::Known(record.due),
    };
    if record.shop_id.is_some() {
        tail.id.clone_from(&record.shop_id);
    }
    Ok(())
}
