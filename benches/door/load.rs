//! The load: many connections on one thread, each with shops of its own, each waiting for its answer before it asks
//! again (a closed loop).

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::desk::{Desk, STEPS, agents};
use super::support::deadline::{Deadline, Stopwatch};
use super::support::served::Served;

/// Answers are looked at in full this often; all of them for their status and for rejections.
const LOOK: u64 = 64;

/// How long a server runs before it is measured.
const WARM_UP: Duration = Duration::from_millis(700);

/// Ticks of the processor's clock a second, as Linux counts a process's time.
const TICKS: f64 = 100.0;

/// What is asked of a server.
#[derive(Clone, Copy)]
pub struct Load {
    pub connections: usize,
    pub shops: usize,
    pub seconds: u64,
    /// Events a request.
    pub batch: usize,
    /// So often was it run; names of events begin with it.
    pub life: u64,
}

/// What one run showed. `cpu_us` is the server's time on the processors, an event.
pub struct Run {
    pub rate: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
    pub cpu_us: f64,
}

/// A connection that is kept.
pub struct Connection {
    stream: TcpStream,
    head: Vec<u8>,
    read: Vec<u8>,
}

impl Connection {
    pub async fn new(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            head: Vec::new(),
            read: Vec::new(),
        })
    }

    /// Sends a request and answers the status and the body.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> io::Result<(u16, &[u8])> {
        self.head.clear();
        let length = body.len();
        io::Write::write_fmt(
            &mut self.head,
            format_args!(
                "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
            ),
        )?;
        self.head.extend_from_slice(body);
        self.stream.write_all(&self.head).await?;
        self.read.clear();
        let (status, begin, end) = loop {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(found) = head_of(&self.read) {
                break found;
            }
        };
        while self.read.len() < end {
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok((status, &self.read[begin..end]))
    }
}

/// Status, begin and end of the body, once the head is whole.
fn head_of(read: &[u8]) -> Option<(u16, usize, usize)> {
    let begin = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&read[..begin]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    Some((status, begin, begin + length.unwrap_or(0)))
}

impl Load {
    /// Makes the shops and their agents.
    pub async fn configure(&self, served: &Served) -> io::Result<()> {
        let of = |number| self.shops_of(number).collect::<Vec<_>>();
        all(self.connections, |number| {
            let (shops, address) = (of(number), served.address);
            async move {
                let mut connection = Connection::new(address).await?;
                for shop in shops {
                    let path = format!("/v1/shops/shop-{shop}");
                    let (status, _) = connection.send("PUT", &path, b"{\"policy\":{}}").await?;
                    assert!(status < 300, "{path}: {status}");
                    let path = format!("{path}/events");
                    let (status, body) = connection.send("POST", &path, &agents()).await?;
                    assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
                }
                Ok(())
            }
        })
        .await
        .map(drop)
    }

    /// What the server answers to each event of a visit.
    pub async fn answers(&self, served: &Served) -> io::Result<Value> {
        let mut connection = Connection::new(served.address).await?;
        let (mut desk, mut answers) = (Desk::new(0, u64::MAX), Map::new());
        for _ in 0..STEPS {
            let body = desk.body(1);
            let event: Value = serde_json::from_slice(&body)?;
            let (_, answer) = connection
                .send("POST", "/v1/shops/shop-0/events", &body)
                .await?;
            let answer: Value = serde_json::from_slice(answer)?;
            let kind = event["type"].as_str().unwrap_or_default().to_owned();
            answers.insert(kind, answer["results"][0]["decisions"].clone());
        }
        Ok(Value::Object(answers))
    }

    /// One run, first to warm up, then to measure.
    pub async fn run(&mut self, served: &Served) -> io::Result<Run> {
        self.life += 1;
        self.once(served, WARM_UP).await?;
        self.life += 1;
        let (before, watch) = (processor_ticks(served), Stopwatch::start());
        let taken = self.once(served, Duration::from_secs(self.seconds)).await?;
        let (seconds, ticks) = (
            watch.passed().as_secs_f64(),
            processor_ticks(served) - before,
        );
        let mut latencies = Histogram::<u64>::new(3).expect("a histogram");
        for one in &taken {
            latencies.add(one).expect("the same histogram");
        }
        let events = (latencies.len() * self.batch as u64) as f64;
        let ms = |quantile| latencies.value_at_quantile(quantile) as f64 / 1000.0;
        Ok(Run {
            rate: events / seconds,
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: latencies.max() as f64 / 1000.0,
            cpu_us: ticks / TICKS * 1e6 / events,
        })
    }

    async fn once(&self, served: &Served, time: Duration) -> io::Result<Vec<Histogram<u64>>> {
        let end = Deadline::after(time);
        let load = *self;
        all(self.connections, |number| {
            work(load, number, served.address, end)
        })
        .await
    }

    /// The shops of a connection.
    fn shops_of(&self, connection: usize) -> impl Iterator<Item = usize> {
        (connection..self.shops).step_by(self.connections)
    }
}

/// One task a connection; all of their answers.
async fn all<T: 'static, F>(count: usize, of: impl Fn(usize) -> F) -> io::Result<Vec<T>>
where
    F: Future<Output = io::Result<T>> + 'static,
{
    let tasks = tokio::task::LocalSet::new();
    let of = Rc::new(of);
    tasks
        .run_until(async move {
            let handles: Vec<_> = (0..count)
                .map(|number| tokio::task::spawn_local(of(number)))
                .collect();
            let mut answers = Vec::with_capacity(count);
            for handle in handles {
                answers.push(handle.await.map_err(io::Error::other)??);
            }
            Ok(answers)
        })
        .await
}

async fn work(
    load: Load,
    number: usize,
    address: SocketAddr,
    end: Deadline,
) -> io::Result<Histogram<u64>> {
    let mut desks: Vec<Desk> = load
        .shops_of(number)
        .map(|shop| Desk::new(shop, load.life))
        .collect();
    let paths: Vec<String> = desks
        .iter()
        .map(|desk| format!("/v1/shops/shop-{}/events", desk.shop))
        .collect();
    let mut latencies = Histogram::new(3).expect("a histogram");
    let mut connection = Connection::new(address).await?;
    let mut count = 0_u64;
    while !end.passed() {
        let at = count as usize % desks.len();
        let body = desks[at].body(load.batch);
        let watch = Stopwatch::start();
        let (status, answer) = connection.send("POST", &paths[at], &body).await?;
        let micros = watch.passed().as_micros() as u64;
        latencies.record(micros).expect("a latency");
        look_at(status, answer, load.batch, count.is_multiple_of(LOOK));
        count += 1;
    }
    Ok(latencies)
}

/// A quick answer that is wrong is no answer.
fn look_at(status: u16, answer: &[u8], events: usize, in_full: bool) {
    let text = || String::from_utf8_lossy(answer);
    assert_eq!(status, 200, "{}", text());
    assert!(memchr(answer, b"event.rejected").is_none(), "{}", text());
    if in_full {
        let answer: Value = serde_json::from_slice(answer).expect("JSON");
        let results = answer["results"].as_array().map_or(0, Vec::len);
        assert_eq!(results, events, "{answer}");
    }
}

/// Where a word begins. Its first letter is rare enough that looking for it is quick.
fn memchr(bytes: &[u8], word: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|byte| *byte == word[0]) {
        if bytes[from + at..].starts_with(word) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn processor_ticks(served: &Served) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", served.pid())).unwrap_or_default();
    let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let numbers = rest.split(' ').skip(11).take(2);
    numbers
        .filter_map(|number| number.parse::<f64>().ok())
        .sum()
}
