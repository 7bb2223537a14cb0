//! The audit: checks all invariants by slow, simple scans (rules, last section).
//!
//! Tests call it after every event. It does not rely on any index.

use std::collections::BTreeMap;

use crate::domain::policy::{Member, QueueMode, WhenScopeOffline};
use crate::domain::protocol::codes::Presence;
use crate::domain::state::agent::Agent;
use crate::domain::state::agent_directory::RoutingScope;
use crate::domain::state::session::SessionPlace;
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

/// The first invariant that is violated, in words.
pub fn audit(shop: &Shop) -> Result<(), String> {
    audit_loads(shop)?;
    audit_open_sessions(shop)?;
    audit_waiting(shop)?;
    audit_queues(shop)?;
    audit_take_back(shop)?;
    audit_timers(shop)
}

/// Loads equal the open sessions and the places after work.
fn audit_loads(shop: &Shop) -> Result<(), String> {
    let mut loads: BTreeMap<u32, u32> = BTreeMap::new();
    for (_, session) in shop.sessions.iter() {
        if let Some(agent) = session.agent() {
            *loads.entry(agent).or_default() += 1;
        }
    }
    for (number, session) in shop.sessions.iter() {
        if shop.timers.due(number, Timer::WrapUp).is_some() {
            if !session.closed() {
                return Err(format!("{} is open and in the work after it", session.id));
            }
            *loads.entry(session.server).or_default() += 1;
        }
    }
    for (number, agent) in shop.directory.agents.iter() {
        let open = loads.get(&number).copied().unwrap_or(0);
        if agent.load() != open {
            let (id, load) = (&agent.id, agent.load());
            return Err(format!(
                "agent {id} has a load of {load}, but {open} open sessions and places after work"
            ));
        }
    }
    Ok(())
}

/// A buyer has at most one open session, and refers to it. A blocked buyer has none.
fn audit_open_sessions(shop: &Shop) -> Result<(), String> {
    let mut open = BTreeMap::new();
    for (number, session) in shop
        .sessions
        .iter()
        .filter(|(_, session)| !session.closed())
    {
        let buyer = &shop.buyers[session.buyer];
        if let Some(other) = open.insert(session.buyer, number) {
            let other = &shop.sessions[other].id;
            return Err(format!("{} is in {} and in {other}", buyer.id, session.id));
        }
        if shop.is_blocked(session.buyer) {
            return Err(format!("{} is blocked and in {}", buyer.id, session.id));
        }
        if buyer.open_session != number {
            return Err(format!(
                "{} does not know its session {}",
                buyer.id, session.id
            ));
        }
    }
    Ok(())
}

/// No session waits while an eligible agent is free (R7, R10c, S7, H2). The waiting counter is correct.
fn audit_waiting(shop: &Shop) -> Result<(), String> {
    let mut waiting = 0;
    for (number, session) in shop.sessions.iter() {
        let SessionPlace::Waiting { pool, .. } = session.place else {
            continue;
        };
        waiting += 1;
        if shop.timers.due(number, Timer::Left).is_some() || shop.is_shut() {
            continue;
        }
        let scope = shop.queue.pools[pool].name().to_owned();
        let agents = || shop.directory.agents.iter();
        let is_passed = |number: u32| session.passed().contains(&number);
        let eligible = |agent: &Agent| eligible(shop, &scope, session.passed(), agent);
        let others = agents()
            .any(|(number, agent)| agent.on_duty() && !is_passed(number) && eligible(agent));
        for (number, agent) in agents() {
            let free = agent.free(shop.policy.routing.queue.mode);
            if free && !(others && is_passed(number)) && eligible(agent) {
                let (session, agent) = (&session.id, &agent.id);
                return Err(format!("{session} waits in {scope} while {agent} is free"));
            }
        }
    }
    if waiting != shop.queue.waiting {
        let counted = shop.queue.waiting;
        return Err(format!(
            "{waiting} sessions wait, but {counted} are counted"
        ));
    }
    Ok(())
}

