//! Metrics of HTTP: requests and their durations, by route and status.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusRecorder;

use crate::telemetry::instruments::{Counter, Histogram, counter, histogram};

/// The statuses with a counter of their own; others count as `other`.
const STATUSES: [u16; 24] = [
    200, 201, 202, 204, 206, 304, 308, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 421, 422,
    429, 431, 500, 503, 507,
];

/// The routes of the server.
pub(super) struct Routes {
    by_name: HashMap<&'static str, RouteMetrics>,
    /// Requests for unknown paths: a client cannot make a new label.
    other: RouteMetrics,
}

/// The counters of one route.
pub struct RouteMetrics {
    name: &'static str,
    seconds: Histogram,
    /// Made with the first answer of each status, so that unused statuses have no line.
    answers: [OnceLock<Counter>; STATUSES.len() + 1],
    recorder: Arc<PrometheusRecorder>,
}

impl Routes {
    pub fn new(recorder: &Arc<PrometheusRecorder>, names: &[&'static str]) -> Routes {
        let route = |name| RouteMetrics {
            name,
            seconds: histogram(recorder, "xiaoer_http_seconds", &[("route", name)]),
            answers: std::array::from_fn(|_| OnceLock::new()),
            recorder: Arc::clone(recorder),
        };
        Routes {
            by_name: names.iter().map(|name| (*name, route(name))).collect(),
            other: route("other"),
        }
    }

    pub fn get(&self, name: &str) -> &RouteMetrics {
        self.by_name.get(name).unwrap_or(&self.other)
    }
}

impl RouteMetrics {
    /// A request of this route was answered with `status` after `took`.
    pub fn answered(&self, status: u16, took: Duration) {
        let at = STATUSES.iter().position(|known| *known == status);
        let at = at.unwrap_or(STATUSES.len());
        let made = self.answers[at].get_or_init(|| {
            let status = STATUSES.get(at).map(u16::to_string);
            let status = status.unwrap_or_else(|| "other".to_owned());
            let labels = [("route", self.name), ("status", status.as_str())];
            counter(&self.recorder, "xiaoer_http_requests_total", &labels)
        });
        made.add(1);
        self.seconds.record_duration(took);
    }
}
