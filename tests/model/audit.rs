//! What must hold after every event (the rules' section of that name), checked on the model itself.

use crate::model::Model;
use crate::model::event::Presence;
use crate::model::session::{Place, Pool};
use crate::model::shop::Shop;
use crate::model::timers::TimerKind;
use crate::model::value::{Ms, instant};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Reasons of an assignment that looks at no capacity (R1, R5, R8).
const OVER_CAPACITY: [&str; 3] = ["recent_agent", "offline_rota", "manual"];

/// Events after which the turn of who waited, or what an agent may take, is not what it was.
const CHANGES_OF_TURN: [&str; 7] = [
    "shop.configured",
    "agent.configured",
    "session.ranked",
    "buyer.ranked",
    "buyer.left",
    "buyer.returned",
    "buyer.message",
];

/// Looks at a model after every line.
#[derive(Default)]
pub struct Audit {
    shops: BTreeMap<String, Watched>,
}

/// What is remembered of a shop from one line to the next.
#[derive(Default)]
struct Watched {
    seq: u64,
    presences: BTreeMap<String, Presence>,
    waiting: Vec<Waiter>,
    /// By session id, since its last `session.transferred`.
    bounces: BTreeMap<String, BTreeSet<String>>,
    bounced: BTreeMap<String, u64>,
    /// By buyer: when the last automatic invite was sent.
    invited: BTreeMap<String, Ms>,
}

struct Waiter {
    id: String,
    index: usize,
    pool: Pool,
    passed: BTreeSet<String>,
    turn: (Ms, Ms, u64),
    has_left: bool,
}

fn text<'a>(decision: &'a Value, key: &str) -> &'a str {
    decision.get(key).and_then(Value::as_str).unwrap_or("")
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

impl Audit {
    /// An error tells what does not hold.
    pub fn look(&mut self, model: &Model, line: &str, decisions: &[Value]) -> Result<(), String> {
        let event: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let kind = text(&event, "type");
        let name = match event.get("shop") {
            None | Some(Value::Null) => "default",
            Some(name) => name.as_str().unwrap_or(""),
        };
        let Some(shop) = model.shops.get(name) else {
            return Ok(());
        };
        let watched = self.shops.entry(name.to_owned()).or_default();
        still(shop)?;
        watched.numbers(decisions)?;
        watched.assignments(shop, kind, decisions)?;
        watched.take_backs(shop, kind, decisions)?;
        watched.invites(shop, kind, decisions)?;
        if !CHANGES_OF_TURN.contains(&kind) {
            watched.turns(shop, decisions)?;
        }
        watched.remember(shop);
        Ok(())
    }
}

/// What holds of a shop at rest.
fn still(shop: &Shop) -> Result<(), String> {
    let due = shop.timers.next_due();
    ensure(due.is_none_or(|due| due > shop.clock), || {
        "a timer that is due has not fired".to_owned()
    })?;
    ensure(shop.is_open == shop.policy.is_open(shop.clock), || {
        "H3's last word is not H1's answer".to_owned()
    })?;
    let mut buyers = BTreeSet::new();
    for index in shop.open.iter().copied() {
        let session = &shop.sessions[index];
        let (id, buyer) = (&session.id, &session.buyer);
        ensure(buyers.insert(buyer), || {
            format!("{buyer} has two open sessions")
        })?;
        ensure(!shop.is_blocked(buyer), || {
            format!("{buyer} is blocked and has {id}")
        })?;
        session_at_rest(shop, index).map_err(|what| format!("{id}: {what}"))?;
    }
    for place in &shop.places_after_work {
        let agent = shop.agents.get(&place.agent);
        let here = agent.is_some_and(|agent| agent.presence != Presence::Offline);
        let ends = shop.timers.is_armed(place.session, TimerKind::WrapUp);
        ensure(here && ends, || {
            format!("{} has a place after work for ever", place.agent)
        })?;
    }
    Ok(())
}

fn session_at_rest(shop: &Shop, index: usize) -> Result<(), String> {
    let session = &shop.sessions[index];
    let is_armed = |kind| shop.timers.is_armed(index, kind);
    let ensure = |holds: bool, what: &str| ensure(holds, || what.to_owned());
    ensure(
        !is_armed(TimerKind::Left) || (session.is_waiting() && session.buyer_left),
        "`left` runs",
    )?;
    ensure(!is_armed(TimerKind::WrapUp), "`wrap_up` runs")?;
    ensure(
        !is_armed(TimerKind::Queue) || session.is_waiting(),
        "`queue` runs",
    )?;
    ensure(
        !is_armed(TimerKind::Silence) || !session.is_waiting(),
        "silence is counted in a queue",
    )?;
    let owes = session.debt.is_some() && session.agent().is_some();
    ensure(!is_armed(TimerKind::TakeBack) || owes, "`take_back` runs")?;
    ensure(!session.overdue || owes, "it is overdue")?;
    ensure(
        session
            .agent()
            .is_none_or(|by| shop.agents.contains_key(by)),
        "its agent is unknown",
    )?;
    if let Place::Queue { pool, .. } = &session.place
        && !is_armed(TimerKind::Left)
        && !shop.routes_as_closed()
    {
        let takers = shop.takers(pool, &session.taken_from);
        ensure(takers.is_empty(), "it waits while somebody is free")?;
    }
    Ok(())
}

impl Watched {
    /// `seq` is dense.
    fn numbers(&mut self, decisions: &[Value]) -> Result<(), String> {
        for decision in decisions {
            self.seq += 1;
            ensure(decision["seq"] == self.seq, || {
                format!("{decision} is not number {}", self.seq)
            })?;
        }
        Ok(())
    }

