//! Isolation of shops: what an owner can learn about other shops, how much a shop can use of shared resources, and how
//! much its policy can cost others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::keyed::Keyed;
use crate::support::served::{argument, folder, program, run};
use crate::support::world::{Planted, Seen, SetClock, intake, settings};
use serde_json::{Value, json};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::explain::decision_sink::DecisionSink;
use xiaoer::domain::installation::Installation;
use xiaoer::domain::policy::group_plan::CheckedPolicy;
use xiaoer::domain::protocol::codes::Presence;
use xiaoer::domain::protocol::event::{Event, EventBody, GivenPolicy};
use xiaoer::domain::rules::apply_event::Applied;
use xiaoer::env::Env;
use xiaoer::journal::{
    Claimed, Embedded, Fenced, FencingToken, Journal, JournalError, JournalFull, MetadataEntry,
    NewRecord, NoObserver, OnDurable, RecordPage, Snapshot, SnapshotAndTail, TimedShop,
};
use xiaoer::runtime::{RuntimeSettings, SharedLedger, ShopQuota, Shops, Unavailable};

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

/// A key of a shop.
fn key_of(server: &Keyed, shop: &str, scope: &str) -> String {
    let wanted = json!({"scope": scope, "shop": shop});
    let (status, made) = server.ask(&server.admin, "POST", "/v1/keys", Some(&wanted));
    assert_eq!(status, 200, "{made}");
    made["key"].as_str().expect("a key").to_owned()
}

fn shop(server: &Keyed, shop: &str, policy: Value) -> Value {
    let body = json!({"policy": policy});
    let path = format!("/v1/shops/{shop}");
    let (status, made) = server.ask(&server.admin, "PUT", &path, Some(&body));
    assert_eq!(status, 200, "{made}");
    made["policy"]["buyer_space"].clone()
}

#[test]
fn only_an_admin_names_or_changes_a_buyer_space() {
    let (_folder, data) = folder();
    let server = Keyed::start(&data, &[]);
    assert_eq!(shop(&server, "tea", json!({})), "standard");
    let owner = key_of(&server, "tea", "owner");
    let policy = "/v1/shops/tea/policy";
    let space = || server.ask(&owner, "GET", policy, None).1["buyer_space"].clone();
    let events = "/v1/shops/tea/events";
    let check = "/v1/shops/tea/policy/check";
    let configured = |policy: Value| json!({"type": "shop.configured", "policy": policy});
    for (key, method, path, body, status, expected) in [
        (
            &owner,
            "PUT",
            policy,
            json!({"buyer_space": "x"}),
            403,
            "standard",
        ),
        (
            &owner,
            "PUT",
            policy,
            json!({"policy": {"buyer_space": "x"}}),
            403,
            "standard",
        ),
        (
            &owner,
            "POST",
            check,
            json!({"buyer_space": "x"}),
            403,
            "standard",
        ),
        (
            &owner,
            "POST",
            events,
            configured(json!({"buyer_space": "x"})),
            403,
            "standard",
        ),
        (
            &owner,
            "PUT",
            policy,
            json!({"buyer_space": "standard"}),
            200,
            "standard",
        ),
        (
            &owner,
            "POST",
            check,
            json!({"buyer_space": "standard"}),
            200,
            "standard",
        ),
        (
            &owner,
            "PUT",
            policy,
            json!({"preset": "douyin"}),
            200,
            "standard",
        ),
        (
            &owner,
            "POST",
            events,
            configured(json!({"preset": "taobao"})),
            200,
            "standard",
        ),
        (
            &owner,
            "PUT",
            policy,
            json!({"preset": "kuaishou", "buyer_space": null}),
            200,
            "standard",
        ),
        (
            &server.admin,
            "PUT",
            policy,
            json!({"buyer_space": "ours"}),
            200,
            "ours",
        ),
        (
            &owner,
            "POST",
            events,
            configured(json!({"preset": "douyin"})),
            200,
            "ours",
        ),
        (
            &server.admin,
            "PUT",
            policy,
            json!({"preset": "douyin"}),
            200,
            "douyin",
        ),
        (
            &server.admin,
            "POST",
            events,
            configured(json!({"buyer_space": "x"})),
            200,
            "x",
        ),
    ] {
        let (told, answer) = server.ask(key, method, path, Some(&body));
        assert_eq!(told, status, "{method} {path} {body}: {answer}");
        assert_eq!(space(), expected, "after {body}");
        if told == 403 {
            assert!(answer.to_string().contains("admin"), "{answer}");
        }
    }
    // An event of several is judged alone.
    let both = json!([configured(json!({"buyer_space": "y"})), {"type": "clock"}]);
    let (status, told) = server.ask(&owner, "POST", events, Some(&both));
    assert_eq!(
        (status, &told["results"][0]["problem"]["code"]),
        (200, &json!("forbidden"))
    );
    server.stop();

    // The journal says the space of every policy, so that its export replays the same wherever that is done.
    let export = run(&["export", "--data", argument(&data)]).out;
    let mut spaces = Vec::new();
    for line in export.lines() {
        let event: Value = serde_json::from_str(line).expect("an event");
        if event["type"] == "shop.configured" {
            spaces.push(event["policy"]["buyer_space"].clone());
        }
    }
    let expected = ["standard"; 5]
        .iter()
        .chain(&["ours", "ours", "douyin", "x"]);
    assert_eq!(
        spaces,
        expected.map(|space| json!(space)).collect::<Vec<_>>()
    );
    let trace = data.with_extension("jsonl");
    std::fs::write(&trace, &export).expect("a trace");
    let replayed = program()
        .arg("replay")
        .arg(&trace)
        .output()
        .expect("a replay");
    let decided = run(&["export", "--decisions", "--data", argument(&data)]).out;
    assert_eq!(String::from_utf8_lossy(&replayed.stdout), decided);
}

