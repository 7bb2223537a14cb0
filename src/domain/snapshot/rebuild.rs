//! The stored parts of a shop, for all forms, and the shop built from them.
//!
//! Derived state is in no form and is built here: indices, lists, agent groups and the heap of late messages. Numbers
//! that refer to nothing are an error.

use std::collections::VecDeque;

use super::InvalidPart;
use crate::domain::base::id::Id;
use crate::domain::base::time::{DURATION_DAYS_MAX, Duration, Instant};
use crate::domain::collections::linked_list::LinkedList;
use crate::domain::collections::slab_map::{NOBODY, SlabMap};
use crate::domain::policy::Policy;
use crate::domain::state::agent::{AgentProfile, Agents, BOT, BOT_ID};
use crate::domain::state::buyer::{Buyer, BuyerAgentHistory};
use crate::domain::state::daily_stats::DailyStats;
use crate::domain::state::idempotency::IdempotencyIndex;
use crate::domain::state::queues::Pool;
use crate::domain::state::scores::Scores;
use crate::domain::state::session::{Session, SessionPlace};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timers;
use crate::domain::state::totals::Totals;

/// Sessions in their order, by the number of their agent or pool.
pub(super) type Rows = Vec<(u32, Vec<u32>)>;

/// All stored parts of a shop, in live types.
pub(super) struct Parts {
    pub(super) id: Id,
    pub(super) policy: Policy,
    pub(super) now: Instant,
    pub(super) seq: u64,
    pub(super) horizon: Duration,
    pub(super) agents: Agents,
    pub(super) sessions: SlabMap<Session>,
    pub(super) buyers: SlabMap<Buyer>,
    pub(super) ties: SlabMap<BuyerAgentHistory>,
    pub(super) pools: SlabMap<Pool>,
    pub(super) tickets: u64,
    /// The open sessions of every agent that has any.
    pub(super) served: Rows,
    /// The waiting sessions of every pool.
    pub(super) waiting: Rows,
    pub(super) timers: Timers,
    pub(super) days: DailyStats,
    pub(super) scores: Scores,
    pub(super) closed: VecDeque<(Instant, u32)>,
    pub(super) remembered: IdempotencyIndex,
    pub(super) totals: Totals,
}

impl Parts {
    /// Builds the shop.
    pub(super) fn shop(self) -> Result<Shop, InvalidPart> {
        let horizon_known =
            (Duration::ZERO..=Duration::days(DURATION_DAYS_MAX)).contains(&self.horizon);
        // A release that followed any clock may have stored a time after the valid years of events. Such a shop can be
        // read, but its owner accepts no events for it.
        if !horizon_known || !self.now.can_be_written() {
            return Err("a clock or a horizon out of range".into());
        }
        let mut shop = Shop::new(self.id, self.policy, self.now);
        shop.seq = self.seq;
        shop.horizon = self.horizon;
        shop.directory.agents = self.agents;
        shop.sessions = self.sessions;
        shop.buyers = self.buyers;
        shop.ties = self.ties;
        shop.queue.pools = self.pools;
        shop.queue.tickets = self.tickets;
        shop.timers = self.timers;
        shop.days = self.days;
        shop.scores = self.scores;
        shop.closed = self.closed;
        shop.remembered = self.remembered;
        shop.totals = self.totals;
        if !references_exist(&mut shop) || !lists_match_places(&shop, &self.served, &self.waiting) {
            return Err("a number that leads nowhere".into());
        }
        build_derived_state(&mut shop, &self.served, &self.waiting);
        Ok(shop)
    }
}

/// Checks that every stored number refers to an existing record.
fn references_exist(shop: &mut Shop) -> bool {
    let timed = shop.timers.find_places(shop.sessions.reach());
    let (agents, sessions, buyers) = (&shop.directory.agents, &shop.sessions, &shop.buyers);
    let agent = |number: u32| agents.get(number).is_some();
    let somebody = |number: u32| number == NOBODY || agent(number);
    let place = |place: SessionPlace| match place {
        SessionPlace::Agent(number) => agent(number),
        SessionPlace::Waiting { pool, .. } => shop.queue.pools.get(pool).is_some(),
        SessionPlace::Bot | SessionPlace::Closed { .. } => true,
    };
    let known = |number: u32| sessions.get(number).is_some();
    let bot = agents.get(BOT).is_some_and(|bot| bot.id.as_str() == BOT_ID);
    bot && timed
        && agents
            .iter()
            .map(|(number, _)| number)
            .eq(0..agents.reach())
        && shop.timers.sessions().all(known)
        && buyers.iter().all(|(_, buyer)| somebody(buyer.recent_agent))
        && shop
            .ties
            .iter()
            .all(|(_, tie)| buyers.get(tie.pair.0).is_some())
        && closed_list_is_complete(shop)
        && sessions.iter().all(|(_, session)| {
            let known = buyers.get(session.buyer).is_some() && somebody(session.server);
            known && place(session.place) && session.cards.iter().all(|card| agent(card.agent))
        })
}

/// Checks that the list of closed sessions contains each closed session once.
fn closed_list_is_complete(shop: &Shop) -> bool {
    let mut listed: Vec<u32> = shop.closed.iter().map(|&(_, session)| session).collect();
    listed.sort_unstable();
    let closed = |session: &Session| session.closed() && !session.marks.forgotten;
    let sessions = shop.sessions.iter().filter(|(_, session)| closed(session));
    sessions.map(|(number, _)| number).eq(listed)
}

/// Checks that every session with an agent or in a pool is in exactly that list.
fn lists_match_places(shop: &Shop, served: &Rows, waiting: &Rows) -> bool {
    let once = |rows: &Rows| rows.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let mut standing = Vec::new();
    for (agent, row) in served {
        standing.extend(row.iter().map(|&session| (session, Ok(*agent))));
    }
    for (pool, row) in waiting {
        standing.extend(row.iter().map(|&session| (session, Err(*pool))));
    }
    standing.sort_unstable();
    let placed = |(number, session): (u32, &Session)| match session.place {
        SessionPlace::Agent(agent) => Some((number, Ok(agent))),
        SessionPlace::Waiting { pool, .. } => Some((number, Err(pool))),
        SessionPlace::Bot | SessionPlace::Closed { .. } => None,
    };
    let placed = shop.sessions.iter().filter_map(placed);
    once(served) && once(waiting) && placed.eq(standing)
}

/// Builds the derived state.
fn build_derived_state(shop: &mut Shop, served: &Rows, waiting: &Rows) {
    for number in 0..shop.directory.agents.reach() {
        let agent = &mut shop.directory.agents[number];
        agent.routable = agent.post.as_ref().is_some_and(AgentProfile::routable);
    }
    for (agent, row) in served {
        shop.directory.agents[*agent].sessions = LinkedList::of(row, &mut shop.sessions);
    }
    for (pool, row) in waiting {
        shop.queue.waiting += row.len() as u32;
        for &session in row {
            if let SessionPlace::Waiting { rank, .. } = shop.sessions[session].place {
                shop.queue.pools[*pool].plain.insert((rank, session));
            }
        }
    }
    for (_, tie) in shop.ties.iter() {
        shop.buyers[tie.pair.0].held_by += 1;
    }
    for (number, session) in shop.sessions.iter() {
        let buyer = &mut shop.buyers[session.buyer];
        if !session.closed() {
            buyer.open_session = number;
        }
        buyer.held_by += u32::from(session.marks.forgotten);
        if let Some(late_at) = session.next_late() {
            shop.lates.set(number, late_at);
        }
    }
    shop.fresh_crews();
}
