//! Per-shop metadata of modules above the journal: durable once acknowledged, in order, part of copies, and deleted
//! with the shop.

use std::path::Path;
use std::time::Duration;

use crate::support::world::{SetClock, Shops, settings};
use serde_json::json;
use xiaoer::domain::base::id::Id;
use xiaoer::journal::{self, JournalError, METADATA_BYTES_MAX, MetadataEntry};

fn open(folder: &Path) -> Shops {
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    Shops::open(folder, &clock, Duration::from_secs(600))
}

async fn make(shops: &Shops, shop: &str) -> Id {
    let made = [json!({"type":"shop.configured","policy":{}}).to_string()];
    shops.post(shop, &made).await.expect("a shop");
    Id::new(shop).expect("an id")
}

fn all(shops: &Shops) -> Vec<(String, String, String)> {
    let mut all = Vec::new();
    let mut take = |MetadataEntry { shop, name, value }: MetadataEntry| {
        let value = String::from_utf8(value).expect("text");
        all.push((shop.to_string(), name, value));
    };
    shops.desk.each_metadata(&mut take).expect("what is kept");
    all
}

fn row(shop: &str, name: &str, value: &str) -> (String, String, String) {
    (shop.to_owned(), name.to_owned(), value.to_owned())
}

#[actix_rt::test]
async fn what_is_kept_survives_and_goes_with_the_shop() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let shops = open(&data);
    let (one, two) = (make(&shops, "一").await, make(&shops, "two").await);
    let keep = async |shop: &Id, name: &str, value: Option<&str>| {
        let value = value.map(|value| value.as_bytes().to_vec());
        shops.desk.put_metadata(shop, name, value).await
    };
    assert_eq!(keep(&one, "a", Some("1")).await, Ok(true));
    assert_eq!(
        shops.desk.put_metadata_soon(&one, "a", Some(b"2".to_vec())),
        Ok(true)
    );
    assert_eq!(
        shops.desk.put_metadata_soon(&one, "b", Some(b"3".to_vec())),
        Ok(true)
    );
    assert_eq!(keep(&two, "a", Some("4")).await, Ok(true));
    assert_eq!(keep(&one, "b", None).await, Ok(true));
    let nobody = Id::new("nobody").expect("an id");
    assert_eq!(keep(&nobody, "a", Some("5")).await, Ok(false));
    let long = "x".repeat(METADATA_BYTES_MAX);
    assert_eq!(keep(&two, "long", Some(&long)).await, Ok(true));
    let longer = keep(&two, "long", Some(&format!("{long}x"))).await;
    assert!(matches!(longer, Err(JournalError::Failed(_))));
    assert_eq!(keep(&two, "long", None).await, Ok(true));
    let expected = [row("一", "a", "2"), row("two", "a", "4")];
    assert_eq!(all(&shops), expected);

    let copy = folder.path().join("copy");
    let mut file = std::fs::File::create(&copy).expect("a file");
    journal::backup(&shops.journal, &mut xiaoer::journal::no_files, &mut file).expect("a backup");

    shops.desk.close().await;
    shops.journal.close();
    drop(shops);
    journal::verify(&settings(&data), &mut xiaoer::journal::NoInspector).expect("a sound folder");
    let shops = open(&data);
    assert_eq!(all(&shops), expected);
    assert_eq!(shops.desk.delete(&one).await, Ok(true));
    assert_eq!(all(&shops), expected[1..]);
    make(&shops, "一").await;
    assert_eq!(
        all(&shops),
        expected[1..],
        "a new shop of the same id has nothing"
    );

    let restored = folder.path().join("restored");
    let mut file = std::fs::File::open(&copy).expect("a backup");
    journal::restore(
        &mut file,
        &settings(&restored),
        &mut xiaoer::journal::Upgrade::plain(),
    )
    .expect("restored");
    assert_eq!(all(&open(&restored)), expected);
}

/// The store of before something was kept, under the mark of after it: as if the end of the store had been lost.
#[actix_rt::test]
async fn what_is_kept_is_missed_when_the_end_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, before) = (folder.path().join("data"), folder.path().join("before"));
    let shops = open(&data);
    let shop = make(&shops, "s").await;
    shops.desk.close().await;
    shops.journal.close();
    drop(shops);
    std::fs::create_dir(&before).expect("a folder");
    for name in ["db", "conf"] {
        std::fs::copy(data.join("store").join(name), before.join(name)).expect("a copy");
    }
    let shops = open(&data);
    let value = Some(b"1".to_vec());
    assert_eq!(shops.desk.put_metadata(&shop, "a", value).await, Ok(true));
    shops.journal.close();
    drop(shops);
    std::fs::remove_dir_all(data.join("store")).expect("gone");
    std::fs::rename(&before, data.join("store")).expect("the one of before");
    match journal::verify(&settings(&data), &mut xiaoer::journal::NoInspector) {
        Err(JournalError::Damaged(why)) => assert!(why.contains("webhooks or leases"), "{why}"),
        other => panic!("nobody missed it: {:?}", other.map(|_| ())),
    }
}
