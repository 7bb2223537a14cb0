//! The journal under the runtime: its content is a trace that decides the same in every order of threads. It stays
//! small, opens quickly, and can be copied while it is in use.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::support::deadline::Deadline;
use crate::support::player::Player;
use crate::support::shared::shared;
use crate::support::world::{SetClock, Shops, decisions, settings};
use serde_json::{Value, json};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::env::{Env, FailStop};
use xiaoer::journal::{self, Embedded, Journal, NoObserver, RecordKind};
use xiaoer::runtime::trace_line;

const LONG: Duration = Duration::from_secs(600);

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

/// Replays what a folder's journal exports, and holds it against what was answered, byte for byte.
fn exports_what_was_decided(folder: &Path) -> usize {
    let (mut player, mut records) = (Player::default(), 0);
    journal::each_record(&settings(folder), |shop, record| {
        let line = trace_line(shop, &record)?;
        let played = player.play(&line);
        let written: Vec<String> = played
            .decisions
            .iter()
            .map(|decision| {
                serde_json::to_string(&xiaoer::wire::WrittenDecision::new(shop, decision))
                    .expect("JSON")
            })
            .collect();
        assert_eq!(
            format!("[{}]", written.join(",")),
            record.decisions,
            "{line}"
        );
        records += 1;
        Ok(())
    })
    .expect("a sound folder");
    records
}

#[actix_rt::test]
async fn both_real_traces_export_as_they_were_decided() {
    let Some(data) = shared("data") else {
        println!("the traces of real desks not found: this test is skipped");
        return;
    };
    for name in ["callcentre-day.jsonl", "livechat-february.jsonl"] {
        let trace = std::fs::read_to_string(data.join(name)).expect("a trace");
        let folder = tempfile::tempdir().expect("a folder");
        // Before the trace: no timer fires but with its events.
        let clock = SetClock::at("2000-01-01T00:00:00Z");
        let shops = Shops::open(folder.path(), &clock, LONG);
        let lines: Vec<String> = trace.lines().map(str::to_owned).collect();
        let mut player = Player::default();
        for lines in lines.chunks(1000) {
            let answered = shops.post("default", lines).await.expect("an answer");
            for (line, answered) in lines.iter().zip(answered) {
                assert_eq!(player.play(line).written(), decisions(&answered));
            }
        }
        shops.close().await;
        assert_eq!(exports_what_was_decided(folder.path()), lines.len());
        let verified = journal::verify(&settings(folder.path()), &mut xiaoer::journal::NoInspector)
            .expect("a sound folder");
        assert_eq!(verified.records, lines.len() as u64);
        assert!(
            verified.states > 1,
            "older states are kept, to explain from"
        );
    }
}

/// One shop's day of closing sessions of buyers that all shops share.
async fn close_sessions(shops: Arc<Shops>, shop: &'static str, rounds: usize) -> Vec<Value> {
    let mut decided = Vec::new();
    for round in 0..rounds {
        let session = format!("{shop}-{round}");
        let buyer = format!("b{}", round % 50);
        let events = [
            json!({"type":"session.opened","session":session,"buyer":buyer}).to_string(),
            json!({"type":"agent.message","session":session}).to_string(),
            json!({"type":"session.closed","session":session,"by":"agent"}).to_string(),
        ];
        let answered = shops.post(shop, &events).await.expect("an answer");
        decided.extend(answered.iter().flat_map(decisions));
    }
    decided
}

