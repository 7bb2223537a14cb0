//! Hostile input to a real server: arbitrary bytes, bodies that are cut off, slow, too long or compressed, thousands of
//! silent connections, and a clock that jumps. Each gets a clear response, has no partial effect, and leaves the server
//! working for the next client.

use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use crate::support::deadline::{Deadline, Stopwatch};
use crate::support::desk::path;
use crate::support::http::{Answer, Client, read_answer, request};
use crate::support::privilege::cannot_run;
use crate::support::served::{Launch, SMALL, Served, argument, folder};
use crate::support::shim::build;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

const EVENTS: &str = "/v1/shops/s/events";

fn launch(data: &Path) -> Launch {
    Launch::on(data).set(&SMALL)
}

/// A server with one shop, `s`.
fn shop(launch: Launch) -> Served {
    let served = launch.start();
    let answer = served
        .client()
        .put("/v1/shops/s", r#"{"policy":{}}"#)
        .expect("an answer");
    assert!(answer.status < 300, "{}", answer.text());
    served
}

fn opened(number: u64) -> Value {
    json!({ "type": "session.opened", "id": format!("o{number}"), "session": format!("s{number}"),
            "buyer": format!("b{number}") })
}

/// A new buyer is served; who is not would wait until the client gives up.
fn serves(client: &mut Client, number: u64) {
    let answer = client
        .post(EVENTS, &opened(number).to_string())
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// All decisions of the shop, which have no gap.
fn decisions(client: &mut Client) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let query = path("s", &format!("/decisions?after={}&limit=500", all.len()));
        let answer = client.get(&query).expect("decisions").json();
        let items = answer["items"].as_array().cloned().expect("items");
        if items.is_empty() {
            return all;
        }
        for decision in items {
            all.push(decision);
            assert_eq!(all[all.len() - 1]["seq"], all.len(), "a gap");
        }
    }
}

/// Ends a server that must not have panicked, whatever it was sent.
fn ends_well(served: Served) {
    let said = served.stop();
    assert!(
        said.status.success() && !said.err.contains("panicked"),
        "{said:?}"
    );
}

/// A problem document, as every refusal is.
fn problem(answer: &Answer, statuses: &[u16], what: &str) {
    assert!(
        statuses.contains(&answer.status),
        "{what}: {} {}",
        answer.status,
        answer.text()
    );
    let kind = answer.header("content-type");
    assert_eq!(
        kind,
        Some("application/problem+json"),
        "{what}: {}",
        answer.text()
    );
    assert!(
        answer.json()["detail"].is_string(),
        "{what}: {}",
        answer.text()
    );
}

