//! Every error that a client gets, as an RFC 9457 problem document with the contract's code.
//!
//! This is the only file that maps errors to HTTP statuses. Every problem says what to do next. No problem says more
//! about a shop than the key may know.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::domain::protocol::decision::ErrorCode;
use crate::runtime::{ReadError, Unavailable};

/// The prefix of a problem's `type`, before its code.
pub const TYPE_PREFIX: &str = "urn:xiaoer:error:";

/// The media type of a problem.
pub const PROBLEM_TYPE: &str = "application/problem+json";

/// `Retry-After`, in seconds, when a limit of the server is reached.
const BUSY_RETRY_S: &str = "1";

/// `Retry-After`, in seconds, when an operator has to repair something.
const REPAIR_RETRY_S: &str = "10";

/// `Retry-After`, in seconds, when a pool is full.
const QUEUE_RETRY_S: &str = "5";

/// The kind of a problem. Each kind has one code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemCode {
    /// The event was rejected.
    Rejected(ErrorCode),
    /// No key, or an unknown key.
    Unauthorized,
    /// The key does not allow this request.
    Forbidden,
    /// The server has no keys, and the request's `Host` is not a loopback name or address.
    HostNotLocal,
    /// The server has no keys, and the request comes from a page of another site.
    CrossSite,
    /// No such route.
    NotFound,
    /// The policy has no such entry.
    EntryUnknown,
    /// The shop has not taken this decision yet, or its journal was deleted.
    DecisionUnknown,
    /// No such key.
    KeyUnknown,
    /// No such webhook.
    WebhookUnknown,
    /// The maximum number is reached.
    TooMany,
    /// The route does not support the method.
    MethodNotAllowed,
    /// The server runs without keys.
    NoKeys,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// The body is too long.
    BodyTooLarge,
    /// The request has too many events.
    TooManyEvents,
    /// The body has an unsupported media type.
    UnsupportedMediaType,
    /// An event with the same id and another body was accepted before.
    IdConflict,
    /// The shop has used its quota of the journal for now.
    OverQuota,
    /// A limit of the server is reached for now.
    Busy,
    /// The server is shutting down.
    Closing,
    /// The disk is nearly full.
    DiskFull,
    /// The disk is too slow, or has failed.
    Stalled,
    /// The machine's clock is not plausible.
    ClockNotTrusted,
    /// A bug of the server.
    Broken,
    /// Stored data is damaged.
    Damaged,
}

