//! Random policies with short windows and small counts, most of them valid.

use super::asking::{invite, rating, service};
use super::dice::Dice;
use crate::model::value::{Ms, duration};
use serde_json::{Map, Value, json};

pub const AGENTS: [&str; 8] = ["anna", "bo", "carl", "dai", "eva", "fay", "gus", "何"];
pub const QUESTIONS: [&str; 2] = ["几天发货", "refund"];
pub const STATUSES: [&str; 2] = ["unpaid", "shipped"];
pub const ROLES: [&str; 4] = ["presale", "aftersale", "owner", "agent"];
const GROUPS: [&str; 2] = ["presale", "night"];
const PRESETS: [&str; 5] = ["standard", "douyin", "taobao", "pinduoduo", "kuaishou"];
const ZONES: [&str; 8] = [
    "Asia/Shanghai",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "UTC",
    "America/Havana",
    "Asia/Beirut",
    "Europe/Berlin",
];

/// A policy that is valid; `now` is where its suspended windows may lie.
pub fn policy(dice: &mut Dice, now: Ms) -> Value {
    let mut policy = json!({ "preset": dice.pick(&PRESETS) });
    some(dice, &mut policy, 40, "timezone", |dice| {
        json!(dice.pick(&ZONES))
    });
    some(dice, &mut policy, 75, "buyer_space", |dice| {
        json!(dice.pick(&["shared", "shared", "shared", "other"]))
    });
    policy["routing"] = routing(dice);
    policy["session"] = session(dice);
    policy["auto_reply"] = auto_reply(dice);
    policy["invite"] = invite(dice, now);
    policy["rating"] = rating(dice);
    policy["service"] = service(dice);
    policy
}

