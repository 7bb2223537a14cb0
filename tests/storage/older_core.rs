//! Folders whose latest records an older core decided, written through the journal's own interface. The runtime
//! recovers what was acknowledged, continues from there, and reports once what it would have decided differently.

use std::path::Path;
use std::time::Duration;

use crate::support::world::{SetClock, Shops, decisions};
use serde_json::{Value, json};
use xiaoer::domain::CORE;
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::read::{invariants, report, views};
use xiaoer::journal::{
    FencingToken, Journal, NewRecord, NoInspector, RecordKind, Upgrade, backup, no_files, restore,
    verify,
};
use xiaoer::runtime::{Unavailable, check_recovery};

const LONG: Duration = Duration::from_secs(600);

/// The shop of these tests.
const SHOP: &str = "花店";

/// The text of an event that an older core could not read.
const MALFORMED_THEN: &str = "malformed then";

fn at(time: &str) -> Instant {
    Instant::parse(&format!("2026-11-11T{time}Z")).expect("an instant")
}

/// Writes records of a core into a folder that no shop's actor has.
struct Writer {
    shops: Shops,
    owner: Option<FencingToken>,
    core: u32,
    n: u64,
    seq: u64,
}

impl Writer {
    fn begin(folder: &Path, core: u32) -> Writer {
        let clock = SetClock::at("2026-11-11T02:00:00Z");
        Writer {
            shops: Shops::open(folder, &clock, LONG),
            owner: None,
            core,
            n: 0,
            seq: 0,
        }
    }

    /// One record: when, the event, and the decisions without `at`, `shop` and `seq`.
    fn record(&mut self, time: &str, event: Value, decisions: &[Value]) {
        let id = Id::new(SHOP).expect("an id");
        let kind = match event["type"].as_str() {
            _ if self.n == 0 => RecordKind::Created,
            Some("") | None => RecordKind::Malformed,
            _ if event["text"] == MALFORMED_THEN => RecordKind::Malformed,
            Some(_) => RecordKind::Event,
        };
        let journal = &self.shops.journal;
        let owner = *self.owner.get_or_insert_with(|| journal.create(&id));
        let instant = at(time);
        let stamp = instant.at_offset(28_800).to_string();
        let decided = (self.seq + 1..).zip(decisions).map(|(seq, decision)| {
            let mut decision = decision.clone();
            decision["at"] = stamp.as_str().into();
            decision["shop"] = SHOP.into();
            decision["seq"] = seq.into();
            decision
        });
        let decided: Vec<Value> = decided.collect();
        self.n += 1;
        let entry = NewRecord {
            shop: &id,
            kind,
            core: self.core,
            n: self.n,
            at: instant,
            due: None,
            seq_before: self.seq,
            decided: decisions.len() as u32,
            text: &event.to_string(),
            decisions: &json!(decided).to_string(),
            claims: &[],
            booked: &[],
            rated: decisions.iter().any(|of| of["type"] == "rating.recorded"),
        };
        journal.append(owner, &entry, None).expect("its owner");
        self.seq += decisions.len() as u64;
    }

    /// The shop, and two agents online of whom this core picks anna first.
    fn open_shop(&mut self) {
        let policy =
            json!({ "preset": "standard", "invite": { "auto_quiet": "0s", "longer_than": "0s" } });
        self.record(
            "02:00:00",
            json!({ "type": "shop.configured", "policy": policy }),
            &[],
        );
        for agent in ["anna", "bo"] {
            let event = json!({ "type": "agent.configured", "agent": agent, "capacity": 2 });
            self.record("02:00:00", event, &[]);
            let event = json!({ "type": "agent.online", "agent": agent });
            self.record("02:00:00", event, &[]);
        }
    }

    fn opened(&mut self, time: &str, number: u32, decisions: &[Value]) {
        let event = json!({ "type": "session.opened", "id": format!("o{number}"),
                            "session": format!("s{number}"), "buyer": format!("b{number}") });
        self.record(time, event, decisions);
    }

    async fn close(self) {
        self.shops.close().await;
    }
}

fn assigned(number: u32, agent: &str) -> Value {
    json!({ "type": "session.assigned", "session": format!("s{number}"), "buyer": format!("b{number}"),
            "agent": agent, "reason": "all", "repeat_visit": false, "waited": 0 })
}

