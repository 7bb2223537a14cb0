//! Recovery: loads a shop from its snapshot and replays the records after it.
//!
//! A record of this core must give the recorded result, otherwise the shop is damaged. For a record of an older core
//! the record wins ([`crate::domain::reconcile`]), and differences are counted. A record of a newer core is refused.

use std::cmp::Ordering;

use super::shared_ledger::RecordedInvites;
use crate::domain::CORE;
use crate::domain::base::id::Id;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::installation::create;
use crate::domain::protocol::codes::ErrorCode;
use crate::domain::protocol::event::{Event, EventBody};
use crate::domain::protocol::rejection::Rejection;
use crate::domain::reconcile::{self, RecordedOutcome};
use crate::domain::snapshot::{SnapshotError, read_shop, shop_bytes};
use crate::domain::state::shop::Shop;
use crate::journal::{Claimed, JournalError, Record, RecordKind, damaged};
use crate::runtime::live_shop::{LiveShop, SinceSnapshot};
use crate::wire::{DecisionWriter, Line, differing, read_event, read_recorded};

/// The maximum number of differences that are described in words.
const EXAMPLES_MAX: usize = 8;

/// The differences between this core and the older core that wrote the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// The number of decisions that differ.
    pub count: u64,
    /// The first differences, one sentence each. They name no buyer, no session and no agent.
    pub examples: Vec<String>,
    /// The number of records that an older core decided.
    pub records: u64,
}

/// What a start would find for a shop with this snapshot and these records. Changes nothing. Fails like the recovery
/// would.
pub fn check_recovery(
    id: &Id,
    state: Option<&[u8]>,
    tail: &[Record],
) -> Result<Differences, JournalError> {
    let shop = state.map(|bytes| read_state(id, bytes)).transpose()?;
    let mut replay = RecordReplay::new(id, shop);
    replay.records(tail)?;
    match replay.shop {
        Some(_) => Ok(replay.differences),
        None => Err(never_made(id)),
    }
}

/// Checks that a snapshot can be decoded.
pub fn decode_state(id: &Id, bytes: &[u8]) -> Result<(), JournalError> {
    read_state(id, bytes).map(drop)
}

/// Recovers a shop as of its last record. Also returns the differences to an older core.
pub(super) fn recover(id: &Id, claimed: Claimed) -> Result<(LiveShop, Differences), JournalError> {
    let Claimed { owner, state, tail } = claimed;
    let state_bytes = state.as_ref().map_or(0, |state| state.bytes.len());
    let (n, shop) = match state {
        None => (0, None),
        Some(state) => (state.n, Some(read_state(id, &state.bytes)?)),
    };
    let mut replay = RecordReplay::new(id, shop);
    replay.records(&tail)?;
    let bytes = tail.iter().map(|of| of.text.len() + of.decisions.len());
    let loaded = LiveShop {
        shop: Box::new(replay.shop.ok_or_else(|| never_made(id))?),
        owner,
        n: tail.last().map_or(n, |last| last.n),
        fresh: SinceSnapshot {
            records: tail.len() as u64,
            bytes: bytes.sum(),
        },
        state_bytes,
    };
    Ok((loaded, replay.differences))
}

/// Replaying the journal gave a different result than recorded.
pub(super) fn diverged(id: &Id, what: &str) -> JournalError {
    damaged(&format!(
        "shop {id:?} cannot come back from the journal: {what}"
    ))
}

fn never_made(id: &Id) -> JournalError {
    diverged(id, "it has no first record")
}

/// Decodes a snapshot.
pub(super) fn read_state(id: &Id, bytes: &[u8]) -> Result<Shop, JournalError> {
    read_shop(bytes).map_err(|error| match error {
        SnapshotError::Newer(what) => JournalError::Unusable(format!("shop {id:?}: {what}")),
        SnapshotError::Damaged(what) => diverged(id, &what),
    })
}

/// Encodes a snapshot of a shop. Empty if it cannot be encoded.
pub(super) fn stored(shop: &Shop) -> Vec<u8> {
    shop_bytes(shop).unwrap_or_default()
}

/// Replays the records of a shop, one after the other.
pub(super) struct RecordReplay<'a> {
    id: &'a Id,
    pub(super) shop: Option<Shop>,
    /// The decisions of the latest record.
    pub(super) out: DecisionSink,
    /// Whether the record wins over this core's decision, whichever core wrote it.
    pub(super) record_wins: bool,
    pub(super) differences: Differences,
    writer: DecisionWriter,
    text: String,
}

