//! Reads request bodies within limits: length, time, no compression, and total bytes of all bodies.
//!
//! The framework limits the time of a request's head, but not of its body.

use std::collections::VecDeque;
use std::ops::Deref;
use std::str::Utf8Error;
use std::sync::Arc;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::StreamExt;

use super::byte_budget::{Budget, BudgetPart, ByteShare};
use super::connection::{BodyWanted, Connection};
use super::problem::{Problem, ProblemCode};

/// Bodies up to this length are not counted: each connection has a buffer of this size anyway.
const COUNTED_FROM_BYTES: usize = 8 * 1024;

/// A body longer than this may use only three quarters of the budget.
const LARGE_FROM_BYTES: usize = 64 * 1024;

/// The allocation unit of a body, in bytes.
const PIECE_BYTES: usize = 16 * 1024;

/// The limits and settings of the HTTP server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The maximum length of a request body.
    pub body_bytes_max: usize,
    /// The maximum time to receive a whole body.
    pub body_timeout: Duration,
    /// The interval of keep-alive messages on an idle stream. They keep proxies from closing it, and detect dead peers.
    pub heartbeat: Duration,
    /// Whether `/metrics` needs no key.
    pub metrics_public: bool,
    /// Whether a shop without a named buyer space gets a private one instead of its preset's.
    pub own_buyer_space: bool,
    /// The budget of all request bodies, held while their requests are handled.
    pub bodies: Arc<Budget>,
    /// The budget of all long responses, held until they are sent.
    pub answers: Arc<Budget>,
}

/// The default budget of all bodies, and of all responses, in bytes.
const ALL_BYTES_MAX: u64 = 256 * 1024 * 1024;

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes_max: 8 * 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
            metrics_public: false,
            own_buyer_space: false,
            bodies: Budget::new(ALL_BYTES_MAX),
            answers: Budget::new(ALL_BYTES_MAX),
        }
    }
}

/// A complete body. It is counted in the budget until it is dropped.
#[derive(Debug, Default)]
pub struct RequestBody {
    bytes: Bytes,
    share: Option<ByteShare>,
}

impl RequestBody {
    /// The body as UTF-8 text.
    pub fn text(self) -> Result<RequestText, Utf8Error> {
        let text = ByteString::try_from(self.bytes)?;
        Ok(RequestText {
            text,
            _share: self.share,
        })
    }
}

impl Deref for RequestBody {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

/// A complete body that is UTF-8 text.
#[derive(Debug)]
pub struct RequestText {
    text: ByteString,
    _share: Option<ByteShare>,
}

impl Deref for RequestText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

/// The format of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// One JSON value.
    Json,
    /// JSON lines.
    Lines,
}

/// The media type of JSON lines.
const LINES_TYPE: &str = "application/x-ndjson";

impl BodyFormat {
    /// The format of a body, from its `Content-Type`. A request with a body needs that header: a page of another site
    /// can send a body without it, and then the browser asks for no permission (CORS).
    pub fn of(headers: &HeaderMap) -> Result<BodyFormat, Problem> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else {
            return match has_body(headers) {
                false => Ok(BodyFormat::Json),
                true => Err(other_form("is missing; it must be")),
            };
        };
        let text = value.to_str().unwrap_or_default();
        let kind = text.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/json") {
            Ok(BodyFormat::Json)
        } else if kind.eq_ignore_ascii_case(LINES_TYPE) {
            Ok(BodyFormat::Lines)
        } else {
            Err(other_form("must be"))
        }
    }
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    length.is_some_and(|length| length.as_bytes() != b"0")
        || headers.contains_key(header::TRANSFER_ENCODING)
}

fn other_form(wrong: &str) -> Problem {
    let detail = format!(
        "The body's `Content-Type` {wrong} application/json, or {LINES_TYPE} for one event per line; \
         with curl, add `-H 'Content-Type: application/json'`."
    );
    Problem::new(ProblemCode::UnsupportedMediaType, detail)
}