fn open(folder: &Path, time: &str) -> Shops {
    Shops::open(folder, &SetClock::at(&format!("2026-11-11T{time}Z")), LONG)
}

/// How many decisions the shop would have taken otherwise, each time that it came up so.
fn otherwise(shops: &Shops) -> Vec<u64> {
    let found = shops.seen.otherwise.lock().expect("a list");
    found.iter().map(|(_, count)| *count).collect()
}

/// The types of the decisions of one event, and the decisions.
async fn post(shops: &Shops, event: Value) -> (Vec<String>, Vec<Value>) {
    let answered = shops.post(SHOP, &[event.to_string()]).await;
    let decided = decisions(&answered.expect("an answer")[0]);
    let kinds = decided
        .iter()
        .map(|of| of["type"].as_str().unwrap_or_default().to_owned());
    (kinds.collect(), decided)
}

/// What every store in order has.
async fn in_order(shops: &Shops) {
    let shop = Id::new(SHOP).expect("an id");
    let audit = shops.desk.read(&shop, invariants::audit).await;
    assert_eq!(audit.expect("the shop"), Ok(()));
    let page = shops.desk.decisions(&shop, 0, 500).await.expect("a page");
    let seqs: Vec<u64> = page.items.iter().map(|of| of.seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    for decision in &page.items {
        let said: Value = serde_json::from_str(&decision.json).expect("JSON");
        assert_eq!(said["seq"], decision.seq);
        let why = shops
            .desk
            .why(&shop, decision.seq)
            .await
            .expect("an answer");
        let why = why.unwrap_or_else(|| panic!("no why of {}", decision.json));
        let told = xiaoer::wire::WrittenDecision::new(SHOP, &why.decision);
        let told = serde_json::to_value(&told).expect("JSON");
        assert_eq!(told, said, "{why:?}");
    }
}

/// Whom an older core gave a session has it: the first agent answers, its card is rated, and `seq` goes on behind it.
#[actix_rt::test]
async fn the_agent_who_was_answered_has_the_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::begin(folder.path(), 0);
    writer.open_shop();
    writer.opened("02:01:00", 1, &[assigned(1, "bo")]);
    writer.opened("02:02:00", 2, &[assigned(2, "bo")]);
    let event = json!({ "type": "buyer.message", "session": "s1" });
    writer.record("02:03:00", event, &[]);
    writer.close().await;

    let shops = open(folder.path(), "02:04:00");
    let said = json!({ "type": "agent.message", "session": "s1", "agent": "anna" });
    let (kinds, decided) = post(&shops, said).await;
    assert_eq!(
        (kinds, &decided[0]["error"]),
        (
            vec!["event.rejected".to_owned()],
            &json!("not_session_agent")
        )
    );
    assert_eq!(decided[0]["seq"], 3);
    let said = json!({ "type": "agent.message", "session": "s1", "agent": "bo" });
    assert_eq!(post(&shops, said).await.0, Vec::<String>::new());
    assert_eq!(otherwise(&shops), [2]);
    // Bo is full by now, so the next is anna's.
    let event = json!({ "type": "session.opened", "session": "s3", "buyer": "b3" });
    assert_eq!(post(&shops, event).await.1[0]["agent"], "anna");
    let event = json!({ "type": "session.closed", "session": "s1", "by": "agent" });
    let (kinds, decided) = post(&shops, event).await;
    assert_eq!(kinds, ["session.closed", "invite.sent"]);
    assert_eq!(
        (&decided[1]["agent"], &decided[1]["card"]),
        (&json!("bo"), &json!("s1#1"))
    );
    let event = json!({ "type": "rating.submitted", "card": "s1#1", "level": "satisfied" });
    let (kinds, decided) = post(&shops, event).await;
    assert_eq!(
        (kinds, &decided[0]["agent"]),
        (vec!["rating.recorded".to_owned()], &json!("bo"))
    );
    // What was accepted then is repeated as it was answered then.
    let again = json!({ "type": "session.opened", "id": "o2", "session": "s2", "buyer": "b2" });
    let (_, decided) = post(&shops, again).await;
    assert_eq!(
        (&decided[0]["seq"], &decided[0]["agent"]),
        (&json!(2), &json!("bo"))
    );
    in_order(&shops).await;
    shops.close().await;

    // The state was stored: nothing is decided again.
    let shops = open(folder.path(), "02:05:00");
    in_order(&shops).await;
    assert_eq!(otherwise(&shops), Vec::<u64>::new());
    shops.close().await;
    verify(
        &crate::support::world::settings(folder.path()),
        &mut NoInspector,
    )
    .expect("a sound folder");
}

