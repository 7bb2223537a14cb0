//! Invalid input gets the right code and a helpful message, and changes nothing.

use std::time::Duration;

use crate::support::deadline::Worked;
use serde_json::{Value, json};
use xiaoer::domain::explain::decision_sink::DecisionSink;
use xiaoer::domain::installation::Installation;
use xiaoer::domain::protocol::event::EventType;
use xiaoer::domain::read::invariants;
use xiaoer::replay::{ReplayError, replay};

/// A shop with somebody online, a closed session, a blocked buyer, open sessions and a card.
const SHOP: [&str; 11] = [
    r#""type":"shop.configured","policy":{"rating":{"contact":"shop"}}"#,
    r#""type":"agent.configured","agent":"anna","capacity":2"#,
    r#""type":"agent.online","agent":"anna""#,
    r#""type":"session.opened","session":"s0","buyer":"b0""#,
    r#""type":"session.closed","session":"s0","by":"system""#,
    r#""type":"buyer.blocked","buyer":"b8","blocked":true"#,
    r#""type":"session.opened","session":"s1","buyer":"b1""#,
    r#""type":"buyer.message","session":"s1""#,
    r#""type":"rating.opened","session":"s1""#,
    r#""type":"session.opened","session":"s2","buyer":"b2","bot":true"#,
    r#""type":"buyer.message","session":"s2""#,
];

/// What is sent after the bad event: the answers must be those of a shop that never saw it.
const PROBE: [&str; 11] = [
    r#""type":"session.handoff","session":"s2""#,
    r#""type":"session.opened","session":"s3","buyer":"b3","id":"e1""#,
    r#""type":"rating.submitted","card":"s1#1","stars":3"#,
    r#""type":"session.closed","session":"s1","by":"agent""#,
    r#""type":"session.opened","session":"s4","buyer":"b1""#,
    r#""type":"invite.requested","session":"s2""#,
    r#""type":"agent.offline","agent":"anna""#,
    r#""type":"session.closed","session":"s2","by":"buyer""#,
    r#""type":"rating.opened","session":"s2","card":"s2#1""#,
    r#""type":"session.opened","session":"s8","buyer":"b8""#,
    r#""type":"session.opened","session":"s9","buyer":"b9""#,
];

const AT: &str = r#""at":"2026-11-16T10:00:00+08:00""#;

/// The line of an event: its fields, and the usual time.
pub(crate) fn line(fields: &str) -> String {
    format!("{{{AT},{fields}}}")
}

/// The decisions of a trace that can be read to its end.
pub(crate) fn decisions(trace: &str) -> Vec<Value> {
    let (mut installation, mut written) = (Installation::default(), Vec::new());
    if let Err(error) = replay(&mut installation, trace.as_bytes(), &mut written, |_| {}) {
        panic!("{error} in {trace:.200}");
    }
    for shop in installation.shops() {
        assert_eq!(invariants::audit(shop), Ok(()));
    }
    let lines = String::from_utf8_lossy(&written).into_owned();
    let read = lines.lines().map(|line| match serde_json::from_str(line) {
        Ok(decision) => decision,
        Err(error) => panic!("{error} in {line}"),
    });
    read.collect()
}

/// What the shop above answers to one more event.
fn answer(event: &str) -> Vec<Value> {
    let shop: String = SHOP.iter().map(|fields| line(fields) + "\n").collect();
    let before = decisions(&shop).len();
    decisions(&format!("{shop}{event}\n")).split_off(before)
}

/// One row: the event is rejected with the code, in a sentence that holds all of `words`, and changes nothing.
#[track_caller]
pub(crate) fn rejected(event: &str, error: &str, words: &[&str]) {
    let answers = answer(event);
    assert_eq!(answers.len(), 1, "{event:.300}: {answers:?}");
    assert_eq!(answers[0]["type"], "event.rejected", "{event:.300}");
    assert_eq!(
        answers[0]["error"], error,
        "{event:.300}: {}",
        answers[0]["message"]
    );
    let message = answers[0]["message"].as_str().unwrap_or_default();
    for word in words {
        assert!(
            message.contains(word),
            "{event:.300}: {message:.300} does not say {word}"
        );
    }
    let [with, without] = [event, ""].map(|event| {
        let lines: Vec<String> = SHOP.iter().map(|fields| line(fields)).collect();
        let probe: Vec<String> = PROBE.iter().map(|fields| line(fields)).collect();
        let trace = format!("{}\n{event}\n{}\n", lines.join("\n"), probe.join("\n"));
        let mut decisions = decisions(&trace);
        if !event.is_empty() {
            decisions.retain(|decision| *decision != answers[0]);
        }
        for decision in &mut decisions {
            decision["seq"] = Value::Null;
        }
        decisions
    });
    assert_eq!(with, without, "{event:.300} changed something");
}

#[track_caller]
pub(crate) fn accepted(event: &str) {
    for answer in answer(event) {
        assert_ne!(
            answer["type"], "event.rejected",
            "{event:.300}: {}",
            answer["message"]
        );
    }
}

