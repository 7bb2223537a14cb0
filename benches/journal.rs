//! The journal: commits beside a plain file that is synced as often, opening a large folder, and waking shops.
//!
//! ```text
//! cargo bench --bench journal                       # everything
//! cargo bench --bench journal -- commits            # or opens, wakes
//! cargo bench --bench journal -- opens records=10000000
//! ```
//!
//! Medians of 5; the two of a pair in turns.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use serde_json::json;
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::read::views::Counts;
use xiaoer::env::{Env, Stopwatch};
use xiaoer::journal::{
    self, Embedded, FencingToken, Journal, JournalSettings, NewRecord, NoObserver, RecordKind,
};
use xiaoer::runtime::{IncomingEvent, RuntimeSettings, SharedLedger, Shops};
use xiaoer::wire::{Line, read_event};

const RUNS: usize = 5;

/// What a message and its answer come to.
const TEXT: &str = r#"{"type":"buyer.message","id":"e1-1000000","session":"s1-100000","kind":"text","text":"你好，这件衣服有货吗？今天能发吗？"}"#;
const DECISIONS: &str = r#"[{"at":"2026-11-11T10:00:00+08:00","shop":"shop-1","seq":1,"type":"session.assigned","session":"s1-100000","buyer":"b1-1","agent":"anna","reason":"all","repeat_visit":false,"waited":0}]"#;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let wants = |part: &str| {
        let parts = ["commits", "opens", "wakes"];
        !words.iter().any(|word| parts.contains(&word.as_str()))
            || words.iter().any(|word| word == part)
    };
    let records = words.iter().find_map(|word| word.strip_prefix("records="));
    let records = records.map_or(1_000_000, |text| text.parse().expect("a number"));
    if wants("commits") {
        commits();
    }
    if wants("opens") {
        opens(records);
    }
    if wants("wakes") {
        wakes();
    }
}

fn settings(folder: &Path) -> JournalSettings {
    JournalSettings {
        data: folder.to_owned(),
        cache_bytes: 32 * 1024 * 1024,
        reserve_bytes: 0,
        ballast_bytes: 0,
        linger_us: 0,
        retention_ms: 0,
        checkpoint_records: 262_144,
        timeouts: xiaoer::journal::DiskTimeouts::default(),
        sync: true,
    }
}

fn open(folder: &Path) -> Embedded {
    match Embedded::open(&settings(folder), &Env::real(), Box::new(NoObserver)) {
        Ok(opened) => {
            opened.journal.set_ledger_source(Box::new(|| vec![0]));
            opened.journal
        }
        Err(error) => panic!("{error}"),
    }
}