#[test]
fn a_bad_event_in_the_middle_stops_nobody() {
    let (_place, data) = folder();
    let served = shop(launch(&data));
    let mut client = served.client();
    for (number, bad) in [
        r#"{"type":"no.such"}"#,
        r#"{"type":"session.opened","session":7}"#,
        r#"{"type":"session.opened"}"#,
        r#"{"type":"session.closed","session":"nobody","by":"agent"}"#,
        r#"{"type":"buyer.message","session":"x","colour":"red"}"#,
        r#"{"type":"agent.message","session":"x","kind":"telepathy"}"#,
        r#"{"type":"clock","at":"yesterday"}"#,
        r#"{"type":"shop.configured","policy":{"preset":"none"}}"#,
        r#"{}"#,
        "null",
        "17",
        r#""text""#,
        "[]",
        r#"{"type":"clock","shop":"other"}"#,
    ]
    .into_iter()
    .enumerate()
    {
        let before = decisions(&mut client).len();
        let [first, last] = [opened(number as u64 * 2), opened(number as u64 * 2 + 1)];
        let body = format!("[{first},{bad},{last}]");
        let answer = client.post(EVENTS, &body).expect("an answer");
        assert_eq!(answer.status, 200, "{bad}: {}", answer.text());
        let results = answer.json()["results"].clone();
        assert_eq!(
            results.as_array().map(Vec::len),
            Some(3),
            "{bad}: {results}"
        );
        for (at, event) in [(0, first), (2, last)] {
            assert_eq!(results[at]["id"], event["id"], "{bad}: {results}");
            assert_eq!(
                results[at]["decisions"][0]["type"], "session.queued",
                "{bad}: {results}"
            );
        }
        let rejected = &results[1]["decisions"][0];
        let refused = rejected["type"] == "event.rejected" || results[1]["problem"].is_object();
        assert!(refused, "{bad}: {results}");
        let lines = [r#"{"type":"clock"}"#, bad, r#"{"type":"clock"}"#].join("\n");
        let answer = client.send("POST", EVENTS, "application/x-ndjson", lines.as_bytes());
        let answer = answer.expect("an answer").json();
        assert_eq!(
            answer["results"].as_array().map(Vec::len),
            Some(3),
            "{bad}: {answer}"
        );
        assert!(decisions(&mut client).len() >= before + 3, "{bad}");
    }
    ends_well(served);
}

/// Bodies that are like real ones, and are not: pieces left out, doubled, turned, put elsewhere.
fn mutated(luck: &mut StdRng) -> Vec<u8> {
    let whole = [
        opened(luck.random_range(0..1000)).to_string(),
        json!([opened(1), { "type": "clock" }, { "type": "agent.online", "agent": "a" }])
            .to_string(),
        json!({ "policy": { "preset": "douyin", "routing": { "queue": { "limit": 3 } } } })
            .to_string(),
        json!({ "presence": "online", "lease": "30s" }).to_string(),
        "{\"type\":\"rating.submitted\",\"session\":\"s1\",\"stars\":5,\"comment\":\"好\\ud83d\"}"
            .to_owned(),
    ];
    let mut bytes = whole[luck.random_range(0..whole.len())]
        .clone()
        .into_bytes();
    for _ in 0..luck.random_range(1..6) {
        if bytes.is_empty() {
            break;
        }
        let at = luck.random_range(0..bytes.len());
        match luck.random_range(0..6) {
            0 => bytes.truncate(at),
            1 => bytes[at] = luck.random(),
            2 => bytes.insert(at, luck.random()),
            3 => _ = bytes.remove(at),
            4 => {
                let piece = bytes[at..].to_vec();
                bytes.extend_from_slice(&piece);
            }
            _ => bytes[at] = b"{}[]\",:\\0-e."[luck.random_range(0..12)],
        }
    }
    bytes
}

#[test]
fn any_bytes_to_any_door_are_answered() {
    let (_place, data) = folder();
    let served = shop(launch(&data));
    let mut client = served.client();
    let doors = [
        ("POST", "/events"),
        ("PUT", "/policy"),
        ("POST", "/policy/check"),
        ("PUT", "/agents/a"),
        ("PUT", "/agents/a/presence"),
        ("PUT", ""),
    ];
    let mut luck = StdRng::seed_from_u64(4);
    for number in 0..1200 {
        let (method, rest) = doors[luck.random_range(0..doors.len())];
        let content = ["application/json", "application/x-ndjson"][luck.random_range(0..2)];
        let body = mutated(&mut luck);
        let what = || {
            format!(
                "{number}: {method} {rest} {}",
                String::from_utf8_lossy(&body)
            )
        };
        let answer = client.send(method, &path("s", rest), content, &body);
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", what()));
        if answer.status >= 300 {
            problem(&answer, &[400, 404, 409, 413, 415, 422, 429], &what());
        }
    }
    for (target, statuses) in [
        ("/v1/shops/s/decisions?after=-1", &[400][..]),
        (
            "/v1/shops/s/decisions?after=99999999999999999999999",
            &[400],
        ),
        ("/v1/shops/s/decisions?limit=0", &[400]),
        ("/v1/shops/s/decisions?cursor=%00%ff", &[400]),
        ("/v1/shops/%00/decisions", &[400, 404]),
        ("/v1/shops/%ff/decisions", &[400, 404]),
        ("/v1/shops/s/decisions/0", &[400, 404]),
        ("/v1/shops/s/decisions/x/why", &[400, 404]),
        ("/v1/shops/s/sessions?state=asleep", &[400]),
        ("/v1/shops/s/ratings?level=%F0%9F%99%82", &[400]),
        ("/v1/shops/nobody/report", &[404]),
        ("/no/such/door", &[404]),
    ] {
        let answer = client.get(target).expect("an answer");
        problem(&answer, statuses, target);
    }
    decisions(&mut client);
    // Some mutation may have left a policy under which nobody may wait.
    let answer = client
        .put(&path("s", ""), r#"{"policy":{}}"#)
        .expect("an answer");
    assert!(answer.status < 500, "{}", answer.text());
    serves(&mut client, 900_001);
    ends_well(served);
}

#[test]
fn json_that_is_deep_or_huge_is_refused() {
    let (_place, data) = folder();
    let served = shop(launch(&data).set(&["http.body_bytes_max=1MiB"]));
    let mut client = served.client();
    for (what, body) in [
        ("deep arrays", "[".repeat(200_000)),
        (
            "deep objects",
            r#"{"type":"#.to_owned() + &r#"{"a":"#.repeat(100_000),
        ),
        (
            "closed and deep",
            format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        ),
        ("a number", format!("[{}]", "9".repeat(300_000))),
        (
            "10,001 events",
            format!("[{}]", vec!["{}"; 10_001].join(",")),
        ),
    ] {
        let answer = client.post(EVENTS, &body).expect("an answer");
        assert!(
            answer.status == 200 || (400..500).contains(&answer.status),
            "{what}: {}",
            answer.status
        );
    }
    // Announced or not, too long is told.
    let long = vec![b' '; (1 << 20) + 1];
    let answer = announced(&served, EVENTS, 1 << 40);
    problem(&answer, &[413], "a body of a terabyte, announced");
    let mut stream = connect(&served);
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    stream.get_mut().write_all(head.as_bytes()).expect("a head");
    let chunk = [
        format!("{:x}\r\n", long.len()).as_bytes(),
        &long,
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    // The server may close before it has read all of it.
    let _ = stream.get_mut().write_all(&chunk);
    problem(
        &read_answer(&mut stream).expect("an answer"),
        &[413],
        "a body of a megabyte and one byte",
    );
    serves(&mut served.client(), 1);
    ends_well(served);
}

fn connect(served: &Served) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(served.address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    BufReader::new(stream)
}

/// The answer to a head that announces a body, of which nothing is sent.
fn announced(served: &Served, path: &str, bytes: u64) -> Answer {
    let mut stream = connect(served);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {bytes}\r\n\r\n"
    );
    stream.get_mut().write_all(head.as_bytes()).expect("a head");
    read_answer(&mut stream).expect("an answer")
}

#[test]
fn a_compressed_body_is_not_opened() {
    let (_place, data) = folder();
    let served = shop(launch(&data));
    for encoding in ["gzip", "deflate", "br", "zstd", "gzip, gzip"] {
        let mut stream = connect(&served);
        let head = format!(
            "POST {EVENTS} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-encoding: {encoding}\r\ncontent-length: 20\r\n\r\n"
        );
        stream.get_mut().write_all(head.as_bytes()).expect("a head");
        stream.get_mut().write_all(&[0x1f; 20]).expect("a body");
        let answer = read_answer(&mut stream).expect("an answer");
        problem(&answer, &[415], encoding);
    }
    serves(&mut served.client(), 1);
    ends_well(served);
}

#[test]
fn a_body_that_is_cut_off_did_nothing() {
    let (_place, data) = folder();
    let served = shop(launch(&data));
    let mut client = served.client();
    let events: Vec<Value> = (0..50).map(opened).collect();
    let whole = request(
        "POST",
        EVENTS,
        "application/json",
        json!(events).to_string().as_bytes(),
    );
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let lines = request(
        "POST",
        EVENTS,
        "application/x-ndjson",
        lines.join("\n").as_bytes(),
    );
    for bytes in [whole, lines] {
        for part in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
            let mut stream = connect(&served);
            stream.get_mut().write_all(&bytes[..part]).expect("a part");
            stream
                .get_mut()
                .shutdown(std::net::Shutdown::Write)
                .expect("no more");
            // A server may answer that it was cut off, or say nothing; it closes.
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let text = String::from_utf8_lossy(&answer);
            assert!(
                answer.is_empty() || text.starts_with("HTTP/1.1 4"),
                "{part}: {text}"
            );
            assert_eq!(
                decisions(&mut client),
                Vec::<Value>::new(),
                "{part} of {}",
                bytes.len()
            );
        }
    }
    serves(&mut client, 1);
    ends_well(served);
}

#[test]
fn slow_bodies_are_cut_off_and_disturb_nobody() {
    let (_place, data) = folder();
    let served = shop(launch(&data).set(&["http.body_timeout=1s"]));
    let watch = Stopwatch::start();
    let mut slow: Vec<BufReader<TcpStream>> = (0..100).map(|_| connect(&served)).collect();
    let head = format!(
        "POST {EVENTS} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"
    );
    for stream in &mut slow {
        stream.get_mut().write_all(head.as_bytes()).expect("a head");
    }
    let (mut client, mut number) = (served.client(), 0);
    // A byte at a time, for as long as the server takes it, while a good client is served.
    let cut = Deadline::seconds(15).poll(|| {
        number += 1;
        serves(&mut client, number);
        slow.retain_mut(|stream| {
            let _ = stream.get_mut().write_all(b" ");
            stream.get_mut().set_nonblocking(true).expect("no waiting");
            let mut byte = [0];
            let open = stream
                .get_mut()
                .peek(&mut byte)
                .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
            stream.get_mut().set_nonblocking(false).expect("waiting");
            open
        });
        slow.is_empty().then_some(())
    });
    assert!(
        cut.is_some(),
        "{} slow bodies are still read after {:?}",
        slow.len(),
        watch.passed()
    );
    assert!(
        watch.passed() >= Duration::from_secs(1),
        "cut off too soon: {:?}",
        watch.passed()
    );
    let mut stream = connect(&served);
    stream.get_mut().write_all(head.as_bytes()).expect("a head");
    problem(
        &read_answer(&mut stream).expect("an answer"),
        &[408],
        "a body that does not come",
    );
    ends_well(served);
}

#[test]
fn what_is_no_http_is_refused() {
    let (_place, data) = folder();
    let served = shop(launch(&data));
    let long = "x".repeat(1 << 20);
    let many = "a: b\r\n".repeat(50_000);
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"\r\n\r\n\r\n".to_vec(),
        b"HELO x\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        vec![0; 10_000],
        format!("GET /{long} HTTP/1.1\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\nlong: {long}\r\n\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n").into_bytes(),
        format!("POST {EVENTS} HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n").into_bytes(),
        format!("POST {EVENTS} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{{}}").into_bytes(),
        format!("POST {EVENTS} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{{}}\r\n").into_bytes(),
        format!("POST {EVENTS} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{{}}").into_bytes(),
    ] {
        let what: String = String::from_utf8_lossy(&bytes).chars().take(80).collect();
        let mut stream = connect(&served);
        let _ = stream.get_mut().write_all(&bytes);
        let _ = stream.get_mut().shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        // Refused in words or by closing; what counts is that it is over, and that nothing was accepted.
        let over = stream.read_to_end(&mut answer);
        let timed_out = over.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        let text = String::from_utf8_lossy(&answer);
        assert!(!timed_out, "{what:?} is still open: {text}");
        assert!(answer.is_empty() || text.starts_with("HTTP/1.1 4"), "{what:?}: {text}");
    }
    let mut client = served.client();
    assert_eq!(decisions(&mut client), Vec::<Value>::new());
    serves(&mut client, 1);
    ends_well(served);
}

