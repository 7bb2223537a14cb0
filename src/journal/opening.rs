//! Opening a folder: what is in the index is taken as it is, what came after is read again, and nothing is guessed.
//!
//! A hole, a checksum that is wrong, or an end that the mark knows to be lost: the folder is refused.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::embedded::Settings;
use super::folder::Folder;
use super::mark::{Mark, Reach};
use super::record::{self, Booked, Kind};
use super::sealed::{sealed, unsealed};
use super::states;
use super::store::{Changes, Store, Tree, damaged};
use super::tail::{Due, Place, Tail};
use super::{JournalError, block, kept};
use crate::domain::id::Id;
use crate::env::Fate;

/// Where the journal's own notes are.
const NOTES_KEY: &[u8] = b"checkpoint";

/// The form of the notes.
const NOTES_FORM: u8 = 1;

/// The journal's own notes, as of its latest checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// All records up to this order are in the index, and in the ledger's state.
    pub checkpoint: u64,
    /// The number of the block that ends there, when it was written.
    pub checkpoint_block: u64,
    /// The first record that is kept.
    pub floor: u64,
    /// The number of the block before which no records are kept.
    pub floor_block: u64,
    /// The number of the next shop.
    pub next_shop: u64,
    /// The generation of the ledger's state; 0 where there is none.
    pub ledger: u64,
    /// Blocks up to this number have been looked at for merging.
    pub merged: u64,
}

impl Notes {
    /// Those of an empty journal.
    pub const EMPTY: Notes = Notes {
        checkpoint: 0,
        checkpoint_block: 0,
        floor: 1,
        floor_block: 0,
        next_shop: 1,
        ledger: 0,
        merged: 0,
    };

    /// Reads them; those of an empty journal where there are none.
    pub fn read(store: &Store) -> Result<Notes, JournalError> {
        match store.get(Tree::Notes, NOTES_KEY)? {
            Some(value) => unsealed(&value, "the note of the latest checkpoint")?.only(),
            None => Ok(Notes::EMPTY),
        }
    }

    /// Writes them.
    pub fn write(&self, store: &Store) -> Result<(), JournalError> {
        let mut changes = Changes::default();
        changes.set(NOTES_KEY, sealed(NOTES_FORM, self));
        store.apply(Tree::Notes, changes)
    }
}

/// The key of a part of the ledger's state.
pub fn ledger_key(generation: u64, part: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&generation.to_be_bytes());
    key[8..].copy_from_slice(&part.to_be_bytes());
    key
}

/// What was found in a folder.
pub struct Found {
    /// The folder.
    pub folder: Folder,
    /// Its store.
    pub store: Store,
    /// Its mark.
    pub mark: Mark,
    /// How far its records reach.
    pub reach: Reach,
    /// As of the latest checkpoint.
    pub notes: Notes,
    /// The number of the block that ends with the last record.
    pub last_block: u64,
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

/// Takes the folder and reads what the next start has to know.
pub fn open(settings: &Settings, fate: &Arc<dyn Fate>) -> Result<Found, JournalError> {
    let folder = Folder::take(&settings.data, settings.ballast_bytes)?;
    let store = Store::open(&folder.store_path(), settings, fate)?;
    // What was written before the first mark was never acknowledged.
    let new = store.last(Tree::Journal)?.is_none() && !folder.path().join("mark").exists();
    let (mark, marked) = folder.mark(new)?;
    folder.made()?;
    let notes = Notes::read(&store)?;
    let mut found = Found {
        kept: kept::count(&store)?,
        ledger: read_ledger(&store, &notes)?,
        folder,
        store,
        mark,
        reach: Reach::NOWHERE,
        last_block: notes.checkpoint_block,
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

fn read_ledger(store: &Store, notes: &Notes) -> Result<Option<Vec<u8>>, JournalError> {
    if notes.ledger == 0 {
        return Ok(None);
    }
    let key = |part| ledger_key(notes.ledger, part);
    states::read_parts(store, Tree::Ledger, key, "the state of the ledger").map(Some)
}

impl Found {
    /// The record of the checkpoint must be there, and be the last of its block.
    fn read_checkpoint(&mut self) -> Result<(), JournalError> {
        let order = self.notes.checkpoint;
        if order < self.notes.floor {
            self.reach.order = order;
            return Ok(());
        }
        let block = block::holding(&self.store, self.notes.checkpoint_block)?;
        let mut last = None;
        block.each(|_, body| {
            last = Some(body.to_vec());
            Ok(true)
        })?;
        if let (Some(body), true) = (last, block.end() == order + 1) {
            let at = record::read(block.form, &body, order)?.at;
            self.reach = Reach { order, at };
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
        let (mut names, mut heads) = (Changes::default(), Changes::default());
        let (tails, dead, booked) = (&mut self.tails, &mut self.dead, &mut self.booked);
        let notes = &mut self.notes;
        block::scan(
            &self.store,
            self.last_block + 1,
            &mut |number| torn.push(number),
            |block| {
                if block.first != reach.order + 1 {
                    let (from, to) = (reach.order + 1, block.first - 1);
                    return Err(damaged(&format!(
                        "records {from} to {to} are missing from the journal"
                    )));
                }
                last_block = block.number;
                block.records(|record| {
                    let order = record.order;
                    reach = Reach {
                        order,
                        at: record.at,
                    };
                    let place = Place {
                        n: record.n,
                        order,
                        block: block.number,
                        seq_before: record.seq_before,
                        rated: record.rated,
                    };
                    match record.kind {
                        Kind::Removed => {
                            tails.remove(&record.shop);
                            dead.push(record.shop);
                            names.remove(record.shop_id.as_ref().map_or(b"", |id| id.as_bytes()));
                            heads.remove(&states::head_key(record.shop));
                            return Ok(true);
                        }
                        Kind::Created => {
                            notes.next_shop = notes.next_shop.max(record.shop + 1);
                            if let Some(id) = &record.shop_id {
                                states::write_name(id, record.shop, &mut names);
                            }
                        }
                        Kind::Event | Kind::Malformed => {}
                    }
                    let tail = tails.entry(record.shop).or_default();
                    if let Some(last) = tail.places.last()
                        && last.n + 1 != place.n
                    {
                        let (shop, n) = (record.shop, last.n + 1);
                        return Err(damaged(&format!(
                            "record {n} of shop {shop} is missing from the journal"
                        )));
                    }
                    tail.places.push(place);
                    tail.due = match block.form {
                        1 => Due::Unknown,
                        _ => Due::Known(record.due),
                    };
                    if let Some(id) = record.shop_id {
                        booked.extend(record.booked.into_iter().map(|place| (id.clone(), place)));
                        tail.id = Some(id);
                    }
                    Ok(true)
                })?;
                Ok(true)
            },
        )?;
        (self.reach, self.last_block) = (reach, last_block);
        self.store.apply(Tree::Names, names)?;
        self.store.apply(Tree::Heads, heads)?;
        for number in torn {
            self.drop_from(number)?;
        }
        (self.next_block, self.laid_until) = block::ends(&self.store)?;
        self.store.sync()
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
