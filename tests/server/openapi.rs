//! The OpenAPI description is complete and correct: every route has its operation, and real responses match it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use crate::support::player::Player;
use crate::support::schema::{check, description, strict};
use serde_json::json;
use xiaoer::api::ROUTES;
use xiaoer::domain::installation::Installation;
use xiaoer::domain::policy::{Policy, Shape};
use xiaoer::domain::protocol::decision::ErrorCode;
use xiaoer::domain::read::views::{self, State};
use xiaoer::domain::state::shop::Shop;
use xiaoer::http::{Needs, Problem, ProblemCode};
use xiaoer::wire::WrittenDecision;

const SAMPLE: &str = include_str!("../../data/sample-day.jsonl");

#[test]
fn every_route_has_its_operation_and_every_operation_its_route() {
    let description = description();
    assert_eq!(description["openapi"], "3.1.0");
    let routes: BTreeSet<(String, String)> = ROUTES
        .iter()
        .map(|route| (route.path.to_owned(), route.method.to_lowercase()))
        .collect();
    assert_eq!(
        routes.len(),
        ROUTES.len(),
        "a route stands twice in the table"
    );
    let mut operations = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.insert((path.clone(), method.clone()));
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} names two operations");
            assert!(operation["summary"].is_string(), "{id} says nothing");
        }
    }
    assert_eq!(routes, operations);
}

#[test]
fn an_operation_has_the_parameters_and_the_key_of_its_route() {
    let description = description();
    for route in ROUTES {
        let operation = &description["paths"][route.path][route.method.to_lowercase()];
        let parameters = operation["parameters"].as_array().unwrap();
        let of = |place: &str| -> Vec<&str> {
            let placed = parameters
                .iter()
                .filter(|parameter| parameter["in"] == place);
            placed
                .map(|parameter| parameter["name"].as_str().unwrap())
                .collect()
        };
        assert_eq!(of("query"), route.query, "{}", route.path);
        let in_path: Vec<&str> = route
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        assert_eq!(of("path"), in_path, "{}", route.path);
        let keyed = operation["security"].is_array();
        assert_eq!(keyed, route.needs != Needs::Nothing, "{}", route.path);
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
        assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem");
    }
}

#[test]
fn the_sample_day_is_as_described() {
    let (event, decision) = (strict("Event"), strict("Decision"));
    let mut player = Player::default();
    let mut names = BTreeSet::new();
    for line in SAMPLE.lines() {
        check(&event, &serde_json::from_str(line).unwrap());
        let played = player.play(line);
        for taken in &played.decisions {
            names.insert(taken.body.name());
            let written = WrittenDecision::new(played.shop.as_deref().unwrap(), taken);
            check(&decision, &serde_json::to_value(written).unwrap());
        }
    }
    assert!(names.len() > 10, "{names:?}");
    let report = player.installation.report();
    for report in report.values() {
        check(&strict("Report"), &serde_json::to_value(report).unwrap());
    }
    let shop = player.installation.shop("default").unwrap();
    check_views(shop);
}

fn check_views(shop: &Shop) {
    let (now, limit) = (shop.now(), 1_000);
    let agents = serde_json::to_value(views::agents(shop, None, limit)).unwrap();
    check(&strict("Page_Agent"), &agents);
    assert!(agents["items"][0].is_object());
    let sessions = strict("Page_Session");
    for state in [State::Open, State::Waiting, State::Closed] {
        let page = views::sessions(shop, state, None, limit, now);
        check(&sessions, &serde_json::to_value(page).unwrap());
    }
}

/// A shop with somebody in every place.
#[test]
fn waiting_sessions_and_pools_are_as_described() {
    let mut player = Player::default();
    for event in [
        json!({"type": "shop.configured", "policy": {}}),
        json!({"type": "agent.configured", "agent": "anna", "name": "安娜", "capacity": 1}),
        json!({"type": "agent.online", "agent": "anna"}),
        json!({"type": "session.opened", "session": "s1", "buyer": "b1"}),
        json!({"type": "session.opened", "session": "s2", "buyer": "b2", "question": "几天发货"}),
        json!({"type": "session.opened", "session": "s3", "buyer": "b3", "bot": true}),
    ] {
        let mut event = event;
        event["at"] = json!("2026-11-11T10:00:00+08:00");
        player.play(&event.to_string());
    }
    let shop = player.installation.shop("default").unwrap();
    check_views(shop);
    let waiting = views::sessions(shop, State::Waiting, None, 9, shop.now());
    assert_eq!(waiting.items.len(), 1, "nobody waits");
    let pools = json!({ "items": views::pools(shop, shop.now()), "next": null });
    check(&strict("Page_Pool"), &pools);
    assert_eq!(pools["items"][0]["waiting"], 1);
}

