//! Makes events and policies malformed, or makes them only look malformed.

use super::dice::Dice;
use super::events::keys;
use super::features::Features;
use serde_json::{Value, json};

/// A line with something wrong in it.
pub fn spoil(dice: &mut Dice, mut event: Value) -> String {
    match dice.below(8) {
        0 => {
            let names: Vec<String> = keys(&event).keys().cloned().collect();
            let name = dice.pick(&names).clone();
            let bad = [
                json!(null),
                json!(1.5),
                json!(""),
                json!([1]),
                json!({}),
                json!("a\u{7f}"),
                json!("x".repeat(161)),
            ];
            event[name.as_str()] = dice.pick(&bad).clone();
        }
        1 => event["unheard_of"] = json!(true),
        2 => {
            event["type"] = dice
                .pick(&[json!("session.reopened"), json!(7), json!(null), json!("")])
                .clone()
        }
        3 => event["at"] = json!(dice.pick(&BAD_INSTANTS)),
        4 => event["at"] = json!("2019-06-01T00:00:00Z"),
        5 => {
            event["shop"] = dice
                .pick(&[json!("nowhere"), json!(""), json!(3), json!("a\nb")])
                .clone()
        }
        6 => wrong_fields(dice, &mut event),
        _ => {
            event["id"] = dice
                .pick(&[json!(5), json!(""), json!("i".repeat(129))])
                .clone();
        }
    }
    event.to_string()
}

const BAD_INSTANTS: [&str; 9] = [
    "2026-11-16T10:00:60+08:00",
    "2026-11-16 10:00:00+08:00",
    "2026-11-16T10:00:00",
    "1999-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-11-16T10:00:00.+08:00",
    "2026-11-16T10:00:00+24:00",
    "2026-11-16T24:00:00Z",
];

fn wrong_fields(dice: &mut Dice, event: &mut Value) {
    match event["type"].as_str().unwrap_or("") {
        "session.opened" => event["entry"] = json!(dice.pick(&["unknown", "a/b", "Live"])),
        "agent.configured" => match dice.below(4) {
            0 => event["agent"] = json!("bot"),
            1 => {
                event["capacity"] = dice
                    .pick(&[json!(0), json!(1001), json!(1.0), json!(-1)])
                    .clone()
            }
            2 => event["weight"] = dice.pick(&[json!(0), json!(101), json!("1")]).clone(),
            _ => {
                event["roles"] = dice
                    .pick(&[json!([""]), json!("agent"), json!([null])])
                    .clone()
            }
        },
        "agent.message" => event["kind"] = json!("sticker"),
        "session.closed" => event["by"] = json!("timeout"),
        "rating.submitted" => match dice.below(4) {
            0 => event["stars"] = dice.pick(&[json!(0), json!(6), json!(5.0)]).clone(),
            1 => event["level"] = json!("happy"),
            2 => (event["level"], event["stars"]) = (json!("neutral"), json!(3)),
            _ => (event["card"], event["session"]) = (json!("s1#1"), json!("s1")),
        },
        "shop.configured" => event["policy"] = json!([]),
        "session.ranked" | "buyer.ranked" => {
            event["priority"] = dice
                .pick(&[json!(10), json!(-1), json!(1.0), json!("9"), json!(null)])
                .clone()
        }
        "buyer.blocked" => match dice.below(3) {
            0 => (event["blocked"], event["until"]) = (json!(false), json!("2099-01-01T00:00:00Z")),
            1 => (event["blocked"], event["until"]) = (json!(true), event["at"].clone()),
            _ => event["until"] = json!(7),
        },
        _ => event["session"] = json!("never-opened"),
    }
}

/// A line that means what the event means: nulls are left out, of equal keys the last counts.
pub fn harmless(dice: &mut Dice, mut event: Value) -> String {
    match dice.below(60) {
        0 => event["unheard_of"] = Value::Null,
        1 if event.get("id").is_none() => event["id"] = Value::Null,
        2 => {
            let line = event.to_string();
            let first = r#"{"type":"clock","at":7,"shop":null,"#;
            return if event.get("shop").is_some() {
                line.replacen('{', first, 1)
            } else {
                line
            };
        }
        _ => {}
    }
    event.to_string()
}

type Bad = (&'static [&'static str], Value);

/// One bad key, so that there is one path to it.
pub fn spoil_policy(dice: &mut Dice, policy: &mut Value, features: Features) {
    let mut bad = bad();
    if !features.as_it_was {
        bad.extend(bad_since_the_second_edition());
    }
    let (path, value) = dice.pick(&bad).clone();
    let mut place = policy;
    for key in path {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[*key];
    }
    *place = value;
}

