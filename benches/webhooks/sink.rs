//! The sink: takes webhooks as fast as they come and looks at no more of them than which decisions they hold.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::support::deadline::Stopwatch;

/// When numbered events were sent, and when their decisions came.
pub struct Sent {
    watch: Stopwatch,
    times: Mutex<Vec<(Duration, Option<Duration>)>>,
}

impl Sent {
    fn times(&self) -> std::sync::MutexGuard<'_, Vec<(Duration, Option<Duration>)>> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event of this number, the next, is about to be sent.
    pub fn begin(&self, number: u64) {
        let mut times = self.times();
        assert_eq!(times.len() as u64, number);
        times.push((self.watch.passed(), None));
    }

    fn came(&self, number: usize) {
        let now = self.watch.passed();
        if let Some((_, came)) = self.times().get_mut(number) {
            came.get_or_insert(now);
        }
    }

    /// How long its decision took to come.
    pub fn took(&self, number: u64) -> Option<Duration> {
        let (sent, came) = self.times()[number as usize];
        Some(came? - sent)
    }
}

struct Shared {
    decisions: AtomicU64,
    posts: AtomicU64,
    last: AtomicU64,
    disorder: AtomicBool,
    refuses: AtomicBool,
    hangs: AtomicI64,
    sent: Arc<Sent>,
    body: Mutex<Vec<u8>>,
}

/// A sink on a port of its own.
pub struct Sink {
    address: SocketAddr,
    shared: Arc<Shared>,
    pub sent: Arc<Sent>,
}

impl Sink {
    pub fn start() -> io::Result<Sink> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let sent = Arc::new(Sent {
            watch: Stopwatch::start(),
            times: Mutex::default(),
        });
        let shared = Arc::new(Shared {
            decisions: AtomicU64::new(0),
            posts: AtomicU64::new(0),
            last: AtomicU64::new(0),
            disorder: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            hangs: AtomicI64::new(-1),
            sent: Arc::clone(&sent),
            body: Mutex::default(),
        });
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&theirs);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Ok(Sink {
            address,
            shared,
            sent,
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Decisions that came.
    pub fn decisions(&self) -> u64 {
        self.shared.decisions.load(Ordering::SeqCst)
    }

    /// Calls that came.
    pub fn posts(&self) -> u64 {
        self.shared.posts.load(Ordering::SeqCst)
    }

    /// The latest call's body.
    pub fn last_body(&self) -> Vec<u8> {
        let body = self.shared.body.lock();
        body.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers 500 from now on, or no more.
    pub fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Calls of this path's number are not answered.
    pub fn hang(&self, number: Option<i64>) {
        self.shared
            .hangs
            .store(number.unwrap_or(-1), Ordering::SeqCst);
    }

    pub fn assert_in_order(&self) {
        assert!(!self.shared.disorder.load(Ordering::SeqCst), "out of order");
    }
}

/// Posts a body so often over one connection, each after the answer to the one before.
pub fn bare(sink: &Sink, body: &[u8], posts: u64) -> io::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(sink.address)?);
    stream.get_ref().set_nodelay(true)?;
    let head = format!(
        "POST /bare HTTP/1.1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), body].concat();
    for _ in 0..posts {
        stream.get_mut().write_all(&request)?;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line)?;
        }
    }
    Ok(())
}

fn serve(stream: TcpStream, shared: &Shared) {
    stream.set_nodelay(true).ok();
    let mut reader = BufReader::with_capacity(256 * 1024, stream);
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        let (mut length, mut path) = (0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.trim().parse().unwrap_or(0);
            } else if path.is_empty() {
                path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            }
        }
        body.resize(length, 0);
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        if path[1..].parse() == Ok(shared.hangs.load(Ordering::SeqCst)) {
            std::thread::park_timeout(Duration::from_secs(60));
            return;
        }
        let refuses = shared.refuses.load(Ordering::SeqCst);
        let answer: &[u8] = match refuses {
            true => b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n",
            false => b"HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n",
        };
        if !refuses && path != "/bare" {
            take(&body, path == "/0", shared);
        }
        if reader.get_mut().write_all(answer).is_err() {
            return;
        }
    }
}

/// Which decisions: by every `"seq":N,"type"` in it.
fn take(body: &[u8], ordered: bool, shared: &Shared) {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let number = |rest: &str| {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..digits].parse::<u64>().ok()
    };
    let mut count = 0;
    let data = text.find("\"data\":").map_or("", |at| &text[at..]);
    for rest in data.split("\"seq\":").skip(1) {
        let Some(seq) = number(rest) else { continue };
        count += 1;
        if ordered && shared.last.swap(seq, Ordering::SeqCst) >= seq {
            shared.disorder.store(true, Ordering::SeqCst);
        }
    }
    if let Some(event) = data.split("\"session\":\"n").nth(1).and_then(number) {
        shared.sent.came(event as usize);
    }
    shared.decisions.fetch_add(count, Ordering::SeqCst);
    shared.posts.fetch_add(1, Ordering::SeqCst);
    *shared.body.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
}
