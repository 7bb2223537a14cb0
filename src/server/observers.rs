//! Observers of the journal, the shops and HTTP: they write metrics and logs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::api::ROUTES;
use crate::domain::base::id::Id;
use crate::domain::protocol::decision::Decision;
use crate::domain::protocol::event::EventBody;
use crate::domain::read::views::Counts;
use crate::env::{Doubt, Stopwatch};
use crate::http;
use crate::http::AccessLogEntry;
use crate::journal::{self, JournalError};
use crate::runtime;
use crate::telemetry::{Cut, Metrics, Refusal, logs};
use crate::webhooks;

/// Observes everything.
pub(super) struct Observers {
    metrics: Metrics,
    began: Stopwatch,
    /// Connections that limits have ended, by reason, and how many of them are logged.
    cuts: [AtomicU64; Cut::ALL.len()],
    logged: Mutex<LoggedCuts>,
}

/// Which ended connections are logged.
struct LoggedCuts {
    cuts: [u64; Cut::ALL.len()],
    at: Option<Stopwatch>,
}

/// The log has at most one line about ended connections in this time.
const CUTS_EVERY_US: u64 = 60_000_000;

impl Observers {
    pub(super) fn new() -> Arc<Observers> {
        let routes: Vec<&'static str> = ROUTES.iter().map(|route| route.path).collect();
        Arc::new(Observers {
            metrics: Metrics::new(&routes),
            began: Stopwatch::start(),
            cuts: Default::default(),
            logged: Mutex::new(LoggedCuts {
                cuts: Default::default(),
                at: None,
            }),
        })
    }

    /// Compacts the histograms, and writes the log line of ended connections.
    pub(super) fn upkeep(&self) {
        self.metrics.upkeep();
        self.log_cuts();
    }

    /// Adds open connections, or removes them.
    pub(super) fn connections(&self, by: i64) {
        self.metrics.connections.open.add(by);
    }

    /// A limit has ended a connection.
    pub(super) fn cut(&self, why: Cut) {
        self.metrics.connections.cut(why);
        self.cuts[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// One line for all connections that were ended since the last line, so that an attack does not fill the log.
    fn log_cuts(&self) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.at.is_some_and(|at| at.micros() < CUTS_EVERY_US) {
            return;
        }
        let now: [u64; Cut::ALL.len()] =
            std::array::from_fn(|why| self.cuts[why].load(Ordering::Relaxed));
        let new = Cut::ALL.iter().zip(now.iter().zip(&logged.cuts));
        let new = new.filter(|(_, (now, before))| now > before);
        let new: Vec<String> = new
            .map(|(why, (now, before))| format!("{} {}", why.code(), now - before))
            .collect();
        if !new.is_empty() {
            tracing::warn!(why = new.join(", "), "limits have ended connections");
            *logged = LoggedCuts {
                cuts: now,
                at: Some(Stopwatch::start()),
            };
        }
    }
}

/// The observer of the journal.
pub(super) struct JournalMetrics(pub(super) Arc<Observers>);

impl journal::JournalObserver for JournalMetrics {
    fn committed(&self, records: usize, _bytes: usize, micros: u64) {
        let metrics = &self.0.metrics;
        metrics
            .commit_seconds
            .record_duration(Duration::from_micros(micros));
        metrics.commit_records.record(records);
        metrics.journal_records.add(records as u64);
    }

    fn stored(&self, bytes: u64) {
        self.0.metrics.journal_bytes.set(bytes);
    }
}

impl runtime::RuntimeObserver for Observers {
    fn request_arrived(&self, waiting: usize) {
        self.metrics.mailbox_depth.record(waiting);
    }

    fn handled(&self, what: &EventBody) {
        self.metrics.taken(what);
    }

    fn decided(&self, decisions: &[Decision]) {
        for decision in decisions {
            self.metrics.decided(&decision.body);
        }
    }