impl<'a> RecordReplay<'a> {
    /// Starts from a snapshot, or from nothing.
    pub(super) fn new(id: &'a Id, shop: Option<Shop>) -> RecordReplay<'a> {
        RecordReplay {
            id,
            shop,
            out: DecisionSink::default(),
            record_wins: false,
            differences: Differences::default(),
            writer: DecisionWriter::new(id),
            text: String::new(),
        }
    }

    fn records(&mut self, records: &[Record]) -> Result<(), JournalError> {
        records.iter().try_for_each(|record| self.record(record))
    }

    /// Replays one record.
    pub(super) fn record(&mut self, record: &Record) -> Result<(), JournalError> {
        self.out.decisions.clear();
        match record.core.cmp(&CORE) {
            Ordering::Greater => {
                let (id, n, core) = (self.id, record.n, record.core);
                return Err(JournalError::Unusable(format!(
                    "record {n} of shop {id:?} was decided by core {core}, which a newer version of xiaoer has; this \
                     program has core {CORE}: use the newer program"
                )));
            }
            Ordering::Equal if !self.record_wins => return self.replay_current(record),
            Ordering::Equal => {}
            Ordering::Less => self.differences.records += 1,
        }
        self.replay_older(record)
    }

    /// Replays a record of this core. It must give the recorded result.
    fn replay_current(&mut self, record: &Record) -> Result<(), JournalError> {
        let id = self.id;
        let otherwise = |what: &str| diverged(id, &format!("its record {} {what}", record.n));
        let line = self.read(record)?;
        match (line, record.kind) {
            (Line::Event(_, event), RecordKind::Created | RecordKind::Event) => {
                if let (None, EventBody::ShopConfigured { .. }) = (&self.shop, &event.what) {
                    let made = create(id, &event);
                    self.shop = Some(made.map_err(|rejection| diverged(id, &rejection.message))?);
                }
                let shop = self.shop.as_mut().ok_or_else(|| never_made(id))?;
                shop.take(
                    &event,
                    &mut RecordedInvites::new(&record.claims),
                    &mut self.out,
                );
            }
            (Line::Malformed(malformed), RecordKind::Malformed) => {
                let shop = self.shop.as_mut().ok_or_else(|| never_made(id))?;
                let rejection = Rejection::new(ErrorCode::Malformed, malformed.message);
                shop.reject(&malformed.event, rejection, &mut self.out);
            }
            (Line::Event(..) | Line::Malformed(_), _) => {
                return Err(otherwise("reads otherwise now"));
            }
        }
        let seq = self.shop.as_ref().map_or(0, Shop::seq);
        let (count, examples) = self.compare(record);
        if count > 0 || seq != record.seq_before + u64::from(record.decided) {
            let example = examples
                .first()
                .map_or_else(String::new, |example| format!(": {example}"));
            return Err(otherwise(&format!("is decided otherwise now{example}")));
        }
        Ok(())
    }

    /// Replays a record of an older core, and reconciles the state with the recorded decisions.
    fn replay_older(&mut self, record: &Record) -> Result<(), JournalError> {
        let id = self.id;
        let decisions = read_recorded(&record.decisions, record.at).ok_or_else(|| {
            let n = record.n;
            diverged(id, &format!("the decisions of its record {n} do not read"))
        })?;
        let recorded = RecordedOutcome {
            at: record.at,
            seq_before: record.seq_before,
            decided: record.decided,
            decisions: &decisions,
        };
        let line = self.read(record)?;
        if self.shop.is_none() && record.kind == RecordKind::Created {
            self.shop = Some(made_as_recorded(id, &line, record));
        }
        let shop = self.shop.as_mut().ok_or_else(|| never_made(id))?;
        let (ledger, out) = (&mut RecordedInvites::new(&record.claims), &mut self.out);
        match (line, record.kind) {
            (Line::Event(_, event), RecordKind::Created | RecordKind::Event) => {
                reconcile::take_recorded(shop, Some(&event), &recorded, ledger, out);
            }
            (Line::Malformed(_), RecordKind::Created | RecordKind::Event) => {
                reconcile::take_recorded(shop, None, &recorded, ledger, out);
            }
            (Line::Malformed(malformed), RecordKind::Malformed) => {
                let rejection = Rejection::new(ErrorCode::Malformed, malformed.message);
                reconcile::reject_as_recorded(
                    shop,
                    Some((&malformed.event, rejection)),
                    &recorded,
                    out,
                );
            }
            (Line::Event(..), RecordKind::Malformed) => {
                reconcile::reject_as_recorded(shop, None, &recorded, out)
            }
            (Line::Event(..) | Line::Malformed(_), RecordKind::Removed) => {
                let n = record.n;
                return Err(diverged(
                    id,
                    &format!("its record {n} is that of its deletion"),
                ));
            }
        }
        let (count, examples) = self.compare(record);
        let differences = &mut self.differences;
        differences.count += count;
        let n = record.n;
        let examples = examples
            .into_iter()
            .map(|example| format!("record {n}, {example}"));
        differences.examples.extend(examples);
        differences.examples.truncate(EXAMPLES_MAX);
        Ok(())
    }

    /// The event of a record. If it had no `at`, it has the record's time.
    fn read(&self, record: &Record) -> Result<Line, JournalError> {
        let read = read_event(&record.text, self.id, record.at);
        let read = read.map_err(|error| diverged(self.id, &error.to_string()))?;
        Ok(match read.line {
            Line::Event(shop, event) if read.stamped => Line::Event(
                shop,
                Event {
                    at: record.at,
                    ..event
                },
            ),
            line @ (Line::Event(..) | Line::Malformed(_)) => line,
        })
    }

    /// Compares the recorded decisions with those of the replay.
    fn compare(&mut self, record: &Record) -> (u64, Vec<String>) {
        self.text.clear();
        self.writer.write(&self.out.decisions, &mut self.text);
        let first = record.seq_before + 1;
        differing(&record.decisions, &self.text, first, EXAMPLES_MAX)
    }
}

/// The shop that a record created, with the nearest policy that this core accepts.
fn made_as_recorded(id: &Id, line: &Line, record: &Record) -> Shop {
    if let Line::Event(_, event) = line
        && let Ok(shop) = create(id, event)
    {
        return shop;
    }
    let text: serde_json::Value = serde_json::from_str(&record.text).unwrap_or_default();
    reconcile::made_by_record(id, text.get("policy").unwrap_or_default(), record.at)
}
