//! Events that come late (T1) over HTTP: they are taken within the shop's lateness, and a restart, an export and a replay
//! decide them as they were answered. What a gateway says of a buyer needs a key that may send events (B1).

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::compare::first_difference;
use crate::support::http::Client;
use crate::support::keyed::Keyed;
use crate::support::served::{Launch, SMALL, Served, argument, folder, program, run};
use serde_json::{Value, json};
use xiaoer::domain::base::time::{Duration, Instant};

const EVENTS: &str = "/v1/shops/s/events";

fn started(data: &Path) -> Served {
    Launch::on(data).set(&SMALL).start()
}

/// So many seconds before this machine's clock.
fn ago(now: Instant, seconds: i64) -> String {
    let at = now - Duration::from_ms(seconds * 1000);
    at.at_offset(8 * 3600).to_string()
}

#[expect(
    clippy::disallowed_methods,
    reason = "events are late against the server's clock"
)]
fn machine_clock() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Instant::from_ms(since.expect("a clock after 1970").as_millis() as i64)
}

fn post(client: &mut Client, body: &Value) -> (u16, Value) {
    let answer = client.post(EVENTS, &body.to_string()).expect("an answer");
    (answer.status, answer.json())
}

/// The types of what an event of a request decided.
fn types(answer: &Value, event: usize) -> Vec<&str> {
    let decisions = answer["results"][event]["decisions"].as_array();
    let types = decisions.into_iter().flatten();
    types
        .map(|decision| decision["type"].as_str().unwrap_or_default())
        .collect()
}

fn read(lines: &str) -> Vec<Value> {
    let lines = lines.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("JSON lines")
}

/// The shop, an agent, a session, and the clock a minute later.
fn begun(now: Instant) -> Value {
    let policy = json!({
        "session": { "close_after_buyer_silence": "0s" },
        "service": { "reply": { "within": "30s", "remind_after": "10s", "min_rate": 0.5, "min_sample": 0 } },
    });
    json!([
        { "type": "shop.configured", "at": ago(now, 300), "policy": policy },
        { "type": "agent.configured", "at": ago(now, 300), "agent": "anna" },
        { "type": "agent.online", "at": ago(now, 300), "agent": "anna" },
        { "type": "session.opened", "at": ago(now, 299), "session": "s1", "buyer": "b1" },
        { "type": "session.opened", "at": ago(now, 299), "session": "s2", "buyer": "b2" },
        { "type": "clock", "at": ago(now, 240) },
        // It was late before it came. Its answer was not, and comes late too.
        { "type": "buyer.message", "at": ago(now, 280), "session": "s1" },
        { "type": "agent.message", "at": ago(now, 251), "session": "s1" },
        { "type": "buyer.message", "at": ago(now, 280), "session": "s2", "id": "m2" },
        { "type": "agent.message", "at": ago(now, 250), "session": "s2" },
    ])
}

