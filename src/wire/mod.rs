//! The wire language: events as JSON lines in, decisions as JSON lines out (contract, sections 1 to 3).
//!
//! Reading is strict: an unknown field, a fraction where a whole number belongs, or an instant out of its range is
//! malformed, and says what would be right. What is no JSON object at all is not an event.
//!
//! Names [`crate::domain`] only; every door speaks through here.

mod decision;
mod event;
mod fields;
mod json;
mod pen;
mod plain;
mod print;
mod recorded;
mod reread;
mod value;

pub use decision::Written;
pub use event::{Line, Read, SHOP_DEFAULT, read_event, read_line, read_plain_events};
pub use json::NotAnObject;
pub use pen::Pen;
pub use recorded::{differing, read_recorded};
pub use reread::read_decision;
