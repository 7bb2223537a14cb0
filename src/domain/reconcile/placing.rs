//! The places of sessions by the record: with an agent, in a pool, with the bot, or closed.

use std::collections::BTreeMap;

use super::before_event::{Before, SessionBefore};
use super::recorded::{RecordedBody, RecordedDecision, RecordedOutcome};
use super::recorded_entities::{agent_of_record, end_wrap_up, make_session, serve_by, stand_at};
use crate::domain::base::calendar::LocalDaySpan;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::collections::slab_map::NOBODY;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::codes::{CloseReason, WaitReason};
use crate::domain::protocol::event::{Event, EventBody};
use crate::domain::state::agent::BOT;
use crate::domain::state::agent_directory::RoutingScope;
use crate::domain::state::session::{QueueRank, SessionPlace};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

/// The place of a session.
enum Where<'a> {
    With(&'a Id),
    In(&'a str, Option<WaitReason>),
    Over(Option<CloseReason>),
}

/// The place that a decision gives to its session.
fn puts(decision: &RecordedBody) -> Option<(&Id, Where<'_>)> {
    match decision {
        RecordedBody::Assigned { session, agent, .. } => Some((session, Where::With(agent))),
        RecordedBody::Queued {
            session,
            pool,
            reason,
            ..
        } => Some((session, Where::In(pool, *reason))),
        RecordedBody::Closed {
            session, reason, ..
        } => Some((session, Where::Over(*reason))),
        RecordedBody::TakenBack { .. }
        | RecordedBody::PresenceSet { .. }
        | RecordedBody::Hours { .. }
        | RecordedBody::InviteSent { .. }
        | RecordedBody::InviteBlocked { .. }
        | RecordedBody::RatingOpened { .. }
        | RecordedBody::RatingRecorded { .. }
        | RecordedBody::ReplyDue { .. }
        | RecordedBody::ReplyOverdue { .. }
        | RecordedBody::Score { .. }
        | RecordedBody::DaySummed { .. }
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
            put_with(shop, session, agent, stood);
        }
        Where::In(pool, reason) => {
            let scope = scope_named(shop, session, pool, stood);
            let reason = reason.unwrap_or(WaitReason::AllBusy);
            put_in_pool(shop, session, scope, Some(reason), stood);
        }
        Where::Over(reason) => return put_away(shop, session, reason),
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

/// Makes the session the open one of its buyer. Closes another open session, which the record does not know. The record
/// serves the buyer, so it is not blocked (B1).
pub(super) fn let_in(shop: &mut Shop, session: u32, buyer: u32) {
    if shop.blocks.remove(&buyer).is_some() {
        shop.buyers[buyer].held_by -= 1;
    }
    let open = shop.buyers[buyer].open_session;
    if open != NOBODY && open != session {
        put_away(shop, open, None);
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
        return put_with(shop, session, BOT, None);
    };
    match stood.place {
        SessionPlace::Bot => put_with(shop, session, BOT, Some(stood)),
        SessionPlace::Agent(agent) => put_with(shop, session, agent, Some(stood)),
        SessionPlace::Waiting { .. } => {
            let pool = stood.pool.as_deref().unwrap_or_default();
            let scope = scope_named(shop, session, pool, Some(stood));
            put_in_pool(shop, session, scope, None, Some(stood));
        }
        SessionPlace::Closed { .. } => put_away(shop, session, None),
    }
    serve_by(shop, session, stood.server);
    let record = &mut shop.sessions[session];
    if !record.closed() {
        record.attributes = stood.attributes.clone();
    }
    let number = record.buyer;
    if let Some(stood) = before.buyer(number) {
        let buyer = &mut shop.buyers[number];
        (buyer.recent_agent, buyer.recent_until) = (stood.recent_agent, stood.recent_until);
    }
}

/// Places the session with an agent or the bot. With the agent that had it before the event, all goes on as it was.
fn put_with(shop: &mut Shop, session: u32, agent: u32, stood: Option<&SessionBefore>) {
    let place = match agent {
        BOT => SessionPlace::Bot,
        _ => SessionPlace::Agent(agent),
    };
    if shop.sessions[session].place != place {
        let round = shop.sessions[session].round;
        if round.is_some_and(|round| round.agent != agent) {
            shop.drop_round(session);
        }
        take_out(shop, session, stood);
        shop.sessions[session].place = place;
        if agent != BOT {
            let stood = stood.filter(|stood| stood.place == place);
            begin_stretch(shop, session, agent, stood);
        }
        shop.time_silence(session);
    }
    serve_by(shop, session, agent);
    let buyer = shop.sessions[session].buyer;
    if agent != BOT {
        shop.served(buyer, agent);
    }
}

/// Appends the session to the agent's list. Its time with the agent begins, or goes on.
fn begin_stretch(shop: &mut Shop, session: u32, agent: u32, stood: Option<&SessionBefore>) {
    let server = &mut shop.directory.agents[agent];
    server.sessions.append(&mut shop.sessions, session);
    let record = &mut shop.sessions[session];
    let marks = &mut record.marks;
    match stood {
        Some(stood) => {
            record.assigned_at = stood.assigned_at;
            marks.answered_here |= stood.marks.answered_here;
            marks.had_round_here |= stood.marks.had_round_here;
        }
        None => {
            record.assigned_at = shop.now;
            (marks.answered_here, marks.had_round_here) = (false, false);
        }
    }
    shop.agent_changed(agent);
    shop.begin_round(session);
    let record = &mut shop.sessions[session];
    match (record.debt, stood) {
        (Some(debt), Some(stood)) if stood.debt == Some(debt) => {
            if stood.marks.overdue {
                record.marks.overdue = true;
                shop.overdue.insert((debt, record.opened_as, session));
            } else if let Some(due) = stood.take_back_due {
                shop.timers.arm(session, Timer::TakeBack, due);
            }
        }
        (Some(_), _) => shop.arm_take_back(session),
        (None, _) => {}
    }
}

/// The queue instant of a session that waits since an instant (R11).
fn queued_at(shop: &Shop, session: u32, since: Instant, reason: WaitReason) -> Instant {
    match reason {
        WaitReason::NoAnswer | WaitReason::OfflineHandover => {
            shop.sessions[session].debt.unwrap_or(since)
        }
        WaitReason::AllBusy
        | WaitReason::ScopeOffline
        | WaitReason::NobodyOnline
        | WaitReason::Closed => since,
    }
}

/// Places the session in the pool of a scope: at its old position if it waited there before, otherwise at the end.
/// Without a reason it waits for the same reason as before.
fn put_in_pool(
    shop: &mut Shop,
    session: u32,
    scope: RoutingScope,
    reason: Option<WaitReason>,
    stood: Option<&SessionBefore>,
) {
    let name = scope.pool_name();
    if let SessionPlace::Waiting {
        pool,
        rank,
        since,
        reason: known,
    } = shop.sessions[session].place
        && shop.queue.pools[pool].name() == name
    {
        let reason = reason.unwrap_or(known);
        if reason != known {
            let queued = queued_at(shop, session, since, reason);
            let rank = shop.rank_of(session, queued, rank.ticket);
            shop.quit_queue(session);
            shop.sessions[session].place = SessionPlace::Waiting {
                pool,
                rank,
                since,
                reason,
            };
            shop.join_queue(session);
        }
        return;
    }
    shop.drop_round(session);
    take_out(shop, session, stood);
    let stood = stood.filter(|stood| stood.pool.as_deref() == Some(name.as_str()));
    let (since, queued, ticket, known) = match stood.map(|stood| stood.place) {
        Some(SessionPlace::Waiting {
            rank,
            since,
            reason,
            ..
        }) => (since, Some(rank.queued), rank.ticket, reason),
        Some(SessionPlace::Bot | SessionPlace::Agent(_) | SessionPlace::Closed { .. }) | None => {
            shop.queue.tickets += 1;
            (shop.now, None, shop.queue.tickets, WaitReason::AllBusy)
        }
    };
    let reason = reason.unwrap_or(known);
    let queued = queued.filter(|_| reason == known);
    let queued = queued.unwrap_or_else(|| queued_at(shop, session, since, reason));
    let rank = shop.rank_of(session, queued, ticket);
    let left = shop.sessions[session].marks.left;
    let left_due = stood.and_then(|stood| stood.left_due).filter(|_| left);
    if let Some(due) = left_due {
        shop.timers.arm(session, Timer::Left, due);
    }
    wait_in(shop, session, scope, (rank, since, reason));
    if left && left_due.is_none() {
        shop.arm_left(session);
    }
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

/// Closes the session without an invitation, which would be a decision of its own. With a reason, the record has closed
/// it.
fn put_away(shop: &mut Shop, session: u32, reason: Option<CloseReason>) {
    let record = &shop.sessions[session];
    if record.closed() {
        return;
    }
    let (number, server) = (record.buyer, record.server);
    let with_agent = record.agent().is_some() && server != BOT && server != NOBODY;
    if with_agent {
        put_with(shop, session, server, None);
    }
    if let Some(reason) = reason {
        shop.book_end(session, reason);
    }
    leave_quietly(shop, session);
    if with_agent {
        shop.served(number, server);
    }
    shop.timers.disarm(session, Timer::Silence);
    shop.timers.disarm(session, Timer::ReplyDue);
    let record = &mut shop.sessions[session];
    record.place = SessionPlace::Closed { at: shop.now };
    record.attributes = None;
    record.taken_back = None;
    record.debt = None;
    record.marks.left = false;
    let buyer = &mut shop.buyers[number];
    let open = std::mem::replace(&mut buyer.open_session, NOBODY);
    buyer.leave_session(shop.now);
    if open != session {
        buyer.open_session = open;
    }
    shop.closed.push_back((shop.now, session));
    shop.totals.closed += 1;
    if with_agent && reason.is_some_and(|reason| reason != CloseReason::AgentOffline) {
        shop.wrap_up(session, server);
    }
}

/// Removes the session from its list. It stays open.
fn take_out(shop: &mut Shop, session: u32, stood: Option<&SessionBefore>) {
    let buyer = shop.sessions[session].buyer;
    if shop.sessions[session].closed() {
        reopen(shop, session, stood);
    } else {
        leave_quietly(shop, session);
    }
    // From here on the session is in no list.
    shop.sessions[session].place = SessionPlace::Bot;
    let_in(shop, session, buyer);
}

/// Undoes the close of a session, as far as no decision says it: what its close ended goes on.
fn reopen(shop: &mut Shop, session: u32, stood: Option<&SessionBefore>) {
    end_wrap_up(shop, session);
    // The session has just closed, so it is near the end.
    let at = shop
        .closed
        .iter()
        .rposition(|&(_, closed)| closed == session);
    if let Some(at) = at {
        shop.closed.remove(at);
    }
    shop.totals.closed = shop.totals.closed.saturating_sub(1);
    if !shop.sessions[session].marks.answered {
        shop.take_back_unserved(session);
    }
    if let Some(stood) = stood {
        let record = &mut shop.sessions[session];
        record.debt = stood.debt;
        record.marks.left = stood.marks.left;
    }
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
