//! The live stream of the built program: every decision once and in order, despite broken connections and server
//! restarts. It ends when it must, delays no other client, and costs little.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::deadline::Deadline;
use crate::support::http::Client;
use crate::support::privilege::cannot_run;
use crate::support::served::{Launch, SMALL, Served, folder};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

/// Nothing that is waited for takes longer.
const WAIT: Duration = Duration::from_secs(60);

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    id: u64,
    event: String,
    data: String,
}

/// A connection to a stream, like a browser's: it keeps the `id` that it was told last.
struct Listener {
    stream: BufReader<TcpStream>,
    head: String,
    /// What came of the body and was not looked at.
    text: String,
    last_id: Option<u64>,
    /// Whether the body has come to its end.
    ended: bool,
}

impl Listener {
    fn open(address: SocketAddr, query: &str, last_id: Option<u64>) -> Listener {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(WAIT)).expect("a timeout");
        let cursor = last_id.map_or(String::new(), |id| format!("last-event-id: {id}\r\n"));
        let request =
            format!("GET /v1/shops/s/stream{query} HTTP/1.1\r\nhost: localhost\r\n{cursor}\r\n");
        stream.write_all(request.as_bytes()).expect("a request");
        let mut stream = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = stream.read_line(&mut head).expect("a head");
            assert!(read > 0, "the connection ended within {head:?}");
        }
        let mut listener = Listener {
            stream,
            head: head.to_ascii_lowercase(),
            text: String::new(),
            last_id,
            ended: false,
        };
        if listener.head.starts_with("http/1.1 200") {
            // The first bytes are there at once.
            listener.more();
            assert!(
                listener.text.starts_with("retry: 2000\n"),
                "{}",
                listener.text
            );
            listener.block();
        }
        listener
    }

    /// Takes the next chunk of the body.
    fn more(&mut self) {
        let mut size = String::new();
        match self.stream.read_line(&mut size) {
            Ok(0) => self.ended = true,
            Ok(_) => {
                let size = usize::from_str_radix(size.trim(), 16).expect("a size");
                let mut chunk = vec![0; size + 2];
                self.stream.read_exact(&mut chunk).expect("a chunk");
                chunk.truncate(size);
                self.text
                    .push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
                self.ended = size == 0;
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => self.ended = true,
            Err(error) => panic!("nothing came in time: {error}"),
        }
    }

    /// Takes a block of the text, if there is a whole one, and the event in it, if it has data.
    fn block(&mut self) -> Option<Option<Told>> {
        let (block, rest) = self.text.split_once("\n\n")?;
        let field = |name: &str| {
            let mut lines = block.lines();
            let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            found.map(str::to_owned)
        };
        let id = field("id").map(|id| id.parse().expect("a whole number"));
        self.last_id = id.or(self.last_id);
        let told = match (id, field("event"), field("data")) {
            (Some(id), Some(event), Some(data)) => Some(Told { id, event, data }),
            _ => None,
        };
        self.text = rest.to_owned();
        Some(told)
    }

    /// The next event that has data; nothing where the stream ends.
    fn next(&mut self) -> Option<Told> {
        let deadline = Deadline::after(WAIT);
        loop {
            match self.block() {
                Some(Some(told)) => return Some(told),
                Some(None) => {}
                None if self.ended => return None,
                None => self.more(),
            }
            assert!(!deadline.passed(), "no event came in time");
        }
    }
}

/// A shop `s` with nobody there: everybody who comes waits, which is one decision each.
fn shop(served: &Served) -> Client {
    shop_that_says(served, "")
}

/// The same; each of its decisions holds this prompt.
fn shop_that_says(served: &Served, prompt: &str) -> Client {
    let mut client = served.client();
    let queue = json!({"limit":0,"prompt":prompt,"busy_prompt":prompt});
    let policy = json!({"policy":{"routing":{"queue":queue}}}).to_string();
    let made = client.put("/v1/shops/s", &policy).expect("an answer");
    assert_eq!(made.status, 200, "{}", made.text());
    client
}

/// More than what the machine keeps of a connection that nobody reads, for a few thousand decisions.
fn long() -> String {
    "请稍候".repeat(400)
}

fn opened(n: u64) -> Value {
    json!({"type":"session.opened","session":format!("s{n}"),"buyer":format!("b{n}")})
}

fn post(client: &mut Client, events: &Value) {
    let answer = client.post("/v1/shops/s/events", &events.to_string());
    assert_eq!(answer.expect("an answer").status, 200);
}

