//! The wire language: events as JSON lines in, decisions as JSON lines out (contract, sections 1 to 3).
//!
//! Reading is strict: an unknown field, a fraction where a whole number belongs, or an instant out of its range is
//! malformed, and says what would be right. What is no JSON object at all is not an event.
//!
//! Names [`crate::domain`] only; every door speaks through here.

mod answered_decision;
mod decision;
mod decision_writer;
mod event;
mod event_writer;
mod fields;
mod fingerprint;
mod flat_json;
mod json;
mod recorded_decision;
mod value;

pub use answered_decision::read_decision;
pub use decision::WrittenDecision;
pub use decision_writer::DecisionWriter;
pub use event::{
    Line, ReadEvent, SHOP_DEFAULT, read_event, read_event_body, read_line, read_plain_events,
};
pub use event_writer::write_event;
pub use json::NotAnObject;
pub use recorded_decision::{differing, read_recorded};
