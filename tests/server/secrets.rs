//! Webhook secrets: only in their own file, always present for an endpoint that signs, and never a reason that a start
//! fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::support::receiver::{Receiver, Reply};
use crate::support::world::{SetClock, Shops, settings};
use serde_json::json;
use xiaoer::domain::base::id::Id;
use xiaoer::journal::{self, Upgrade};
use xiaoer::webhooks::endpoint::{EndpointChange, EndpointState};
use xiaoer::webhooks::{SECRETS_FILE, WebhookError, Webhooks, upgrade_metadata};

const LONG: Duration = Duration::from_secs(600);

fn open(data: &Path) -> Shops {
    Shops::open(data, &SetClock::at("2026-11-11T02:00:00Z"), LONG)
}

async fn close(shops: Shops, webhooks: Arc<Webhooks>) {
    webhooks.close().await;
    let journal = Arc::clone(&shops.journal);
    shops.close().await;
    journal.close();
}

async fn make(shops: &Shops, shop: &str) -> Id {
    let made = json!({"type": "shop.configured", "policy": {}}).to_string();
    shops.post(shop, &[made]).await.expect("a shop");
    Id::new(shop).expect("an id")
}

fn wanted(url: &str) -> EndpointChange {
    EndpointChange {
        url: Some(url.to_owned()),
        ..EndpointChange::default()
    }
}

/// The files in which a text stands, of a folder or of one file.
fn files_with(path: &Path, text: &str) -> Vec<PathBuf> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).expect("a folder").flatten();
        return entries
            .flat_map(|entry| files_with(&entry.path(), text))
            .collect();
    }
    let bytes = std::fs::read(path).unwrap_or_default();
    let found = bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes());
    found.then(|| path.to_owned()).into_iter().collect()
}

#[actix_rt::test]
async fn no_secret_is_in_the_store_or_in_a_backup() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let receiver = Receiver::always(Reply::status(204));
    let shops = open(&data);
    let webhooks = shops.webhooks();
    let shop = make(&shops, "tea").await;
    let added = webhooks.add(&shop, wanted(&receiver.url()), 0).await;
    let (post, first) = added.expect("an endpoint");
    let second = webhooks.rotate(&shop, &post.id).await.expect("another");
    assert_eq!(
        webhooks.test(&shop, &post.id).await.expect("a try").status,
        Some(204)
    );
    let mut file = std::fs::File::create(&backup).expect("a file");
    journal::backup(&shops.journal, &mut journal::no_files, &mut file).expect("a backup");
    close(shops, webhooks).await;
    for secret in [&first, &second] {
        let text = secret.text();
        assert_eq!(files_with(&data, &text), [data.join(SECRETS_FILE)]);
        assert!(files_with(&backup, &text).is_empty());
    }
    // Both sign after a restart, and the old one for its day.
    let shops = open(&data);
    let webhooks = shops.webhooks();
    let signing = webhooks.get(&shop, &post.id).expect("the endpoint");
    let signing = signing.inner().endpoint.secrets(shops.desk.now());
    assert_eq!(signing, [second.clone(), first.clone()]);
    close(shops, webhooks).await;

    // Restored without the secrets, it starts; the endpoint is off, says why, and sends nothing unsigned.
    let restored = folder.path().join("restored");
    let mut file = std::fs::File::open(&backup).expect("the backup");
    journal::restore(&mut file, &settings(&restored), &mut Upgrade::plain()).expect("restored");
    let shops = open(&restored);
    let webhooks = shops.webhooks();
    let post = webhooks.get(&shop, &post.id).expect("the endpoint");
    match &post.inner().endpoint.state {
        EndpointState::Disabled { why, .. } => assert!(why.contains("rotate"), "{why}"),
        other @ (EndpointState::On | EndpointState::Off) => panic!("{other:?}"),
    }
    let enabled = || EndpointChange {
        enabled: Some(true),
        ..EndpointChange::default()
    };
    let refused = webhooks.change(&shop, &post.id, enabled()).await;
    assert!(matches!(refused, Err(WebhookError::Refused(why)) if why.contains("rotate")));
    let before = receiver.requests().len();
    let told = webhooks.test(&shop, &post.id).await.expect("a try");
    assert!(told.status.is_none() && told.failure.is_some_and(|why| why.contains("rotate")));
    assert_eq!(receiver.requests().len(), before);
    let third = webhooks.rotate(&shop, &post.id).await.expect("a new one");
    webhooks
        .change(&shop, &post.id, enabled())
        .await
        .expect("on");
    assert!(post.inner().endpoint.is_on());
    assert_eq!(
        webhooks.test(&shop, &post.id).await.expect("a try").status,
        Some(204)
    );
    assert_eq!(receiver.requests().len(), before + 1);
    close(shops, webhooks).await;
    assert_eq!(
        files_with(&restored, &third.text()),
        [restored.join(SECRETS_FILE)]
    );
}

