//! Events that come after their time (T1): what is accepted, what is rejected, and what the rejection says.

use serde_json::{Value, json};
use xiaoer::domain::protocol::event::EventType;

use crate::bad_input::decisions;

/// When the events of the shop happen, and what its clock then shows.
const CLOCK: &str = "2026-11-16T10:00:00+08:00";

fn event(at: &str, fields: &str) -> String {
    format!(r#"{{"at":"{at}",{fields}}}"#)
}

/// A shop whose clock shows [`CLOCK`]: its lines, with these keys of `session`.
fn shop(session: &Value) -> Vec<String> {
    let policy = json!({"session": session, "invite": {"auto": false}});
    let configured = format!(r#""type":"shop.configured","policy":{policy}"#);
    [
        configured.as_str(),
        r#""type":"agent.configured","agent":"anna""#,
        r#""type":"agent.online","agent":"anna""#,
        r#""type":"session.opened","session":"s1","buyer":"b1","id":"e1""#,
        r#""type":"session.opened","session":"s2","buyer":"b2","bot":true"#,
        r#""type":"rating.opened","session":"s2""#,
    ]
    .iter()
    .map(|fields| event(CLOCK, fields))
    .collect()
}

/// What the shop answers to the last of its lines.
fn answer(mut lines: Vec<String>, event: String) -> Vec<Value> {
    let before = decisions(&lines.join("\n")).len();
    lines.push(event);
    decisions(&lines.join("\n")).split_off(before)
}

/// An event of every type, which the shop accepts.
const EVENTS: [&str; 23] = [
    r#""type":"shop.configured","policy":{}"#,
    r#""type":"agent.configured","agent":"bo""#,
    r#""type":"agent.removed","agent":"anna""#,
    r#""type":"agent.online","agent":"anna""#,
    r#""type":"agent.away","agent":"anna""#,
    r#""type":"agent.offline","agent":"anna""#,
    r#""type":"agent.ready","agent":"anna""#,
    r#""type":"session.opened","session":"s9","buyer":"b9""#,
    r#""type":"session.handoff","session":"s2""#,
    r#""type":"session.transferred","session":"s2","to":"anna""#,
    r#""type":"session.ranked","session":"s1","priority":1"#,
    r#""type":"session.closed","session":"s1","by":"agent""#,
    r#""type":"buyer.message","session":"s1""#,
    r#""type":"agent.message","session":"s1""#,
    r#""type":"bot.message","session":"s2""#,
    r#""type":"invite.requested","session":"s1""#,
    r#""type":"rating.opened","session":"s1""#,
    r#""type":"rating.submitted","session":"s1","stars":5"#,
    r#""type":"buyer.left","session":"s1""#,
    r#""type":"buyer.returned","session":"s1""#,
    r#""type":"buyer.flagged","buyer":"b1","risk":true"#,
    r#""type":"buyer.ranked","buyer":"b1","priority":9"#,
    r#""type":"buyer.blocked","buyer":"b1","blocked":true"#,
];

#[test]
fn an_event_may_be_late_by_the_lateness_of_the_policy_and_no_more() {
    for (session, last, too_early, lateness) in [
        (
            json!({}),
            "2026-11-16T09:50:00+08:00",
            "2026-11-16T09:49:59.999+08:00",
            "10m",
        ),
        (
            json!({"lateness": "10m"}),
            "2026-11-16T01:50:00Z",
            "2026-11-16T01:49:59.999Z",
            "10m",
        ),
        (
            json!({"lateness": "0s"}),
            CLOCK,
            "2026-11-16T09:59:59.999+08:00",
            "0s",
        ),
        (
            json!({"lateness": "1ms"}),
            "2026-11-16T09:59:59.999+08:00",
            "2026-11-16T09:59:59.998+08:00",
            "1ms",
        ),
        (
            json!({"lateness": "24h"}),
            "2026-11-15T10:00:00+08:00",
            "2026-11-15T09:59:59.999+08:00",
            "24h",
        ),
        (
            json!({"lateness": "3650d"}),
            "2016-11-18T10:00:00+08:00",
            "2016-11-18T09:59:59.999+08:00",
            "87600h",
        ),
    ] {
        for fields in EVENTS.iter().chain([&r#""type":"clock""#]) {
            for decision in answer(shop(&session), event(last, fields)) {
                assert_ne!(decision["type"], "event.rejected", "{session}: {decision}");
                assert_eq!(decision["at"], CLOCK, "{session}: {decision}");
            }
            let answers = answer(shop(&session), event(too_early, fields));
            assert_eq!(answers.len(), 1, "{session}: {fields}");
            assert_eq!(answers[0]["error"], "time_went_back", "{session}: {fields}");
            assert_eq!(answers[0]["at"], CLOCK, "{session}: {fields}");
            let message = answers[0]["message"].as_str().unwrap_or_default();
            for word in ["`at`", CLOCK, "session.lateness", lateness] {
                assert!(
                    message.contains(word),
                    "{session}: {message} does not say {word}"
                );
            }
        }
    }
}

#[test]
fn every_type_of_event_is_among_those_that_come_late() {
    for code in EventType::codes().filter(|code| *code != "clock") {
        let named = format!(r#""type":"{code}""#);
        assert!(
            EVENTS.iter().any(|fields| fields.starts_with(&named)),
            "{code}"
        );
    }
}

#[test]
fn an_event_that_comes_too_late_changes_nothing() {
    for fields in EVENTS {
        let mut lines = shop(&json!({"lateness": "0s"}));
        let probe = [
            r#""type":"buyer.message","session":"s1""#,
            r#""type":"session.handoff","session":"s2""#,
            r#""type":"session.opened","session":"s9","buyer":"b9""#,
            r#""type":"session.opened","session":"s8","buyer":"b1""#,
            r#""type":"session.closed","session":"s1","by":"agent""#,
        ];
        let probe = probe
            .iter()
            .map(|fields| event("2026-11-16T10:00:01+08:00", fields));
        let mut without = lines.clone();
        without.extend(probe.clone());
        lines.push(event("2026-11-16T09:59:59+08:00", fields));
        lines.extend(probe);
        let [with, without] = [lines, without].map(|lines| {
            let mut taken = decisions(&lines.join("\n"));
            taken.retain(|decision| decision["error"] != "time_went_back");
            for decision in &mut taken {
                decision["seq"] = Value::Null;
            }
            taken
        });
        assert_eq!(with, without, "{fields} changed something");
    }
}

/// The form, the shop and a repeated id come before the time; the name of the entry comes after it.
#[test]
fn the_time_has_its_place_among_the_checks() {
    let long_ago = "2026-11-15T10:00:00+08:00";
    for (fields, error) in [
        (r#""type":"clock","x":1"#, Some("malformed")),
        (r#""type":"clock","shop":"other""#, Some("shop_unknown")),
        (
            r#""type":"session.opened","session":"s1","buyer":"b1","id":"e1""#,
            None,
        ),
        (
            r#""type":"session.opened","session":"s9","buyer":"b9","entry":"nowhere""#,
            Some("time_went_back"),
        ),
        (
            r#""type":"session.closed","session":"s9","by":"agent""#,
            Some("time_went_back"),
        ),
        (
            r#""type":"buyer.blocked","buyer":"b1","blocked":true,"until":"2026-11-15T10:00:00+08:00""#,
            Some("malformed"),
        ),
    ] {
        let answers = answer(shop(&json!({})), event(long_ago, fields));
        let found = answers.first().map(|answer| answer["error"].clone());
        assert_eq!(found, error.map(Value::from), "{fields}");
        assert!(answers.len() <= 1, "{fields}");
    }
}

/// A block of a late event that is over by the clock closes nothing (B1).
#[test]
fn a_late_block_closes_a_session_only_while_it_lasts() {
    for (until, closed) in [
        ("2026-11-16T09:55:00.001+08:00", false),
        ("2026-11-16T10:00:00+08:00", false),
        ("2026-11-16T10:00:00.001+08:00", true),
    ] {
        let fields =
            format!(r#""type":"buyer.blocked","buyer":"b1","blocked":true,"until":"{until}""#);
        let answers = answer(
            shop(&json!({})),
            event("2026-11-16T09:55:00+08:00", &fields),
        );
        let closes = answers
            .iter()
            .filter(|answer| answer["type"] == "session.closed");
        let reasons: Vec<&Value> = closes.map(|answer| &answer["reason"]).collect();
        let expected = if closed { vec!["blocked"] } else { Vec::new() };
        assert_eq!(reasons, expected, "{until}");
    }
}
