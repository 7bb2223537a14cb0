//! What a release has stored must decode for ever: a backup of the first form is restored, verified, read and gone on
//! with. `XIAOER_GOLDEN=write cargo test --test golden` makes a new one, for a new form alone.

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use support::world::{SetClock, Shops, decisions, settings};
use xiaoer::domain::id::Id;
use xiaoer::domain::time::Instant;
use xiaoer::journal;

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
            shops.desk.sleep_all().await;
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
    journal::backup(&shops.journal, &mut file).expect("a backup");
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
    journal::restore(&mut file, &settings(&data)).expect("restored");
    let verified = journal::verify(&settings(&data), |_| {}).expect("a sound folder");
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
