//! The places of sessions by the record: with an agent, in a pool, with the bot, or closed.

use std::collections::BTreeMap;

use super::before_event::{Before, SessionBefore};
use super::recorded::{RecordedBody, RecordedDecision, RecordedOutcome};
use super::recorded_entities::{agent_of_record, make_session, stand_at};
use crate::domain::base::calendar::LocalDaySpan;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::collections::slab_map::NOBODY;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::codes::WaitReason;
use crate::domain::protocol::event::{Event, EventBody};
use crate::domain::state::agent::BOT;
use crate::domain::state::agent_directory::RoutingScope;
use crate::domain::state::session::{QueueRank, SessionPlace};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

/// The place of a session.
enum Where<'a> {
    With(&'a Id),
    In(&'a str),
    Over,
}

/// The place that a decision gives to its session.
fn puts(decision: &RecordedBody) -> Option<(&Id, Where<'_>)> {
    match decision {
        RecordedBody::Assigned { session, agent, .. } => Some((session, Where::With(agent))),
        RecordedBody::Queued { session, pool, .. } => Some((session, Where::In(pool))),
        RecordedBody::Closed { session, .. } => Some((session, Where::Over)),
        RecordedBody::InviteSent { .. }
        | RecordedBody::InviteBlocked { .. }
        | RecordedBody::RatingOpened { .. }
        | RecordedBody::RatingRecorded { .. }
        | RecordedBody::ReplyDue { .. }
        | RecordedBody::ReplyOverdue { .. }
        | RecordedBody::Score { .. }
        | RecordedBody::Rejected { .. }
        | RecordedBody::Other => None,
    }
}

/// Moves every session that is not at its recorded place: to the place of its last recorded decision, or back to
/// its previous place.
pub(super) fn place_as_recorded(
    shop: &mut Shop,
    before: &Before,
    event: Option<&Event>,
    decided: &[RecordedDecision],
    (extra, missing): (&[&RecordedDecision], &[bool]),
    recorded: &RecordedOutcome<'_>,
    clock: (Instant, LocalDaySpan),
) {
    stand_at(shop, clock.0, clock);
    open_as_recorded(shop, event, recorded);
    let words = last_words(shop, recorded.decisions);
    let mut order: Vec<(Option<usize>, u32)> = Vec::new();
    let missing = recorded.decisions.iter().zip(missing);
    let missing = missing.filter(|(_, missing)| **missing);
    let moved = missing
        .map(|(decision, _)| decision)
        .chain(extra.iter().copied());
    let moved = moved.filter_map(|decision| puts(&decision.body));
    for session in moved.filter_map(|(session, _)| shop.sessions.find(session)) {
        order.push((words.get(&session).copied(), session));
    }
    // The same decisions in another order.
    for (session, word) in last_words(shop, decided) {
        if let Some(&last) = words.get(&session)
            && recorded.decisions[last].body != decided[word].body
        {
            order.push((Some(last), session));
        }
    }
    // Recorded places come last: of two sessions of one buyer the later decision wins.
    order.sort_unstable();
    order.dedup();
    for (word, session) in order {
        let decision = word.and_then(|word| recorded.decisions.get(word));
        match decision.and_then(|decision| Some((decision.at, puts(&decision.body)?.1))) {
            None => {
                stand_at(shop, clock.0, clock);
                put_back(shop, session, before);
            }
            Some((at, place)) => {
                stand_at(shop, at, clock);
                put(shop, session, place, before.session(session));
            }
        }
    }
    stand_at(shop, clock.0, clock);
}

/// For each session, the index of the last decision that places it.
fn last_words(shop: &Shop, decisions: &[RecordedDecision]) -> BTreeMap<u32, usize> {
    let words = decisions.iter().enumerate();
    let words = words.filter_map(|(word, decision)| Some((puts(&decision.body)?.0, word)));
    words
        .filter_map(|(session, word)| Some((shop.sessions.find(session)?, word)))
        .collect()
}

/// Moves a session to its recorded place.
fn put(shop: &mut Shop, session: u32, place: Where<'_>, stood: Option<&SessionBefore>) {
    match place {
        Where::With(agent) => {
            let agent = agent_of_record(shop, agent);
            put_with(shop, session, agent);
        }
        Where::In(pool) => {
            let scope = scope_named(shop, session, pool, stood);
            put_in_pool(shop, session, scope, stood);
        }
        Where::Over => return put_away(shop, session),
    }
    let record = &mut shop.sessions[session];
    if let (None, Some(stood)) = (&record.attributes, stood) {
        record.attributes = stood.attributes.clone();
    }
}

/// No decision opens a session with the bot. If the record accepts its opening, it exists.
fn open_as_recorded(shop: &mut Shop, event: Option<&Event>, recorded: &RecordedOutcome<'_>) {
    let Some(EventBody::SessionOpened { session, buyer, .. }) = event.map(|event| &event.what)
    else {
        return;
    };
    if recorded.rejection().is_some() || shop.sessions.find(session).is_some() {
        return;
    }
    shop.seq = recorded.seq_before.saturating_add(1);
    let (number, buyer) = make_session(shop, session, buyer, RoutingAttributes::default());
    shop.sessions[number].server = BOT;
    shop.totals.bot_only += 1;
    let_in(shop, number, buyer);
    shop.time_silence(number);
}

/// Makes the session the open one of its buyer. Closes another open session, which the record does not know.
pub(super) fn let_in(shop: &mut Shop, session: u32, buyer: u32) {
    let open = shop.buyers[buyer].open_session;
    if open != NOBODY && open != session {
        put_away(shop, open);
    }
    shop.buyers[buyer].open_session = session;
}

/// Moves a session back to its place before the event. If it did not exist, it goes to the bot, because no agent
/// was notified of it. A closed session stays closed if its buyer has another session by now.
fn put_back(shop: &mut Shop, session: u32, before: &Before) {
    let record = &shop.sessions[session];
    let open = shop.buyers[record.buyer].open_session;
    if record.closed() && open != NOBODY {
        return;
    }
    let Some(stood) = before.session(session) else {
        shop.totals.bot_only += u64::from(shop.sessions[session].server != BOT);
        return put_with(shop, session, BOT);
    };
    match stood.place {
        SessionPlace::Bot => put_with(shop, session, BOT),
        SessionPlace::Agent(agent) => put_with(shop, session, agent),
        SessionPlace::Waiting { .. } => {
            let pool = stood.pool.as_deref().unwrap_or_default();
            let scope = scope_named(shop, session, pool, Some(stood));
            put_in_pool(shop, session, scope, Some(stood));
        }
        SessionPlace::Closed { .. } => put_away(shop, session),
    }
    let record = &mut shop.sessions[session];
    record.server = stood.server;
    if !record.closed() {
        record.attributes = stood.attributes.clone();
    }
    let number = record.buyer;
    if let Some(stood) = before.buyer(number) {
        let buyer = &mut shop.buyers[number];
        (buyer.recent_agent, buyer.recent_until) = (stood.recent_agent, stood.recent_until);
    }
}

/// Places the session with an agent or the bot.
fn put_with(shop: &mut Shop, session: u32, agent: u32) {
    let place = match agent {
        BOT => SessionPlace::Bot,
        _ => SessionPlace::Agent(agent),
    };
    if shop.sessions[session].place != place {
        take_out(shop, session);
        shop.sessions[session].place = place;
        if agent != BOT {
            let server = &mut shop.directory.agents[agent];
            server.sessions.append(&mut shop.sessions, session);
            shop.agent_changed(agent);
        }
        shop.time_silence(session);
    }
    let record = &mut shop.sessions[session];
    record.server = agent;
    let buyer = record.buyer;
    if agent != BOT {
        shop.served(buyer, agent);
    }
}

/// Places the session in the pool of a scope: at its old position if it waited there before, otherwise at the end.
fn put_in_pool(shop: &mut Shop, session: u32, scope: RoutingScope, stood: Option<&SessionBefore>) {
    let name = scope.pool_name();
    if let SessionPlace::Waiting { pool, .. } = shop.sessions[session].place
        && shop.queue.pools[pool].name() == name
    {
        return;
    }
    take_out(shop, session);
    let stood = stood.filter(|stood| stood.pool.as_deref() == Some(name.as_str()));
    let place = match stood.map(|stood| stood.place) {
        Some(SessionPlace::Waiting {
            rank,
            since,
            reason,
            ..
        }) => (rank, since, reason),
        Some(SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. }) | None => {
            shop.queue.tickets += 1;
            let rank = shop.rank_of(session, shop.now, shop.queue.tickets);
            (rank, shop.now, WaitReason::AllBusy)
        }
    };
    wait_in(shop, session, scope, place);
    let max_wait = shop.policy.routing.queue.max_wait;
    let armed = (!max_wait.is_zero()).then(|| shop.now + max_wait);
    let due = match stood {
        Some(stood) => stood.queue_due,
        None => armed,
    };
    if let Some(due) = due {
        shop.timers.arm(session, Timer::Queue, due);
    }
}

