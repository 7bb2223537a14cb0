//! Counters, gauges and histograms.

use std::time::Duration;

use metrics::{Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusRecorder;

/// A number that only grows.
#[derive(Clone)]
pub struct Counter(metrics::Counter);

impl Counter {
    /// Adds to it.
    pub fn add(&self, count: u64) {
        self.0.increment(count);
    }
}

/// A number that rises and falls.
#[derive(Clone)]
pub struct Gauge(metrics::Gauge);

impl Gauge {
    /// Adds a difference. Each shop adds its changes, and subtracts its sum when it leaves memory.
    pub fn add(&self, delta: i64) {
        self.0.increment(delta as f64);
    }

    /// Sets it.
    pub fn set(&self, count: u64) {
        self.0.set(count as f64);
    }
}

/// The distribution of values.
#[derive(Clone)]
pub struct Histogram(metrics::Histogram);

impl Histogram {
    /// Adds a duration, in seconds.
    pub fn record_duration(&self, time: Duration) {
        self.0.record(time.as_secs_f64());
    }

    /// Adds a number.
    pub fn record(&self, count: usize) {
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

/// A counter for these labels.
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

/// A histogram for these labels.
pub(super) fn histogram(
    recorder: &PrometheusRecorder,
    name: &'static str,
    labels: &[(&'static str, &str)],
) -> Histogram {
    Histogram(recorder.register_histogram(&key(name, labels), &METADATA))
}
