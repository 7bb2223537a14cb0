//! A small blocking HTTP/1.1 client over one kept-alive connection, which shows responses as they are.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer that takes longer is none.
const ANSWER_WAIT: Duration = Duration::from_secs(60);

/// Headers of an answer may be this long together.
const HEAD_BYTES_MAX: u64 = 65_536;

/// One connection to the server, opened when it is needed.
pub struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    wait: Duration,
    /// The key that goes with every request.
    key: Option<String>,
    /// Bytes of answers that were read from the connection.
    received: u64,
    /// Where the log of what the server does stood when this was made.
    since: u64,
}

/// Where an answer ended: after so many bytes of the connection of this port, made after a place in the server's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ended {
    /// Our port.
    pub port: u16,
    /// Bytes that came on the connection.
    pub bytes: u64,
    /// The place.
    pub since: u64,
}

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Names in small letters, and values.
    pub headers: Vec<(String, String)>,
    /// The body, as it came.
    pub body: Vec<u8>,
    /// Its length in bytes, head and all.
    pub bytes: u64,
    /// Where it ended; nothing where it was read by hand.
    pub ended: Ended,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Client {
    /// Connects with the first request.
    pub fn new(address: SocketAddr) -> Client {
        Client {
            address,
            stream: None,
            wait: ANSWER_WAIT,
            key: None,
            received: 0,
            since: 0,
        }
    }

    /// Its connections are made after this place in the server's log.
    pub fn since(mut self, place: u64) -> Client {
        self.since = place;
        self
    }

    /// From now on with a key.
    pub fn with_key(mut self, key: &str) -> Client {
        self.key = Some(key.to_owned());
        self
    }

    /// A connection of its own to the same server, with the same key.
    pub fn alike(&self) -> Client {
        Client {
            key: self.key.clone(),
            since: self.since,
            ..self.another()
        }
    }

    /// A connection of its own to the same server, without a key.
    pub fn another(&self) -> Client {
        Client::new(self.address)
    }

    /// Reads, over a new connection where the kept one has gone.
    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        let kept = self.stream.is_some();
        match self.send("GET", path, "", b"") {
            Err(_) if kept => self.send("GET", path, "", b""),
            answer => answer,
        }
    }

    /// Takes something away.
    pub fn delete(&mut self, path: &str) -> io::Result<Answer> {
        self.send("DELETE", path, "", b"")
    }

    /// Posts JSON.
    pub fn post(&mut self, path: &str, body: &str) -> io::Result<Answer> {
        self.send("POST", path, "application/json", body.as_bytes())
    }

    /// Puts JSON.
    pub fn put(&mut self, path: &str, body: &str) -> io::Result<Answer> {
        self.send("PUT", path, "application/json", body.as_bytes())
    }

    /// Sends a request and reads its answer. An error says nothing of whether the server did it.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        content: &str,
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut bytes = request(method, path, content, body);
        if let Some(key) = &self.key {
            let first = bytes.windows(2).position(|two| two == b"\r\n");
            let at = first.expect("a first line") + 2;
            bytes.splice(
                at..at,
                format!("authorization: Bearer {key}\r\n").into_bytes(),
            );
        }
        let answer = self.exchange(&bytes);
        let close = |answer: &Answer| answer.header("connection") == Some("close");
        if answer.as_ref().map_or(true, close) {
            self.stream = None;
        }
        answer
    }

    /// Sends bytes as they are and reads an answer.
    pub fn exchange(&mut self, bytes: &[u8]) -> io::Result<Answer> {
        let stream = self.connected()?;
        stream.get_mut().write_all(bytes)?;
        let port = stream.get_ref().local_addr()?.port();
        let mut answer = read_answer(stream)?;
        self.received += answer.bytes;
        answer.ended = Ended {
            port,
            bytes: self.received,
            since: self.since,
        };
        Ok(answer)
    }

    /// The connection itself, for those who send a request piece by piece.
    pub fn connected(&mut self) -> io::Result<&mut BufReader<TcpStream>> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(self.wait))?;
            stream.set_write_timeout(Some(self.wait))?;
            self.stream = Some(BufReader::new(stream));
            self.received = 0;
        }
        self.stream
            .as_mut()
            .ok_or(io::ErrorKind::NotConnected.into())
    }
}

/// A request as it goes over the wire.
pub fn request(method: &str, path: &str, content: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n").into_bytes();
    if !content.is_empty() {
        let head = format!(
            "content-type: {content}\r\ncontent-length: {}\r\n",
            body.len()
        );
        bytes.extend_from_slice(head.as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// Reads one answer.
pub fn read_answer(stream: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let mut bytes = 0;
    let first = read_line(stream, &mut bytes)?;
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status in {first:?}")))?;
    let mut headers = Vec::new();
    loop {
        let header = read_line(stream, &mut bytes)?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap_or((&header, ""));
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        if bytes > HEAD_BYTES_MAX {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
        bytes: 0,
        ended: Ended::default(),
    };
    answer.body = read_body(stream, &answer, &mut bytes)?;
    answer.bytes = bytes;
    Ok(answer)
}

fn read_line(stream: &mut BufReader<TcpStream>, bytes: &mut u64) -> io::Result<String> {
    let mut line = String::new();
    *bytes += stream.read_line(&mut line)? as u64;
    if !line.ends_with('\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

fn read_body(
    stream: &mut BufReader<TcpStream>,
    answer: &Answer,
    bytes: &mut u64,
) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if answer.header("transfer-encoding") == Some("chunked") {
        loop {
            let size = read_line(stream, bytes)?;
            let size = usize::from_str_radix(&size, 16).map_err(io::Error::other)?;
            let begin = body.len();
            body.resize(begin + size, 0);
            stream.read_exact(&mut body[begin..])?;
            let mut end = [0; 2];
            stream.read_exact(&mut end)?;
            *bytes += (size + end.len()) as u64;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    let length = answer.header("content-length").unwrap_or("0");
    body.resize(length.parse().map_err(io::Error::other)?, 0);
    stream.read_exact(&mut body)?;
    *bytes += body.len() as u64;
    Ok(body)
}