/// Inserts the session into the queue of a pool.
fn wait_in(
    shop: &mut Shop,
    session: u32,
    scope: RoutingScope,
    (rank, since, reason): (QueueRank, Instant, WaitReason),
) {
    let pool = shop.pool_of(scope);
    shop.sessions[session].place = SessionPlace::Waiting {
        pool,
        rank,
        since,
        reason,
    };
    shop.queue.waiting += 1;
    shop.join_queue(session);
    shop.timers.disarm(session, Timer::Silence);
}

/// Closes the session without an invitation, which would be a decision of its own.
fn put_away(shop: &mut Shop, session: u32) {
    let record = &shop.sessions[session];
    if record.closed() {
        return;
    }
    let (number, server) = (record.buyer, record.server);
    let with_agent = record.agent().is_some() && server != BOT && server != NOBODY;
    leave_quietly(shop, session);
    if with_agent {
        shop.served(number, server);
    }
    shop.timers.disarm(session, Timer::Silence);
    shop.timers.disarm(session, Timer::ReplyDue);
    let record = &mut shop.sessions[session];
    record.place = SessionPlace::Closed { at: shop.now };
    record.attributes = None;
    let buyer = &mut shop.buyers[number];
    let open = std::mem::replace(&mut buyer.open_session, NOBODY);
    buyer.leave_session(shop.now);
    if open != session {
        buyer.open_session = open;
    }
    shop.closed.push_back((shop.now, session));
    shop.totals.closed += 1;
}

