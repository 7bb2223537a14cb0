//! The views of agents, sessions and pools (contract, section 6).

use crate::support::player::Player;
use serde::Serialize;
use serde_json::{Value, json};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::read::views::{self, Page, State};
use xiaoer::domain::state::shop::Shop;

/// 2026-11-11T10:10:00+08:00, ten minutes after the first event.
const AT: Instant = Instant::from_ms(1_794_363_000_000);

/// Two agents at the desk and one who is away; with them and with the bot, in two pools, and closed.
const EVENTS: [(&str, &str); 23] = [
    (
        "10:00:00",
        r#"{"type":"shop.configured","policy":{"routing":{"overflow":false,"entries":{
        "live":{"questions":{"几天发货":["bo"],"发什么快递":["anna"]},"members":["bo"]},"gift":{"members":["anna"]}}}}}"#,
    ),
    (
        "10:00:00",
        r#"{"type":"agent.configured","agent":"bo","capacity":1}"#,
    ),
    (
        "10:00:00",
        r#"{"type":"agent.configured","agent":"anna","name":"安娜","roles":["agent","night"],"capacity":2,"weight":3}"#,
    ),
    ("10:00:00", r#"{"type":"agent.configured","agent":"carl"}"#),
    ("10:00:00", r#"{"type":"agent.configured","agent":"gone"}"#),
    ("10:00:00", r#"{"type":"agent.removed","agent":"gone"}"#),
    ("10:00:00", r#"{"type":"agent.online","agent":"anna"}"#),
    ("10:00:00", r#"{"type":"agent.online","agent":"bo"}"#),
    ("10:00:00", r#"{"type":"agent.away","agent":"carl"}"#),
    (
        "10:01:00",
        r#"{"type":"session.opened","session":"s1","buyer":"b1","entry":"live","order_status":"unpaid"}"#,
    ),
    (
        "10:01:00",
        r#"{"type":"session.opened","session":"s2","buyer":"b2","bot":true}"#,
    ),
    (
        "10:02:00",
        r#"{"type":"session.opened","session":"s3","buyer":"b3","entry":"live","question":"几天发货"}"#,
    ),
    (
        "10:03:00",
        r#"{"type":"session.opened","session":"s4","buyer":"b4","entry":"live"}"#,
    ),
    (
        "10:04:00.250",
        r#"{"type":"session.opened","session":"s5","buyer":"b5","entry":"live","question":"几天发货"}"#,
    ),
    (
        "10:05:00",
        r#"{"type":"session.opened","session":"s6","buyer":"b6","entry":"gift"}"#,
    ),
    ("10:05:10", r#"{"type":"buyer.message","session":"s6"}"#),
    (
        "10:05:20",
        r#"{"type":"rating.submitted","session":"s6","stars":4}"#,
    ),
    (
        "10:05:30",
        r#"{"type":"session.closed","session":"s6","by":"system"}"#,
    ),
    (
        "10:06:00",
        r#"{"type":"session.opened","session":"s7","buyer":"b6","entry":"gift"}"#,
    ),
    (
        "10:06:00",
        r#"{"type":"session.opened","session":"s8","buyer":"b8","bot":true}"#,
    ),
    (
        "10:06:30",
        r#"{"type":"session.closed","session":"s8","by":"system"}"#,
    ),
    (
        "10:06:40",
        r#"{"type":"session.opened","session":"s9","buyer":"b9","bot":true}"#,
    ),
    (
        "10:06:40",
        r#"{"type":"session.opened","session":"sa","buyer":"ba","bot":true}"#,
    ),
];

fn check(look: impl FnOnce(&Shop)) {
    let mut player = Player::default();
    for (time, event) in EVENTS {
        let rest = event.strip_prefix('{').expect("an object");
        let taken = player.play(&format!(r#"{{"at":"2026-11-11T{time}+08:00",{rest}"#));
        let rejected = taken
            .written()
            .into_iter()
            .find(|taken| taken["type"] == "event.rejected");
        assert_eq!(rejected, None);
    }
    look(player.installation.shop("default").expect("the shop"));
}

fn shown<T: Serialize>(view: T) -> Value {
    let text = serde_json::to_string(&view).expect("a view is JSON");
    serde_json::from_str(&text).expect("what was written is JSON")
}

/// Every page of a list, each as the ids in it.
fn pages<T: Serialize>(
    key: &str,
    mut page: impl FnMut(Option<&str>) -> Page<T>,
) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let page = page(cursor.as_deref());
        let items = shown(&page.items);
        let ids = items.as_array().expect("a list").iter();
        pages.push(
            ids.map(|item| item[key].as_str().expect("an id").to_owned())
                .collect(),
        );
        match page.next {
            Some(next) => cursor = Some(next),
            None => return pages,
        }
    }
}

#[test]
fn agents_are_shown_as_they_are() {
    check(|shop| {
        for (agent, view) in [
            (
                "anna",
                json!({ "agent": "anna", "name": "安娜", "roles": ["agent", "night"], "capacity": 2, "weight": 3,
                             "presence": "online", "load": 1, "wrapping": 0, "today": 2 }),
            ),
            (
                "bo",
                json!({ "agent": "bo", "roles": ["agent"], "capacity": 1, "weight": 1,
                           "presence": "online", "load": 1, "wrapping": 0, "today": 1 }),
            ),
            (
                "carl",
                json!({ "agent": "carl", "roles": ["agent"], "capacity": 10, "weight": 1,
                             "presence": "away", "load": 0, "wrapping": 0, "today": 0 }),
            ),
            ("gone", Value::Null),
            ("bot", Value::Null),
            ("nobody", Value::Null),
        ] {
            assert_eq!(shown(views::agent(shop, agent)), view, "{agent}");
        }
    });
}

/// A place is taken after work (S8), and one who did not answer is held away (R10e).
#[test]
fn agents_have_places_after_work_and_may_be_held() {
    let mut player = Player::default();
    let mut play = |time: &str, event: Value| {
        let mut event = event;
        event["at"] = json!(format!("2026-11-11T{time}+08:00"));
        let played = player.play(&event.to_string()).written();
        assert!(
            played.iter().all(|made| made["type"] != "event.rejected"),
            "{played:?}"
        );
    };
    let take_back = json!({ "after": "60s", "away_after": 1 });
    let policy = json!({ "routing": { "take_back": take_back }, "session": { "wrap_up": "5m" } });
    for event in [
        json!({ "type": "shop.configured", "policy": policy }),
        json!({ "type": "agent.configured", "agent": "anna" }),
        json!({ "type": "agent.configured", "agent": "bo" }),
        json!({ "type": "agent.online", "agent": "anna" }),
        json!({ "type": "session.opened", "session": "s1", "buyer": "b1" }),
        json!({ "type": "agent.message", "session": "s1" }),
        json!({ "type": "session.opened", "session": "s2", "buyer": "b2" }),
        json!({ "type": "session.closed", "session": "s1", "by": "agent" }),
        json!({ "type": "agent.online", "agent": "bo" }),
        json!({ "type": "buyer.message", "session": "s2" }),
    ] {
        play("10:00:00", event);
    }
    play("10:01:00", json!({ "type": "clock" }));
    let shop = player.installation.shop("default").expect("the shop");
    assert_eq!(
        shown(views::agent(shop, "anna")),
        json!({ "agent": "anna", "roles": ["agent"], "capacity": 10, "weight": 1, "presence": "away", "load": 1,
                "wrapping": 1, "today": 2, "held": "no_answer" })
    );
    assert_eq!(shown(views::agent(shop, "bo"))["held"], Value::Null);
}

#[test]
fn agents_are_listed_by_id() {
    check(|shop| {
        for (limit, listed) in [
            (1, vec![vec!["anna"], vec!["bo"], vec!["carl"]]),
            (2, vec![vec!["anna", "bo"], vec!["carl"]]),
            (3, vec![vec!["anna", "bo", "carl"]]),
            (100, vec![vec!["anna", "bo", "carl"]]),
        ] {
            assert_eq!(
                pages("agent", |cursor| views::agents(shop, cursor, limit)),
                listed,
                "{limit}"
            );
        }
        assert!(views::agents(shop, Some("zoe"), 10).items.is_empty());
    });
}

#[test]
fn sessions_are_shown_as_they_are() {
    let day = |time: &str| format!("2026-11-11T{time}+08:00");
    check(|shop| {
        for (session, view) in [
            (
                "s1",
                json!({ "session": "s1", "buyer": "b1", "state": "open", "agent": "bo", "entry": "live",
                "order_status": "unpaid", "opened": day("10:01:00"), "repeat_visit": false, "cards": [],
                "since_seq": 0 }),
            ),
            (
                "s2",
                json!({ "session": "s2", "buyer": "b2", "state": "open", "agent": "bot", "entry": "other",
                "opened": day("10:01:00"), "repeat_visit": false, "cards": [], "since_seq": 1 }),
            ),
            (
                "s5",
                json!({ "session": "s5", "buyer": "b5", "state": "waiting", "entry": "live",
                "question": "几天发货", "opened": day("10:04:00.250"), "pool": "question:live/几天发货", "position": 2,
                "since": day("10:04:00.250"), "waited": 359.75, "repeat_visit": false, "cards": [],
                "since_seq": 3 }),
            ),
            (
                "s6",
                json!({ "session": "s6", "buyer": "b6", "state": "closed", "agent": "anna",
                "opened": day("10:05:00"), "closed": day("10:05:30"), "repeat_visit": false, "since_seq": 4,
                "cards": [{ "card": "s6#1", "agent": "anna", "source": "buyer", "made": day("10:05:20"),
                            "used": true }] }),
            ),
            ("nothing", Value::Null),
        ] {
            assert_eq!(shown(views::session(shop, session, AT)), view, "{session}");
        }
        let again = shown(views::session(shop, "s7", AT));
        assert_eq!(again["repeat_visit"], true);
    });
}

#[test]
fn sessions_are_listed_by_state_in_a_stable_order() {
    check(|shop| {
        for (state, limit, listed) in [
            (State::Open, 100, vec![vec!["s1", "s2", "s7", "s9", "sa"]]),
            (
                State::Open,
                2,
                vec![vec!["s1", "s2"], vec!["s7", "s9"], vec!["sa"]],
            ),
            (State::Waiting, 2, vec![vec!["s3", "s4"], vec!["s5"]]),
            (State::Closed, 1, vec![vec!["s8"], vec!["s6"]]),
        ] {
            let sessions = pages("session", |cursor| {
                views::sessions(shop, state, cursor, limit, AT)
            });
            assert_eq!(sessions, listed, "{state:?} by {limit}");
        }
        let waiting = shown(views::sessions(shop, State::Waiting, None, 10, AT));
        let positions = waiting["items"].as_array().expect("a list").iter();
        let positions: Vec<&Value> = positions.map(|item| &item["position"]).collect();
        assert_eq!(positions, [1, 1, 2]);
        assert_eq!(waiting["next"], Value::Null);
        for cursor in ["", "s1", "x.s1"] {
            let page = views::sessions(shop, State::Open, Some(cursor), 10, AT);
            assert_eq!(page.items.len(), 5, "{cursor:?} was given by no page");
        }
    });
}

#[test]
fn pools_tell_how_long_their_heads_wait() {
    check(|shop| {
        let pools = json!([
            { "pool": "entry:live", "waiting": 1, "longest_s": 420, "head": "s4" },
            { "pool": "question:live/几天发货", "waiting": 2, "longest_s": 480, "head": "s3" },
        ]);
        assert_eq!(shown(views::pools(shop, AT)), pools);
    });
}

#[test]
fn an_entry_has_a_menu() {
    check(|shop| {
        for (entry, questions) in [
            ("live", Some(vec!["几天发货", "发什么快递"])),
            ("gift", Some(vec![])),
            ("other", Some(vec![])),
            ("nowhere", None),
        ] {
            let menu = views::questions(shop, entry);
            let menu = menu
                .as_ref()
                .map(|menu| menu.iter().map(Id::as_str).collect::<Vec<_>>());
            assert_eq!(menu, questions, "{entry}");
        }
    });
}

#[test]
fn counts_are_those_of_now() {
    check(|shop| {
        let counts = json!({ "agents_online": 2, "agents_free": 1, "sessions_open": 5, "sessions_waiting": 3 });
        assert_eq!(shown(views::counts(shop)), counts);
    });
}
