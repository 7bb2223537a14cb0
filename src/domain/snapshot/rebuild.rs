//! The stored parts of a shop, for all forms, and the shop built from them.
//!
//! Derived state is in no form and is built here: indices, lists, the queue, agent groups and the heap of what
//! becomes late. Numbers that refer to nothing are an error.

use std::collections::{BTreeMap, VecDeque};

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
use crate::domain::state::timers::{Timer, Timers};
use crate::domain::state::totals::Totals;

/// Sessions in their order, by the number of their agent.
pub(super) type Rows = Vec<(u32, Vec<u32>)>;

/// All stored parts of a shop, in live types.
pub(super) struct Parts {
    pub(super) id: Id,
    pub(super) policy: Policy,
    pub(super) now: Instant,
    pub(super) seq: u64,
    pub(super) horizon: Duration,
    pub(super) lateness: Duration,
    pub(super) open_now: bool,
    pub(super) overdue_may_move: bool,
    pub(super) agents: Agents,
    pub(super) sessions: SlabMap<Session>,
    pub(super) buyers: SlabMap<Buyer>,
    pub(super) ties: SlabMap<BuyerAgentHistory>,
    pub(super) blocks: BTreeMap<u32, Option<Instant>>,
    pub(super) pools: SlabMap<Pool>,
    pub(super) tickets: u64,
    /// The open sessions of every agent that has any.
    pub(super) served: Rows,
    /// The closed sessions whose places are still taken, of every agent that has any (S8).
    pub(super) wrapping_up: Rows,
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
        let known = |length: &Duration| {
            (Duration::ZERO..=Duration::days(DURATION_DAYS_MAX)).contains(length)
        };
        let lengths_known = [self.horizon, self.lateness].iter().all(known);
        // A release that followed any clock may have stored a time after the valid years of events. Such a shop can be
        // read, but its owner accepts no events for it.
        if !lengths_known || !self.now.can_be_written() {
            return Err("a clock, a horizon or a lateness out of range".into());
        }
        let mut shop = Shop::new(self.id, self.policy, self.now);
        shop.seq = self.seq;
        // They are at least those of the policy already.
        shop.horizon = shop.horizon.max(self.horizon);
        shop.lateness = shop.lateness.max(self.lateness);
        shop.open_now = self.open_now;
        shop.overdue_may_move = self.overdue_may_move;
        shop.directory.agents = self.agents;
        shop.sessions = self.sessions;
        shop.buyers = self.buyers;
        shop.ties = self.ties;
        shop.blocks = self.blocks;
        shop.queue.pools = self.pools;
        shop.queue.tickets = self.tickets;
        shop.timers = self.timers;
        shop.days = self.days;
        shop.scores = self.scores;
        shop.closed = self.closed;
        shop.remembered = self.remembered;
        shop.totals = self.totals;
        let sound = references_exist(&mut shop)
            && lists_match_places(&shop, &self.served)
            && lists_match_wrap_ups(&shop, &self.wrapping_up);
        if !sound {
            return Err("a number that leads nowhere".into());
        }
        build_derived_state(&mut shop, &self.served, &self.wrapping_up);
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
    let known_agents = |session: &Session| {
        let (server, round) = (session.server, session.round);
        somebody(server)
            && place(session.place)
            && round.is_none_or(|round| agent(round.agent))
            && session.cards.iter().all(|card| agent(card.agent))
            && session.passed().iter().all(|&passed| agent(passed))
    };
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
        && shop.blocks.keys().all(|&buyer| buyers.get(buyer).is_some())
        && closed_list_is_complete(shop)
        && sessions.iter().all(|(_, session)| {
            buyers.get(session.buyer).is_some()
                && known_agents(session)
                && session.passed().is_sorted_by(|a, b| a < b)
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

/// The sessions of the lists of agents, each with its agent, in the order of sessions. `None` if an agent has two lists.
fn listed(rows: &Rows) -> Option<Vec<(u32, u32)>> {
    let once = rows.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let rows = rows.iter();
    let mut listed: Vec<(u32, u32)> = rows
        .flat_map(|(agent, row)| row.iter().map(|&session| (session, *agent)))
        .collect();
    listed.sort_unstable();
    once.then_some(listed)
}

/// Checks that every session with an agent is in exactly the list of that agent.
fn lists_match_places(shop: &Shop, served: &Rows) -> bool {
    let sessions = shop.sessions.iter();
    let placed = sessions.filter_map(|(number, session)| Some((number, session.agent()?)));
    listed(served).is_some_and(|listed| placed.eq(listed))
}

/// Checks that every closed session whose place is still taken is in exactly the list of its last agent.
fn lists_match_wrap_ups(shop: &Shop, wrapping_up: &Rows) -> bool {
    let sessions = shop.sessions.iter();
    let wrap_ups = sessions.filter(|(number, session)| {
        shop.timers.due(*number, Timer::WrapUp).is_some() && session.closed()
    });
    let wrap_ups = wrap_ups.map(|(number, session)| (number, session.server));
    let agents = &shop.directory.agents;
    let known = wrapping_up
        .iter()
        .all(|(agent, _)| agents.get(*agent).is_some());
    known && listed(wrapping_up).is_some_and(|listed| wrap_ups.eq(listed))
}

/// Builds the derived state.
fn build_derived_state(shop: &mut Shop, served: &Rows, wrapping_up: &Rows) {
    for number in 0..shop.directory.agents.reach() {
        let agent = &mut shop.directory.agents[number];
        agent.routable = agent.post.as_ref().is_some_and(AgentProfile::routable);
    }
    for (agent, row) in served {
        shop.directory.agents[*agent].sessions = LinkedList::of(row, &mut shop.sessions);
    }
    for (agent, row) in wrapping_up {
        shop.directory.agents[*agent].wrapping_up = LinkedList::of(row, &mut shop.sessions);
    }
    for (_, tie) in shop.ties.iter() {
        shop.buyers[tie.pair.0].held_by += 1;
    }
    for &buyer in shop.blocks.keys() {
        shop.buyers[buyer].held_by += 1;
    }
    let mut waiting = Vec::new();
    for (number, session) in shop.sessions.iter() {
        let buyer = &mut shop.buyers[session.buyer];
        if !session.closed() {
            buyer.open_session = number;
        }
        buyer.held_by += u32::from(session.marks.forgotten);
        if let Some(late_at) = session.next_late() {
            shop.lates.set(number, late_at);
        }
        if let (true, Some(debt)) = (session.marks.overdue, session.debt) {
            shop.overdue.insert((debt, session.opened_as, number));
        }
        if let SessionPlace::Waiting { rank, .. } = session.place {
            waiting.push((rank, number));
        }
    }
    shop.fresh_crews();
    // In the order of the queue each joins at the end of its pool.
    waiting.sort_unstable();
    shop.queue.waiting = waiting.len() as u32;
    for (_, session) in waiting {
        shop.join_queue(session);
    }
}