/// Every waiting session is in the queue of its pool, once, at the place that its priority gives (R11).
fn audit_queues(shop: &Shop) -> Result<(), String> {
    let mut queued = 0;
    for (number, pool) in shop.queue.pools.iter() {
        for session in pool.sessions() {
            queued += 1;
            let record = &shop.sessions[session];
            let SessionPlace::Waiting { pool, rank, .. } = record.place else {
                return Err(format!("{} is queued and does not wait", record.id));
            };
            let wanted = shop.rank_of(session, rank.queued, rank.ticket);
            if pool != number || rank != wanted {
                return Err(format!("{} is in the wrong place of the queue", record.id));
            }
        }
        if pool.is_empty() {
            return Err(format!("pool {} is empty", pool.name()));
        }
    }
    let passing = shop.queue.passing.values();
    let passing: usize = passing.map(std::collections::BTreeSet::len).sum();
    let wanted = shop.sessions.iter().filter(|(number, session)| {
        let waits = matches!(session.place, SessionPlace::Waiting { .. });
        let left = shop.timers.due(*number, Timer::Left).is_some();
        waits && !left && !session.passed().is_empty()
    });
    if queued != shop.queue.waiting || passing != wanted.count() {
        return Err(format!(
            "{queued} sessions are queued, {passing} of them pass over agents"
        ));
    }
    Ok(())
}

/// Only a session with an agent and a debt is overdue or about to be (R10a).
fn audit_take_back(shop: &Shop) -> Result<(), String> {
    for (number, session) in shop.sessions.iter() {
        let armed = shop.timers.due(number, Timer::TakeBack).is_some();
        let overdue = session.marks.overdue;
        if (armed || overdue) && (session.agent().is_none() || session.debt.is_none()) {
            return Err(format!("{} is watched without a debt", session.id));
        }
        let listed = session
            .debt
            .is_some_and(|debt| shop.overdue.contains(&(debt, session.opened_as, number)));
        if overdue != listed {
            return Err(format!(
                "{} is overdue and not listed, or the reverse",
                session.id
            ));
        }
        if !session.passed().is_sorted() {
            return Err(format!("{} passes over agents out of order", session.id));
        }
    }
    let overdue = shop
        .sessions
        .iter()
        .filter(|(_, session)| session.marks.overdue);
    if overdue.count() != shop.overdue.len() {
        return Err("a session that is gone is overdue".to_owned());
    }
    Ok(())
}

/// R7a, derived from the policy alone.
fn eligible(shop: &Shop, pool: &str, passed: &[u32], agent: &Agent) -> bool {
    let routing = &shop.policy.routing;
    let question = routing.entries.iter().find_map(|(entry, scopes)| {
        let named = |question: &_| {
            let (entry, question) = (entry.clone(), Clone::clone(question));
            RoutingScope::Question { entry, question }.pool_name() == pool
        };
        let found = scopes
            .questions
            .iter()
            .find(|(question, _)| named(question));
        found.map(|(_, members)| members)
    });
    let entry = routing.entries.iter().find_map(|(entry, scopes)| {
        (RoutingScope::Entry(entry.clone()).pool_name() == pool).then_some(&scopes.members)
    });
    let status = routing.order_status.iter().find_map(|(status, members)| {
        (RoutingScope::OrderStatus(status.clone()).pool_name() == pool).then_some(members)
    });
    let members = question
        .or(entry)
        .or(status)
        .filter(|list| !list.is_empty());
    let Some(members) = members else {
        return true;
    };
    let own = || {
        let agents = shop.directory.agents.iter();
        agents.filter(|(_, agent)| agent.on_duty() && is_member(shop, members, agent))
    };
    let anyone = match routing.when_scope_offline {
        WhenScopeOffline::AnyOnline => own().all(|(number, _)| passed.contains(&number)),
        WhenScopeOffline::Wait => false,
    };
    let overflows = question.is_some() && routing.overflow && own().next().is_some();
    anyone || overflows || is_member(shop, members, agent)
}