#[test]
fn strangers_can_be_kept_apart_by_a_setting() {
    let (_folder, data) = folder();
    let server = Keyed::start(&data, &["shops.buyer_space=shop"]);
    assert_eq!(
        shop(&server, "tea", json!({"preset": "douyin"})),
        "shop:tea"
    );
    assert_eq!(
        shop(&server, "douyin", json!({"preset": "douyin"})),
        "shop:douyin"
    );
    assert_eq!(
        shop(&server, "ours", json!({"buyer_space": "ours"})),
        "ours"
    );
    let owner = key_of(&server, "tea", "owner");
    let put = server.ask(
        &owner,
        "PUT",
        "/v1/shops/tea/policy",
        Some(&json!({"preset": "taobao"})),
    );
    assert_eq!((put.0, &put.1["buyer_space"]), (200, &json!("shop:tea")));
    let theirs = json!({"buyer_space": "shop:douyin"});
    let put = server.ask(&owner, "PUT", "/v1/shops/tea/policy", Some(&theirs));
    assert_eq!(put.0, 403);
    server.stop();
}

/// A policy by which every session that an agent closes is followed by an invite, and one shop a day may do so.
fn inviting() -> Value {
    json!({
        "buyer_space": "ours",
        "invite": {"auto": true, "auto_percent": 100, "after": ["agent"], "agent_spoke_last": false,
            "longer_than": "0s", "suspended": [], "shops_per_buyer_day": 1},
    })
}

#[test]
fn a_shops_key_learns_no_count_of_other_shops() {
    let (_folder, data) = folder();
    let server = Keyed::start(&data, &[]);
    let mut whys = BTreeMap::new();
    for name in ["first", "second"] {
        shop(&server, name, inviting());
        let events = json!([
            {"type": "agent.configured", "agent": "anna"},
            {"type": "agent.online", "agent": "anna"},
            {"type": "session.opened", "session": "s1", "buyer": "b1"},
            {"type": "session.closed", "session": "s1", "by": "agent"},
        ]);
        let path = format!("/v1/shops/{name}/events");
        let (status, told) = server.ask(&server.admin, "POST", &path, Some(&events));
        assert_eq!(status, 200, "{told}");
        let decisions = told["results"][3]["decisions"]
            .as_array()
            .expect("decisions")
            .clone();
        let invite = decisions.iter().find(|decision| {
            decision["type"]
                .as_str()
                .is_some_and(|kind| kind.starts_with("invite."))
        });
        let invite = invite.expect("an invite, or none with a reason");
        let why = format!("/v1/shops/{name}/decisions/{}/why", invite["seq"]);
        let reader = key_of(&server, name, "read");
        for (who, key) in [("shop", &reader), ("admin", &server.admin)] {
            let (status, answer) = server.ask(key, "GET", &why, None);
            assert_eq!(status, 200, "{answer}");
            whys.insert((name, who), answer);
        }
    }
    let of = |name, who| {
        let why: &Value = &whys[&(name, who)];
        let facts = why["why"].as_array().expect("facts").iter();
        let checks = facts.filter_map(|fact| fact["checks"].as_array()).flatten();
        let mut shared = checks.filter(|check| check["code"] == "buyer_day_cap");
        let shared = shared.next().unwrap_or_else(|| panic!("{why}")).clone();
        let texts = [why["text"]["zh"].to_string(), why["text"]["en"].to_string()];
        (shared, texts)
    };
    let (sent, blocked) = (of("first", "shop"), of("second", "shop"));
    assert_eq!(
        whys[&("second", "shop")]["decision"]["type"],
        "invite.blocked"
    );
    for (shared, texts) in [&sent, &blocked] {
        assert!(!shared.to_string().contains("count"), "{shared}");
        assert!(!texts[1].contains("other shops that asked"), "{texts:?}");
    }
    assert_ne!(sent.1, blocked.1, "it says whether the cap is reached");
    let admins = of("second", "admin");
    assert!(admins.0.to_string().contains("\"count\":1"), "{}", admins.0);
    server.stop();
}

