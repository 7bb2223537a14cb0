//! Generates the next event of a shop from its open sessions.

use super::dice::Dice;
use super::features::Features;
use super::policies::{self, AGENTS, QUESTIONS, ROLES, STATUSES};
use super::spoil;
use super::time;
use super::view::{Place, SessionView, View};
use crate::model::value::{DAY_MS, MINUTE_MS, Ms, WEEK_MS, duration};
use serde_json::{Map, Value, json};

const KINDS: [&str; 8] = [
    "text",
    "emoji",
    "product_card",
    "payment_request",
    "auto_reply",
    "auto_reply",
    "image",
    "order_repriced",
];

pub fn next(dice: &mut Dice, shop: &mut View) -> Value {
    if !shop.configured {
        shop.configured = true;
        return configured(dice, shop, false);
    }
    if shop.agents.len() < shop.agents_wanted && dice.chance(60) {
        return agent_configured(dice, shop);
    }
    if !shop.features.as_it_was
        && let Some(event) = of_a_section(dice, shop)
    {
        return event;
    }
    let event = match dice.weighted(&[
        220, 240, 170, 40, 55, 45, 60, 60, 55, 75, 95, 22, 9, 8, 25, 16,
    ]) {
        0 if shop.open().len() < shop.buyers || dice.chance(10) => Some(opened(dice, shop)),
        0 => closed(dice, shop),
        1 => buyer_message(dice, shop),
        2 => agent_message(dice, shop),
        3 => bot_message(dice, shop),
        4 => handoff(dice, shop),
        5 => transferred(dice, shop),
        6 => closed(dice, shop),
        7 => invite_requested(dice, shop),
        8 => rating_opened(dice, shop),
        9 => rating_submitted(dice, shop),
        10 => Some(presence(dice, shop)),
        11 => Some(agent_configured(dice, shop)),
        12 => Some(removed(dice, shop)),
        13 => Some(
            json!({ "type": "buyer.flagged", "buyer": buyer(dice, shop), "risk": dice.chance(25) }),
        ),
        14 => Some(json!({ "type": "clock" })),
        _ => Some(reconfigured(dice, shop)),
    };
    event.unwrap_or_else(|| presence(dice, shop))
}

/// An event of one of the sections that a shop exercises; seldom one of another, which is then only noted.
fn of_a_section(dice: &mut Dice, shop: &mut View) -> Option<Value> {
    let features = shop.features;
    let of = |is_on: bool, percent: usize| if is_on { 10 * percent } else { 2 };
    let weights = [
        of(features.priority, 4),
        of(features.priority, 3),
        of(features.giving_up, 8),
        of(features.giving_up, 4),
        of(features.after_work, 3),
        of(features.blocks, 3),
        1000,
    ];
    match dice.weighted(&weights) {
        0 => {
            let mut event = on_session("session.ranked", &some_session(dice, shop, is_open)?);
            event["priority"] = json!(priority(dice));
            Some(event)
        }
        1 => Some(json!({
            "type": "buyer.ranked", "buyer": buyer(dice, shop), "priority": priority(dice),
        })),
        2 => {
            let waits = |place: &Place| *place == Place::Queue;
            let session = match dice.chance(70) {
                true => shop.session(dice, waits),
                false => some_session(dice, shop, is_open),
            };
            Some(on_session("buyer.left", &session?))
        }
        3 => Some(on_session(
            "buyer.returned",
            &some_session(dice, shop, is_open)?,
        )),
        4 => Some(json!({ "type": "agent.ready", "agent": agent(dice, shop) })),
        5 => Some(blocked(dice, shop)),
        _ => None,
    }
}

fn priority(dice: &mut Dice) -> usize {
    *dice.pick(&[0, 1, 1, 2, 3, 5, 9, 9])
}

fn blocked(dice: &mut Dice, shop: &View) -> Value {
    let mut event = json!({
        "type": "buyer.blocked", "buyer": buyer(dice, shop), "blocked": dice.chance(55),
    });
    if event["blocked"] == true && dice.chance(75) {
        let later = *dice.pick(&[1, 10_000, 20_000, 60_000, 60_000, 600_000, DAY_MS]);
        event["until"] = json!(time::spelled(dice, shop.now + later));
    }
    event
}

/// Whether an event of that type comes late: seldom where that is not what the shop exercises.
fn comes_late(dice: &mut Dice, shop: &View, kind: &str) -> bool {
    let percent = match kind {
        "buyer.message" | "agent.message" | "bot.message" => 30,
        "buyer.blocked" => 25,
        "shop.configured" => 3,
        _ => 6,
    };
    match shop.features.lateness {
        true => dice.chance(percent),
        false => !shop.features.as_it_was && dice.chance(1),
    }
}

