//! Telemetry: logs and metrics, for whoever watches the server.
//!
//! Nothing in either is a buyer's: no text, no id of a buyer or a session, no key. The rooms that do the work count
//! it; this one knows the names, and reads no clock.

mod connections;
mod decided;
mod gathered;
mod instruments;
mod level;
pub mod logs;
mod metrics;
mod routes;
mod taken;

pub use connections::{Connections, Cut};
pub use instruments::{Counter, Gauge, Histogram};
pub use metrics::{Metrics, Refusal};
pub use routes::Route;
