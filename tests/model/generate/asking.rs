//! The parts of a random policy for invitations, ratings and scores.

use super::dice::Dice;
use super::features::Features;
use super::policies::{flag, number, object, one_of, some};
use crate::model::value::{HOUR_MS, MINUTE_MS, Ms};
use serde_json::{Value, json};

pub fn invite(dice: &mut Dice, now: Ms, features: Features) -> Value {
    const QUIET: &[&str] = &["0s", "20s", "1m", "5m", "1h", "24h"];
    let mut invite = object();
    let i = &mut invite;
    some(dice, i, 70, "auto", |dice| json!(dice.chance(90)));
    some(
        dice,
        i,
        60,
        "auto_percent",
        number(&[0.0, 50.0, 100.0, 100.0, 100.0, 100.0, 26.43, 69.89, 69.9]),
    );
    some(dice, i, 60, "after", |dice| {
        let all = vec!["timeout", "agent", "buyer"];
        json!(dice.pick(&[
            all.clone(),
            all.clone(),
            all,
            vec!["agent"],
            vec!["buyer", "timeout"],
            vec![]
        ]))
    });
    some(dice, i, 50, "agent_spoke_last", |dice| {
        json!(dice.chance(20))
    });
    some(
        dice,
        i,
        60,
        "longer_than",
        one_of(&["0s", "0s", "0s", "20s", "1m", "9m"]),
    );
    some(dice, i, 40, "bots", flag);
    some(dice, i, 30, "suspended", |dice| suspended(dice, now));
    some(dice, i, 70, "auto_quiet", one_of(QUIET));
    some(
        dice,
        i,
        40,
        "auto_per_shop_day",
        number(&[0.0, 1.0, 2.0, 3.0]),
    );
    some(
        dice,
        i,
        60,
        "shops_per_buyer_day",
        number(&[0.0, 1.0, 1.0, 2.0]),
    );
    some(dice, i, 60, "quiet_after_rating", one_of(QUIET));
    some(dice, i, 70, "manual", |dice| json!(dice.chance(90)));
    some(dice, i, 60, "manual_quiet", one_of(QUIET));
    some(dice, i, 40, "manual_needs_contact", flag);
    if !features.as_it_was {
        some(dice, i, 50, "quiet_after_opening", flag);
    }
    invite
}

fn suspended(dice: &mut Dice, now: Ms) -> Value {
    let minutes = [-30, 0, 1, 5].map(|minutes| month_day_time(now + minutes * MINUTE_MS));
    let later = [2, 10, 60, 600].map(|minutes| month_day_time(now + (minutes + 5) * MINUTE_MS));
    let around = json!([{ "from": dice.pick(&minutes), "to": dice.pick(&later) }]);
    let windows = [
        around.clone(),
        around.clone(),
        around,
        json!([{ "from": month_day_time(now - 600 * MINUTE_MS), "to": month_day_time(now + 30_000 * MINUTE_MS) }]),
        json!([]),
        json!([{ "from": "12-31T22:00", "to": "01-01T02:00" }]),
        json!([{ "from": "11-16T10:01", "to": "11-16T10:30" }, { "from": "02-29T00:00", "to": "03-01T00:00" }]),
        json!([{ "from": "11-01T01:30", "to": "11-01T02:30" }, { "from": "03-08T00:30", "to": "03-08T12:00" }]),
        json!([{ "from": "04-05T01:45", "to": "04-05T02:15" }, { "from": "10-04T00:30", "to": "10-04T12:00" }]),
    ];
    dice.pick(&windows).clone()
}

/// In Shanghai, where most of the shops are.
fn month_day_time(at: Ms) -> String {
    let local = jiff::Timestamp::from_millisecond(at + 8 * HOUR_MS).expect("within jiff's years");
    local.strftime("%m-%dT%H:%M").to_string()
}

pub fn rating(dice: &mut Dice) -> Value {
    let mut rating = object();
    let r = &mut rating;
    some(dice, r, 50, "per", one_of(&["agent", "shop"]));
    some(
        dice,
        r,
        80,
        "window",
        one_of(&["0s", "20s", "1m", "10m", "24h"]),
    );
    some(dice, r, 50, "contact", one_of(&["agent", "shop"]));
    some(
        dice,
        r,
        60,
        "card_valid",
        one_of(&["30s", "1m", "5m", "1h", "24h"]),
    );
    rating
}

pub fn service(dice: &mut Dice, features: Features) -> Value {
    let mut service = object();
    let s = &mut service;
    s["reply"] = reply(dice);
    some(
        dice,
        s,
        70,
        "good_rate",
        |dice| json!({ "min": number(&[0.0, 0.5, 0.8, 0.3333, 1.0])(dice) }),
    );
    if features.scores {
        more_of_scores(dice, s);
    }
    some(
        dice,
        s,
        70,
        "attitude",
        |dice| json!({ "max": number(&[0.0, 0.06, 0.5, 1.0])(dice) }),
    );
    some(
        dice,
        s,
        90,
        "min_sample",
        number(&[0.0, 1.0, 1.0, 2.0, 3.0]),
    );
    service
}

/// M4's judged ratings, M12, M13, `in_hours` and `effective_bot`.
fn more_of_scores(dice: &mut Dice, s: &mut Value) {
    some(dice, s, 75, "daily", |dice| json!(dice.chance(80)));
    let r = &mut s["reply"];
    some(
        dice,
        r,
        80,
        "unit",
        one_of(&["buyer", "round", "round", "session"]),
    );
    some(dice, r, 40, "in_hours", flag);
    some(dice, r, 50, "effective_bot", flag);
    some(
        dice,
        r,
        60,
        "min_sample",
        number(&[0.0, 1.0, 1.0, 2.0, 4.0]),
    );
    if dice.chance(60) {
        let g = &mut s["good_rate"];
        some(dice, g, 60, "human", flag);
        if dice.chance(60) {
            let (from, to) = *dice.pick(&COUNTED);
            g["from"] = json!(from);
            g["to"] = json!(to);
        }
    }
}

/// Times of day from and to which something counts.
const COUNTED: [(&str, &str); 4] = [
    ("00:00", "24:00"),
    ("08:00", "23:00"),
    ("10:00", "10:30"),
    ("00:01", "23:59"),
];

fn reply(dice: &mut Dice) -> Value {
    let mut reply = object();
    let r = &mut reply;
    some(
        dice,
        r,
        70,
        "within",
        one_of(&["20s", "30s", "1m", "2m", "3m", "26h", "170h"]),
    );
    some(
        dice,
        r,
        70,
        "remind_after",
        one_of(&["0s", "10s", "20s", "1m", "100s", "120s", "25h"]),
    );
    if dice.chance(40) {
        let (from, to) = *dice.pick(&COUNTED);
        r["from"] = json!(from);
        r["to"] = json!(to);
    }
    some(
        dice,
        r,
        80,
        "min_rate",
        number(&[0.0, 0.5, 0.9, 1.0, 0.6667]),
    );
    some(dice, r, 50, "count_bot", flag);
    some(dice, r, 50, "penalty_above", number(&[0.0, 1.0, 2.0]));
    reply
}