/// T1d: an answer that was given about when its session closed.
fn around_its_close(dice: &mut Dice, shop: &View, event: &Value) -> Option<Ms> {
    let closed = shop.session_of_id(event["session"].as_str()?)?.closed_at?;
    let at = closed + dice.pick(&[-20_000, -1, 0, 0, 0, 1]);
    (event["type"] == "agent.message" && at < shop.now && dice.chance(70)).then_some(at)
}

/// The common fields: `at`, `shop`, sometimes `id`, now and then a repeated one.
pub fn frame(dice: &mut Dice, shop: &mut View, event: &mut Value, number: u64) {
    let kind = event["type"].as_str().expect("an event").to_owned();
    let at = match shop.recent.is_empty() || !comes_late(dice, shop, &kind) {
        true => shop.now,
        false => around_its_close(dice, shop, event).unwrap_or_else(|| time::late(dice, shop)),
    };
    event["at"] = json!(time::spelled(dice, at));
    if at < shop.now && event.get("until").is_some() {
        // It may be over by the clock.
        let late = shop.now - at;
        let later = *dice.pick(&[1, late - 1, late, late, late + 1, late + 20_000]);
        event["until"] = json!(time::spelled(dice, at + later.max(1)));
    }
    shop.note_recent(at);
    if shop.name != "default" || dice.chance(10) {
        event["shop"] = json!(shop.name);
    }
    if dice.chance(12) {
        let id = format!("e{number}");
        event["id"] = json!(id);
        shop.event_ids.push(id);
        if dice.chance(20) {
            shop.targets.push(shop.now + WEEK_MS);
        }
    } else if dice.chance(2) && !shop.event_ids.is_empty() {
        event["id"] = json!(dice.pick(&shop.event_ids));
    }
    shop.aim(shop.now);
}

fn configured(dice: &mut Dice, shop: &mut View, may_be_bad: bool) -> Value {
    // Some changes switch sections off and others on.
    let features = match may_be_bad && !shop.features.as_it_was && dice.chance(25) {
        true => Features::some(dice),
        false => shop.features,
    };
    let mut policy = policies::policy(dice, shop.now, features);
    if may_be_bad && dice.chance(15) {
        spoil::spoil_policy(dice, &mut policy, features);
    } else {
        let lateness = policy["session"]["lateness"].as_str().and_then(duration);
        shop.lateness = lateness.unwrap_or(10 * MINUTE_MS);
        shop.windows = policies::windows(&policy);
        shop.windows.extend([DAY_MS, WEEK_MS]);
        shop.has_vip = policy["routing"]["entries"].get("vip").is_some();
    }
    json!({ "type": "shop.configured", "policy": policy })
}

fn reconfigured(dice: &mut Dice, shop: &mut View) -> Value {
    configured(dice, shop, true)
}

fn agent_configured(dice: &mut Dice, shop: &mut View) -> Value {
    let agent = match shop.agents.len() < shop.agents_wanted {
        true => AGENTS[dice.below(shop.agents_wanted)].to_owned(),
        false => dice.pick(&shop.agents).clone(),
    };
    if !shop.agents.contains(&agent) {
        shop.agents.push(agent.clone());
    }
    let mut event = json!({ "type": "agent.configured", "agent": agent });
    if dice.chance(85) {
        event["capacity"] = json!(dice.pick(&[1, 1, 1, 1, 2, 3]));
    }
    if dice.chance(40) {
        event["weight"] = json!(1 + dice.below(3));
    }
    if dice.chance(40) {
        let mut roles: Vec<&str> = ROLES[..3]
            .iter()
            .copied()
            .filter(|_| dice.chance(40))
            .collect();
        if dice.chance(85) {
            roles.push("agent");
        }
        event["roles"] = json!(roles);
    }
    event
}

/// Mostly somebody comes online who is not, so that there is somebody at the desk.
fn presence(dice: &mut Dice, shop: &mut View) -> Value {
    let absent: Vec<String> = shop
        .agents
        .iter()
        .filter(|agent| !shop.online.contains(agent))
        .cloned()
        .collect();
    let (kind, agent) = match dice.maybe_pick(&absent) {
        Some(absent) if dice.chance(if shop.features.hand_over { 35 } else { 60 }) => {
            ("agent.online", absent)
        }
        _ => {
            let kinds = ["agent.online", "agent.away", "agent.offline"];
            (kinds[dice.weighted(&[30, 20, 50])], agent(dice, shop))
        }
    };
    shop.note_presence(&agent, kind == "agent.online");
    json!({ "type": kind, "agent": agent })
}

