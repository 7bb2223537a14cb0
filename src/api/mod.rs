//! The HTTP API (contract, sections 5 and 6): routes, resources and the OpenAPI description.
//!
//! This folder decides nothing. Every change goes to the shop as an event; every read reads the shop's state.

mod routes;

mod event_body;
mod events;
mod policy_change;

mod resource_change;
mod resources;
mod stream;
mod views;

mod docs;
mod health;
mod openapi;
mod schema;

pub use event_body::EVENTS_MAX;
pub use openapi::{described, description};
pub use routes::{ROUTES, configure};
