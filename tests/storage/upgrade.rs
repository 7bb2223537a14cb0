//! A folder of release 0.1 is converted once and completely, at whatever time the conversion is killed. Leftovers of
//! that release after deletions are repaired, and parts that do not belong together are refused.
//!
//! `folder-1-tail.lz4` was killed with all its records after the last checkpoint, among them a shop that was created
//! and deleted. In `folder-1-revived.lz4` the server was killed while it deleted the shop `west`, which continued to
//! respond and was lost at the next orderly stop. `XIAOER_PACK=FOLDER XIAOER_TO=FILE cargo test --test storage
//! upgrade::` packs another one.

use std::fs;
use std::path::Path;

use crate::support::packed::{golden, pack, unpack};
use crate::support::served::{Launch, SMALL, Served, argument, folder, run};
use serde_json::{Value, json};

fn launch(data: &Path) -> Launch {
    // The packed folders are older than that, one day.
    Launch::on(data).set(&SMALL).set(&["clock.gap_max=0s"])
}

fn get(served: &Served, path: &str) -> (u16, Value) {
    let answer = served.client().get(path).expect("an answer");
    (answer.status, answer.json())
}

fn shops(served: &Served) -> Vec<String> {
    let (status, body) = get(served, "/v1/shops");
    assert_eq!(status, 200, "{body}");
    let items = body["items"].as_array().expect("items").iter();
    items
        .map(|item| item["shop"].as_str().expect("an id").to_owned())
        .collect()
}

fn decisions(served: &Served, shop: &str) -> Vec<Value> {
    let (status, body) = get(served, &format!("/v1/shops/{shop}/decisions?limit=500"));
    assert_eq!(status, 200, "{body}");
    body["items"].as_array().expect("items").clone()
}

fn open(served: &Served, shop: &str, session: &str) -> Value {
    let event = json!({"type":"session.opened","session":session,"buyer":format!("of {session}")});
    let answer = served
        .client()
        .post(&format!("/v1/shops/{shop}/events"), &event.to_string())
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["results"][0]["decisions"][0].clone()
}

/// A session is opened, and what is decided then follows what was decided before, without a gap.
fn goes_on(served: &Served, shop: &str, session: &str, before: &[Value]) {
    let opened = open(served, shop, session);
    let after = decisions(served, shop);
    assert_eq!(&after[..before.len()], before);
    let seqs = after.iter().map(|decision| decision["seq"].as_u64());
    assert!(seqs.eq((1..=after.len() as u64).map(Some)), "{after:?}");
    assert!(after.contains(&opened), "{opened}");
}

fn verify(data: &Path) -> String {
    let said = run(&["verify", "--data", argument(data)]);
    assert!(said.status.success(), "{said:?}");
    said.out
}

#[test]
fn packing() {
    let (Ok(from), Ok(to)) = (std::env::var("XIAOER_PACK"), std::env::var("XIAOER_TO")) else {
        return;
    };
    pack(Path::new(&from), Path::new(&to));
}

#[test]
fn a_folder_that_was_killed_with_a_full_tail_is_converted_and_gone_on_with() {
    let (_place, data) = folder();
    unpack(&golden("folder-1-tail.lz4"), &data);
    let said = verify(&data);
    assert!(said.contains("is of form 1"), "{said}");
    assert_eq!(fs::read_to_string(data.join("VERSION")).unwrap(), "1\n");
    let before = run(&["export", "--decisions", "--data", argument(&data)]).out;
    let served = launch(&data).start();
    assert_eq!(shops(&served), ["east", "west"]);
    assert_eq!(get(&served, "/v1/shops/gone/agents").0, 404);
    let decided = decisions(&served, "east");
    // Its id was accepted before: the first answer comes again.
    let again = json!({"type":"session.opened","id":"o3","session":"s3","buyer":"b3"}).to_string();
    let again = served
        .client()
        .post("/v1/shops/east/events", &again)
        .expect("an answer");
    assert_eq!(again.json()["results"][0]["decisions"][0]["session"], "s3");
    goes_on(&served, "east", "new", &decided);
    assert!(served.stop().status.success());
    assert_eq!(fs::read_to_string(data.join("VERSION")).unwrap(), "2\n");
    for gone in ["upgrading", "store.old", "CONVERTING"] {
        assert!(!data.join(gone).exists(), "{gone}");
    }
    let said = verify(&data);
    assert!(
        !said.contains("form 1") && !said.contains("puts right"),
        "{said}"
    );
    let after = run(&["export", "--decisions", "--data", argument(&data)]).out;
    assert!(after.starts_with(&before), "the history is the same");
    drop(launch(&data).start());
}

