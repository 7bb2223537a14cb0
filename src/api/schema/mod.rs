//! What the description adds to the types that are served.
//!
//! Most of it is derived where the types stand. Here is what has no type of its own: events, which are read by hand for
//! speed; policies, whose keys are a table; and answers that are put together from JSON that was written before. The
//! tests hold real answers against all of it.

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

pub use decision::Decision;
pub use event::Event;
pub use flatten::flatten;
pub use policy::Policy;
pub use resource::{AgentBody, EventsBody, Ok, Problem, Rating, Results, SessionWithTimeline};
