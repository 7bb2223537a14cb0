//! A shop that is stored and restored decides like one that was not, and has the same bytes.
//!
//! Two installations play generated traces, and the real ones if they exist, side by side. One of them stores and
//! restores all its shops and its ledger after every few events. `XIAOER_SEEDS=0..2000 cargo test --release --test core
//! stored_shops::` plays more generated traces.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::differential::seeds;
use crate::model::generate::trace;
use crate::support::crowd;
use crate::support::shared::shared;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xiaoer::domain::base::id::Id;
use xiaoer::domain::explain::decision_sink::DecisionSink;
use xiaoer::domain::installation::{create, reject_without_shop};
use xiaoer::domain::protocol::decision::ErrorCode;
use xiaoer::domain::protocol::rejection::Rejection;
use xiaoer::domain::read::{invariants, report};
use xiaoer::domain::state::shared_invites::MemoryLedger;
use xiaoer::domain::state::shop::Shop;
use xiaoer::wire::{Line, WrittenDecision, read_line};

/// How many threads share the generated traces.
const THREADS: usize = 4;

/// After how many events a desk puts everything away.
const EVERY: [usize; 7] = [1, 2, 3, 1, 7, 20, 50];

fn written<T: Serialize>(what: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(what, bincode::config::standard()).expect("memory")
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, bincode::error::DecodeError> {
    let (what, length) = bincode::serde::decode_from_slice(bytes, bincode::config::standard())?;
    assert_eq!(length, bytes.len(), "something was left over");
    Ok(what)
}

#[derive(Default)]
struct Desk {
    shops: BTreeMap<Id, Shop>,
    ledger: MemoryLedger,
}

impl Desk {
    /// The decisions of one line, as they are written.
    fn play(&mut self, line: &str) -> String {
        let mut out = DecisionSink::default();
        let shop = match read_line(line).expect("a JSON object") {
            Line::Malformed(malformed) => {
                let known = malformed
                    .shop
                    .as_ref()
                    .and_then(|id| self.shops.get_mut(id));
                if let Some(shop) = known {
                    let no = Rejection::new(ErrorCode::Malformed, malformed.message);
                    shop.reject(&malformed.event, no, &mut out);
                }
                malformed.shop
            }
            Line::Event(id, event) => {
                match self.shops.get_mut(&id) {
                    Some(shop) => {
                        shop.take(&event, &mut self.ledger, &mut out);
                    }
                    None => match create(&id, &event) {
                        Ok(mut shop) => {
                            shop.take(&event, &mut self.ledger, &mut out);
                            self.shops.insert(id.clone(), shop);
                        }
                        Err(no) => {
                            out.push(reject_without_shop(event.what.name(), Some(event.at), no));
                        }
                    },
                }
                Some(id)
            }
        };
        let shop = shop.as_deref().unwrap_or_default();
        let lines = out.decisions.iter().map(|decision| {
            serde_json::to_string(&WrittenDecision::new(shop, decision))
                .expect("a decision is JSON")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn bytes(&self) -> Vec<Vec<u8>> {
        let shops = self.shops.values().map(written);
        shops.chain([written(&self.ledger)]).collect()
    }

    /// Goes on with what it reads.
    fn put_away(&mut self, bytes: &[Vec<u8>]) {
        for (shop, bytes) in self.shops.values_mut().zip(bytes) {
            *shop = read(bytes).expect("a shop");
        }
        self.ledger = read(bytes.last().expect("the ledger's")).expect("a ledger");
    }

    fn reports(&mut self) -> String {
        let reports = self.shops.values().map(report::report);
        serde_json::to_string(&reports.collect::<Vec<_>>()).expect("a report is JSON")
    }
}

/// Plays a trace on both desks; how often everything was put away.
fn compare(name: &str, lines: &[String], every: usize, audited: bool) -> usize {
    let (mut kept, mut stored) = (Desk::default(), Desk::default());
    let mut times = 0;
    for (number, line) in lines.iter().enumerate() {
        let (expected, actual) = (kept.play(line), stored.play(line));
        assert_eq!(actual, expected, "{name}, line {}: {line}", number + 1);
        if number % every == 0 {
            let bytes = stored.bytes();
            assert!(
                bytes == kept.bytes(),
                "{name}, line {}: other bytes, {line}",
                number + 1
            );
            stored.put_away(&bytes);
            assert!(
                bytes == stored.bytes(),
                "{name}, line {}: other bytes once read, {line}",
                number + 1
            );
            times += 1;
            for shop in stored.shops.values().filter(|_| audited) {
                let audit = invariants::audit(shop);
                assert_eq!(audit, Ok(()), "{name}, line {}: {line}", number + 1);
            }
        }
    }
    assert_eq!(stored.reports(), kept.reports(), "{name}");
    times
}

#[test]
fn a_stored_shop_decides_the_same() {
    let seeds = seeds(0..150);
    let count = seeds.end.saturating_sub(seeds.start) as usize;
    let play = |seed: u64| {
        let every = EVERY[seed as usize % EVERY.len()];
        let trace = trace(seed, if every == 1 { 150 } else { 400 });
        compare(&format!("seed {seed}"), &trace.lines, every, true)
    };
    // Several threads share the seeds: this is the longest test of the core.
    let next = AtomicU64::new(seeds.start);
    let share = || {
        let taken = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let own = taken.take_while(|seed| *seed < seeds.end);
        own.map(play).sum::<usize>()
    };
    let times: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(share)).collect();
        let played = threads.into_iter().map(|thread| thread.join());
        played.map(|times| times.expect("a thread that ends")).sum()
    });
    // A few traces may be among those that are stored seldom.
    let enough = times > 40 * count || (1..EVERY.len()).contains(&count);
    assert!(enough, "only {times} times in {count} traces");
}

/// Thousands of buyers, sessions and ids that are forgotten, so that numbers are given again.
#[test]
fn a_stored_shop_forgets_the_same() {
    compare("the crowd", &crowd::lines(), 997, false);
}

#[test]
fn a_real_day_goes_on_the_same() {
    for (name, every) in [
        ("callcentre-day.jsonl", 499),
        ("livechat-february.jsonl", 4_999),
    ] {
        let Some(path) = shared(&format!("data/{name}")) else {
            println!("{name} not found: this test is skipped");
            continue;
        };
        let text = std::fs::read_to_string(path).expect("a readable trace");
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        compare(name, &lines, every, false);
    }
}

/// A golden file: its form, the trace that made the shop, and what goes on from there.
struct Golden {
    form: u16,
    trace: Vec<String>,
    after: [&'static str; 5],
}

impl Golden {
    fn path(&self, ending: &str) -> PathBuf {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
        Path::new(golden).join(format!("shop-{}.{ending}", self.form))
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path("bin")).expect("the golden file")
    }

    /// The shop that this core makes of the trace.
    fn made(&self) -> Desk {
        let mut made = Desk::default();
        for line in &self.trace {
            let taken = made.play(line);
            assert!(!taken.contains("event.rejected"), "{line}: {taken}");
        }
        made
    }

    /// The desk with the shop of the file. It has no ledger: this shop alone is in its space, so nobody else has sent
    /// anything.
    fn read(&self) -> Desk {
        let shop: Shop = read(&self.bytes()).expect("a shop");
        let mut read = Desk::default();
        read.shops.insert(shop.id().clone(), shop);
        read
    }
}

/// Writes the golden file of the newest form anew where it is `write`: only for a form that no release has written yet.
const GOLDEN_WRITE: &str = "XIAOER_GOLDEN";

fn goldens() -> [Golden; 2] {
    [
        Golden {
            form: 1,
            trace: golden_trace_1(),
            after: GOLDEN_AFTER_1,
        },
        Golden {
            form: 2,
            trace: golden_trace_2(),
            after: GOLDEN_AFTER_2,
        },
    ]
}

fn stamped(events: &[(&str, &str)]) -> Vec<String> {
    let stamped = |(time, event): &(&str, &str)| {
        let rest = event.strip_prefix('{').expect("an object");
        format!(r#"{{"at":"2026-11-11T{time}+08:00","shop":"golden",{rest}"#)
    };
    events.iter().map(stamped).collect()
}

/// The trace of the golden shop of form 1: something in every corner that the first edition of the rules had.
fn golden_trace_1() -> Vec<String> {
    let policy = r#"{"preset":"douyin","buyer_space":"golden","routing":{"strategy":"fewest_today",
        "groups":{"presale":["anna","role:night"]},
        "entries":{"live":{"questions":{"几天发货":["bo"]},"members":["group:presale"]},"order_detail":{"members":["bo"]}},
        "order_status":{"unpaid":["bo"]},"offline":{"mode":"rota","members":["dai"]},"queue":{"max_wait":"2h"}},
        "session":{"close_after_buyer_silence":"90m"},
        "auto_reply":{"offline":{"enabled":true,"text":"稍后回复"}},
        "invite":{"auto":true,"auto_percent":62.5,"after":["agent","buyer"],"manual":true,"longer_than":"0s"},
        "rating":{"window":"1h"},"service":{"reply":{"count_bot":false},"min_sample":1}}"#;
    let policy: serde_json::Value = serde_json::from_str(policy).expect("JSON");
    let configured = serde_json::json!({ "type": "shop.configured", "policy": policy }).to_string();
    let events = [
        ("10:00:00", configured.as_str()),
        (
            "10:00:00",
            r#"{"type":"agent.configured","agent":"anna","name":"安娜","capacity":1,"weight":2}"#,
        ),
        (
            "10:00:00",
            r#"{"type":"agent.configured","agent":"bo","roles":["agent","aftersale"],"capacity":2}"#,
        ),
        (
            "10:00:00",
            r#"{"type":"agent.configured","agent":"carl","roles":["agent","night"]}"#,
        ),
        (
            "10:00:00",
            r#"{"type":"agent.configured","agent":"dai","roles":["manager","agent"]}"#,
        ),
        (
            "10:00:01",
            r#"{"type":"session.opened","session":"s0","buyer":"b0"}"#,
        ),
        ("10:00:02", r#"{"type":"buyer.message","session":"s0"}"#),
        ("10:01:00", r#"{"type":"agent.online","agent":"anna"}"#),
        ("10:01:00", r#"{"type":"agent.online","agent":"bo"}"#),
        ("10:01:00", r#"{"type":"agent.online","agent":"carl"}"#),
        (
            "10:01:30",
            r#"{"type":"session.opened","session":"s1","buyer":"b1","entry":"live","id":"e1"}"#,
        ),
        ("10:01:31", r#"{"type":"buyer.message","session":"s1"}"#),
        ("10:01:40", r#"{"type":"agent.message","session":"s1"}"#),
        ("10:02:00", r#"{"type":"invite.requested","session":"s1"}"#),
        (
            "10:02:10",
            r#"{"type":"rating.submitted","session":"s1","stars":1,"reasons":["attitude","slow"]}"#,
        ),
        (
            "10:02:20",
            r#"{"type":"session.closed","session":"s1","by":"buyer"}"#,
        ),
        (
            "10:03:00",
            r#"{"type":"session.opened","session":"s2","buyer":"b2","bot":true}"#,
        ),
        ("10:03:01", r#"{"type":"buyer.message","session":"s2"}"#),
        ("10:03:02", r#"{"type":"bot.message","session":"s2"}"#),
        ("10:04:00", r#"{"type":"agent.away","agent":"carl"}"#),
        (
            "10:04:00",
            r#"{"type":"session.opened","session":"s3","buyer":"b3","entry":"live","question":"几天发货"}"#,
        ),
        (
            "10:04:01",
            r#"{"type":"session.opened","session":"s4","buyer":"b4","order_status":"unpaid"}"#,
        ),
        (
            "10:04:02",
            r#"{"type":"session.opened","session":"s5","buyer":"b5","entry":"live","question":"几天发货","id":"e5"}"#,
        ),
        (
            "10:04:03",
            r#"{"type":"session.opened","session":"s6","buyer":"b6","entry":"order_detail"}"#,
        ),
        (
            "10:04:04",
            r#"{"type":"session.opened","session":"s7","buyer":"b7","entry":"live","question":"几天发货"}"#,
        ),
        ("10:04:10", r#"{"type":"buyer.message","session":"s5"}"#),
        (
            "10:04:20",
            r#"{"type":"buyer.flagged","buyer":"b9","risk":true}"#,
        ),
        (
            "10:05:00",
            r#"{"type":"session.opened","session":"s8","buyer":"b8","bot":true}"#,
        ),
        ("10:05:10", r#"{"type":"buyer.message","session":"s8"}"#),
        (
            "10:05:20",
            r#"{"type":"session.handoff","session":"s8","order_status":"unpaid"}"#,
        ),
        ("10:05:30", r#"{"type":"agent.message","session":"s3"}"#),
        (
            "10:06:00",
            r#"{"type":"session.closed","session":"s4","by":"agent","id":"e9"}"#,
        ),
        ("10:06:30", r#"{"type":"agent.removed","agent":"carl"}"#),
    ];
    stamped(&events)
}

const GOLDEN_AFTER_1: [&str; 5] = [
    r#"{"at":"2026-11-11T10:07:00+08:00","shop":"golden","type":"session.opened","session":"x","buyer":"x","id":"e5"}"#,
    r#"{"at":"2026-11-11T10:07:00+08:00","shop":"golden","type":"session.transferred","session":"s2","to":"anna"}"#,
    r#"{"at":"2026-11-11T10:08:00+08:00","shop":"golden","type":"session.closed","session":"s3","by":"agent"}"#,
    r#"{"at":"2026-11-11T10:09:00+08:00","shop":"golden","type":"session.opened","session":"s9","buyer":"b1"}"#,
    r#"{"at":"2026-11-11T13:00:00+08:00","shop":"golden","type":"clock"}"#,
];

/// The trace of the golden shop of form 2: something in every corner that the second edition of the rules has.
fn golden_trace_2() -> Vec<String> {
    let policy = r#"{"preset":"pinduoduo","buyer_space":"golden","routing":{"strategy":"least_saturated",
        "recent":{"window":"0s"},"groups":{"presale":["anna","role:night"]},
        "entries":{"live":{"questions":{"几天发货":["bo"]},"members":["group:presale"]},"order_detail":{"members":["bo"]}},
        "order_status":{"unpaid":["bo"],"shipped":["bo","eva"]},"when_scope_offline":"wait",
        "offline":{"mode":"rota","members":["dai"],"hand_over":"online"},
        "queue":{"max_wait":"2h","leave_grace":"5m"},"priority":{"age":"1m"},
        "take_back":{"after":"1m","max":2,"otherwise":"queue","away_after":2}},
        "hours":{"week":{"wed":["09:00-18:00"],"thu":["09:00-12:00","13:00-18:00"]},"days":{"2026-11-12":[]},
            "outside":"offline","prompt":"明天再来"},
        "session":{"close_after_buyer_silence":"90m","on_agent_offline":"keep","wrap_up":"30m","late_reply":"1h",
            "lateness":"10m"},
        "auto_reply":{"offline":{"enabled":true,"text":"稍后回复"},"closed":{"enabled":true,"text":"打烊了"}},
        "invite":{"auto":true,"after":["agent","buyer"],"manual":true,"longer_than":"0s","auto_quiet":"0s"},
        "rating":{"window":"1s"},"service":{"reply":{"within":"2m","unit":"round","in_hours":true},
            "good_rate":{"min":0.8,"human":true},"min_sample":1,"daily":true}}"#;
    let policy: serde_json::Value = serde_json::from_str(policy).expect("JSON");
    let configured = serde_json::json!({ "type": "shop.configured", "policy": policy }).to_string();
    #[rustfmt::skip]
    let events = [
        ("10:00:00", configured.as_str()),
        ("10:00:00", r#"{"type":"agent.configured","agent":"anna","name":"安娜","capacity":2,"weight":2}"#),
        ("10:00:00", r#"{"type":"agent.configured","agent":"bo","roles":["agent","aftersale"],"capacity":2}"#),
        ("10:00:00", r#"{"type":"agent.configured","agent":"carl","roles":["agent","night"],"capacity":1}"#),
        ("10:00:00", r#"{"type":"agent.configured","agent":"dai","roles":["manager","agent"]}"#),
        ("10:00:00", r#"{"type":"agent.configured","agent":"eva","capacity":1}"#),
        // The rota's, which is handed over when anna comes online; she answers, is rated, and her place stays taken.
        ("10:00:01", r#"{"type":"session.opened","session":"s0","buyer":"b0"}"#),
        ("10:00:02", r#"{"type":"buyer.message","session":"s0"}"#),
        ("10:01:00", r#"{"type":"agent.online","agent":"anna"}"#),
        ("10:01:10", r#"{"type":"agent.message","session":"s0"}"#),
        ("10:01:20", r#"{"type":"invite.requested","session":"s0"}"#),
        ("10:01:30", r#"{"type":"rating.submitted","session":"s0","stars":1,"reasons":["attitude","slow"]}"#),
        ("10:01:40", r#"{"type":"session.closed","session":"s0","by":"buyer","id":"e0"}"#),
        // One with the bot, one that was with it, one that the bot has lost for good.
        ("10:02:00", r#"{"type":"session.opened","session":"s1","buyer":"b1","bot":true,"priority":3}"#),
        ("10:02:01", r#"{"type":"buyer.message","session":"s1"}"#),
        ("10:02:02", r#"{"type":"bot.message","session":"s1"}"#),
        ("10:02:03", r#"{"type":"session.opened","session":"s2","buyer":"b2","bot":true}"#),
        ("10:02:04", r#"{"type":"buyer.message","session":"s2"}"#),
        ("10:02:05", r#"{"type":"session.closed","session":"s2","by":"system"}"#),
        ("10:02:06", r#"{"type":"rating.submitted","session":"s2","level":"neutral","reasons":["late"]}"#),
        // Bo does not answer: one session goes to eva, one to the queue, and bo is set away.
        ("10:03:00", r#"{"type":"agent.online","agent":"bo"}"#),
        ("10:03:01", r#"{"type":"session.opened","session":"s3","buyer":"b3","order_status":"shipped"}"#),
        ("10:03:02", r#"{"type":"buyer.message","session":"s3"}"#),
        ("10:03:03", r#"{"type":"session.opened","session":"s4","buyer":"b4","order_status":"shipped"}"#),
        ("10:03:04", r#"{"type":"buyer.message","session":"s4"}"#),
        ("10:03:30", r#"{"type":"agent.online","agent":"eva"}"#),
        ("10:04:10", r#"{"type":"clock"}"#),
        // Nobody serves these pools; one buyer goes away, one has a rank, one writes twice and is late.
        ("10:05:00", r#"{"type":"session.opened","session":"s5","buyer":"b5","entry":"order_detail"}"#),
        ("10:05:01", r#"{"type":"buyer.left","session":"s5"}"#),
        ("10:05:02", r#"{"type":"buyer.ranked","buyer":"b6","priority":4}"#),
        ("10:05:03", r#"{"type":"session.opened","session":"s6","buyer":"b6","entry":"order_detail"}"#),
        ("10:05:04", r#"{"type":"session.opened","session":"s7","buyer":"b7","entry":"live","question":"几天发货","id":"e7"}"#),
        ("10:05:05", r#"{"type":"session.ranked","session":"s7","priority":2}"#),
        ("10:05:06", r#"{"type":"buyer.message","session":"s7"}"#),
        ("10:05:07", r#"{"type":"buyer.message","session":"s7"}"#),
        // Anna is full and late with one of two; carl takes one, answers late, and is blocked the next.
        ("10:06:00", r#"{"type":"session.opened","session":"s8","buyer":"b8"}"#),
        ("10:06:01", r#"{"type":"buyer.message","session":"s8"}"#),
        ("10:06:20", r#"{"type":"agent.online","agent":"carl"}"#),
        ("10:06:30", r#"{"type":"session.opened","session":"s9","buyer":"b9","entry":"live"}"#),
        ("10:06:31", r#"{"type":"buyer.message","session":"s9"}"#),
        ("10:06:40", r#"{"type":"session.closed","session":"s9","by":"agent"}"#),
        ("10:06:35", r#"{"type":"agent.message","session":"s9"}"#),
        ("10:06:50", r#"{"type":"buyer.blocked","buyer":"b9","blocked":true,"until":"2026-11-12T10:00:00+08:00"}"#),
        ("10:06:51", r#"{"type":"buyer.blocked","buyer":"b10","blocked":true}"#),
        ("10:06:52", r#"{"type":"buyer.flagged","buyer":"b11","risk":true}"#),
        ("10:07:00", r#"{"type":"session.opened","session":"s12","buyer":"b12","entry":"live"}"#),
        ("10:07:05", r#"{"type":"rating.opened","session":"s9"}"#),
        ("10:08:20", r#"{"type":"clock"}"#),
        ("10:08:21", r#"{"type":"agent.removed","agent":"dai"}"#),
    ];
    stamped(&events)
}

const GOLDEN_AFTER_2: [&str; 5] = [
    r#"{"at":"2026-11-11T10:08:22+08:00","shop":"golden","type":"session.opened","session":"x","buyer":"b9"}"#,
    r#"{"at":"2026-11-11T10:07:30+08:00","shop":"golden","type":"agent.message","session":"s8"}"#,
    r#"{"at":"2026-11-11T10:08:23+08:00","shop":"golden","type":"agent.online","agent":"bo"}"#,
    r#"{"at":"2026-11-11T10:30:00+08:00","shop":"golden","type":"session.closed","session":"s6","by":"agent"}"#,
    r#"{"at":"2026-11-12T13:00:00+08:00","shop":"golden","type":"clock"}"#,
];

/// A golden file of each form decodes for ever, and goes on as that release would have.
#[test]
fn the_golden_shops_go_on() {
    if std::env::var(GOLDEN_WRITE).is_ok_and(|value| value == "write") {
        let [.., newest] = goldens();
        let made = newest.made();
        let shop = made.shops.values().next().expect("the shop");
        std::fs::write(newest.path("bin"), written(shop)).expect("the golden file");
    }
    for golden in goldens() {
        let mut read = golden.read();
        let seq = read.shops.values().next().map(Shop::seq);
        let mut said = vec![format!("seq {}", seq.expect("a shop")), read.reports()];
        said.extend(golden.after.map(|line| read.play(line)));
        let path = golden.path("txt");
        expect_test::expect_file![path].assert_eq(&said.join("\n\n"));
    }
}

/// A shop of form 1 goes on like one that this core made of the same events: what the form does not know makes no
/// difference for events that the first edition of the rules knew.
#[test]
fn a_shop_of_form_1_goes_on_like_one_that_was_made_anew() {
    let [first, ..] = goldens();
    let (mut made, mut read) = (first.made(), first.read());
    let policy = |desk: &Desk| desk.shops.values().next().map(Shop::policy_shared);
    assert_eq!(policy(&read), policy(&made));
    for line in first.after {
        assert_eq!(read.play(line), made.play(line), "{line}");
    }
}

/// Whatever the bytes are, reading ends with a shop or an error; cut off, they are no shop.
#[test]
fn nonsense_is_an_error() {
    let read = |bytes: &[u8]| {
        // Without a limit a length that is nonsense would be taken at its word.
        let config = bincode::config::standard().with_limit::<{ 1 << 20 }>();
        bincode::serde::decode_from_slice::<Shop, _>(bytes, config).map(|(shop, _)| shop)
    };
    for golden in goldens() {
        let bytes = golden.bytes();
        assert!(read(&bytes).is_ok());
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "the first {length} bytes");
        }
        let mut refused = 0;
        for place in 0..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut spoilt = bytes.clone();
                spoilt[place] ^= change;
                refused += usize::from(read(&spoilt).is_err());
            }
        }
        assert!(refused > 500, "only {refused} refused");
        let mut newer = bytes.clone();
        newer[0] = 3;
        let error = read(&newer)
            .map(|_| ())
            .expect_err("another form")
            .to_string();
        assert!(error.contains("form 3"), "{error}");
    }
}

/// A ledger that is made anew from the invites that were written down counts as the one that was claimed from.
#[test]
fn a_ledger_is_made_anew_from_its_invites() {
    use xiaoer::domain::base::time::{DAY_MS, Instant};
    use xiaoer::domain::state::shared_invites::{Claim, Ledger};
    let id = |text: &str| Id::new(text).expect("an id");
    let (mut claimed, mut booked) = (MemoryLedger::default(), MemoryLedger::default());
    let claim = |ledger: &mut MemoryLedger, shop: &str, buyer: &str, at: i64, send: bool| {
        let on_day = |instant: Instant| instant.ms() / DAY_MS == at / DAY_MS;
        ledger.claim(&Claim {
            shop: &id(shop),
            space: &id("space"),
            buyer: &id(buyer),
            at: Instant::from_ms(at),
            on_day: &on_day,
            cap: 2,
            send,
        })
    };
    for (shop, buyer, at, others) in [
        ("a", "b1", 0, 0),
        ("b", "b1", 1, 1),
        ("c", "b1", 2, 2),
        ("c", "b2", 3, 0),
        ("a", "b1", DAY_MS, 0),
        ("c", "b1", DAY_MS + 1, 1),
    ] {
        assert_eq!(claim(&mut claimed, shop, buyer, at, true), others);
        if others < 2 {
            booked.book(&id(shop), &id("space"), &id(buyer), Instant::from_ms(at));
        }
        let mut back: MemoryLedger = read(&written(&booked)).expect("a ledger");
        assert_eq!(written(&back), written(&booked));
        for (shop, buyer) in [("a", "b1"), ("b", "b1"), ("d", "b1"), ("d", "b2")] {
            let expected = claim(&mut claimed, shop, buyer, at, false);
            assert_eq!(
                claim(&mut back, shop, buyer, at, false),
                expected,
                "{shop} {buyer}"
            );
        }
    }
}
