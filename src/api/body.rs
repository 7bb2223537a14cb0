//! Reading a body: no longer than it may be, no slower than it may be, and not compressed.
//!
//! The framework bounds how long a request's head takes, but not its body: that is done here.

use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::problem::{Code, Problem};

/// The limits of the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest body of a request.
    pub body_bytes_max: usize,
    /// How long a whole body may take to come in.
    pub body_timeout: Duration,
    /// How long a stream is silent before it says that it is there; so proxies keep it, and dead peers are noticed.
    pub heartbeat: Duration,
    /// Whether `/metrics` asks for no key.
    pub metrics_public: bool,
    /// Whether a shop for which no buyer space is named gets one of its own, and not its preset's.
    pub own_buyer_space: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes_max: 8 * 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(15),
            metrics_public: false,
            own_buyer_space: false,
        }
    }
}

/// What a body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON value.
    Json,
    /// JSON lines.
    Lines,
}

/// The media type of JSON lines.
const LINES_TYPE: &str = "application/x-ndjson";

impl Form {
    /// What a request's body is written in, by its `Content-Type`; JSON where it has none.
    pub fn of(headers: &HeaderMap) -> Result<Form, Problem> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else {
            return Ok(Form::Json);
        };
        let text = value.to_str().unwrap_or_default();
        let kind = text.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/json") {
            Ok(Form::Json)
        } else if kind.eq_ignore_ascii_case(LINES_TYPE) {
            Ok(Form::Lines)
        } else {
            let detail = format!(
                "The body's `Content-Type` must be application/json, or {LINES_TYPE} for events one a line; \
                 with curl, say `-H 'Content-Type: application/json'`."
            );
            Err(Problem::new(Code::UnsupportedMediaType, detail))
        }
    }
}

/// The whole body of a request.
pub async fn read(
    request: &HttpRequest,
    payload: &mut web::Payload,
    limits: &Limits,
) -> Result<Bytes, Problem> {
    let headers = request.headers();
    refuse_compressed(headers)?;
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > limits.body_bytes_max as u64) {
        return Err(too_large(limits.body_bytes_max));
    }
    let gathered =
        actix_rt::time::timeout(limits.body_timeout, gather(payload, limits.body_bytes_max));
    match gathered.await {
        Ok(body) => body,
        Err(_) => {
            let detail = format!(
                "The body was not complete within {} s: send it faster, or in smaller requests.",
                limits.body_timeout.as_secs_f32()
            );
            Err(Problem::new(Code::BodyTooSlow, detail).closing())
        }
    }
}

/// What is compressed may be a thousand times longer than it looks.
fn refuse_compressed(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(header::CONTENT_ENCODING) {
        Some(value) if value.as_bytes() != b"identity" => {
            let detail = "Compressed bodies are not read: leave `Content-Encoding` out and send the body as it is.";
            Err(Problem::new(Code::UnsupportedMediaType, detail).closing())
        }
        Some(_) | None => Ok(()),
    }
}

async fn gather(payload: &mut web::Payload, bytes_max: usize) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| cut_off(&error, bytes_max))?;
        if first.len() + all.len() + piece.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        // Most bodies come in one piece, which then is the body as it stands.
        if first.is_empty() && all.is_empty() {
            first = piece;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&piece);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn too_large(bytes_max: usize) -> Problem {
    let detail = format!(
        "The body is longer than {bytes_max} bytes: send the events in several requests, one after the other."
    );
    Problem::new(Code::BodyTooLarge, detail).closing()
}

fn cut_off(error: &PayloadError, bytes_max: usize) -> Problem {
    if matches!(error, PayloadError::Overflow) {
        return too_large(bytes_max);
    }
    let detail = "The body ended before it was complete, or its framing is wrong; nothing of it was done: \
                  send the whole request again.";
    Problem::malformed(detail).closing()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::FromRequest;
    use actix_web::dev::Payload;
    use actix_web::test::TestRequest;

    async fn read_of(request: TestRequest, limits: &Limits) -> Result<Bytes, Code> {
        let (request, mut payload) = request.to_http_parts();
        let mut payload = web::Payload::from_request(&request, &mut payload)
            .await
            .unwrap();
        read(&request, &mut payload, limits)
            .await
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
            ("abcd", 3, Err(Code::BodyTooLarge)),
        ] {
            let request = TestRequest::post().set_payload(body);
            assert_eq!(read_of(request, &limits(max)).await, expected, "{body}");
        }
        let announced = TestRequest::post()
            .set_payload("a")
            .insert_header(("content-length", "4"));
        assert_eq!(
            read_of(announced, &limits(3)).await,
            Err(Code::BodyTooLarge)
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
            (false, limits(5), Err(Code::BodyTooLarge)),
            (true, soon, Err(Code::BodyTooSlow)),
        ] {
            let request = TestRequest::post().to_http_request();
            let mut payload = web::Payload::from_request(&request, &mut pieces(slow))
                .await
                .unwrap();
            let found = read(&request, &mut payload, &limits).await;
            let found = found.map_err(|problem| problem.code());
            assert_eq!(found, expected.map(Bytes::from));
        }
    }
}
