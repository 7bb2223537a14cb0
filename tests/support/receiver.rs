//! A webhook receiver that keeps requests and responds to each as its script says, correctly or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::deadline::{Deadline, Stopwatch};

/// How often a connection looks whether the receiver still lives.
const LOOK: Duration = Duration::from_millis(20);

/// What came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which connection it came over: 0, 1, 2 …
    pub connection: usize,
    /// The method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// The headers, their names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long after the receiver's start it was there.
    pub at: Duration,
}

impl Request {
    /// The value of a header; its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Its `webhook-id`.
    pub fn id(&self) -> &str {
        self.header("webhook-id").unwrap_or_default()
    }

    /// The `seq` of every decision in it, in order.
    pub fn seqs(&self) -> Vec<u64> {
        let body = self.json();
        let seq = |decision: &serde_json::Value| decision["seq"].as_u64();
        match body["data"].as_array() {
            Some(batch) => batch.iter().filter_map(seq).collect(),
            None => seq(&body["data"]).into_iter().collect(),
        }
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status, headers and a body; the connection stays open.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// A status, and a body that comes byte by byte with pauses.
    Drip(u16, Vec<u8>, Duration),
    /// A status, and a body that never ends.
    Endless(u16),
    /// Just these bytes; then the connection is closed.
    Raw(Vec<u8>),
    /// These bytes again and again.
    RawEndless(Vec<u8>),
    /// The connection is closed without an answer.
    Close,
    /// The connection is reset without an answer.
    Reset,
    /// Nothing, and the connection stays open.
    Never,
}

impl Reply {
    /// A status alone.
    pub fn status(status: u16) -> Reply {
        Reply::Answer(status, Vec::new(), Vec::new())
    }

    /// A status and a text.
    pub fn text(status: u16, text: &str) -> Reply {
        Reply::Answer(status, Vec::new(), text.as_bytes().to_vec())
    }

    /// With one header more, where there is an answer at all.
    pub fn with(mut self, name: &str, value: &str) -> Reply {
        if let Reply::Answer(_, headers, _) = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

type Script = Box<dyn FnMut(&Request) -> Reply + Send>;

struct Shared {
    script: Mutex<Script>,
    requests: Mutex<Vec<Request>>,
    /// Who has connected, in order.
    peers: Mutex<Vec<SocketAddr>>,
    stopped: AtomicBool,
    started: Stopwatch,
    tls: Option<Arc<rustls::ServerConfig>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A receiver that listens until it is dropped.
pub struct Receiver {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

impl Receiver {
    /// One at a free port of this machine.
    pub fn start(script: impl FnMut(&Request) -> Reply + Send + 'static) -> Receiver {
        Receiver::listen("127.0.0.1:0", None, script).expect("a free port")
    }

    /// The same with TLS.
    pub fn start_tls(
        tls: Arc<rustls::ServerConfig>,
        script: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Receiver {
        Receiver::listen("127.0.0.1:0", Some(tls), script).expect("a free port")
    }

    /// One that always answers the same.
    pub fn always(reply: Reply) -> Receiver {
        Receiver::start(move |_| reply.clone())
    }

    /// One at an address.
    pub fn listen(
        address: &str,
        tls: Option<Arc<rustls::ServerConfig>>,
        script: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> std::io::Result<Receiver> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script: Mutex::new(Box::new(script)),
            requests: Mutex::default(),
            peers: Mutex::default(),
            stopped: AtomicBool::new(false),
            started: Stopwatch::start(),
            tls,
        });
        let theirs = Arc::clone(&shared);
        let accepting = Some(std::thread::spawn(move || accept(&listener, &theirs)));
        Ok(Receiver {
            shared,
            address,
            accepting,
        })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its address, with `/hook`.
    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://127.0.0.1:{}/hook", self.port())
    }

    /// Where a request was sent to.
    pub fn address_of(&self, came: &Request) -> String {
        format!("http://127.0.0.1:{}{}", self.port(), came.target)
    }

    /// What has come so far is of no interest any more.
    pub fn forget(&self) {
        locked(&self.shared.requests).clear();
    }

    /// What has come so far.
    pub fn requests(&self) -> Vec<Request> {
        locked(&self.shared.requests).clone()
    }

    /// Waits until so many requests have come, and gives them all.
    pub fn wait_for(&self, count: usize) -> Vec<Request> {
        self.wait_until(&format!("{count} requests"), |requests| {
            requests.len() >= count
        })
    }

    /// From now on another script.
    pub fn script(&self, script: impl FnMut(&Request) -> Reply + Send + 'static) {
        *locked(&self.shared.script) = Box::new(script);
    }

    /// Looks at all that has come until there is something to see.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut(&[Request]) -> Option<T>) -> T {
        let seen = Deadline::seconds(60).poll(|| look(&locked(&self.shared.requests)));
        seen.unwrap_or_else(|| {
            let requests = self.requests();
            let last: Vec<String> = requests.iter().rev().take(10).map(Request::text).collect();
            panic!(
                "no {what}: there came {}, the last {last:#?}",
                requests.len()
            )
        })
    }

    /// Waits until what has come is as it should be, and gives it.
    pub fn wait_until(&self, what: &str, come: impl Fn(&[Request]) -> bool) -> Vec<Request> {
        self.until(what, |requests| come(requests).then(|| requests.to_vec()))
    }

    /// How many connections there have been; exact for all that were made before this is asked.
    pub fn connections(&self) -> usize {
        // Connections are taken in their order: once ours is seen, none from before is missing.
        let loopback = SocketAddr::from(([127, 0, 0, 1], self.port()));
        let probe = TcpStream::connect(loopback).expect("the receiver");
        let own = probe.local_addr().expect("an address").port();
        let position = Deadline::seconds(60).poll(|| {
            let mut peers = locked(&self.shared.peers);
            let position = peers.iter().position(|peer| peer.port() == own)?;
            peers.remove(position);
            Some(position)
        });
        position.expect("a connection is not taken")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // It looks whether it is stopped once somebody comes.
        let _ = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], self.port())));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut serving = Vec::new();
    for connection in 0.. {
        let Ok((stream, peer)) = listener.accept() else {
            break;
        };
        if shared.stopped.load(Ordering::SeqCst) {
            break;
        }
        locked(&shared.peers).push(peer);
        let shared = Arc::clone(shared);
        serving.push(std::thread::spawn(move || {
            // Whoever calls may go at any time.
            let _ = serve(stream, connection, &shared);
        }));
    }
    for thread in serving {
        let _ = thread.join();
    }
}

