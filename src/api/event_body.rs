//! Parses a request body into events: one object, an array, or JSON lines. Each event keeps its own slice of the body.
//!
//! Each event is judged by itself. The shop rejects an item that is not an event, as a replay does; the journal stores
//! it as text that a replay also finds malformed. An event that the key may not send is refused here and never reaches
//! the shop.

use bytes::Bytes;
use bytestring::ByteString;
use serde_json::value::RawValue;

use crate::http::auth::{Grant, Scope, forbidden};
use crate::http::body::BodyFormat;
use crate::http::problem::{Problem, ProblemCode};

use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::installation::Malformed;
use crate::domain::protocol::event::{Event, EventBody};
use crate::runtime::IncomingEvent;
use crate::wire::{Line, ReadEvent, read_event, read_plain_events};

/// The maximum number of events in a request.
pub const EVENTS_MAX: usize = 10_000;

/// How far an event's own `at` may be ahead of the server's clock.
pub const AHEAD_MAX: Duration = Duration::from_ms(1_000);

/// The maximum length, in bytes, of a parse error that the journal keeps with a malformed event.
const MESSAGE_BYTES_MAX: usize = 500;

/// Parses and checks the events of one request.
pub struct EventReader<'a> {
    /// The shop of the path.
    pub shop: &'a Id,
    /// The server's clock when the request was read.
    pub now: Instant,
    /// What the key allows.
    pub grant: &'a Grant,
}

/// One event of a request, in the order of the body.
pub enum ParsedEvent {
    /// The event goes to the shop, which decides.
    Take(IncomingEvent),
    /// The key may not send the event: the event's id, if any, and the problem.
    Refuse(Option<Id>, Problem),
}

impl EventReader<'_> {
    /// Parses the events of a body, in order. Fails if the body as a whole does not match its format.
    pub fn events(&self, form: BodyFormat, body: &Bytes) -> Result<Vec<ParsedEvent>, Problem> {
        match form {
            BodyFormat::Json => {
                let body = ByteString::try_from(body.clone()).map_err(|_| {
                    Problem::malformed("The body is not UTF-8 text: send JSON in UTF-8.")
                })?;
                self.of_json(&body)
            }
            BodyFormat::Lines => self.of_lines(body),
        }
    }

    fn of_json(&self, body: &ByteString) -> Result<Vec<ParsedEvent>, Problem> {
        let text = trim(body);
        match text.as_bytes().first() {
            Some(b'[') => {
                let judged = |read, text: &str| self.judge(read, text, body);
                if let Some(slots) = read_plain_events(text, self.shop, self.now, judged)
                    && slots.len() <= EVENTS_MAX
                {
                    return Ok(slots);
                }
                let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(not_json)?;
                check_count(elements.len())?;
                let slots = elements
                    .iter()
                    .map(|element| self.slot(element.get(), body));
                Ok(slots.collect())
            }
            Some(b'{') => match read_event(text, self.shop, self.now) {
                Ok(read) => Ok(vec![self.judge(read, text, body)]),
                Err(error) => {
                    // A JSON object that breaks only the event format counts as an event. The shop rejects it.
                    serde_json::from_str::<&RawValue>(text).map_err(not_json)?;
                    Ok(vec![malformed(
                        self.unnamed(format!("The event is {error}.")),
                    )])
                }
            },
            Some(_) => Err(Problem::malformed(
                "The body is neither a JSON object nor an array: send one event, or an array of them.",
            )),
            None => Err(Problem::malformed(
                "The body is empty: send one event as a JSON object, or an array of them.",
            )),
        }
    }

    fn of_lines(&self, body: &Bytes) -> Result<Vec<ParsedEvent>, Problem> {
        let lines = body.split(|byte| *byte == b'\n');
        let lines = lines.filter(|line| !line.iter().all(u8::is_ascii_whitespace));
        check_count(lines.clone().count())?;
        let slots = lines.map(|line| match ByteString::try_from(body.slice_ref(line)) {
            Ok(line) => self.slot(trim(&line), &line),
            Err(_) => malformed(self.unnamed("The line is not UTF-8 text.".to_owned())),
        });
        Ok(slots.collect())
    }

    /// Parses one item of an array or of JSON lines. An item that is not an object is rejected by itself.
    fn slot(&self, text: &str, body: &ByteString) -> ParsedEvent {
        match read_event(text, self.shop, self.now) {
            Ok(read) => self.judge(read, text, body),
            Err(error) => malformed(self.unnamed(format!("The event is {error}."))),
        }
    }

    fn judge(&self, read: ReadEvent, text: &str, body: &ByteString) -> ParsedEvent {
        let event = match read.line {
            Line::Event(_, event) => event,
            Line::Malformed(wrong) => return malformed(wrong),
        };
        if let Some(message) = self.wrong_at(&event, read.stamped) {
            return malformed(Malformed {
                shop: Some(self.shop.clone()),
                event: event.what.name().to_owned(),
                at: Some(event.at),
                message,
            });
        }
        if is_owners(&event.what) && !self.grant.scope.allows(Scope::Owner) {
            return ParsedEvent::Refuse(event.id, forbidden(Scope::Owner));
        }
        ParsedEvent::Take(IncomingEvent::Event {
            event,
            stamped: read.stamped,
            text: one_line(text, body),
        })
    }

    fn wrong_at(&self, event: &Event, stamped: bool) -> Option<String> {
        if stamped {
            return None;
        }
        if !self.grant.own_clock {
            let wrong =
                "`at` may not be sent with this key: leave it out, and the server's clock counts.";
            return Some(wrong.to_owned());
        }
        (event.at > self.now + AHEAD_MAX).then(|| {
            format!(
                "`at` is more than 1 s ahead of the server's clock, which stands at {}: set your clock, or leave it out.",
                self.now.at_offset(0)
            )
        })
    }

    /// A malformed event of which no field could be read.
    fn unnamed(&self, message: String) -> Malformed {
        Malformed {
            shop: Some(self.shop.clone()),
            event: String::new(),
            at: Some(self.now),
            message,
        }
    }
}

