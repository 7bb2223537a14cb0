//! A good shop's client beside hostile ones: how long its durable events take alone and while they are at it, in turns,
//! and how much memory the server takes.
//!
//! Alone and beside take turns, `rounds` of each, `seconds` long; what is printed is the median of the rounds. The good
//! client waits for each answer, and a little after it.

use std::io::{self, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::Asked;
use super::desk::{Desk, agents};
use super::support::deadline::{Deadline, Stopwatch};
use super::support::http::request;
use super::support::served::{Launch, Served, folder};

/// The pause after each of the good client's events.
const PAUSE: Duration = Duration::from_millis(2);

/// Connections that ask for long answers and read nothing.
const SILENT_READERS: usize = 200;

/// Connections with a body that lacks its last byte.
const UNFINISHED: usize = 200;

const BODY_BYTES: usize = 16 << 20;

/// Agents of the hostile shop's group, and lists that name it: just what a policy may hold.
const MEMBERS: usize = 10_000;
const LISTS: usize = 48;

/// Endpoints whose names nobody knows.
const ENDPOINTS: usize = 100;

/// What the hostile shop's senders post at once, and how many they are.
const FLOOD: usize = 100;
const SENDERS: usize = 16;

/// A hostile shop goes on until it is told to stop.
type Attack = fn(&Served, &AtomicBool);

/// Each with the word that asks for it alone.
const ATTACKS: [(&str, &str, Attack); 6] = [
    ("unread", "200 that read no answer", read_nothing),
    (
        "unfinished",
        "200 unfinished bodies of 16 MiB",
        finish_no_body,
    ),
    (
        "policies",
        "policies with 480,000 members, and events",
        change_the_policy,
    ),
    (
        "names",
        "100 webhooks with unknown names, tested",
        test_unknown_names,
    ),
    ("flood", "16 senders of 100 events, past the share", flood),
    (
        "repeats",
        "16 senders of 100 events that had come before",
        repeat,
    ),
];

/// What the good client saw in a round: milliseconds.
struct Seen {
    p50: f64,
    p99: f64,
    max: f64,
}

/// Prints a row an attack.
pub fn measure(asked: &Asked) -> io::Result<()> {
    let (seconds, rounds) = (asked.number("seconds", 4), asked.number("rounds", 5));
    println!("\nhostile: a good client's durable events, ms: alone, and beside");
    println!(
        "{:>42} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>6} {:>7}",
        "", "p50", "p99", "max", "p50", "p99", "max", "p99 x", "most MB"
    );
    let one = ATTACKS.iter().any(|(word, ..)| asked.has(word));
    for (_, name, attack) in ATTACKS.iter().filter(|(word, ..)| !one || asked.has(word)) {
        let (_place, data) = folder();
        // A shop may write as much as a busy one does in an hour; the flood is past it in a moment.
        let share = "shop.bytes_per_hour_max=64MiB";
        let served = Launch::on(&data).set(&[share]).start();
        for shop in ["good", "bad"] {
            let mut client = served.client();
            let path = format!("/v1/shops/{shop}");
            assert!(client.put(&path, r#"{"policy":{}}"#)?.status < 300);
            let agents = String::from_utf8_lossy(&agents()).into_owned();
            assert_eq!(client.post(&format!("{path}/events"), &agents)?.status, 200);
        }
        let mut desk = Desk::new(0, 0);
        let (mut alone, mut beside, mut most) = (Vec::new(), Vec::new(), 0);
        for _ in 0..rounds {
            alone.push(look(&served, &mut desk, seconds, &mut 0)?);
            let over = AtomicBool::new(false);
            std::thread::scope(|threads| {
                threads.spawn(|| attack(&served, &over));
                // It is at its worst a moment later.
                sleep(Duration::from_millis(500));
                let seen = look(&served, &mut desk, seconds, &mut most);
                over.store(true, Ordering::Relaxed);
                beside.push(seen?);
                io::Result::Ok(())
            })?;
            sleep(Duration::from_millis(500));
        }
        let (alone, beside) = (medians(&alone), medians(&beside));
        println!(
            "{name:>42} {:>7.2} {:>7.2} {:>7.1} {:>7.2} {:>7.2} {:>7.1} {:>6.2} {:>7}",
            alone.p50,
            alone.p99,
            alone.max,
            beside.p50,
            beside.p99,
            beside.max,
            beside.p99 / alone.p99,
            most >> 20
        );
    }
    Ok(())
}

/// The good client for so long. `most` grows to the bytes that the server takes.
fn look(served: &Served, desk: &mut Desk, seconds: u64, most: &mut u64) -> io::Result<Seen> {
    let mut client = served.client();
    let mut took = Histogram::<u64>::new(3).expect("a histogram");
    let end = Deadline::seconds(seconds);
    while !end.passed() {
        let event = String::from_utf8_lossy(&desk.body(1)).into_owned();
        let watch = Stopwatch::start();
        let answer = client.post("/v1/shops/good/events", &event)?;
        let micros = watch.passed().as_micros() as u64;
        assert_eq!(answer.status, 200, "{}", answer.text());
        took.record(micros).expect("a latency");
        *most = (*most).max(served.resident_bytes());
        sleep(PAUSE);
    }
    let ms = |micros: u64| micros as f64 / 1000.0;
    Ok(Seen {
        p50: ms(took.value_at_quantile(0.5)),
        p99: ms(took.value_at_quantile(0.99)),
        max: ms(took.max()),
    })
}

fn medians(seen: &[Seen]) -> Seen {
    let median = |of: fn(&Seen) -> f64| {
        let mut values: Vec<f64> = seen.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Seen {
        p50: median(|seen| seen.p50),
        p99: median(|seen| seen.p99),
        max: median(|seen| seen.max),
    }
}

/// Connections that send these bytes again and again, as far as they are taken, and read nothing.
fn push(
    served: &Served,
    over: &AtomicBool,
    connections: usize,
    of: impl Fn(usize) -> Rc<[u8]>,
    again: bool,
) {
    let connect = |number| {
        let stream = TcpStream::connect(served.address).ok()?;
        stream.set_nonblocking(true).ok()?;
        Some((stream, of(number), 0))
    };
    let mut all: Vec<(TcpStream, Rc<[u8]>, usize)> = (0..connections).filter_map(connect).collect();
    while !over.load(Ordering::Relaxed) {
        // One that was cut off goes, so that the attack's own work is little.
        all.retain_mut(|(stream, bytes, at)| {
            match stream.write(&bytes[*at..]) {
                Ok(sent) if again => *at = (*at + sent) % bytes.len(),
                Ok(sent) => *at += sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
            true
        });
        sleep(Duration::from_millis(1));
    }
}

fn read_nothing(served: &Served, over: &AtomicBool) {
    let paths = ["/openapi.json", "/docs/swagger-ui-bundle.js", "/metrics"];
    let of = |number: usize| {
        let one = request("GET", paths[number % paths.len()], "", b"");
        one.repeat(1000).into()
    };
    push(served, over, SILENT_READERS, of, true);
}

fn finish_no_body(served: &Served, over: &AtomicBool) {
    let head = format!(
        "POST /v1/shops/bad/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {BODY_BYTES}\r\n\r\n"
    );
    let bytes: Rc<[u8]> = [head.as_bytes(), &vec![b' '; BODY_BYTES - 1]]
        .concat()
        .into();
    push(served, over, UNFINISHED, |_| Rc::clone(&bytes), false);
}

fn change_the_policy(served: &Served, over: &AtomicBool) {
    let mut client = served.client();
    let members: Vec<String> = (0..MEMBERS).map(|n| format!("agent-{n}")).collect();
    let list = |n| (format!("e{n}"), serde_json::json!({"members": ["group:g"]}));
    let entries: serde_json::Map<_, _> = (0..LISTS).map(list).collect();
    let policy = serde_json::json!({"policy":
        {"routing": {"groups": {"g": members}, "entries": entries}}});
    let policy = policy.to_string();
    let count = AtomicU64::new(0);
    while !over.load(Ordering::Relaxed) {
        let _ = client.put("/v1/shops/bad", &policy);
        for entry in 0..LISTS {
            let n = count.fetch_add(1, Ordering::Relaxed);
            let event = format!(
                r#"{{"type":"session.opened","session":"p{n}","buyer":"p{n}","entry":"e{entry}"}}"#
            );
            let _ = client.post("/v1/shops/bad/events", &event);
        }
    }
}

fn test_unknown_names(served: &Served, over: &AtomicBool) {
    let mut client = served.client();
    let make = |n| {
        let url = format!(r#"{{"url":"http://nobody-{n}.invalid/"}}"#);
        let made = client.post("/v1/shops/bad/webhooks", &url).ok()?.json();
        Some(made["id"].as_str()?.to_owned())
    };
    let ids: Vec<String> = (0..ENDPOINTS).filter_map(make).collect();
    std::thread::scope(|threads| {
        for part in ids.chunks(ENDPOINTS.div_ceil(SENDERS)) {
            threads.spawn(move || {
                let mut client = served.client();
                for id in part.iter().cycle() {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    let _ = client.post(&format!("/v1/shops/bad/webhooks/{id}/test"), "{}");
                }
            });
        }
    });
}

fn flood(served: &Served, over: &AtomicBool) {
    // Events of another round are other events: what is sent again is only looked up.
    static ROUND: AtomicU64 = AtomicU64::new(0);
    let round = ROUND.fetch_add(1, Ordering::Relaxed);
    send_at_once(served, over, |sender| {
        let mut desk = Desk::new(sender + 1, round);
        move || desk.body(FLOOD)
    });
}

fn repeat(served: &Served, over: &AtomicBool) {
    send_at_once(served, over, |sender| {
        let body = Desk::new(sender + 1, 0).body(FLOOD);
        move || body.clone()
    });
}

/// Senders that post one body after the other.
fn send_at_once<B: FnMut() -> Vec<u8>>(
    served: &Served,
    over: &AtomicBool,
    bodies: impl Fn(usize) -> B + Sync,
) {
    let bodies = &bodies;
    std::thread::scope(|threads| {
        for sender in 0..SENDERS {
            threads.spawn(move || {
                let (mut client, mut next) = (served.client(), bodies(sender));
                let mut body = || String::from_utf8(next()).expect("JSON");
                let mut events = body();
                while !over.load(Ordering::Relaxed) {
                    let answer = client.post("/v1/shops/bad/events", &events);
                    // A client that must wait and does not sends the same again, a little later.
                    match answer.is_ok_and(|answer| answer.status >= 429) {
                        true => sleep(Duration::from_millis(10)),
                        false => events = body(),
                    }
                }
            });
        }
    });
}