#[test]
fn malformed_fields_of_every_event() {
    let rows = [
        ("shop.configured", "", ["`policy`", "missing"]),
        (
            "shop.configured",
            r#","policy":null"#,
            ["`policy`", "missing"],
        ),
        ("shop.configured", r#","policy":[]"#, ["`policy`", "object"]),
        (
            "shop.configured",
            r#","policy":"{}""#,
            ["`policy`", "object"],
        ),
        (
            "shop.configured",
            r#","policy":{},"polcy":{}"#,
            ["`polcy`", "no field"],
        ),
        ("agent.configured", "", ["`agent`", "missing"]),
        ("agent.configured", r#","agent":7"#, ["`agent`", "string"]),
        ("agent.configured", r#","agent":"bot""#, ["`agent`", "bot"]),
        (
            "agent.configured",
            r#","agent":"bo","name":1"#,
            ["`name`", "string"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","roles":"agent""#,
            ["`roles`", "array"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","roles":["agent",1]"#,
            ["`roles`", "strings"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","roles":["agent",null]"#,
            ["`roles`", "strings"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","roles":[""]"#,
            ["`roles`", "1 to 128"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","capacity":0"#,
            ["`capacity`", "1 to 1000"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","capacity":1001"#,
            ["`capacity`", "1 to 1000"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","capacity":-1"#,
            ["`capacity`", "1 to 1000"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","capacity":10.0"#,
            ["`capacity`", "fraction"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","capacity":1e1"#,
            ["`capacity`", "exponent"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","capacity":1e999"#,
            ["`capacity`", "1 to 1000"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","capacity":4294967297"#,
            ["`capacity`", "1 to 1000"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","capacity":18446744073709551617"#,
            ["`capacity`", "1 to 1000"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","capacity":"10""#,
            ["`capacity`", "whole number"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","weight":0"#,
            ["`weight`", "1 to 100"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","weight":101"#,
            ["`weight`", "1 to 100"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","weight":true"#,
            ["`weight`", "whole number"],
        ),
        (
            "agent.configured",
            r#","agent":"bo","online":true"#,
            ["`online`", "no field"],
        ),
        ("agent.removed", "", ["`agent`", "missing"]),
        (
            "agent.removed",
            r#","agent":"anna","session":"s1""#,
            ["`session`", "no field"],
        ),
        ("agent.online", "", ["`agent`", "missing"]),
        ("agent.away", r#","agent":{}"#, ["`agent`", "string"]),
        (
            "agent.offline",
            r#","agent":["anna"]"#,
            ["`agent`", "string"],
        ),
        (
            "session.opened",
            r#","buyer":"b9""#,
            ["`session`", "missing"],
        ),
        (
            "session.opened",
            r#","session":"s9""#,
            ["`buyer`", "missing"],
        ),
        (
            "session.opened",
            r#","session":"","buyer":"b9""#,
            ["`session`", "1 to 128"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b\t9""#,
            ["`buyer`", "control"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b\u0085""#,
            ["`buyer`", "control"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":9"#,
            ["`buyer`", "string"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","entry":"nowhere""#,
            ["`entry`", "product_detail"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","entry":"""#,
            ["`entry`", "1 to 128"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","question":1"#,
            ["`question`", "string"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","order_status":[]"#,
            ["`order_status`", "string"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","bot":"yes""#,
            ["`bot`", "true or false"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","bot":1"#,
            ["`bot`", "true or false"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","agent":"anna""#,
            ["`agent`", "no field"],
        ),
        ("session.handoff", "", ["`session`", "missing"]),
        (
            "session.handoff",
            r#","session":"s2","question":"""#,
            ["`question`", "1 to 128"],
        ),
        (
            "session.handoff",
            r#","session":"s2","order_status":1"#,
            ["`order_status`", "string"],
        ),
        (
            "session.handoff",
            r#","session":"s2","entry":"live""#,
            ["`entry`", "no field"],
        ),
        (
            "session.transferred",
            r#","to":"anna""#,
            ["`session`", "missing"],
        ),
        (
            "session.transferred",
            r#","session":"s1""#,
            ["`to`", "missing"],
        ),
        (
            "session.transferred",
            r#","session":"s1","to":"anna","by":1"#,
            ["`by`", "string"],
        ),
        (
            "session.closed",
            r#","by":"agent""#,
            ["`session`", "missing"],
        ),
        ("session.closed", r#","session":"s1""#, ["`by`", "agent"]),
        (
            "session.closed",
            r#","session":"s1","by":"timeout""#,
            ["`by`", "system"],
        ),
        (
            "session.closed",
            r#","session":"s1","by":1"#,
            ["`by`", "string"],
        ),
        ("buyer.message", "", ["`session`", "missing"]),
        (
            "buyer.message",
            r#","session":"s1","text":1"#,
            ["`text`", "string"],
        ),
        (
            "buyer.message",
            r#","session":"s1","kind":"""#,
            ["`kind`", "1 to 128"],
        ),
        (
            "buyer.message",
            r#","session":"s1","buyer":"b1""#,
            ["`buyer`", "no field"],
        ),
        ("agent.message", "", ["`session`", "missing"]),
        (
            "agent.message",
            r#","session":"s1","kind":"Text""#,
            ["`kind`", "auto_reply"],
        ),
        (
            "agent.message",
            r#","session":"s1","kind":1"#,
            ["`kind`", "string"],
        ),
        (
            "agent.message",
            r#","session":"s1","agent":1"#,
            ["`agent`", "string"],
        ),
        (
            "agent.message",
            r#","session":"s1","text":{}"#,
            ["`text`", "string"],
        ),
        ("bot.message", "", ["`session`", "missing"]),
        (
            "bot.message",
            r#","session":"s2","kind":"text""#,
            ["`kind`", "no field"],
        ),
        ("invite.requested", "", ["`session`", "missing"]),
        (
            "invite.requested",
            r#","session":"s1","agent":"""#,
            ["`agent`", "1 to 128"],
        ),
        ("rating.opened", "", ["`session`", "missing"]),
        (
            "rating.opened",
            r#","session":"s1","card":1"#,
            ["`card`", "string"],
        ),
        ("rating.submitted", r#","stars":5"#, ["`card`", "`session`"]),
        (
            "rating.submitted",
            r#","session":"s1","card":"s1#1","stars":5"#,
            ["`card`", "`session`"],
        ),
        (
            "rating.submitted",
            r#","session":"s1""#,
            ["`level`", "`stars`"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","stars":5,"level":"satisfied""#,
            ["`level`", "`stars`"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","stars":0"#,
            ["`stars`", "1 to 5"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","stars":6"#,
            ["`stars`", "1 to 5"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","stars":4.5"#,
            ["`stars`", "1 to 5"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","stars":5.0"#,
            ["`stars`", "fraction"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","stars":"5""#,
            ["`stars`", "whole number"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","level":"good""#,
            ["`level`", "disappointed"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","level":5"#,
            ["`level`", "string"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","stars":5,"reasons":"attitude""#,
            ["`reasons`", "array"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","stars":5,"reasons":[["attitude"]]"#,
            ["`reasons`", "strings"],
        ),
        (
            "rating.submitted",
            r#","session":"s1","stars":5,"comment":5"#,
            ["`comment`", "string"],
        ),
        ("buyer.flagged", r#","risk":true"#, ["`buyer`", "missing"]),
        ("buyer.flagged", r#","buyer":"b1""#, ["`risk`", "missing"]),
        (
            "buyer.flagged",
            r#","buyer":"b1","risk":"true""#,
            ["`risk`", "true or false"],
        ),
        ("agent.ready", "", ["`agent`", "missing"]),
        ("agent.ready", r#","agent":7"#, ["`agent`", "string"]),
        (
            "agent.ready",
            r#","agent":"anna","session":"s1""#,
            ["`session`", "no field"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","priority":10"#,
            ["`priority`", "0 to 9"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","priority":-1"#,
            ["`priority`", "0 to 9"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","priority":1.0"#,
            ["`priority`", "fraction"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","priority":"1""#,
            ["`priority`", "whole number"],
        ),
        (
            "session.opened",
            r#","session":"s9","buyer":"b9","rank":1"#,
            ["`rank`", "no field"],
        ),
        (
            "session.ranked",
            r#","priority":1"#,
            ["`session`", "missing"],
        ),
        (
            "session.ranked",
            r#","session":"s1""#,
            ["`priority`", "0 to 9"],
        ),
        (
            "session.ranked",
            r#","session":"s1","priority":10"#,
            ["`priority`", "0 to 9"],
        ),
        (
            "session.ranked",
            r#","session":"s1","priority":-1"#,
            ["`priority`", "0 to 9"],
        ),
        (
            "session.ranked",
            r#","session":"s1","priority":1.0"#,
            ["`priority`", "fraction"],
        ),
        (
            "session.ranked",
            r#","session":"s1","priority":1e0"#,
            ["`priority`", "exponent"],
        ),
        (
            "session.ranked",
            r#","session":"s1","priority":"9""#,
            ["`priority`", "whole number"],
        ),
        (
            "session.ranked",
            r#","session":"s1","priority":true"#,
            ["`priority`", "whole number"],
        ),
        (
            "session.ranked",
            r#","session":"s1","priority":1,"buyer":"b1""#,
            ["`buyer`", "no field"],
        ),
        ("buyer.left", "", ["`session`", "missing"]),
        ("buyer.left", r#","session":1"#, ["`session`", "string"]),
        (
            "buyer.left",
            r#","session":"s1","buyer":"b1""#,
            ["`buyer`", "no field"],
        ),
        ("buyer.returned", "", ["`session`", "missing"]),
        (
            "buyer.returned",
            r#","session":[]"#,
            ["`session`", "string"],
        ),
        (
            "buyer.returned",
            r#","session":"s1","by":"buyer""#,
            ["`by`", "no field"],
        ),
        ("buyer.ranked", r#","priority":1"#, ["`buyer`", "missing"]),
        ("buyer.ranked", r#","buyer":"b1""#, ["`priority`", "0 to 9"]),
        (
            "buyer.ranked",
            r#","buyer":"b1","priority":10"#,
            ["`priority`", "0 to 9"],
        ),
        (
            "buyer.ranked",
            r#","buyer":"b1","priority":-1"#,
            ["`priority`", "0 to 9"],
        ),
        (
            "buyer.ranked",
            r#","buyer":"b1","priority":1.0"#,
            ["`priority`", "fraction"],
        ),
        (
            "buyer.ranked",
            r#","buyer":"b1","priority":18446744073709551616"#,
            ["`priority`", "0 to 9"],
        ),
        (
            "buyer.ranked",
            r#","buyer":"b1","priority":1,"until":"2026-11-17T10:00:00Z""#,
            ["`until`", "no field"],
        ),
        (
            "buyer.blocked",
            r#","blocked":true"#,
            ["`buyer`", "missing"],
        ),
        (
            "buyer.blocked",
            r#","buyer":"b1""#,
            ["`blocked`", "missing"],
        ),
        (
            "buyer.blocked",
            r#","buyer":"b1","blocked":1"#,
            ["`blocked`", "true or false"],
        ),
        (
            "buyer.blocked",
            r#","buyer":"b1","blocked":"true""#,
            ["`blocked`", "true or false"],
        ),
        (
            "buyer.blocked",
            r#","buyer":"b1","blocked":true,"until":"24h""#,
            ["`until`", "2000 to 2099"],
        ),
        (
            "buyer.blocked",
            r#","buyer":"b1","blocked":true,"until":1794794400"#,
            ["`until`", "2026-11-11T10:00:00+08:00"],
        ),
        (
            "buyer.blocked",
            r#","buyer":"b1","blocked":true,"until":"2100-01-01T00:00:00Z""#,
            ["`until`", "2000 to 2099"],
        ),
        // At `at`, however it is written; without a block to end.
        (
            "buyer.blocked",
            r#","buyer":"b1","blocked":true,"until":"2026-11-16T10:00:00+08:00""#,
            ["`until`", "later than `at`"],
        ),
        (
            "buyer.blocked",
            r#","buyer":"b1","blocked":true,"until":"2026-11-16T02:00:00Z""#,
            ["`until`", "later than `at`"],
        ),
        (
            "buyer.blocked",
            r#","buyer":"b1","blocked":true,"until":"2026-11-16T09:59:59.999+08:00""#,
            ["`until`", "later than `at`"],
        ),
        (
            "buyer.blocked",
            r#","buyer":"b1","blocked":false,"until":"2026-11-17T10:00:00+08:00""#,
            ["`until`", "leave it out"],
        ),
        (
            "buyer.blocked",
            r#","buyer":"b1","blocked":true,"risk":true"#,
            ["`risk`", "no field"],
        ),
        ("clock", r#","session":"s1""#, ["`session`", "no field"]),
        ("clock", r#","id":"""#, ["`id`", "1 to 128"]),
        ("clock", r#","id":7"#, ["`id`", "string"]),
        ("clock", r#","x":1e999"#, ["`x`", "no field"]),
        ("nothing", "", ["`type`", "nothing"]),
        ("", "", ["`type`", "no event type"]),
        ("Clock", "", ["`type`", "Clock"]),
    ];
    for event in EventType::codes() {
        assert!(
            rows.iter().any(|(of, ..)| *of == event),
            "{event} has no row"
        );
    }
    for (event, fields, words) in rows {
        rejected(
            &line(&format!(r#""type":"{event}"{fields}"#)),
            "malformed",
            &words,
        );
    }
}

#[test]
fn types_shops_and_instants_that_are_none() {
    for (event, words) in [
        (line(r#""session":"s1""#), ["`type`", "missing"]),
        (line(r#""type":null"#), ["`type`", "missing"]),
        (line(r#""type":7"#), ["`type`", "string"]),
        (line(r#""type":["clock"]"#), ["`type`", "string"]),
        (r#"{"type":"clock"}"#.to_owned(), ["`at`", "missing"]),
        (
            r#"{"type":"clock","at":null}"#.to_owned(),
            ["`at`", "missing"],
        ),
        (
            r#"{"type":"clock","at":1794794400}"#.to_owned(),
            ["`at`", "2026-11-11T10:00:00+08:00"],
        ),
        (
            r#"{"type":"clock","at":1e999}"#.to_owned(),
            ["`at`", "2000 to 2099"],
        ),
        (
            r#"{"type":"clock","at":"now"}"#.to_owned(),
            ["`at`", "2000 to 2099"],
        ),
    ] {
        rejected(&event, "malformed", &words);
    }
    let answer = &answer(&line(r#""type":7"#))[0];
    assert_eq!(
        (&answer["event"], &answer["shop"]),
        (&json!(""), &json!("default"))
    );
}

#[test]
fn a_malformed_shop_is_written_as_an_empty_one() {
    for (shop, at, written) in [
        (
            r#""""#,
            r#""2026-11-16T02:00:00Z""#,
            json!("2026-11-16T10:00:00+08:00"),
        ),
        (
            "7",
            r#""2026-11-16T10:00:00.5+08:00""#,
            json!("2026-11-16T10:00:00.500+08:00"),
        ),
        (r#""a\nb""#, r#""soon""#, Value::Null),
    ] {
        let answers = answer(&format!(r#"{{"type":"clock","at":{at},"shop":{shop}}}"#));
        assert_eq!(answers.len(), 1);
        let answer = &answers[0];
        assert_eq!(
            (&answer["shop"], &answer["seq"]),
            (&json!(""), &json!(0)),
            "{shop}"
        );
        assert_eq!(
            (&answer["error"], &answer["at"]),
            (&json!("malformed"), &written),
            "{shop}"
        );
        assert!(
            answer["message"].as_str().unwrap().contains("`shop`"),
            "{answer}"
        );
    }
    let answers = answer(r#"{"type":"clock","shop":"other"}"#);
    assert_eq!(
        (&answers[0]["shop"], &answers[0]["seq"]),
        (&json!("other"), &json!(0))
    );
    assert_eq!(answers[0].get("at"), None);
}

#[test]
fn null_counts_as_left_out_and_the_last_of_equal_keys_counts() {
    for fields in [
        r#""type":"agent.configured","agent":"bo","name":null,"roles":null,"capacity":null,"weight":null,"id":null"#,
        r#""type":"session.opened","session":"s9","buyer":"b9","entry":null,"question":null,"order_status":null,"bot":null"#,
        r#""type":"clock","colour":null,"shop":null"#,
        r#""type":"clock","colour":"red","colour":null"#,
        r#""type":"nothing","type":"clock""#,
        r#""type":"agent.configured","agent":"bo","capacity":1e1,"capacity":10"#,
        r#""type":"agent.message","session":"s1","kind":"hum","kind":"text""#,
        r#""type":"rating.submitted","session":"s1","card":null,"stars":5,"level":null"#,
        r#""type":"session.closed","session":"s1","by":"timeout","by":"system""#,
        r#""type":"shop.configured","policy":7,"policy":{"rating":null,"routing":{"queue":null,"strategy":null}}"#,
        r#""type":"shop.configured","policy":{"x":1,"x":null}"#,
        r#""type":"clock","\u0061t":"2026-11-16T10:00:01+08:00""#,
        r#""type":"session.opened","session":"s9","buyer":"b9","priority":null"#,
        r#""type":"session.ranked","session":"s1","priority":10,"priority":9"#,
        r#""type":"buyer.blocked","buyer":"b9","blocked":false,"until":null"#,
        r#""type":"buyer.blocked","buyer":"b9","blocked":true,"until":"2026-11-16T10:00:00.001+08:00""#,
    ] {
        accepted(&line(fields));
    }
    for (fields, word) in [
        (r#""type":"clock","colour":null,"colour":"red""#, "`colour`"),
        (r#""type":"clock","type":"nothing""#, "nothing"),
        (r#""type":"clock","at":null"#, "`at`"),
        (
            r#""type":"agent.configured","agent":"bo","capacity":10,"capacity":1e1"#,
            "`capacity`",
        ),
        (
            r#""type":"session.closed","session":"s1","by":"system","by":null"#,
            "`by`",
        ),
    ] {
        rejected(&line(fields), "malformed", &[word]);
    }
}

#[test]
fn ids_go_by_their_bytes() {
    let chinese = "小".repeat(42);
    let most = format!("{chinese}ab");
    assert_eq!(most.len(), 128);
    for (session, good) in [
        (most.clone(), true),
        (format!("{most}c"), false),
        (format!("{chinese}小"), false),
        ("x".repeat(128), true),
        ("x".repeat(129), false),
        (" ".to_owned(), true),
        ("😀".repeat(32), true),
        ("\\u5c0f".to_owned(), true),
        ("\\u0000".to_owned(), false),
        ("\\u007f".to_owned(), false),
        ("\\u0080".to_owned(), false),
        ("\\ud83d\\ude00".to_owned(), true),
    ] {
        let event = line(&format!(
            r#""type":"session.opened","session":"{session}","buyer":"b9""#
        ));
        if good {
            accepted(&event);
        } else {
            rejected(&event, "malformed", &["`session`", "1 to 128 bytes"]);
        }
    }
    let card = |length: usize| {
        let card = "x".repeat(length);
        line(&format!(
            r#""type":"rating.opened","session":"s1","card":"{card}""#
        ))
    };
    accepted(&card(160));
    rejected(&card(161), "malformed", &["`card`", "160 bytes"]);
    let text = "\\u0001\\n".repeat(1000);
    accepted(&line(&format!(
        r#""type":"buyer.message","session":"s1","text":"{text}""#
    )));
}

#[test]
fn instants_at_the_edges() {
    for (at, written) in [
        ("2000-01-01T00:00:00Z", Some("2000-01-01T08:00:00+08:00")),
        ("1999-12-31T23:59:59.999Z", None),
        ("2000-01-01T07:59:59+08:00", None),
        (
            "2000-01-01T23:59:00+23:59",
            Some("2000-01-01T08:00:00+08:00"),
        ),
        (
            "2099-12-31T23:59:59.999Z",
            Some("2100-01-01T07:59:59.999+08:00"),
        ),
        ("2100-01-01T00:00:00Z", None),
        ("2099-12-31T23:59:59-00:01", None),
        ("2026-11-16T10:00:60+08:00", None),
        ("2026-11-16T10:60:00+08:00", None),
        ("2026-11-16T24:00:00+08:00", None),
        ("2026-02-29T10:00:00+08:00", None),
        ("2026-13-01T10:00:00+08:00", None),
        ("2026-11-16T10:00:00", None),
        ("2026-11-16t10:00:00Z", None),
        ("2026-11-16T10:00:00z", None),
        ("2026-11-16 10:00:00Z", None),
        ("2026-11-16T10:00Z", None),
        ("2026-11-16T10:00:00,5Z", None),
        ("2026-11-16T10:00:00.Z", None),
        ("2026-11-16T10:00:00.1234567891Z", None),
        (
            "2026-11-16T10:00:00.123999999Z",
            Some("2026-11-16T18:00:00.123+08:00"),
        ),
        (
            "2026-11-16T10:00:00.000999Z",
            Some("2026-11-16T18:00:00+08:00"),
        ),
        ("2026-11-16T10:00:00+8:00", None),
        ("2026-11-16T10:00:00+0800", None),
        ("2026-11-16T10:00:00+24:00", None),
        ("2026-11-16T10:00:00+08:60", None),
        ("2026-11-16T10:00:00−08:00", None),
        (
            "2026-11-16T10:00:00-00:00",
            Some("2026-11-16T18:00:00+08:00"),
        ),
        (" 2026-11-16T10:00:00Z", None),
        ("+2026-11-16T10:00:00Z", None),
        ("２026-11-16T10:00:00Z", None),
        ("", None),
    ] {
        // An event that is rejected after its form was read shows the shop's clock.
        let shop = format!(r#"{{"type":"shop.configured","at":"{at}","policy":{{}}}}"#);
        let probe =
            format!(r#"{{"type":"session.closed","at":"{at}","session":"s","by":"buyer"}}"#);
        let answers = decisions(&format!("{shop}\n{probe}\n"));
        match written {
            Some(written) => {
                assert_eq!(answers.len(), 1, "{at}: {answers:?}");
                assert_eq!(answers[0]["error"], "session_unknown", "{at}");
                assert_eq!(answers[0]["at"], written, "{at}");
            }
            None => {
                assert_eq!(answers[0]["error"], "malformed", "{at}");
                assert_eq!(answers[0].get("at"), None, "{at}");
                assert!(
                    answers[0]["message"].as_str().unwrap().contains("`at`"),
                    "{at}"
                );
            }
        }
    }
}

#[test]
fn a_timer_past_the_last_instant() {
    let trace = "\
        {\"type\":\"shop.configured\",\"at\":\"2099-12-31T23:59:59Z\",\"policy\":{\"routing\":{\"queue\":{\"max_wait\":\"3650d\"}}}}\n\
        {\"type\":\"session.opened\",\"at\":\"2099-12-31T23:59:59.999Z\",\"session\":\"s\",\"buyer\":\"b\"}\n\
        {\"type\":\"buyer.message\",\"at\":\"2099-12-31T23:59:59.999Z\",\"session\":\"s\"}\n";
    assert_eq!(decisions(trace).len(), 1);
}

#[test]
fn every_other_code_changes_nothing_either() {
    for (fields, error) in [
        (r#""type":"agent.online","agent":"nobody""#, "agent_unknown"),
        (r#""type":"agent.removed","agent":"bot""#, "agent_unknown"),
        (
            r#""type":"session.transferred","session":"s1","to":"nobody""#,
            "agent_unknown",
        ),
        (
            r#""type":"session.closed","session":"s9","by":"agent""#,
            "session_unknown",
        ),
        (
            r#""type":"rating.opened","session":"s9""#,
            "session_unknown",
        ),
        (
            r#""type":"session.opened","session":"s1","buyer":"b9""#,
            "session_exists",
        ),
        (
            r#""type":"session.opened","session":"s9","buyer":"b1""#,
            "buyer_in_session",
        ),
        (
            r#""type":"agent.message","session":"s1","agent":"bo""#,
            "not_session_agent",
        ),
        (
            r#""type":"agent.message","session":"s2""#,
            "not_session_agent",
        ),
        (r#""type":"bot.message","session":"s1""#, "not_with_bot"),
        (
            r#""type":"shop.configured","policy":{"preset":"jd"}"#,
            "policy_invalid",
        ),
        (r#""type":"agent.ready","agent":"nobody""#, "agent_unknown"),
        (r#""type":"agent.ready","agent":"bot""#, "agent_unknown"),
        (
            r#""type":"session.ranked","session":"s9","priority":1"#,
            "session_unknown",
        ),
        (r#""type":"buyer.left","session":"s9""#, "session_unknown"),
        (
            r#""type":"buyer.returned","session":"s9""#,
            "session_unknown",
        ),
        (
            r#""type":"agent.message","session":"s9""#,
            "session_unknown",
        ),
        (
            r#""type":"session.ranked","session":"s0","priority":1"#,
            "session_closed",
        ),
        (r#""type":"buyer.left","session":"s0""#, "session_closed"),
        (
            r#""type":"buyer.returned","session":"s0""#,
            "session_closed",
        ),
        // `session.late_reply` is off (S10).
        (
            r#""type":"agent.message","session":"s0","agent":"anna""#,
            "session_closed",
        ),
        (
            r#""type":"session.opened","session":"s9","buyer":"b8""#,
            "buyer_blocked",
        ),
        // The checks come in this order.
        (
            r#""type":"session.opened","session":"s1","buyer":"b8""#,
            "session_exists",
        ),
        (
            r#""type":"session.opened","session":"s0","buyer":"b8""#,
            "session_exists",
        ),
    ] {
        rejected(&line(fields), error, &[]);
    }
}

#[test]
fn a_rejection_says_what_would_be_accepted() {
    for (fields, error, words) in [
        (
            r#""type":"agent.ready","agent":"nobody""#,
            "agent_unknown",
            ["nobody", "agent.configured"],
        ),
        (
            r#""type":"session.ranked","session":"s9","priority":1"#,
            "session_unknown",
            ["s9", "session.opened"],
        ),
        (
            r#""type":"session.ranked","session":"s0","priority":1"#,
            "session_closed",
            ["s0", "closed"],
        ),
        (
            r#""type":"session.opened","session":"s9","buyer":"b8""#,
            "buyer_blocked",
            ["b8", "buyer.blocked"],
        ),
    ] {
        rejected(&line(fields), error, &words);
    }
}

#[test]
fn a_bad_policy_is_named_by_its_path() {
    let long = "小".repeat(43);
    for (policy, path) in [
        (json!({"preset": "jd"}), "preset"),
        (json!({"preset": 1}), "preset"),
        (json!({"timezone": "asia/shanghai"}), "timezone"),
        (json!({"timezone": "Mars/Base"}), "timezone"),
        (json!({"timezone": "+08:00"}), "timezone"),
        (json!({"buyer_space": ""}), "buyer_space"),
        (json!({"buyer_space": "a\nb"}), "buyer_space"),
        (json!({"routng": {}}), "routng"),
        (json!({"routing": []}), "routing"),
        (
            json!({"routing": {"strategy": "fastest"}}),
            "routing.strategy",
        ),
        (
            json!({"routing": {"recent": {"windw": "48h"}}}),
            "routing.recent.windw",
        ),
        (
            json!({"routing": {"recent": {"window": 48}}}),
            "routing.recent.window",
        ),
        (
            json!({"routing": {"recent": {"window": "48"}}}),
            "routing.recent.window",
        ),
        (
            json!({"routing": {"recent": {"window": "1.5h"}}}),
            "routing.recent.window",
        ),
        (
            json!({"routing": {"recent": {"window": "-1h"}}}),
            "routing.recent.window",
        ),
        (
            json!({"routing": {"recent": {"window": "1h  30m"}}}),
            "routing.recent.window",
        ),
        (
            json!({"routing": {"recent": {"window": "3650d 1ms"}}}),
            "routing.recent.window",
        ),
        (
            json!({"routing": {"recent": {"over_capacity": 1}}}),
            "routing.recent.over_capacity",
        ),
        (
            json!({"routing": {"recent": {"otherwise": "wait"}}}),
            "routing.recent.otherwise",
        ),
        (
            json!({"routing": {"groups": {"g": ["group:h"]}}}),
            "routing.groups.g",
        ),
        (
            json!({"routing": {"groups": {"g": "anna"}}}),
            "routing.groups.g",
        ),
        (json!({"routing": {"groups": {"": []}}}), "routing.groups."),
        (
            json!({"routing": {"entries": {"a/b": {}}}}),
            "routing.entries.a/b",
        ),
        (
            json!({"routing": {"entries": {"live": []}}}),
            "routing.entries.live",
        ),
        (
            json!({"routing": {"entries": {"live": {"members": ["group:g"]}}}}),
            "routing.entries.live.members",
        ),
        (
            json!({"routing": {"entries": {"live": {"members": [1]}}}}),
            "routing.entries.live.members",
        ),
        (
            json!({"routing": {"entries": {"live": {"members": ["role:"]}}}}),
            "routing.entries.live.members",
        ),
        (
            json!({"routing": {"entries": {"live": {"questions": {"几天发货": "bo"}}}}}),
            "routing.entries.live.questions.几天发货",
        ),
        (
            json!({"routing": {"entries": {"live": {"question": {}}}}}),
            "routing.entries.live.question",
        ),
        (
            json!({"routing": {"order_status": {"paid": [null]}}}),
            "routing.order_status.paid",
        ),
        (
            json!({"routing": {"order_status": {long.clone(): []}}}),
            &format!("routing.order_status.{long}"),
        ),
        (json!({"routing": {"overflow": "yes"}}), "routing.overflow"),
        (
            json!({"routing": {"when_scope_offline": "close"}}),
            "routing.when_scope_offline",
        ),
        (
            json!({"routing": {"offline": {"mode": "off"}}}),
            "routing.offline.mode",
        ),
        (
            json!({"routing": {"offline": {"members": ["group:g"]}}}),
            "routing.offline.members",
        ),
        (
            json!({"routing": {"queue": {"limit": -1}}}),
            "routing.queue.limit",
        ),
        (
            json!({"routing": {"queue": {"limit": 1_000_001}}}),
            "routing.queue.limit",
        ),
        (
            json!({"routing": {"queue": {"limit": 10.0}}}),
            "routing.queue.limit",
        ),
        (
            json!({"routing": {"queue": {"prompt": 1}}}),
            "routing.queue.prompt",
        ),
        (
            json!({"session": {"on_agent_offline": "stay"}}),
            "session.on_agent_offline",
        ),
        (
            json!({"auto_reply": {"offline": {"enabled": true}}}),
            "auto_reply.offline.text",
        ),
        (
            json!({"auto_reply": {"queued": {"enabled": true, "text": ""}}}),
            "auto_reply.queued.text",
        ),
        (
            json!({"invite": {"auto_percent": 100.01}}),
            "invite.auto_percent",
        ),
        (
            json!({"invite": {"auto_percent": 12.345}}),
            "invite.auto_percent",
        ),
        (
            json!({"invite": {"auto_percent": "50"}}),
            "invite.auto_percent",
        ),
        (json!({"invite": {"after": ["system"]}}), "invite.after"),
        (json!({"invite": {"after": "agent"}}), "invite.after"),
        (
            json!({"invite": {"suspended": [{"from": "11-16T00:00"}]}}),
            "invite.suspended",
        ),
        (
            json!({"invite": {"suspended": [{"from": "02-30T00:00", "to": "03-01T00:00"}]}}),
            "invite.suspended",
        ),
        (
            json!({"invite": {"suspended": [{"from": "11-16T24:00", "to": "11-17T00:00"}]}}),
            "invite.suspended",
        ),
        (
            json!({"invite": {"suspended": [{"from": "11-16T00:00", "to": "11-16T00:00"}]}}),
            "invite.suspended",
        ),
        (
            json!({"invite": {"suspended": [{"from": "11-16T00:00", "to": "11-17T00:00", "x": 1}]}}),
            "invite.suspended",
        ),
        (json!({"rating": {"per": "session"}}), "rating.per"),
        (json!({"rating": {"card_valid": "0s"}}), "rating.card_valid"),
        (
            json!({"service": {"reply": {"within": "0s"}}}),
            "service.reply.within",
        ),
        (
            json!({"service": {"reply": {"from": "24:00"}}}),
            "service.reply.from",
        ),
        (
            json!({"service": {"reply": {"to": "00:00"}}}),
            "service.reply.to",
        ),
        (
            json!({"service": {"reply": {"from": "10:00", "to": "10:00"}}}),
            "service.reply.to",
        ),
        (
            json!({"service": {"reply": {"from": "8:00"}}}),
            "service.reply.from",
        ),
        (
            json!({"service": {"reply": {"min_rate": 1.0001}}}),
            "service.reply.min_rate",
        ),
        (
            json!({"service": {"good_rate": {"min": 0.80001}}}),
            "service.good_rate.min",
        ),
        (
            json!({"service": {"attitude": {"max": -0.1}}}),
            "service.attitude.max",
        ),
        (
            json!({"service": {"min_sample": 1.5}}),
            "service.min_sample",
        ),
        (json!({"service": {"min_sample": {}}}), "service.min_sample"),
    ] {
        let event = line(&format!(r#""type":"shop.configured","policy":{policy}"#));
        rejected(&event, "policy_invalid", &[&format!("{path}: ")]);
        let message = answer(&event)[0]["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with(&format!("{path}: ")), "{message}");
    }
}

#[test]
fn all_that_is_wrong_with_a_policy_is_named() {
    let policy = json!({
        "routing": {"strategy": "randm", "recent": {"windw": "48h"}, "queue": {"limit": -1}},
        "rating": {"card_valid": "0s"},
        "service": {"reply": {"from": "10:00", "to": "10:00"}},
    });
    let event = line(&format!(r#""type":"shop.configured","policy":{policy}"#));
    let words = [
        "routing.strategy: must be one of least_saturated, fewest_today, random (perhaps \"random\" was meant)",
        "; routing.recent.windw: \"windw\" is no known key, perhaps \"window\" was meant",
        "; routing.queue.limit: must be a whole number",
        "; rating.card_valid: must be longer than 0s",
        "; service.reply.to: must be later than",
    ];
    rejected(&event, "policy_invalid", &words);
    let message = answer(&event)[0]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with(words[0]), "{message}");
    assert_eq!(message.matches("; ").count(), words.len() - 1, "{message}");
}

#[test]
fn a_strange_value_in_a_policy_is_named_by_its_path() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for (policy, path) in [
        (
            r#"{"service":{"min_sample":1e999}}"#.to_owned(),
            "service.min_sample",
        ),
        (
            format!(r#"{{"routing":{{"groups":{{"g":{deep}}}}}}}"#),
            "routing.groups.g",
        ),
        (format!(r#"{{"x":{deep}}}"#), "x"),
    ] {
        let event = line(&format!(r#""type":"shop.configured","policy":{policy}"#));
        rejected(&event, "policy_invalid", &[&format!("{path}: ")]);
    }
}

/// Processor time that a test of something large may take in a debug build.
const LARGE_MAX: Duration = Duration::from_secs(20);

#[test]
fn a_policy_of_a_megabyte() {
    let worked = Worked::start();
    let names: Vec<String> = (0..30_000)
        .map(|n| format!("agent-with-a-long-name-{n:09}"))
        .collect();
    let entries: serde_json::Map<String, Value> = (0..20_000)
        .map(|n| {
            (
                format!("entry-{n}"),
                json!({"members": ["group:all", format!("anna-{n}")]}),
            )
        })
        .collect();
    let questions: serde_json::Map<String, Value> = (0..40_000)
        .map(|n| (format!("第{n}个问题"), json!(["bo"])))
        .collect();
    for policy in [
        json!({"routing": {"groups": {"all": names}, "offline": {"members": ["group:all"]}}}),
        json!({"routing": {"groups": {"all": ["anna"]}, "entries": entries}}),
        json!({"routing": {"entries": {"live": {"questions": questions}}}}),
        json!({"routing": {"queue": {"prompt": "{ahead}{".repeat(131_072)}}}),
        json!({"auto_reply": {"offline": {"enabled": true, "text": "好".repeat(350_000)}}}),
    ] {
        let event = line(&format!(r#""type":"shop.configured","policy":{policy}"#));
        assert!(event.len() > 700_000, "{}", event.len());
        accepted(&event);
    }
    let keys: serde_json::Map<String, Value> = (0..50_000)
        .map(|n| (format!("unknown-key-{n}"), json!(n)))
        .collect();
    for (policy, path) in [
        (json!({"x".repeat(1_048_576): 1}), "xxx"),
        (json!({"routing": keys}), "routing.unknown-key-"),
        (
            json!({"timezone": "Asia/Shanghai".repeat(80_000)}),
            "timezone",
        ),
        (
            json!({"routing": {"recent": {"window": "1h ".repeat(350_000)}}}),
            "routing.recent.window",
        ),
        (
            json!({"routing": {"groups": {"g": vec!["role:"; 130_000]}}}),
            "routing.groups.g",
        ),
        (
            json!({"invite": {"suspended": vec![json!({"from": "x", "to": "y"}); 50_000]}}),
            "invite.suspended",
        ),
    ] {
        let event = line(&format!(r#""type":"shop.configured","policy":{policy}"#));
        let answers = answer(&event);
        assert_eq!(answers[0]["error"], "policy_invalid", "{path}");
        assert!(
            answers[0]["message"].as_str().unwrap().starts_with(path),
            "{path}"
        );
    }
    assert!(worked.passed() < LARGE_MAX, "{:?}", worked.passed());
}

#[test]
fn ten_thousand_agents_in_one_group() {
    const AGENTS: usize = 10_000;
    let names: Vec<String> = (0..AGENTS).map(|n| format!("a{n:05}")).collect();
    let policy = json!({"routing": {"groups": {"all": names}, "entries": {"live": {"members": ["group:all"]}}}});
    let mut trace = line(&format!(r#""type":"shop.configured","policy":{policy}"#)) + "\n";
    for name in &names {
        trace += &(line(&format!(
            r#""type":"agent.configured","agent":"{name}","capacity":1"#
        )) + "\n");
    }
    for name in &names {
        trace += &(line(&format!(r#""type":"agent.online","agent":"{name}""#)) + "\n");
    }
    for n in 0..=AGENTS {
        trace += &(line(&format!(
            r#""type":"session.opened","session":"s{n}","buyer":"b{n}","entry":"live""#
        )) + "\n");
    }
    trace += &(line(r#""type":"session.closed","session":"s7","by":"system""#) + "\n");
    let decisions = decisions(&trace);
    let agent = |n: usize| decisions[n]["agent"].as_str().unwrap_or_default();
    assert!((0..AGENTS).all(|n| agent(n) == names[n] && decisions[n]["reason"] == "entry"));
    assert_eq!(
        (&decisions[AGENTS]["pool"], &decisions[AGENTS]["position"]),
        (&json!("entry:live"), &json!(1))
    );
    assert_eq!(agent(decisions.len() - 1), names[7]);
    assert_eq!(
        decisions[decisions.len() - 1]["session"],
        format!("s{AGENTS}")
    );
}

#[test]
fn deep_nesting_is_a_malformed_field() {
    for depth in [127, 128, 200_000] {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        rejected(
            &line(&format!(r#""type":"clock","x":{open}{close}"#)),
            "malformed",
            &["`x`"],
        );
        let (open, close) = ("{\"a\":".repeat(depth), "}".repeat(depth));
        rejected(
            &line(&format!(
                r#""type":"buyer.message","session":{open}1{close}"#
            )),
            "malformed",
            &["`session`"],
        );
    }
}

/// Replays bytes; what was written, and how it ended.
fn replayed(trace: &[u8]) -> (String, Result<u64, ReplayError>) {
    let mut written = Vec::new();
    let result = replay(&mut Installation::default(), trace, &mut written, |_| {});
    (
        String::from_utf8_lossy(&written).into_owned(),
        result.map(|progress| progress.lines),
    )
}

#[test]
fn a_line_that_is_no_object_stops_the_replay_with_its_number() {
    let opened = line(r#""type":"session.opened","session":"s1","buyer":"b1""#);
    let shop = line(r#""type":"shop.configured","policy":{}"#);
    let clock = line(r#""type":"clock","shop":"none""#);
    for bad in [
        &opened[..opened.len() - 7],
        "{",
        "[]",
        "null",
        "7",
        "\"clock\"",
        "{} {}",
        "{\"type\":\"clock\",}",
        "{\"type\":\"\\ud800\"}",
        "{\"\\udc00\":1}",
        "{\"x\":{\"y\":[\"\\ud800x\"]}}",
        "{\"x\":1e999,\"y\":\"\\ud800\"}",
        "{\"x\":\"\u{1}\"}",
        "\u{feff}{\"type\":\"clock\"}",
        "NaN",
        "{\"x\":NaN}",
        "{\"x\":01}",
        "{x:1}",
        "// a comment",
    ] {
        let (written, result) =
            replayed(format!("{shop}\n\n{opened}\n{bad}\n{clock}\n").as_bytes());
        assert!(
            written.contains("session.queued") && !written.contains("shop_unknown"),
            "{bad}"
        );
        match result {
            Err(ReplayError::Line(4, _)) => {}
            Ok(_) | Err(_) => panic!("{bad}: {result:?}"),
        }
    }
    let mut bytes = format!("{shop}\n{opened}\n").into_bytes();
    bytes.extend_from_slice(b"{\"type\":\"clock\",\"x\":\"\xff\"}\n");
    let (written, result) = replayed(&bytes);
    assert!(written.contains("session.queued"));
    assert!(matches!(result, Err(ReplayError::NotUtf8(3))), "{result:?}");
}

#[test]
fn blank_lines_and_line_ends() {
    let shop = line(r#""type":"shop.configured","policy":{}"#);
    let opened = line(r#""type":"session.opened","session":"s1","buyer":"b1""#);
    let plain = replayed(format!("{shop}\n{opened}\n").as_bytes()).0;
    assert_eq!(plain.lines().count(), 1);
    for (trace, lines) in [
        (format!("{shop}\r\n{opened}\r\n"), 2),
        (format!("{shop}\n{opened}"), 2),
        (format!("\n \t\r\n{shop}\n\n\n{opened}\n\n"), 7),
        (format!("  {shop}  \n\t{opened}\t\n"), 2),
    ] {
        let (written, result) = replayed(trace.as_bytes());
        assert_eq!(written, plain, "{trace:?}");
        assert!(
            matches!(result, Ok(read) if read == lines),
            "{trace:?}: {result:?}"
        );
    }
    assert!(matches!(replayed(b""), (written, Ok(0)) if written.is_empty()));
    assert!(matches!(replayed(b"\n\n"), (written, Ok(2)) if written.is_empty()));
}

#[test]
fn an_outcome_is_empty_where_nothing_is_decided() {
    let installation = Installation::default();
    assert!(installation.report().is_empty());
    assert!(DecisionSink::default().decisions.is_empty());
    assert!(answer(&line(r#""type":"clock""#)).is_empty());
}
