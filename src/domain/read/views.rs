//! Views of a shop's agents, sessions and pools (contract, section 6).
//!
//! Views are read between events and change nothing. A view may be computed for a time after the shop's clock, because
//! waits grow without events.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::base::id::Id;
use crate::domain::base::ratio::Decimal;
use crate::domain::base::time::{Instant, OffsetTimestamp};
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::codes::{BlockCode, Presence, PresenceReason, Trigger};
use crate::domain::protocol::decision::DecisionType;
use crate::domain::protocol::event::ENTRIES;
use crate::domain::protocol::rating::Source;
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::agent::Agent;
use crate::domain::state::session::{Session, SessionPlace};
use crate::domain::state::shop::Shop;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// The `cursor` of the next page. `null` on the last page.
    #[schema(required)]
    pub next: Option<String>,
}

/// An agent that is configured.
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
    /// The number of open sessions, and of places that are still taken after sessions.
    pub load: u32,
    /// The number of places that are still taken after sessions (S8).
    pub wrapping: u32,
    /// The number of assignments on the current natural day of the shop (P2).
    pub today: u32,
    /// Why the shop set the agent away (R10e). Renewing a lease does not bring such an agent back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub held: Option<PresenceReason>,
}

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// With an agent or the bot.
    Open,
    /// In a pool.
    Waiting,
    /// Closed within the last 7 days (S1).
    Closed,
}

/// A session that is open, or was closed within the last 7 days.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's")]
#[schema(as = Session)]
pub struct SessionView {
    pub session: Id,
    pub buyer: Id,
    pub state: State,
    /// The agent of the session, or `bot`. For a closed session: its last agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub agent: Option<Id>,
    /// The entry of the session. Omitted once it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entry: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub question: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub order_status: Option<Id>,
    pub opened: OffsetTimestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub closed: Option<OffsetTimestamp>,
    /// The session's wait, if it is in a pool.
    #[serde(flatten)]
    #[schema(value_type = WaitView)]
    pub waits: Option<WaitView>,
    pub repeat_visit: bool,
    pub cards: Vec<CardView>,
    /// The shop's `seq` when the session was opened. The timeline starts after it.
    pub since_seq: u64,
}

/// The position of a session in a pool (R6).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's")]
#[schema(as = Wait)]
pub struct WaitView {
    #[schema(required = false)]
    pub pool: Box<str>,
    /// 1 is the next one.
    #[schema(required = false)]
    pub position: u32,
    #[schema(required = false)]
    pub since: OffsetTimestamp,
    /// The wait so far, in seconds.
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
    pub made: OffsetTimestamp,
    /// Whether a rating was submitted with the card.
    pub used: bool,
}

/// A pool with waiting sessions.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's")]
#[schema(as = Pool)]
pub struct PoolView {
    pub pool: Box<str>,
    pub waiting: u32,
    /// The wait of the first session, in seconds.
    pub longest_s: Decimal,
    /// The first session, which is next.
    pub head: Id,
}

/// What `invite.requested` would decide: the fields of `invite.sent` or of `invite.blocked`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's")]
#[schema(as = InvitePreview)]
pub struct InviteView {
    /// `invite.sent` or `invite.blocked`.
    #[schema(example = "invite.blocked")]
    pub r#type: &'static str,
    /// The card that would be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub card: Option<Id>,
    pub session: Id,
    pub buyer: Id,
    pub agent: Id,
    pub trigger: Trigger,
    /// The rules that block the invitation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub blocked_by: Vec<BlockCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retry_at: Option<OffsetTimestamp>,
}

/// Gauges of a shop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Routable agents that are online.
    pub agents_online: u32,
    /// Those of them whose load is below their capacity.
    pub agents_free: u32,
    /// Sessions with an agent or the bot.
    pub sessions_open: u64,
    /// Sessions in pools.
    pub sessions_waiting: u64,
}

/// The sort key of a session in its list: a number, then the id.
type Rank<'a> = (i64, &'a Id);

/// A configured agent, by id.
pub fn agent(shop: &Shop, agent: &str) -> Option<AgentView> {
    let number = shop.directory.agents.find(agent)?;
    agent_view(shop, &shop.directory.agents[number])
}

