//! The HTTP door (contract, sections 5 and 6): what is asked over HTTP, who may ask, and how it is answered.
//!
//! It decides nothing: every change goes to the shop as an event, every read looks at what the shop shows. Who keeps
//! keys and who measures is not known here, but asked through [`KeyRing`] and [`Watch`]; sockets, TLS and workers are
//! the server's.

// The table, and one request in hand.
mod routes;

mod call;

mod auth;
mod body;
mod browser;
mod budget;
mod connection;
mod query;

// Events.
mod events;
mod intake;

mod change;
mod configuring;

// Resources.
mod agents;
mod decisions;
mod deliveries;
mod health;
mod keys;
mod policies;
mod ratings;
mod sessions;
mod shops;
mod stream;
mod webhooks;

mod live;

// How it is answered and described.
mod answer;
mod docs;
mod openapi;
mod outgoing;
mod problem;

pub use auth::{Grant, Keeper, KeyRing, KeyRow, Needs, NewKey, NotChanged, Scope, admit};
pub use body::Limits;
pub use budget::{Budget, Part, Share};
pub use call::{ApiState, Visit, Watch};
pub use connection::{BodyWanted, Connection};
pub use intake::EVENTS_MAX;
pub use openapi::described;
pub use problem::{Code, PROBLEM_TYPE, Problem};
pub use routes::{ROUTES, Route, configure};
