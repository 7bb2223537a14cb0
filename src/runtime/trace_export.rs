//! Exports a shop's records as lines of a trace. A replay decides them in the same way.

use serde_json::{Map, Value};

use super::recovery::diverged;
use crate::domain::base::id::Id;
use crate::journal::{JournalError, Record};

/// The event of a record as a line of a trace, with its shop and the time at which it was handled.
///
/// Some events are malformed only for a server, such as a body that names another shop or a clock that may not be sent.
/// They get a field that no event has, so that a replay finds them malformed too.
pub fn trace_line(shop: &Id, record: &Record) -> Result<String, JournalError> {
    let event: Result<Map<String, Value>, _> = serde_json::from_str(&record.text);
    let unread = |_| diverged(shop, &format!("its record {} does not read", record.n));
    let mut event = event.map_err(unread)?;
    let named = event.get("shop").and_then(Value::as_str);
    if named.is_some_and(|named| named != shop.as_str()) {
        event.insert("malformed".to_owned(), "it names another shop".into());
    }
    event.insert("shop".to_owned(), shop.as_str().into());
    if event.get("at").is_none_or(Value::is_null) {
        let at = serde_json::to_value(record.at.at_offset(0)).map_err(unread)?;
        event.insert("at".to_owned(), at);
    }
    serde_json::to_string(&event).map_err(unread)
}