/// Whether only a key with the scope `owner` may send this event (仅主账号有权限).
fn is_owners(what: &EventBody) -> bool {
    matches!(
        what,
        EventBody::ShopConfigured { .. }
            | EventBody::AgentConfigured { .. }
            | EventBody::AgentRemoved { .. }
    )
}

/// Refuses the events that would create a shop. Only an admin key may create one.
pub fn refuse_making(slots: &mut [ParsedEvent]) {
    for slot in slots {
        if let ParsedEvent::Take(IncomingEvent::Event { event, .. }) = slot
            && matches!(event.what, EventBody::ShopConfigured { .. })
        {
            *slot = ParsedEvent::Refuse(event.id.take(), forbidden(Scope::Admin));
        }
    }
}

/// Whether one of these events would create its shop if the shop does not exist.
pub fn may_make(slots: &[ParsedEvent]) -> bool {
    slots.iter().any(|slot| {
        matches!(slot, ParsedEvent::Take(IncomingEvent::Event { event, .. }) if matches!(event.what, EventBody::ShopConfigured { .. }))
    })
}

fn malformed(malformed: Malformed) -> ParsedEvent {
    // The stored text must be malformed by itself: a replay adds the shop and the time before it parses.
    let message = &malformed.message;
    let end = message.floor_char_boundary(MESSAGE_BYTES_MAX);
    let text = serde_json::json!({ "type": malformed.event, "malformed": message[..end] });
    ParsedEvent::Take(IncomingEvent::Malformed {
        text: text.to_string().into(),
        malformed,
    })
}

/// A slice of the body as one line, so that it fits a trace. JSON strings contain no raw line breaks, so those between
/// tokens can become spaces.
fn one_line(text: &str, body: &ByteString) -> ByteString {
    let bytes = text.as_bytes();
    if bytes.contains(&b'\n') || bytes.contains(&b'\r') {
        return text.replace(['\n', '\r'], " ").into();
    }
    body.slice_ref(text)
}

/// Removes the whitespace that JSON allows around a value.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

