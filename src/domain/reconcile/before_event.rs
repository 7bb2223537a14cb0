//! The parts of a shop's state before an event that the event can change and the record may contradict.

use std::collections::BTreeMap;

use super::recorded::{RecordedBody, RecordedOutcome};
use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::collections::slab_map::NOBODY;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::event::{Event, EventBody, RatedOn};
use crate::domain::state::buyer::{BuyerAgentHistory, WHOLE_SHOP};
use crate::domain::state::session::{SessionFlags, SessionPlace, TakenBack};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::{ShopTimer, Timer};

/// The state of a shop before an event.
#[derive(Default)]
pub(super) struct Before {
    sessions: BTreeMap<u32, SessionBefore>,
    buyers: BTreeMap<u32, BuyerBefore>,
    ties: Vec<BuyerAgentHistory>,
    /// By number.
    agents: Vec<AgentBefore>,
    /// Whether the shop was open by its opening hours (H3).
    pub(super) open_now: bool,
}

/// The state of an agent before the event.
#[derive(Clone, Copy)]
pub(super) struct AgentBefore {
    /// The `seq` of its latest assignment.
    pub(super) last_assigned: u64,
    pub(super) presence: Presence,
    pub(super) presence_since: Instant,
    pub(super) held: bool,
    pub(super) misses: u32,
}

/// The state of a session before the event.
#[derive(Clone)]
pub(super) struct SessionBefore {
    pub(super) place: SessionPlace,
    /// The name of its pool, if it waited.
    pub(super) pool: Option<Box<str>>,
    pub(super) server: u32,
    pub(super) marks: SessionFlags,
    pub(super) attributes: Option<Box<RoutingAttributes>>,
    pub(super) cards: usize,
    pub(super) reply_due: Option<Instant>,
    pub(super) reply_overdue: Option<Instant>,
    pub(super) queue_due: Option<Instant>,
    pub(super) left_due: Option<Instant>,
    pub(super) take_back_due: Option<Instant>,
    pub(super) assigned_at: Instant,
    pub(super) debt: Option<Instant>,
    pub(super) taken_back: Option<Box<TakenBack>>,
}

/// The state of a buyer before the event.
#[derive(Clone, Copy)]
pub(super) struct BuyerBefore {
    pub(super) recent_agent: u32,
    pub(super) recent_until: Instant,
    pub(super) auto_invited_at: Instant,
    pub(super) auto_invites: (Day, u32),
}

impl Before {
    /// Captures the state before the event of a record.
    pub(super) fn capture(
        shop: &Shop,
        event: Option<&Event>,
        recorded: &RecordedOutcome<'_>,
    ) -> Before {
        let agents = shop.directory.agents.iter();
        let agents = agents.map(|(_, agent)| AgentBefore {
            last_assigned: agent.last_assigned,
            presence: agent.presence,
            presence_since: agent.presence_since,
            held: agent.held,
            misses: agent.misses,
        });
        let mut before = Before {
            agents: agents.collect(),
            open_now: shop.open_now,
            ..Before::default()
        };
        let mut look = |session: u32| before.add_session(shop, session);
        for (_, pool) in shop.queue.pools.iter() {
            pool.sessions().for_each(&mut look);
        }
        for armed in shop.timers.armed() {
            if armed.due <= recorded.at {
                look(armed.session);
            }
        }
        for &(_, _, session) in &shop.overdue {
            look(session);
        }
        if may_hand_over(shop, event, recorded.at) {
            let agents = shop.directory.agents.iter();
            let offline = agents.filter(|(_, agent)| agent.presence == Presence::Offline);
            for (_, agent) in offline {
                agent.sessions.iter(&shop.sessions).for_each(&mut look);
            }
        }
        for decision in recorded.decisions {
            if let Some(session) = session_of(&decision.body) {
                shop.sessions.find(session).into_iter().for_each(&mut look);
            }
        }
        if let Some(event) = event {
            let sessions = sessions_of_event(shop, &event.what);
            sessions.into_iter().for_each(&mut look);
            if let EventBody::SessionOpened { buyer, .. } = &event.what
                && let Some(buyer) = shop.buyers.find(buyer)
            {
                before.add_buyer(shop, buyer, std::iter::empty());
            }
        }
        before
    }

