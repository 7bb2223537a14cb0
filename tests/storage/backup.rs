//! A backup is complete before it gets its name; it is restored and verified. A deletion does not spoil it, a reader
//! that disconnects leaves no file that looks like a backup, and the readable part of a damaged folder is saved.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::served::{Launch, SMALL, Said, Served, argument, folder, run};
use crate::support::world::{SetClock, Shops, settings};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use xiaoer::domain::base::id::Id;
use xiaoer::journal;

fn launch(data: &Path) -> Launch {
    Launch::on(data).set(&SMALL)
}

fn put(served: &Served, shop: &str) {
    let path = format!("/v1/shops/{shop}");
    let answer = served.client().put(&path, r#"{"policy":{}}"#);
    assert_eq!(answer.expect("an answer").status, 200);
}

fn delete(served: &Served, shop: &str) {
    let path = format!("/v1/shops/{shop}");
    let answer = served.client().send("DELETE", &path, "", b"");
    assert_eq!(answer.expect("an answer").status, 204);
}

fn post(served: &Served, shop: &str, events: &Value) {
    let path = format!("/v1/shops/{shop}/events");
    let answer = served.client().post(&path, &events.to_string());
    assert_eq!(answer.expect("an answer").status, 200);
}

fn shops(served: &Served) -> Vec<String> {
    let answer = served.client().get("/v1/shops").expect("an answer").json();
    let items = answer["items"].as_array().expect("items").iter();
    items
        .map(|item| item["shop"].as_str().expect("an id").to_owned())
        .collect()
}

fn backup(data: &Path, to: &Path) -> Said {
    run(&["backup", "--data", argument(data), "--to", argument(to)])
}

fn restore(from: &Path, data: &Path) -> Said {
    let (from, data) = (argument(from), argument(data));
    run(&["restore", "--from", from, "--data", data])
}

#[test]
fn a_backup_of_a_running_server_that_deletes_shops_restores() {
    let (place, data) = folder();
    let served = launch(&data).start();
    for shop in ["keepme", "gone", "again"] {
        put(&served, shop);
        post(
            &served,
            shop,
            &json!([{"type":"session.opened","session":"s","buyer":"b"}]),
        );
    }
    delete(&served, "gone");
    delete(&served, "again");
    put(&served, "again");
    let file = place.path().join("one.backup");
    let said = backup(&data, &file);
    assert!(
        said.status.success() && said.out.contains("restored and verified"),
        "{said:?}"
    );
    let restored = place.path().join("restored");
    let said = restore(&file, &restored);
    assert!(said.status.success(), "{said:?}");
    let back = launch(&restored).start();
    assert_eq!(shops(&back), ["again", "keepme"]);
    let sessions = back
        .client()
        .get("/v1/shops/again/sessions")
        .expect("an answer");
    assert_eq!(sessions.json()["items"], json!([]));
    // No file but the backup is left beside it.
    let names: BTreeSet<_> = fs::read_dir(place.path())
        .expect("the place")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert!(
        names.iter().eq(["data", "one.backup", "restored"]),
        "{names:?}"
    );
    let said = backup(&data, &file);
    assert!(
        !said.status.success() && said.err.contains("exists already"),
        "{said:?}"
    );
}

/// Stops at one of the frames of records and states, once, until it is let on.
struct Stopping {
    bytes: Vec<u8>,
    frames: usize,
    at: usize,
    stopped: std::sync::mpsc::SyncSender<()>,
    go_on: std::sync::mpsc::Receiver<()>,
}

impl std::io::Write for Stopping {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // The head of a frame: its tree, two lengths, a checksum.
        if bytes.len() == 13 && bytes[0] == 0 {
            if self.frames == self.at {
                self.stopped.send(()).expect("the test waits");
                self.go_on.recv().expect("the test lets it on");
            }
            self.frames += 1;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Shops are deleted after a backup has read how far the journal reaches, and before it has copied their states.
#[actix_rt::test]
async fn a_backup_during_which_shops_are_deleted_verifies() {
    let place = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let long = Duration::from_secs(600);
    let shops = Shops::open(&place.path().join("data"), &clock, long);
    let make = |shop: String| {
        let made = json!({"type":"shop.configured","policy":{}}).to_string();
        let shops = &shops;
        async move { shops.post(&shop, &[made]).await.expect("a shop") }
    };
    make("stays".to_owned()).await;
    // The store reads its pages one by one: what lies on a later page is read later.
    for n in 0..900 {
        let opened =
            json!({"type":"session.opened","session":format!("s{n}"),"buyer":format!("b{n}")});
        shops
            .post("stays", &[opened.to_string()])
            .await
            .expect("an answer");
    }
    for (round, at) in [0, 1, 100].into_iter().enumerate() {
        let gone = ["east", "west"].map(|side| format!("{side}-{round}"));
        for shop in &gone {
            make(shop.clone()).await;
        }
        // Their states are stored, and heads name them.
        shops.desk.passivate_all().await;
        let (stopped, has_stopped) = std::sync::mpsc::sync_channel(1);
        let (let_on, go_on) = std::sync::mpsc::sync_channel(1);
        let journal = std::sync::Arc::clone(&shops.journal);
        let backup = std::thread::spawn(move || {
            let (bytes, frames) = (Vec::new(), 0);
            let mut to = Stopping {
                bytes,
                frames,
                at,
                stopped,
                go_on,
            };
            let copied = journal::backup(&journal, &mut journal::no_files, &mut to);
            copied.map(|_| to.bytes)
        });
        has_stopped.recv().expect("so many frames");
        for shop in &gone {
            let shop = Id::new(shop).expect("an id");
            assert!(shops.desk.delete(&shop).await.expect("an answer"));
        }
        let_on.send(()).expect("the backup waits");
        let bytes = backup.join().expect("no panic").expect("a backup");
        let restored = settings(&place.path().join(format!("restored-{round}")));
        let mut upgrade = journal::Upgrade::plain();
        journal::restore(&mut bytes.as_slice(), &restored, &mut upgrade)
            .unwrap_or_else(|error| panic!("frame {at}: {error}"));
        journal::verify(&restored, &mut journal::NoInspector)
            .unwrap_or_else(|error| panic!("frame {at}: {error}"));
    }
    shops.close().await;
}

/// Every stretch of damage in a backup is noticed, by its checksums or because what it restores to does not verify.
#[test]
fn a_damaged_backup_is_not_restored() {
    let (place, data) = folder();
    let served = launch(&data).start();
    put(&served, "east");
    drop(served);
    let file = place.path().join("one.backup");
    assert!(backup(&data, &file).status.success());
    let whole = fs::read(&file).expect("a backup");
    let mut luck = StdRng::seed_from_u64(3);
    for n in 0..20 {
        let mut bent = whole.clone();
        let at = luck.random_range(0..bent.len());
        bent[at] ^= 1 << luck.random_range(0..8);
        let damaged = place.path().join(format!("{n}.backup"));
        fs::write(&damaged, bent).expect("a file");
        let to = place.path().join(format!("{n}"));
        let said = restore(&damaged, &to);
        assert!(
            said.is_orderly() && !said.status.success(),
            "byte {at}: {said:?}"
        );
        // What the restore has begun to fill is refused by name.
        let refused = !to.exists() || launch(&to).begin().ready().is_err();
        assert!(refused, "byte {at}");
    }
}

/// Whatever is damaged in the store, what is saved and what is listed as lost are all records together.
#[test]
fn salvage_writes_what_is_readable_and_lists_what_is_lost() {
    let (_place, data) = folder();
    let served = launch(&data).start();
    for shop in ["east", "west"] {
        put(&served, shop);
    }
    for n in 0..60 {
        let opened =
            json!({"type":"session.opened","session":format!("s{n}"),"buyer":format!("b{n}")});
        post(&served, if n % 3 == 0 { "west" } else { "east" }, &opened);
    }
    drop(served);
    let salvage = || run(&["export", "--salvage", "--data", argument(&data)]);
    let sound = salvage();
    assert!(
        sound.status.success() && sound.err.contains("no hole"),
        "{sound:?}"
    );
    let total = sound.out.lines().count();
    assert!(total >= 62, "{total}");
    let db = data.join("store/db");
    let whole = fs::read(&db).expect("the store's log");
    // Damage where there is something: in what was written, not in the holes behind it.
    let written: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let mut luck = StdRng::seed_from_u64(11);
    let mut holes = 0;
    for trial in 0..40 {
        let mut bent = whole.clone();
        let hits = match trial {
            // The first record of each shop, the first of all among them.
            0 => places(&whole, b"configured"),
            _ => (0..1 + trial % 4)
                .map(|_| written[luck.random_range(0..written.len())])
                .collect(),
        };
        hits.iter().for_each(|at| bent[*at] ^= 0x20);
        fs::write(&db, bent).expect("a damaged log");
        let said = salvage();
        assert!(said.is_orderly() && said.status.success(), "{said:?}");
        let saved = said.out.lines().count();
        let lines = said.out.lines();
        assert!(
            lines
                .clone()
                .all(|line| serde_json::from_str::<Value>(line).is_ok())
        );
        assert_eq!(saved + lost(&said.err), total, "{}", said.err);
        holes += usize::from(saved < total);
        let first = [
            "the whole journal the records 1",
            "may not be lost but dropped",
        ];
        let told = first.iter().all(|words| said.err.contains(words));
        assert!(trial > 0 || told, "{}", said.err);
        assert!(saved * 2 > total, "{saved} of {total} are saved");
    }
    assert!(holes > 0, "the damage never hit a record");
}

/// Where these bytes begin.
fn places(bytes: &[u8], of: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(of.len()).enumerate();
    windows
        .filter(|(_, window)| *window == of)
        .map(|(at, _)| at)
        .collect()
}

/// How many records are listed as lost, of the whole journal.
fn lost(err: &str) -> usize {
    let Some((_, ranges)) = err.split_once("of the whole journal the records ") else {
        return 0;
    };
    let ranges = ranges
        .split_once(" are lost")
        .map_or("", |(ranges, _)| ranges);
    let ranges = ranges.split(", ");
    let number = |text: &str| text.parse::<usize>().expect("a number");
    ranges
        .map(|range| match range.split_once(" to ") {
            Some((from, to)) => number(to) - number(from) + 1,
            None => 1,
        })
        .sum()
}
