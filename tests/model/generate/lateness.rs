//! Traces of messages, and the same with some of them late: in the order of their session's events, within `lateness`.

use super::dice::Dice;
use crate::model::calendar;
use crate::model::value::{Ms, SECOND_MS, instant, written};
use serde_json::{Value, json};

const SESSIONS: usize = 12;
const LATENESS_MS: Ms = 300 * SECOND_MS;

/// One agent with room for everybody, buyers with several sessions, answers around `within` and midnight.
pub fn messages(seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let mut now = instant("2026-11-16T15:50:00Z").expect("a good instant");
    let mut events = vec![
        json!({ "type": "shop.configured", "policy": policy(&mut dice) }),
        json!({ "type": "agent.configured", "agent": "anna", "capacity": 1000 }),
        json!({ "type": "agent.online", "agent": "anna" }),
    ];
    for event in &mut events {
        put(event, now);
    }
    let mut open: Vec<String> = Vec::new();
    let mut opened = 0;
    for _ in 0..90 {
        now += *dice.pick(&[0, 10, 20, 30, 30, 60]) * SECOND_MS + Ms::from(dice.chance(10));
        let mut event = match dice.below(10) {
            0..2 if opened < SESSIONS => {
                opened += 1;
                let session = format!("s{opened}");
                open.push(session.clone());
                let buyer = format!("b{}", opened % 7);
                json!({ "type": "session.opened", "session": session, "buyer": buyer })
            }
            0 => continue,
            1 if open.len() > 3 => {
                let session = open.remove(dice.below(open.len()));
                json!({ "type": "session.closed", "session": session, "by": "agent" })
            }
            2..6 if !open.is_empty() => {
                json!({ "type": "buyer.message", "session": dice.pick(&open) })
            }
            6..9 if !open.is_empty() => {
                json!({ "type": "agent.message", "session": dice.pick(&open) })
            }
            _ => json!({ "type": "clock" }),
        };
        put(&mut event, now);
        let is_second = event["type"] == "session.opened" && opened > 7;
        if is_second {
            // The buyer's session before it has to be over.
            let before = format!("s{}", opened - 7);
            if open.contains(&before) {
                open.retain(|session| *session != before);
                let mut close =
                    json!({ "type": "session.closed", "session": before, "by": "buyer" });
                put(&mut close, now);
                events.push(close);
            }
        }
        events.push(event);
    }
    let mut last = json!({ "type": "clock" });
    put(&mut last, instant("2026-11-18T16:00:00Z").expect("good"));
    events.push(last);
    events.iter().map(Value::to_string).collect()
}

fn policy(dice: &mut Dice) -> Value {
    json!({
        "session": { "close_after_buyer_silence": "0s", "lateness": "5m" },
        "service": { "reply": {
            "within": dice.pick(&["30s", "1m", "2m", "3m"]), "min_rate": 0.5, "min_sample": 0,
        } },
        "routing": { "recent": { "window": "0s" } },
    })
}

fn put(event: &mut Value, at: Ms) {
    let zone = calendar::zone("UTC").expect("known");
    event["at"] = json!(written(at, &zone));
}

/// The same events, of which some messages come after events of other sessions.
pub fn delayed(seed: u64, lines: &[String]) -> Vec<String> {
    let mut dice = Dice::new(seed ^ 1);
    let read = |line: &String| serde_json::from_str::<Value>(line).expect("an event");
    let mut events: Vec<Value> = lines.iter().map(read).collect();
    let at = |event: &Value| event["at"].as_str().and_then(instant).expect("an instant");
    for place in (0..events.len()).rev() {
        let is_message = events[place]["type"]
            .as_str()
            .is_some_and(|kind| kind.ends_with(".message"));
        if !is_message || dice.chance(40) {
            continue;
        }
        let (session, own) = (events[place]["session"].clone(), at(&events[place]));
        let steps = 1 + dice.below(12);
        let mut to = place;
        while to + 1 < events.len()
            && to - place < steps
            && events[to + 1]["session"] != session
            && at(&events[to + 1]) <= own + LATENESS_MS
        {
            to += 1;
        }
        let event = events.remove(place);
        events.insert(to, event);
    }
    events.iter().map(Value::to_string).collect()
}
