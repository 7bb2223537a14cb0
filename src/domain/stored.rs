//! The stored form of a shop: everything that a decision can follow from, so that one that is read back decides the
//! same bit by bit.
//!
//! It is written by any serde format, also one that does not describe itself. What follows from the rest is left out
//! and made anew: indices, rows, crews, the heap of lates, who is in which session. The same state gives the same
//! bytes: hash maps are written in order. The order of fields and variants is a promise; [`STORED_VERSION`] names it.
//!
//! Reading refuses numbers that lead nowhere. Whether the bytes are those that were written is for a checksum to say.

use std::collections::VecDeque;

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::agent::{Agents, BOT, BOT_ID, Post};
use super::buyer::{Buyer, Tie};
use super::chain::Chain;
use super::daybook::DayBooks;
use super::id::Id;
use super::policy::Policy;
use super::queue::Pool;
use super::receipt::Remembered;
use super::score::Scores;
use super::session::{Place, Session};
use super::shop::Shop;
use super::table::{NOBODY, Table};
use super::time::{DURATION_DAYS_MAX, Duration, Instant};
use super::timer::Timers;
use super::totals::Totals;

/// The form in which shops are written, and the one that is read.
pub const STORED_VERSION: u16 = 1;

/// Sessions in their order, by the number of their agent or pool.
type Rows = Vec<(u32, Vec<u32>)>;

#[derive(Serialize)]
struct Written<'a> {
    version: u16,
    id: &'a Id,
    /// As JSON, whole and merged.
    policy: String,
    now: Instant,
    seq: u64,
    horizon_ms: i64,
    agents: &'a Agents,
    sessions: &'a Table<Session>,
    buyers: &'a Table<Buyer>,
    ties: &'a Table<Tie>,
    pools: &'a Table<Pool>,
    tickets: u64,
    served: Rows,
    waiting: Rows,
    timers: &'a Timers,
    days: &'a DayBooks,
    scores: &'a Scores,
    closed: &'a VecDeque<(Instant, u32)>,
    remembered: &'a Remembered,
    totals: &'a Totals,
}

/// The fields of [`Written`], in the same order.
#[derive(Deserialize)]
struct Read {
    #[serde(rename = "version", deserialize_with = "version")]
    _version: u16,
    id: Id,
    policy: String,
    now: Instant,
    seq: u64,
    horizon_ms: i64,
    agents: Agents,
    sessions: Table<Session>,
    buyers: Table<Buyer>,
    ties: Table<Tie>,
    pools: Table<Pool>,
    tickets: u64,
    served: Rows,
    waiting: Rows,
    timers: Timers,
    days: DayBooks,
    scores: Scores,
    closed: VecDeque<(Instant, u32)>,
    remembered: Remembered,
    totals: Totals,
}

impl Serialize for Shop {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let row = |chain: &Chain| chain.iter(&self.sessions).collect();
        let (agents, pools) = (&self.roster.agents, &self.queue.pools);
        let served = agents.iter().filter(|(_, agent)| agent.load() > 0);
        let written = Written {
            version: STORED_VERSION,
            id: &self.id,
            policy: serde_json::to_string(&*self.policy).map_err(S::Error::custom)?,
            now: self.now,
            seq: self.seq,
            horizon_ms: self.horizon.ms(),
            agents,
            sessions: &self.sessions,
            buyers: &self.buyers,
            ties: &self.ties,
            pools,
            tickets: self.queue.tickets,
            served: served.map(|(n, agent)| (n, row(&agent.sessions))).collect(),
            waiting: pools
                .iter()
                .map(|(n, pool)| (n, row(&pool.waiting)))
                .collect(),
            timers: &self.timers,
            days: &self.days,
            scores: &self.scores,
            closed: &self.closed,
            remembered: &self.remembered,
            totals: &self.totals,
        };
        written.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Shop {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Shop, D::Error> {
        let read = Read::deserialize(from)?;
        read.shop().map_err(D::Error::custom)
    }
}

/// Another form is told at once, before anything of it is taken for something else.
fn version<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let version = u16::deserialize(from)?;
    if version != STORED_VERSION {
        return Err(D::Error::custom(format!(
            "a shop stored in form {version}, while this program reads form {STORED_VERSION}"
        )));
    }
    Ok(version)
}

impl Read {
    fn shop(self) -> Result<Shop, String> {
        let policy = serde_json::from_str(&self.policy).map_err(|error| error.to_string())?;
        let policy = Policy::parse(&policy).map_err(|error| error.to_string())?;
        let horizon = Duration::from_ms(self.horizon_ms);
        let horizon_known = (Duration::ZERO..=Duration::days(DURATION_DAYS_MAX)).contains(&horizon);
        if !horizon_known || !self.now.of_an_event() {
            return Err("a clock or a horizon out of range".to_owned());
        }
        let mut shop = Shop::new(self.id, policy, self.now);
        shop.seq = self.seq;
        shop.horizon = horizon;
        shop.roster.agents = self.agents;
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
        if !shop.numbers_lead_somewhere() || !shop.rows_hold(&self.served, &self.waiting) {
            return Err("a number that leads nowhere".to_owned());
        }
        shop.make_rest(&self.served, &self.waiting);
        Ok(shop)
    }
}