/// What a connection speaks: TLS or not.
trait Wire: Read + Write {}

impl<T: Read + Write> Wire for T {}

/// A socket whose reads and writes end once the receiver is stopped.
struct Patient<'a> {
    stream: TcpStream,
    shared: &'a Shared,
}

impl Patient<'_> {
    fn again<T>(
        &mut self,
        mut act: impl FnMut(&mut TcpStream) -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        loop {
            match act(&mut self.stream) {
                Err(error) if waits(&error) && !self.shared.stopped.load(Ordering::SeqCst) => {}
                other => return other,
            }
        }
    }
}

fn waits(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error.kind(), TimedOut | WouldBlock)
}

impl Read for Patient<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.again(|stream| stream.read(into))
    }
}

impl Write for Patient<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.again(|stream| stream.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stream.flush()
    }
}

fn serve(stream: TcpStream, connection: usize, shared: &Shared) -> std::io::Result<()> {
    stream.set_read_timeout(Some(LOOK))?;
    stream.set_write_timeout(Some(LOOK))?;
    stream.set_nodelay(true)?;
    let socket = stream.try_clone()?;
    let patient = Patient { stream, shared };
    let wire: Box<dyn Wire + '_> = match &shared.tls {
        None => Box::new(patient),
        Some(tls) => {
            let session = rustls::ServerConnection::new(Arc::clone(tls));
            let session = session.map_err(std::io::Error::other)?;
            Box::new(rustls::StreamOwned::new(session, patient))
        }
    };
    let mut wire = BufReader::new(wire);
    while let Some(request) = read_request(&mut wire, connection, shared.started.passed())? {
        let reply = (locked(&shared.script))(&request);
        locked(&shared.requests).push(request);
        if !answer(&mut wire, &socket, reply, shared)? {
            break;
        }
    }
    Ok(())
}

/// Reads a request; `None` where the connection ends instead.
fn read_request(
    wire: &mut impl BufRead,
    connection: usize,
    at: Duration,
) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if wire.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next(), words.next());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        wire.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    wire.read_exact(&mut body)?;
    Ok(Some(Request {
        connection,
        method: method.unwrap_or_default(),
        target: target.unwrap_or_default(),
        headers,
        body,
        at,
    }))
}

/// Answers, and says whether the connection stays open.
fn answer<'a>(
    wire: &mut BufReader<Box<dyn Wire + 'a>>,
    socket: &TcpStream,
    reply: Reply,
    shared: &Shared,
) -> std::io::Result<bool> {
    let out = wire.get_mut();
    match reply {
        Reply::Answer(status, headers, body) => {
            let mut head = head(status, &format!("content-length: {}", body.len()));
            for (name, value) in headers {
                head.insert_str(head.len() - 2, &format!("{name}: {value}\r\n"));
            }
            out.write_all(&[head.as_bytes(), &body].concat())?;
            out.flush()?;
            Ok(true)
        }
        Reply::Drip(status, body, pause) => {
            out.write_all(head(status, &format!("content-length: {}", body.len())).as_bytes())?;
            for byte in body {
                out.flush()?;
                if sleep(pause, shared) {
                    return Ok(false);
                }
                out.write_all(&[byte])?;
            }
            out.flush()?;
            Ok(true)
        }
        Reply::Endless(status) => {
            out.write_all(head(status, "transfer-encoding: chunked").as_bytes())?;
            endless(
                out,
                &[b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat(),
            )
        }
        Reply::RawEndless(bytes) => endless(out, &bytes),
        Reply::Raw(bytes) => {
            out.write_all(&bytes)?;
            out.flush()?;
            Ok(false)
        }
        Reply::Close => Ok(false),
        Reply::Reset => {
            rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO))?;
            Ok(false)
        }
        // It waits for another request, which whoever calls does not send.
        Reply::Never => Ok(true),
    }
}

fn head(status: u16, length: &str) -> String {
    format!("HTTP/1.1 {status} Scripted\r\n{length}\r\n\r\n")
}

/// Until whoever calls is gone, or the receiver is.
fn endless(out: &mut impl Write, bytes: &[u8]) -> std::io::Result<bool> {
    loop {
        out.write_all(bytes)?;
    }
}

/// Sleeps; says whether the receiver was stopped meanwhile.
fn sleep(pause: Duration, shared: &Shared) -> bool {
    let stopped = || shared.stopped.load(Ordering::SeqCst).then_some(());
    Deadline::after(pause).poll(stopped).is_some()
}