/// Removes the session from its list. It stays open.
fn take_out(shop: &mut Shop, session: u32) {
    let record = &shop.sessions[session];
    let buyer = record.buyer;
    if record.closed() {
        // The session has just closed, so it is near the end.
        let at = shop
            .closed
            .iter()
            .rposition(|&(_, closed)| closed == session);
        if let Some(at) = at {
            shop.closed.remove(at);
        }
        shop.totals.closed = shop.totals.closed.saturating_sub(1);
    } else {
        leave_quietly(shop, session);
    }
    // From here on the session is in no list.
    shop.sessions[session].place = SessionPlace::Bot;
    let_in(shop, session, buyer);
}

/// Removes the session from the agent that this core chose. The record names another agent, so the buyer's recent
/// agent (R1) stays as it was.
fn leave_quietly(shop: &mut Shop, session: u32) {
    let number = shop.sessions[session].buyer;
    let buyer = &shop.buyers[number];
    let recent = (buyer.recent_agent, buyer.recent_until);
    shop.leave(session);
    let buyer = &mut shop.buyers[number];
    (buyer.recent_agent, buyer.recent_until) = recent;
}

/// The scope of a pool by its name: that of the session's routing attributes, or one in the policy, or any with
/// that pool name.
fn scope_named(
    shop: &Shop,
    session: u32,
    pool: &str,
    stood: Option<&SessionBefore>,
) -> RoutingScope {
    let stood = stood.and_then(|stood| stood.attributes.as_deref());
    let attributes = shop.sessions[session].attributes.as_deref().or(stood);
    let (own, _) = shop
        .directory
        .scope_of(&attributes.cloned().unwrap_or_default());
    if own.pool_name() == pool {
        return own;
    }
    let named = scopes_named(pool);
    let known = named
        .iter()
        .find(|scope| shop.directory.crew_of(scope).is_some());
    known
        .or(named.first())
        .cloned()
        .unwrap_or(RoutingScope::All)
}

/// All scopes whose pool has this name.
fn scopes_named(pool: &str) -> Vec<RoutingScope> {
    if let Some(entry) = pool.strip_prefix("entry:") {
        return Id::new(entry)
            .map(RoutingScope::Entry)
            .into_iter()
            .collect();
    }
    if let Some(status) = pool.strip_prefix("order_status:") {
        return Id::new(status)
            .map(RoutingScope::OrderStatus)
            .into_iter()
            .collect();
    }
    let Some(question) = pool.strip_prefix("question:") else {
        return Vec::new();
    };
    let split = question.match_indices('/');
    let scope = |(at, _): (usize, &str)| {
        let (entry, question) = (&question[..at], &question[at + 1..]);
        Some(RoutingScope::Question {
            entry: Id::new(entry)?,
            question: Id::new(question)?,
        })
    };
    split.filter_map(scope).collect()
}