#[test]
fn i12_holds_in_races_of_shops_on_different_threads_and_replays_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let system = actix_rt::System::new();
    let path = folder.path().to_owned();
    let decided = system.block_on(async move {
        let clock = SetClock::at("2026-11-11T02:00:00Z");
        let shops = Arc::new(Shops::open(&path, &clock, LONG));
        let names = ["east", "west", "south"];
        for shop in names {
            let policy = json!({
                "preset": "standard", "buyer_space": "one",
                "invite": {"shops_per_buyer_day": 1, "auto_quiet": "0s"}
            });
            let made = [
                json!({"type":"shop.configured","policy":policy}).to_string(),
                json!({"type":"agent.configured","agent":"a","capacity":1000}).to_string(),
                json!({"type":"agent.online","agent":"a"}).to_string(),
            ];
            // Each shop lives on a thread of its own, where it is asked for the first time.
            shops.post(shop, &made[..0]).await.expect("an answer");
            let home = actix_rt::Arbiter::new();
            let (there, back) = tokio::sync::oneshot::channel();
            let of_shop = Arc::clone(&shops);
            home.spawn(async move {
                of_shop.post(shop, &made).await.expect("a shop");
                there.send(()).ok();
            });
            back.await.expect("a shop");
        }
        let all = names.map(|shop| {
            let home = actix_rt::Arbiter::new();
            let (there, back) = tokio::sync::oneshot::channel();
            let of_shop = Arc::clone(&shops);
            home.spawn(async move {
                there.send(close_sessions(of_shop, shop, 1000).await).ok();
            });
            back
        });
        let mut decided = Vec::new();
        for back in all {
            decided.extend(back.await.expect("decisions"));
        }
        shops.desk.close().await;
        decided
    });
    drop(system);
    // However the threads raced, each buyer was asked by one shop alone.
    let mut asked = std::collections::BTreeMap::new();
    for decision in decided
        .iter()
        .filter(|decision| decision["type"] == "invite.sent")
    {
        let buyer = decision["buyer"].to_string();
        let shops: &mut std::collections::BTreeSet<String> = asked.entry(buyer).or_default();
        shops.insert(decision["shop"].to_string());
    }
    assert_eq!(asked.len(), 50);
    assert!(asked.values().all(|shops| shops.len() == 1), "{asked:?}");
    let winners: std::collections::BTreeSet<_> = asked.values().flatten().collect();
    println!("{} of 3 shops won a buyer", winners.len());
    exports_what_was_decided(folder.path());
}

/// Appends records of one shop straight to a journal.
fn append(
    journal: &Embedded,
    owner: journal::FencingToken,
    shop: &Id,
    ns: std::ops::Range<u64>,
    at_ms: i64,
) {
    let (sent, done) = std::sync::mpsc::sync_channel(1);
    let last = ns.end - 1;
    for n in ns {
        let entry = journal::NewRecord {
            shop,
            kind: if n == 1 {
                RecordKind::Created
            } else {
                RecordKind::Event
            },
            core: xiaoer::domain::CORE,
            n,
            at: Instant::from_ms(at_ms),
            due: None,
            seq_before: n - 1,
            decided: 1,
            text: r#"{"type":"clock"}"#,
            decisions: &format!("[{{\"n\":{n},\"pad\":\"{}\"}}]", "x".repeat(100)),
            claims: &[],
            booked: &[],
            rated: n.is_multiple_of(10),
        };
        let sent = sent.clone();
        let done: Option<journal::OnDurable> = (n == last).then(|| {
            Box::new(move || sent.send(()).expect("a test that waits")) as journal::OnDurable
        });
        journal.append(owner, &entry, done).expect("the owner");
    }
    done.recv().expect("durable");
}

fn open(folder: &Path, retention_ms: i64) -> Embedded {
    let mut settings = settings(folder);
    settings.retention_ms = retention_ms;
    match Embedded::open(&settings, &Env::real(), Box::new(NoObserver)) {
        Ok(opened) => {
            // A ledger of which nothing is known but that it is there.
            opened.journal.set_ledger_source(Box::new(|| vec![0]));
            opened.journal
        }
        Err(error) => panic!("the folder does not open: {error}"),
    }
}

#[test]
fn an_owner_of_before_is_fenced_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = open(folder.path(), 0);
    let shop = id("s");
    let first = journal.create(&shop);
    append(&journal, first, &shop, 1..3, 1_000);
    let second = journal
        .claim(&shop)
        .expect("a claim")
        .expect("a shop")
        .owner;
    let entry = |n| journal::NewRecord {
        shop: &shop,
        kind: RecordKind::Event,
        core: xiaoer::domain::CORE,
        n,
        at: Instant::from_ms(2_000),
        due: None,
        seq_before: n - 1,
        decided: 1,
        text: "{}",
        decisions: "[{}]",
        claims: &[],
        booked: &[],
        rated: false,
    };
    assert_eq!(journal.append(first, &entry(3), None), Err(journal::Fenced));
    assert_eq!(
        journal.append(second, &entry(4), None),
        Err(journal::Fenced)
    );
    assert_eq!(journal.append(second, &entry(3), None), Ok(3));
}

/// Puts a state of a shop, and waits until it is durable.
fn put(journal: &Embedded, owner: journal::FencingToken, shop: &Id, n: u64, next: u64) {
    let state = journal::Snapshot {
        n,
        seq: n,
        bytes: vec![7; 1000],
    };
    journal.put_snapshot(owner, state, None);
    // It is written with the next record.
    append(journal, owner, shop, next..next + 1, 1_000);
}

