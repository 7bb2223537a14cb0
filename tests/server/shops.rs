//! The runtime without HTTP: shops as actors over a journal. Their decisions equal those of a replay, acknowledged
//! decisions survive, and each shop is loaded, passivated and recovered independently.

use std::time::Duration;

use crate::support::compare::first_difference;
use crate::support::player::Player;
use crate::support::shared::shared;
use crate::support::world::{SetClock, Shops, decisions, settings};
use serde_json::{Value, json};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::env::Env;
use xiaoer::journal::{Embedded, Journal, NewRecord, NoInspector, NoObserver, RecordKind, verify};
use xiaoer::runtime::Unavailable;

const LONG: Duration = Duration::from_secs(600);

fn shop_of(line: &str) -> Option<String> {
    let value: Value = serde_json::from_str(line).ok()?;
    match value.get("shop") {
        None | Some(Value::Null) => Some("default".to_owned()),
        Some(Value::String(shop)) => Some(shop.clone()),
        Some(_) => None,
    }
}

/// Plays a trace through the desk, and again after the folder was closed and opened `restarts` times on the way.
async fn through_the_desk(trace: &str, restarts: usize) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-01-01T00:00:00Z");
    let mut shops = Shops::open(folder.path(), &clock, LONG);
    let mut decided = Vec::new();
    let lines: Vec<&str> = trace
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    for (index, line) in lines.iter().enumerate() {
        if restarts > 0 && index > 0 && index % lines.len().div_ceil(restarts + 1) == 0 {
            shops.close().await;
            shops = Shops::open(folder.path(), &clock, LONG);
        }
        let Some(shop) = shop_of(line) else { continue };
        let answered = shops
            .post(&shop, &[(*line).to_owned()])
            .await
            .expect("an answer");
        // A repeated event is answered again over HTTP; a replay writes nothing.
        let repeated = answered
            .iter()
            .all(|a| a.rejected.is_none() && a.id.is_some())
            && lines[..index].iter().any(|earlier| earlier == line);
        if !repeated {
            decided.extend(answered.iter().filter(|a| !a.conflict).flat_map(decisions));
        }
    }
    shops.close().await;
    decided
}

#[actix_rt::test]
async fn every_scenario_comes_to_the_same_through_the_desk_and_across_restarts() {
    let Some(folder) = shared("conformance-2") else {
        println!("conformance scenarios not found: this test is skipped");
        return;
    };
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("a readable folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".expected.jsonl"))
        .collect();
    names.sort();
    for name in names {
        let name = name.trim_end_matches(".expected.jsonl");
        let read = |file: String| std::fs::read_to_string(folder.join(file)).expect("a file");
        let trace = read(format!("{name}.jsonl"));
        let expected = read(format!("{name}.expected.jsonl"));
        let expected: Vec<Value> = expected
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        for restarts in [0, 3] {
            let decided = through_the_desk(&trace, restarts).await;
            if let Some(difference) = first_difference(&expected, &decided) {
                panic!("{name} with {restarts} restarts: {difference}");
            }
        }
    }
}

fn configured() -> Vec<String> {
    vec![
        json!({"type":"shop.configured","policy":{"preset":"standard"}}).to_string(),
        json!({"type":"agent.configured","agent":"anna","capacity":2}).to_string(),
        json!({"type":"agent.online","agent":"anna"}).to_string(),
    ]
}

#[actix_rt::test]
async fn a_repeated_event_is_answered_the_same_across_a_restart_and_another_body_is_a_conflict() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let shops = Shops::open(folder.path(), &clock, LONG);
    shops.post("s", &configured()).await.expect("a shop");
    let opened = json!({"type":"session.opened","id":"e1","session":"s1","buyer":"b1"}).to_string();
    let message =
        json!({"type":"buyer.message","id":"e2","session":"s1","text":"在吗"}).to_string();
    let both = [opened.clone(), message.clone()];
    let first = shops.post("s", &both).await.expect("an answer");
    assert_eq!(decisions(&first[0])[0]["agent"], "anna");
    assert_eq!(shops.post("s", &both).await.expect("an answer"), first);
    shops.close().await;

    clock.set(Instant::parse("2026-11-11T02:01:00Z").expect("an instant"));
    let shops = Shops::open(folder.path(), &clock, LONG);
    assert_eq!(shops.post("s", &both).await.expect("an answer"), first);
    let other = message.replace("在吗", "在不在");
    let answer = shops.post("s", &[other]).await.expect("an answer");
    assert!(answer[0].conflict);
    assert_eq!(answer[0].decisions, "[]");
    shops.close().await;
}

