//! Bodies over real sockets: too long, too slow, cut off, compressed, with invalid chunks. Each gets a response and has
//! no effect, and the connection is closed if no request can follow.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use crate::support::http::read_answer;
use crate::support::world::{SetClock, Shops};
use actix_web::{App, HttpServer};
use xiaoer::api::configure;
use xiaoer::domain::base::id::Id;
use xiaoer::http::{AccessLogEntry, AppState, Authenticator, HttpObserver, Limits};

/// Nobody who watches.
struct Unwatched;

impl HttpObserver for Unwatched {
    fn micros(&self) -> u64 {
        0
    }
    fn answered(&self, _: &AccessLogEntry<'_>) {}
    fn scrape(&self) -> String {
        String::new()
    }
}

const BODY_BYTES_MAX: usize = 1_000;

/// One request: what stands behind the common head, how much of it is sent, and what is said.
struct Row {
    name: &'static str,
    headers: String,
    body: Vec<u8>,
    /// The client sends no more, and says so.
    ends: bool,
    status: u16,
    closes: bool,
}

fn row(name: &'static str, headers: &str, body: &[u8], status: u16) -> Row {
    Row {
        name,
        headers: headers.to_owned(),
        body: body.to_vec(),
        ends: false,
        status,
        closes: true,
    }
}

fn rows() -> Vec<Row> {
    let clock = b"{\"type\":\"clock\"}";
    let sized =
        |bytes: usize| format!("Content-Type: application/json\r\nContent-Length: {bytes}\r\n");
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let long = [b"7d0\r\n".as_slice(), &[b' '; 2_000], b"\r\n"].concat();
    vec![
        Row {
            closes: false,
            ..row("whole", &sized(clock.len()), clock, 404)
        },
        Row {
            closes: false,
            ..row(
                "in chunks",
                chunked,
                b"10\r\n{\"type\":\"clock\"}\r\n0\r\n\r\n",
                404,
            )
        },
        row("announced too long", &sized(BODY_BYTES_MAX + 1), b"", 413),
        row("too long in chunks", chunked, &long, 413),
        row("stalls", &sized(100), b"{\"type\"", 408),
        row("stalls in chunks", chunked, b"5\r\n{\"typ", 408),
        row(
            "compressed",
            "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n",
            b"abc",
            415,
        ),
        row(
            "of another kind, unread",
            "Content-Type: text/xml\r\nContent-Length: 9\r\n",
            b"",
            415,
        ),
        row(
            "of another kind, unread, in chunks",
            "Content-Type: text/xml\r\nTransfer-Encoding: chunked\r\n",
            b"5\r\nab",
            415,
        ),
        row(
            "of no kind that is said, unread",
            "Content-Length: 9\r\n",
            b"",
            415,
        ),
        row(
            "of no kind that is said, unread, in chunks",
            "Transfer-Encoding: chunked\r\n",
            b"5\r\nab",
            415,
        ),
        Row {
            closes: false,
            ..row(
                "none, of no kind that is said",
                "Content-Length: 0\r\n",
                b"",
                400,
            )
        },
        row("no chunks", chunked, b"zz\r\n", 400),
        Row {
            ends: true,
            ..row("cut off", &sized(100), clock, 400)
        },
    ]
}

/// Sends a row and reads the answer: its status, and whether the connection was closed after it.
fn play(address: SocketAddr, row: &Row) -> (u16, bool) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let head = format!(
        "POST /v1/shops/s/events HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
        row.headers
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&row.body).unwrap();
    if row.ends {
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
    let mut stream = BufReader::new(stream);
    let answer = read_answer(&mut stream).unwrap_or_else(|error| panic!("{}: {error}", row.name));
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(
        kind.contains("application/problem+json"),
        "{}: {answer:?}",
        row.name
    );
    // Open is a connection on which another request is answered.
    let another = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let open = stream.get_mut().write_all(another).is_ok() && read_answer(&mut stream).is_ok();
    (answer.status, !open)
}

#[actix_rt::test]
async fn a_body_that_is_not_right_is_answered_and_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SetClock::at("2026-11-11T02:00:00Z");
    let shops = Shops::open(folder.path(), &clock, Duration::from_secs(600));
    let state = Arc::new(AppState {
        shops: shops.desk.clone(),
        webhooks: shops.webhooks(),
        authenticator: Authenticator::Insecure,
        limits: Limits {
            body_bytes_max: BODY_BYTES_MAX,
            // Long enough for a busy machine to send what is not slow.
            body_timeout: Duration::from_secs(8),
            metrics_public: false,
            ..Limits::default()
        },
        observer: Arc::new(Unwatched),
        description: xiaoer::api::description(),
    });
    let desk = shops.desk.clone();
    let server = HttpServer::new(move || {
        desk.run_actors_here();
        App::new().configure(configure(Arc::clone(&state)))
    });
    let server = server
        .workers(1)
        .disable_signals()
        .keep_alive(Duration::from_secs(30));
    let server = server.bind(("127.0.0.1", 0)).unwrap();
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    actix_rt::spawn(running);
    let players = rows().into_iter().map(|row| {
        std::thread::spawn(move || {
            let found = play(address, &row);
            (row, found)
        })
    });
    let players: Vec<_> = players.collect();
    for player in players {
        let joined = actix_rt::task::spawn_blocking(move || player.join().unwrap()).await;
        let (row, (status, closed)) = joined.unwrap();
        assert_eq!(status, row.status, "{}", row.name);
        assert_eq!(closed, row.closes, "{}", row.name);
    }
    let shop = Id::new("s").unwrap();
    assert_eq!(shops.desk.exists(&shop).await, Ok(false));
    handle.stop(false).await;
    shops.close().await;
}
