//! Schemas that cannot be derived from the served types.
//!
//! Most schemas are derived where the types are defined. The exceptions are here: events, which are parsed by hand for
//! speed; policies, whose keys are a table; and responses that embed serialized JSON. The tests check real responses
//! against all schemas.

#![expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "a type that only describes is never made"
)]

mod decision;
mod event;
mod flatten;
mod policy;
mod resource;

pub use decision::DecisionSchema;
pub use event::Event;
pub use flatten::flatten;
pub use policy::Policy;
pub use resource::{AgentBody, EventsBody, Ok, Problem, Rating, Results, SessionWithTimeline};