/// Reads the whole body of a request.
pub async fn read(
    request: &HttpRequest,
    payload: &mut web::Payload,
    connection: &Connection,
    limits: &Limits,
) -> Result<RequestBody, Problem> {
    let headers = request.headers();
    refuse_compressed(headers)?;
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limits.body_bytes_max as u64) {
        return Err(too_large(limits.body_bytes_max));
    }
    let counted = announced.filter(|bytes| *bytes > COUNTED_FROM_BYTES as u64);
    if counted.is_some_and(|bytes| !limits.bodies.has_room(bytes, part_of(bytes))) {
        return Err(too_many());
    }
    let _reading = connection.begin_body(match announced {
        Some(bytes) => BodyWanted::Sized(bytes),
        None if headers.contains_key(header::TRANSFER_ENCODING) => BodyWanted::Chunks,
        None => BodyWanted::None,
    });
    let gathering = BodyReader {
        pieces: VecDeque::new(),
        length: 0,
        share: None,
        limits,
    };
    match actix_rt::time::timeout(limits.body_timeout, gathering.all(payload)).await {
        Ok(body) => body,
        Err(_) => {
            let detail = format!(
                "The body was not complete within {} s: send it faster, or in smaller requests.",
                limits.body_timeout.as_secs_f32()
            );
            Err(Problem::new(ProblemCode::BodyTooSlow, detail).closing())
        }
    }
}

/// A compressed body may expand a thousand times.
fn refuse_compressed(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(value) if value.as_bytes() != b"identity" => {
            let detail =
                "Compressed bodies are not supported. Send the body without `Content-Encoding`.";
            Err(Problem::new(ProblemCode::UnsupportedMediaType, detail).closing())
        }
        Some(_) | None => Ok(()),
    }
}

/// A body that is being received.
///
/// It grows in small pieces as bytes arrive, whatever length was announced. The allocator reuses small pieces at once.
/// A large piece would be mapped and unmapped by the kernel each time, which delays every thread of the process.
struct BodyReader<'a> {
    /// The received bytes, in order. All pieces but the last are full.
    pieces: VecDeque<BytesMut>,
    /// The total length of all pieces.
    length: usize,
    share: Option<ByteShare>,
    limits: &'a Limits,
}

impl BodyReader<'_> {
    async fn all(mut self, payload: &mut web::Payload) -> Result<RequestBody, Problem> {
        let bytes_max = self.limits.body_bytes_max;
        let Some(first) = payload.next().await else {
            return Ok(RequestBody::default());
        };
        let mut first = Some(first.map_err(|error| cut_off(&error, bytes_max))?);
        self.length = first.as_ref().map_or(0, Bytes::len);
        self.check()?;
        while let Some(piece) = payload.next().await {
            let piece = piece.map_err(|error| cut_off(&error, bytes_max))?;
            self.length += piece.len();
            self.check()?;
            if let Some(first) = first.take() {
                self.add(&first);
            }
            self.add(&piece);
        }
        let bytes = match first {
            // Usually the whole body is one piece, which needs no copy.
            Some(whole) => whole,
            None => self.join(),
        };
        Ok(RequestBody {
            bytes,
            share: self.share,
        })
    }

    fn add(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self
                .pieces
                .back()
                .map_or(0, |last| PIECE_BYTES - last.len());
            if room == 0 {
                self.pieces.push_back(BytesMut::with_capacity(PIECE_BYTES));
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(room));
            if let Some(last) = self.pieces.back_mut() {
                last.extend_from_slice(now);
            }
            bytes = later;
        }
    }

    /// Joins the body into one piece. Each copied piece is freed at once.
    fn join(&mut self) -> Bytes {
        let mut all = BytesMut::with_capacity(self.length);
        while let Some(piece) = self.pieces.pop_front() {
            all.extend_from_slice(&piece);
        }
        all.freeze()
    }

    /// Checks the length received so far.
    fn check(&mut self) -> Result<(), Problem> {
        if self.length > self.limits.body_bytes_max {
            return Err(too_large(self.limits.body_bytes_max));
        }
        self.count(self.length)
    }

    /// Counts this many bytes in the budget of all bodies.
    fn count(&mut self, bytes: usize) -> Result<(), Problem> {
        if bytes <= COUNTED_FROM_BYTES {
            return Ok(());
        }
        let bodies = &self.limits.bodies;
        let share = self.share.get_or_insert_with(|| bodies.nothing());
        match share.set(bytes as u64, part_of(bytes as u64)) {
            true => Ok(()),
            false => Err(too_many()),
        }
    }
}