#[actix_rt::test]
async fn secrets_go_with_their_endpoint_and_their_shop() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = || std::fs::read_to_string(data.join(SECRETS_FILE)).expect("the secrets");
    let shops = open(&data);
    let webhooks = shops.webhooks();
    let (tea, tin) = (make(&shops, "tea").await, make(&shops, "tin").await);
    let mut made = Vec::new();
    for shop in [&tea, &tea, &tin] {
        let added = webhooks.add(shop, wanted("http://127.0.0.1:1/"), 0).await;
        made.push(added.expect("an endpoint").0);
    }
    let whole = file();
    assert!(made.iter().all(|post| whole.contains(&post.id)));
    webhooks.remove(&tea, &made[0].id).await.expect("removed");
    assert!(!file().contains(&made[0].id) && file().contains(&made[1].id));
    assert_eq!(shops.desk.delete(&tea).await, Ok(true));
    let swept = crate::support::deadline::Deadline::seconds(10)
        .poll(|| (!file().contains(&made[1].id)).then_some(()));
    assert!(swept.is_some() && file().contains(&made[2].id));
    close(shops, webhooks).await;
    // What a crash between the endpoint and its secrets leaves is swept at the next start, and nothing else.
    std::fs::write(data.join(SECRETS_FILE), whole).expect("all of before");
    let shops = open(&data);
    let webhooks = shops.webhooks();
    assert!(!file().contains(&made[0].id) && !file().contains(&made[1].id));
    let post = webhooks.get(&tin, &made[2].id).expect("the endpoint");
    assert!(post.inner().endpoint.is_on() && post.inner().endpoint.has_secret());
    close(shops, webhooks).await;
}

#[actix_rt::test]
async fn endpoints_of_the_first_form_give_their_secrets_away_at_the_first_start() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let stored = json!({
        "form": 1, "id": "wh1", "url": "http://127.0.0.1:1/", "types": null, "batch": null,
        "state": "On", "made": 0, "secrets": [{"secret": secret, "until": null}],
    });
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let shops = open(&data);
    let shop = make(&shops, "tea").await;
    let value = Some(stored.to_string().into_bytes());
    assert_eq!(
        shops.desk.put_metadata(&shop, "webhook/wh1", value).await,
        Ok(true)
    );
    for start in 0..2 {
        let webhooks = shops.webhooks();
        let post = webhooks.get(&shop, "wh1").expect("the endpoint");
        assert!(post.inner().endpoint.is_on(), "start {start}");
        let secrets = post.inner().endpoint.secrets(shops.desk.now());
        assert_eq!(secrets.len(), 1);
        assert_eq!(secrets[0].text(), secret);
        // Once a change of another is durable, so is what was kept before.
        assert_eq!(
            shops.desk.put_metadata(&shop, "other", None).await,
            Ok(true)
        );
        let mut kept = String::new();
        let mut take = |of: journal::MetadataEntry| kept += &String::from_utf8_lossy(&of.value);
        shops.desk.each_metadata(&mut take).expect("what is kept");
        assert!(kept.contains("wh1") && !kept.contains("whsec"), "{kept}");
        webhooks.close().await;
    }
    shops.close().await;

    // What rewrites a store from one form to the next asks for the same.
    let (value, secrets) =
        upgrade_metadata(7, "webhook/wh1", stored.to_string().as_bytes()).expect("one");
    assert!(!String::from_utf8_lossy(&value).contains("whsec") && secrets.is_some());
    let (again, secrets) = upgrade_metadata(7, "webhook/wh1", &value).expect("one");
    assert!(again == value && secrets.is_none());
    let (other, secrets) = upgrade_metadata(7, "webhook/wh1/at", b"{}").expect("another");
    assert!(other == b"{}" && secrets.is_none());
    assert!(upgrade_metadata(7, "webhook/wh1", b"{}").is_err());
}