/// The presence of a configured agent, and why the shop holds it there, if it does (R10e).
pub fn presence_of(shop: &Shop, agent: &str) -> Option<(Presence, Option<PresenceReason>)> {
    let agent = &shop.directory.agents[shop.directory.agents.find(agent)?];
    let known = agent.post.as_ref();
    known.map(|_| (agent.presence, held(agent)))
}

fn held(agent: &Agent) -> Option<PresenceReason> {
    agent.held.then_some(PresenceReason::NoAnswer)
}

/// The configured agents by id: up to `limit` after `cursor`.
pub fn agents(shop: &Shop, cursor: Option<&str>, limit: usize) -> Page<AgentView> {
    let agents = shop.directory.agents.iter().map(|(_, agent)| agent);
    let listed = agents.filter(|agent| agent.post.is_some());
    let behind = listed.filter(|agent| cursor.is_none_or(|cursor| agent.id.as_str() > cursor));
    let (listed, more) = first(behind.map(|agent| (&agent.id, agent)).collect(), limit);
    let last = listed.last().filter(|_| more);
    Page {
        next: last.map(|(id, _)| id.to_string()),
        items: listed
            .into_iter()
            .filter_map(|(_, agent)| agent_view(shop, agent))
            .collect(),
    }
}

fn agent_view(shop: &Shop, agent: &Agent) -> Option<AgentView> {
    let post = agent.post.as_ref()?;
    Some(AgentView {
        agent: agent.id.clone(),
        name: post.name.clone(),
        roles: post.roles.clone(),
        capacity: post.capacity,
        weight: post.weight,
        presence: agent.presence,
        load: agent.load(),
        wrapping: agent.wrapping_up.len(),
        today: agent.on_day(shop.span.day).assigned,
        held: held(agent),
    })
}

/// A session by id, if it is open or was closed within the last 7 days. Its wait is computed at `at`.
pub fn session(shop: &Shop, session: &str, at: Instant) -> Option<SessionView> {
    let number = shop.sessions.find(session)?;
    let record = &shop.sessions[number];
    let position = match record.place {
        SessionPlace::Waiting { pool, rank, .. } => shop.queue.pools[pool].position((rank, number)),
        SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. } => 0,
    };
    Some(session_view(shop, number, position, at))
}

/// The sessions of a state: up to `limit` after `cursor`. Open sessions are ordered by opening, waiting ones by the
/// longest wait, closed ones by the latest close.
///
/// An invalid cursor is ignored.
pub fn sessions(
    shop: &Shop,
    state: State,
    cursor: Option<&str>,
    limit: usize,
    at: Instant,
) -> Page<SessionView> {
    let mut listed = Vec::new();
    match state {
        State::Waiting => {
            for (_, pool) in shop.queue.pools.iter() {
                listed.extend(pool.sessions().zip(1..));
            }
        }
        State::Open | State::Closed => {
            let sessions = shop.sessions.iter();
            let listable = sessions
                .filter(|(_, session)| state_of(session) == state && !session.marks.forgotten);
            listed.extend(listable.map(|(number, _)| (number, 0)));
        }
    }
    let begin = cursor.and_then(read_cursor);
    let ranked = listed.into_iter().map(|place| (rank(shop, place.0), place));
    let behind =
        ranked.filter(|((rank, id), _)| begin.is_none_or(|begin| (*rank, id.as_str()) > begin));
    let (listed, more) = first(behind.collect(), limit);
    let last = listed.last().filter(|_| more);
    Page {
        next: last.map(|((rank, id), _)| format!("{rank}.{id}")),
        items: listed
            .into_iter()
            .map(|(_, (number, position))| session_view(shop, number, position, at))
            .collect(),
    }
}

fn rank(shop: &Shop, session: u32) -> Rank<'_> {
    let record = &shop.sessions[session];
    let rank = match record.place {
        SessionPlace::Bot | SessionPlace::Agent(_) => record.opened.ms(),
        SessionPlace::Waiting { rank, .. } => rank.ticket as i64,
        SessionPlace::Closed { at } => -at.ms(),
    };
    (rank, &record.id)
}

