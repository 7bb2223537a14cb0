//! Views: what a shop shows of its agents, sessions and pools (contract, section 6).
//!
//! They are read between events and change nothing. What is asked for by an instant may be asked for later than the
//! shop's clock: a wait goes on while nothing happens.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::base::id::Id;
use crate::domain::base::ratio::Decimal;
use crate::domain::base::time::{Instant, Stamp};
use crate::domain::policy::routing_attributes::Ask;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::event::ENTRIES;
use crate::domain::protocol::rating::Source;
use crate::domain::state::agent::Agent;
use crate::domain::state::session::{Session, SessionPlace};
use crate::domain::state::shop::Shop;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Page<T> {
    /// What is listed here.
    pub items: Vec<T>,
    /// The `cursor` of the next page; `null` on the last.
    #[schema(required)]
    pub next: Option<String>,
}

/// An agent that has a post.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's")]
#[schema(as = Agent)]
pub struct AgentView {
    pub agent: Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    pub roles: Vec<Id>,
    pub capacity: u32,
    pub weight: u32,
    #[serde(serialize_with = "presence")]
    pub presence: Presence,
    /// Its open sessions.
    pub load: u32,
    /// What it was assigned on the natural day of the shop's clock (P2).
    pub today: u32,
}

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// With an agent or the bot.
    Open,
    /// In a pool.
    Waiting,
    /// Over, and still remembered (S1).
    Closed,
}

/// A session that is open or remembered.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's")]
#[schema(as = Session)]
pub struct SessionView {
    pub session: Id,
    pub buyer: Id,
    pub state: State,
    /// Who has it, `bot` included; who had it last, where it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub agent: Option<Id>,
    /// What it came with, as long as it is not closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entry: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub question: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub order_status: Option<Id>,
    pub opened: Stamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub closed: Option<Stamp>,
    /// Where it waits, if it does.
    #[serde(flatten)]
    #[schema(value_type = WaitView)]
    pub waits: Option<WaitView>,
    pub repeat_visit: bool,
    pub cards: Vec<CardView>,
    /// The shop's `seq` as it was opened: its timeline begins after it.
    pub since_seq: u64,
}

/// A session's place in a pool (R6).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's")]
#[schema(as = Wait)]
pub struct WaitView {
    #[schema(required = false)]
    pub pool: Box<str>,
    /// 1 = next.
    #[schema(required = false)]
    pub position: u32,
    #[schema(required = false)]
    pub since: Stamp,
    /// In seconds.
    #[schema(required = false)]
    pub waited: Decimal,
}

/// A rating card of a session.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's")]
#[schema(as = Card)]
pub struct CardView {
    pub card: Id,
    pub agent: Id,
    pub source: Source,
    pub made: Stamp,
    /// Whether its rating was submitted.
    pub used: bool,
}

/// A pool in which somebody waits.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's")]
#[schema(as = Pool)]
pub struct PoolView {
    pub pool: Box<str>,
    pub waiting: u32,
    /// How long its head has waited, in seconds.
    pub longest_s: Decimal,
    /// The session that is next.
    pub head: Id,
}

/// How many there are of what is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Routable agents that are online.
    pub agents_online: u32,
    /// Of them, those with a place left.
    pub agents_free: u32,
    /// Sessions with an agent or the bot.
    pub sessions_open: u64,
    /// Sessions in pools.
    pub sessions_waiting: u64,
}

/// Where a session stands in its list: by this number, then by its id.
type Rank<'a> = (i64, &'a Id);

impl Shop {
    /// An agent by its id, while it has a post.
    pub fn agent(&self, agent: &str) -> Option<AgentView> {
        let number = self.roster.agents.find(agent)?;
        self.agent_view(&self.roster.agents[number])
    }

    /// Where an agent is, while it has a post.
    pub fn presence_of(&self, agent: &str) -> Option<Presence> {
        let agent = &self.roster.agents[self.roster.agents.find(agent)?];
        agent.post.as_ref().map(|_| agent.presence)
    }

