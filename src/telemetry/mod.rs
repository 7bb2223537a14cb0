//! Telemetry: logs and metrics for operators.
//!
//! Neither holds data of a buyer: no text, no id of a buyer or a session, no key. The modules that do the work count
//! it. This one knows the names, and reads no clock.

mod buffered_stderr;
mod connection_metrics;
mod decision_counters;
mod instruments;
mod log_level;
pub mod logs;
mod metrics;
mod route_metrics;

pub use connection_metrics::{ConnectionMetrics, Cut};
pub use instruments::{Counter, Gauge, Histogram};
pub use metrics::{Metrics, Refusal};
pub use route_metrics::RouteMetrics;