#[actix_rt::test]
async fn a_shop_that_is_taken_away_begins_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let shops = Shops::open(folder.path(), &clock, LONG);
    let shop = Id::new("s").expect("an id");
    shops.post("s", &configured()).await.expect("a shop");
    let opened = json!({"type":"session.opened","session":"s1","buyer":"b1"}).to_string();
    shops
        .post("s", std::slice::from_ref(&opened))
        .await
        .expect("an answer");
    assert!(shops.desk.delete(&shop).await.expect("an answer"));
    assert!(!shops.desk.delete(&shop).await.expect("an answer"));
    assert!(!shops.desk.exists(&shop).await.expect("an answer"));
    let answer = shops
        .post("s", std::slice::from_ref(&opened))
        .await
        .expect("an answer");
    assert_eq!(decisions(&answer[0])[0]["error"], "shop_unknown");
    shops.post("s", &configured()).await.expect("a shop");
    let answer = shops.post("s", &[opened]).await.expect("an answer");
    assert_eq!(decisions(&answer[0])[0]["seq"], 1);
    shops.close().await;
    let shops = Shops::open(folder.path(), &clock, LONG);
    let page = shops.desk.decisions(&shop, 0, 10).await.expect("a page");
    assert_eq!(page.items.len(), 1);
    shops.close().await;
    xiaoer::journal::verify(
        &crate::support::world::settings(folder.path()),
        &mut xiaoer::journal::NoInspector,
    )
    .expect("a sound folder");
}

#[actix_rt::test]
async fn a_shop_that_panics_comes_back_and_the_others_do_not_notice() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let shops = Shops::open(folder.path(), &clock, LONG);
    for shop in ["good", "bad"] {
        shops.post(shop, &configured()).await.expect("a shop");
    }
    *shops.planted.word.lock().expect("a lock") = Some("poison".to_owned());
    let open = |n: usize| {
        json!({"type":"session.opened","session":format!("s{n}"),"buyer":format!("b{n}")})
            .to_string()
    };
    let poison = json!({"type":"session.opened","session":"poison","buyer":"poison"}).to_string();
    for n in 0..50 {
        let (one, two) = ([open(n)], [open(n)]);
        let (good, bad) = (shops.post("good", &one), shops.post("bad", &two));
        let poisoned = [poison.clone()];
        let poisoned = shops.post("bad", &poisoned);
        let (good, bad, poisoned) = futures_util::future::join3(good, bad, poisoned).await;
        assert_eq!(decisions(&good.expect("an answer")[0]).len(), 1);
        assert_eq!(decisions(&bad.expect("an answer")[0]).len(), 1);
        assert_eq!(poisoned, Err(xiaoer::runtime::Unavailable::Broken));
    }
    assert_eq!(
        shops.seen.panics.load(std::sync::atomic::Ordering::SeqCst),
        50
    );
    let (good, bad) = (
        Id::new("good").expect("an id"),
        Id::new("bad").expect("an id"),
    );
    let plain = |page: xiaoer::runtime::ListPage<xiaoer::runtime::StoredDecision>| {
        page.items
            .iter()
            .map(|d| d.json.replace("\"bad\"", "\"good\""))
            .collect::<Vec<_>>()
    };
    let good = plain(shops.desk.decisions(&good, 0, 500).await.expect("a page"));
    let bad = plain(shops.desk.decisions(&bad, 0, 500).await.expect("a page"));
    assert_eq!(good, bad);
    shops.close().await;
}

#[actix_rt::test]
async fn a_shop_sleeps_when_nobody_asks_and_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    // It sleeps as soon as it has answered; no timer of the session is near.
    let shops = Shops::open(folder.path(), &clock, Duration::ZERO);
    let mut player = Player::default();
    let at = |n: u64| format!("2026-11-11T02:{:02}:{:02}Z", n / 60, n % 60);
    let mut expected = Vec::new();
    let mut decided = Vec::new();
    let mut lines = configured();
    for n in 0..40 {
        lines.push(
            json!({"type":"session.opened","session":format!("s{n}"),"buyer":"b"}).to_string(),
        );
        lines.push(
            json!({"type":"session.closed","session":format!("s{n}"),"by":"agent"}).to_string(),
        );
    }
    for (n, line) in lines.iter().enumerate() {
        let mut event: Value = serde_json::from_str(line).expect("JSON");
        event["at"] = json!(at(n as u64));
        let line = event.to_string();
        expected.extend(player.play(&line).written());
        let answered = shops.post("default", &[line]).await.expect("an answer");
        decided.extend(answered.iter().flat_map(decisions));
        // Let the actor go to sleep.
        actix_rt::task::yield_now().await;
    }
    if let Some(difference) = first_difference(&expected, &decided) {
        panic!("{difference}");
    }
    shops.close().await;
}

