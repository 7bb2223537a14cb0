//! Data of every release must decode for ever: a backup in the first form is restored, verified, read and continued.
//! `XIAOER_GOLDEN=write cargo test --test storage golden_folders::` makes a new one, only for a new form.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::deadline::Deadline;
use crate::support::world::{SetClock, Shops, decisions, settings};
use serde_json::{Value, json};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::protocol::codes::Presence;
use xiaoer::journal;
use xiaoer::runtime::PresenceRequest;
use xiaoer::webhooks::Subscription;
use xiaoer::webhooks::endpoint::EndpointChange;

const LONG: Duration = Duration::from_secs(600);

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/folder-1.backup")
}

/// Two shops that share buyers, one that was taken away, an event that was malformed, a timer, states and a rating.
async fn make(to: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let shops = Shops::open(folder.path(), &clock, LONG);
    let policy = json!({"preset":"standard","buyer_space":"one","invite":{"auto_quiet":"0s"}});
    for shop in ["east", "west", "gone"] {
        let made = [
            json!({"type":"shop.configured","policy":policy}).to_string(),
            json!({"type":"agent.configured","agent":"anna","name":"安娜","capacity":2})
                .to_string(),
            json!({"type":"agent.online","agent":"anna"}).to_string(),
        ];
        shops.post(shop, &made).await.expect("a shop");
    }
    shops
        .desk
        .delete(&Id::new("gone").expect("an id"))
        .await
        .expect("an answer");
    for (minute, shop) in ["east", "west", "east", "west"].into_iter().enumerate() {
        clock.set(
            Instant::parse(&format!("2026-11-11T02:{minute:02}:30.250Z")).expect("an instant"),
        );
        let session = format!("s{minute}");
        let events = [
            json!({"type":"session.opened","id":format!("o{minute}"),"session":session,"buyer":"老王"}).to_string(),
            json!({"type":"buyer.message","session":session,"text":"在吗"}).to_string(),
            json!({"type":"agent.message","session":session}).to_string(),
            json!({"type":"session.closed","session":session,"by":"agent"}).to_string(),
            json!({"type":"rating.submitted","session":session,"stars":2,"reasons":["attitude"],"comment":"慢"}).to_string(),
            json!({"type":"session.opened","buyer":"nobody"}).to_string(),
        ];
        shops.post(shop, &events).await.expect("an answer");
        if minute == 1 {
            shops.desk.passivate_all().await;
        }
    }
    for n in 0..3 {
        let event = json!({"type":"session.opened","session":format!("w{n}"),"buyer":format!("b{n}"),"entry":"live"});
        shops
            .post("east", &[event.to_string()])
            .await
            .expect("an answer");
    }
    shops.journal.checkpoint_now();
    let event = json!({"type":"agent.away","agent":"anna"}).to_string();
    shops.post("west", &[event]).await.expect("an answer");
    let mut file = std::fs::File::create(to).expect("a file");
    journal::backup(&shops.journal, &mut xiaoer::journal::no_files, &mut file).expect("a backup");
    shops.close().await;
}