impl ProblemCode {
    /// The status, the code and the title.
    fn definition(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            ProblemCode::Rejected(error) => rejected(error),
            ProblemCode::Unauthorized => definition(401, "unauthorized", "A key is needed"),
            ProblemCode::Forbidden => definition(403, "forbidden", "The key may not do this"),
            ProblemCode::HostNotLocal => {
                definition(421, "host_not_local", "The host is not a local name")
            }
            ProblemCode::CrossSite => {
                definition(403, "cross_site", "The request comes from another site")
            }
            ProblemCode::NotFound => definition(404, "not_found", "No such path"),
            ProblemCode::EntryUnknown => definition(404, "entry_unknown", "No such entry"),
            ProblemCode::DecisionUnknown => definition(404, "decision_unknown", "No such decision"),
            ProblemCode::KeyUnknown => definition(404, "key_unknown", "No such key"),
            ProblemCode::WebhookUnknown => definition(404, "webhook_unknown", "No such webhook"),
            ProblemCode::TooMany => definition(409, "too_many", "The maximum number is reached"),
            ProblemCode::MethodNotAllowed => definition(
                405,
                "method_not_allowed",
                "The path does not support this method",
            ),
            ProblemCode::BodyTooSlow => {
                definition(408, "body_too_slow", "The body was not received in time")
            }
            ProblemCode::NoKeys => definition(409, "no_keys", "The server runs without keys"),
            ProblemCode::BodyTooLarge => definition(413, "body_too_large", "The body is too large"),
            ProblemCode::TooManyEvents => definition(413, "too_many_events", "Too many events"),
            ProblemCode::UnsupportedMediaType => {
                definition(415, "unsupported_media_type", "Unsupported content type")
            }
            ProblemCode::IdConflict => {
                definition(422, "id_conflict", "The id was used for another event")
            }
            ProblemCode::Broken => definition(500, "broken", "Internal error"),
            ProblemCode::Damaged => definition(500, "damaged", "Stored data is damaged"),
            ProblemCode::OverQuota => definition(429, "over_share", "The shop has used its quota"),
            ProblemCode::Busy => definition(503, "busy", "The server is busy"),
            ProblemCode::Closing => definition(503, "closing", "The server is shutting down"),
            ProblemCode::Stalled => {
                definition(503, "stalled", "The disk is too slow or has failed")
            }
            ProblemCode::ClockNotTrusted => definition(
                503,
                "clock_not_trusted",
                "The server's clock is not plausible",
            ),
            ProblemCode::DiskFull => definition(507, "disk_full", "The disk is nearly full"),
        }
    }

    /// The code, as the contract defines it.
    pub fn code(self) -> &'static str {
        self.definition().1
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        self.definition().0
    }

    fn retry_after_s(self) -> Option<&'static str> {
        match self {
            ProblemCode::Rejected(ErrorCode::QueueFull) => Some(QUEUE_RETRY_S),
            ProblemCode::Busy | ProblemCode::Closing => Some(BUSY_RETRY_S),
            ProblemCode::Stalled | ProblemCode::ClockNotTrusted => Some(REPAIR_RETRY_S),
            ProblemCode::Rejected(_)
            | ProblemCode::Unauthorized
            | ProblemCode::Forbidden
            | ProblemCode::HostNotLocal
            | ProblemCode::CrossSite
            | ProblemCode::NotFound
            | ProblemCode::EntryUnknown
            | ProblemCode::DecisionUnknown
            | ProblemCode::KeyUnknown
            | ProblemCode::WebhookUnknown
            | ProblemCode::TooMany
            | ProblemCode::MethodNotAllowed
            | ProblemCode::NoKeys
            | ProblemCode::BodyTooSlow
            | ProblemCode::BodyTooLarge
            | ProblemCode::TooManyEvents
            | ProblemCode::UnsupportedMediaType
            | ProblemCode::IdConflict
            | ProblemCode::OverQuota
            | ProblemCode::DiskFull
            | ProblemCode::Broken
            | ProblemCode::Damaged => None,
        }
    }
}

fn definition(
    status: u16,
    code: &'static str,
    title: &'static str,
) -> (StatusCode, &'static str, &'static str) {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, code, title)
}

/// The contract's table (section 5).
fn rejected(error: ErrorCode) -> (StatusCode, &'static str, &'static str) {
    let (status, title) = match error {
        ErrorCode::Malformed => (400, "The request is malformed"),
        ErrorCode::PolicyInvalid => (400, "The policy is invalid"),
        ErrorCode::ShopUnknown => (404, "No such shop"),
        ErrorCode::AgentUnknown => (404, "No such agent"),
        ErrorCode::SessionUnknown => (404, "No such session"),
        ErrorCode::QueueFull => (429, "The queue is full"),
        ErrorCode::TimeWentBack => (409, "The event is older than the shop's clock"),
        ErrorCode::SessionExists => (409, "The session's id is taken"),
        ErrorCode::BuyerInSession => (409, "The buyer has an open session"),
        ErrorCode::BuyerBlocked => (409, "The buyer is blocked"),
        ErrorCode::SessionClosed => (409, "The session is closed"),
        ErrorCode::NotSessionAgent => (409, "Not the session's agent"),
        ErrorCode::AgentOffline => (409, "The agent is offline"),
        ErrorCode::NotWithBot => (409, "The session is not with the bot"),
    };
    definition(status, error.code(), title)
}

/// A problem, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem(Box<ProblemFields>);

#[derive(Clone, Debug, PartialEq)]
struct ProblemFields {
    code: ProblemCode,
    detail: String,
    /// Additional members: names and JSON values.
    members: Vec<(&'static str, String)>,
    headers: Vec<(HeaderName, String)>,
    /// Whether the connection closes without waiting for the rest of the request.
    closes: bool,
}

#[derive(Serialize)]
struct ProblemDocument<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
}

