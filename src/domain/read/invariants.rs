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
    audit_timers(shop)
}

/// Loads equal the numbers of open sessions.
fn audit_loads(shop: &Shop) -> Result<(), String> {
    let mut loads: BTreeMap<u32, u32> = BTreeMap::new();
    for (_, session) in shop.sessions.iter() {
        if let Some(agent) = session.agent() {
            *loads.entry(agent).or_default() += 1;
        }
    }
    for (number, agent) in shop.directory.agents.iter() {
        let open = loads.get(&number).copied().unwrap_or(0);
        if agent.load() != open {
            let (id, load) = (&agent.id, agent.load());
            return Err(format!(
                "agent {id} has a load of {load}, but {open} open sessions"
            ));
        }
    }
    Ok(())
}

/// A buyer has at most one open session, and refers to it.
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
        if buyer.open_session != number {
            return Err(format!(
                "{} does not know its session {}",
                buyer.id, session.id
            ));
        }
    }
    Ok(())
}

/// No session waits while an eligible agent is free (R7). The waiting counter is correct.
fn audit_waiting(shop: &Shop) -> Result<(), String> {
    let mut waiting = 0;
    for (_, session) in shop.sessions.iter() {
        let SessionPlace::Waiting { pool, .. } = session.place else {
            continue;
        };
        waiting += 1;
        let scope = shop.queue.pools[pool].name().to_owned();
        let agents = shop.directory.agents.iter();
        for (_, agent) in agents.filter(|(_, agent)| agent.free(shop.policy.routing.queue.mode)) {
            if eligible(shop, &scope, agent) {
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

/// R7, derived from the policy alone.
fn eligible(shop: &Shop, pool: &str, agent: &Agent) -> bool {
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
    let mut own = shop.directory.agents.iter().map(|(_, agent)| agent);
    let nobody = !own.any(|agent| {
        agent.routable && agent.presence == Presence::Online && is_member(shop, members, agent)
    });
    let anyone = match routing.when_scope_offline {
        WhenScopeOffline::AnyOnline => nobody,
        WhenScopeOffline::Wait => false,
    };
    anyone || (question.is_some() && routing.overflow) || is_member(shop, members, agent)
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
    let over_capacity = match reason {
        Reason::RecentAgent => shop.policy.routing.recent.over_capacity,
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
        | Reason::OfflineHandover => shop.policy.routing.queue.mode == QueueMode::None,
    };
    let there = match record.presence {
        Presence::Online => true,
        Presence::Away => away,
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
