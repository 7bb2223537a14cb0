//! The resources that a client can occupy, on real sockets: unread responses, endless requests, unfinished heads and
//! bodies, connections and handshakes. Each is bounded, is released in time, returns its memory, and disturbs no other
//! client. A server stops in order despite all of them.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::support::deadline::{Deadline, Stopwatch};
use crate::support::http::{Answer, read_answer};
use crate::support::served::{Launch, SMALL, Served, folder};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Nothing that is waited for takes longer.
const WAIT_S: u64 = 60;

/// A client that is cut off in the middle of a request's head for its unread answers must not be cut off for the head
/// before that, however slow the machine is.
const UNHURRIED: &str = "http.header_timeout=10m";

/// A request as it goes over the wire.
fn request(method: &str, path: &str, key: &str, body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    if !key.is_empty() {
        text += &format!("authorization: Bearer {key}\r\n");
    }
    if !body.is_empty() {
        let length = body.len();
        text += &format!("content-type: application/json\r\ncontent-length: {length}\r\n");
    }
    format!("{text}\r\n{body}").into_bytes()
}

fn ask(served: &Served, method: &str, path: &str, key: &str, body: &str) -> Answer {
    let bytes = request(method, path, key, body);
    served.client().exchange(&bytes).expect("an answer")
}

/// A server with keys, and its admin's key.
fn with_keys(launch: Launch) -> (Served, String) {
    let served = launch.set(&SMALL).start();
    let key = Deadline::seconds(WAIT_S).poll(|| {
        let said = served.said();
        let key = said.lines().find(|line| line.trim().starts_with("xek_"))?;
        Some(key.trim().to_owned())
    });
    (served, key.expect("the first key"))
}

fn connect(served: &Served) -> TcpStream {
    let stream = TcpStream::connect(served.address).expect("a connection");
    let wait = Some(Duration::from_secs(WAIT_S));
    stream.set_read_timeout(wait).expect("a timeout");
    stream.set_write_timeout(wait).expect("a timeout");
    stream
}

/// The next answer on a connection on which only one is on its way.
fn answer_on(stream: &TcpStream) -> std::io::Result<Answer> {
    read_answer(&mut BufReader::new(stream.try_clone()?))
}

/// One series of `/metrics`.
fn metric(served: &Served, key: &str, series: &str) -> f64 {
    let text = ask(served, "GET", "/metrics", key, "").text();
    let line = text.lines().find_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        (name == series).then(|| value.parse().ok())?
    });
    line.unwrap_or_else(|| panic!("no {series} in {text}"))
}

/// Whether the other end has closed; what it still sends is read and forgotten.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).expect("no waiting");
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(_) => return true,
        }
    }
}

/// Waits until the other end has closed.
fn closes(stream: &mut TcpStream, what: &str) {
    let closed = Deadline::seconds(WAIT_S).poll(|| is_closed(stream).then_some(()));
    assert!(closed.is_some(), "{what}: the connection is still open");
}

/// A client that sends requests without end and reads nothing.
struct Hostile {
    stream: TcpStream,
    requests: Vec<u8>,
    at: usize,
}

impl Hostile {
    fn new(served: &Served, path: &str) -> Hostile {
        let stream = connect(served);
        stream.set_nonblocking(true).expect("no waiting");
        Hostile {
            stream,
            requests: request("GET", path, "", "").repeat(1000),
            at: 0,
        }
    }

