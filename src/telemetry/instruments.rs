//! Counters, gauges and histograms.

use std::time::Duration;

use metrics::{Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusRecorder;

/// A number that only grows.
#[derive(Clone)]
pub struct Counter(metrics::Counter);

impl Counter {
    /// So many more.
    pub fn add(&self, count: u64) {
        self.0.increment(count);
    }
}

/// A number that is now so high.
#[derive(Clone)]
pub struct Gauge(metrics::Gauge);

impl Gauge {
    /// So many more, or fewer. Each shop adds what it changes, and takes all it added back when it leaves.
    pub fn add(&self, delta: i64) {
        self.0.increment(delta as f64);
    }

    /// Exactly so many.
    pub fn set(&self, count: u64) {
        self.0.set(count as f64);
    }
}

/// How often a number was how large.
#[derive(Clone)]
pub struct Histogram(metrics::Histogram);

impl Histogram {
    /// It took so long; kept in seconds.
    pub fn took(&self, time: Duration) {
        self.0.record(time.as_secs_f64());
    }

    /// It was so many.
    pub fn saw(&self, count: usize) {
        self.0.record(count as f64);
    }
}

const METADATA: Metadata<'static> = Metadata::new("xiaoer", Level::INFO, None);

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    let labels = labels.iter();
    let labels: Vec<Label> = labels
        .map(|(key, value)| Label::new(*key, (*value).to_owned()))
        .collect();
    Key::from_parts(name, labels)
}

/// A counter of its own for these labels.
pub(super) fn counter(
    recorder: &PrometheusRecorder,
    name: &'static str,
    labels: &[(&'static str, &str)],
) -> Counter {
    Counter(recorder.register_counter(&key(name, labels), &METADATA))
}

pub(super) fn gauge(recorder: &PrometheusRecorder, name: &'static str) -> Gauge {
    Gauge(recorder.register_gauge(&key(name, &[]), &METADATA))
}

/// A histogram of its own for these labels.
pub(super) fn histogram(
    recorder: &PrometheusRecorder,
    name: &'static str,
    labels: &[(&'static str, &str)],
) -> Histogram {
    Histogram(recorder.register_histogram(&key(name, labels), &METADATA))
}
