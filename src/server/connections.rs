//! What all connections share: their limits, their number, and counts of those that a limit has ended.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::observers::Observers;
use super::peers::{CountedPeer, Peers};
use crate::http::Budget;
use crate::settings::Settings;
use crate::telemetry::Cut;

/// The limits of connections and their counts. One for all workers.
pub(super) struct Connections {
    /// How long a client may take to receive what is ready for it.
    pub write_timeout: Duration,
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// The budget of all answers that clients have not received yet.
    pub answers: Arc<Budget>,
    /// Turns to read a piece of a long body. Without them a thread that serves a hundred clients with long bodies
    /// would answer a short request only after a piece of each.
    pub long_bodies: Arc<Semaphore>,
    peers: Arc<Peers>,
    observers: Arc<Observers>,
    open: AtomicUsize,
    stuck: AtomicUsize,
}

impl Connections {
    pub(super) fn new(
        settings: &Settings,
        answers: Arc<Budget>,
        observers: Arc<Observers>,
    ) -> Arc<Connections> {
        Arc::new(Connections {
            write_timeout: super::std_time(settings.http_write_timeout),
            header_timeout: super::std_time(settings.http_header_timeout),
            answers,
            long_bodies: Arc::new(Semaphore::new(turns())),
            peers: Peers::new(
                settings.http_connections_per_peer as usize,
                settings.http_proxies.clone(),
            ),
            observers,
            open: AtomicUsize::new(0),
            stuck: AtomicUsize::new(0),
        })
    }

    /// Admits a connection; `None` where its address has reached its limit.
    pub(super) fn admit(self: &Arc<Self>, address: std::net::IpAddr) -> Option<OpenConnection> {
        let Ok(counted) = self.peers.count(address) else {
            self.observers.cut(Cut::PeerFull);
            return None;
        };
        self.open.fetch_add(1, Ordering::Relaxed);
        self.observers.connections(1);
        Some(OpenConnection {
            all: Arc::clone(self),
            counted,
            stuck: false,
        })
    }

    /// Whether there are connections, and none of their clients receives anything.
    pub(super) fn are_all_stuck(&self) -> bool {
        let open = self.open.load(Ordering::Relaxed);
        open > 0 && self.stuck.load(Ordering::Relaxed) >= open
    }
}

/// At most half of the processors work on long bodies, and at least one.
fn turns() -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).max(1)
}

/// One open connection, until this is dropped.
pub(super) struct OpenConnection {
    all: Arc<Connections>,
    counted: Option<CountedPeer>,
    stuck: bool,
}

impl OpenConnection {
    pub(super) fn limits(&self) -> &Connections {
        &self.all
    }

    /// A limit ends the connection.
    pub(super) fn end(&self, why: Cut) -> io::Error {
        self.all.observers.cut(why);
        io::Error::new(io::ErrorKind::TimedOut, why.code())
    }

    /// Its client has a valid key: it no longer counts for its address.
    pub(super) fn stop_counting(&mut self) {
        self.counted = None;
    }

    /// Whether its client receives nothing.
    pub(super) fn set_stuck(&mut self, stuck: bool) {
        match (self.stuck, stuck) {
            (false, true) => drop(self.all.stuck.fetch_add(1, Ordering::Relaxed)),
            (true, false) => drop(self.all.stuck.fetch_sub(1, Ordering::Relaxed)),
            (true, true) | (false, false) => {}
        }
        self.stuck = stuck;
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.set_stuck(false);
        self.all.open.fetch_sub(1, Ordering::Relaxed);
        self.all.observers.connections(-1);
    }
}