    /// The agents that have a post, by id: up to `limit` of those behind `cursor`.
    pub fn agents(&self, cursor: Option<&str>, limit: usize) -> Page<AgentView> {
        let agents = self.roster.agents.iter().map(|(_, agent)| agent);
        let listed = agents.filter(|agent| agent.post.is_some());
        let behind = listed.filter(|agent| cursor.is_none_or(|cursor| agent.id.as_str() > cursor));
        let (listed, more) = first(behind.map(|agent| (&agent.id, agent)).collect(), limit);
        let last = listed.last().filter(|_| more);
        Page {
            next: last.map(|(id, _)| id.to_string()),
            items: listed
                .into_iter()
                .filter_map(|(_, agent)| self.agent_view(agent))
                .collect(),
        }
    }

    fn agent_view(&self, agent: &Agent) -> Option<AgentView> {
        let post = agent.post.as_ref()?;
        Some(AgentView {
            agent: agent.id.clone(),
            name: post.name.clone(),
            roles: post.roles.clone(),
            capacity: post.capacity,
            weight: post.weight,
            presence: agent.presence,
            load: agent.load(),
            today: agent.on_day(self.stretch.day).assigned,
        })
    }

    /// A session by its id, while it is open or remembered; its wait is that of `at`.
    pub fn session(&self, session: &str, at: Instant) -> Option<SessionView> {
        let number = self.sessions.find(session)?;
        let record = &self.sessions[number];
        let position = match record.place {
            SessionPlace::Waiting { pool, .. } => {
                let row = self.queue.pools[pool].waiting.iter(&self.sessions);
                row.zip(1..).find(|&(other, _)| other == number)
            }
            SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. } => None,
        };
        let position = position.map_or(0, |(_, position)| position);
        Some(self.session_view(number, position, at))
    }

    /// The sessions of a state, up to `limit` of those behind `cursor`: the open ones by their opening, the waiting ones
    /// by who waits longest, the closed ones by their close, the latest first.
    ///
    /// A cursor that no page gave is as if there were none.
    pub fn sessions(
        &self,
        state: State,
        cursor: Option<&str>,
        limit: usize,
        at: Instant,
    ) -> Page<SessionView> {
        let mut listed = Vec::new();
        match state {
            State::Waiting => {
                for (_, pool) in self.queue.pools.iter() {
                    let row = pool.waiting.iter(&self.sessions);
                    listed.extend(row.zip(1..));
                }
            }
            State::Open | State::Closed => {
                let sessions = self.sessions.iter();
                let listable = sessions
                    .filter(|(_, session)| state_of(session) == state && !session.marks.forgotten);
                listed.extend(listable.map(|(number, _)| (number, 0)));
            }
        }
        let begin = cursor.and_then(read_cursor);
        let ranked = listed.into_iter().map(|place| (self.rank(place.0), place));
        let behind =
            ranked.filter(|((rank, id), _)| begin.is_none_or(|begin| (*rank, id.as_str()) > begin));
        let (listed, more) = first(behind.collect(), limit);
        let last = listed.last().filter(|_| more);
        Page {
            next: last.map(|((rank, id), _)| format!("{rank}.{id}")),
            items: listed
                .into_iter()
                .map(|(_, (number, position))| self.session_view(number, position, at))
                .collect(),
        }
    }

    fn rank(&self, session: u32) -> Rank<'_> {
        let record = &self.sessions[session];
        let rank = match record.place {
            SessionPlace::Bot | SessionPlace::Agent(_) => record.opened.ms(),
            SessionPlace::Waiting { ticket, .. } => ticket as i64,
            SessionPlace::Closed { at } => -at.ms(),
        };
        (rank, &record.id)
    }

    fn session_view(&self, number: u32, position: u32, at: Instant) -> SessionView {
        let record = &self.sessions[number];
        let agent = record.answerable().map(|agent| self.agent_id(agent));
        let ask = record.ask.as_deref();
        let (closed, waits) = match record.place {
            SessionPlace::Closed { at } => (Some(self.stamp(at)), None),
            SessionPlace::Waiting { pool, since, .. } => {
                let waits = WaitView {
                    pool: self.queue.pools[pool].name().into(),
                    position,
                    since: self.stamp(since),
                    waited: Decimal::seconds(at - since),
                };
                (None, Some(waits))
            }
            SessionPlace::Bot | SessionPlace::Agent(_) => (None, None),
        };
        let cards = record.cards.iter().enumerate();
        SessionView {
            session: record.id.clone(),
            buyer: self.buyers[record.buyer].id.clone(),
            state: state_of(record),
            agent,
            entry: (closed.is_none())
                .then(|| ask.map_or_else(|| Ask::default().entry_id(), Ask::entry_id)),
            question: ask.and_then(|ask| ask.question.clone()),
            order_status: ask.and_then(|ask| ask.order_status.clone()),
            opened: self.stamp(record.opened),
            closed,
            waits,
            repeat_visit: record.marks.repeat_visit,
            cards: cards
                .map(|(place, card)| CardView {
                    card: self.card_id(number, place),
                    agent: self.agent_id(card.agent),
                    source: card.source,
                    made: self.stamp(card.made),
                    used: card.used,
                })
                .collect(),
            since_seq: record.since_seq,
        }
    }

    /// The pools in which somebody waits, by name, as of an instant.
    pub fn pools(&self, at: Instant) -> Vec<PoolView> {
        let pools = self.queue.pools.iter();
        let mut pools: Vec<PoolView> = pools
            .filter_map(|(_, pool)| {
                let head = &self.sessions[pool.waiting.first()?];
                let longest = match head.place {
                    SessionPlace::Waiting { since, .. } => at - since,
                    SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. } => {
                        return None;
                    }
                };
                Some(PoolView {
                    pool: pool.name().into(),
                    waiting: pool.waiting.len(),
                    longest_s: Decimal::seconds(longest),
                    head: head.id.clone(),
                })
            })
            .collect();
        pools.sort_unstable_by(|a, b| a.pool.cmp(&b.pool));
        pools
    }

    /// The questions that a buyer may choose from at an entry; `None` where neither every shop nor the policy has it.
    pub fn questions(&self, entry: &str) -> Option<Vec<Id>> {
        match self.policy.routing.entries.get(entry) {
            Some(entry) => Some(entry.questions.keys().cloned().collect()),
            None => ENTRIES.contains(&entry).then(Vec::new),
        }
    }

    /// How many agents and sessions there are, for those who watch the shop.
    pub fn counts(&self) -> Counts {
        let waiting = u64::from(self.queue.waiting);
        let mut counts = Counts {
            agents_online: 0,
            agents_free: 0,
            sessions_open: self.totals.opened - self.totals.closed - waiting,
            sessions_waiting: waiting,
        };
        for (_, agent) in self.roster.agents.iter() {
            let online = agent.routable && agent.presence == Presence::Online;
            counts.agents_online += u32::from(online);
            counts.agents_free += u32::from(agent.free());
        }
        counts
    }
}

fn state_of(session: &Session) -> State {
    match session.place {
        SessionPlace::Bot | SessionPlace::Agent(_) => State::Open,
        SessionPlace::Waiting { .. } => State::Waiting,
        SessionPlace::Closed { .. } => State::Closed,
    }
}

/// The first `limit` by their keys, in order, and whether there are more.
fn first<K: Ord + Copy, T>(mut all: Vec<(K, T)>, limit: usize) -> (Vec<(K, T)>, bool) {
    let more = all.len() > limit;
    if more {
        all.select_nth_unstable_by_key(limit, |(key, _)| *key);
        all.truncate(limit);
    }
    all.sort_unstable_by_key(|(key, _)| *key);
    (all, more)
}

fn read_cursor(cursor: &str) -> Option<(i64, &str)> {
    let (rank, id) = cursor.split_once('.')?;
    Some((rank.parse().ok()?, id))
}

fn presence<S: serde::Serializer>(presence: &Presence, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(presence.code())
}