/// The state is stored at once, not only when the shop goes to sleep.
#[actix_rt::test]
async fn a_crash_right_after_it_came_up_decides_nothing_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::begin(folder.path(), 0);
    writer.open_shop();
    writer.opened("02:01:00", 1, &[assigned(1, "bo")]);
    writer.close().await;
    let shops = open(folder.path(), "02:04:00");
    let event = json!({ "type": "buyer.message", "session": "s1" });
    post(&shops, event).await;
    assert_eq!(otherwise(&shops), [1]);
    // A copy of what is durable by now, before any shop goes to sleep.
    let mut copy = Vec::new();
    backup(&shops.journal, &mut no_files, &mut copy).expect("a backup");
    shops.close().await;
    let data = folder.path().join("copy");
    let settings = crate::support::world::settings(&data);
    restore(&mut copy.as_slice(), &settings, &mut Upgrade::plain()).expect("restored");
    let shops = open(&data, "02:05:00");
    in_order(&shops).await;
    assert_eq!(otherwise(&shops), Vec::<u64>::new());
    shops.close().await;
}

/// What an older core invited, queued, closed and rejected stands, whatever this one would do.
#[actix_rt::test]
async fn what_was_answered_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::begin(folder.path(), 0);
    writer.open_shop();
    // This core has somebody for it.
    let queued = json!({ "type": "session.queued", "session": "s1", "buyer": "b1", "pool": "all", "position": 1,
                         "reason": "all_busy", "prompt": "请稍候" });
    writer.opened("02:01:00", 1, &[queued]);
    // This core would open it.
    let no = json!({ "type": "event.rejected", "event": "session.opened", "error": "queue_full", "message": "No." });
    writer.opened("02:01:10", 2, &[no]);
    writer.opened("02:01:20", 3, &[assigned(3, "anna")]);
    // This core would ask no buyer after the gateway's close, and closes nothing by a message.
    let closed = |number: u32| {
        json!({ "type": "session.closed", "session": format!("s{number}"), "buyer": format!("b{number}"),
                "agent": "anna", "reason": "system" })
    };
    let sent = json!({ "type": "invite.sent", "card": "s3#1", "session": "s3", "buyer": "b3", "agent": "anna",
                       "trigger": "auto" });
    let event = json!({ "type": "session.closed", "session": "s3", "by": "system" });
    writer.record("02:01:30", event, &[closed(3), sent]);
    writer.opened("02:01:40", 4, &[assigned(4, "anna")]);
    let event = json!({ "type": "buyer.message", "session": "s4" });
    writer.record("02:01:50", event, &[closed(4)]);
    // This core knows no such event, no such field, and no such agent.
    writer.record(
        "02:02:00",
        json!({ "type": "session.praised", "session": "s4" }),
        &[],
    );
    writer.opened("02:02:10", 5, &[assigned(5, "carl")]);
    let event = json!({ "type": "buyer.message", "session": "s5", "mood": "good" });
    writer.record("02:02:20", event, &[]);
    // The older core could not read this one.
    let event = json!({ "type": "buyer.message", "session": "s5", "text": MALFORMED_THEN });
    let no = json!({ "type": "event.rejected", "event": "buyer.message", "error": "malformed", "message": "No." });
    writer.record("02:02:20", event, &[no]);
    writer.close().await;

    let shops = open(folder.path(), "02:03:00");
    let shop = Id::new(SHOP).expect("an id");
    let view = |shops: &Shops, session: &str| {
        let (desk, shop, session) = (shops.desk.clone(), shop.clone(), session.to_owned());
        async move {
            let at = at("02:03:00");
            let seen = desk
                .read(&shop, move |shop| views::session(shop, &session, at))
                .await;
            seen.expect("the shop")
                .map(|view| serde_json::to_value(view).expect("JSON"))
        }
    };
    let s1 = view(&shops, "s1").await.expect("s1");
    assert_eq!(
        (&s1["state"], &s1["pool"]),
        (&json!("waiting"), &json!("all"))
    );
    assert!(view(&shops, "s2").await.is_none());
    let s3 = view(&shops, "s3").await.expect("s3");
    assert_eq!(s3["cards"][0]["card"], "s3#1");
    assert_eq!(
        (&s3["cards"][0]["agent"], &s3["cards"][0]["source"]),
        (&json!("anna"), &json!("auto"))
    );
    assert_eq!(view(&shops, "s4").await.expect("s4")["state"], "closed");
    let s5 = view(&shops, "s5").await.expect("s5");
    assert_eq!(
        (&s5["state"], &s5["agent"]),
        (&json!("open"), &json!("carl"))
    );
    let report = shops
        .desk
        .read(&shop, report::report)
        .await
        .expect("a report");
    assert_eq!(report.invites.auto_sent, 1);
    assert_eq!((report.sessions.opened, report.sessions.closed), (4, 2));
    assert_eq!(otherwise(&shops).len(), 1);
    // Who waits is served with the next event, by this core.
    let (_, decided) = post(&shops, json!({ "type": "clock" })).await;
    assert_eq!(
        (&decided[0]["session"], &decided[0]["reason"]),
        (&json!("s1"), &json!("queue"))
    );
    // The card that was answered is rated.
    let event = json!({ "type": "rating.submitted", "card": "s3#1", "stars": 5 });
    assert_eq!(post(&shops, event).await.0, ["rating.recorded"]);
    in_order(&shops).await;
    shops.close().await;
}