    fn add_session(&mut self, shop: &Shop, session: u32) {
        let Some(record) = shop.sessions.get(session) else {
            return;
        };
        let pool = match record.place {
            SessionPlace::Waiting { pool, .. } => shop.queue.pools.get(pool),
            SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. } => None,
        };
        let due = |timer| shop.timers.due(session, timer);
        let stood = SessionBefore {
            place: record.place,
            pool: pool.map(|pool| pool.name().into()),
            server: record.server,
            marks: record.marks,
            attributes: record.attributes.clone(),
            cards: record.cards.len(),
            reply_due: due(Timer::ReplyDue),
            reply_overdue: due(Timer::ReplyOverdue),
            queue_due: due(Timer::Queue),
            left_due: due(Timer::Left),
            take_back_due: due(Timer::TakeBack),
            assigned_at: record.assigned_at,
            debt: record.debt,
            taken_back: record.taken_back.clone(),
        };
        if self.sessions.insert(session, stood).is_some() {
            return;
        }
        let agents = record.cards.iter().map(|card| card.agent);
        self.add_buyer(shop, record.buyer, agents.chain([record.server]));
    }

    fn add_buyer(&mut self, shop: &Shop, number: u32, agents: impl Iterator<Item = u32>) {
        let Some(buyer) = shop.buyers.get(number) else {
            return;
        };
        let stood = BuyerBefore {
            recent_agent: buyer.recent_agent,
            recent_until: buyer.recent_until,
            auto_invited_at: buyer.auto_invited_at,
            auto_invites: buyer.auto_invites,
        };
        self.buyers.insert(number, stood);
        for agent in agents.chain([WHOLE_SHOP]) {
            if let Some(tie) = shop.ties.find(&(number, agent)) {
                self.ties.push(shop.ties[tie]);
            }
        }
    }

    /// The state of the session. `None` if it did not exist or could not change.
    pub(super) fn session(&self, session: u32) -> Option<&SessionBefore> {
        self.sessions.get(&session)
    }

    /// The state of the buyer. `None` if it did not exist or could not change.
    pub(super) fn buyer(&self, buyer: u32) -> Option<&BuyerBefore> {
        self.buyers.get(&buyer)
    }

    /// The history of a buyer with an agent.
    pub(super) fn tie(&self, buyer: u32, agent: u32) -> BuyerAgentHistory {
        let known = self.ties.iter().find(|tie| tie.pair == (buyer, agent));
        known
            .copied()
            .unwrap_or(BuyerAgentHistory::new(buyer, agent))
    }

    /// The state of the agent. `None` if it did not exist.
    pub(super) fn agent(&self, agent: u32) -> Option<&AgentBefore> {
        self.agents.get(agent as usize)
    }
}

/// Whether the event, or a timer before it, may hand over the sessions of offline agents (R5b).
fn may_hand_over(shop: &Shop, event: Option<&Event>, at: Instant) -> bool {
    let mut own = shop.timers.own();
    own.any(|(due, _, timer)| timer == ShopTimer::Hours && due <= at)
        || event.is_some_and(|event| match &event.what {
            EventBody::ShopConfigured { .. } => true,
            EventBody::PresenceChanged { presence, .. } => *presence == Presence::Online,
            EventBody::AgentConfigured { .. }
            | EventBody::AgentRemoved { .. }
            | EventBody::AgentReady { .. }
            | EventBody::SessionOpened { .. }
            | EventBody::SessionHandoff { .. }
            | EventBody::SessionTransferred { .. }
            | EventBody::SessionClosed { .. }
            | EventBody::SessionRanked { .. }
            | EventBody::BuyerLeft { .. }
            | EventBody::BuyerReturned { .. }
            | EventBody::BuyerMessage { .. }
            | EventBody::AgentMessage { .. }
            | EventBody::BotMessage { .. }
            | EventBody::InviteRequested { .. }
            | EventBody::RatingOpened { .. }
            | EventBody::RatingSubmitted { .. }
            | EventBody::BuyerFlagged { .. }
            | EventBody::BuyerRanked { .. }
            | EventBody::BuyerBlocked { .. }
            | EventBody::Clock => false,
        })
}