/// Connections that say nothing.
const IDLE: u64 = 10_000;

#[test]
fn thousands_of_idle_connections_disturb_nobody() {
    let limit = getrlimit(Resource::Nofile);
    let room = limit.maximum.unwrap_or(u64::MAX);
    if room < IDLE + 500 {
        return cannot_run(
            "the test of idle connections",
            &format!("{room} files may be open"),
        );
    }
    let raised = Rlimit {
        current: Some(room.min(IDLE * 2)),
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        return cannot_run("the test of idle connections", &error.to_string());
    }
    let (_place, data) = folder();
    // They come from one address, as those of a proxy do.
    let served = shop(launch(&data).set(&["http.proxies=127.0.0.1"]));
    let mut client = served.client();
    serves(&mut client, 0);
    let before = served.resident_bytes();
    let mut idle = Vec::new();
    for number in 1..=IDLE {
        idle.push(TcpStream::connect(served.address).expect("one more connection"));
        if number.is_multiple_of(1000) {
            serves(&mut client, number);
            serves(&mut served.client(), number + 1);
        }
    }
    let bytes = served.resident_bytes().saturating_sub(before) / IDLE;
    assert!(bytes < 20_000, "{bytes} bytes an idle connection");
    drop(idle);
    serves(&mut served.client(), IDLE * 2);
    ends_well(served);
}

