//! Form 1 of a shop and of the ledger, as the first release wrote them. **It never changes**: data folders contain it
//! and must stay readable for ever. A new field needs another form (see [`super`]).
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
mod pools;
mod sessions;
mod slab_map;

use serde::{Deserialize, Serialize};

use super::InvalidPart;
use super::rebuild::{Parts, Rows};
use super::stream::Via;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::collections::linked_list::LinkedList;
use crate::domain::policy::Policy;
use crate::domain::state::agent::Agent;
use crate::domain::state::buyer::{Buyer, BuyerAgentHistory};
use crate::domain::state::daily_stats::DayStats;
use crate::domain::state::idempotency::{Code, IdempotencyIndex};
use crate::domain::state::queues::Pool;
use crate::domain::state::session::Session;
use crate::domain::state::shop::Shop;

use books::{Accepted, KeptV1, ReceiptsV1, TimersV1, TotalsV1};
use days::{DayBookV1, DaysV1, ScoresV1};
use name::{NameV1, TextV1};
use people::{AgentV1, BuyerV1, TieV1};
use pools::ScopeV1;
use sessions::SessionV1;
use slab_map::{TableRead, TableV1};

pub(super) use ledger::{LedgerRead, ledger};

/// A shop after its version, for encoding.
#[derive(Serialize)]
struct ShopV1<'a> {
    id: NameV1<'a>,
    /// As complete, merged JSON.
    policy: TextV1<'a>,
    now_ms: i64,
    seq: u64,
    horizon_ms: i64,
    agents: TableV1<'a, Agent, AgentV1<'a>>,
    sessions: TableV1<'a, Session, SessionV1<'a>>,
    buyers: TableV1<'a, Buyer, BuyerV1<'a>>,
    ties: TableV1<'a, BuyerAgentHistory, TieV1>,
    /// Each as its scope.
    pools: TableV1<'a, Pool, ScopeV1<'a>>,
    tickets: u64,
    served: Rows,
    waiting: Rows,
    timers: TimersV1,
    days: DaysV1<'a>,
    scores: ScoresV1,
    closed: Vec<(i64, u32)>,
    remembered: ReceiptsV1<'a>,
    totals: TotalsV1,
}

/// The fields of [`ShopV1`] in the same order, for decoding.
#[derive(Deserialize)]
pub(super) struct ShopRead {
    id: NameV1<'static>,
    policy: TextV1<'static>,
    now_ms: i64,
    seq: u64,
    horizon_ms: i64,
    agents: TableRead<AgentV1<'static>, Agent>,
    sessions: TableRead<SessionV1<'static>, Session>,
    buyers: TableRead<BuyerV1<'static>, Buyer>,
    ties: TableRead<TieV1, BuyerAgentHistory>,
    pools: TableRead<ScopeV1<'static>, Pool>,
    tickets: u64,
    served: Rows,
    waiting: Rows,
    timers: TimersV1,
    days: Vec<(i32, Via<DayBookV1, DayStats>)>,
    scores: ScoresV1,
    closed: Vec<(i64, u32)>,
    remembered: Vec<Via<KeptV1<'static>, Accepted>>,
    totals: TotalsV1,
}

/// The serializable form of a shop, after its version.
pub(super) fn shop(shop: &Shop) -> Result<impl Serialize, serde_json::Error> {
    let Shop {
        id,
        policy,
        now,
        span: _,
        seq,
        directory,
        queue,
        sessions,
        buyers,
        ties,
        timers,
        lates: _,
        days,
        scores,
        closed,
        remembered,
        horizon,
        totals,
        ..
    } = shop;
    let (agents, pools) = (&directory.agents, &queue.pools);
    let row = |chain: &LinkedList| chain.iter(sessions).collect();
    let served = agents.iter().filter(|(_, agent)| agent.load() > 0);
    let waiting = pools
        .iter()
        .map(|(pool, of)| (pool, of.sessions().collect()));
    Ok(ShopV1 {
        id: id.into(),
        policy: TextV1(serde_json::to_string(policy)?.into()),
        now_ms: now.ms(),
        seq: *seq,
        horizon_ms: horizon.ms(),
        agents: TableV1::of(agents),
        sessions: TableV1::of(sessions),
        buyers: TableV1::of(buyers),
        ties: TableV1::of(ties),
        pools: TableV1::of(pools),
        tickets: queue.tickets,
        served: served.map(|(n, agent)| (n, row(&agent.sessions))).collect(),
        waiting: waiting.collect(),
        timers: TimersV1::from(timers),
        days: DaysV1(days),
        scores: ScoresV1::from(scores),
        closed: closed
            .iter()
            .map(|&(at, session)| (at.ms(), session))
            .collect(),
        remembered: ReceiptsV1(remembered),
        totals: TotalsV1::from(totals),
    })
}

impl ShopRead {
    /// Converts the decoded shop to live types.
    pub(super) fn parts(self) -> Result<Parts, InvalidPart> {
        let mut remembered = IdempotencyIndex::default();
        for kept in self.remembered {
            let Accepted(at, id, receipt) = kept.0;
            remembered.keep((Code::of(&id), id), at, receipt);
        }
        let closed = self.closed.into_iter();
        let closed = closed.map(|(ms, session)| Ok((instant(ms)?, session)));
        Ok(Parts {
            id: self.id.id(),
            policy: policy(&self.policy.0)?,
            now: instant(self.now_ms)?,
            seq: self.seq,
            horizon: Duration::from_ms(self.horizon_ms),
            agents: self.agents.table()?,
            sessions: self.sessions.table()?,
            buyers: self.buyers.table()?,
            ties: self.ties.table()?,
            pools: self.pools.table()?,
            tickets: self.tickets,
            served: self.served,
            waiting: self.waiting,
            timers: self.timers.try_into()?,
            days: days::days(self.days),
            scores: self.scores.into(),
            closed: closed.collect::<Result<_, InvalidPart>>()?,
            remembered,
            totals: self.totals.into(),
        })
    }
}

fn policy(text: &str) -> Result<Policy, InvalidPart> {
    let policy = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Policy::parse(&policy).map_err(|error| error.to_string().into())
}

fn instant(ms: i64) -> Result<Instant, InvalidPart> {
    Instant::try_from(ms).map_err(InvalidPart::from)
}