fn is_member(shop: &Shop, members: &[Member], agent: &Agent) -> bool {
    members.iter().any(|member| match member {
        Member::Agent(id) => *id == agent.id,
        Member::Role(role) => agent.post.iter().any(|post| post.roles.contains(role)),
        Member::Group(name) => {
            let group = shop.policy.routing.groups.get(name);
            group.is_some_and(|group| is_member(shop, group, agent))
        }
    })
}

/// Timers belong to sessions that may still have them, and none is overdue.
fn audit_timers(shop: &Shop) -> Result<(), String> {
    if let Some((due, timer)) = shop.timers.next()
        && due <= shop.now
    {
        return Err(format!("{timer:?} should have fired"));
    }
    // The report counts late messages when they are booked (M1).
    if let Some((late_at, session)) = shop.lates.first()
        && late_at <= shop.now
    {
        let id = &shop.sessions[session].id;
        return Err(format!("a message of {id} is late and not booked"));
    }
    for (number, session) in shop.sessions.iter() {
        let waits = matches!(session.place, SessionPlace::Waiting { .. });
        if shop.timers.due(number, Timer::Left).is_some() && !(waits && session.marks.left) {
            return Err(format!(
                "{} is given up on, but its buyer is there",
                session.id
            ));
        }
        if shop.timers.due(number, Timer::Queue).is_some() && !waits {
            return Err(format!(
                "{} has a queue timer and does not wait",
                session.id
            ));
        }
        let served = matches!(session.place, SessionPlace::Bot | SessionPlace::Agent(_));
        if shop.timers.due(number, Timer::Silence).is_some() && !served {
            return Err(format!(
                "{} has a silence timer, but nobody serves it",
                session.id
            ));
        }
        if shop.timers.due(number, Timer::ReplyDue).is_some() && session.closed() {
            return Err(format!("{} is closed, but would be reminded", session.id));
        }
    }
    Ok(())
}

/// Checks that the agent's presence and load allow an assignment at this time, by the rules in "What must hold".
/// `reason` is the decided one, and the agent already has the session.
pub fn audit_assignment(
    shop: &Shop,
    agent: &str,
    reason: crate::domain::protocol::decision::AssignReason,
) -> Result<(), String> {
    use crate::domain::protocol::decision::AssignReason as Reason;
    let Some(number) = shop.directory.agents.find(agent) else {
        return Err(format!("{agent} is not of the shop"));
    };
    let record = &shop.directory.agents[number];
    let (away, offline) = match reason {
        Reason::RecentAgent | Reason::Manual => (true, false),
        Reason::OfflineRota => (true, true),
        Reason::RecentAgentUnavailable
        | Reason::Question
        | Reason::Entry
        | Reason::OrderStatus
        | Reason::All
        | Reason::ScopeOffline
        | Reason::Overflow
        | Reason::Queue
        | Reason::AgentOffline
        | Reason::NoAnswer
        | Reason::OfflineHandover => (false, false),
    };
    let no_queue = shop.policy.routing.queue.mode == QueueMode::None;
    let over_capacity = match reason {
        Reason::RecentAgent => shop.policy.routing.recent.over_capacity || no_queue,
        Reason::OfflineRota | Reason::Manual => true,
        Reason::RecentAgentUnavailable
        | Reason::Question
        | Reason::Entry
        | Reason::OrderStatus
        | Reason::All
        | Reason::ScopeOffline
        | Reason::Overflow
        | Reason::Queue
        | Reason::AgentOffline
        | Reason::NoAnswer
        | Reason::OfflineHandover => no_queue,
    };
    let there = match record.presence {
        Presence::Online => true,
        // The shop may have set the agent away after the assignment (R10e).
        Presence::Away => away || record.held,
        Presence::Offline => offline,
    };
    if !there {
        let (presence, reason) = (record.presence.code(), reason.code());
        return Err(format!(
            "{agent} is {presence} and was assigned by {reason}"
        ));
    }
    if !over_capacity && record.load() > record.capacity() {
        let (load, capacity) = (record.load(), record.capacity());
        return Err(format!(
            "{agent} has {load} of {capacity} by {}",
            reason.code()
        ));
    }
    Ok(())
}