/// The part of the budget that a body of this length may use.
fn part_of(bytes: u64) -> BudgetPart {
    match bytes > LARGE_FROM_BYTES as u64 {
        true => BudgetPart::Most,
        false => BudgetPart::All,
    }
}

fn too_many() -> Problem {
    let detail = "The bodies of all current requests use the memory that is allowed for them, and nothing of this \
                  request was done. Send the same request again in a second, or its events in smaller requests.";
    Problem::new(ProblemCode::Busy, detail).closing()
}

fn too_large(bytes_max: usize) -> Problem {
    let detail = format!(
        "The body is longer than {bytes_max} bytes: send the events in several requests, one after the other."
    );
    Problem::new(ProblemCode::BodyTooLarge, detail).closing()
}

fn cut_off(error: &PayloadError, bytes_max: usize) -> Problem {
    if matches!(error, PayloadError::Overflow) {
        return too_large(bytes_max);
    }
    let detail = "The body ended early, or its framing is invalid. Nothing was changed. \
                  Send the whole request again.";
    Problem::malformed(detail).closing()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::FromRequest;
    use actix_web::dev::Payload;
    use actix_web::test::TestRequest;

    async fn read_of(request: TestRequest, limits: &Limits) -> Result<Bytes, ProblemCode> {
        let (request, mut payload) = request.to_http_parts();
        let mut payload = web::Payload::from_request(&request, &mut payload)
            .await
            .unwrap();
        let body = read(&request, &mut payload, &Connection::default(), limits).await;
        body.map(|body| body.bytes.clone())
            .map_err(|problem| problem.code())
    }

    fn limits(body_bytes_max: usize) -> Limits {
        Limits {
            body_bytes_max,
            ..Limits::default()
        }
    }

    #[actix_web::test]
    async fn a_body_is_as_long_as_it_may_be() {
        for (body, max, expected) in [
            ("", 0, Ok(Bytes::new())),
            ("abc", 3, Ok(Bytes::from("abc"))),
            ("abcd", 3, Err(ProblemCode::BodyTooLarge)),
        ] {
            let request = TestRequest::post().set_payload(body);
            assert_eq!(read_of(request, &limits(max)).await, expected, "{body}");
        }
        let announced = TestRequest::post()
            .set_payload("a")
            .insert_header(("content-length", "4"));
        assert_eq!(
            read_of(announced, &limits(3)).await,
            Err(ProblemCode::BodyTooLarge)
        );
    }

    #[actix_web::test]
    async fn compressed_bodies_are_refused_unread() {
        for (encoding, good) in [
            ("gzip", false),
            ("br, gzip", false),
            ("identity", true),
            ("", false),
        ] {
            let request = TestRequest::post()
                .insert_header(("content-encoding", encoding))
                .set_payload("x");
            let found = read_of(request, &limits(9)).await;
            assert_eq!(found.is_ok(), good, "{encoding}");
        }
    }

    #[actix_web::test]
    async fn pieces_are_put_together_and_a_slow_body_is_given_up() {
        let pieces = |slow: bool| {
            let pieces = ["ab", "cd", "e"].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
            let stream = futures_util::stream::iter(pieces);
            let tail = futures_util::stream::once(async move {
                if slow {
                    actix_rt::time::sleep(Duration::from_secs(60)).await;
                }
                Ok(Bytes::from_static(b"f"))
            });
            let stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = _>>> =
                Box::pin(stream.chain(tail));
            Payload::from(stream)
        };
        let soon = Limits {
            body_timeout: Duration::from_millis(50),
            ..limits(6)
        };
        for (slow, limits, expected) in [
            (false, limits(6), Ok("abcdef")),
            (false, limits(5), Err(ProblemCode::BodyTooLarge)),
            (true, soon, Err(ProblemCode::BodyTooSlow)),
        ] {
            let request = TestRequest::post().to_http_request();
            let mut payload = web::Payload::from_request(&request, &mut pieces(slow))
                .await
                .unwrap();
            let found = read(&request, &mut payload, &Connection::default(), &limits).await;
            let found = found.map(|body| body.bytes.clone());
            let found = found.map_err(|problem| problem.code());
            assert_eq!(found, expected.map(Bytes::from));
        }
    }
}