#[test]
fn late_events_are_decided_the_same_after_a_restart_and_in_a_replay() {
    let (_folder, data) = folder();
    let server = started(&data);
    let mut client = server.client();
    let now = machine_clock();
    let (status, answer) = post(&mut client, &begun(now));
    assert_eq!(status, 200, "{answer}");
    let overdue = ["score.alert", "reply.due", "reply.overdue"];
    for (event, expected) in [
        (3, &["session.assigned"][..]),
        (6, &overdue),
        (7, &["score.recovered"]),
        // The second buyer of two is not the half that raises an alert.
        (8, &["reply.due", "reply.overdue"]),
        (9, &[]),
    ] {
        assert_eq!(types(&answer, event), expected, "event {event}: {answer}");
    }
    let late = &answer["results"][6]["decisions"][1];
    assert_eq!(late["since"], ago(now, 280), "the message's own instant");
    let at = Instant::parse(late["at"].as_str().unwrap_or_default());
    assert_eq!(
        at,
        Some(now - Duration::from_ms(240_000)),
        "the shop's clock"
    );

    // Ten minutes is the lateness of the preset: less than that before the shop's clock is accepted.
    let too_late = json!({ "type": "clock", "at": ago(now, 841) });
    let (status, answer) = post(&mut client, &too_late);
    assert_eq!((status, &answer["code"]), (409, &json!("time_went_back")));
    let detail = answer["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("session.lateness"), "{answer}");
    let ahead = json!({ "type": "clock", "at": ago(now, -60) });
    let (status, answer) = post(&mut client, &ahead);
    assert_eq!((status, &answer["code"]), (400, &json!("malformed")));

    // A restart reads the records again, or what was stored of the shop.
    server.kill();
    let server = started(&data);
    let mut client = server.client();
    let again = json!([
        { "type": "buyer.message", "at": ago(now, 280), "session": "s2", "id": "m2" },
        { "type": "buyer.message", "at": ago(now, 245), "session": "s2" },
        { "type": "session.closed", "session": "s2", "by": "buyer" },
        { "type": "agent.message", "at": ago(now, 200), "session": "s2" },
    ]);
    let (status, answer) = post(&mut client, &again);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(
        types(&answer, 0),
        ["reply.due", "reply.overdue"],
        "the same answer"
    );
    let closed = [
        "reply.due",
        "reply.overdue",
        "session.closed",
        "invite.sent",
    ];
    assert_eq!(types(&answer, 2), closed, "{answer}");
    assert_eq!(
        types(&answer, 3),
        Vec::<&str>::new(),
        "accepted (T1d): {answer}"
    );
    server.stop();

    let export = run(&["export", "--data", argument(&data)]).out;
    let decided = run(&["export", "--decisions", "--data", argument(&data)]).out;
    assert!(export.contains(&ago(now, 280)), "its own instant: {export}");
    let trace = data.with_extension("jsonl");
    std::fs::write(&trace, &export).expect("a trace");
    let replayed = program().arg("replay").arg(&trace).output();
    let replayed = replayed.expect("a replay").stdout;
    let difference = first_difference(&read(&decided), &read(&String::from_utf8_lossy(&replayed)));
    assert!(difference.is_none(), "{difference:?}");
    let verified = run(&["verify", "--data", argument(&data)]);
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn a_buyer_is_blocked_with_a_key_that_may_send_events() {
    let (_folder, data) = folder();
    let server = Keyed::start(&data, &[]);
    let made = json!({"policy": {}});
    for shop in ["s", "t"] {
        let path = format!("/v1/shops/{shop}");
        assert_eq!(server.ask(&server.admin, "PUT", &path, Some(&made)).0, 200);
    }
    let key = |shop: &str, scope: &str| {
        let body = json!({"shop": shop, "scope": scope});
        let (_, made) = server.ask(&server.admin, "POST", "/v1/keys", Some(&body));
        made["key"].as_str().expect("a key").to_owned()
    };
    let blocked = json!({"type": "buyer.blocked", "buyer": "b1", "blocked": true});
    for (key, status, code) in [
        (key("s", "events"), 200, Value::Null),
        (key("s", "owner"), 200, Value::Null),
        (server.admin.clone(), 200, Value::Null),
        (key("s", "read"), 403, json!("forbidden")),
        (key("t", "events"), 404, json!("shop_unknown")),
        ("nonsense".to_owned(), 401, json!("unauthorized")),
    ] {
        let (told, answer) = server.ask(&key, "POST", EVENTS, Some(&blocked));
        assert_eq!((told, &answer["code"]), (status, &code), "{answer}");
    }
    let events = key("s", "events");
    let opened = json!({"type": "session.opened", "session": "s1", "buyer": "b1"});
    let (told, answer) = server.ask(&events, "POST", EVENTS, Some(&opened));
    assert_eq!((told, &answer["code"]), (409, &json!("buyer_blocked")));
    for wrong in [
        json!({"type": "buyer.blocked", "buyer": "b1"}),
        json!({"type": "buyer.blocked", "buyer": "b1", "blocked": "yes"}),
        json!({"type": "buyer.blocked", "buyer": "b1", "blocked": true, "until": "2000-01-01T00:00:00Z"}),
        json!({"type": "buyer.blocked", "buyer": "b1", "blocked": false, "until": "2099-01-01T00:00:00Z"}),
        json!({"type": "buyer.blocked", "buyer": "", "blocked": true}),
    ] {
        let (told, answer) = server.ask(&events, "POST", EVENTS, Some(&wrong));
        assert_eq!(
            (told, &answer["code"]),
            (400, &json!("malformed")),
            "{wrong}"
        );
    }
    let free = json!({"type": "buyer.blocked", "buyer": "b1", "blocked": false});
    assert_eq!(server.ask(&events, "POST", EVENTS, Some(&free)).0, 200);
    let (told, answer) = server.ask(&events, "POST", EVENTS, Some(&opened));
    assert_eq!(told, 200, "{answer}");
}
