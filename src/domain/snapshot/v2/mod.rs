//! Form 2 of a shop, since the second edition of the rules. **It never changes**: data folders contain it and must stay
//! readable for ever. A new field needs another form (see [`super`]).
//!
//! These types contain no live types. Fields and variants are in the stored order, and lengths are literal. Hash maps
//! and sets are written as sorted lists. Derived state is not written: `rebuild` builds it.

pub mod cards;
pub mod days;
#[cfg(test)]
mod layout_test;
pub mod name;
pub mod people;
pub mod pools;
pub mod receipts;
pub mod sessions;
pub mod sheets;
pub mod slab_map;
pub mod timers;
pub mod totals;

use serde::{Deserialize, Serialize};

use super::InvalidPart;
use super::rebuild::{Parts, Rows};
use super::stream::Via;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::collections::linked_list::LinkedList;
use crate::domain::policy::Policy;
use crate::domain::state::agent::Agent;
use crate::domain::state::buyer::{Buyer, BuyerAgentHistory};
use crate::domain::state::idempotency::{Code, IdempotencyIndex};
use crate::domain::state::queues::{Pool, Queue};
use crate::domain::state::session::Session;
use crate::domain::state::shop::Shop;

use days::{DaysV2, DaysV2Read, ScoresV2};
use name::{NameV2, TextV2};
use people::{AgentV2, BuyerV2, TieV2};
use pools::ScopeV2;
use receipts::{Accepted, KeptV2, ReceiptsV2};
use sessions::SessionV2;
use slab_map::{TableV2, TableV2Read};
use timers::TimersV2;
use totals::TotalsV2;

/// A shop after its version, for encoding.
#[derive(Serialize)]
struct ShopV2<'a> {
    id: NameV2<'a>,
    /// As complete, merged JSON.
    policy: TextV2<'a>,
    now_ms: i64,
    seq: u64,
    horizon_ms: i64,
    lateness_ms: i64,
    open_now: bool,
    overdue_may_move: bool,
    agents: TableV2<'a, Agent, AgentV2<'a>>,
    sessions: TableV2<'a, Session, SessionV2<'a>>,
    buyers: TableV2<'a, Buyer, BuyerV2<'a>>,
    ties: TableV2<'a, BuyerAgentHistory, TieV2>,
    /// By buyer, in order: when the block ends.
    blocks: Vec<(u32, Option<i64>)>,
    /// Each as its scope.
    pools: TableV2<'a, Pool, ScopeV2<'a>>,
    tickets: u64,
    /// The open sessions of every agent that has any.
    served: Rows,
    /// The closed sessions whose places are still taken, of every agent that has any.
    wrapping_up: Rows,
    timers: TimersV2,
    days: DaysV2<'a>,
    scores: ScoresV2,
    closed: Vec<(i64, u32)>,
    remembered: ReceiptsV2<'a>,
    totals: TotalsV2,
}

/// The fields of [`ShopV2`] in the same order, for decoding.
#[derive(Deserialize)]
pub struct ShopV2Read {
    pub id: NameV2<'static>,
    pub policy: TextV2<'static>,
    pub now_ms: i64,
    pub seq: u64,
    pub horizon_ms: i64,
    pub lateness_ms: i64,
    pub open_now: bool,
    pub overdue_may_move: bool,
    pub agents: TableV2Read<AgentV2<'static>, Agent>,
    pub sessions: TableV2Read<SessionV2<'static>, Session>,
    pub buyers: TableV2Read<BuyerV2<'static>, Buyer>,
    pub ties: TableV2Read<TieV2, BuyerAgentHistory>,
    pub blocks: Vec<(u32, Option<i64>)>,
    pub pools: TableV2Read<ScopeV2<'static>, Pool>,
    pub tickets: u64,
    pub served: Rows,
    pub wrapping_up: Rows,
    pub timers: TimersV2,
    pub days: DaysV2Read,
    pub scores: ScoresV2,
    pub closed: Vec<(i64, u32)>,
    pub remembered: Vec<Via<KeptV2<'static>, Accepted>>,
    pub totals: TotalsV2,
}

/// The serializable form of a shop, after its version.
pub fn shop(shop: &Shop) -> Result<impl Serialize, serde_json::Error> {
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
        overdue: _,
        overdue_may_move,
        open_now,
        blocks,
        days,
        scores,
        closed,
        remembered,
        horizon,
        lateness,
        totals,
    } = shop;
    let Queue {
        pools,
        waiting: _,
        tickets,
        lines: _,
        ready: _,
        passing: _,
        unmade: _,
    } = queue;
    let agents = &directory.agents;
    let rows = |of: fn(&Agent) -> &LinkedList| -> Rows {
        let rows = agents.iter().map(|(number, agent)| (number, of(agent)));
        let rows = rows.filter(|(_, row)| !row.is_empty());
        rows.map(|(number, row)| (number, row.iter(sessions).collect()))
            .collect()
    };
    Ok(ShopV2 {
        id: id.into(),
        policy: TextV2(serde_json::to_string(policy)?.into()),
        now_ms: now.ms(),
        seq: *seq,
        horizon_ms: horizon.ms(),
        lateness_ms: lateness.ms(),
        open_now: *open_now,
        overdue_may_move: *overdue_may_move,
        agents: TableV2::of(agents),
        sessions: TableV2::of(sessions),
        buyers: TableV2::of(buyers),
        ties: TableV2::of(ties),
        blocks: blocks
            .iter()
            .map(|(&buyer, until)| (buyer, until.map(Instant::ms)))
            .collect(),
        pools: TableV2::of(pools),
        tickets: *tickets,
        served: rows(|agent| &agent.sessions),
        wrapping_up: rows(|agent| &agent.wrapping_up),
        timers: TimersV2::from(timers),
        days: DaysV2(days),
        scores: ScoresV2::from(scores),
        closed: closed
            .iter()
            .map(|&(at, session)| (at.ms(), session))
            .collect(),
        remembered: ReceiptsV2(remembered),
        totals: TotalsV2::from(totals),
    })
}

impl ShopV2Read {
    /// Converts the decoded shop to live types.
    pub fn parts(self) -> Result<Parts, InvalidPart> {
        let mut remembered = IdempotencyIndex::default();
        for kept in self.remembered {
            let Accepted(at, id, receipt) = kept.0;
            remembered.keep((Code::of(&id), id), at, receipt);
        }
        let closed = self.closed.into_iter();
        let closed = closed.map(|(ms, session)| Ok((instant(ms)?, session)));
        let blocks = self.blocks.into_iter();
        let blocks = blocks.map(|(buyer, until)| Ok((buyer, until.map(instant).transpose()?)));
        Ok(Parts {
            id: self.id.id(),
            policy: policy(&self.policy.0)?,
            now: instant(self.now_ms)?,
            seq: self.seq,
            horizon: Duration::from_ms(self.horizon_ms),
            lateness: Duration::from_ms(self.lateness_ms),
            open_now: self.open_now,
            overdue_may_move: self.overdue_may_move,
            agents: self.agents.table()?,
            sessions: self.sessions.table()?,
            buyers: self.buyers.table()?,
            ties: self.ties.table()?,
            blocks: blocks.collect::<Result<_, InvalidPart>>()?,
            pools: self.pools.table()?,
            tickets: self.tickets,
            served: self.served,
            wrapping_up: self.wrapping_up,
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
