//! Telemetry: logs and metrics.
