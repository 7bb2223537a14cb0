//! What a journal is asked: append with an expected sequence and an owner's epoch, claim, read, snapshots, metadata.
//!
//! A record is whole or absent. Records of a shop are dense (`n` = 1, 2, 3 …) and so are those of the whole journal
//! (`order`). [`OnDurable`] is called only once the record, and all before it, would survive a power cut.

use super::error::JournalError;
use super::record::{NewRecord, Record};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;

/// What is called once something is durable.
pub type OnDurable = Box<dyn FnOnce() + Send>;

/// Why no record can be taken now: asked before an event is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// Too much waits to be written: try again.
    Memory,
    /// The disk is nearly full.
    Disk,
}

/// The shop has another owner by now, or the record is not the one that comes next: the caller's state is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fenced;

/// The right to append to a shop. A later claim of the same shop ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FencingToken {
    /// The shop's number: another one each time a shop is made.
    pub shop: u64,
    /// How often the shop has been claimed.
    pub epoch: u64,
}

/// What a claim finds of a shop.
pub struct Claimed {
    /// The right to append to it.
    pub owner: FencingToken,
    /// The latest stored state, if there is one.
    pub state: Option<Snapshot>,
    /// The records after it, oldest first.
    pub tail: Vec<Record>,
}

/// A stored state of a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The number of the last record that it has taken in; 0 before the first.
    pub n: u64,
    /// The shop's `seq` then.
    pub seq: u64,
    /// The state, in a form that the journal does not know.
    pub bytes: Vec<u8>,
}

/// A shop that wants to be woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedShop {
    /// Which shop.
    pub shop: Id,
    /// When its next timer is due; nothing where only a look at its tail can tell.
    pub due: Option<Instant>,
}

/// A metadata value of a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataEntry {
    /// Which shop.
    pub shop: Id,
    /// Under which name.
    pub name: String,
    /// What, in a form that the journal does not know.
    pub value: Vec<u8>,
}

/// What a decision is explained from.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotAndTail {
    /// A state from before it; nothing where it is explained from the shop's first record.
    pub state: Option<Snapshot>,
    /// The records from there up to the one that holds it.
    pub records: Vec<Record>,
}

/// Where a shop's decisions are read from.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordPage {
    /// Records in the order of `n`.
    pub records: Vec<Record>,
    /// Whether there are more.
    pub more: bool,
}

/// A journal, wherever it is kept.
pub trait Journal: Send + Sync + 'static {
    /// Takes a shop over: the owner before can append no more. Waits until all that is appended to it is
    /// durable. `None` where there is no such shop.
    fn claim(&self, shop: &Id) -> Result<Option<Claimed>, JournalError>;

    /// The right to append the first record of a new shop.
    fn create(&self, shop: &Id) -> FencingToken;

    /// The owner appends no more: the shop sleeps.
    fn release(&self, owner: FencingToken);

    /// Appends a record that must be the shop's next; `done` is called once it is durable. Returns its order.
    fn append(
        &self,
        owner: FencingToken,
        entry: &NewRecord<'_>,
        done: Option<OnDurable>,
    ) -> Result<u64, Fenced>;

    /// Calls `done` once the record of this order is durable; at once where it is.
    fn when_durable(&self, order: u64, done: OnDurable);

    /// Keeps a state of a shop, behind all that has been appended; `due` is when it wants to be woken.
    fn put_state(&self, owner: FencingToken, state: Snapshot, due: Option<Instant>);

    /// Whether a shop exists.
    fn exists(&self, shop: &Id) -> Result<bool, JournalError>;

    /// The number of a shop, another one each time a shop is made: by it a shop is told from a later one of its name.
    /// `None` where there is no such shop.
    fn number(&self, shop: &Id) -> Result<Option<u64>, JournalError>;

    /// Shops by id, after one.
    fn shops(&self, after: Option<&Id>, limit: usize) -> Result<Vec<Id>, JournalError>;

    /// Records of a shop from the one that holds decision `seq` on, or would: at most `limit`.
    fn read(&self, shop: &Id, seq: u64, limit: usize) -> Result<Option<RecordPage>, JournalError>;

    /// The latest records of a shop with a recorded rating, newest first, of a `seq` below `before`.
    fn rated(
        &self,
        shop: &Id,
        before: u64,
        limit: usize,
    ) -> Result<Option<RecordPage>, JournalError>;

    /// A stored state of a shop from before decision `seq`, and the records from there up to the one that holds it.
    /// `None` where what is needed has been dropped.
    fn before(&self, shop: &Id, seq: u64) -> Result<Option<SnapshotAndTail>, JournalError>;

    /// Shops that may have to be woken, all that there are; called once after opening.
    fn sleepers(&self, each: &mut dyn FnMut(TimedShop)) -> Result<(), JournalError>;

    /// Keeps a value under a name of a shop, at most [`KEPT_BYTES_MAX`](super::KEPT_BYTES_MAX) long, or lets go of it; `done` is called once that
    /// is durable. What is kept becomes durable in the order of the calls, and goes with the shop. Whether it exists.
    fn keep(
        &self,
        shop: &Id,
        name: &str,
        value: Option<Vec<u8>>,
        done: Option<OnDurable>,
    ) -> Result<bool, JournalError>;

    /// All that is kept, by shop and name.
    fn kept(&self, each: &mut dyn FnMut(MetadataEntry)) -> Result<(), JournalError>;

    /// Whether there is room for more records now.
    fn has_room(&self) -> Result<(), NoRoom>;

    /// Whether commits come to their end: not where the disk has failed, or one is more than slow.
    fn commits_go_on(&self) -> bool {
        true
    }
}