fn session_view(shop: &Shop, number: u32, position: u32, at: Instant) -> SessionView {
    let record = &shop.sessions[number];
    let agent = record.answerable().map(|agent| shop.agent_id(agent));
    let attributes = record.attributes.as_deref();
    let (closed, waits) = match record.place {
        SessionPlace::Closed { at } => (Some(shop.stamp(at)), None),
        SessionPlace::Waiting { pool, since, .. } => {
            let waits = WaitView {
                pool: shop.queue.pools[pool].name().into(),
                position,
                since: shop.stamp(since),
                waited: Decimal::seconds(at - since),
            };
            (None, Some(waits))
        }
        SessionPlace::Bot | SessionPlace::Agent(_) => (None, None),
    };
    let cards = record.cards.iter().enumerate();
    SessionView {
        session: record.id.clone(),
        buyer: shop.buyers[record.buyer].id.clone(),
        state: state_of(record),
        agent,
        entry: (closed.is_none()).then(|| {
            attributes.map_or_else(
                || RoutingAttributes::default().entry_id(),
                RoutingAttributes::entry_id,
            )
        }),
        question: attributes.and_then(|attributes| attributes.question.clone()),
        order_status: attributes.and_then(|attributes| attributes.order_status.clone()),
        opened: shop.stamp(record.opened),
        closed,
        waits,
        repeat_visit: record.marks.repeat_visit,
        cards: cards
            .map(|(place, card)| CardView {
                card: shop.card_id(number, place),
                agent: shop.agent_id(card.agent),
                source: card.source,
                made: shop.stamp(card.made),
                used: card.used,
            })
            .collect(),
        since_seq: record.since_seq,
    }
}

/// What `invite.requested` by the session's agent would decide at an instant.
///
/// # Errors
///
/// The event would be rejected.
pub fn invite(shop: &Shop, session: &Id, at: Instant) -> Result<InviteView, Rejection> {
    let checked = shop.check_manual_invite(session, at)?;
    let kind = match checked.card {
        Some(_) => DecisionType::InviteSent,
        None => DecisionType::InviteBlocked,
    };
    Ok(InviteView {
        r#type: kind.code(),
        card: checked.card,
        session: checked.session,
        buyer: checked.buyer,
        agent: checked.agent,
        trigger: Trigger::Manual,
        blocked_by: checked.blocked_by,
        retry_at: checked.retry_at,
    })
}

/// The pools with waiting sessions by name, computed at an instant.
pub fn pools(shop: &Shop, at: Instant) -> Vec<PoolView> {
    let pools = shop.queue.pools.iter();
    let mut pools: Vec<PoolView> = pools
        .filter_map(|(_, pool)| {
            let head = &shop.sessions[pool.sessions().next()?];
            let longest = match head.place {
                SessionPlace::Waiting { since, .. } => at - since,
                SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. } => {
                    return None;
                }
            };
            Some(PoolView {
                pool: pool.name().into(),
                waiting: pool.len() as u32,
                longest_s: Decimal::seconds(longest),
                head: head.id.clone(),
            })
        })
        .collect();
    pools.sort_unstable_by(|a, b| a.pool.cmp(&b.pool));
    pools
}

/// The menu of an entry. `None` if the entry is neither built in nor in the policy.
pub fn questions(shop: &Shop, entry: &str) -> Option<Vec<Id>> {
    match shop.policy.routing.entries.get(entry) {
        Some(entry) => Some(entry.questions.keys().cloned().collect()),
        None => ENTRIES.contains(&entry).then(Vec::new),
    }
}

/// Counts of agents and sessions, for metrics.
pub fn counts(shop: &Shop) -> Counts {
    let waiting = u64::from(shop.queue.waiting);
    let mut counts = Counts {
        agents_online: 0,
        agents_free: 0,
        sessions_open: shop.totals.opened - shop.totals.closed - waiting,
        sessions_waiting: waiting,
    };
    for (_, agent) in shop.directory.agents.iter() {
        let online = agent.routable && agent.presence == Presence::Online;
        counts.agents_online += u32::from(online);
        counts.agents_free += u32::from(agent.free(shop.policy.routing.queue.mode));
    }
    counts
}

fn state_of(session: &Session) -> State {
    match session.place {
        SessionPlace::Bot | SessionPlace::Agent(_) => State::Open,
        SessionPlace::Waiting { .. } => State::Waiting,
        SessionPlace::Closed { .. } => State::Closed,
    }
}

/// The first `limit` items in key order, and whether there are more.
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