    fn counted(&self, before: &Counts, after: &Counts) {
        let by = |before: u64, after: u64| after as i64 - before as i64;
        let metrics = &self.metrics;
        metrics
            .waiting
            .add(by(before.sessions_waiting, after.sessions_waiting));
        metrics
            .sessions_open
            .add(by(before.sessions_open, after.sessions_open));
        metrics
            .agents_free
            .add(by(before.agents_free.into(), after.agents_free.into()));
    }

    fn actors_changed(&self, by: i64) {
        self.metrics.shops_live.add(by);
    }

    fn shop_loaded(&self, micros: u64) {
        self.metrics
            .wake_seconds
            .record_duration(Duration::from_micros(micros));
    }

    fn panicked(&self, shop: &Id) {
        self.metrics.shop_panics.add(1);
        let shop = logs::shop_hash(shop);
        tracing::error!(shop, "a shop panicked; it is recovered from the journal");
    }

    fn decisions_differ(&self, shop: &Id, differences: &runtime::Differences) {
        tracing::warn!(
            shop = logs::shop_hash(shop),
            decisions = differences.count,
            records = differences.records,
            "this release would make some decisions of an older release differently; the decisions that were answered \
             stay valid"
        );
    }

    fn failed(&self, shop: &Id, error: &JournalError) {
        tracing::error!(shop = logs::shop_hash(shop), %error, "a shop could not be recovered");
    }

    fn clock_doubted(&self, doubt: Option<Doubt>) {
        self.metrics.clock_doubted.set(u64::from(doubt.is_some()));
        match doubt {
            Some(doubt) => tracing::error!("events are refused and timers do not fire: {doubt}"),
            None => tracing::info!("the machine's clock is right again; events are accepted"),
        }
    }
}

impl webhooks::WebhookObserver for Observers {
    fn tried(&self, delivered: bool, decisions: u32, micros: u64) {
        let metrics = &self.metrics;
        metrics
            .webhook_seconds
            .record_duration(Duration::from_micros(micros));
        match delivered {
            true => metrics.webhook_decisions.add(decisions.into()),
            false => metrics.webhook_failures.add(1),
        }
    }

    fn gave_up(&self, shop: &Id, endpoint: &str) {
        self.metrics.webhook_alerts.add(1);
        let shop = logs::shop_hash(shop);
        tracing::warn!(
            shop,
            endpoint,
            "a message of a webhook was given up; `POST webhooks/{{id}}/resend` sends it again"
        );
    }

    fn disabled(&self, shop: &Id, endpoint: &str, why: &str) {
        self.metrics.webhook_alerts.add(1);
        let shop = logs::shop_hash(shop);
        tracing::error!(
            shop,
            endpoint,
            why,
            "a webhook was switched off; `PATCH webhooks/{{id}}` with {{\"enabled\": true}} resumes it"
        );
    }
}

impl http::HttpObserver for Observers {
    fn micros(&self) -> u64 {
        self.began.micros()
    }

    fn answered(&self, entry: &AccessLogEntry<'_>) {
        let route = self.metrics.route(entry.route);
        route.answered(entry.status, Duration::from_micros(entry.micros));
        if let Some(why) = refusal(entry.status) {
            self.metrics.refused(why);
        }
        let shop = entry.shop.and_then(Id::new);
        let shop = shop.as_ref().map(logs::shop_hash);
        logs::request(
            entry.method,
            entry.route,
            entry.status,
            entry.micros,
            entry.bytes_out,
            shop,
        );
    }

    fn scrape(&self) -> String {
        self.metrics.render()
    }
}

/// What kept a request from a shop, by the status that it was answered with.
fn refusal(status: u16) -> Option<Refusal> {
    match status {
        401 => Some(Refusal::KeyUnknown),
        403 => Some(Refusal::ScopeMissing),
        408 => Some(Refusal::BodyTooSlow),
        413 => Some(Refusal::BodyTooLarge),
        422 => Some(Refusal::IdReused),
        503 => Some(Refusal::Overloaded),
        507 => Some(Refusal::DiskFull),
        _ => None,
    }
}