#[test]
fn a_shop_that_writes_too_much_stops_itself_and_nobody_else() {
    let (_folder, data) = folder();
    let share = ["shop.bytes_per_hour_max=64KiB"];
    let server = Keyed::start(&data, &share);
    let session = |n: u32| {
        json!([
            {"type": "session.opened", "session": format!("s{n}"), "buyer": format!("b{n}")},
            {"type": "buyer.message", "session": format!("s{n}"), "text": "字".repeat(30_000)},
        ])
    };
    for name in ["loud", "quiet"] {
        shop(&server, name, json!({}));
    }
    let admin = server.admin.clone();
    let (status, told) = server.ask(&admin, "POST", "/v1/shops/loud/events", Some(&session(1)));
    assert_eq!(status, 200, "{told}");
    let (status, told) = server.ask(&admin, "POST", "/v1/shops/loud/events", Some(&session(2)));
    assert_eq!(
        (status, &told["code"]),
        (429, &json!("over_share")),
        "{told}"
    );
    assert!(
        told["detail"]
            .as_str()
            .is_some_and(|text| text.contains("bytes_per_hour_max"))
    );
    let (status, told) = server.ask(&admin, "POST", "/v1/shops/quiet/events", Some(&session(1)));
    assert_eq!(status, 200, "{told}");
    let (status, _) = server.ask(&admin, "GET", "/v1/shops/loud/sessions", None);
    assert_eq!(status, 200, "it can be read");
    // A kill gives no new share: the records are there.
    drop(server);
    let server = Keyed::start(&data, &share);
    let (status, told) = server.ask(&admin, "POST", "/v1/shops/loud/events", Some(&session(2)));
    assert_eq!(status, 429, "{told}");
    server.stop();
}

/// A journal whose disk takes its time: nothing is durable until it is told to be.
struct Slow {
    under: Arc<Embedded>,
    held: Mutex<Option<Vec<(u64, OnDurable)>>>,
}

impl Slow {
    fn go_on(&self) {
        let held = self.held.lock().expect("what waits").take();
        for (order, done) in held.into_iter().flatten() {
            self.under.when_durable(order, done);
        }
    }
}

impl Journal for Slow {
    fn when_durable(&self, order: u64, done: OnDurable) {
        match &mut *self.held.lock().expect("what waits") {
            Some(held) => held.push((order, done)),
            None => self.under.when_durable(order, done),
        }
    }
    fn claim(&self, shop: &Id) -> Result<Option<Claimed>, JournalError> {
        self.under.claim(shop)
    }
    fn create(&self, shop: &Id) -> FencingToken {
        self.under.create(shop)
    }
    fn release(&self, owner: FencingToken) {
        self.under.release(owner);
    }
    fn append(
        &self,
        owner: FencingToken,
        entry: &NewRecord<'_>,
        done: Option<OnDurable>,
    ) -> Result<u64, Fenced> {
        self.under.append(owner, entry, done)
    }
    fn put_snapshot(&self, owner: FencingToken, state: Snapshot, due: Option<Instant>) {
        self.under.put_snapshot(owner, state, due);
    }
    fn exists(&self, shop: &Id) -> Result<bool, JournalError> {
        self.under.exists(shop)
    }
    fn number(&self, shop: &Id) -> Result<Option<u64>, JournalError> {
        self.under.number(shop)
    }
    fn shops(&self, after: Option<&Id>, limit: usize) -> Result<Vec<Id>, JournalError> {
        self.under.shops(after, limit)
    }
    fn read(&self, shop: &Id, seq: u64, limit: usize) -> Result<Option<RecordPage>, JournalError> {
        self.under.read(shop, seq, limit)
    }
    fn rated(
        &self,
        shop: &Id,
        before: u64,
        limit: usize,
    ) -> Result<Option<RecordPage>, JournalError> {
        self.under.rated(shop, before, limit)
    }
    fn before(&self, shop: &Id, seq: u64) -> Result<Option<SnapshotAndTail>, JournalError> {
        self.under.before(shop, seq)
    }
    fn each_timed_shop(&self, each: &mut dyn FnMut(TimedShop)) -> Result<(), JournalError> {
        self.under.each_timed_shop(each)
    }
    fn put_metadata(
        &self,
        shop: &Id,
        name: &str,
        value: Option<Vec<u8>>,
        done: Option<OnDurable>,
    ) -> Result<bool, JournalError> {
        self.under.put_metadata(shop, name, value, done)
    }
    fn each_metadata(&self, each: &mut dyn FnMut(MetadataEntry)) -> Result<(), JournalError> {
        self.under.each_metadata(each)
    }
    fn has_room(&self) -> Result<(), JournalFull> {
        self.under.has_room()
    }
}