/// Where the wall's clock stands beside the true one, in seconds.
struct Wall(std::path::PathBuf);

impl Wall {
    fn jump(&self, seconds: i64) {
        // The server looks at the file through a map of it: it must stay the same file.
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.0);
        file.and_then(|mut file| file.write_all(&seconds.to_ne_bytes()))
            .expect("the wall's clock");
    }
}

/// A server whose wall clock a test sets.
struct Clocked {
    shim: std::path::PathBuf,
    wall: Wall,
    data: std::path::PathBuf,
    _place: tempfile::TempDir,
}

const DAY_S: i64 = 86_400;

impl Clocked {
    /// Nothing where there is no C compiler.
    fn new() -> Option<Clocked> {
        let (place, data) = folder();
        let shim = match build("clock", place.path()) {
            Ok(shim) => shim,
            Err(why) => {
                cannot_run("the test of a clock that jumps", &why);
                return None;
            }
        };
        let wall = Wall(place.path().join("offset"));
        wall.jump(0);
        Some(Clocked {
            shim,
            wall,
            data,
            _place: place,
        })
    }

    fn launch(&self) -> Launch {
        launch(&self.data)
            .env("LD_PRELOAD", argument(&self.shim))
            .env("SHIM_CLOCK", argument(&self.wall.0))
    }

