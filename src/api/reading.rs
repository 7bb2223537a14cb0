//! Reading an event that came in by this door: of the path's shop, at the server's time where it says none.
//!
//! Stands in for `wire::read_event`, which has the same form and does without the detour over a JSON tree.

use serde_json::{Map, Value};

use crate::domain::id::Id;
use crate::domain::installation::Malformed;
use crate::domain::time::Instant;
use crate::wire::{Line, NotAnObject, read_line};

/// An event as it came in by a door that knows the shop and the time.
pub struct Read {
    /// The event, or what is known of it; always of the door's shop.
    pub line: Line,
    /// Whether `at` was left out, so that the event has the door's time.
    pub stamped: bool,
}

/// Reads one JSON object that came in for `shop` at `now`, both of which the body may leave out; another shop is
/// malformed. Errors where it is no JSON object at all.
pub fn read_event(text: &str, shop: &Id, now: Instant) -> Result<Read, NotAnObject> {
    let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(text) else {
        let line = read_line(text)?;
        return Ok(Read { line, stamped: false });
    };
    let named = fields.get("shop").filter(|named| !named.is_null());
    let wrong = named.is_some_and(|named| named != shop.as_str());
    let message = format!("`shop` is not {shop:?}, to which this was sent: leave it out, or send it there.");
    fields.insert("shop".to_owned(), Value::from(shop.as_str()));
    let stamped = fields.get("at").is_none_or(Value::is_null);
    if stamped {
        fields.insert("at".to_owned(), Value::from(now.at_offset(0).to_string()));
    }
    let line = match read_line(&Value::Object(fields).to_string())? {
        Line::Event(shop, event) if wrong => Line::Malformed(Malformed {
            shop: Some(shop),
            event: event.what.name().to_owned(),
            at: Some(event.at),
            message,
        }),
        Line::Malformed(malformed) if wrong => Line::Malformed(Malformed { message, ..malformed }),
        line @ (Line::Event(..) | Line::Malformed(_)) => line,
    };
    Ok(Read { line, stamped })
}