/// Every record is found by its `seq`, and by what came before it.
fn finds_all(journal: &Embedded, shop: &Id, last: u64) {
    for seq in 1..=last {
        let slice = journal.read(shop, seq, 2).expect("a read").expect("a shop");
        assert_eq!(slice.records[0].seq_before + 1, seq);
        journal
            .before(shop, seq)
            .expect("a read")
            .expect("it is kept");
    }
    let rated = journal
        .rated(shop, u64::MAX - 1, 3)
        .expect("a read")
        .expect("a shop");
    let ns: Vec<u64> = rated.records.iter().map(|record| record.n).collect();
    let newest = last / 10 * 10;
    let expected: Vec<u64> = (1..=newest / 10)
        .rev()
        .take(3)
        .map(|ten| ten * 10)
        .collect();
    assert_eq!(ns, expected, "{last} records");
}

/// A server that is killed has put into the index what the next one reads again: found is all of it, once.
#[test]
fn reading_finds_every_record_after_kills_between_states() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = id("s");
    let mut data = folder.path().join("0");
    let mut journal = open(&data, 0);
    let mut owner = journal.create(&shop);
    append(&journal, owner, &shop, 1..5, 1_000);
    let mut next = 5;
    for life in 1..5 {
        for _ in 0..3 {
            put(&journal, owner, &shop, next - 1, next);
            append(&journal, owner, &shop, next + 1..next + 7, 1_000);
            next += 7;
            finds_all(&journal, &shop, next - 1);
        }
        // What a kill leaves is what there is now.
        let copy = folder.path().join(life.to_string());
        crate::support::files::copy_folder(&data, &copy);
        drop(journal);
        data = copy;
        journal = open(&data, 0);
        finds_all(&journal, &shop, next - 1);
        owner = journal
            .claim(&shop)
            .expect("a claim")
            .expect("a shop")
            .owner;
    }
    drop(journal);
    journal::verify(&settings(&data), &mut xiaoer::journal::NoInspector).expect("a sound folder");
}

#[test]
fn reading_finds_every_record_by_its_seq_across_checkpoints_and_states() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = id("s");
    let mut journal = open(folder.path(), 0);
    let mut owner = journal.create(&shop);
    let mut next = 1;
    for round in 0..6 {
        append(&journal, owner, &shop, next..next + 700, 1_000);
        next += 700;
        if round % 2 == 0 {
            let state = journal::Snapshot {
                n: next - 1 - 100,
                seq: next - 1 - 100,
                bytes: vec![7; 100_000],
            };
            journal.put_snapshot(owner, state, None);
        }
        // Closing takes a checkpoint.
        drop(journal);
        journal = open(folder.path(), 0);
        let claimed = journal.claim(&shop).expect("a claim").expect("a shop");
        let state_n = claimed.state.as_ref().map_or(0, |state| state.n);
        let ns: Vec<u64> = claimed.tail.iter().map(|record| record.n).collect();
        assert_eq!(ns, (state_n + 1..next).collect::<Vec<_>>());
        owner = claimed.owner;
        for seq in [1, 2, 650, 699, 700, 701, next - 2, next - 1]
            .into_iter()
            .filter(|&seq| seq < next)
        {
            let slice = journal
                .read(&shop, seq, 5)
                .expect("a read")
                .expect("a shop");
            assert_eq!(slice.records[0].seq_before + 1, seq, "round {round}");
            assert_eq!(slice.more, seq + 5 < next);
            let basis = journal
                .before(&shop, seq)
                .expect("a read")
                .expect("it is kept");
            let from = basis.state.map_or(0, |state| state.n);
            assert!(from < seq && basis.records.len() as u64 == seq - from);
        }
        let rated = journal
            .rated(&shop, u64::MAX - 1, 3)
            .expect("a read")
            .expect("a shop");
        let ns: Vec<u64> = rated.records.iter().map(|record| record.n).collect();
        let newest = (next - 1) / 10 * 10;
        assert_eq!(ns, [newest, newest - 10, newest - 20]);
        assert!(rated.more);
    }
    drop(journal);
    journal::verify(&settings(folder.path()), &mut xiaoer::journal::NoInspector)
        .expect("a sound folder");
}

