//! Metrics of connections: how many there are, and how many each limit has ended.

use metrics_exporter_prometheus::PrometheusRecorder;

use crate::domain::protocol::codes::codes;
use crate::telemetry::instruments::{Counter, Gauge, counter, gauge};

codes! {
    /// Which limit ended a connection: the label of `xiaoer_connections_cut_total`.
    Cut {
        /// The address has as many connections without a valid key as one may have.
        PeerFull = "peer_full",
        /// The client did not receive an answer in time.
        NotTaken = "not_taken",
        /// The head of a request did not come in time.
        HeadTooSlow = "head_too_slow",
        /// The budget of answers that clients have not received is used up.
        AnswersFull = "answers_full",
        /// Its TLS handshake took too long.
        HandshakeTooSlow = "handshake_too_slow",
        /// Too many TLS handshakes were in progress.
        HandshakesFull = "handshakes_full",
    }
}

/// The metrics of connections.
pub struct ConnectionMetrics {
    /// Connections that are open: `xiaoer_connections`.
    pub open: Gauge,
    cut: Vec<Counter>,
}

impl ConnectionMetrics {
    pub(super) fn new(recorder: &PrometheusRecorder) -> ConnectionMetrics {
        let cut = Cut::ALL.iter().map(|cut| {
            let labels = [("why", cut.code())];
            counter(recorder, "xiaoer_connections_cut_total", &labels)
        });
        ConnectionMetrics {
            open: gauge(recorder, "xiaoer_connections"),
            cut: cut.collect(),
        }
    }

    /// A limit has ended a connection.
    pub fn cut(&self, why: Cut) {
        self.cut[why as usize].add(1);
    }
}