#[test]
fn a_shop_that_went_on_after_a_deletion_comes_back() {
    for in_place in [false, true] {
        let (_place, data) = folder();
        unpack(&golden("folder-1-revived.lz4"), &data);
        let said = verify(&data);
        assert!(said.contains("\"west\" went on after a deletion"), "{said}");
        let in_place = format!("upgrade.in_place={in_place}");
        let served = launch(&data).set(&[&in_place]).start();
        assert_eq!(shops(&served), ["east", "west"]);
        let decided = decisions(&served, "west");
        assert!(decided.iter().any(|of| of["session"] == "after"));
        goes_on(&served, "west", "next", &decided);
        let said = served.stop();
        assert!(said.err.contains("went on after a deletion"), "{said:?}");
        let served = launch(&data).start();
        assert_eq!(get(&served, "/v1/shops/west/sessions/next").0, 200);
        assert!(served.stop().status.success());
        assert!(!verify(&data).contains("puts right"));
    }
}

#[test]
fn what_an_interrupted_conversion_left_is_begun_anew_or_gone_on_with() {
    // Before the new store is verified, the old one is as it was.
    let (place, data) = folder();
    unpack(&golden("folder-1-tail.lz4"), &data);
    fs::create_dir_all(data.join("upgrading/store")).expect("a folder");
    fs::write(data.join("upgrading/store/db"), "half").expect("a file");
    let served = launch(&data).start();
    assert_eq!(shops(&served), ["east", "west"]);
    assert!(served.stop().status.success());
    // After that, each step of the switch is gone on with: what it moves is moved back, and the folder opened.
    let made = place.path().join("made");
    fs::rename(&data, &made).expect("a move");
    for step in 0..5 {
        let (_place, data) = folder();
        unpack(&golden("folder-1-tail.lz4"), &data);
        fs::create_dir(data.join("upgrading")).expect("a folder");
        fs::write(data.join("upgrading/VERIFIED"), "").expect("a file");
        fs::write(data.join("VERSION"), "2\n").expect("a version");
        copy(&made.join("store"), &data.join("upgrading/store"));
        fs::copy(made.join("mark"), data.join("upgrading/mark")).expect("a mark");
        let steps: [&dyn Fn(); 4] = [
            &|| fs::rename(data.join("store"), data.join("store.old")).expect("a move"),
            &|| fs::rename(data.join("upgrading/store"), data.join("store")).expect("a move"),
            &|| fs::rename(data.join("upgrading/mark"), data.join("mark")).expect("a move"),
            &|| fs::remove_dir_all(data.join("store.old")).expect("a removal"),
        ];
        steps[..step].iter().for_each(|step| step());
        let served = launch(&data).start();
        assert_eq!(shops(&served), ["east", "west"], "step {step}");
        assert!(served.stop().status.success());
        verify(&data);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).expect("a copy");
        }
    }
}