/// A repeated `id` whose record retention has dropped is answered as forgotten, and the events beside it as usual.
#[actix_rt::test]
async fn an_answer_that_retention_has_dropped_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let mut settings = crate::support::world::settings(folder.path());
    settings.retention_ms = 3_600_000;
    let shops = Shops::open_with(&settings, &clock, LONG);
    shops.post("s", &configured()).await.expect("a shop");
    let opened = |n: u32| {
        json!({"type":"session.opened","id":format!("o{n}"),"session":format!("s{n}"),"buyer":format!("b{n}")})
            .to_string()
    };
    let silent = json!({"type":"buyer.flagged","id":"f1","buyer":"b1","risk":false}).to_string();
    let first = shops.post("s", &[opened(1), silent.clone()]).await;
    let first = first.expect("an answer");
    assert_eq!(decisions(&first[0])[0]["agent"], "anna");
    shops.drop_records().await;
    let left = shops
        .desk
        .decisions(&Id::new("s").expect("an id"), 0, 10)
        .await;
    assert_eq!(left.expect("a page").items, []);

    let both = [opened(2), opened(1), silent, opened(3)];
    let answered = shops.post("s", &both).await.expect("an answer");
    let forgotten: Vec<bool> = answered.iter().map(|of| of.forgotten).collect();
    // Of one that decided nothing there is nothing to forget.
    assert_eq!(forgotten, [false, true, false, false]);
    assert_eq!(answered[1].decisions, "[]");
    assert_eq!(answered[1].id.as_deref(), Some("o1"));
    assert_eq!((&answered[1].refused, answered[1].conflict), (&None, false));
    assert_eq!(answered[2], first[1]);
    assert_eq!(decisions(&answered[0])[0]["type"], "session.assigned");
    assert_eq!(decisions(&answered[3])[0]["type"], "session.queued");
    // Another body is a conflict all the same, and what is still kept is answered as it was.
    let other = opened(1).replace("b1", "b9");
    let again = shops
        .post("s", &[other, opened(2)])
        .await
        .expect("an answer");
    assert!(again[0].conflict && !again[0].forgotten);
    assert_eq!(again[1], answered[0]);
    shops.close().await;
}

#[actix_rt::test]
async fn a_shop_of_a_clock_that_ran_past_all_years_is_read_and_takes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let shops = Shops::open(folder.path(), &clock, LONG);
    shops.post("s", &configured()).await.expect("a shop");
    shops.close().await;
    // As release 0.1 did it, whose own clock said 2106.
    let (shop, late) = (Id::new("s").expect("an id"), 4_294_967_296_000);
    let opened = Embedded::open(&settings(folder.path()), &Env::real(), Box::new(NoObserver));
    let Ok(opened) = opened else {
        panic!("the folder does not open");
    };
    let journal = opened.journal;
    let claimed = journal.claim(&shop).expect("a claim").expect("a shop");
    let state = claimed.state.expect("a state");
    let entry = NewRecord {
        shop: &shop,
        kind: RecordKind::Event,
        core: xiaoer::domain::CORE,
        n: state.n + 1,
        at: Instant::from_ms(late),
        due: None,
        seq_before: state.seq,
        decided: 0,
        text: r#"{"type":"clock"}"#,
        decisions: "[]",
        claims: &[],
        booked: &[],
        rated: false,
    };
    journal
        .append(claimed.owner, &entry, None)
        .expect("it is the next");
    drop(journal);
    let seq = state.seq;
    // It comes up from that record, and then from the state that it stores.
    for life in 0..2 {
        let shops = Shops::open(folder.path(), &clock, LONG);
        let now = shops.desk.read(&shop, |shop| (shop.now().ms(), shop.seq()));
        assert_eq!(now.await, Ok((late, seq)), "life {life}");
        for event in [
            json!({ "type": "clock" }),
            json!({ "type": "agent.offline", "agent": "a", "at": "2026-11-11T02:00:00Z" }),
        ] {
            let refused = shops.post("s", &[event.to_string()]).await;
            let Err(Unavailable::Damaged(why)) = refused else {
                panic!("{event} was taken: {refused:?}");
            };
            assert!(
                why.contains("2106-02-07") && why.contains("`DELETE`"),
                "{why}"
            );
        }
        // Others are not concerned.
        let other = format!("other{life}");
        shops.post(&other, &configured()).await.expect("a shop");
        if life == 1 {
            assert_eq!(shops.desk.delete(&shop).await, Ok(true));
            shops.post("s", &configured()).await.expect("a new shop");
        }
        shops.close().await;
    }
    verify(&settings(folder.path()), &mut NoInspector).expect("a sound folder");
}