/// The decisions as the list has them.
fn listed(client: &mut Client) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let path = format!("/v1/shops/s/decisions?limit=500&after={}", all.len());
        let answer = client.get(&path).expect("an answer");
        let text = answer.text();
        let items: Vec<Box<serde_json::value::RawValue>> =
            serde_json::from_str::<serde_json::Map<String, Value>>(&text)
                .ok()
                .and_then(|_| {
                    let (_, rest) = text.split_once("\"items\":")?;
                    let (items, _) = rest.rsplit_once(",\"next\":")?;
                    serde_json::from_str(items).ok()
                })
                .expect("a page");
        if items.is_empty() {
            return all;
        }
        all.extend(items.iter().map(|item| item.get().to_owned()));
    }
}

#[test]
fn every_decision_comes_once_across_reconnects_and_restarts() {
    let (_folder, data) = folder();
    let mut served = Launch::on(&data).set(&SMALL).start();
    let mut client = shop(&served);
    let mut heard: Vec<Told> = Vec::new();
    let mut last_id = None;
    let mut posted = 0;
    for round in 0..12u64 {
        let mut listener = Listener::open(served.address, "", last_id);
        let address = served.address;
        let from = posted;
        posted += 100;
        let poster = std::thread::spawn(move || {
            let mut client = Client::new(address);
            for n in (from..posted).step_by(4) {
                let events: Vec<Value> = (n..n + 4).map(opened).collect();
                post(&mut client, &json!(events));
            }
        });
        // It goes away at some point, at first before it has got anything, with some already on the way.
        for _ in 0..round * 15 % 120 {
            heard.extend(listener.next());
        }
        last_id = listener.last_id;
        drop(listener);
        poster.join().expect("a poster");
        if round % 4 == 3 {
            match round {
                3 => drop(served.kill()),
                _ => drop(served.stop()),
            }
            served = Launch::on(&data).set(&SMALL).start();
            client = served.client();
        }
    }
    let expected = listed(&mut client);
    assert_eq!(expected.len(), 1200);
    let mut listener = Listener::open(served.address, "", last_id);
    while heard.len() < expected.len() {
        heard.push(listener.next().expect("the stream goes on"));
    }
    for (n, (told, listed)) in heard.iter().zip(&expected).enumerate() {
        assert_eq!((told.id, &told.data), (n as u64 + 1, listed));
        assert_eq!(told.event, "session.queued");
    }
    // And it goes on from there.
    post(&mut client, &opened(posted));
    assert_eq!(listener.next().expect("news").id, 1201);
}

#[test]
fn a_stream_begins_where_it_is_told_to_and_has_what_is_asked_for() {
    let (_folder, data) = folder();
    let served = Launch::on(&data).set(&SMALL).start();
    let mut client = shop(&served);
    let events: Vec<Value> = (0..9)
        .map(opened)
        .chain([json!({"type":"nonsense"})])
        .collect();
    post(&mut client, &json!(events));
    let head = Listener::open(served.address, "", None).head;
    for header in [
        "content-type: text/event-stream\r\n",
        "cache-control: no-store\r\n",
        "x-accel-buffering: no\r\n",
        "transfer-encoding: chunked\r\n",
    ] {
        assert!(head.contains(header), "{head}");
    }
    for (query, last_id, first) in [
        ("", None, 11),
        ("?after=0", None, 1),
        ("?after=7", None, 8),
        ("?after=7", Some(3), 4),
        ("", Some(10), 11),
        ("?types=event.rejected", Some(2), 10),
        ("?types=event.rejected,session.queued&after=2", None, 3),
        // Of another shop that had the name before: this one's are all new.
        ("", Some(5000), 1),
    ] {
        let mut listener = Listener::open(served.address, query, last_id);
        if first == 11 {
            post(
                &mut client,
                &json!([{"type":"nonsense"}, {"type":"nonsense"}]),
            );
        }
        let told = listener.next().expect("an event").id;
        match first {
            11 => assert!(told > 10, "{query} {last_id:?}"),
            first => assert_eq!(told, first, "{query} {last_id:?}"),
        }
    }
    for (query, header, status) in [
        ("?after=x", "", 400),
        ("?types=session.opened", "", 400),
        ("?limit=1", "", 400),
        ("", "last-event-id: -1\r\n", 400),
        ("?after=1", "last-event-id: one\r\n", 400),
    ] {
        let request =
            format!("GET /v1/shops/s/stream{query} HTTP/1.1\r\nhost: localhost\r\n{header}\r\n");
        let answer = served
            .client()
            .exchange(request.as_bytes())
            .expect("an answer");
        assert_eq!(
            (answer.status, answer.json()["code"].clone()),
            (status, json!("malformed")),
            "{query} {header}"
        );
    }
    let answer = client.get("/v1/shops/nowhere/stream").expect("an answer");
    assert_eq!(
        (answer.status, answer.json()["code"].clone()),
        (404, json!("shop_unknown"))
    );
}