fn removed(dice: &mut Dice, shop: &mut View) -> Value {
    let agent = agent(dice, shop);
    shop.agents.retain(|known| *known != agent);
    shop.note_presence(&agent, false);
    json!({ "type": "agent.removed", "agent": agent })
}

fn agent(dice: &mut Dice, shop: &View) -> String {
    if dice.chance(3) {
        return (*dice.pick(&["bot", "nobody"])).to_owned();
    }
    dice.maybe_pick(&shop.agents)
        .unwrap_or_else(|| "anna".to_owned())
}

fn buyer(dice: &mut Dice, shop: &View) -> String {
    format!("b{}", dice.below(shop.buyers))
}

fn free_buyer(dice: &mut Dice, shop: &View) -> String {
    let open: Vec<String> = shop
        .open()
        .iter()
        .map(|session| session.buyer.clone())
        .collect();
    let free: Vec<String> = (0..shop.buyers)
        .map(|number| format!("b{number}"))
        .filter(|buyer| !open.contains(buyer))
        .collect();
    dice.maybe_pick(&free).unwrap_or_else(|| buyer(dice, shop))
}

fn opened(dice: &mut Dice, shop: &mut View) -> Value {
    let buyer = if dice.chance(6) {
        buyer(dice, shop)
    } else {
        free_buyer(dice, shop)
    };
    let session = new_session_id(dice, shop);
    let mut event = json!({ "type": "session.opened", "session": session, "buyer": buyer });
    if shop.has_vip && dice.chance(20) {
        event["entry"] = json!("vip");
    } else if dice.chance(70) {
        event["entry"] = json!(dice.pick(&[
            "live",
            "live",
            "live",
            "other",
            "product_detail",
            "message",
            "order_detail"
        ]));
    }
    scope(dice, &mut event);
    if shop.features.priority && dice.chance(40) {
        event["priority"] = json!(priority(dice));
    }
    if dice.chance(30) {
        event["bot"] = json!(true);
    } else if dice.chance(10) {
        event["bot"] = json!(false);
    }
    event
}

/// Mostly a new id, now and then that of an earlier session.
fn new_session_id(dice: &mut Dice, shop: &mut View) -> String {
    let old: Vec<String> = shop
        .sessions
        .iter()
        .map(|session| session.id.clone())
        .collect();
    if dice.chance(12) && !old.is_empty() {
        return dice.pick(&old).clone();
    }
    shop.opened_ever += 1;
    match dice.chance(5) {
        true => format!("会话#{}", shop.opened_ever),
        false => format!("s{}", shop.opened_ever),
    }
}

fn scope(dice: &mut Dice, event: &mut Value) {
    if dice.chance(60) {
        event["question"] = json!(dice.pick(&QUESTIONS));
    }
    if dice.chance(40) {
        event["order_status"] = json!(dice.pick(&STATUSES));
    }
}

/// A session that fits; seldom one that does not.
fn some_session(
    dice: &mut Dice,
    shop: &View,
    wanted: impl Fn(&Place) -> bool,
) -> Option<SessionView> {
    if dice.chance(4) {
        return shop.session(dice, |_| true);
    }
    shop.session(dice, wanted)
}

fn is_open(place: &Place) -> bool {
    *place != Place::Closed
}

fn has_agent(place: &Place) -> bool {
    matches!(place, Place::Agent(_))
}

fn on_session(kind: &str, session: &SessionView) -> Value {
    json!({ "type": kind, "session": session.id })
}

fn buyer_message(dice: &mut Dice, shop: &mut View) -> Option<Value> {
    let session = match shop.left.pop() {
        Some(left) if dice.chance(60) => shop.session_of_id(&left),
        _ => None,
    };
    let session = match session {
        Some(left) => left,
        None => some_session(dice, shop, is_open)?,
    };
    let mut event = on_session("buyer.message", &session);
    if dice.chance(5) {
        event["kind"] = json!("anything at all");
        event["text"] = json!("");
    }
    Some(event)
}