#[test]
fn every_preset_and_every_refusal_is_as_described() {
    let policy = strict("Policy");
    for preset in ["standard", "douyin", "taobao", "pinduoduo", "kuaishou"] {
        let sent = json!({
            "preset": preset,
            "routing": { "groups": { "g": ["anna"] }, "entries": { "live": { "questions": { "q": ["group:g"] } } } },
            "invite": { "suspended": [{ "from": "10-31T22:00", "to": "11-01T02:00" }] },
        });
        check(&policy, &sent);
        let merged = Policy::parse(&sent).unwrap();
        check(&policy, &serde_json::to_value(&merged).unwrap());
    }
    let problem = strict("Problem");
    for error in ErrorCode::ALL {
        let document = Problem::new(ProblemCode::Rejected(*error), "Do it right.").json();
        check(&problem, &serde_json::from_str(&document).unwrap());
    }
    let rejected = strict("Decision");
    let mut installation = Installation::default();
    let mut out = xiaoer::domain::explain::decision_sink::DecisionSink::default();
    let xiaoer::wire::Line::Malformed(line) = xiaoer::wire::read_line("{\"type\":\"x\"}").unwrap()
    else {
        panic!("it is malformed");
    };
    installation.reject(line, &mut out);
    for decision in &out.decisions {
        check(
            &rejected,
            &serde_json::to_value(WrittenDecision::new("default", decision)).unwrap(),
        );
    }
}

/// A policy that names every key, and one in which every key is null, is as described; every key says what it is for.
#[test]
fn every_key_of_a_policy_is_described() {
    let (description, policy) = (description(), strict("Policy"));
    let mut tables = vec![Policy::TABLE];
    let mut keys = 0;
    while let Some(table) = tables.pop() {
        let schema = &description["components"]["schemas"][table.name];
        assert_eq!(schema["additionalProperties"], false, "{}", table.name);
        let described = schema["properties"].as_object().unwrap();
        assert_eq!(described.len(), table.keys.len(), "{}", table.name);
        for key in table.keys {
            let described = &described[key.name];
            assert_eq!(described["description"], key.english, "{}", key.name);
            keys += 1;
            if let Shape::Object(table)
            | Shape::Map(Shape::Object(table))
            | Shape::List(Shape::Object(table)) = &key.shape
            {
                tables.push(*table);
            }
        }
    }
    assert!(keys > 60, "{keys} keys");
    let nulls = Policy::TABLE.keys.iter().map(|key| (key.name, json!(null)));
    check(&policy, &nulls.collect());
    check(
        &policy,
        &json!({"invite": {"after": null, "auto": null, "suspended": null, "auto_quiet": null}}),
    );
}

/// The check can see: each of these is wrong.
#[test]
fn what_is_not_as_described_is_found() {
    for (name, value) in [
        (
            "Decision",
            json!({"type": "agent.notified", "at": "x", "shop": "s", "seq": 1, "agent": "a"}),
        ),
        (
            "Decision",
            json!({"type": "agent.notified", "shop": "s", "seq": 1, "agent": "a", "session": "s", "x": 1}),
        ),
        (
            "Decision",
            json!({"type": "agent.vanished", "shop": "s", "seq": 1, "agent": "a", "session": "s"}),
        ),
        (
            "Decision",
            json!({"type": "session.closed", "shop": "s", "seq": 1, "session": "s", "buyer": "b", "reason": "x"}),
        ),
        ("Event", json!({"type": "clock", "agent": "a"})),
        (
            "Event",
            json!({"type": "rating.submitted", "session": "s", "stars": 6}),
        ),
        ("Policy", json!({"routing": {"strategy": "luck"}})),
        ("Policy", json!({"rooting": {}})),
        ("Page_Agent", json!({"items": []})),
    ] {
        assert!(!strict(name).is_valid(&value), "{name} takes {value}");
    }
}