/// Every length that a policy names.
pub fn windows(policy: &Value) -> Vec<Ms> {
    match policy {
        Value::String(text) => duration(text)
            .filter(|length| *length > 0)
            .into_iter()
            .collect(),
        Value::Array(items) => items.iter().flat_map(windows).collect(),
        Value::Object(object) => object.values().flat_map(windows).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Sets a key in some percent of the cases; else the preset's value stays.
pub fn some(
    dice: &mut Dice,
    object: &mut Value,
    percent: usize,
    key: &str,
    value: impl Fn(&mut Dice) -> Value,
) {
    if dice.chance(percent) {
        object[key] = value(dice);
    }
}

pub fn one_of(choices: &'static [&'static str]) -> impl Fn(&mut Dice) -> Value {
    move |dice| json!(dice.pick(choices))
}

pub fn number(choices: &'static [f64]) -> impl Fn(&mut Dice) -> Value {
    move |dice| {
        let number = *dice.pick(choices);
        if number.fract() == 0.0 {
            json!(number as i64)
        } else {
            json!(number)
        }
    }
}

pub fn flag(dice: &mut Dice) -> Value {
    json!(dice.chance(50))
}

pub fn object() -> Value {
    Value::Object(Map::new())
}

fn routing(dice: &mut Dice) -> Value {
    let mut routing = object();
    let r = &mut routing;
    some(
        dice,
        r,
        60,
        "strategy",
        one_of(&["least_saturated", "fewest_today", "random"]),
    );
    some(dice, r, 70, "recent", recent);
    some(dice, r, 50, "overflow", |dice| json!(dice.chance(65)));
    some(
        dice,
        r,
        50,
        "when_scope_offline",
        one_of(&["wait", "any_online"]),
    );
    let groups: Vec<&str> = GROUPS.into_iter().filter(|_| dice.chance(60)).collect();
    if !groups.is_empty() {
        r["groups"] = lists(dice, &groups, &[]);
    }
    some(dice, r, 85, "entries", |dice| entries(dice, &groups));
    some(dice, r, 50, "order_status", |dice| {
        lists(dice, &STATUSES, &groups)
    });
    some(
        dice,
        r,
        60,
        "offline",
        |dice| json!({ "mode": dice.pick(&["wait", "rota", "rota", "rota"]), "members": members(dice, &groups) }),
    );
    some(dice, r, 80, "queue", queue);
    routing
}

fn recent(dice: &mut Dice) -> Value {
    let mut recent = object();
    let r = &mut recent;
    some(
        dice,
        r,
        70,
        "window",
        one_of(&["0s", "1m", "5m", "10m", "1h", "24h"]),
    );
    some(dice, r, 50, "over_capacity", flag);
    some(
        dice,
        r,
        60,
        "away_window",
        one_of(&["0s", "20s", "2m", "10m", "1h 30m"]),
    );
    some(
        dice,
        r,
        60,
        "otherwise",
        one_of(&["continue", "random_online", "random_if_ungrouped"]),
    );
    recent
}

fn entries(dice: &mut Dice, groups: &[&str]) -> Value {
    let mut entries = object();
    for name in ["live", "other", "product_detail", "vip"] {
        if dice.chance(if name == "live" { 85 } else { 35 }) {
            let mut entry = object();
            some(dice, &mut entry, 50, "members", |dice| {
                members(dice, groups)
            });
            some(dice, &mut entry, 80, "questions", |dice| {
                lists(dice, &QUESTIONS, groups)
            });
            entries[name] = entry;
        }
    }
    entries
}

fn lists(dice: &mut Dice, names: &[&str], groups: &[&str]) -> Value {
    let mut lists = object();
    for name in names {
        if dice.chance(75) || names.len() == groups.len() {
            lists[*name] = members(dice, groups);
        }
    }
    // A group that a list may name has to be there.
    if groups.is_empty() {
        for name in names {
            if lists.get(*name).is_none() {
                lists[*name] = json!([]);
            }
        }
    }
    lists
}

fn members(dice: &mut Dice, groups: &[&str]) -> Value {
    let count = *dice.pick(&[0, 1, 1, 1, 2, 3]);
    let members = (0..count).map(|_| match dice.below(5) {
        0 if !groups.is_empty() => format!("group:{}", dice.pick(groups)),
        1 => format!("role:{}", dice.pick(&ROLES)),
        2 => (*dice.pick(&AGENTS)).to_owned(),
        _ => (*dice.pick(&AGENTS[..3])).to_owned(),
    });
    json!(members.collect::<Vec<_>>())
}

fn queue(dice: &mut Dice) -> Value {
    let mut queue = object();
    let q = &mut queue;
    some(
        dice,
        q,
        50,
        "limit",
        number(&[0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 1_000_000.0]),
    );
    some(
        dice,
        q,
        70,
        "max_wait",
        one_of(&["0s", "30s", "1m", "2m", "10m"]),
    );
    some(
        dice,
        q,
        50,
        "show_position_below",
        number(&[0.0, 1.0, 2.0, 3.0]),
    );
    some(
        dice,
        q,
        30,
        "prompt",
        one_of(&["{position}/{ahead}/{position}", "", "{x}{ahead}"]),
    );
    some(dice, q, 30, "busy_prompt", one_of(&["busy {ahead}", ""]));
    queue
}

fn session(dice: &mut Dice) -> Value {
    let mut session = object();
    let s = &mut session;
    some(
        dice,
        s,
        80,
        "close_after_buyer_silence",
        one_of(&["0s", "0s", "30s", "2m", "5m", "10m", "1h"]),
    );
    some(dice, s, 60, "requires_agent_reply", flag);
    some(
        dice,
        s,
        70,
        "on_agent_offline",
        one_of(&["keep", "close", "reroute"]),
    );
    session
}

fn auto_reply(dice: &mut Dice) -> Value {
    let mut replies = object();
    for which in ["offline", "queued"] {
        if dice.chance(50) {
            replies[which] = json!({ "enabled": true, "text": which });
        } else if dice.chance(20) {
            replies[which] = json!({ "enabled": false, "text": "" });
        }
    }
    replies
}
