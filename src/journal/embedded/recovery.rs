//! Recovery of a folder: what is in the index is taken as it is, what came after is read again, and nothing is guessed.
//!
//! A hole, a checksum that is wrong, or an end that the mark knows to be lost: the folder is refused.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::block::Block;
use super::checkpoint_notes::{CheckpointNotes, ledger_key};
use super::data_dir::{DataDir, DataDirState};
use super::deletion::Removal;
use super::folder_id::FolderId;
use super::record_index::{DueChange, RecordLocation, Tail};
use super::settings::JournalSettings;
use super::snapshots;
use super::store::{Changes, Store, Tree};
use super::store_switch;
use super::watermark::{HighWaterMark, Watermark, WatermarkState};
use super::{block, metadata};
use crate::domain::base::id::Id;
use crate::env::{Env, Fate};
use crate::journal::JournalError;
use crate::journal::error::damaged;
use crate::journal::record::{self, Booked, Record, RecordKind};

/// What was found in a store and beside it.
pub struct RecoveredStore {
    /// The store.
    pub store: Store,
    /// What the mark says.
    pub marked: WatermarkState,
    /// The folder that the store belongs to; nothing in a store of form 1.
    pub id: Option<FolderId>,
    /// How far its records reach.
    pub reach: HighWaterMark,
    /// As of the latest checkpoint.
    pub notes: CheckpointNotes,
    /// The number of the block that ends with the last record.
    pub last_block: u64,
    /// The number of the first block that holds a record after the checkpoint.
    tail_block: u64,
    /// The number of the next block.
    pub next_block: u64,
    /// Keys of blocks are laid up to this number.
    pub laid_until: u64,
    /// Where the records since then stand, by shop.
    pub tails: HashMap<u64, Tail>,
    /// Shops that were taken away since then.
    pub dead: Vec<u64>,
    /// In how many commits something was kept for another room.
    pub kept: u32,
    /// The ledger's state of the checkpoint.
    pub ledger: Option<Vec<u8>>,
    /// What was booked since then.
    pub booked: Vec<(Id, Booked)>,
}

/// Takes the folder and reads what it holds, in the form that it has. The folder stays of that form.
pub fn inspect(settings: &JournalSettings) -> Result<(DataDir, RecoveredStore), JournalError> {
    let fate = &Env::real().fate;
    let folder = DataDir::take(&settings.data, settings.ballast_bytes)?;
    match folder.stage(settings, fate)? {
        DataDirState::New => make(&folder, settings, fate)?,
        DataDirState::Made(form) => store_switch::finish(&folder, form)?,
    }
    let found = read(&folder.store_path(), &folder.mark_path(), (settings, fate))?;
    Ok((folder, found))
}

/// A first start: nothing is acknowledged before the last step of it.
pub(super) fn make(
    folder: &DataDir,
    settings: &JournalSettings,
    fate: &Arc<dyn Fate>,
) -> Result<(), JournalError> {
    let store = Store::open(&folder.store_path(), settings, fate)?;
    let id = FolderId::new();
    id.write(&store)?;
    store.sync()?;
    store.opened();
    drop(store);
    let mark = Watermark::create(&folder.mark_path(), id, HighWaterMark::NOWHERE, 0);
    mark.map_err(|error| JournalError::Failed(format!("the mark cannot be made: {error}")))?;
    folder.sync()?;
    folder.made()
}

