//! A receiver of webhooks that does what a test says: takes, refuses, redirects, hangs, breaks off, drips. HTTP/1.1 over
//! threads, with nothing in it that hides what came.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::deadline::Deadline;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Came {
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Came {
    /// The value of a header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }

    /// Its `webhook-id`.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The `seq` of every decision in it, in order.
    pub fn seqs(&self) -> Vec<u64> {
        let body = self.json();
        match &body["data"] {
            Value::Array(batch) => batch.iter().filter_map(|one| one["seq"].as_u64()).collect(),
            one => one["seq"].as_u64().into_iter().collect(),
        }
    }
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status, headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// The connection is closed without an answer.
    Close,
    /// It is reset.
    Reset,
    /// Nothing comes, for so long.
    Hang(Duration),
    /// A head with 200, and a body that never ends, a byte now and then.
    Drip,
    /// A head with 200, and a body that never ends, as fast as it is read.
    Endless,
}

impl Reply {
    /// 200.
    pub fn ok() -> Reply {
        Reply::Status(200, Vec::new(), "ok".to_owned())
    }

    /// A status without anything.
    pub fn status(status: u16) -> Reply {
        Reply::Status(status, Vec::new(), String::new())
    }
}

type Script = Box<dyn FnMut(&Came) -> Reply + Send>;

struct Shared {
    script: Mutex<Script>,
    came: Mutex<Vec<Came>>,
    connections: AtomicUsize,
    stopped: AtomicBool,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The receiver; it stops listening when it is dropped.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Receiver {
    /// Listens on a port of its own.
    pub fn start(script: impl FnMut(&Came) -> Reply + Send + 'static) -> Receiver {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            came: Mutex::default(),
            connections: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&of_thread);
                if shared.stopped.load(Ordering::SeqCst) {
                    break;
                }
                shared.connections.fetch_add(1, Ordering::SeqCst);
                if let Ok(stream) = stream {
                    std::thread::spawn(move || serve(stream, &shared));
                }
            }
        });
        Receiver { address, shared }
    }

    /// A receiver that takes everything.
    pub fn willing() -> Receiver {
        Receiver::start(|_| Reply::ok())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it takes webhooks.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// All that came, in order.
    pub fn came(&self) -> Vec<Came> {
        held(&self.shared.came).clone()
    }

    /// How often somebody connected.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// From now on another script.
    pub fn script(&self, script: impl FnMut(&Came) -> Reply + Send + 'static) {
        *held(&self.shared.script) = Box::new(script);
    }

    /// Looks at all that came until there is something to see.
    ///
    /// # Panics
    ///
    /// There is nothing within 20 s.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut(&[Came]) -> Option<T>) -> T {
        let seen = Deadline::seconds(20).poll(|| look(&held(&self.shared.came)));
        seen.unwrap_or_else(|| {
            let came = self.came();
            let last: Vec<_> = came.iter().rev().take(20).map(Came::seqs).collect();
            panic!(
                "{what}: did not come; there are {}, the last {last:?}",
                came.len()
            )
        })
    }

    /// Waits for so many requests.
    pub fn wait_for(&self, count: usize) -> Vec<Came> {
        self.until(&format!("{count} requests"), |came| {
            (came.len() >= count).then(|| came.to_vec())
        })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Whoever listens is woken by one more.
        TcpStream::connect(self.address).ok();
    }
}

fn serve(stream: TcpStream, shared: &Shared) {
    stream.set_nodelay(true).ok();
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    while let Some(came) = read(&mut reader) {
        let reply = (held(&shared.script))(&came);
        held(&shared.came).push(came);
        if !answer(&mut writer, reply) {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Came> {
    let mut line = String::new();
    (reader.read_line(&mut line).ok()? > 0).then_some(())?;
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().ok()?;
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Came { headers, body })
}

/// Whether the connection stays.
fn answer(writer: &mut TcpStream, reply: Reply) -> bool {
    const OPEN: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    match reply {
        Reply::Status(status, headers, body) => {
            let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str("\r\n");
            text.push_str(&body);
            writer.write_all(text.as_bytes()).is_ok()
        }
        // The last one who has it closes it.
        Reply::Close => false,
        Reply::Reset => {
            // What is closed while there is something to read is reset; the request was read, so ask for it.
            rustix::net::sockopt::set_socket_linger(&*writer, Some(Duration::ZERO)).ok();
            false
        }
        Reply::Hang(wait) => {
            std::thread::park_timeout(wait);
            false
        }
        Reply::Drip => {
            writer.write_all(OPEN).ok();
            while writer.write_all(b"1\r\nx\r\n").is_ok() {
                std::thread::park_timeout(Duration::from_millis(20));
            }
            false
        }
        Reply::Endless => {
            writer.write_all(OPEN).ok();
            let chunk = [b"2000\r\n".as_slice(), &[b'x'; 0x2000], b"\r\n"].concat();
            while writer.write_all(&chunk).is_ok() {}
            false
        }
    }
}