    /// With a shop that sends silent buyers off, and an agent in it.
    fn start(&self) -> Served {
        let served = shop(self.launch());
        let mut client = served.client();
        let policy = r#"{"policy":{"session":{"requires_agent_reply":false}}}"#;
        let answer = client.put(&path("s", ""), policy).expect("an answer");
        assert!(answer.status < 300, "{}", answer.text());
        for event in [
            json!({ "type": "agent.configured", "agent": "a" }),
            json!({ "type": "agent.online", "agent": "a" }),
        ] {
            let answer = client.post(EVENTS, &event.to_string());
            assert_eq!(answer.expect("an answer").status, 200);
        }
        served
    }
}

fn closed(client: &mut Client) -> usize {
    let all = decisions(client);
    let closed = all.iter().filter(|d| d["type"] == "session.closed");
    closed.count()
}

/// Whether the metrics say that the clock is not trusted.
fn doubted(client: &mut Client) -> bool {
    let metrics = client.get("/metrics").expect("metrics").text();
    metrics.contains("\nxiaoer_clock_doubted 1")
}

/// Events are refused, whether they bring an instant of their own or not, and reading goes on.
fn takes_no_events(client: &mut Client) {
    let seen = Deadline::seconds(10).poll(|| doubted(client).then_some(()));
    assert!(seen.is_some(), "the metrics say nothing");
    for event in [
        json!({ "type": "clock" }),
        json!({ "type": "clock", "at": "2026-11-11T10:00:00Z" }),
        json!({ "type": "shop.configured", "policy": {} }),
    ] {
        let answer = client.post(EVENTS, &event.to_string()).expect("an answer");
        let code = answer.json()["code"].clone();
        assert_eq!(
            (answer.status, code),
            (503, json!("clock_not_trusted")),
            "{event}"
        );
        assert!(answer.header("retry-after").is_some());
    }
    let ready = client.get("/readyz").expect("an answer");
    assert_eq!(
        (ready.status, &ready.json()["code"]),
        (503, &json!("clock_not_trusted"))
    );
    assert_eq!(client.get("/healthz").expect("an answer").status, 200);
    decisions(client);
}