impl Problem {
    /// A problem. `detail` says what to do next.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Problem {
        let mut problem = Problem(Box::new(ProblemFields {
            code,
            detail: detail.into(),
            members: Vec::new(),
            headers: Vec::new(),
            closes: false,
        }));
        if let Some(seconds) = code.retry_after_s() {
            problem = problem.header(header::RETRY_AFTER, seconds);
        }
        if code == ProblemCode::Unauthorized {
            problem = problem.header(header::WWW_AUTHENTICATE, "Bearer realm=\"xiaoer\"");
        }
        problem
    }

    /// A failure of the server. The error may name paths of the server, so it goes only to the log. The client gets
    /// `detail`, which says what to do.
    pub fn own(code: ProblemCode, error: &dyn std::fmt::Display, detail: &str) -> Problem {
        tracing::error!(%error, code = code.code(), "a request was not done");
        Problem::new(code, detail)
    }

    /// The request cannot be parsed.
    pub fn malformed(detail: impl Into<String>) -> Problem {
        Problem::new(ProblemCode::Rejected(ErrorCode::Malformed), detail)
    }

    /// The shop does not exist, or the key belongs to another shop. The response is the same for both.
    pub fn shop_unknown(shop: &str) -> Problem {
        let detail = format!(
            "No shop {shop:?} is available to this key. Check its id, or create the shop with \
             `PUT /v1/shops/{{shop}}` and an admin key."
        );
        Problem::new(ProblemCode::Rejected(ErrorCode::ShopUnknown), detail)
    }

    /// The agent is not configured.
    pub fn agent_unknown(agent: &str) -> Problem {
        let detail = format!("No agent {agent:?} is configured. `GET agents` lists the agents.");
        Problem::new(ProblemCode::Rejected(ErrorCode::AgentUnknown), detail)
    }

    /// The session is not open and was not closed in the last 7 days.
    pub fn session_unknown(session: &str) -> Problem {
        let detail = format!(
            "No session {session:?} is open or was closed in the last 7 days. `GET sessions` lists the sessions."
        );
        Problem::new(ProblemCode::Rejected(ErrorCode::SessionUnknown), detail)
    }

    /// The request was not handled and will not be.
    pub fn refused(refused: Unavailable) -> Problem {
        match refused {
            Unavailable::Busy => Problem::new(
                ProblemCode::Busy,
                "The server is at its limit of concurrent work. Send the same request again in a second.",
            ),
            Unavailable::DiskFull => Problem::new(
                ProblemCode::DiskFull,
                "The server's disk is nearly full, so the server takes no changes. Free some space, then send the \
                 request again.",
            ),
            Unavailable::Stalled(what) => Problem::new(
                ProblemCode::Stalled,
                format!(
                    "The server's disk is too slow or has failed: {what}. Check the disk and the server's log."
                ),
            ),
            Unavailable::ClockNotTrusted(doubt) => Problem::new(
                ProblemCode::ClockNotTrusted,
                format!(
                    "The server cannot give events a time, so it takes none: {doubt}. Then send this request again."
                ),
            ),
            Unavailable::OverQuota { wait_s } => {
                let detail = format!(
                    "The shop has written as many bytes to the journal as its quota allows \
                     (`shop.bytes_per_hour_max`). Send the same request again in {wait_s} s."
                );
                Problem::new(ProblemCode::OverQuota, detail)
                    .header(header::RETRY_AFTER, wait_s.to_string())
            }
            Unavailable::Closing => Problem::new(
                ProblemCode::Closing,
                "The server is shutting down. Send the same request again after it has started.",
            ),
            Unavailable::Broken => Problem::new(
                ProblemCode::Broken,
                "A bug in the server stopped this request. Nothing was changed, and the shop works again. \
                 Please report it with the server's log.",
            ),
            Unavailable::Damaged(what) => Problem::own(
                ProblemCode::Damaged,
                &what,
                "The stored data for this request is damaged, and nothing was changed. The server's log says what is \
                 wrong, and `xiaoer verify` on its folder finds all of it. Ask the server's operator.",
            ),
        }
    }

    /// A read of `shop` failed.
    pub fn unread(shop: &str, error: ReadError) -> Problem {
        match error {
            ReadError::NoShop => Problem::shop_unknown(shop),
            ReadError::Refused(refused) => Problem::refused(refused),
        }
    }

    /// Adds a member whose value is JSON.
    #[must_use]
    pub fn member(mut self, name: &'static str, json: String) -> Problem {
        self.0.members.push((name, json));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Problem {
        self.0.headers.push((name, value.into()));
        self
    }

    /// Closes the connection after the response, without waiting for the rest of the request.
    #[must_use]
    pub fn closing(mut self) -> Problem {
        self.0.closes = true;
        self
    }

    /// The kind of the problem.
    pub fn code(&self) -> ProblemCode {
        self.0.code
    }

    /// The problem document as JSON.
    pub fn json(&self) -> String {
        let (status, code, title) = self.0.code.definition();
        let written = ProblemDocument {
            kind: format!("{TYPE_PREFIX}{code}"),
            title,
            status: status.as_u16(),
            detail: &self.0.detail,
            code,
        };
        let mut json = serde_json::to_string(&written).unwrap_or_default();
        json.pop();
        for (name, value) in &self.0.members {
            json.push_str(&format!(",\"{name}\":{value}"));
        }
        json.push('}');
        json
    }

    /// The problem as an HTTP response.
    pub fn response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.0.code.status());
        response.content_type(PROBLEM_TYPE);
        for (name, value) in &self.0.headers {
            response.insert_header((name.clone(), value.as_str()));
        }
        if self.0.closes {
            response.force_close();
        }
        response.body(self.json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rejection_has_the_contracts_status() {
        for (error, status) in [
            (ErrorCode::Malformed, 400),
            (ErrorCode::PolicyInvalid, 400),
            (ErrorCode::ShopUnknown, 404),
            (ErrorCode::AgentUnknown, 404),
            (ErrorCode::SessionUnknown, 404),
            (ErrorCode::QueueFull, 429),
            (ErrorCode::TimeWentBack, 409),
            (ErrorCode::SessionExists, 409),
            (ErrorCode::BuyerInSession, 409),
            (ErrorCode::SessionClosed, 409),
            (ErrorCode::NotSessionAgent, 409),
            (ErrorCode::AgentOffline, 409),
            (ErrorCode::NotWithBot, 409),
            (ErrorCode::BuyerBlocked, 409),
        ] {
            let code = ProblemCode::Rejected(error);
            assert_eq!(code.status().as_u16(), status, "{error:?}");
            assert_eq!(code.code(), error.code());
        }
        assert_eq!(
            ErrorCode::ALL.len(),
            14,
            "a new code needs its row and its status"
        );
    }

    #[test]
    fn a_refusal_has_its_status_and_says_when_to_come_again() {
        for (refused, status, code, retry) in [
            (Unavailable::Busy, 503, "busy", Some("1")),
            (Unavailable::DiskFull, 507, "disk_full", None),
            (
                Unavailable::OverQuota { wait_s: 90 },
                429,
                "over_share",
                Some("90"),
            ),
            (Unavailable::Closing, 503, "closing", Some("1")),
            (Unavailable::Broken, 500, "broken", None),
            (
                Unavailable::Stalled("it cannot be read".to_owned()),
                503,
                "stalled",
                Some("10"),
            ),
            (
                Unavailable::Damaged("Run `xiaoer verify`.".to_owned()),
                500,
                "damaged",
                None,
            ),
        ] {
            let response = Problem::refused(refused).response();
            assert_eq!(response.status().as_u16(), status, "{code}");
            let headers = response.headers();
            let header = headers
                .get("retry-after")
                .map(|value| value.to_str().unwrap());
            assert_eq!(header, retry, "{code}");
            assert_eq!(headers.get("content-type").unwrap(), PROBLEM_TYPE);
        }
    }

    #[test]
    fn what_failed_inside_is_not_told_to_a_caller() {
        let what = "could not open /srv/desk/store/db: run `xiaoer verify`".to_owned();
        let problem = Problem::refused(Unavailable::Damaged(what));
        assert!(!problem.json().contains("/srv"), "{}", problem.json());
        assert!(problem.json().contains("log"), "{}", problem.json());
    }

    #[test]
    fn a_problem_is_a_document() {
        let problem = Problem::malformed("Say \"it\".").member("results", "[1]".to_owned());
        assert_eq!(
            problem.json(),
            "{\"type\":\"urn:xiaoer:error:malformed\",\"title\":\"The request is malformed\",\"status\":400,\
             \"detail\":\"Say \\\"it\\\".\",\"code\":\"malformed\",\"results\":[1]}"
        );
        let asked = Problem::new(ProblemCode::Unauthorized, "Send a key.").response();
        assert_eq!(
            asked.headers().get("www-authenticate").unwrap(),
            "Bearer realm=\"xiaoer\""
        );
    }
}
