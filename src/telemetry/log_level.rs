//! The log level, which can be changed while the process runs.
//!
//! `tracing` caches the level at each place that logs, so a line costs as much as with a fixed level. A change makes
//! all places ask again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// All levels, the most urgent first.
const LEVELS: [LevelFilter; 6] = [
    LevelFilter::OFF,
    LevelFilter::ERROR,
    LevelFilter::WARN,
    LevelFilter::INFO,
    LevelFilter::DEBUG,
    LevelFilter::TRACE,
];

/// The level of a log. Clones are the same.
#[derive(Clone)]
pub(super) struct LogThreshold(Arc<AtomicUsize>);

impl LogThreshold {
    pub(super) fn new(level: LevelFilter) -> LogThreshold {
        LogThreshold(Arc::new(AtomicUsize::new(place(level))))
    }

    /// Changes it.
    pub(super) fn set(&self, level: LevelFilter) {
        self.0.store(place(level), Ordering::Relaxed);
        tracing::callsite::rebuild_interest_cache();
    }

    fn now(&self) -> LevelFilter {
        let place = self.0.load(Ordering::Relaxed);
        LEVELS.get(place).copied().unwrap_or(LevelFilter::INFO)
    }
}

fn place(level: LevelFilter) -> usize {
    let found = LEVELS.iter().position(|known| *known == level);
    found.unwrap_or_default()
}

impl<S: Subscriber> Layer<S> for LogThreshold {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match *metadata.level() <= self.now() {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.now()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.now())
    }
}
