//! Form 1 of a shop and of the ledger, as the first release wrote them. **It never changes**: data folders contain it
//! and must stay readable for ever. A new field needs another form (see [`super`]).
//!
//! A shop is only read in this form. It is converted to form 2, and nothing here names a live type. The ledger is still
//! written in form 1.
//!
//! These types contain no live types. Fields and variants are in the stored order, and lengths are literal. Hash maps
//! and sets are written as sorted lists.

mod books;
mod cards;
mod days;
#[cfg(test)]
mod layout_test;
mod ledger;
mod name;
mod people;
mod policy;
mod pools;
mod sessions;
mod slab_map;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::InvalidPart;
use super::stream::Via;
use super::v2::ShopV2Read;
use super::v2::days::DayBookV2;
use super::v2::name::TextV2;
use super::v2::people::{AgentV2, BuyerV2, DeskStateV2, PresenceV2, TieV2};
use super::v2::pools::ScopeV2;
use super::v2::receipts::KeptV2;
use super::v2::sessions::SessionV2;

use books::{KeptV1, TimersV1, TotalsV1};
use days::{DayBookV1, ScoresV1};
use name::{NameV1, TextV1};
use people::{AgentV1, BuyerV1, TieV1};
use pools::ScopeV1;
use sessions::SessionV1;
use slab_map::TableRead;

pub(super) use ledger::{LedgerRead, ledger};

/// The instant that no event has, for what never was or is not known.
const NEVER_MS: i64 = i64::MIN / 4;

/// A list by the number of an agent or a pool.
type RowsV1 = Vec<(u32, Vec<u32>)>;

/// A shop after its version. Its records are converted to form 2 while they are read.
#[derive(Deserialize)]
pub(super) struct ShopV1 {
    id: NameV1<'static>,
    /// As complete, merged JSON.
    policy: TextV1,
    now_ms: i64,
    seq: u64,
    horizon_ms: i64,
    agents: TableRead<AgentV1, AgentV2<'static>>,
    sessions: TableRead<SessionV1, SessionV2<'static>>,
    buyers: TableRead<BuyerV1, BuyerV2<'static>>,
    ties: TableRead<TieV1, TieV2>,
    /// Each as its scope.
    pools: TableRead<ScopeV1, ScopeV2<'static>>,
    tickets: u64,
    /// The open sessions of every agent that has any.
    served: RowsV1,
    /// The waiting sessions of every pool. Their tickets give the same order.
    #[expect(dead_code, reason = "form 2 does without it")]
    waiting: RowsV1,
    timers: TimersV1,
    days: Vec<(i32, Via<DayBookV1, DayBookV2>)>,
    scores: ScoresV1,
    closed: Vec<(i64, u32)>,
    remembered: Vec<Via<KeptV1, KeptV2<'static>>>,
    totals: TotalsV1,
}

impl TryFrom<ShopV1> for ShopV2Read {
    type Error = InvalidPart;
    /// The shop as it was: it has always been open, nobody is blocked, and no session was taken back. Horizon and
    /// lateness become at least those of the policy.
    fn try_from(mut shop: ShopV1) -> Result<ShopV2Read, InvalidPart> {
        number_openings(&mut shop.sessions);
        count_open_rounds(&mut shop);
        begin_desk_time(&mut shop);
        let days = shop.days.into_iter();
        let days = days.map(|(day, book)| Ok((day, book.converted()?)));
        let remembered = shop.remembered.into_iter().map(Via::converted);
        Ok(ShopV2Read {
            id: shop.id.into(),
            policy: TextV2(policy::of_second_edition(&shop.policy.0)?.into()),
            now_ms: shop.now_ms,
            seq: shop.seq,
            horizon_ms: shop.horizon_ms,
            lateness_ms: 0,
            open_now: true,
            overdue_may_move: false,
            agents: shop.agents.in_form_2()?,
            sessions: shop.sessions.in_form_2()?,
            buyers: shop.buyers.in_form_2()?,
            ties: shop.ties.in_form_2()?,
            blocks: Vec::new(),
            pools: shop.pools.in_form_2()?,
            tickets: shop.tickets,
            served: shop.served,
            wrapping_up: Vec::new(),
            timers: shop.timers.try_into()?,
            days: days.collect::<Result<_, InvalidPart>>()?,
            scores: shop.scores.into(),
            closed: shop.closed,
            remembered: remembered.collect::<Result<_, InvalidPart>>()?,
            totals: shop.totals.into(),
        })
    }
}

/// Numbers the sessions in the order in which they were opened.
fn number_openings(sessions: &mut TableRead<SessionV1, SessionV2<'static>>) {
    let records = sessions.chunks.0.iter_mut().flatten();
    let mut records: Vec<&mut SessionV2<'static>> = records.flatten().collect();
    records.sort_by_key(|record| (record.opened_ms, record.since_seq));
    for (record, number) in records.into_iter().zip(1..) {
        record.opened_as = number;
    }
}

/// Counts the rounds that are not late yet, so that they can be booked as late later (M12). Other rounds of form 1 are
/// in no count: those counts begin with form 2.
fn count_open_rounds(shop: &mut ShopV1) {
    let known: BTreeSet<i32> = shop.days.iter().map(|(day, _)| *day).collect();
    let mut open: BTreeMap<i32, u64> = BTreeMap::new();
    let records = shop.sessions.chunks.0.iter_mut().flatten().flatten();
    for awaited in records.filter_map(|record| record.awaited.as_mut()) {
        if awaited.overdue_at_ms > shop.now_ms && known.contains(&awaited.day) {
            awaited.late = false;
            *open.entry(awaited.day).or_default() += 1;
        }
    }
    for (day, book) in &mut shop.days {
        book.0.rounds.count = open.get(day).copied().unwrap_or_default();
    }
}

/// The time at the desk begins now (M11).
fn begin_desk_time(shop: &mut ShopV1) {
    let loads = shop.served.iter().map(|(agent, row)| (*agent, row.len()));
    let loads: BTreeMap<u32, usize> = loads.collect();
    let slots = shop.agents.chunks.0.iter_mut().flatten();
    for (number, agent) in (0..).zip(slots) {
        let Some(agent) = agent else { continue };
        let load = loads.get(&number).copied().unwrap_or_default();
        let is_full = |capacity: u32| load >= capacity as usize;
        let full = agent
            .post
            .as_ref()
            .is_some_and(|post| is_full(post.capacity));
        agent.desk_since_ms = shop.now_ms;
        agent.desk_state = match agent.presence {
            PresenceV2::Online if full => DeskStateV2::Full,
            PresenceV2::Online => DeskStateV2::Online,
            PresenceV2::Away => DeskStateV2::Away,
            PresenceV2::Offline => DeskStateV2::Offline,
        };
    }
}