/// Reads a store and its mark, and holds them against each other.
pub fn read(
    store: &Path,
    mark: &Path,
    (settings, fate): (&JournalSettings, &Arc<dyn Fate>),
) -> Result<RecoveredStore, JournalError> {
    if !store.exists() {
        return Err(damaged(&format!("{} is missing", store.display())));
    }
    let marked = Watermark::read(mark)?;
    let store = Store::open(store, settings, fate)?;
    let id = FolderId::of_store(&store)?;
    // The mark of a folder that is being converted in place is the first that has the new id.
    if id.is_some() && id != marked.folder {
        return Err(damaged(
            "`mark` and `store` are of different folders: put back the ones that belong together",
        ));
    }
    let notes = CheckpointNotes::read(&store)?;
    let mut found = RecoveredStore {
        marked,
        id,
        kept: metadata::count(&store)?,
        ledger: read_ledger(&store, &notes)?,
        store,
        reach: HighWaterMark::NOWHERE,
        last_block: notes.checkpoint_block,
        tail_block: notes.checkpoint_block + 1,
        next_block: 0,
        laid_until: 0,
        notes,
        tails: HashMap::new(),
        dead: Vec::new(),
        booked: Vec::new(),
    };
    found.read_checkpoint()?;
    found.read_tail()?;
    if found.reach.order < marked.reach.order {
        let (lost, known) = (found.reach.order + 1, marked.reach.order);
        return Err(damaged(&format!(
            "records {lost} to {known} were acknowledged, and are missing at the end of the journal"
        )));
    }
    if (found.kept.wrapping_sub(marked.kept) as i32) < 0 {
        return Err(damaged(
            "webhooks or leases that were acknowledged are missing at the end of the store",
        ));
    }
    if !found.reach.at.of_an_event() {
        // No record is left, or its instant is of no year that is served.
        found.reach.at = marked.reach.at;
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
    /// The record of the checkpoint must be there, and be the last of its block.
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
                // Release 0.1 merged it with blocks after it before the notes named another: a power cut between the
                // two left them so.
                self.tail_block = block.number;
            }
            return Ok(());
        }
        Err(damaged(&format!(
            "record {order} is not where the checkpoint says"
        )))
    }

    /// What came after the checkpoint.
    fn read_tail(&mut self) -> Result<(), JournalError> {
        let mut torn = Vec::new();
        let (mut reach, mut last_block) = (self.reach, self.last_block);
        let mut since = Since::default();
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
                    take_place(tails.entry(record.shop).or_default(), &record, &block)?;
                    if let Some(id) = record.shop_id {
                        booked.extend(record.booked.into_iter().map(|place| (id.clone(), place)));
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
        self.take_away(since)?;
        for number in torn {
            self.drop_from(number)?;
        }
        (self.next_block, self.laid_until) = block::ends(&self.store)?;
        self.store.sync()
    }

    /// Names of shops that came to be, and what is left of those that were taken away.
    fn take_away(&mut self, since: Since) -> Result<(), JournalError> {
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
            self.dead.push(number);
        }
        removal.apply(&self.store)
    }

    /// Takes a last block away that was being written when the process died.
    fn drop_from(&self, number: u64) -> Result<(), JournalError> {
        let mut changes = Changes::default();
        self.store
            .scan(Tree::Journal, &block::key(number, 0), |at, _| {
                changes.remove(at);
                Ok(true)
            })?;
        self.store.apply(Tree::Journal, changes)
    }
}

/// Which shops came to be since the checkpoint, and which were taken away.
#[derive(Default)]
struct Since {
    created: Vec<(u64, Id)>,
    /// With its id, where the record or an earlier one names it.
    removed: BTreeMap<u64, Option<Id>>,
}

impl Since {
    fn note(&mut self, record: &Record) {
        match record.kind {
            RecordKind::Created => {
                let id = record.shop_id.clone();
                self.created.extend(id.map(|id| (record.shop, id)));
            }
            RecordKind::Removed => {
                self.removed.insert(record.shop, record.shop_id.clone());
            }
            // Release 0.1 could go on with a shop whose deletion it had not acknowledged.
            RecordKind::Event | RecordKind::Malformed => drop(self.removed.remove(&record.shop)),
        }
    }
}

fn take_place(tail: &mut Tail, record: &Record, block: &Block) -> Result<(), JournalError> {
    if let Some(last) = tail.places.last()
        && last.n + 1 != record.n
    {
        let (shop, n) = (record.shop, last.n + 1);
        return Err(damaged(&format!(
            "record {n} of shop {shop} is missing from the journal"
        )));
    }
    tail.places.push(RecordLocation {
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