fn bad() -> Vec<Bad> {
    let bad: [Bad; 31] = [
        (&["preset"], json!("jd")),
        (&["timezone"], json!("asia/shanghai")),
        (&["buyer_space"], json!("")),
        (&["colour"], json!("red")),
        (&["routing"], json!(5)),
        (&["routing", "strategy"], json!("fastest")),
        (&["routing", "overflow"], json!("true")),
        (&["routing", "recent", "window"], json!("1h  30m")),
        (&["routing", "recent", "windw"], json!("1h")),
        (&["routing", "queue", "limit"], json!(1_000_001)),
        (&["routing", "queue", "limit"], json!(10.0)),
        (&["routing", "queue", "max_wait"], json!("3651d")),
        (&["routing", "groups", "presale"], json!(["group:night"])),
        (&["routing", "entries", "a/b"], json!({})),
        (
            &["routing", "entries", "live", "questions", "几天发货"],
            json!(["group:unknown"]),
        ),
        (&["routing", "entries", "vip", "capacity"], json!(1)),
        (&["routing", "order_status", "unpaid"], json!("anna")),
        (&["routing", "offline", "members"], json!(["role:"])),
        (&["session", "on_agent_offline"], json!("reassign")),
        (
            &["auto_reply", "queued"],
            json!({ "enabled": true, "text": "" }),
        ),
        (&["invite", "auto_percent"], json!(50.001)),
        (&["invite", "auto_percent"], json!(100.01)),
        (&["invite", "after"], json!(["system"])),
        (
            &["invite", "suspended"],
            json!([{ "from": "02-30T00:00", "to": "03-01T00:00" }]),
        ),
        (
            &["invite", "suspended"],
            json!([{ "from": "02-28T00:00", "to": "02-28T00:00" }]),
        ),
        (
            &["invite", "suspended"],
            json!([{ "from": "02-28T24:00", "to": "03-01T00:00" }]),
        ),
        (&["rating", "card_valid"], json!("0s")),
        (&["service", "reply", "within"], json!("0s")),
        (&["service", "reply", "to"], json!("00:00")),
        (&["service", "reply", "min_rate"], json!(0.12345)),
        (&["service", "good_rate", "min"], json!(1.1)),
    ];
    bad.to_vec()
}

fn bad_since_the_second_edition() -> Vec<Bad> {
    let many = json!(vec!["00:00-00:01"; 9]);
    let bad: [Bad; 35] = [
        (&["preset"], json!("kuaishou-2024")),
        (&["hours"], json!([])),
        (&["hours", "week", "mon"], json!(["09:00-09:00"])),
        (&["hours", "week", "mon"], json!(["09:00-24:01"])),
        (&["hours", "week", "tue"], json!(["9:00-12:00"])),
        (
            &["hours", "week", "wed"],
            json!(["10:00-12:00", "11:59-13:00"]),
        ),
        (
            &["hours", "week", "wed"],
            json!(["10:00-12:00", "08:00-09:00"]),
        ),
        (&["hours", "week", "thu"], json!("09:00-12:00")),
        (&["hours", "week", "thu"], many),
        (&["hours", "week", "monday"], json!([])),
        (&["hours", "days", "2026-02-29"], json!([])),
        (&["hours", "days", "1999-12-31"], json!([])),
        (&["hours", "days", "2026-1-01"], json!([])),
        (&["hours", "days", "2026-10-01"], json!([7])),
        (&["hours", "outside"], json!("closed")),
        (&["hours", "prompt"], json!(5)),
        (&["routing", "queue", "mode"], json!("never")),
        (&["routing", "queue", "leave_grace"], json!("20")),
        (&["routing", "queue", "next_prompt"], json!(1)),
        (&["routing", "take_back", "after"], json!("soon")),
        (&["routing", "take_back", "max"], json!(-1)),
        (&["routing", "take_back", "otherwise"], json!("close")),
        (&["routing", "take_back", "away_after"], json!(1_000_001)),
        (&["routing", "priority", "age"], json!("3651d")),
        (&["routing", "offline", "hand_over"], json!("yes")),
        (&["session", "wrap_up"], json!(30)),
        (&["session", "lateness"], json!("1y")),
        (&["auto_reply", "closed"], json!({ "enabled": true })),
        (&["invite", "quiet_after_opening"], json!("24h")),
        (&["invite", "after"], json!(["abandoned"])),
        (&["service", "reply", "unit"], json!("message")),
        (&["service", "reply", "min_sample"], json!(1.0)),
        (&["service", "reply", "in_hours"], json!(1)),
        (&["service", "good_rate", "to"], json!("00:00")),
        (&["service", "daily"], json!("on")),
    ];
    bad.to_vec()
}

#[cfg(test)]
mod tests {
    use super::{bad, bad_since_the_second_edition};
    use crate::model::policy::read;
    use serde_json::json;

    #[test]
    fn every_bad_key_is_told_by_its_path() {
        for (path, value) in bad().into_iter().chain(bad_since_the_second_edition()) {
            let mut policy = json!({});
            let mut place = &mut policy;
            for key in path {
                place = &mut place[*key];
            }
            *place = value.clone();
            let told = read(policy.as_object().expect("an object")).err();
            let mut wanted = path.join(".");
            if path[0] == "auto_reply" {
                wanted += ".text";
            }
            assert_eq!(told, Some(wanted), "{value}");
        }
    }
}