/// A folder of this release with a shop in it.
fn used(data: &Path, shop: &str) {
    let served = launch(data).start();
    let made = served
        .client()
        .put(&format!("/v1/shops/{shop}"), r#"{"policy":{}}"#)
        .expect("an answer");
    assert_eq!(made.status, 200, "{}", made.text());
    assert!(served.stop().status.success());
}

/// Every way to put together parts that do not belong together, and what the refusal has to name.
#[test]
fn parts_of_another_folder_or_missing_parts_are_refused() {
    type Change = fn(&Path, &Path);
    let rows: [(&str, Change, &str); 7] = [
        (
            "the mark of another folder",
            |data, other| drop(fs::copy(other.join("mark"), data.join("mark"))),
            "different folders",
        ),
        (
            "the store of another folder",
            |data, other| {
                fs::remove_dir_all(data.join("store")).expect("a removal");
                copy(&other.join("store"), &data.join("store"));
            },
            "different folders",
        ),
        (
            "no store",
            |data, _| fs::remove_dir_all(data.join("store")).expect("a removal"),
            "store is missing",
        ),
        (
            "no mark",
            |data, _| fs::remove_file(data.join("mark")).expect("a removal"),
            "mark",
        ),
        (
            "neither store nor mark",
            |data, _| {
                fs::remove_dir_all(data.join("store")).expect("a removal");
                fs::remove_file(data.join("mark")).expect("a removal");
            },
            "store is missing",
        ),
        (
            "no VERSION",
            |data, _| fs::remove_file(data.join("VERSION")).expect("a removal"),
            "write \"2\" into it",
        ),
        (
            "no VERSION, and a stray NEW",
            |data, _| {
                fs::remove_file(data.join("VERSION")).expect("a removal");
                fs::write(data.join("NEW"), "").expect("a file");
            },
            "write \"2\" into it",
        ),
    ];
    for (what, change, named) in rows {
        let (place, data) = folder();
        let other = place.path().join("other");
        used(&data, "mine");
        used(&other, "theirs");
        change(&data, &other);
        let Err(said) = launch(&data).begin().ready() else {
            panic!("{what}: it started");
        };
        let right = said.is_orderly() && said.code() == Some(2) && said.err.contains(named);
        assert!(right, "{what}: {said:?}");
        assert!(!data.join("keys.json").exists(), "{what}: it went on");
    }
}

/// A restore that was cut off is no first start: the server refuses it by name, and a second restore begins anew.
#[test]
fn a_restore_that_was_not_finished_is_refused_and_begun_again() {
    let (place, data) = folder();
    used(&data, "mine");
    let backup = place.path().join("one.backup");
    let said = run(&[
        "backup",
        "--data",
        argument(&data),
        "--to",
        argument(&backup),
    ]);
    assert!(said.status.success(), "{said:?}");
    let whole = fs::read(&backup).expect("a backup");
    let half = place.path().join("half.backup");
    fs::write(&half, &whole[..whole.len() / 2]).expect("a file");
    let restored = place.path().join("restored");
    let restore = |from: &Path| {
        let (from, to) = (argument(from), argument(&restored));
        run(&["restore", "--from", from, "--data", to])
    };
    fs::create_dir(&restored).expect("a folder");
    fs::create_dir(restored.join("lost+found")).expect("a folder");
    fs::write(restored.join("xiaoer.toml"), "").expect("settings");
    fs::write(restored.join("keys.json"), r#"{"version":1,"keys":[]}"#).expect("keys");
    let said = restore(&half);
    assert!(said.is_orderly() && said.code() == Some(2), "{said:?}");
    let Err(said) = launch(&restored).begin().ready() else {
        panic!("half a restore was served");
    };
    assert!(said.err.contains("was not finished"), "{said:?}");
    let said = run(&["verify", "--data", argument(&restored)]);
    assert!(!said.status.success(), "{said:?}");
    let said = restore(&backup);
    assert!(said.status.success(), "{said:?}");
    let served = launch(&restored).start();
    assert_eq!(shops(&served), ["mine"]);
    drop(served);
    let said = restore(&backup);
    assert!(said.err.contains("is not empty"), "{said:?}");
}

/// The first thing that a restore writes says that it is one, from its first byte on.
#[test]
fn a_restore_that_was_cut_off_in_its_first_write_is_refused_and_begun_again() {
    let (place, data) = folder();
    used(&data, "mine");
    let backup = place.path().join("one.backup");
    let [from, to] = [&data, &backup].map(|path| argument(path));
    let said = run(&["backup", "--data", from, "--to", to]);
    assert!(said.status.success(), "{said:?}");
    let restored = place.path().join("restored");
    fs::create_dir(&restored).expect("a folder");
    fs::write(restored.join("RESTORING.new"), "").expect("a file");
    let Err(said) = launch(&restored).begin().ready() else {
        panic!("a restore that has begun was served");
    };
    assert!(said.err.contains("was not finished"), "{said:?}");
    let said = run(&["restore", "--from", to, "--data", argument(&restored)]);
    assert!(said.status.success(), "{said:?}");
    assert_eq!(shops(&launch(&restored).start()), ["mine"]);
}

/// As release 0.1 left it: `NEW`, a store with records, no mark.
#[test]
fn a_restore_that_release_0_1_did_not_finish_is_refused_and_begun_again() {
    let (place, data) = folder();
    used(&data, "mine");
    let backup = place.path().join("one.backup");
    let said = run(&[
        "backup",
        "--data",
        argument(&data),
        "--to",
        argument(&backup),
    ]);
    assert!(said.status.success(), "{said:?}");
    fs::remove_file(data.join("VERSION")).expect("a removal");
    fs::remove_file(data.join("mark")).expect("a removal");
    fs::write(data.join("NEW"), "this folder is being made\n").expect("a file");
    let Err(said) = launch(&data).begin().ready() else {
        panic!("half a restore was served");
    };
    assert!(said.err.contains("was not finished"), "{said:?}");
    let (from, to) = (argument(&backup), argument(&data));
    let said = run(&["restore", "--from", from, "--data", to]);
    assert!(said.status.success(), "{said:?}");
    assert_eq!(shops(&launch(&data).start()), ["mine"]);
}