/// What waits for a slow disk is a shop's own share: the next is refused, and another shop is taken.
#[actix_rt::test]
async fn memory_that_waits_for_the_disk_is_not_taken_by_one_shop() {
    let folder = tempfile::tempdir().expect("a folder");
    let env = Env {
        clock: SetClock::at("2026-11-11T02:00:00Z"),
        fail_stop: Arc::new(Planted::default()),
    };
    let opened =
        Embedded::open(&settings(folder.path()), &env, Box::new(NoObserver)).expect("a journal");
    let slow = Arc::new(Slow {
        under: Arc::new(opened.journal),
        held: Mutex::new(None),
    });
    let desk = Shops::new(
        Arc::clone(&slow) as Arc<dyn Journal>,
        Arc::new(SharedLedger::load(None, Vec::new()).expect("a ledger")),
        env,
        Arc::new(Seen::default()),
        &RuntimeSettings {
            mailbox: 64,
            idle: Duration::from_secs(600),
            grace: xiaoer::domain::base::time::Duration::from_ms(10_000),
            quota: ShopQuota {
                waiting_bytes_max: 100_000,
                bytes_per_hour_max: 0,
            },
        },
    );
    let post = |shop: &'static str, event: Value| {
        let (desk, shop) = (desk.clone(), id(shop));
        let event = intake(&event.to_string(), &shop, desk.now());
        actix_rt::spawn(async move { desk.post(&shop, vec![event]).await })
    };
    for shop in ["loud", "quiet"] {
        let made = post(shop, json!({"type": "shop.configured", "policy": {}}));
        assert!(made.await.expect("an end").is_ok());
    }
    *slow.held.lock().expect("what waits") = Some(Vec::new());
    let opened = |n: u32| json!({"type": "session.opened", "session": format!("s{n}"), "buyer": format!("b{n}")});
    let said = |text: &str| json!({"type": "buyer.message", "session": "s1", "text": text});
    let first = post("loud", opened(1));
    let large = post("loud", said(&"x".repeat(200_000)));
    let refused = post("loud", said("y")).await.expect("an end");
    assert_eq!(refused, Err(Unavailable::Busy));
    let quiet = post("quiet", opened(1));
    // Answered in the order of the mailbox: once this is refused, what was posted before has been taken.
    assert_eq!(
        post("loud", said("z")).await.expect("an end"),
        Err(Unavailable::Busy)
    );
    slow.go_on();
    for answered in [first, large, quiet] {
        let answered = answered.await.expect("an end").expect("taken");
        assert!(answered[0].refused.is_none() && answered[0].rejected.is_none());
    }
    let again = post("loud", said("y")).await.expect("an end");
    assert!(again.is_ok(), "what was written takes no share: {again:?}");
    desk.close().await;
}

const START_MS: i64 = 1_794_362_400_000;

/// An installation with one shop and so many agents.
struct Busy {
    shops: Installation,
    now_ms: i64,
}

impl Busy {
    fn take(&mut self, what: EventBody) {
        self.now_ms += 1;
        let event = Event {
            at: Instant::from_ms(START_MS + self.now_ms),
            id: None,
            print: 0,
            what,
        };
        let mut out = DecisionSink::default();
        let taken = self.shops.take(&id("s"), &event, &mut out);
        assert_eq!(taken, Applied::Accepted, "{:?}", out.decisions);
    }

