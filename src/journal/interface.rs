//! The interface of a journal: append with an expected number and an owner's epoch, claim, read, snapshots, metadata.
//!
//! A record is stored whole or not at all. Records of a shop are dense (`n` = 1, 2, 3 …) and so are those of the whole
//! journal (`order`). [`OnDurable`] is called only once the record and all before it would survive a power cut.

use super::error::JournalError;
use super::record::{NewRecord, Record};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;

/// A callback for the moment at which something is durable.
pub type OnDurable = Box<dyn FnOnce() + Send>;

/// Why no record is accepted now. It is checked before an event is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalFull {
    /// Too many bytes wait to be written. Try again.
    Memory,
    /// The disk is nearly full.
    Disk,
}

/// The caller's state is stale: the shop has another owner, or the record is not the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fenced;

/// The right to append to a shop. A later claim of the same shop ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FencingToken {
    /// The shop's number. A shop that is made again gets another one.
    pub shop: u64,
    /// The epoch of the claim: each claim has a higher one.
    pub epoch: u64,
}

/// The result of a claim.
pub struct Claimed {
    /// The right to append to it.
    pub owner: FencingToken,
    /// The latest snapshot, if there is one.
    pub state: Option<Snapshot>,
    /// The records after it, oldest first.
    pub tail: Vec<Record>,
}

/// A snapshot of a shop's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The number of the last record that it includes; 0 before the first.
    pub n: u64,
    /// The shop's `seq` after that record.
    pub seq: u64,
    /// The state, in a form that the journal does not know.
    pub bytes: Vec<u8>,
}

/// A passivated shop that has a timer, or may have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedShop {
    /// The shop's id.
    pub shop: Id,
    /// The instant of its next timer; `None` where only its latest records can tell.
    pub due: Option<Instant>,
}

/// A metadata value of a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataEntry {
    /// The shop's id.
    pub shop: Id,
    /// The name of the value.
    pub name: String,
    /// The value, in a form that the journal does not know.
    pub value: Vec<u8>,
}

/// The records from which a decision is explained.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotAndTail {
    /// A snapshot before the decision; `None` where the records begin with the shop's first one.
    pub state: Option<Snapshot>,
    /// The records from there up to the one that holds the decision.
    pub records: Vec<Record>,
}

/// A page of a shop's records.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordPage {
    /// Records in the order of `n`.
    pub records: Vec<Record>,
    /// Whether there are more.
    pub more: bool,
}

/// A journal, wherever it is stored.
pub trait Journal: Send + Sync + 'static {
    /// Claims a shop: the earlier owner can append no more. Waits until all its records are durable. Returns `None`
    /// where there is no such shop.
    fn claim(&self, shop: &Id) -> Result<Option<Claimed>, JournalError>;

    /// The right to append the first record of a new shop.
    fn create(&self, shop: &Id) -> FencingToken;

    /// Ends ownership, because the shop is passivated.
    fn release(&self, owner: FencingToken);

    /// Appends a record, which must be the shop's next one. `done` is called once it is durable. Returns its order.
    fn append(
        &self,
        owner: FencingToken,
        entry: &NewRecord<'_>,
        done: Option<OnDurable>,
    ) -> Result<u64, Fenced>;

    /// Calls `done` once the record of this order is durable; at once where it already is.
    fn when_durable(&self, order: u64, done: OnDurable);

    /// Stores a snapshot of a shop, after all records that were appended before. `due` is its next timer.
    fn put_snapshot(&self, owner: FencingToken, state: Snapshot, due: Option<Instant>);

    /// Whether a shop exists.
    fn exists(&self, shop: &Id) -> Result<bool, JournalError>;

    /// The number of a shop. A shop that is made again under the same name gets another number. `None` where there is
    /// no such shop.
    fn number(&self, shop: &Id) -> Result<Option<u64>, JournalError>;

    /// Shop ids in order, after one.
    fn shops(&self, after: Option<&Id>, limit: usize) -> Result<Vec<Id>, JournalError>;

    /// At most `limit` records of a shop, from the one that holds decision `seq` on.
    fn read(&self, shop: &Id, seq: u64, limit: usize) -> Result<Option<RecordPage>, JournalError>;

    /// The latest records of a shop with a recorded rating and a `seq` below `before`, newest first.
    fn rated(
        &self,
        shop: &Id,
        before: u64,
        limit: usize,
    ) -> Result<Option<RecordPage>, JournalError>;

    /// A snapshot of a shop before decision `seq`, and the records from there up to the one that holds it. `None`
    /// where retention has dropped them.
    fn before(&self, shop: &Id, seq: u64) -> Result<Option<SnapshotAndTail>, JournalError>;

    /// All shops that have a timer or may have one. Called once after opening.
    fn each_timed_shop(&self, each: &mut dyn FnMut(TimedShop)) -> Result<(), JournalError>;

    /// Stores a metadata value of a shop under a name, or removes it. A value is at most
    /// [`METADATA_BYTES_MAX`](super::METADATA_BYTES_MAX) bytes long. `done` is called once the change is durable.
    /// Changes become durable in the order of the calls, and values are deleted with the shop. Returns whether the
    /// shop exists.
    fn put_metadata(
        &self,
        shop: &Id,
        name: &str,
        value: Option<Vec<u8>>,
        done: Option<OnDurable>,
    ) -> Result<bool, JournalError>;

    /// All metadata, by shop and name.
    fn each_metadata(&self, each: &mut dyn FnMut(MetadataEntry)) -> Result<(), JournalError>;

    /// Whether there is room for more records now.
    fn has_room(&self) -> Result<(), JournalFull>;

    /// Whether commits make progress: the disk has not failed, and no commit is too slow.
    fn is_committing(&self) -> bool {
        true
    }
}