#[actix_rt::test]
async fn a_folder_of_the_first_form_is_read_and_gone_on_with() {
    if std::env::var("XIAOER_GOLDEN").is_ok_and(|what| what == "write") {
        make(&golden()).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut file = std::fs::File::open(golden()).expect("the golden backup");
    journal::restore(
        &mut file,
        &settings(&data),
        &mut xiaoer::journal::Upgrade::plain(),
    )
    .expect("restored");
    let verified = journal::verify(&settings(&data), &mut xiaoer::journal::NoInspector)
        .expect("a sound folder");
    assert_eq!(
        (verified.shops, verified.records, verified.decisions),
        (2, 38, 23)
    );
    let clock = SetClock::at("2026-11-11T02:10:00Z");
    let shops = Shops::open(&data, &clock, LONG);
    let (east, west) = (
        Id::new("east").expect("an id"),
        Id::new("west").expect("an id"),
    );
    assert!(
        !shops
            .desk
            .exists(&Id::new("gone").expect("an id"))
            .await
            .expect("an answer")
    );
    let all = shops
        .desk
        .decisions(&east, 0, 500)
        .await
        .expect("a page")
        .items;
    let kinds: Vec<String> = all
        .iter()
        .map(|decision| {
            let decision: Value = serde_json::from_str(&decision.json).expect("JSON");
            decision["type"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    let visit = [
        "session.assigned",
        "session.closed",
        "invite.sent",
        "rating.recorded",
        "event.rejected",
    ];
    let second = visit.map(|kind| kind.replace("recorded", "refused"));
    let mut expected = visit.map(str::to_owned).to_vec();
    expected.extend(second);
    expected.extend(["session.assigned", "session.assigned", "session.queued"].map(str::to_owned));
    assert_eq!(without_invites(&kinds), without_invites(&expected));
    let why = shops
        .desk
        .why(&east, 1)
        .await
        .expect("an answer")
        .expect("it is kept");
    assert_eq!(why.decision.seq, 1);
    // A repeated id gets its first answer; a new event goes on from where it was.
    clock.set(Instant::parse("2026-11-11T02:10:00Z").expect("an instant"));
    let again =
        json!({"type":"session.opened","id":"o0","session":"s0","buyer":"老王"}).to_string();
    let answer = shops.post("east", &[again]).await.expect("an answer");
    assert_eq!(decisions(&answer[0])[0]["session"], "s0");
    let closed = json!({"type":"session.closed","session":"w0","by":"agent"}).to_string();
    let answer = shops.post("east", &[closed]).await.expect("an answer");
    let kinds: Vec<Value> = decisions(&answer[0])
        .iter()
        .map(|decision| decision["type"].clone())
        .collect();
    assert!(
        kinds.contains(&json!("session.closed")) && kinds.contains(&json!("session.assigned")),
        "{kinds:?}"
    );
    let rated = shops
        .desk
        .ratings(&west, None, 10, |_| true)
        .await
        .expect("a page");
    assert_eq!(rated.items.len(), 1);
    shops.close().await;
}

fn without_invites(kinds: &[String]) -> Vec<&str> {
    kinds
        .iter()
        .map(String::as_str)
        .filter(|kind| !kind.starts_with("invite."))
        .collect()
}

/// What other rooms keep beside a shop: a webhook with a message aside and one that holds the line, and a lease.
async fn make_kept(to: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let shops = Shops::open(folder.path(), &clock, LONG);
    let shop = Id::new("茶铺").expect("an id");
    let made = [
        json!({"type":"shop.configured","policy":{}}).to_string(),
        json!({"type":"agent.configured","agent":"anna","capacity":9}).to_string(),
    ];
    shops.post(&shop, &made).await.expect("a shop");
    let anna = Id::new("anna").expect("an id");
    let request = PresenceRequest {
        presence: Presence::Online,
        lease: Some(xiaoer::domain::base::time::Duration::from_ms(30_000)),
        back: false,
    };
    let here = shops.desk.set_presence(&shop, &anna, request);
    here.await.expect("she is here");
    let webhooks = shops.webhooks();
    let wanted = EndpointChange {
        // Nobody listens there.
        url: Some("http://127.0.0.1:1/".to_owned()),
        types: Some(Some(vec!["session.assigned".to_owned()])),
        batch: Some(Some(2)),
        ..EndpointChange::default()
    };
    let (post, _) = webhooks.add(&shop, wanted, 0).await.expect("a webhook");
    for n in 0..3 {
        let event =
            json!({"type":"session.opened","session":format!("s{n}"),"buyer":format!("b{n}")});
        let answer = shops.post(&shop, &[event.to_string()]).await;
        answer.expect("an answer");
    }
    let mut now_ms = Instant::parse("2026-11-11T02:00:00Z").expect("one").ms();
    let aside = Deadline::seconds(20).poll(|| {
        now_ms += 1_000;
        clock.set(Instant::from_ms(now_ms));
        webhooks.wake_workers();
        let inner = post.inner();
        let held = inner.outbox.cursor().blocking.as_ref();
        let holds = held.is_some_and(|held| held.attempts == 1 && held.range.from > 1);
        (holds && inner.outbox.counts() == (2, 0)).then_some(())
    });
    aside.expect("one aside, and one that holds the line");
    webhooks.close().await;
    let mut file = std::fs::File::create(to).expect("a file");
    journal::backup(&shops.journal, &mut xiaoer::journal::no_files, &mut file).expect("a backup");
    shops.close().await;
}

#[actix_rt::test]
async fn what_other_rooms_kept_in_the_first_form_is_read_and_gone_on_with() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kept-1.backup");
    if std::env::var("XIAOER_GOLDEN").is_ok_and(|what| what == "write") {
        make_kept(&golden).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut file = std::fs::File::open(golden).expect("the golden backup");
    journal::restore(
        &mut file,
        &settings(&data),
        &mut xiaoer::journal::Upgrade::plain(),
    )
    .expect("restored");
    journal::verify(&settings(&data), &mut xiaoer::journal::NoInspector).expect("a sound folder");
    let clock = SetClock::at("2026-11-11T02:30:00Z");
    let shops = Shops::open(&data, &clock, LONG);
    let shop = Id::new("茶铺").expect("an id");
    let mut leases = Vec::new();
    let mut take = |kept: journal::MetadataEntry| {
        if kept.name.starts_with("lease/") {
            leases.push((kept.name, String::from_utf8(kept.value).expect("text")));
        }
    };
    shops.desk.each_metadata(&mut take).expect("what is kept");
    assert_eq!(
        leases,
        [("lease/anna".to_owned(), "{\"ms\":30000}".to_owned())]
    );
    let webhooks = shops.webhooks();
    let posts = webhooks.list(&shop);
    assert_eq!(posts.len(), 1);
    hold_post(&posts[0], shops.desk.now());
    webhooks.close().await;
    shops.close().await;
}

fn hold_post(post: &Subscription, now: Instant) {
    let inner = post.inner();
    let endpoint = &inner.endpoint;
    assert_eq!(endpoint.url, "http://127.0.0.1:1/");
    assert_eq!(endpoint.types, Some(vec!["session.assigned".to_owned()]));
    assert_eq!((endpoint.batch, endpoint.is_on()), (Some(2), true));
    assert_eq!(endpoint.secrets(now).len(), 1);
    let mut ranges: Vec<(u64, u64)> = inner
        .outbox
        .failed_messages()
        .map(|of| (of.range.from, of.range.to))
        .collect();
    ranges.sort_unstable();
    assert_eq!(ranges, [(1, 1), (2, 3)]);
    assert!(inner.outbox.cursor().failing_since.is_some());
}
