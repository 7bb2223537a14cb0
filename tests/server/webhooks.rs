//! Webhooks from end to end: what a receiver gets, whatever it responds, across restarts and kills.
//!
//! `XIAOER_KILLS=5000 cargo test --test server webhooks::` sets the number of kills.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::deadline::Deadline;
use crate::support::http::{Answer, Client};
use crate::support::receiver::{Receiver, Reply, Request};
use crate::support::served::{Launch, SMALL, Served, folder};
use crate::support::world::{SetClock, Shops};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::webhooks::endpoint::EndpointChange;
use xiaoer::webhooks::{Secret, Webhooks, sign};

/// Lives of the server, where no other number is asked for.
const KILLS: u64 = 200;

const SHOP: &str = "/v1/shops/tea";

fn ask(client: &mut Client, method: &str, path: &str, body: &Value) -> Answer {
    let text = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let content = if body.is_null() {
        ""
    } else {
        "application/json"
    };
    let path = format!("{SHOP}{path}");
    let answer = client.send(method, &path, content, text.as_bytes());
    answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

fn good(client: &mut Client, method: &str, path: &str, body: &Value) -> Value {
    let answer = ask(client, method, path, body);
    assert!(
        answer.status < 300,
        "{method} {path}: {} {}",
        answer.status,
        answer.text()
    );
    answer.json()
}

fn launch(data: &std::path::Path) -> Launch {
    let settings = ["webhook.private_addresses=true", "webhook.timeout=60s"];
    Launch::on(data).set(&SMALL).set(&settings)
}

fn make_shop(client: &mut Client) {
    good(client, "PUT", "", &json!({ "policy": {} }));
    good(client, "PUT", "/agents/anna", &json!({ "capacity": 1000 }));
    good(
        client,
        "PUT",
        "/agents/anna/presence",
        &json!({ "presence": "online" }),
    );
}

/// Opens a session, which decides one thing: an assignment. Its `seq`.
fn open_session(client: &mut Client, name: &str) -> u64 {
    let event = json!({ "type": "session.opened", "session": name, "buyer": name });
    // A shop that is full answers with a decision too.
    let answer = ask(client, "POST", "/events", &event).json();
    answer["results"][0]["decisions"][0]["seq"]
        .as_u64()
        .expect("a decision")
}

/// By the secret, and by nothing of ours but the signature.
fn is_signed(came: &Request, secret: &str) -> bool {
    let secret = Secret::parse(secret).expect("a secret");
    let timestamp: i64 = came
        .header("webhook-timestamp")
        .expect("one")
        .parse()
        .expect("a timestamp");
    let expected = sign(&[secret], came.id(), timestamp, &came.body);
    came.header("webhook-signature")
        .expect("one")
        .split(' ')
        .any(|one| one == expected)
}

#[test]
fn what_is_decided_goes_out_signed_and_in_order_across_restarts() {
    let (_place, data) = folder();
    let receiver = Receiver::always(Reply::text(200, "ok"));
    let served = launch(&data).start();
    let mut client = served.client();
    make_shop(&mut client);
    let before = open_session(&mut client, "before");
    let made = good(
        &mut client,
        "POST",
        "/webhooks",
        &json!({ "url": receiver.url() }),
    );
    let (id, secret) = (
        made["id"].as_str().expect("an id"),
        made["secret"].as_str().expect("one"),
    );
    assert_eq!(made["seq"], before);
    let one = open_session(&mut client, "一");
    let came = receiver.wait_for(1);
    let first = &came[0];
    assert_eq!(first.seqs(), [one]);
    assert!(is_signed(first, secret), "{first:?}");
    assert_eq!(first.header("content-type"), Some("application/json"));
    let body = first.json();
    assert_eq!(
        (&body["type"], &body["shop"]),
        (&json!("session.assigned"), &json!("tea"))
    );
    let feed = good(
        &mut client,
        "GET",
        &format!("/decisions/{one}"),
        &Value::Null,
    );
    assert_eq!(body["data"], feed, "the decision as the journal has it");

    let old = secret.to_owned();
    let rotated = good(
        &mut client,
        "POST",
        &format!("/webhooks/{id}/rotate"),
        &Value::Null,
    );
    let new = rotated["secret"].as_str().expect("a secret");
    open_session(&mut client, "二");
    let came = receiver.wait_for(2);
    assert!(is_signed(&came[1], &old) && is_signed(&came[1], new));

    // Stopped, and started again: it goes on, and nothing comes twice.
    let said = served.stop();
    assert!(said.is_orderly(), "{said:?}");
    let served = launch(&data).start();
    let mut client = served.client();
    let three = open_session(&mut client, "三");
    let came = receiver.wait_for(3);
    assert_eq!(came[2].seqs(), [three]);
    assert!(is_signed(&came[2], new));
    let shown = good(&mut client, "GET", "/webhooks", &Value::Null);
    assert_eq!(shown["items"][0]["id"], json!(id));
    assert!(shown["items"][0].get("secret").is_none());

    // A range again, with the ids that it had.
    good(
        &mut client,
        "POST",
        &format!("/webhooks/{id}/resend"),
        &json!({ "from": one, "to": three }),
    );
    let came = receiver.wait_for(6);
    let ids = |from: usize| {
        came[from..from + 3]
            .iter()
            .map(Request::id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(0), ids(3));

    let tested = good(
        &mut client,
        "POST",
        &format!("/webhooks/{id}/test"),
        &Value::Null,
    );
    assert_eq!(
        (&tested["delivered"], &tested["status"], &tested["answer"]),
        (&json!(true), &json!(200), &json!("ok"))
    );
    assert_eq!(receiver.wait_for(7)[6].json()["type"], "webhook.test");
    let rows = good(
        &mut client,
        "GET",
        &format!("/webhooks/{id}/deliveries?limit=2"),
        &Value::Null,
    );
    assert_eq!(rows["items"][0]["state"], "delivered");
    assert_eq!(rows["items"][0]["answer"], "ok");
    assert!(rows["next"].is_string());

    // Only some types, several a call; switched off, and on again: what was taken meanwhile comes.
    let change = json!({ "types": ["session.closed"], "batch": 10, "enabled": false });
    let changed = good(&mut client, "PATCH", &format!("/webhooks/{id}"), &change);
    assert_eq!(
        (&changed["enabled"], &changed["batch"]),
        (&json!(false), &json!(10))
    );
    for name in ["一", "二", "三"] {
        let close = json!({ "type": "session.closed", "session": name, "by": "agent" });
        good(&mut client, "POST", "/events", &close);
    }
    good(
        &mut client,
        "PATCH",
        &format!("/webhooks/{id}"),
        &json!({ "enabled": true }),
    );
    let batch = receiver.wait_for(8)[7].clone();
    assert_eq!(batch.json()["type"], "decisions");
    let kinds: Vec<Value> = batch.json()["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["type"].clone())
        .collect();
    assert_eq!(
        kinds,
        [
            json!("session.closed"),
            json!("session.closed"),
            json!("session.closed")
        ]
    );

    assert_eq!(
        ask(
            &mut client,
            "DELETE",
            &format!("/webhooks/{id}"),
            &Value::Null
        )
        .status,
        204
    );
    assert_eq!(
        ask(&mut client, "GET", &format!("/webhooks/{id}"), &Value::Null).status,
        404
    );
    open_session(&mut client, "四");
    // One that is new knows when the other would have come.
    good(
        &mut client,
        "POST",
        "/webhooks",
        &json!({ "url": receiver.url() }),
    );
    let five = open_session(&mut client, "五");
    assert_eq!(receiver.wait_for(9)[8].seqs(), [five]);
    served.stop();
    let served = launch(&data).start();
    let shown = good(&mut served.client(), "GET", "/webhooks", &Value::Null);
    assert_eq!(shown["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_cannot_be_had_is_refused_with_what_can() {
    let (_place, data) = folder();
    let served = Launch::on(&data)
        .set(&SMALL)
        .set(&["webhook.endpoints_max=1"])
        .start();
    let mut client = served.client();
    make_shop(&mut client);
    for (body, status, part) in [
        (json!({}), 400, "`url` is missing"),
        (json!({ "url": "ftp://h/" }), 400, "http"),
        (
            json!({ "url": "http://127.0.0.1:1/" }),
            400,
            "webhook.private_addresses",
        ),
        (
            json!({ "url": "http://2130706433/" }),
            400,
            "webhook.private_addresses",
        ),
        (
            json!({ "url": "https://example.com/", "types": ["session.asigned"] }),
            400,
            "session.assigned",
        ),
        (
            json!({ "url": "https://example.com/", "batch": 501 }),
            400,
            "500",
        ),
        (
            json!({ "url": "https://example.com/", "batch": "many" }),
            400,
            "batch",
        ),
        (
            json!({ "url": "https://example.com/", "secret": "x" }),
            400,
            "secret",
        ),
        (
            json!({ "url": "https://example.com/", "enabled": false }),
            200,
            "whsec_",
        ),
        (
            json!({ "url": "https://example.com/" }),
            409,
            "endpoints_max",
        ),
    ] {
        let answer = ask(&mut client, "POST", "/webhooks", &body);
        assert_eq!(answer.status, status, "{body}: {}", answer.text());
        assert!(answer.text().contains(part), "{body}: {}", answer.text());
    }
    let list = good(&mut client, "GET", "/webhooks", &Value::Null);
    let id = list["items"][0]["id"].as_str().expect("an id").to_owned();
    for range in [
        json!({ "from": 0, "to": 1 }),
        json!({ "from": 2, "to": 1 }),
        json!({ "from": 1, "to": 9 }),
    ] {
        let answer = ask(
            &mut client,
            "POST",
            &format!("/webhooks/{id}/resend"),
            &range,
        );
        assert_eq!(answer.status, 400, "{range}");
    }
    let answer = ask(&mut client, "GET", "/webhooks/none", &Value::Null);
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (404, &json!("webhook_unknown"))
    );
    let nowhere = client.get("/v1/shops/nowhere/webhooks").expect("an answer");
    assert_eq!(
        (nowhere.status, &nowhere.json()["code"]),
        (404, &json!("shop_unknown"))
    );
    // A shop that is taken away takes them with it.
    assert_eq!(ask(&mut client, "DELETE", "", &Value::Null).status, 204);
    make_shop(&mut client);
    let gone = Deadline::seconds(60).poll(|| {
        let list = good(&mut client, "GET", "/webhooks", &Value::Null);
        (list["items"] == json!([])).then_some(())
    });
    assert!(gone.is_some());
}

/// In this process, with a clock that is set.
struct Desk {
    shops: Shops,
    webhooks: Arc<Webhooks>,
    shop: Id,
    now_ms: i64,
    sessions: u64,
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn open() -> Desk {
        // As long as a real one has unless the settings say otherwise: the line is held a minute less that.
        Desk::open_within(Duration::from_secs(15)).await
    }

    /// One whose endpoints have so long to answer.
    async fn open_within(timeout: Duration) -> Desk {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = SetClock::at("2026-11-11T02:00:00Z");
        let now_ms = Instant::parse("2026-11-11T02:00:00Z")
            .expect("an instant")
            .ms();
        let shops = Shops::open(folder.path(), &clock, Duration::from_secs(600));
        let made = [
            json!({"type":"shop.configured","policy":{}}).to_string(),
            json!({"type":"agent.configured","agent":"a","capacity":1000}).to_string(),
            json!({"type":"agent.online","agent":"a"}).to_string(),
        ];
        shops.post("s", &made).await.expect("a shop");
        Desk {
            webhooks: shops.webhooks_within(timeout),
            shops,
            shop: Id::new("s").expect("an id"),
            now_ms,
            sessions: 0,
            _folder: folder,
        }
    }

    async fn endpoint(&self, receiver: &Receiver, types: Option<&str>) -> String {
        let wanted = EndpointChange {
            url: Some(receiver.url()),
            types: types.map(|name| Some(vec![name.to_owned(), "session.assigned".to_owned()])),
            ..EndpointChange::default()
        };
        let added = self.webhooks.add(&self.shop, wanted, self.sessions).await;
        added.expect("an endpoint").0.id.clone()
    }

    async fn decide(&mut self) {
        self.sessions += 1;
        let name = format!("b{}", self.sessions);
        let event = json!({ "type": "session.opened", "session": name, "buyer": name });
        self.shops
            .post("s", &[event.to_string()])
            .await
            .expect("a decision");
    }

    /// Time goes on.
    fn pass(&mut self, seconds: i64) {
        self.now_ms += seconds * 1000;
        self.shops.clock.set(Instant::from_ms(self.now_ms));
        self.webhooks.wake_workers();
    }

    /// What is known of a message: how often it was tried, and the status and failure of the last try.
    fn told(&self, id: &str, seq: u64) -> Option<(u32, Option<u16>, Option<String>)> {
        let post = self.webhooks.get(&self.shop, id).expect("an endpoint");
        let inner = post.inner();
        let of = inner
            .outbox
            .failed_messages()
            .find(|of| of.range.from == seq)?;
        Some((of.attempts, of.result.status, of.result.failure.clone()))
    }

    /// Waits until it was tried so often.
    fn until_tried(&self, id: &str, seq: u64, tries: u32) -> (Option<u16>, Option<String>) {
        let tried = Deadline::seconds(60).poll(|| {
            let told = self.told(id, seq).filter(|told| told.0 >= tries)?;
            Some((told.1, told.2))
        });
        tried.unwrap_or_else(|| panic!("tried {:?} instead of {tries} times", self.told(id, seq)))
    }
}

/// A minute, and what the tries until then take.
const HELD_S: i64 = 90;

/// Whatever an endpoint answers: it is tried again, the rest goes on after a minute, and it comes in the end.
#[actix_rt::test]
async fn every_way_to_fail_is_tried_again() {
    let canary = Receiver::always(Reply::text(200, "ok"));
    let redirect = Reply::status(301).with("location", &canary.url());
    for (reply, status, failure) in [
        (redirect, Some(301), ""),
        (Reply::status(500), Some(500), ""),
        (Reply::status(404), Some(404), ""),
        (Reply::Close, None, "closed"),
        (Reply::Reset, None, "reset"),
        (Reply::Never, None, "timed out after 1 s"),
    ] {
        let shown = format!("{reply:?}");
        let mut desk = if matches!(reply, Reply::Never) {
            Desk::open_within(Duration::from_secs(1)).await
        } else {
            Desk::open().await
        };
        let receiver = Receiver::start(move |came| match came.seqs()[..] {
            [1] => reply.clone(),
            _ => Reply::status(200),
        });
        let id = desk.endpoint(&receiver, None).await;
        desk.decide().await;
        desk.decide().await;
        let (told, why) = desk.until_tried(&id, 1, 1);
        assert_eq!(told, status, "{shown}");
        let why = why.unwrap_or_default();
        assert!(
            why.contains(failure) && why.is_empty() == status.is_some(),
            "{shown}: {why}"
        );
        // The line is held while it is tried, for a minute at most, and what a try takes.
        let next_came = || {
            let came = receiver.requests();
            came.iter().any(|came| came.seqs() == [2]).then_some(())
        };
        assert_eq!(next_came(), None, "{shown}");
        let soon = || Deadline::after(Duration::from_millis(60)).poll(next_came);
        let mut waited_s = 0;
        while waited_s < HELD_S && soon().is_none() {
            desk.pass(5);
            waited_s += 5;
        }
        // However long a busy machine takes to get it there: by the clock of the desk no more time passes.
        let came = Deadline::seconds(60).poll(next_came);
        assert!(came.is_some(), "{shown}: the line is held for {HELD_S} s");
        receiver.script(|_| Reply::status(200));
        desk.pass(3600);
        receiver.until("the first in the end", |came| {
            (came.last()?.seqs() == [1]).then_some(())
        });
        let ids: BTreeSet<String> = receiver
            .requests()
            .iter()
            .filter(|came| came.seqs() == [1])
            .map(|came| came.id().to_owned())
            .collect();
        assert_eq!(ids.len(), 1, "{shown}: the same id at every try");
        desk.webhooks.close().await;
    }
    assert_eq!(canary.connections(), 0, "a redirect was followed");
}

/// An answer that never ends is an answer: it was taken, once, and holds nobody up.
#[actix_rt::test]
async fn an_answer_without_an_end_is_an_answer() {
    for reply in [
        Reply::Drip(200, vec![b'x'; 1000], Duration::from_millis(20)),
        Reply::Endless(200),
    ] {
        // Long enough for the head of an answer on a busy machine.
        let mut desk = Desk::open_within(Duration::from_secs(5)).await;
        let shown = format!("{reply:?}");
        let receiver = Receiver::start(move |_| reply.clone());
        let id = desk.endpoint(&receiver, None).await;
        desk.decide().await;
        desk.decide().await;
        let came = receiver.wait_for(2);
        assert_eq!(
            (came[0].seqs(), came[1].seqs()),
            (vec![1], vec![2]),
            "{shown}"
        );
        let delivered = Deadline::seconds(60).poll(|| {
            let post = desk.webhooks.get(&desk.shop, &id).expect("it");
            let inner = post.inner();
            let first = inner.recent.front()?;
            Some((first.result.status, first.result.answer.len()))
        });
        let (status, kept) = delivered.expect("delivered");
        assert_eq!(status, Some(200), "{shown}");
        assert!(kept <= 1024 && kept > 0, "{shown}: {kept} bytes were kept");
        desk.webhooks.close().await;
    }
}

#[actix_rt::test]
async fn retry_after_waits_and_gone_switches_off_with_an_alert() {
    let mut desk = Desk::open().await;
    let receiver = Receiver::start(|_| Reply::text(429, "slower").with("retry-after", "7200"));
    let id = desk.endpoint(&receiver, None).await;
    desk.decide().await;
    assert_eq!(desk.until_tried(&id, 1, 1).0, Some(429));
    desk.pass(7100);
    desk.decide().await;
    desk.until_tried(&id, 2, 1);
    assert_eq!(
        desk.told(&id, 1).expect("it fails").0,
        1,
        "it asked for two hours"
    );
    let other = Receiver::always(Reply::text(200, "ok"));
    let watcher = desk.endpoint(&other, Some("webhook.disabled")).await;
    receiver.script(|_| Reply::status(410));
    desk.pass(200);
    let gone = other.until("word of it", |came| {
        came.iter()
            .find(|came| came.json()["type"] == "webhook.disabled")
            .cloned()
    });
    assert_eq!(gone.json()["data"]["webhook"], json!(id));
    assert!(
        gone.json()["data"]["why"]
            .as_str()
            .is_some_and(|why| why.contains("410"))
    );
    let alerts = desk.shops.seen.alerts.lock().expect("alerts").clone();
    assert!(
        alerts.iter().any(|alert| alert.starts_with(&id)),
        "{alerts:?}"
    );
    let tries = receiver.requests().len();
    desk.decide().await;
    desk.pass(100 * 3600);
    let seq = desk.sessions;
    other.until("the decision", |came| {
        came.iter().any(|came| came.seqs() == [seq]).then_some(())
    });
    assert_eq!(receiver.requests().len(), tries, "it is off");
    // Switched on again it goes on where it was.
    receiver.script(|_| Reply::status(200));
    let on = EndpointChange {
        enabled: Some(true),
        ..EndpointChange::default()
    };
    desk.webhooks.change(&desk.shop, &id, on).await.expect("on");
    receiver.until("all of them", |came| {
        let taken: BTreeSet<u64> = came[tries..].iter().flat_map(Request::seqs).collect();
        (taken == (1..=3).collect()).then_some(())
    });
    drop(watcher);
    desk.webhooks.close().await;
}

/// One endpoint that hangs delays neither decisions nor another endpoint.
#[actix_rt::test]
async fn a_dead_endpoint_delays_nobody() {
    let mut desk = Desk::open().await;
    let dead = Receiver::start(|_| Reply::Never);
    let well = Receiver::always(Reply::text(200, "ok"));
    desk.endpoint(&dead, None).await;
    desk.endpoint(&well, None).await;
    for _ in 0..200 {
        desk.decide().await;
    }
    let came = well.wait_for(200);
    let seqs: Vec<u64> = came.iter().flat_map(Request::seqs).collect();
    assert_eq!(seqs, (1..=200).collect::<Vec<u64>>());
    assert!(dead.requests().len() <= 3);
}

fn kills() -> u64 {
    let given = std::env::var("XIAOER_KILLS").ok();
    given.map_or(KILLS, |text| text.parse().expect("a number"))
}

/// What was made up before a change of the endpoint goes out whole, or is not asked for any more.
#[actix_rt::test]
async fn a_change_while_a_message_fails_loses_nothing() {
    let mut desk = Desk::open().await;
    let receiver = Receiver::always(Reply::status(500));
    let id = desk.endpoint(&receiver, None).await;
    let change = async |desk: &Desk, wanted: EndpointChange| {
        let changed = desk.webhooks.change(&desk.shop, &id, wanted).await;
        changed.expect("changed");
    };
    let off = EndpointChange {
        batch: Some(Some(100)),
        enabled: Some(false),
        ..EndpointChange::default()
    };
    change(&desk, off).await;
    for _ in 0..5 {
        desk.decide().await;
    }
    let on = |wanted: EndpointChange| EndpointChange {
        enabled: Some(true),
        ..wanted
    };
    change(&desk, on(EndpointChange::default())).await;
    receiver.until("all five", |came| {
        came.iter()
            .any(|came| came.seqs() == [1, 2, 3, 4, 5])
            .then_some(())
    });
    desk.until_tried(&id, 1, 1);
    receiver.script(|_| Reply::status(200));
    let one_by_one = EndpointChange {
        batch: Some(None),
        ..EndpointChange::default()
    };
    change(&desk, on(one_by_one)).await;
    desk.decide().await;
    receiver.until("the sixth", |came| {
        (came.last()?.seqs() == [6]).then_some(())
    });
    let taken: Vec<Vec<u64>> = receiver
        .requests()
        .iter()
        .rev()
        .take(2)
        .map(Request::seqs)
        .collect();
    assert_eq!(taken, [vec![6], vec![1, 2, 3, 4, 5]]);

    receiver.script(|_| Reply::status(500));
    desk.decide().await;
    desk.until_tried(&id, 7, 1);
    let others = EndpointChange {
        types: Some(Some(vec!["reply.due".to_owned()])),
        ..EndpointChange::default()
    };
    change(&desk, on(others)).await;
    let gone = Deadline::seconds(60).poll(|| desk.told(&id, 7).is_none().then_some(()));
    assert!(gone.is_some(), "nobody asks for it any more");
    assert_eq!(desk.shops.seen.alerts.lock().expect("alerts").len(), 0);
    desk.webhooks.close().await;
}

/// `kill -9` at any moment while it delivers, one by one and in batches: nothing is lost, and what comes twice comes with
/// the id that it had.
#[test]
fn no_delivery_is_lost_by_kill_9() {
    let (kills, mut luck) = (kills(), StdRng::seed_from_u64(11));
    let (_place, data) = folder();
    let (singles, batches) = (
        Receiver::always(Reply::text(200, "ok")),
        Receiver::always(Reply::text(200, "ok")),
    );
    let mut served = launch(&data).start();
    let mut client = served.client();
    make_shop(&mut client);
    good(
        &mut client,
        "POST",
        "/webhooks",
        &json!({ "url": singles.url() }),
    );
    good(
        &mut client,
        "POST",
        "/webhooks",
        &json!({ "url": batches.url(), "batch": 7 }),
    );
    let mut sessions = 0u64;
    for life in 0..kills {
        let stop = Arc::new(AtomicBool::new(false));
        let sender = {
            let (stop, address) = (Arc::clone(&stop), served.address);
            std::thread::spawn(move || {
                let mut client = Client::new(address);
                let mut sent = 0;
                while !stop.load(Ordering::SeqCst) {
                    let events: Vec<Value> = (0..5)
                        .map(|event| {
                            let name = format!("k{life}-{sent}-{event}");
                            json!({ "type": "session.opened", "session": name, "buyer": name })
                        })
                        .collect();
                    let text = json!(events).to_string();
                    if client.post(&format!("{SHOP}/events"), &text).is_err() {
                        break;
                    }
                    sent += 1;
                }
                sent
            })
        };
        let death = Deadline::after(Duration::from_millis(luck.random_range(20..150)));
        assert!(death.poll(|| None::<()>).is_none());
        served.kill();
        stop.store(true, Ordering::SeqCst);
        sessions += sender.join().expect("a sender") * 5;
        served = launch(&data).start();
    }
    let last = open_session(&mut served.client(), "last");
    assert!(
        last >= sessions && sessions > kills,
        "{last} decisions of {sessions} sessions"
    );
    for receiver in [&singles, &batches] {
        receiver.until("the last decision", |came| {
            came.iter()
                .any(|came| came.seqs().contains(&last))
                .then_some(())
        });
        let came = receiver.requests();
        let there: BTreeSet<u64> = came.iter().flat_map(Request::seqs).collect();
        let lost: Vec<u64> = (1..=last).filter(|seq| !there.contains(seq)).collect();
        assert!(lost.is_empty(), "lost of {last}: {lost:?}");
        // The same decision came with the same id whenever it came.
        let mut ids: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
        for one in &came {
            one.seqs().into_iter().for_each(|seq| {
                ids.entry(seq).or_default().insert(one.id());
            });
        }
        let other: Vec<_> = ids
            .iter()
            .filter(|(_, ids)| ids.len() > 1)
            .take(3)
            .collect();
        assert!(other.is_empty(), "came again with another id: {other:?}");
        let total: usize = came.iter().map(|came| came.seqs().len()).sum();
        println!(
            "{kills} kills, {last} decisions, 0 lost, {} came twice",
            total - ids.len()
        );
    }
    stop(served);
}

fn stop(served: Served) {
    let said = served.stop();
    assert!(said.is_orderly(), "{said:?}");
}