#[test]
fn what_is_older_than_the_retention_goes_once_no_shop_needs_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (kept, gone) = (id("kept"), id("gone"));
    let day_ms = 86_400_000;
    let long_ago = Env::real().clock.now().ms() - 100 * day_ms;
    let journal = open(folder.path(), 0);
    for (shop, stored) in [(&gone, true), (&kept, false)] {
        let owner = journal.create(shop);
        append(&journal, owner, shop, 1..2001, long_ago);
        if stored {
            let state = journal::Snapshot {
                n: 2000,
                seq: 2000,
                bytes: vec![1; 10],
            };
            journal.put_snapshot(owner, state, None);
        }
    }
    drop(journal);
    let trimmed = open(folder.path(), 9 * day_ms);
    // By the wall clock all of it is old, and by the journal's own end nothing is.
    trimmed.checkpoint_now();
    let first = trimmed.read(&gone, 1, 10).expect("a read").expect("a shop");
    assert_eq!(first.records.first().map(|record| record.n), Some(1));
    let today = id("today");
    let owner = trimmed.create(&today);
    append(&trimmed, owner, &today, 1..2, long_ago + 10 * day_ms);
    trimmed.checkpoint_now();
    let first = trimmed.read(&gone, 1, 10).expect("a read").expect("a shop");
    // Blocks go whole: the one that the other shop begins in stays.
    assert!(
        first.records.first().is_none_or(|record| record.n > 1900),
        "{:?}",
        first.records.first()
    );
    let claimed = trimmed.claim(&kept).expect("a claim").expect("a shop");
    assert_eq!(claimed.tail.len(), 2000);
    let claimed = trimmed.claim(&gone).expect("a claim").expect("a shop");
    assert_eq!(
        (claimed.state.map(|state| state.n), claimed.tail.len()),
        (Some(2000), 0)
    );
    append(&trimmed, claimed.owner, &gone, 2001..2010, long_ago);
    assert!(trimmed.before(&gone, 5).expect("a read").is_none());
    drop(trimmed);
    journal::verify(&settings(folder.path()), &mut xiaoer::journal::NoInspector)
        .expect("a sound folder");
}

#[test]
fn small_commits_are_merged_into_few_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = id("s");
    let journal = open(folder.path(), 0);
    let owner = journal.create(&shop);
    for n in 1..400 {
        append(&journal, owner, &shop, n..n + 1, 1_000);
    }
    assert_eq!(journal.blocks().expect("a count"), 399);
    journal.checkpoint_now();
    let blocks = journal.blocks().expect("a count");
    assert!(blocks <= 6, "{blocks} blocks of 399 records");
    let slice = journal
        .read(&shop, 1, 1000)
        .expect("a read")
        .expect("a shop");
    assert_eq!(slice.records.len(), 399);
}

#[actix_rt::test]
async fn a_backup_that_is_taken_under_load_restores_to_what_was_answered_before_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let shops = Arc::new(Shops::open(
        &folder.path().join("data"),
        &clock,
        Duration::ZERO,
    ));
    let made = [
        json!({"type":"shop.configured","policy":{}}).to_string(),
        json!({"type":"agent.configured","agent":"a","capacity":1000}).to_string(),
        json!({"type":"agent.online","agent":"a"}).to_string(),
    ];
    let names = ["one", "two"];
    for shop in names {
        shops.post(shop, &made).await.expect("a shop");
    }
    let before = close_sessions(Arc::clone(&shops), "one", 200).await;
    let journal = Arc::clone(&shops.journal);
    let path = folder.path().join("copy");
    let to = path.clone();
    let copying = actix_rt::task::spawn_blocking(move || {
        let mut file = std::fs::File::create(to).expect("a file");
        journal::backup(&journal, &mut xiaoer::journal::no_files, &mut file).expect("a backup");
    });
    close_sessions(Arc::clone(&shops), "two", 200).await;
    copying.await.expect("a backup");
    // Once more, with states that came after the last record.
    shops.desk.close().await;
    let mut number = 0;
    let found = Deadline::seconds(60).poll(|| {
        number += 1;
        let mut last = Vec::new();
        journal::backup(&shops.journal, &mut xiaoer::journal::no_files, &mut last)
            .expect("a backup");
        let whole = settings(&folder.path().join(format!("whole-{number}")));
        let mut upgrade = xiaoer::journal::Upgrade::plain();
        journal::restore(&mut last.as_slice(), &whole, &mut upgrade).expect("restored");
        let verified = journal::verify(&whole, &mut xiaoer::journal::NoInspector);
        let verified = verified.expect("a sound folder");
        // A state waits for the next commit.
        ((verified.shops, verified.states) == (2, 2)).then_some(())
    });
    assert!(found.is_some(), "the states are in no backup");
    let restored = folder.path().join("restored");
    let mut file = std::fs::File::open(&path).expect("a backup");
    journal::restore(
        &mut file,
        &settings(&restored),
        &mut xiaoer::journal::Upgrade::plain(),
    )
    .expect("restored");
    journal::verify(&settings(&restored), &mut xiaoer::journal::NoInspector)
        .expect("a sound folder");
    exports_what_was_decided(&restored);
    let again = Shops::open(&restored, &clock, LONG);
    let page = again
        .desk
        .decisions(&id("one"), 0, 5000)
        .await
        .expect("decisions");
    let kept: Vec<Value> = page
        .items
        .iter()
        .map(|decision| serde_json::from_str(&decision.json).expect("JSON"))
        .collect();
    assert_eq!(kept, before);
    // A backup that is cut off, or changed by a bit, is refused.
    let bytes = std::fs::read(&path).expect("a backup");
    for cut in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        let mut half = &bytes[..cut];
        assert!(journal::check_backup(&mut half).is_err(), "cut at {cut}");
    }
    for place in (30..bytes.len()).step_by(bytes.len() / 97) {
        let mut bent = bytes.clone();
        bent[place] ^= 4;
        assert!(
            journal::check_backup(&mut bent.as_slice()).is_err(),
            "bent at {place}"
        );
    }
}