    /// Sends what can be sent; whether the connection is there.
    fn go_on(&mut self) -> bool {
        loop {
            match self.stream.write(&self.requests[self.at..]) {
                Ok(sent) => self.at = (self.at + sent) % self.requests.len(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
    }
}

/// What takes a key is refused with an answer, too.
const PATHS: [&str; 4] = [
    "/openapi.json",
    "/docs/swagger-ui-bundle.js",
    "/metrics",
    "/v1/shops",
];

/// More than this no 200 clients without a key may cost.
const RESIDENT_BYTES_MAX: u64 = 150 << 20;

#[test]
fn those_who_read_nothing_cost_little_and_are_let_go() {
    let (_place, data) = folder();
    let limits = ["http.write_timeout=2s", UNHURRIED, "workers=2"];
    let launch = Launch::with_keys(&data).set(&limits);
    let (served, key) = with_keys(launch);
    let mut good = served.client();
    let mut most = 0;
    for round in 0..3 {
        let mut hostile: Vec<Hostile> = (0..200)
            .map(|number| Hostile::new(&served, PATHS[number % PATHS.len()]))
            .collect();
        // A good client is answered all the while, and they all go, though they send on. A busy machine lets them go
        // slowly: the wait begins anew whenever one has gone.
        while !hostile.is_empty() {
            let before = hostile.len();
            let gone = Deadline::seconds(WAIT_S).poll(|| {
                hostile.retain_mut(Hostile::go_on);
                let answer = good.exchange(&request("GET", "/v1/shops", &key, ""));
                assert_eq!(answer.expect("an answer").status, 200);
                most = most.max(served.resident_bytes());
                (hostile.len() < before).then_some(())
            });
            assert!(gone.is_some(), "{before} are still there");
        }
        assert!(
            most < RESIDENT_BYTES_MAX,
            "{} MB in round {round}",
            most >> 20
        );
    }
    let cut = metric(
        &served,
        &key,
        "xiaoer_connections_cut_total{why=\"not_taken\"}",
    );
    assert!(cut >= 600.0, "{cut}");
    let left = Deadline::seconds(WAIT_S).poll(|| {
        // The good client's and this one.
        (metric(&served, &key, "xiaoer_connections") <= 2.0).then_some(())
    });
    assert!(left.is_some(), "connections are left behind");
    assert!(served.log().contains("not_taken"), "the log says nothing");
    assert!(served.stop().status.success());
}

#[test]
fn a_server_that_is_full_of_them_serves_again() {
    let (_place, data) = folder();
    let launch = Launch::on(&data).set(&SMALL);
    let limits = [
        "http.write_timeout=1s",
        "http.connections_max=50",
        UNHURRIED,
        "workers=2",
    ];
    let served = launch.set(&limits).start();
    let mut hostile: Vec<Hostile> = (0..110)
        .map(|_| Hostile::new(&served, "/openapi.json"))
        .collect();
    for _ in 0..3 {
        hostile.retain_mut(Hostile::go_on);
    }
    let answer = ask(&served, "GET", "/healthz", "", "");
    assert_eq!(answer.status, 200);
    assert!(served.stop().status.success());
}

#[test]
fn all_that_waits_is_bounded_too() {
    let (_place, data) = folder();
    // A quarter of it is for clients without a key: some three of them.
    let limits = [
        "http.answers_bytes_max=1MiB",
        "http.write_timeout=10m",
        UNHURRIED,
        "workers=1",
    ];
    let (served, key) = with_keys(Launch::with_keys(&data).set(&limits));
    let mut hostile: Vec<Hostile> = (0..40)
        .map(|_| Hostile::new(&served, "/docs/swagger-ui-bundle.js"))
        .collect();
    let few = Deadline::seconds(WAIT_S).poll(|| {
        hostile.retain_mut(Hostile::go_on);
        (hostile.len() < 10).then_some(())
    });
    assert!(few.is_some(), "{} are still there", hostile.len());
    // Who has a key has the rest.
    for _ in 0..3 {
        let answer = ask(&served, "GET", "/openapi.json", &key, "");
        assert_eq!(answer.status, 200);
    }
    let full = "xiaoer_connections_cut_total{why=\"answers_full\"}";
    assert!(metric(&served, &key, full) >= 30.0);
    assert!(served.stop().status.success());
}

#[test]
fn a_server_stops_in_order_while_they_are_there() {
    let (_place, data) = folder();
    let launch = Launch::on(&data).set(&SMALL);
    let limits = [
        "http.write_timeout=10m",
        "http.shutdown_timeout=10m",
        UNHURRIED,
    ];
    let served = launch.set(&limits).start();
    let mut hostile: Vec<Hostile> = (0..60)
        .map(|number| Hostile::new(&served, PATHS[number % 3]))
        .collect();
    for _ in 0..5 {
        assert!(hostile.iter_mut().all(Hostile::go_on));
    }
    // It waits for none of them: the harness would not wait for ten minutes.
    let said = served.stop();
    assert!(said.status.success(), "{said:?}");
    assert!(said.err.contains("stopped"), "{said:?}");
}

/// A request of each kind that a body makes a difference to, and what is answered.
fn kinds(number: usize) -> (Vec<u8>, u16, &'static str) {
    let event = |name: &str| format!("{{\"type\":\"clock\",\"id\":\"{name}-{number}\"}}");
    let head = "POST /v1/shops/s/events HTTP/1.1\r\nhost: localhost\r\n";
    match number % 7 {
        0 => (request("GET", "/healthz", "", ""), 200, "{\"ok\":true}"),
        1 => {
            let body = event("one");
            let path = "/v1/shops/s/events";
            (request("POST", path, "", &body), 200, "\"results\"")
        }
        2 => {
            // Lines with empty ones between them, which look like the ends of heads.
            let lines = format!("{}\n\n\r\n{}\n\n", event("a"), event("b"));
            let length = lines.len();
            let head = format!(
                "{head}content-type: application/x-ndjson\r\ncontent-length: {length}\r\n\r\n"
            );
            ((head + &lines).into_bytes(), 200, "\"results\"")
        }
        3 => {
            let lines: String = (0..300)
                .map(|line| event(&format!("c{line}")) + "\n\n")
                .collect();
            let mut text = format!(
                "{head}content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
            );
            for chunk in lines.as_bytes().chunks(1000) {
                text += &format!("{:x}\r\n", chunk.len());
                text += std::str::from_utf8(chunk).expect("plain letters");
                text += "\r\n";
            }
            ((text + "0\r\n\r\n").into_bytes(), 200, "\"results\"")
        }
        4 => (request("GET", "/openapi.json", "", ""), 200, "\"paths\""),
        5 => {
            let body = "{\"policy\":\n\n{}\r\n\r\n}";
            let path = "/v1/shops/s/policy/check";
            (request("POST", path, "", body), 200, "\"ok\":true")
        }
        _ => {
            // As the standard asks, empty lines before a request are passed over.
            let bytes = [b"\r\n\r\n".to_vec(), request("GET", "/nowhere", "", "")].concat();
            (bytes, 404, "/docs")
        }
    }
}

#[test]
fn many_requests_at_once_are_answered_in_order_however_they_come() {
    let (_place, data) = folder();
    let served = Launch::on(&data).set(&SMALL).start();
    assert_eq!(
        ask(&served, "PUT", "/v1/shops/s", "", "{\"policy\":{}}").status,
        200
    );
    for seed in 0..6 {
        let mut luck = StdRng::seed_from_u64(seed);
        let all: Vec<_> = (0..140).map(kinds).collect();
        let mut stream = connect(&served);
        let mut reader = BufReader::new(stream.try_clone().expect("the same socket"));
        let bytes: Vec<u8> = all.iter().flat_map(|(bytes, ..)| bytes.clone()).collect();
        let sending = std::thread::spawn(move || {
            let mut left = &bytes[..];
            while !left.is_empty() {
                let most = [1, 40, 3000, 200_000][luck.random_range(0..4)];
                let (now, later) = left.split_at(luck.random_range(1..=most.min(left.len())));
                stream.write_all(now).expect("a piece");
                left = later;
            }
            stream
        });
        for (number, (_, status, text)) in all.iter().enumerate() {
            let answer = read_answer(&mut reader).expect("an answer");
            assert_eq!(
                answer.status,
                *status,
                "{number} of {seed}: {}",
                answer.text()
            );
            assert!(
                answer.text().contains(text),
                "{number} of {seed}: {}",
                answer.text()
            );
        }
        // Nothing follows them.
        let stream = sending.join().expect("all is sent");
        stream.shutdown(Shutdown::Write).expect("no more");
        let mut rest = Vec::new();
        assert_eq!(reader.read_to_end(&mut rest).expect("its end"), 0);
    }
    assert!(served.stop().status.success());
}

#[test]
fn a_head_that_is_not_finished_ends_its_connection() {
    let (_place, data) = folder();
    let launch = Launch::on(&data).set(&SMALL);
    let served = launch
        .set(&["http.header_timeout=1s", "http.keep_alive=1h"])
        .start();
    let whole = request("GET", "/healthz", "", "");
    for (what, first, then) in [
        ("the first head", false, whole[..20].to_vec()),
        ("the second head", true, whole[..20].to_vec()),
        ("the first letter of the second", true, b"G".to_vec()),
        (
            "a long head",
            true,
            [&whole[..20], &[b'x'; 100_000]].concat(),
        ),
    ] {
        let mut stream = connect(&served);
        if first {
            stream.write_all(&whole).expect("a request");
            assert_eq!(answer_on(&stream).expect("an answer").status, 200);
        }
        stream.write_all(&then).expect("some bytes");
        closes(&mut stream, what);
    }
    // Between two requests nothing is asked for, but for what stands between them.
    let mut stream = connect(&served);
    let mut reader = BufReader::new(stream.try_clone().expect("the same socket"));
    for _ in 0..2 {
        stream.write_all(&whole).expect("a request");
        assert_eq!(read_answer(&mut reader).expect("an answer").status, 200);
        stream.write_all(b"\r\n").expect("an empty line");
        let quiet = Deadline::after(Duration::from_millis(1500));
        assert_eq!(quiet.poll(|| is_closed(&mut stream).then_some(())), None);
        stream.set_nonblocking(false).expect("waiting");
    }
    assert!(served.stop().status.success());
}

#[test]
fn an_address_has_so_many_connections_without_a_key() {
    let (_place, data) = folder();
    let limits = ["http.connections_per_peer=20", "http.header_timeout=1h"];
    let (served, key) = with_keys(Launch::with_keys(&data).set(&limits));
    let is_open = |stream: &mut TcpStream, bytes: &[u8]| {
        stream.set_nonblocking(false).expect("waiting");
        let sent = stream.write_all(bytes);
        let answer = sent.and_then(|()| answer_on(stream));
        answer.map(|answer| answer.status).ok()
    };
    let (health, shops) = (
        request("GET", "/healthz", "", ""),
        request("GET", "/v1/shops", &key, ""),
    );
    let wrong = request("GET", "/v1/shops", "xek_00000000_wrong", "");
    let mut first: Vec<TcpStream> = (0..20).map(|_| connect(&served)).collect();
    for stream in &mut first {
        assert_eq!(is_open(stream, &health), Some(200));
        assert_eq!(is_open(stream, &wrong), Some(401));
    }
    closes(&mut connect(&served), "one too many");
    // With a good key they count no more.
    for stream in &mut first {
        assert_eq!(is_open(stream, &shops), Some(200));
    }
    let mut second: Vec<TcpStream> = (0..20).map(|_| connect(&served)).collect();
    for stream in first.iter_mut().chain(&mut second) {
        assert_eq!(is_open(stream, &health), Some(200));
    }
    closes(&mut connect(&served), "one too many again");
    // One that goes makes room.
    second.pop();
    let again = Deadline::seconds(WAIT_S).poll(|| is_open(&mut connect(&served), &health));
    assert_eq!(again, Some(200));
    drop((first, second));
    assert!(served.stop().status.success());
    let proxies = [
        "http.connections_per_peer=1",
        "http.proxies=10.0.0.1, 127.0.0.0/8",
    ];
    let served = Launch::with_keys(&data).set(&SMALL).set(&proxies).start();
    let mut many: Vec<TcpStream> = (0..30).map(|_| connect(&served)).collect();
    for stream in &mut many {
        assert_eq!(is_open(stream, &health), Some(200));
    }
    assert!(served.stop().status.success());
}

/// A body that is sent but for its last byte.
struct Unfinished {
    stream: TcpStream,
    left: usize,
    /// Whether the other end has gone.
    cut_off: bool,
}

const BODY_BYTES: usize = 4 << 20;

/// So many of them are 32 MiB.
const HELD_MAX: usize = 8;

impl Unfinished {
    fn new(served: &Served) -> Unfinished {
        let mut stream = connect(served);
        let head = format!(
            "POST /v1/shops/s/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {BODY_BYTES}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("a head");
        stream.set_nonblocking(true).expect("no waiting");
        Unfinished {
            stream,
            left: BODY_BYTES - 1,
            cut_off: false,
        }
    }

    /// Sends what can be sent; whether there is more to send, and somebody takes it.
    fn go_on(&mut self) -> bool {
        let blanks = [b' '; 64 * 1024];
        while self.left > 0 {
            match self.stream.write(&blanks[..self.left.min(blanks.len())]) {
                Ok(sent) => self.left -= sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => {
                    self.cut_off = true;
                    return false;
                }
            }
        }
        false
    }

    /// What it was answered, if it was.
    fn answer(&mut self) -> Option<Answer> {
        let mut first = [0];
        let peeked = self.stream.peek(&mut first);
        peeked.ok().filter(|bytes| *bytes > 0)?;
        self.stream.set_nonblocking(false).expect("waiting");
        answer_on(&self.stream).ok()
    }
}

#[test]
fn all_bodies_together_are_bounded_and_given_back() {
    let (_place, data) = folder();
    let limits = ["http.bodies_bytes_max=32MiB", "http.body_timeout=10m"];
    let launch = Launch::on(&data).set(&SMALL).set(&limits);
    // The allocator gives back at once what is freed, so that what is seen is what is held.
    let served = launch.env("MIMALLOC_PURGE_DELAY", "0").start();
    assert_eq!(
        ask(&served, "PUT", "/v1/shops/s", "", "{\"policy\":{}}").status,
        200
    );
    let before = served.resident_bytes();
    let clock = "{\"type\":\"clock\"}";
    for round in 0..2 {
        let mut bodies: Vec<Unfinished> = (0..60).map(|_| Unfinished::new(&served)).collect();
        let mut refused = 0;
        let mut most = 0;
        let sent = Deadline::seconds(WAIT_S).poll(|| {
            let going = bodies.iter_mut().map(Unfinished::go_on);
            let going = going.filter(|going| *going).count();
            most = most.max(served.resident_bytes().saturating_sub(before));
            // What is small finds room all the while.
            assert_eq!(
                ask(&served, "POST", "/v1/shops/s/events", "", clock).status,
                200
            );
            bodies.retain_mut(|body| match body.answer() {
                Some(answer) => {
                    assert_eq!(answer.status, 503, "{}", answer.text());
                    assert_eq!(answer.header("retry-after"), Some("1"));
                    assert_eq!(answer.json()["code"], "busy");
                    refused += 1;
                    false
                }
                None => true,
            });
            // Who was still sending when it was refused may have lost the answer with its connection.
            bodies.retain(|body| !body.cut_off);
            (going == 0 && bodies.len() <= HELD_MAX).then_some(())
        });
        assert!(
            sent.is_some(),
            "{} bodies are held in round {round}",
            bodies.len()
        );
        assert!(refused > 0, "none was told in round {round}");
        // 240 MB were sent. Beside what counts, each connection has its buffers.
        assert!(most < 100 << 20, "{} MB in round {round}", most >> 20);
    }
    // Their connections are gone, and with them what they held.
    let whole = " ".repeat(BODY_BYTES - clock.len()) + clock;
    let taken = Deadline::seconds(WAIT_S).poll(|| {
        let answer = ask(&served, "POST", "/v1/shops/s/events", "", &whole);
        (answer.status == 200).then_some(())
    });
    assert!(taken.is_some(), "what was held is not given back");
    assert!(served.stop().status.success());
}

#[test]
fn a_refused_body_says_so_before_it_is_sent() {
    let (_place, data) = folder();
    let limits = ["http.bodies_bytes_max=1MiB"];
    let served = Launch::on(&data).set(&SMALL).set(&limits).start();
    let body = Unfinished::new(&served);
    body.stream.set_nonblocking(false).expect("waiting");
    let answer = answer_on(&body.stream).expect("an answer");
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("1"))
    );
    assert!(served.stop().status.success());
}

/// Rounds in which the client's system may still acknowledge at once.
const WARM_UP: usize = 20;

/// Gaps between the two answers to requests that are sent at once. Where a small answer waits until the one before is
/// acknowledged, each is as long as a client may put that off, 40 ms; else it is what the second takes. So the shortest
/// tenth tells, however busy the machine is; the disk has no part in it.
#[test]
fn a_second_answer_does_not_wait_for_the_first_to_be_acknowledged() {
    let (_place, data) = folder();
    let launch = Launch::on(&data).set(&SMALL);
    let served = launch.set(&["journal.sync=false"]).start();
    let made = ask(&served, "PUT", "/v1/shops/s", "", "{\"policy\":{}}");
    assert_eq!(made.status, 200);
    let mut stream = connect(&served);
    let mut reader = BufReader::new(stream.try_clone().expect("the same socket"));
    let event = "{\"type\":\"clock\"}";
    let two = request("POST", "/v1/shops/s/events", "", event).repeat(2);
    let mut gaps = Vec::new();
    for _ in 0..100 + WARM_UP {
        stream.write_all(&two).expect("two requests");
        assert_eq!(read_answer(&mut reader).expect("an answer").status, 200);
        let watch = Stopwatch::start();
        assert_eq!(read_answer(&mut reader).expect("an answer").status, 200);
        gaps.push(watch.passed());
    }
    gaps.drain(..WARM_UP);
    gaps.sort();
    assert!(gaps[10] < Duration::from_millis(30), "{gaps:?}");
    assert!(served.stop().status.success());
}