fn check_count(events: usize) -> Result<(), Problem> {
    if events <= EVENTS_MAX {
        return Ok(());
    }
    let detail = format!(
        "The request has {events} events, but the maximum is {EVENTS_MAX}. None was handled. \
         Send them in several requests, one after the other."
    );
    Err(Problem::new(ProblemCode::TooManyEvents, detail))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it stands as a function of an error"
)]
fn not_json(error: serde_json::Error) -> Problem {
    Problem::malformed(format!(
        "The body is not JSON, and nothing was changed: {error}. \
         To send one event per line, use application/x-ndjson."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_ms(1_794_362_400_000);

    fn grant(scope: Scope, own_clock: bool) -> Grant {
        Grant {
            id: Id::known("k"),
            scope,
            shop: Some(Id::known("s")),
            own_clock,
        }
    }

    /// How each event of a body was judged: its type, `malformed TYPE` or `refused`. Errors with the problem's code.
    fn judged(grant: &Grant, form: BodyFormat, body: &[u8]) -> Result<Vec<String>, &'static str> {
        let shop = Id::known("s");
        let door = EventReader {
            shop: &shop,
            now: NOW,
            grant,
        };
        let slots = door.events(form, &Bytes::copy_from_slice(body));
        let slots = slots.map_err(|problem| problem.code().code())?;
        Ok(slots.iter().map(told).collect())
    }

    fn told(slot: &ParsedEvent) -> String {
        match slot {
            ParsedEvent::Take(IncomingEvent::Event {
                event,
                stamped,
                text,
            }) => {
                assert!(
                    serde_json::from_str::<serde_json::Value>(text)
                        .unwrap()
                        .is_object()
                );
                assert!(!text.contains('\n'));
                let own = if *stamped { "" } else { " at" };
                format!("{}{own}", event.what.name())
            }
            ParsedEvent::Take(IncomingEvent::Malformed { malformed, text }) => {
                let replayed = crate::wire::read_line(text).unwrap();
                let Line::Malformed(replayed) = replayed else {
                    panic!("a replay takes {text}");
                };
                assert_eq!(replayed.event, malformed.event);
                assert_eq!(malformed.shop.as_deref(), Some("s"));
                assert!(!malformed.message.is_empty());
                format!("malformed {}", malformed.event)
                    .trim_end()
                    .to_owned()
            }
            ParsedEvent::Refuse(..) => "refused".to_owned(),
        }
    }

    const CLOCK: &str = r#"{"type":"clock"}"#;

    #[test]
    fn a_json_body_is_one_event_or_an_array() {
        let owner = grant(Scope::Owner, false);
        let deep = format!(
            "{{\"type\":\"clock\",\"x\":{}{}}}",
            "[".repeat(9_000),
            "]".repeat(9_000)
        );
        let malformed = Ok(vec!["malformed"]);
        let malformed_clock = Ok(vec!["malformed clock"]);
        for (body, expected) in [
            (CLOCK, Ok(vec!["clock"])),
            (" \r\n{\"type\":\n\"clock\"}\n", Ok(vec!["clock"])),
            ("[]", Ok(vec![])),
            (
                "[{\"type\":\"clock\"} , {\"type\":\"clock\",\"shop\":\"s\"}]",
                Ok(vec!["clock", "clock"]),
            ),
            (
                "[{\"type\":\"clock\"},5,null,[],\"x\"]",
                Ok(vec![
                    "clock",
                    "malformed",
                    "malformed",
                    "malformed",
                    "malformed",
                ]),
            ),
            ("{}", malformed.clone()),
            ("{\"type\":7}", malformed.clone()),
            (
                "{\"type\":\"clock\",\"shop\":\"t\"}",
                malformed_clock.clone(),
            ),
            ("{\"type\":\"clock\",\"shop\":5}", malformed_clock.clone()),
            ("{\"type\":\"clock\",\"at\":5}", malformed_clock.clone()),
            ("{\"type\":\"clock\",\"x\":1}", malformed_clock.clone()),
            (
                "{\"type\":\"clock\",\"at\":null,\"shop\":null}",
                Ok(vec!["clock"]),
            ),
            ("{\"type\":\"clock\",\"id\":\"\\ud800\"}", malformed.clone()),
            (
                "[{\"type\":\"clock\",\"id\":\"\\ud800\"},{\"type\":\"clock\"}]",
                Ok(vec!["malformed", "clock"]),
            ),
            ("{\"type\":\"clock\",\"x\":1e999}", malformed_clock.clone()),
            (deep.as_str(), malformed_clock),
            ("", Err("malformed")),
            ("  ", Err("malformed")),
            ("5", Err("malformed")),
            ("\"x\"", Err("malformed")),
            ("nonsense", Err("malformed")),
            ("{\"type\":\"clock\"", Err("malformed")),
            ("{\"type\":\"clock\"}{\"type\":\"clock\"}", Err("malformed")),
            ("[{\"type\":\"clock\"},", Err("malformed")),
            ("[{\"type\":\"clock\"},]", Err("malformed")),
            ("[{\"type\":\"clock\"}", Err("malformed")),
            ("[,{\"type\":\"clock\"}]", Err("malformed")),
            (
                "[{\"type\":\"clock\"}{\"type\":\"clock\"}]",
                Err("malformed"),
            ),
            ("[{\"type\":\"clock\"}]]", Err("malformed")),
            (
                "[\n{\"type\":\"clock\",\r\n\"id\":\"a\"}\t]\n",
                Ok(vec!["clock"]),
            ),
            (
                "[{\"type\":\"clock\"},{\"type\":\"clock\",\"id\":\"\\u0041\"}]",
                Ok(vec!["clock", "clock"]),
            ),
            ("[{\"type\":\"clock\"}]x", Err("malformed")),
            ("\u{feff}{}", Err("malformed")),
        ] {
            let found = judged(&owner, BodyFormat::Json, body.as_bytes());
            let expected = expected.map(|all| all.into_iter().map(str::to_owned).collect());
            assert_eq!(found, expected, "{body:.60}");
        }
        assert_eq!(
            judged(&owner, BodyFormat::Json, b"{\"type\":\"\xff\"}"),
            Err("malformed")
        );
    }

    #[test]
    fn lines_are_judged_one_by_one() {
        let owner = grant(Scope::Owner, false);
        for (body, expected) in [
            (&b""[..], vec![]),
            (b"\n \r\n", vec![]),
            (
                b"{\"type\":\"clock\"}\n\n{\"type\":\"clock\"}\r\n",
                vec!["clock", "clock"],
            ),
            (
                b"{\"type\":\"clock\"}\n{\"type\":\n{\"type\":\"clock\"}",
                vec!["clock", "malformed", "clock"],
            ),
            (
                b"{\"type\":\"clock\"}\n\xff\xfe\n7",
                vec!["clock", "malformed", "malformed"],
            ),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(
                judged(&owner, BodyFormat::Lines, body),
                Ok(expected),
                "{body:?}"
            );
        }
    }

    #[test]
    fn own_instants_are_for_those_who_may() {
        for (scope, own_clock, at, expected) in [
            (
                Scope::Events,
                false,
                "2026-11-11T10:00:00+08:00",
                "malformed clock",
            ),
            (Scope::Events, true, "2026-11-11T10:00:00+08:00", "clock at"),
            (Scope::Owner, true, "2020-01-01T00:00:00Z", "clock at"),
            (Scope::Admin, true, "2026-11-11T10:00:01+08:00", "clock at"),
            (
                Scope::Admin,
                true,
                "2026-11-11T10:00:01.001+08:00",
                "malformed clock",
            ),
        ] {
            let body = format!("{{\"type\":\"clock\",\"at\":\"{at}\"}}");
            let found = judged(&grant(scope, own_clock), BodyFormat::Json, body.as_bytes());
            assert_eq!(
                found,
                Ok(vec![expected.to_owned()]),
                "{scope:?} {own_clock} {at}"
            );
        }
    }

    #[test]
    fn only_an_owner_configures() {
        let body = r#"[{"type":"shop.configured","policy":{}},{"type":"agent.configured","agent":"a"},
            {"type":"agent.removed","agent":"a"},{"type":"agent.online","agent":"a"}]"#;
        for (scope, expected) in [
            (
                Scope::Events,
                ["refused", "refused", "refused", "agent.online"],
            ),
            (
                Scope::Owner,
                [
                    "shop.configured",
                    "agent.configured",
                    "agent.removed",
                    "agent.online",
                ],
            ),
        ] {
            let found = judged(&grant(scope, false), BodyFormat::Json, body.as_bytes());
            assert_eq!(found, Ok(expected.map(str::to_owned).to_vec()));
        }
        let (shop, grant) = (Id::known("s"), grant(Scope::Owner, false));
        let door = EventReader {
            shop: &shop,
            now: NOW,
            grant: &grant,
        };
        let mut slots = door.events(BodyFormat::Json, &Bytes::from(body)).unwrap();
        assert!(may_make(&slots));
        refuse_making(&mut slots);
        assert!(!may_make(&slots));
        let found: Vec<String> = slots.iter().map(told).collect();
        assert_eq!(
            found,
            [
                "refused",
                "agent.configured",
                "agent.removed",
                "agent.online"
            ]
        );
    }

    #[test]
    fn ten_thousand_events_and_no_more() {
        let owner = grant(Scope::Owner, false);
        for (count, good) in [(EVENTS_MAX, true), (EVENTS_MAX + 1, false)] {
            let array = format!("[{}]", vec![CLOCK; count].join(","));
            let lines = vec![CLOCK; count].join("\n");
            for (form, body) in [(BodyFormat::Json, array), (BodyFormat::Lines, lines)] {
                let found = judged(&owner, form, body.as_bytes());
                let found = found.map(|events| events.len());
                assert_eq!(
                    found,
                    if good {
                        Ok(count)
                    } else {
                        Err("too_many_events")
                    }
                );
            }
        }
    }

    #[test]
    fn an_event_keeps_its_own_piece_of_the_body() {
        let body = Bytes::from("[ {\"type\":\"clock\", \"id\":\"é\"} ]");
        let (shop, grant) = (Id::known("s"), grant(Scope::Events, false));
        let door = EventReader {
            shop: &shop,
            now: NOW,
            grant: &grant,
        };
        let slots = door.events(BodyFormat::Json, &body).unwrap();
        let [ParsedEvent::Take(IncomingEvent::Event { text, .. })] = slots.as_slice() else {
            panic!("one event");
        };
        assert_eq!(text, "{\"type\":\"clock\", \"id\":\"é\"}");
        assert_eq!(text.as_ptr(), body[2..].as_ptr(), "not a copy");
    }
}