#[test]
fn what_was_booked_is_known_after_a_command_that_only_opens_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let opened =
        || match Embedded::open(&settings(folder.path()), &Env::real(), Box::new(NoObserver)) {
            Ok(opened) => opened,
            Err(error) => panic!("the folder does not open: {error}"),
        };
    let journal = opened().journal;
    let shop = id("s");
    let owner = journal.create(&shop);
    let booked = [journal::Booked {
        space: id("space"),
        buyer: id("buyer"),
        at: Instant::from_ms(1_000),
    }];
    let entry = journal::NewRecord {
        shop: &shop,
        kind: RecordKind::Created,
        core: xiaoer::domain::CORE,
        n: 1,
        at: Instant::from_ms(1_000),
        due: None,
        seq_before: 0,
        decided: 0,
        text: "{}",
        decisions: "[]",
        claims: &[0],
        booked: &booked,
        rated: false,
    };
    journal.append(owner, &entry, None).expect("the owner");
    drop(journal);
    for _ in 0..2 {
        // Nobody gives the ledger's state here either.
        assert_eq!(opened().booked, [(shop.clone(), booked[0].clone())]);
    }
}

/// A fail_stop that is written down; who asked for it never goes on.
struct Told(std::sync::mpsc::SyncSender<String>);

impl FailStop for Told {
    fn stop(&self, why: &str) -> ! {
        let _ = self.0.send(why.to_owned());
        loop {
            std::thread::park();
        }
    }
}

#[test]
fn a_thread_of_the_journal_that_dies_stops_the_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    let env = Env {
        fail_stop: Arc::new(Told(tell)),
        ..Env::real()
    };
    let opened = Embedded::open(&settings(folder.path()), &env, Box::new(NoObserver));
    let Ok(opened) = opened else {
        panic!("the folder does not open");
    };
    let (journal, shop) = (opened.journal, id("s"));
    let owner = journal.create(&shop);
    append(&journal, owner, &shop, 1..2, 1_000);
    // What is called once a record is durable is called by the thread that commits.
    let entry = journal::NewRecord {
        shop: &shop,
        kind: RecordKind::Event,
        core: xiaoer::domain::CORE,
        n: 2,
        at: Instant::from_ms(1_000),
        due: None,
        seq_before: 1,
        decided: 1,
        text: "{}",
        decisions: "[{}]",
        claims: &[],
        booked: &[],
        rated: false,
    };
    let bug = Box::new(|| panic!("a planted bug"));
    assert_eq!(journal.append(owner, &entry, Some(bug)), Ok(2));
    let why = told.recv_timeout(Duration::from_secs(60)).expect("its end");
    assert!(why.contains("`commit`"), "{why}");
    // Its thread never ends, so neither would this.
    std::mem::forget(journal);
}