#[test]
fn a_stream_ends_with_its_shop() {
    let (_folder, data) = folder();
    let served = Launch::on(&data).set(&SMALL).start();
    let mut client = shop(&served);
    post(&mut client, &json!([opened(0), opened(1)]));
    let mut listener = Listener::open(served.address, "?after=1", None);
    assert_eq!(listener.next().expect("an event").id, 2);
    let gone = client
        .send("DELETE", "/v1/shops/s", "", b"")
        .expect("an answer");
    assert_eq!(gone.status, 204);
    assert_eq!(listener.next(), None);
    let last_id = listener.last_id;
    // Made anew it begins anew, and whoever comes back misses nothing of it.
    let mut client = shop(&served);
    post(&mut client, &opened(7));
    let mut listener = Listener::open(served.address, "", last_id);
    assert_eq!(listener.next().expect("an event").id, 1);
}

/// Listeners that wait, whose streams end as they should, and one that takes nothing of what there is for it.
#[test]
fn a_server_stops_with_streams_open() {
    let (_folder, data) = folder();
    // A server that waited for whoever takes nothing would not end in time.
    let served = Launch::on(&data)
        .set(&SMALL)
        .set(&["http.shutdown_timeout=1h"])
        .start();
    let mut client = shop_that_says(&served, &long());
    let mut listeners: Vec<Listener> = (0..20)
        .map(|_| Listener::open(served.address, "?types=event.rejected", None))
        .collect();
    many(&mut client, 8_000);
    let stalled = Listener::open(served.address, "?after=0", None);
    // Long enough for what the machine keeps of a connection to be full.
    Deadline::after(Duration::from_secs(1)).poll(|| None::<()>);
    let said = served.stop();
    assert!(said.status.success(), "{said:?}");
    for listener in &mut listeners {
        while listener.next().is_some() {}
    }
    drop(stalled);
}

/// A shop's first `n` decisions.
fn many(client: &mut Client, n: u64) {
    for from in (0..n).step_by(1_000) {
        let events: Vec<Value> = (from..n.min(from + 1_000)).map(opened).collect();
        post(client, &json!(events));
    }
}

#[test]
fn a_reader_that_takes_nothing_costs_little_and_one_far_behind_catches_up() {
    const DECISIONS: u64 = 8_000;
    const READERS: usize = 40;
    let (_folder, data) = folder();
    let served = Launch::on(&data).set(&SMALL).start();
    let mut client = shop_that_says(&served, &long());
    many(&mut client, DECISIONS);
    // One warms the caches up.
    let mut first = Listener::open(served.address, "?after=0", None);
    for seq in 1..=DECISIONS {
        assert_eq!(first.next().expect("an event").id, seq);
    }
    let before = served.resident_bytes();
    let stalled: Vec<Listener> = (0..READERS)
        .map(|_| Listener::open(served.address, "?after=0", None))
        .collect();
    let worst = || served.resident_bytes().saturating_sub(before);
    let mut grown = 0;
    Deadline::seconds(2).poll(|| {
        grown = grown.max(worst());
        None::<()>
    });
    // All that is left for them would be 40 times 30 MB.
    println!(
        "{READERS} readers that take nothing cost {} kB",
        grown / 1024
    );
    assert!(grown < (2 << 20) * READERS as u64, "{grown} bytes");
    for mut late in stalled.into_iter().take(2) {
        for seq in 1..=DECISIONS {
            assert_eq!(late.next().expect("an event").id, seq);
        }
    }
}

#[test]
fn a_thousand_listeners_cost_less_than_50_mb() {
    const LISTENERS: usize = 1_000;
    let limit = getrlimit(Resource::Nofile);
    if let Some(most) = limit.maximum.filter(|most| *most < 2 * LISTENERS as u64) {
        let why = format!("{most} files may be open");
        return cannot_run("the test of a thousand listeners", &why);
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("as many files as the machine allows");
    let (_folder, data) = folder();
    let served = Launch::on(&data).set(&SMALL).start();
    let mut client = shop(&served);
    post(&mut client, &opened(0));
    drop(Listener::open(served.address, "?after=0", None));
    let before = served.resident_bytes();
    let mut listeners: Vec<Listener> = (0..LISTENERS)
        .map(|_| Listener::open(served.address, "", None))
        .collect();
    let idle = served.resident_bytes().saturating_sub(before);
    // All of them hear the next word.
    post(&mut client, &opened(1));
    for listener in &mut listeners {
        assert_eq!(listener.next().expect("an event").id, 2);
    }
    let told = served.resident_bytes().saturating_sub(before);
    println!(
        "{LISTENERS} listeners cost {} kB, and {} kB once all were told something",
        idle / 1024,
        told / 1024
    );
    assert!(
        idle < 50 << 20 && told < 50 << 20,
        "{idle} bytes, then {told}"
    );
}
