//! Random policies with short windows and small counts, most of them valid.

use super::asking::{invite, rating, service};
use super::dice::Dice;
use super::features::Features;
use super::opening::hours;
use crate::model::calendar;
use crate::model::value::{Ms, duration};
use serde_json::{Map, Value, json};

pub const AGENTS: [&str; 8] = ["anna", "bo", "carl", "dai", "eva", "fay", "gus", "何"];
pub const QUESTIONS: [&str; 2] = ["几天发货", "refund"];
pub const STATUSES: [&str; 2] = ["unpaid", "shipped"];
pub const ROLES: [&str; 4] = ["presale", "aftersale", "owner", "agent"];
const GROUPS: [&str; 2] = ["presale", "night"];
/// Those of the first edition come first.
const PRESETS: [&str; 6] = [
    "standard",
    "douyin",
    "taobao",
    "pinduoduo",
    "kuaishou",
    "kuaishou-2023",
];
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

/// A policy that is valid; `now` is where its suspended windows and its hours may lie.
pub fn policy(dice: &mut Dice, now: Ms, features: Features) -> Value {
    let presets = if features.as_it_was { 5 } else { 6 };
    let mut policy = json!({ "preset": dice.pick(&PRESETS[..presets]) });
    some(dice, &mut policy, 40, "timezone", |dice| {
        json!(dice.pick(&ZONES))
    });
    some(dice, &mut policy, 75, "buyer_space", |dice| {
        json!(dice.pick(&["shared", "shared", "shared", "other"]))
    });
    policy["routing"] = routing(dice, features);
    policy["session"] = session(dice, features);
    policy["auto_reply"] = auto_reply(dice, features);
    policy["invite"] = invite(dice, now, features);
    policy["rating"] = rating(dice);
    policy["service"] = service(dice, features);
    if features.hours {
        let zone = calendar::zone(policy["timezone"].as_str().unwrap_or(ZONES[0]));
        policy["hours"] = hours(dice, now, &zone.expect("a zone that there is"));
    }
    if features.as_it_was {
        as_it_was(&mut policy);
    }
    policy
}

/// Gives every new key whose preset is not as it was the value that is.
fn as_it_was(policy: &mut Value) {
    policy["routing"]["queue"]["next_prompt"] = json!("");
    policy["session"]["lateness"] = json!("0s");
    policy["invite"]["quiet_after_opening"] = json!(true);
    let service = &mut policy["service"];
    service["daily"] = json!(false);
    service["reply"]["effective_bot"] = json!(false);
    // Leaving it out would not do: a preset has its own.
    let min_sample = service.get("min_sample").cloned().unwrap_or(json!(20));
    service["reply"]["min_sample"] = min_sample;
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

fn routing(dice: &mut Dice, features: Features) -> Value {
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
    some(dice, r, 60, "overflow", |dice| json!(dice.chance(80)));
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
    some(dice, r, 80, "queue", |dice| queue(dice, features));
    if features.hand_over {
        if dice.chance(60) {
            r["offline"]["mode"] = json!("rota");
            r["offline"]["members"] = json!(["role:agent"]);
        }
        r["offline"]["hand_over"] = json!(dice.pick(&["online", "online", "online", "keep"]));
    }
    if features.take_back {
        r["take_back"] = take_back(dice);
    }
    if features.priority {
        r["priority"] =
            json!({ "age": dice.pick(&["10s", "20s", "1m", "1m", "10m", "1ms", "0s"]) });
    }
    routing
}

fn take_back(dice: &mut Dice) -> Value {
    let mut take_back = object();
    let t = &mut take_back;
    t["after"] = one_of(&["10s", "20s", "20s", "30s", "1m", "2m", "0s"])(dice);
    some(dice, t, 60, "each", flag);
    some(dice, t, 75, "max", number(&[0.0, 1.0, 2.0, 2.0, 3.0]));
    some(
        dice,
        t,
        70,
        "otherwise",
        one_of(&["stay", "queue", "queue"]),
    );
    some(
        dice,
        t,
        60,
        "away_after",
        number(&[0.0, 1.0, 1.0, 2.0, 3.0]),
    );
    take_back
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

fn queue(dice: &mut Dice, features: Features) -> Value {
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
    some(
        dice,
        q,
        30,
        "next_prompt",
        one_of(&["next {position} {ahead}", ""]),
    );
    if features.no_queue {
        q["mode"] = one_of(&["none", "none", "none", "wait"])(dice);
    }
    if features.giving_up {
        q["leave_grace"] = one_of(&["10s", "20s", "20s", "30s", "1m", "0s"])(dice);
    }
    queue
}

fn session(dice: &mut Dice, features: Features) -> Value {
    let mut session = object();
    let s = &mut session;
    some(
        dice,
        s,
        80,
        "close_after_buyer_silence",
        one_of(&["0s", "0s", "30s", "2m", "5m", "10m", "10m", "1h", "1h"]),
    );
    some(dice, s, 60, "requires_agent_reply", flag);
    some(
        dice,
        s,
        70,
        "on_agent_offline",
        one_of(match features.hand_over {
            true => &["keep", "keep", "keep", "reroute"],
            false => &["keep", "close", "reroute"],
        }),
    );
    if features.after_work {
        s["wrap_up"] = one_of(&["10s", "20s", "30s", "1m", "3m", "0s"])(dice);
    }
    if features.late_answers {
        s["late_reply"] = one_of(&["10s", "30s", "1m", "10m", "1h", "200h", "0s"])(dice);
    }
    if features.lateness {
        s["lateness"] = one_of(&["10s", "1m", "2m", "2m", "5m", "10m", "1h", "30h", "0s"])(dice);
    }
    session
}

fn auto_reply(dice: &mut Dice, features: Features) -> Value {
    let mut replies = object();
    let all = ["offline", "queued", "closed"];
    for which in &all[..if features.hours { 3 } else { 2 }] {
        if dice.chance(50) {
            replies[*which] = json!({ "enabled": true, "text": which });
        } else if dice.chance(20) {
            replies[*which] = json!({ "enabled": false, "text": "" });
        }
    }
    replies
}