/// The invite of the record counts for the shop's own caps (I10, I11).
#[actix_rt::test]
async fn an_invite_that_was_sent_counts() {
    for (policy, code) in [
        (
            json!({ "auto_quiet": "48h", "longer_than": "0s" }),
            "already_invited",
        ),
        (
            json!({ "auto_quiet": "0s", "auto_per_shop_day": 1, "longer_than": "0s" }),
            "shop_day_cap",
        ),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::begin(folder.path(), 0);
        let policy = json!({ "preset": "standard", "invite": policy });
        writer.record(
            "02:00:00",
            json!({ "type": "shop.configured", "policy": policy }),
            &[],
        );
        writer.record(
            "02:00:00",
            json!({ "type": "agent.configured", "agent": "anna" }),
            &[],
        );
        writer.record(
            "02:00:00",
            json!({ "type": "agent.online", "agent": "anna" }),
            &[],
        );
        writer.opened("02:01:00", 1, &[assigned(1, "anna")]);
        let closed = json!({ "type": "session.closed", "session": "s1", "buyer": "b1", "agent": "anna",
                             "reason": "system" });
        let sent = json!({ "type": "invite.sent", "card": "s1#1", "session": "s1", "buyer": "b1", "agent": "anna",
                           "trigger": "auto" });
        let event = json!({ "type": "session.closed", "session": "s1", "by": "system" });
        writer.record("02:02:00", event, &[closed, sent]);
        writer.close().await;

        let shops = open(folder.path(), "02:03:00");
        let event = json!({ "type": "session.opened", "session": "t1", "buyer": "b1" });
        post(&shops, event).await;
        let event = json!({ "type": "agent.message", "session": "t1" });
        post(&shops, event).await;
        let event = json!({ "type": "session.closed", "session": "t1", "by": "agent" });
        let (kinds, decided) = post(&shops, event).await;
        assert_eq!(kinds, ["session.closed", "invite.blocked"], "{code}");
        assert_eq!(decided[1]["blocked_by"], json!([code]));
        in_order(&shops).await;
        shops.close().await;
    }
}