    /// No load above a capacity, nobody assigned to an agent that is not there, but by the rules that may.
    fn assignments(&self, shop: &Shop, kind: &str, decisions: &[Value]) -> Result<(), String> {
        let assigned = |decision: &&Value| text(decision, "type") == "session.assigned";
        for decision in decisions.iter().filter(assigned) {
            let (agent, reason) = (text(decision, "agent"), text(decision, "reason"));
            let now = shop.agents.get(agent).map(|agent| agent.presence);
            let seen = [self.presences.get(agent).copied(), now];
            let is_any = |presence: Presence| seen.contains(&Some(presence));
            let allowed = match reason {
                "offline_rota" => true,
                "recent_agent" | "manual" => is_any(Presence::Online) || is_any(Presence::Away),
                _ => is_any(Presence::Online),
            };
            ensure(allowed, || format!("{decision} to one who is not there"))?;
            let others = decisions.iter().filter(assigned);
            let over = others
                .filter(|other| text(other, "agent") == agent)
                .any(|other| OVER_CAPACITY.contains(&text(other, "reason")));
            let changes = ["shop.configured", "agent.configured", "agent.removed"];
            if over || changes.contains(&kind) || shop.policy.routing.queue.nobody_waits_for_room {
                continue;
            }
            let room = shop.load(agent) <= shop.agents[agent].capacity;
            ensure(room, || format!("{decision} is more than it can hold"))?;
        }
        Ok(())
    }

    /// R10: not more than `max` times, never to somebody it was taken from, always to another or to a pool.
    fn take_backs(&mut self, shop: &Shop, kind: &str, decisions: &[Value]) -> Result<(), String> {
        let max = shop.policy.routing.take_back.max;
        for (place, decision) in decisions.iter().enumerate() {
            let session = text(decision, "session").to_owned();
            let (what, reason) = (text(decision, "type"), text(decision, "reason"));
            if what == "session.closed" || (what == "session.assigned" && reason == "manual") {
                self.bounces.remove(&session);
                self.bounced.remove(&session);
            }
            if what == "session.assigned" && reason == "no_answer" {
                let agent = text(decision, "agent");
                let back = self.bounces[&session].contains(agent);
                ensure(!back, || format!("{decision} goes back"))?;
            }
            if what != "session.taken_back" {
                continue;
            }
            let bounced = self.bounced.entry(session.clone()).or_default();
            *bounced += 1;
            let counted = decision["bounce"] == *bounced;
            let allowed = max == 0 || *bounced <= max || kind == "shop.configured";
            ensure(counted && allowed, || format!("{decision} is one too many"))?;
            let from = self.bounces.entry(session.clone()).or_default();
            from.insert(text(decision, "agent").to_owned());
            let next = decisions.get(place + 1);
            let leaves = next.is_some_and(|next| {
                text(next, "session") == session && text(next, "reason") == "no_answer"
            });
            ensure(leaves, || format!("{decision} leads nowhere"))?;
        }
        Ok(())
    }

    /// I10, of automatic invites: none within the `auto_quiet` of the moment of sending.
    fn invites(&mut self, shop: &Shop, kind: &str, decisions: &[Value]) -> Result<(), String> {
        for decision in decisions {
            if text(decision, "type") != "invite.sent" || text(decision, "trigger") != "auto" {
                continue;
            }
            let at = instant(text(decision, "at")).ok_or("an invite without an instant")?;
            let before = self.invited.insert(text(decision, "buyer").to_owned(), at);
            let quiet = shop.policy.invite.auto_quiet;
            let allowed = before.is_none_or(|before| before + quiet <= at);
            ensure(allowed || kind == "shop.configured", || {
                format!("{decision} comes too soon")
            })?;
        }
        Ok(())
    }

    /// R11: of two sessions of a pool that the same agents may take, the first is taken first.
    fn turns(&self, shop: &Shop, decisions: &[Value]) -> Result<(), String> {
        let taken = |waiter: &&Waiter| {
            decisions.iter().any(|decision| {
                text(decision, "session") == waiter.id && text(decision, "reason") == "queue"
            })
        };
        for later in self.waiting.iter().filter(taken) {
            let overtaken = self.waiting.iter().find(|first| {
                let same = first.pool == later.pool && first.passed == later.passed;
                let (_, _, order) = first.turn;
                let waits = matches!(
                    shop.sessions[first.index].place,
                    Place::Queue { order: now, .. } if now == order
                );
                same && first.turn < later.turn && waits && !first.has_left
            });
            ensure(overtaken.is_none(), || {
                format!("{} was taken before its turn", later.id)
            })?;
        }
        Ok(())
    }

    fn remember(&mut self, shop: &Shop) {
        let presences = shop.agents.iter();
        self.presences = presences
            .map(|(id, agent)| (id.clone(), agent.presence))
            .collect();
        let waiting = shop.waiting().into_iter();
        self.waiting = waiting
            .filter_map(|index| {
                let session = &shop.sessions[index];
                let Place::Queue { pool, .. } = &session.place else {
                    return None;
                };
                Some(Waiter {
                    id: session.id.clone(),
                    index,
                    pool: pool.clone(),
                    passed: session.taken_from.clone(),
                    turn: shop.turn(index)?,
                    has_left: shop.timers.is_armed(index, TimerKind::Left),
                })
            })
            .collect();
    }
}