    fn configure_agent(&mut self, number: usize, more: &[&'static str]) {
        let roles = ["agent"].iter().chain(more).map(|role| id(role));
        self.take(EventBody::AgentConfigured {
            agent: agent(number),
            name: None,
            roles: roles.collect(),
            capacity: 10,
            weight: 1,
        });
    }

    fn open(&mut self, question: &str) {
        self.take(EventBody::SessionOpened {
            session: Id::new(&format!("s{}", self.now_ms)).expect("an id"),
            buyer: Id::new(&format!("b{}", self.now_ms)).expect("an id"),
            entry: Some(id("live")),
            question: Id::new(question),
            order_status: None,
            bot: false,
            priority: None,
        });
    }

    fn filled(&self) -> u64 {
        self.shops.shop("s").expect("the shop").seats_filled()
    }
}

fn agent(number: usize) -> Id {
    Id::new(&format!("agent-{number:05}")).expect("an id")
}

/// Hundreds of lists, each another one: as much as a policy may hold.
fn large_policy(agents: usize, lists: usize, members: usize) -> Value {
    let ids: Vec<String> = (0..agents)
        .map(|number| agent(number).to_string())
        .collect();
    let questions: serde_json::Map<String, Value> = (0..lists)
        .map(|list| {
            let from = list * 17 % (agents - members);
            (format!("q{list}"), json!(ids[from..from + members]))
        })
        .collect();
    json!({"routing": {"entries": {"live": {"questions": questions}}}})
}

/// What an event pays for after a policy was set, or an agent changed, is the groups that it looks at: not all that the
/// policy has. Counted in seats, which is what making a group costs, so that no clock takes part.
#[test]
fn an_event_pays_for_the_agent_groups_that_it_looks_at() {
    const AGENTS: usize = 10_000;
    const MEMBERS: usize = 800;
    let policy = large_policy(AGENTS, 600, MEMBERS);
    let checked = CheckedPolicy::check(&policy).expect("a policy within the limits");
    let configured = || EventBody::ShopConfigured {
        policy: GivenPolicy::Checked {
            sent: Box::new(serde_json::json!({})),
            checked: Ok(checked.clone()),
        },
    };
    let mut busy = Busy {
        shops: Installation::default(),
        now_ms: 0,
    };
    busy.take(configured());
    for number in 0..AGENTS {
        busy.configure_agent(number, &[]);
    }
    // Somebody is free, but nobody of those lists: everybody is looked at, and the question's own.
    busy.take(EventBody::PresenceChanged {
        agent: agent(AGENTS - 1),
        presence: Presence::Online,
    });
    let each = (AGENTS + MEMBERS) as u64;
    for round in 0..20 {
        let before = busy.filled();
        busy.take(configured());
        busy.open(&format!("q{round}"));
        assert!(busy.filled() - before <= each, "{}", busy.filled() - before);
        let before = busy.filled();
        let roles: &[&'static str] = if round % 2 == 0 { &["lead"] } else { &[] };
        busy.configure_agent(round, roles);
        busy.open(&format!("q{round}"));
        assert!(busy.filled() - before <= each, "{}", busy.filled() - before);
    }
    // Whoever comes for a pool in which somebody waits is found all the same.
    let before = busy.filled();
    busy.take(EventBody::PresenceChanged {
        agent: agent(0),
        presence: Presence::Online,
    });
    assert!(busy.filled() - before <= each + MEMBERS as u64);
    let served = busy.shops.shop("s").expect("the shop").waiting();
    assert!(served < 40, "{served} of 40 still wait");
}

#[test]
fn a_policy_that_holds_too_much_never_reaches_the_shop() {
    let (_folder, data) = folder();
    let server = Keyed::start(&data, &[]);
    shop(&server, "tea", json!({}));
    let owner = key_of(&server, "tea", "owner");
    let members: Vec<String> = (0..2_000).map(|number| agent(number).to_string()).collect();
    let questions: serde_json::Map<String, Value> = (0..1_000)
        .map(|list| {
            (
                format!("q{list:04}"),
                json!(["group:all", format!("x{list}")]),
            )
        })
        .collect();
    let large = json!({"routing": {"groups": {"all": members},
        "entries": {"live": {"questions": questions}}}});
    let event = json!({"type": "shop.configured", "policy": large});
    for (method, path, body) in [
        ("PUT", "/v1/shops/tea/policy", &large),
        ("POST", "/v1/shops/tea/policy/check", &large),
        ("POST", "/v1/shops/tea/events", &event),
    ] {
        let (status, told) = server.ask(&owner, method, path, Some(body));
        assert_eq!(
            (status, &told["code"]),
            (400, &json!("policy_invalid")),
            "{path}: {told}"
        );
        let detail = told["detail"].as_str().expect("a detail");
        assert!(
            detail.starts_with("routing.entries.live.questions.q0248: "),
            "{detail}"
        );
    }
    let (_, decisions) = server.ask(&owner, "GET", "/v1/shops/tea/decisions", None);
    assert_eq!(decisions["items"], json!([]), "nothing was decided");
    server.stop();
}
