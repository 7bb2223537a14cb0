//! Why a call got no answer, in words that help the endpoint's owner.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::resolver::AddressRefused;

/// The text of an error and of all its causes.
pub(super) fn words(error: &reqwest::Error, connect_timeout: Duration) -> String {
    if error.is_timeout() && error.is_connect() {
        return format!("no connection within {}", length(connect_timeout));
    }
    let mut deepest = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(AddressRefused(why)) = error.downcast_ref() {
            return why.clone();
        }
        if let Some(words) = error.downcast_ref::<io::Error>().and_then(of_io) {
            return words;
        }
        if let Some(error) = error.downcast_ref() {
            return of_tls(error);
        }
        deepest = error.to_string();
        cause = error.source();
    }
    deepest
}

/// The text of the system or of TLS; `None` where it has none.
fn of_io(error: &io::Error) -> Option<String> {
    // An error of TLS is inside one or two errors of the system.
    if let Some(inner) = error.get_ref() {
        if let Some(error) = inner.downcast_ref() {
            return Some(of_tls(error));
        }
        if let Some(error) = inner.downcast_ref() {
            return of_io(error);
        }
    }
    let kind = error.kind();
    let text = OF_SYSTEM.iter().find(|(other, _)| *other == kind);
    text.map(|(_, words)| (*words).to_owned())
}

const OF_SYSTEM: [(io::ErrorKind, &str); 8] = [
    (io::ErrorKind::ConnectionRefused, "connection refused"),
    (io::ErrorKind::ConnectionReset, "connection reset"),
    (io::ErrorKind::ConnectionAborted, "connection aborted"),
    (
        io::ErrorKind::BrokenPipe,
        "the connection was closed while the request was sent",
    ),
    (
        io::ErrorKind::UnexpectedEof,
        "the connection was closed in the middle of TLS",
    ),
    (io::ErrorKind::HostUnreachable, "the host is unreachable"),
    (
        io::ErrorKind::NetworkUnreachable,
        "the host's network is unreachable",
    ),
    (io::ErrorKind::TimedOut, "the connection timed out"),
];

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "other errors have a good text in rustls"
)]
fn of_tls(error: &rustls::Error) -> String {
    use rustls::CertificateError as Certificate;
    let why = match error {
        rustls::Error::InvalidCertificate(why) => why,
        rustls::Error::InvalidMessage(_) => {
            return "the server at the address does not speak TLS; does the address begin with http://?"
                .to_owned();
        }
        other => return format!("TLS failed: {other}"),
    };
    match why {
        Certificate::UnknownIssuer => {
            "the certificate was issued by an authority that this machine does not trust; SSL_CERT_FILE may name the \
             issuer's \
             certificate"
                .to_owned()
        }
        Certificate::Expired | Certificate::ExpiredContext { .. } => {
            "the certificate has expired".to_owned()
        }
        Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
            "the certificate is not valid yet".to_owned()
        }
        Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
            "the certificate is for another name".to_owned()
        }
        other => format!("the certificate is not valid: {other}"),
    }
}

/// A length of time, in seconds where they are whole.
pub(super) fn length(time: Duration) -> String {
    match (time.as_secs(), time.subsec_millis()) {
        (seconds, 0) => format!("{seconds} s"),
        (_, _) => format!("{} ms", time.as_millis()),
    }
}