/// A policy that this core refuses made the shop: it has all of it that this core takes.
#[actix_rt::test]
async fn a_shop_with_a_policy_of_an_older_core_comes_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::begin(folder.path(), 0);
    let policy = json!({ "preset": "douyin", "routing": { "strategy": "by_the_moon" }, "invite": { "auto": false } });
    writer.record(
        "02:00:00",
        json!({ "type": "shop.configured", "policy": policy }),
        &[],
    );
    writer.record(
        "02:00:00",
        json!({ "type": "agent.configured", "agent": "anna" }),
        &[],
    );
    writer.close().await;
    let shops = open(folder.path(), "02:03:00");
    let shop = Id::new(SHOP).expect("an id");
    let policy = shops
        .desk
        .read(&shop, |shop| serde_json::to_value(shop.policy()))
        .await;
    let policy = policy.expect("the shop").expect("JSON");
    assert_eq!(
        (&policy["preset"], &policy["invite"]["auto"]),
        (&json!("douyin"), &json!(false))
    );
    let event = json!({ "type": "agent.online", "agent": "anna" });
    assert_eq!(post(&shops, event).await.0, Vec::<String>::new());
    shops.close().await;
}

/// The same altered records are damage where this core is said to have decided them, and a newer core's are refused.
#[actix_rt::test]
async fn within_one_core_it_is_damage_and_a_newer_core_is_refused() {
    for (core, words) in [
        (CORE, "is decided otherwise now"),
        (CORE + 1, "use the newer program"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::begin(folder.path(), core);
        writer.open_shop();
        writer.opened("02:01:00", 1, &[assigned(1, "bo")]);
        writer.close().await;
        let shops = open(folder.path(), "02:04:00");
        let event = json!({ "type": "buyer.message", "session": "s1" }).to_string();
        let refused = shops.post(SHOP, &[event]).await.expect_err("refused");
        let (Unavailable::Damaged(what) | Unavailable::Stalled(what)) = refused else {
            panic!("{refused:?}");
        };
        assert!(what.contains(words), "{what}");
        shops.close().await;
    }
}

/// What `verify` tells of a tail is what a start finds.
#[test]
fn a_tail_can_be_checked_without_a_desk() {
    let id = Id::new(SHOP).expect("an id");
    let error = check_recovery(&id, None, &[]).expect_err("no shop");
    assert!(error.to_string().contains("no first record"), "{error}");
    let error = check_recovery(&id, Some(&[1, 2, 3]), &[]).expect_err("no state");
    assert!(error.to_string().contains("xiaoer verify"), "{error}");
    let mut newer = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/shop-1.bin"
    ))
    .expect("a shop");
    assert!(xiaoer::runtime::decode_state(&id, &newer).is_ok());
    newer[0] = 9;
    let error = xiaoer::runtime::decode_state(&id, &newer).expect_err("a newer form");
    assert!(
        error.to_string().contains("use the newer program"),
        "{error}"
    );
}

/// An export of records that two cores have decided says on standard error where the core changes; the trace replays.
#[actix_rt::test]
async fn an_export_marks_where_the_core_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = Writer::begin(folder.path(), 0);
    writer.open_shop();
    writer.opened("02:01:00", 1, &[assigned(1, "bo")]);
    writer.core = CORE;
    writer.opened("02:02:00", 2, &[assigned(2, "anna")]);
    writer.close().await;
    let run = |arguments: &[&str]| {
        let program = std::path::PathBuf::from(env!("CARGO_BIN_EXE_xiaoer"));
        let output = std::process::Command::new(program).args(arguments).output();
        let output = output.expect("xiaoer");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        assert!(output.status.success(), "{}", text(output.stderr));
        (text(output.stdout), text(output.stderr))
    };
    let data = folder.path().to_str().expect("a path");
    let (trace, told) = run(&["export", "--data", data]);
    assert_eq!(trace.lines().count(), 7);
    let changes =
        format!("lines from 7 on were decided by core {CORE}, the lines before by core 0.");
    for (words, count) in [
        ("lines from 1 on were decided by core 0.", 1),
        (&changes, 1),
        ("were decided by core", 2),
    ] {
        assert_eq!(told.matches(words).count(), count, "{told}");
    }
    let file = folder.path().join("trace.jsonl");
    std::fs::write(&file, &trace).expect("the trace");
    let file = file.to_str().expect("a path");
    let (decided, told) = run(&["replay", file]);
    assert_eq!((decided.lines().count(), told.as_str()), (2, ""));
    let (why, told) = run(&["why", file, "1", "--shop", SHOP, "--lang", "en"]);
    assert!(why.contains("anna") && told.is_empty(), "{why} {told}");
}
