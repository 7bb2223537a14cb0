//! Asking the journal: decisions that were taken, why, what happened in a session, and who rated how.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::desk::{Answered, Desk, ReadError, Refused};
use super::recovery::{Replay, astray, read_state};
use crate::domain::CORE;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::explain::decision_sink::Outcome;
use crate::domain::explain::explanation::{Note, Why};
use crate::domain::protocol::decision::Decision;
use crate::domain::state::idempotency::Receipt;
use crate::env::{BlockingError, blocking};
use crate::journal::{Basis, Journal, JournalError, Record};
use crate::wire::{Pen, differing, read_decision};

/// Records that are read at once.
const RECORDS_AT_ONCE: usize = 512;

/// Records of the shop that are looked at for the timeline of one session.
const TIMELINE_RECORDS_MAX: usize = 50_000;

/// Rated records that are looked at for one page of ratings.
const RATINGS_LOOKED_AT_MAX: usize = 20_000;

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

/// A decision as the journal keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDecision {
    /// Its `seq`.
    pub seq: u64,
    /// The instant of the event's record.
    pub at: Instant,
    /// As it was answered: one JSON object.
    pub json: String,
    /// The event that it was an answer to, as it was sent (a `clock` where a timer fired by itself).
    pub event: Bytes,
}

/// What every decision says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Said<'a> {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// When it was taken, as it is written.
    pub at: &'a str,
}

impl StoredDecision {
    /// Its type, and when it was taken.
    pub fn said(&self) -> Said<'_> {
        // Written by us, and neither needs an escape.
        serde_json::from_str(&self.json).unwrap_or_default()
    }
}

/// One entry of a session's timeline: an event of the session or a decision about it.
#[derive(Clone, Debug, PartialEq)]
pub enum TimelineEntry {
    /// An event, as it was sent, and when.
    Event(Instant, Bytes),
    /// A decision, as it was answered.
    Decision(String),
}

/// The decisions of a record, one JSON object each.
fn decisions_of<'a>(shop: &Id, record: &'a Record) -> Result<Vec<&'a RawValue>, JournalError> {
    serde_json::from_str(&record.decisions).map_err(|_| {
        astray(
            shop,
            &format!("the decisions of its record {} do not read", record.n),
        )
    })
}

/// Decisions as they are listed.
fn listed(shop: &Id, record: &Record) -> Result<Vec<StoredDecision>, JournalError> {
    let event = Bytes::copy_from_slice(record.text.as_bytes());
    let decisions = (record.seq_before + 1..).zip(decisions_of(shop, record)?);
    let listed = decisions.map(|(seq, json)| StoredDecision {
        seq,
        at: record.at,
        json: json.get().to_owned(),
        event: event.clone(),
    });
    Ok(listed.collect())
}

/// The answer to an event that had happened before. Whatever becomes of it is told of this event alone: those beside it
/// in its request are done.
pub(super) fn answer_again(journal: &dyn Journal, shop: &Id, id: Id, receipt: Receipt) -> Answered {
    let decisions = match receipt.count {
        0 => Ok(Some("[]".to_owned())),
        _ => answered_then(journal, shop, receipt),
    };
    match decisions {
        Ok(decisions) => Answered {
            id: Some(id),
            forgotten: decisions.is_none(),
            decisions: decisions.unwrap_or_else(|| "[]".to_owned()).into(),
            ..Answered::nothing()
        },
        Err(error) => Answered::refused(Some(id), error.into()),
    }
}

/// The decisions that a receipt names, as a JSON array; nothing where their record was dropped by retention.
fn answered_then(
    journal: &dyn Journal,
    shop: &Id,
    receipt: Receipt,
) -> Result<Option<String>, JournalError> {
    let wanted = receipt.first..receipt.first.saturating_add(u64::from(receipt.count));
    let slice = journal.read(shop, receipt.first, 1)?;
    let record = slice.and_then(|slice| slice.records.into_iter().next());
    // Where the one that is wanted was dropped, the first one that was not may be what is read.
    let Some(record) = record.filter(|record| record.seq_before < receipt.first) else {
        return Ok(None);
    };
    let decisions = listed(shop, &record)?.into_iter();
    let decisions = decisions.filter(|decision| wanted.contains(&decision.seq));
    let parts: Vec<String> = decisions.map(|decision| decision.json).collect();
    if parts.len() as u64 != u64::from(receipt.count) {
        let n = record.n;
        return Err(astray(
            shop,
            &format!("its record {n} is not the answer to the event whose id was repeated"),
        ));
    }
    Ok(Some(format!("[{}]", parts.join(","))))
}