fn seconds(watch: &Stopwatch) -> f64 {
    watch.micros() as f64 / 1e6
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn append(
    journal: &Embedded,
    owner: FencingToken,
    shop: &Id,
    n: u64,
    done: Option<journal::OnDurable>,
) {
    let entry = NewRecord {
        shop,
        kind: if n == 1 {
            RecordKind::Created
        } else {
            RecordKind::Event
        },
        core: xiaoer::domain::CORE,
        n,
        at: Instant::from_ms(1_800_000_000_000),
        due: None,
        seq_before: n - 1,
        decided: 1,
        text: TEXT,
        decisions: DECISIONS,
        claims: &[],
        booked: &[],
        rated: false,
    };
    journal.append(owner, &entry, done).expect("the owner");
}

/// Commits of so many records, one after the other, beside as many bytes in a plain file.
fn commits() {
    println!("commits, each durable before the next   ours µs   plain file µs   ours/plain");
    for size in [1u64, 64, 1024] {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = open(folder.path());
        let shop = Id::new("shop-1").expect("an id");
        let owner = journal.create(&shop);
        let mut plain = File::create(folder.path().join("plain")).expect("a file");
        let bytes = vec![b'x'; (TEXT.len() + DECISIONS.len() + 40) * size as usize];
        let (mut ours, mut theirs, mut n) = (Vec::new(), Vec::new(), 0);
        for _ in 0..RUNS {
            let rounds = 200;
            let watch = Stopwatch::start();
            for _ in 0..rounds {
                let (sent, done) = sync_channel(1);
                for index in 0..size {
                    n += 1;
                    let sent = sent.clone();
                    let told = (index + 1 == size).then(|| {
                        Box::new(move || sent.send(()).expect("a waiter")) as journal::OnDurable
                    });
                    append(&journal, owner, &shop, n, told);
                }
                done.recv().expect("durable");
            }
            ours.push(seconds(&watch) * 1e6 / f64::from(rounds));
            let watch = Stopwatch::start();
            for _ in 0..rounds {
                plain.write_all(&bytes).expect("a file");
                plain.sync_data().expect("a disk");
            }
            theirs.push(seconds(&watch) * 1e6 / f64::from(rounds));
        }
        let (ours, theirs) = (median(ours), median(theirs));
        println!(
            "{size:>6} records {ours:>31.0} {theirs:>15.0} {:>12.2}",
            ours / theirs
        );
    }
}

/// Opening a folder of so many records of 1,000 shops, up to the first shop that answers.
fn opens(records: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let shops: Vec<Id> = (0..1000)
        .map(|n| Id::new(&format!("shop-{n}")).expect("an id"))
        .collect();
    let journal = open(folder.path());
    let owners: Vec<FencingToken> = shops.iter().map(|shop| journal.create(shop)).collect();
    let watch = Stopwatch::start();
    for n in 1..=records / 1000 {
        let (sent, done) = sync_channel(1);
        for (index, (shop, &owner)) in shops.iter().zip(&owners).enumerate() {
            let sent = sent.clone();
            let told = (index + 1 == shops.len())
                .then(|| Box::new(move || sent.send(()).expect("a waiter")) as journal::OnDurable);
            append(&journal, owner, shop, n, told);
            if n % 4096 == 0 {
                let state = journal::Snapshot {
                    n,
                    seq: n,
                    bytes: vec![7; 100_000],
                };
                journal.put_snapshot(owner, state, None);
            }
        }
        done.recv().expect("durable");
    }
    let wrote = seconds(&watch);
    let mb = journal.bytes() / 1_000_000;
    println!("\nopening: {records} records of 1,000 shops, {mb} MB (written in {wrote:.0} s)");
    drop(journal);
    let mut took = Vec::new();
    for run in 0..RUNS {
        let watch = Stopwatch::start();
        let journal = open(folder.path());
        let opened = seconds(&watch);
        let claimed = journal
            .claim(&shops[run * 7])
            .expect("a claim")
            .expect("a shop");
        let all = seconds(&watch);
        println!(
            "  opened in {:.0} ms, the first shop after {:.0} ms ({} records read again)",
            opened * 1e3,
            all * 1e3,
            claimed.tail.len()
        );
        took.push(all);
    }
    println!("median {:.0} ms to the first shop", median(took) * 1e3);
}

struct Unwatched;

impl xiaoer::runtime::RuntimeObserver for Unwatched {
    fn request_arrived(&self, _: usize) {}
    fn handled(&self, _: &xiaoer::domain::protocol::event::EventBody) {}
    fn decided(&self, _: &[xiaoer::domain::protocol::decision::Decision]) {}
    fn counted(&self, _: &Counts, _: &Counts) {}
    fn actors_changed(&self, _: i64) {}
    fn shop_loaded(&self, _: u64) {}
    fn panicked(&self, _: &Id) {}
    fn failed(&self, _: &Id, _: &journal::JournalError) {}
}

/// Waking shops that sleep, each with 100 open sessions: the time of the event that wakes one, made durable.
fn wakes() {
    const SHOPS: usize = 1000;
    let folder = tempfile::tempdir().expect("a folder");
    let env = Env::real();
    let journal = Arc::new(open(folder.path()));
    let desk = Shops::new(
        Arc::clone(&journal) as Arc<dyn Journal>,
        Arc::new(SharedLedger::default()),
        env.clone(),
        Arc::new(Unwatched),
        &RuntimeSettings {
            mailbox: 64,
            idle: Duration::from_secs(600),
            grace: xiaoer::domain::base::time::Duration::from_ms(0),
            quota: xiaoer::runtime::ShopQuota {
                waiting_bytes_max: 16 * 1024 * 1024,
                bytes_per_hour_max: 0,
            },
        },
    );
    actix_rt::System::new().block_on(async {
        let shop = |n: usize| Id::new(&format!("shop-{n}")).expect("an id");
        for n in 0..SHOPS {
            let mut events = vec![
                json!({"type":"shop.configured","policy":{"session":{"close_after_buyer_silence":"0s"}}}).to_string(),
                json!({"type":"agent.configured","agent":"anna","capacity":1000}).to_string(),
                json!({"type":"agent.online","agent":"anna"}).to_string(),
            ];
            events.extend((0..100).map(|s| {
                json!({"type":"session.opened","session":format!("s{s}"),"buyer":format!("b{s}")}).to_string()
            }));
            post(&desk, &shop(n), &events, &env).await;
        }
        desk.passivate_all().await;
        let mut took = Vec::new();
        let awake = [json!({"type":"buyer.message","session":"s1"}).to_string()];
        let mut commits = Vec::new();
        for n in 0..SHOPS {
            let watch = Stopwatch::start();
            post(&desk, &shop(n), &awake, &env).await;
            took.push(seconds(&watch) * 1e3);
            let watch = Stopwatch::start();
            post(&desk, &shop(n), &awake, &env).await;
            commits.push(seconds(&watch) * 1e3);
        }
        took.sort_by(f64::total_cmp);
        commits.sort_by(f64::total_cmp);
        let at = |all: &[f64], share: f64| all[(all.len() as f64 * share) as usize];
        println!("\nwaking {SHOPS} shops of 100 open sessions, with a durable event each");
        println!("  asleep   p50 {:.2} ms   p99 {:.2} ms", at(&took, 0.5), at(&took, 0.99));
        println!("  awake    p50 {:.2} ms   p99 {:.2} ms", at(&commits, 0.5), at(&commits, 0.99));
    });
}

async fn post(desk: &Shops, shop: &Id, events: &[String], env: &Env) {
    let intakes = events.iter().map(|text| {
        let read = read_event(text, shop, env.clock.now()).expect("an object");
        match read.line {
            Line::Event(_, event) => IncomingEvent::Event {
                event,
                stamped: read.stamped,
                text: text.as_str().into(),
            },
            Line::Malformed(malformed) => panic!("{text}: {}", malformed.message),
        }
    });
    desk.post(shop, intakes.collect()).await.expect("an answer");
}
