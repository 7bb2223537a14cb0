//! Queries on the journal: decisions, explanations, session timelines and ratings.

use super::stored_decisions::{StoredDecision, decisions_of, listed};
use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::recovery::{RecordReplay, read_state};
use super::shops::Shops;
use crate::domain::CORE;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::{Evidence, Explanation};
use crate::domain::protocol::decision::Decision;
use crate::env::blocking;
use crate::journal::{Journal, JournalError, SnapshotAndTail};
use crate::runtime::event_result::{ReadError, Unavailable};
use crate::wire::{DecisionWriter, differing, read_decision};

/// The number of records in one read.
const RECORDS_AT_ONCE: usize = 512;

/// The maximum number of records that are scanned for a session's timeline.
const TIMELINE_RECORDS_MAX: usize = 50_000;

/// The maximum number of rating records that are scanned for one page of ratings.
const RATINGS_LOOKED_AT_MAX: usize = 20_000;

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPage<T> {
    /// The items.
    pub items: Vec<T>,
    /// Whether there are more items.
    pub more: bool,
}

/// One entry of a session's timeline: an event of the session or a decision about it.
#[derive(Clone, Debug, PartialEq)]
pub enum TimelineEntry {
    /// An event as it was sent, with its time.
    Event(Instant, Bytes),
    /// A decision as it was returned.
    Decision(String),
}

/// Decisions with a `seq` above `after`, at most `limit`.
fn decisions_after(
    journal: &dyn Journal,
    shop: &Id,
    after: u64,
    limit: usize,
) -> Result<ListPage<StoredDecision>, ReadError> {
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
            // All these records have no decisions. Continue after them.
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
    Ok(ListPage { items, more })
}

impl Shops {
    /// Shops by id, starting after a cursor, at most `limit`.
    pub async fn shops(
        &self,
        after: Option<Id>,
        limit: usize,
    ) -> Result<ListPage<ShopRow>, Unavailable> {
        let journal = Arc::clone(&self.shared.journal);
        let found = blocking(move || journal.shops(after.as_ref(), limit + 1)).await?;
        let mut shops = found?;
        let more = shops.len() > limit;
        shops.truncate(limit);
        let items = shops.into_iter().map(|shop| ShopRow { shop }).collect();
        Ok(ListPage { items, more })
    }

    /// Runs a journal read on a blocking thread.
    async fn off_thread<T: Send + 'static>(
        &self,
        shop: &Id,
        read: impl FnOnce(&dyn Journal, &Id) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let (journal, shop) = (Arc::clone(&self.shared.journal), shop.clone());
        let done = blocking(move || read(&*journal, &shop)).await;
        done.unwrap_or_else(|error| Err(ReadError::Refused(error.into())))
    }

    /// The shop's decisions with a `seq` above `after` that are durable and within retention.
    pub async fn decisions(
        &self,
        shop: &Id,
        after: u64,
        limit: usize,
    ) -> Result<ListPage<StoredDecision>, ReadError> {
        self.off_thread(shop, move |journal, shop| {
            decisions_after(journal, shop, after, limit)
        })
        .await
    }

    /// Like [`Shops::decisions`], on the current thread, which must be allowed to block.
    pub fn decisions_here(
        &self,
        shop: &Id,
        after: u64,
        limit: usize,
    ) -> Result<ListPage<StoredDecision>, ReadError> {
        decisions_after(&*self.shared.journal, shop, after, limit)
    }

    /// The explanation of a decision. `None` if there is no such decision, or its record was deleted.
    pub async fn why(&self, shop: &Id, seq: u64) -> Result<Option<Explanation>, ReadError> {
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

    /// A session's events and decisions since it was opened, the oldest first. `since_seq` is the shop's `seq` before
    /// that.
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

    /// Recorded ratings with a `seq` below `before`, the newest first: `rating.recorded` decisions with their events.
    pub async fn ratings(
        &self,
        shop: &Id,
        before: Option<u64>,
        limit: usize,
        matches: impl Fn(&StoredDecision) -> bool + Send + 'static,
    ) -> Result<ListPage<StoredDecision>, ReadError> {
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
                        decision.seq < before && decision.header().kind == "rating.recorded"
                    });
                    items.extend(rated.filter(&matches));
                }
                before = slice
                    .records
                    .last()
                    .map_or(0, |record| record.seq_before + 1);
            }
            let more = items.len() > limit;
            items.truncate(limit);
            Ok(ListPage { items, more })
        };
        self.off_thread(shop, read).await
    }
}

/// Replays a shop's records up to the one with the decision, and collects evidence for that decision only. Where an
/// older core decided a record, the record wins. A decision that this core would not take is shown as recorded.
fn explain(
    id: &Id,
    basis: &SnapshotAndTail,
    seq: u64,
) -> Result<Option<Explanation>, JournalError> {
    let state = basis.state.as_ref();
    let shop = state
        .map(|state| read_state(id, &state.bytes))
        .transpose()?;
    let mut replay = RecordReplay::new(id, shop);
    replay.out = DecisionSink::explaining(seq);
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
            return Ok(Some(Explanation { decision, notes }));
        }
        let notes = vec![Evidence::OlderRelease];
        let decision = read_decision(recorded.get());
        return Ok(decision.map(|decision| Explanation { decision, notes }));
    }
    Ok(None)
}

fn is_the_same(id: &Id, decision: &Decision, recorded: &RawValue) -> bool {
    let mut text = String::new();
    DecisionWriter::new(id).write(std::slice::from_ref(decision), &mut text);
    differing(&format!("[{recorded}]"), &text, decision.seq, 0).0 == 0
}

#[derive(serde::Deserialize)]
struct NamedSession<'a> {
    #[serde(borrow, default)]
    session: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    card: Option<Cow<'a, str>>,
    #[serde(default)]
    error: Option<ErrorText>,
}

/// Only rejections have this field. Their `session` is the one of the rejected event.
#[derive(serde::Deserialize)]
struct ErrorText(#[expect(dead_code, reason = "its presence says enough")] String);

/// Whether an event or a decision belongs to this session, by its session id or one of its cards.
fn is_of(text: &str, session: &Id) -> bool {
    let Ok(named) = serde_json::from_str::<NamedSession<'_>>(text) else {
        return false;
    };
    if named.error.is_some() {
        return false;
    }
    let of_card = named.card.as_ref().and_then(|card| card.rsplit_once('#'));
    named.session.as_deref() == Some(session.as_str())
        || of_card.is_some_and(|(of, _)| of == session.as_str())
}

/// A shop in the list of shops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopRow {
    /// The shop's id.
    pub shop: Id,
}