/// Decisions with a `seq` above `after`, at most `limit`.
fn decisions_after(
    journal: &dyn Journal,
    shop: &Id,
    after: u64,
    limit: usize,
) -> Result<Page<StoredDecision>, ReadError> {
    let (mut items, mut next, mut more) = (Vec::new(), after, true);
    while items.len() <= limit && more {
        let slice = journal.read(shop, next + 1, RECORDS_AT_ONCE.min(limit + 1))?;
        let slice = slice.ok_or(ReadError::NoShop)?;
        more = slice.more;
        let mut until = next;
        for record in &slice.records {
            until = until.max(record.seq_before + u64::from(record.decided));
            let listed = listed(shop, record)?.into_iter();
            items.extend(listed.filter(|decision| decision.seq > next));
        }
        if until == next {
            // Records that decided nothing: what follows them is found from beyond.
            let skipped = journal.read(shop, next + 1, RECORDS_AT_ONCE * 64)?;
            let skipped = skipped.ok_or(ReadError::NoShop)?;
            let first = skipped
                .records
                .iter()
                .find(|record| record.seq_before + u64::from(record.decided) > next);
            match first {
                Some(record) => items.extend(listed(shop, record)?),
                None => break,
            }
            until = items
                .last()
                .map_or(next, |decision: &StoredDecision| decision.seq);
        }
        next = until;
    }
    let more = items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, more })
}

impl From<BlockingError> for Refused {
    fn from(error: BlockingError) -> Refused {
        match error {
            BlockingError::Busy => Refused::Busy,
            BlockingError::Panicked => Refused::Broken,
        }
    }
}

impl Desk {
    /// Runs what reads the journal where it may wait for the disk.
    async fn off_thread<T: Send + 'static>(
        &self,
        shop: &Id,
        read: impl FnOnce(&dyn Journal, &Id) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let (journal, shop) = (Arc::clone(&self.world.journal), shop.clone());
        let done = blocking(move || read(&*journal, &shop)).await;
        done.unwrap_or_else(|error| Err(ReadError::Refused(error.into())))
    }

    /// A shop's decisions with a `seq` above `after`, those that are durable and not dropped by retention.
    pub async fn decisions(
        &self,
        shop: &Id,
        after: u64,
        limit: usize,
    ) -> Result<Page<StoredDecision>, ReadError> {
        self.off_thread(shop, move |journal, shop| {
            decisions_after(journal, shop, after, limit)
        })
        .await
    }

    /// The same, on this thread, which may wait for the disk.
    pub fn decisions_here(
        &self,
        shop: &Id,
        after: u64,
        limit: usize,
    ) -> Result<Page<StoredDecision>, ReadError> {
        decisions_after(&*self.world.journal, shop, after, limit)
    }

    /// Why a decision was taken; nothing where there is no such decision, or its journal was dropped.
    pub async fn why(&self, shop: &Id, seq: u64) -> Result<Option<Why>, ReadError> {
        let read = move |journal: &dyn Journal, shop: &Id| {
            if !journal.exists(shop)? {
                return Err(ReadError::NoShop);
            }
            match journal.before(shop, seq)? {
                Some(basis) => Ok(explain(shop, &basis, seq)?),
                None => Ok(None),
            }
        };
        self.off_thread(shop, read).await
    }

    /// A session's events and decisions from its opening on, oldest first; `since_seq` is the shop's `seq` before it.
    pub async fn timeline(
        &self,
        shop: &Id,
        session: &Id,
        since_seq: u64,
    ) -> Result<Vec<TimelineEntry>, ReadError> {
        let session = session.clone();
        let read = move |journal: &dyn Journal, shop: &Id| {
            let slice = journal.read(shop, since_seq + 1, TIMELINE_RECORDS_MAX)?;
            let slice = slice.ok_or(ReadError::NoShop)?;
            let mut entries = Vec::new();
            for record in &slice.records {
                if !record.text.contains(session.as_str())
                    && !record.decisions.contains(session.as_str())
                {
                    continue;
                }
                if is_of(&record.text, &session) {
                    let event = Bytes::copy_from_slice(record.text.as_bytes());
                    entries.push(TimelineEntry::Event(record.at, event));
                }
                let decisions = decisions_of(shop, record)?.into_iter().map(RawValue::get);
                let own = decisions.filter(|decision| is_of(decision, &session));
                entries.extend(own.map(|decision| TimelineEntry::Decision(decision.to_owned())));
            }
            Ok(entries)
        };
        self.off_thread(shop, read).await
    }

    /// Recorded ratings, newest first, with a `seq` below `before`: `rating.recorded` decisions with their events.
    pub async fn ratings(
        &self,
        shop: &Id,
        before: Option<u64>,
        limit: usize,
        wanted: impl Fn(&StoredDecision) -> bool + Send + 'static,
    ) -> Result<Page<StoredDecision>, ReadError> {
        let read = move |journal: &dyn Journal, shop: &Id| {
            let (mut items, mut before) = (Vec::new(), before.unwrap_or(u64::MAX - 1));
            let (mut looked_at, mut more) = (0, true);
            while items.len() <= limit && more && looked_at < RATINGS_LOOKED_AT_MAX {
                let slice = journal.rated(shop, before, RECORDS_AT_ONCE.min(limit + 1))?;
                let slice = slice.ok_or(ReadError::NoShop)?;
                more = slice.more;
                looked_at += slice.records.len();
                for record in &slice.records {
                    let decisions = listed(shop, record)?.into_iter().rev();
                    let rated = decisions.filter(|decision| {
                        decision.seq < before && decision.said().kind == "rating.recorded"
                    });
                    items.extend(rated.filter(&wanted));
                }
                before = slice
                    .records
                    .last()
                    .map_or(0, |record| record.seq_before + 1);
            }
            let more = items.len() > limit;
            items.truncate(limit);
            Ok(Page { items, more })
        };
        self.off_thread(shop, read).await
    }
}