impl Shop {
    /// Whether every number that a record keeps is that of another.
    fn numbers_lead_somewhere(&mut self) -> bool {
        let timed = self.timers.find_places(self.sessions.reach());
        let (agents, sessions, buyers) = (&self.roster.agents, &self.sessions, &self.buyers);
        let agent = |number: u32| agents.get(number).is_some();
        let somebody = |number: u32| number == NOBODY || agent(number);
        let place = |place: Place| match place {
            Place::Agent(number) => agent(number),
            Place::Waiting { pool, .. } => self.queue.pools.get(pool).is_some(),
            Place::Bot | Place::Closed { .. } => true,
        };
        let known = |number: u32| sessions.get(number).is_some();
        let bot = agents.get(BOT).is_some_and(|bot| bot.id.as_str() == BOT_ID);
        bot && timed
            && agents
                .iter()
                .map(|(number, _)| number)
                .eq(0..agents.reach())
            && self.timers.sessions().all(known)
            && buyers.iter().all(|(_, buyer)| somebody(buyer.recent_agent))
            && self
                .ties
                .iter()
                .all(|(_, tie)| buyers.get(tie.pair.0).is_some())
            && self.closed_is_closed()
            && sessions.iter().all(|(_, session)| {
                let known = buyers.get(session.buyer).is_some() && somebody(session.server);
                known && place(session.place) && session.cards.iter().all(|card| agent(card.agent))
            })
    }

    /// Whether those that are to be forgotten are the closed sessions, each once.
    fn closed_is_closed(&self) -> bool {
        let mut listed: Vec<u32> = self.closed.iter().map(|&(_, session)| session).collect();
        listed.sort_unstable();
        let closed = |session: &Session| session.closed() && !session.marks.forgotten;
        let sessions = self.sessions.iter().filter(|(_, session)| closed(session));
        sessions.map(|(number, _)| number).eq(listed)
    }

    /// Whether every session that is with an agent or in a pool stands in that row and in no other.
    fn rows_hold(&self, served: &Rows, waiting: &Rows) -> bool {
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
            Place::Agent(agent) => Some((number, Ok(agent))),
            Place::Waiting { pool, .. } => Some((number, Err(pool))),
            Place::Bot | Place::Closed { .. } => None,
        };
        let placed = self.sessions.iter().filter_map(placed);
        once(served) && once(waiting) && placed.eq(standing)
    }

    /// Makes what follows from the rest.
    fn make_rest(&mut self, served: &Rows, waiting: &Rows) {
        for number in 0..self.roster.agents.reach() {
            let agent = &mut self.roster.agents[number];
            agent.routable = agent.post.as_ref().is_some_and(Post::routable);
        }
        for (agent, row) in served {
            self.roster.agents[*agent].sessions = Chain::of(row, &mut self.sessions);
        }
        for (pool, row) in waiting {
            self.queue.pools[*pool].waiting = Chain::of(row, &mut self.sessions);
            self.queue.waiting += row.len() as u32;
        }
        for (_, tie) in self.ties.iter() {
            self.buyers[tie.pair.0].held_by += 1;
        }
        for (number, session) in self.sessions.iter() {
            let buyer = &mut self.buyers[session.buyer];
            if !session.closed() {
                buyer.open_session = number;
            }
            buyer.held_by += u32::from(session.marks.forgotten);
            if let Some(late_at) = session.late_marks.iter().map(|mark| mark.late_at).min() {
                self.lates.set(number, late_at);
            }
        }
        self.fresh_crews();
    }
}

/// Hash maps and sets, written in order.
pub(super) mod sorted {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<'a, C, S>(all: &'a C, to: S) -> Result<S::Ok, S::Error>
    where
        &'a C: IntoIterator<Item: Ord + Serialize>,
        S: Serializer,
    {
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_unstable();
        all.serialize(to)
    }

    pub fn deserialize<'de, C, D>(from: D) -> Result<C, D::Error>
    where
        C: IntoIterator<Item: Deserialize<'de>> + FromIterator<<C as IntoIterator>::Item>,
        D: Deserializer<'de>,
    {
        Ok(Vec::deserialize(from)?.into_iter().collect())
    }
}

/// Hash maps whose values have no order.
pub(super) mod sorted_by_key {
    use super::{Serialize, Serializer};

    pub use super::sorted::deserialize;

    pub fn serialize<'a, C, K, V, S>(all: &'a C, to: S) -> Result<S::Ok, S::Error>
    where
        &'a C: IntoIterator<Item = (&'a K, &'a V)>,
        K: Ord + Serialize + 'a,
        V: Serialize + 'a,
        S: Serializer,
    {
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_unstable_by_key(|(key, _)| *key);
        all.serialize(to)
    }
}

/// What is counted by durations, which the wire language writes as text, by their milliseconds.
pub(super) mod by_duration {
    use std::collections::BTreeMap;

    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer};

    pub fn serialize<S: Serializer>(
        all: &BTreeMap<Duration, u64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let all: Vec<(i64, u64)> = all.iter().map(|(length, &n)| (length.ms(), n)).collect();
        all.serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Duration, u64>, D::Error> {
        let all = Vec::<(i64, u64)>::deserialize(from)?.into_iter();
        Ok(all.map(|(ms, n)| (Duration::from_ms(ms), n)).collect())
    }
}