/// All of one zone, and as long as each other but for the milliseconds: compared as far as seconds.
fn time_never_went_back(client: &mut Client) {
    let all = decisions(client);
    let instants: Vec<&str> = all.iter().filter_map(|d| d["at"].as_str()).collect();
    let forward = instants.windows(2).all(|two| two[0][..19] <= two[1][..19]);
    assert!(forward, "time went back");
}

#[test]
fn a_clock_that_is_corrected_goes_on_and_one_that_jumps_is_not_followed() {
    let Some(clocked) = Clocked::new() else {
        return;
    };
    let wall = &clocked.wall;
    let served = clocked.start();
    let mut client = served.client();
    let mut number = 0;
    let mut step = |client: &mut Client, seconds: i64| {
        wall.jump(seconds);
        for _ in 0..3 {
            number += 1;
            serves(client, number);
        }
    };
    // Corrections are followed ahead, and waited out back.
    for seconds in [0, -3500, 0, 1, 20, -20, 0] {
        step(&mut client, seconds);
    }
    // Nobody has been silent for long, whatever the wall clock says: nobody is sent off.
    for seconds in [
        DAY_S,
        9 * 365 * DAY_S,
        80 * 365 * DAY_S,
        -2 * DAY_S,
        -56 * 365 * DAY_S,
    ] {
        let before = (closed(&mut client), decisions(&mut client).len());
        wall.jump(seconds);
        takes_no_events(&mut client);
        let after = (closed(&mut client), decisions(&mut client).len());
        assert_eq!(before, after, "{seconds} s");
        // It is right again, and all goes on by itself.
        wall.jump(0);
        let trusted = Deadline::seconds(10).poll(|| (!doubted(&mut client)).then_some(()));
        assert!(trusted.is_some(), "{seconds} s");
        step(&mut client, 0);
    }
    time_never_went_back(&mut client);
    // A restart a day later takes the clock, and everybody has been silent for a day.
    ends_well(served);
    wall.jump(DAY_S);
    let served = clocked.launch().start();
    let mut client = served.client();
    let sent_off = Deadline::seconds(20).poll(|| (closed(&mut client) > 0).then_some(()));
    assert!(sent_off.is_some(), "after a day nobody is sent off");
    step(&mut client, DAY_S);
    ends_well(served);
    // Started again with the clock where it was before, time goes on from where it was.
    wall.jump(0);
    let served = clocked.launch().start();
    let mut client = served.client();
    step(&mut client, 0);
    step(&mut client, -1800);
    time_never_went_back(&mut client);
    ends_well(served);
}

#[test]
fn a_start_takes_no_clock_that_is_far_past_the_journal_unless_a_person_says_so() {
    let Some(clocked) = Clocked::new() else {
        return;
    };
    let wall = &clocked.wall;
    let served = clocked.start();
    serves(&mut served.client(), 1);
    ends_well(served);
    for (seconds, words) in [
        (31 * DAY_S, "--accept-clock"),
        (80 * 365 * DAY_S, "only the years 2000 to 2099"),
        (-56 * 365 * DAY_S, "only the years 2000 to 2099"),
    ] {
        wall.jump(seconds);
        let served = clocked.launch().start();
        let mut client = served.client();
        takes_no_events(&mut client);
        wall.jump(0);
        let trusted = Deadline::seconds(10).poll(|| (!doubted(&mut client)).then_some(()));
        assert!(trusted.is_some(), "{seconds} s");
        serves(&mut client, 2);
        let said = served.stop();
        assert!(
            said.status.success() && said.err.contains(words),
            "{said:?}"
        );
    }
    // The setting, and the person.
    wall.jump(31 * DAY_S);
    let served = clocked.launch().set(&["clock.gap_max=40d"]).start();
    serves(&mut served.client(), 3);
    ends_well(served);
    wall.jump(80 * DAY_S);
    let served = clocked.launch().start();
    takes_no_events(&mut served.client());
    ends_well(served);
    let served = clocked.launch().flag("--accept-clock").start();
    serves(&mut served.client(), 4);
    ends_well(served);
}