/// Decides a shop's records again up to the one that holds the decision, and takes notes for it alone. Where an older
/// core decided any of them the records win, and a decision that this core would not take is told as it was recorded.
fn explain(id: &Id, basis: &Basis, seq: u64) -> Result<Option<Why>, JournalError> {
    let state = basis.state.as_ref();
    let shop = state
        .map(|state| read_state(id, &state.bytes))
        .transpose()?;
    let mut replay = Replay::new(id, shop);
    replay.out = Outcome::explaining(seq);
    replay.record_wins = basis.records.iter().any(|record| record.core < CORE);
    for record in &basis.records {
        replay.record(record)?;
        let answer = replay.out.take_answer();
        let after = record.seq_before + u64::from(record.decided);
        if !(record.seq_before + 1..=after).contains(&seq) {
            continue;
        }
        let decisions = decisions_of(id, record)?;
        let place = (seq - record.seq_before - 1) as usize;
        let Some(recorded) = decisions.get(place) else {
            return Ok(None);
        };
        if let Some((decision, notes)) = answer
            && is_the_same(id, &decision, recorded)
        {
            return Ok(Some(Why { decision, notes }));
        }
        let notes = vec![Note::OlderRelease];
        let told = read_decision(recorded.get());
        return Ok(told.map(|decision| Why { decision, notes }));
    }
    Ok(None)
}

fn is_the_same(id: &Id, decision: &Decision, recorded: &RawValue) -> bool {
    let mut text = String::new();
    Pen::new(id).write(std::slice::from_ref(decision), &mut text);
    differing(&format!("[{recorded}]"), &text, decision.seq, 0).0 == 0
}

#[derive(serde::Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    session: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    card: Option<Cow<'a, str>>,
    #[serde(default)]
    error: Option<ErrorText>,
}

/// Present on rejections alone, whose `session` is another one.
#[derive(serde::Deserialize)]
struct ErrorText(#[expect(dead_code, reason = "its presence says enough")] String);

/// Whether an event or a decision is of this session, by its id or by one of its cards.
fn is_of(text: &str, session: &Id) -> bool {
    let Ok(named) = serde_json::from_str::<Named<'_>>(text) else {
        return false;
    };
    if named.error.is_some() {
        return false;
    }
    let of_card = named.card.as_ref().and_then(|card| card.rsplit_once('#'));
    named.session.as_deref() == Some(session.as_str())
        || of_card.is_some_and(|(of, _)| of == session.as_str())
}

/// A disk that cannot be read is no damage.
impl From<JournalError> for Refused {
    fn from(error: JournalError) -> Refused {
        match error {
            JournalError::Damaged(what) => Refused::Damaged(what),
            JournalError::Unusable(what) | JournalError::Failed(what) => Refused::Stalled(what),
        }
    }
}