fn agent_message(dice: &mut Dice, shop: &View) -> Option<Value> {
    let after_close = shop.features.late_answers || shop.features.lateness;
    let session = match after_close && dice.chance(15) {
        true => shop.session(dice, |place| *place == Place::Closed)?,
        false => some_session(dice, shop, has_agent)?,
    };
    let mut event = on_session("agent.message", &session);
    if dice.chance(40) {
        event["kind"] = json!(dice.pick(&KINDS));
    }
    name_agent(dice, shop, &session, &mut event);
    Some(event)
}

/// Sometimes the agent is named, seldom a wrong one.
fn name_agent(dice: &mut Dice, shop: &View, session: &SessionView, event: &mut Value) {
    match (dice.below(20), &session.place) {
        (0, _) => event["agent"] = json!(agent(dice, shop)),
        (1..5, Place::Agent(own)) => event["agent"] = json!(own),
        _ => {}
    }
}

fn bot_message(dice: &mut Dice, shop: &View) -> Option<Value> {
    let session = some_session(dice, shop, |place| *place == Place::Bot)?;
    Some(on_session("bot.message", &session))
}

fn handoff(dice: &mut Dice, shop: &View) -> Option<Value> {
    let mut event = on_session(
        "session.handoff",
        &some_session(dice, shop, |place| *place == Place::Bot)?,
    );
    if dice.chance(40) {
        scope(dice, &mut event);
    }
    Some(event)
}

fn transferred(dice: &mut Dice, shop: &View) -> Option<Value> {
    let mut event = on_session("session.transferred", &some_session(dice, shop, is_open)?);
    event["to"] = json!(agent(dice, shop));
    if dice.chance(20) {
        event["by"] = json!("anybody");
    }
    Some(event)
}

fn closed(dice: &mut Dice, shop: &View) -> Option<Value> {
    let mut event = on_session("session.closed", &some_session(dice, shop, is_open)?);
    event["by"] = json!(dice.pick(&["agent", "agent", "buyer", "buyer", "system"]));
    Some(event)
}

fn invite_requested(dice: &mut Dice, shop: &View) -> Option<Value> {
    let session = some_session(dice, shop, has_agent)?;
    let mut event = on_session("invite.requested", &session);
    name_agent(dice, shop, &session, &mut event);
    Some(event)
}

fn rating_opened(dice: &mut Dice, shop: &View) -> Option<Value> {
    let mut session = rated_session(dice, shop)?;
    let mut card = None;
    if dice.chance(55) {
        card = some_card(dice, shop);
        let own = card.as_deref().and_then(|card| card.rsplit_once('#'));
        if let (Some((own, _)), true) = (own, dice.chance(90)) {
            session.id = own.to_owned();
        }
    }
    let mut event = on_session("rating.opened", &session);
    if let Some(card) = card {
        event["card"] = json!(card);
    }
    Some(event)
}

/// Mostly one that an agent has, of a buyer who may have written to it.
fn rated_session(dice: &mut Dice, shop: &View) -> Option<SessionView> {
    match dice.below(10) {
        0..6 => some_session(dice, shop, has_agent),
        6..8 => shop.session(dice, |place| *place == Place::Closed),
        _ => shop.session(dice, |_| true),
    }
}

fn some_card(dice: &mut Dice, shop: &View) -> Option<String> {
    if dice.chance(4) {
        return Some((*dice.pick(&["s1#9", "s1#01", "s1", "s1#", "#1", "s1#1 "])).to_owned());
    }
    match shop.cards.last() {
        Some(newest) if dice.chance(65) => Some(newest.clone()),
        _ => dice.maybe_pick(&shop.cards),
    }
}

fn rating_submitted(dice: &mut Dice, shop: &View) -> Option<Value> {
    let mut event = json!({ "type": "rating.submitted" });
    if dice.chance(50) {
        event["card"] = json!(some_card(dice, shop)?);
    } else {
        event["session"] = json!(rated_session(dice, shop)?.id);
    }
    if dice.chance(50) {
        event["level"] = json!(dice.pick(&["satisfied", "satisfied", "neutral", "disappointed"]));
    } else {
        event["stars"] = json!(1 + dice.below(5));
    }
    if dice.chance(50) {
        let reasons = [
            vec!["attitude"],
            vec!["attitude", "attitude", "slow"],
            vec!["慢"],
            vec![],
        ];
        event["reasons"] = json!(dice.pick(&reasons));
    }
    if dice.chance(20) {
        event["comment"] = json!(dice.pick(&["", "好"]));
    }
    Some(event)
}

/// The keys of an event, for those who spoil it.
pub fn keys(event: &Value) -> &Map<String, Value> {
    event.as_object().expect("an event")
}