/// The sessions that an event concerns: the named one, those of its agent, and the open one of its buyer.
fn sessions_of_event(shop: &Shop, what: &EventBody) -> Vec<u32> {
    let one = |session: &Id| shop.sessions.find(session).into_iter().collect();
    match what {
        EventBody::SessionOpened { session, buyer, .. } => {
            let buyer = shop.buyers.find(buyer);
            let open = buyer.map(|buyer| shop.buyers[buyer].open_session);
            let open = open.filter(|&open| open != NOBODY);
            shop.sessions
                .find(session)
                .into_iter()
                .chain(open)
                .collect()
        }
        EventBody::SessionHandoff { session, .. }
        | EventBody::SessionTransferred { session, .. }
        | EventBody::SessionClosed { session, .. }
        | EventBody::SessionRanked { session, .. }
        | EventBody::BuyerLeft { session }
        | EventBody::BuyerReturned { session }
        | EventBody::BuyerMessage { session }
        | EventBody::AgentMessage { session, .. }
        | EventBody::BotMessage { session }
        | EventBody::InviteRequested { session, .. }
        | EventBody::RatingOpened { session, .. }
        | EventBody::RatingSubmitted {
            on: RatedOn::Session(session),
            ..
        } => one(session),
        EventBody::RatingSubmitted {
            on: RatedOn::Card(card),
            ..
        } => shop
            .find_card(card)
            .into_iter()
            .map(|found| found.0)
            .collect(),
        EventBody::BuyerRanked { buyer, .. } | EventBody::BuyerBlocked { buyer, .. } => {
            let buyer = shop.buyers.find(buyer);
            let open = buyer.map(|buyer| shop.buyers[buyer].open_session);
            open.filter(|&open| open != NOBODY).into_iter().collect()
        }
        EventBody::AgentRemoved { agent }
        | EventBody::AgentReady { agent }
        | EventBody::PresenceChanged { agent, .. } => {
            let agent = shop.directory.agents.find(agent);
            let row = agent.map(|agent| shop.directory.agents[agent].sessions);
            row.into_iter()
                .flat_map(|row| row.iter(&shop.sessions))
                .collect()
        }
        EventBody::ShopConfigured { .. }
        | EventBody::AgentConfigured { .. }
        | EventBody::BuyerFlagged { .. }
        | EventBody::Clock => Vec::new(),
    }
}

/// The session of a decision.
pub(super) fn session_of(decision: &RecordedBody) -> Option<&Id> {
    match decision {
        RecordedBody::Assigned { session, .. }
        | RecordedBody::Queued { session, .. }
        | RecordedBody::TakenBack { session, .. }
        | RecordedBody::Closed { session, .. }
        | RecordedBody::InviteSent { session, .. }
        | RecordedBody::InviteBlocked { session, .. }
        | RecordedBody::RatingOpened { session, .. }
        | RecordedBody::RatingRecorded { session, .. }
        | RecordedBody::ReplyDue { session }
        | RecordedBody::ReplyOverdue { session } => Some(session),
        RecordedBody::PresenceSet { .. }
        | RecordedBody::Hours { .. }
        | RecordedBody::Score { .. }
        | RecordedBody::DaySummed { .. }
        | RecordedBody::Rejected { .. }
        | RecordedBody::Other => None,
    }
}
