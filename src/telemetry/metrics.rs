//! The metrics: their names, explanations and handles.
//!
//! All counters with known labels are made at the start, so that counting is one atomic step without a look-up. A
//! [`Metrics`] is a value and not global, so that each test has its own.

use std::sync::Arc;

use metrics::{KeyName, Recorder};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use super::connection_metrics::ConnectionMetrics;
use super::decision_counters::DecisionCounters;
use super::instruments::{Counter, Gauge, Histogram, counter, gauge, histogram};
use super::route_metrics::{RouteMetrics, Routes};
use crate::domain::protocol::codes::codes;
use crate::domain::protocol::decision::DecisionBody;
use crate::domain::protocol::event::{EventBody, EventType};

codes! {
    /// Why a request was refused before a shop could decide anything: the label of `xiaoer_refused_total`.
    Refusal {
        /// As many requests of the shop wait as may (503).
        MailboxFull = "mailbox_full",
        /// The server is as busy as it may be (503).
        Overloaded = "overloaded",
        /// The server is shutting down (503).
        Stopping = "stopping",
        /// The shop is being recovered (503).
        Recovering = "recovering",
        /// The disk is nearly full (507).
        DiskFull = "disk_full",
        /// The body is larger than the limit (413).
        BodyTooLarge = "body_too_large",
        /// The body came in too slowly (408).
        BodyTooSlow = "body_too_slow",
        /// No key, or none that there is (401).
        KeyUnknown = "key_unknown",
        /// The key is not for this (403).
        ScopeMissing = "scope_missing",
        /// The key is of another shop (404).
        ShopForeign = "shop_foreign",
        /// The event's id was used with another body (422).
        IdReused = "id_reused",
    }
}

/// Seconds: of commits, requests and wakes. From 0.2 ms, which a quick disk takes, to 1 s.
const SECONDS: &[f64] = &[
    0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0,
];

/// Numbers of things: of records in a commit, of requests in a mailbox.
const COUNTS: &[f64] = &[
    0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0,
];

