//! The gateway: writes each event as a line of the trace and gives it to the core, whose decisions shape what happens
//! next.
//!
//! The core gets the written line, read back by the wire, so a replay sees exactly the same events.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::ser::{Error, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::installation::Installation;
use crate::domain::protocol::decision::Decision;
use crate::wire::{Line, SHOP_DEFAULT, read_line};

use super::event_queue::Moment;

/// The trace so far, and the core that has played it.
pub struct Gateway<W> {
    trace: W,
    core: Installation,
    outcome: DecisionSink,
}

impl<W: Write> Gateway<W> {
    /// An empty trace, written to `trace`.
    pub fn new(trace: W) -> Gateway<W> {
        Gateway {
            trace,
            core: Installation::default(),
            outcome: DecisionSink::default(),
        }
    }

    /// Writes one event and returns what the core decided.
    pub fn send(&mut self, at: Moment, event: TraceEvent<'_>) -> io::Result<Vec<Decision>> {
        let text = serde_json::to_string(&Dated { at, event })?;
        writeln!(self.trace, "{text}")?;
        match read_line(&text).map_err(|error| io::Error::other(error.to_string()))? {
            Line::Event(shop, event) => {
                self.core.take(&shop, &event, &mut self.outcome);
            }
            Line::Malformed(malformed) => self.core.reject(malformed, &mut self.outcome),
        }
        Ok(std::mem::take(&mut self.outcome.decisions))
    }

    /// The core's next timer.
    pub fn next_timer(&self) -> Option<Moment> {
        self.core.shop(SHOP_DEFAULT)?.next_timer().map(Moment::of)
    }

    /// Ends the trace.
    pub fn finish(&mut self) -> io::Result<()> {
        self.trace.flush()
    }
}

/// One event: its type and its fields, in the order in which they are written.
pub struct TraceEvent<'a> {
    name: &'static str,
    fields: Vec<(&'static str, TraceField<'a>)>,
}

impl<'a> TraceEvent<'a> {
    /// An event of this type, without fields.
    pub fn new(name: &'static str) -> TraceEvent<'a> {
        TraceEvent {
            name,
            fields: Vec::new(),
        }
    }

    /// The event with one more field.
    pub fn with(mut self, name: &'static str, field: impl Into<TraceField<'a>>) -> TraceEvent<'a> {
        self.fields.push((name, field.into()));
        self
    }

    /// The event with one more field, if there is one.
    pub fn with_some(
        self,
        name: &'static str,
        field: Option<impl Into<TraceField<'a>>>,
    ) -> TraceEvent<'a> {
        match field {
            Some(field) => self.with(name, field),
            None => self,
        }
    }
}

/// The value of a field.
pub enum TraceField<'a> {
    /// A text or an id.
    Text(Cow<'a, str>),
    /// Texts.
    List(&'a [&'a str]),
    /// True or false.
    Flag(bool),
    /// A whole number.
    Whole(u64),
    /// JSON on one line, as it is.
    Json(&'a str),
}

impl<'a> From<&'a str> for TraceField<'a> {
    fn from(text: &'a str) -> TraceField<'a> {
        TraceField::Text(Cow::Borrowed(text))
    }
}

impl From<String> for TraceField<'_> {
    fn from(text: String) -> Self {
        TraceField::Text(Cow::Owned(text))
    }
}

impl Serialize for TraceField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            TraceField::Text(text) => serializer.serialize_str(text),
            TraceField::List(texts) => serializer.collect_seq(texts.iter()),
            TraceField::Flag(flag) => serializer.serialize_bool(*flag),
            TraceField::Whole(number) => serializer.serialize_u64(*number),
            TraceField::Json(text) => {
                let json: &RawValue = serde_json::from_str(text).map_err(S::Error::custom)?;
                json.serialize(serializer)
            }
        }
    }
}

/// An event and its instant.
struct Dated<'a> {
    at: Moment,
    event: TraceEvent<'a>,
}

impl Serialize for Dated<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &self.at.stamp())?;
        map.serialize_entry("type", self.event.name)?;
        for (name, field) in &self.event.fields {
            map.serialize_entry(name, field)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_in_the_order_of_its_fields_and_taken() {
        let mut trace = Vec::new();
        let mut gateway = Gateway::new(&mut trace);
        let shop = TraceEvent::new("shop.configured").with("policy", TraceField::Json("{}"));
        assert!(gateway.send(Moment(0), shop).unwrap().is_empty());
        let open = TraceEvent::new("session.opened")
            .with("session", "s")
            .with("buyer", "买家");
        let open = open
            .with_some("entry", None::<&str>)
            .with("bot", TraceField::Flag(false));
        assert_eq!(gateway.send(Moment(1), open).unwrap().len(), 1);
        assert_eq!(gateway.next_timer(), Some(Moment(1 + 24 * 3600)));
        assert_eq!(
            String::from_utf8(trace).unwrap(),
            "{\"at\":\"2026-10-01T00:00:00+08:00\",\"type\":\"shop.configured\",\"policy\":{}}\n\
             {\"at\":\"2026-10-01T00:00:01+08:00\",\"type\":\"session.opened\",\"session\":\"s\",\
             \"buyer\":\"买家\",\"bot\":false}\n"
        );
    }
}
