//! The wire format: events as JSON lines in, decisions as JSON lines out (contract, sections 1 to 3).
//!
//! Parsing is strict. An unknown field, a fraction in place of a whole number, or an instant out of range makes an
//! event malformed, and the error says what is expected. A text that is not a JSON object is not an event.
//!
//! Depends only on [`crate::domain`]. The HTTP API, replays and the journal all use this format.

mod answered_decision_reader;
mod decision_writer;
mod event_reader;
mod event_writer;
mod fields;
mod fingerprint;
mod flat_json;
mod json;
mod recorded_decision_reader;
mod value;
mod written_decision;

pub use answered_decision_reader::read_decision;
pub use decision_writer::DecisionWriter;
pub use event_reader::{
    Line, ReadEvent, SHOP_DEFAULT, read_event, read_event_body, read_line, read_plain_events,
};
pub use event_writer::write_event;
pub use json::NotAnObject;
pub use recorded_decision_reader::{differing, read_recorded};
pub use written_decision::WrittenDecision;