enum MetricKind {
    Counter,
    Gauge,
    Histogram(&'static [f64]),
}

/// Every metric: its name, its kind, and what it tells.
const NAMES: [(&str, MetricKind, &str); 23] = [
    (
        "xiaoer_decisions_total",
        MetricKind::Counter,
        "Decisions, by type and reason. A blocked invite counts under the first of its codes",
    ),
    (
        "xiaoer_events_total",
        MetricKind::Counter,
        "Events that were handled, by type",
    ),
    (
        "xiaoer_waiting",
        MetricKind::Gauge,
        "Sessions that wait for an agent, of the shops in memory",
    ),
    (
        "xiaoer_agents_free",
        MetricKind::Gauge,
        "Agents that are online with room for a session, of the shops in memory",
    ),
    (
        "xiaoer_sessions_open",
        MetricKind::Gauge,
        "Open sessions, of the shops in memory",
    ),
    ("xiaoer_shops_live", MetricKind::Gauge, "Shops in memory"),
    (
        "xiaoer_commit_seconds",
        MetricKind::Histogram(SECONDS),
        "How long a group commit took until it was durable",
    ),
    (
        "xiaoer_commit_records",
        MetricKind::Histogram(COUNTS),
        "Records of a group commit",
    ),
    (
        "xiaoer_mailbox_depth",
        MetricKind::Histogram(COUNTS),
        "Requests that waited in a shop's mailbox when another came",
    ),
    (
        "xiaoer_journal_bytes",
        MetricKind::Gauge,
        "Bytes of the journal on disk",
    ),
    (
        "xiaoer_journal_records_total",
        MetricKind::Counter,
        "Records that were made durable",
    ),
    (
        "xiaoer_http_requests_total",
        MetricKind::Counter,
        "Requests that were answered, by route and status",
    ),
    (
        "xiaoer_http_seconds",
        MetricKind::Histogram(SECONDS),
        "How long a request took, by route",
    ),
    (
        "xiaoer_refused_total",
        MetricKind::Counter,
        "Requests that were refused before a shop decided, by why",
    ),
    (
        "xiaoer_connections",
        MetricKind::Gauge,
        "Connections that are open",
    ),
    (
        "xiaoer_connections_cut_total",
        MetricKind::Counter,
        "Connections that a limit has ended, by which",
    ),
    (
        "xiaoer_shop_panics_total",
        MetricKind::Counter,
        "Shops that stopped by a mistake of the program and came back from the journal",
    ),
    (
        "xiaoer_wake_seconds",
        MetricKind::Histogram(SECONDS),
        "How long it took to load a shop into memory",
    ),
    (
        "xiaoer_clock_doubted",
        MetricKind::Gauge,
        "1 where the machine's clock cannot be right, so that no events are taken",
    ),
    (
        "xiaoer_webhook_decisions_total",
        MetricKind::Counter,
        "Decisions that endpoints of webhooks have taken",
    ),
    (
        "xiaoer_webhook_seconds",
        MetricKind::Histogram(SECONDS),
        "How long a call of a webhook took, whatever came of it",
    ),
    (
        "xiaoer_webhook_failures_total",
        MetricKind::Counter,
        "Calls of webhooks that failed",
    ),
    (
        "xiaoer_webhook_alerts_total",
        MetricKind::Counter,
        "Events that need attention: messages that were given up, and endpoints that were disabled",
    ),
];

/// All metrics of a server. Shared by its threads.
pub struct Metrics {
    handle: PrometheusHandle,
    decisions: DecisionCounters,
    events: Vec<Counter>,
    refusals: Vec<Counter>,
    routes: Routes,
    /// Connections: `xiaoer_connections`, `xiaoer_connections_cut_total`.
    pub connections: ConnectionMetrics,
    /// Sessions that wait: `xiaoer_waiting`.
    pub waiting: Gauge,
    /// Agents with room: `xiaoer_agents_free`.
    pub agents_free: Gauge,
    /// Open sessions: `xiaoer_sessions_open`.
    pub sessions_open: Gauge,
    /// Shops in memory: `xiaoer_shops_live`.
    pub shops_live: Gauge,
    /// How long a group commit took: `xiaoer_commit_seconds`.
    pub commit_seconds: Histogram,
    /// Records of a group commit: `xiaoer_commit_records`.
    pub commit_records: Histogram,
    /// Requests that waited when another came: `xiaoer_mailbox_depth`.
    pub mailbox_depth: Histogram,
    /// Bytes of the journal: `xiaoer_journal_bytes`.
    pub journal_bytes: Gauge,
    /// Records that were made durable: `xiaoer_journal_records_total`.
    pub journal_records: Counter,
    /// Shops that stopped by a panic: `xiaoer_shop_panics_total`.
    pub shop_panics: Counter,
    /// Whether the machine's clock cannot be right: `xiaoer_clock_doubted`.
    pub clock_doubted: Gauge,
    /// Decisions that were delivered: `xiaoer_webhook_decisions_total`.
    pub webhook_decisions: Counter,
    /// Calls: `xiaoer_webhook_seconds`.
    pub webhook_seconds: Histogram,
    /// Calls that failed: `xiaoer_webhook_failures_total`.
    pub webhook_failures: Counter,
    /// `xiaoer_webhook_alerts_total`.
    pub webhook_alerts: Counter,
    /// How long a shop took to load: `xiaoer_wake_seconds`.
    pub wake_seconds: Histogram,
}

impl Metrics {
    /// All metrics at zero. `routes` are the names of the routes; requests for anything else count as `other`.
    pub fn new(routes: &[&'static str]) -> Metrics {
        let recorder = &Arc::new(recorder());
        let decisions = DecisionCounters::new(|name, reason| {
            let mut labels = vec![("type", name)];
            labels.extend(reason.map(|reason| ("reason", reason)));
            counter(recorder, "xiaoer_decisions_total", &labels)
        });
        let events = EventType::codes();
        let events = events.map(|name| counter(recorder, "xiaoer_events_total", &[("type", name)]));
        let refusals = Refusal::ALL
            .iter()
            .map(|why| counter(recorder, "xiaoer_refused_total", &[("why", why.code())]));
        Metrics {
            decisions,
            events: events.collect(),
            refusals: refusals.collect(),
            routes: Routes::new(recorder, routes),
            connections: ConnectionMetrics::new(recorder),
            waiting: gauge(recorder, "xiaoer_waiting"),
            agents_free: gauge(recorder, "xiaoer_agents_free"),
            sessions_open: gauge(recorder, "xiaoer_sessions_open"),
            shops_live: gauge(recorder, "xiaoer_shops_live"),
            commit_seconds: histogram(recorder, "xiaoer_commit_seconds", &[]),
            commit_records: histogram(recorder, "xiaoer_commit_records", &[]),
            mailbox_depth: histogram(recorder, "xiaoer_mailbox_depth", &[]),
            journal_bytes: gauge(recorder, "xiaoer_journal_bytes"),
            journal_records: counter(recorder, "xiaoer_journal_records_total", &[]),
            shop_panics: counter(recorder, "xiaoer_shop_panics_total", &[]),
            webhook_decisions: counter(recorder, "xiaoer_webhook_decisions_total", &[]),
            webhook_seconds: histogram(recorder, "xiaoer_webhook_seconds", &[]),
            webhook_failures: counter(recorder, "xiaoer_webhook_failures_total", &[]),
            webhook_alerts: counter(recorder, "xiaoer_webhook_alerts_total", &[]),
            wake_seconds: histogram(recorder, "xiaoer_wake_seconds", &[]),
            clock_doubted: gauge(recorder, "xiaoer_clock_doubted"),
            handle: recorder.handle(),
        }
    }

    /// A decision was taken.
    pub fn decided(&self, body: &DecisionBody) {
        self.decisions.of(body).add(1);
    }

    /// An event was handled, whatever was decided.
    pub fn taken(&self, what: &EventBody) {
        self.events[what.kind() as usize].add(1);
    }

    /// A request was refused before a shop could decide.
    pub fn refused(&self, why: Refusal) {
        self.refusals[why as usize].add(1);
    }

    /// The counters of a route by its name.
    pub fn route(&self, name: &str) -> &RouteMetrics {
        self.routes.get(name)
    }

    /// All metrics in the text format of Prometheus, `text/plain; version=0.0.4`.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Moves recorded values into the buckets of the histograms, as rendering does too. It is called every few
    /// seconds, so that a server whose metrics are not read does not keep every value.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

/// A recorder that knows all names. It is not installed globally, so that two servers in one process do not mix.
fn recorder() -> PrometheusRecorder {
    let mut builder = PrometheusBuilder::new();
    for (name, kind, _) in &NAMES {
        if let MetricKind::Histogram(buckets) = kind {
            let name = Matcher::Full((*name).to_owned());
            // Only an empty list of buckets is an error; a test sees that every histogram has its buckets.
            builder = builder
                .set_buckets_for_metric(name, buckets)
                .unwrap_or_default();
        }
    }
    let recorder = builder.build_recorder();
    for (name, kind, tells) in &NAMES {
        let (name, tells) = (KeyName::from_const_str(name), (*tells).into());
        match kind {
            MetricKind::Counter => recorder.describe_counter(name, None, tells),
            MetricKind::Gauge => recorder.describe_gauge(name, None, tells),
            MetricKind::Histogram(_) => recorder.describe_histogram(name, None, tells),
        }
    }
    recorder
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use super::super::decision_counters::tests::every_decision;
    use super::*;

    const EVENTS: &str = "POST /v1/shops/{shop}/events";

    /// A metric's lines by what stands before the value, as the grammar of the text format has them; panics where a
    /// line is of no such grammar, where a line comes twice, or before the type of its metric.
    fn parse(text: &str) -> BTreeMap<String, f64> {
        let (mut types, mut samples) = (BTreeMap::new(), BTreeMap::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix("# ") {
                let (what, rest) = comment.split_once(' ').unwrap();
                let (name, rest) = rest.split_once(' ').unwrap();
                assert!(is_name(name) && !rest.is_empty(), "{line}");
                match what {
                    "HELP" => {}
                    "TYPE" => assert_eq!(types.insert(name, rest), None, "{line}"),
                    other => panic!("{other} in {line}"),
                }
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = match series.split_once('{') {
                Some((name, labels)) => (name, labels.strip_suffix('}').unwrap()),
                None => (series, ""),
            };
            let ends = ["_bucket", "_sum", "_count"].into_iter();
            let family = ends
                .filter_map(|end| name.strip_suffix(end))
                .find(|family| types.get(family) == Some(&"histogram"));
            assert!(
                is_name(name) && types.contains_key(family.unwrap_or(name)),
                "{line}"
            );
            check_labels(labels);
            let value: f64 = value.parse().unwrap();
            assert_eq!(samples.insert(series.to_owned(), value), None, "{line}");
        }
        samples
    }

    fn is_name(name: &str) -> bool {
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        begins
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    }

    fn check_labels(mut labels: &str) {
        while !labels.is_empty() {
            let (name, rest) = labels.split_once("=\"").unwrap();
            let (value, rest) = rest.split_once('"').unwrap();
            assert!(is_name(name) && !value.contains(['\\', '\n']), "{labels}");
            labels = rest.strip_prefix(',').unwrap_or(rest);
        }
    }

    fn value(metrics: &Metrics, series: &str) -> Option<f64> {
        parse(&metrics.render()).get(series).copied()
    }

    #[test]
    fn every_name_is_there_from_the_start_with_what_it_tells() {
        let metrics = Metrics::new(&[EVENTS]);
        metrics.route(EVENTS).answered(200, Duration::ZERO);
        for histogram in [
            &metrics.commit_seconds,
            &metrics.wake_seconds,
            &metrics.commit_records,
            &metrics.mailbox_depth,
        ] {
            histogram.record(0);
        }
        let text = metrics.render();
        parse(&text);
        for (name, kind, tells) in &NAMES {
            let kind = match kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                MetricKind::Histogram(buckets) => {
                    let lines = text
                        .lines()
                        .filter(|line| line.starts_with(&format!("{name}_bucket{{")));
                    let (lines, series) = (lines.count(), buckets.len() + 1);
                    assert!(lines > 0 && lines % series == 0, "{name}: {text}");
                    "histogram"
                }
            };
            assert!(text.contains(&format!("# TYPE {name} {kind}\n")), "{name}");
            assert!(text.contains(&format!("# HELP {name} {tells}")), "{name}");
        }
        let named: BTreeSet<&str> = NAMES.iter().map(|(name, _, _)| *name).collect();
        let typed = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        for line in typed {
            assert!(named.contains(line.split(' ').next().unwrap()), "{line}");
        }
    }

    #[test]
    fn what_has_not_happened_yet_is_nothing() {
        let samples = parse(&Metrics::new(&[EVENTS]).render());
        let of = |name: &str| {
            samples
                .keys()
                .filter(|series| series.starts_with(name))
                .count()
        };
        assert_eq!(of("xiaoer_decisions_total{"), every_decision().len());
        assert_eq!(of("xiaoer_events_total{"), EventType::ALL.len());
        assert_eq!(of("xiaoer_refused_total{"), Refusal::ALL.len());
        assert!(samples.values().all(|value| *value == 0.0));
    }

    #[test]
    fn decisions_are_counted_by_type_and_reason() {
        let metrics = Metrics::new(&[]);
        for (body, _) in every_decision() {
            metrics.decided(&body);
            metrics.decided(&body);
        }
        for (body, reason) in every_decision() {
            let name = body.name();
            let reason = reason.map(|reason| format!(",reason=\"{reason}\""));
            let reason = reason.unwrap_or_default();
            let series = format!("xiaoer_decisions_total{{type=\"{name}\"{reason}}}");
            assert_eq!(value(&metrics, &series), Some(2.0), "{series}");
        }
    }

    #[test]
    fn counters_gauges_and_histograms_move() {
        let metrics = Metrics::new(&[EVENTS, "GET /healthz"]);
        metrics.taken(&EventBody::Clock);
        metrics.refused(Refusal::DiskFull);
        metrics.waiting.add(5);
        metrics.waiting.add(-2);
        metrics.journal_bytes.set(1 << 40);
        metrics.journal_records.add(7);
        metrics.shop_panics.add(1);
        metrics.webhook_decisions.add(2);
        metrics.webhook_failures.add(3);
        metrics.webhook_alerts.add(4);
        metrics
            .webhook_seconds
            .record_duration(Duration::from_millis(3));
        metrics.commit_records.record(3);
        metrics
            .commit_seconds
            .record_duration(Duration::from_micros(300));
        metrics
            .commit_seconds
            .record_duration(Duration::from_secs(2));
        metrics
            .route(EVENTS)
            .answered(200, Duration::from_millis(3));
        metrics
            .route(EVENTS)
            .answered(418, Duration::from_millis(3));
        metrics
            .route("GET /../x\"y")
            .answered(404, Duration::from_millis(3));
        // Nothing is lost between an upkeep and the next rendering.
        metrics.upkeep();
        metrics
            .commit_seconds
            .record_duration(Duration::from_micros(300));
        for (series, expected) in [
            ("xiaoer_events_total{type=\"clock\"}", 1.0),
            ("xiaoer_refused_total{why=\"disk_full\"}", 1.0),
            ("xiaoer_waiting", 3.0),
            ("xiaoer_journal_bytes", (1_u64 << 40) as f64),
            ("xiaoer_journal_records_total", 7.0),
            ("xiaoer_shop_panics_total", 1.0),
            ("xiaoer_webhook_decisions_total", 2.0),
            ("xiaoer_webhook_failures_total", 3.0),
            ("xiaoer_webhook_alerts_total", 4.0),
            ("xiaoer_webhook_seconds_count", 1.0),
            ("xiaoer_commit_records_bucket{le=\"2\"}", 0.0),
            ("xiaoer_commit_records_bucket{le=\"5\"}", 1.0),
            ("xiaoer_commit_seconds_bucket{le=\"0.0002\"}", 0.0),
            ("xiaoer_commit_seconds_bucket{le=\"0.0005\"}", 2.0),
            ("xiaoer_commit_seconds_bucket{le=\"1\"}", 2.0),
            ("xiaoer_commit_seconds_bucket{le=\"+Inf\"}", 3.0),
            ("xiaoer_commit_seconds_count", 3.0),
            (
                "xiaoer_http_requests_total{route=\"POST /v1/shops/{shop}/events\",status=\"200\"}",
                1.0,
            ),
            (
                "xiaoer_http_requests_total{route=\"POST /v1/shops/{shop}/events\",status=\"other\"}",
                1.0,
            ),
            (
                "xiaoer_http_requests_total{route=\"other\",status=\"404\"}",
                1.0,
            ),
            (
                "xiaoer_http_seconds_count{route=\"POST /v1/shops/{shop}/events\"}",
                2.0,
            ),
        ] {
            assert_eq!(value(&metrics, series), Some(expected), "{series}");
        }
        assert_eq!(
            value(&Metrics::new(&[]), "xiaoer_waiting"),
            Some(0.0),
            "another server's"
        );
    }
}
