//! Why a call got no answer, in words that tell the endpoint's owner what to look at.

use std::error::Error;
use std::io;
use std::time::Duration;

use super::resolver::AddressRefused;

/// What went wrong, of an error and all that caused it.
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

/// What the system or TLS said; `None` where it says nothing of its own.
fn of_io(error: &io::Error) -> Option<String> {
    // An error of TLS comes inside of one of the system, or of two.
    if let Some(inner) = error.get_ref() {
        if let Some(error) = inner.downcast_ref() {
            return Some(of_tls(error));
        }
        if let Some(error) = inner.downcast_ref() {
            return of_io(error);
        }
    }
    let kind = error.kind();
    let said = OF_SYSTEM.iter().find(|(other, _)| *other == kind);
    said.map(|(_, words)| (*words).to_owned())
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
    (
        io::ErrorKind::HostUnreachable,
        "there is no way to the host",
    ),
    (
        io::ErrorKind::NetworkUnreachable,
        "there is no way to the host's network",
    ),
    (io::ErrorKind::TimedOut, "the connection timed out"),
];

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else may be wrong, rustls says well enough"
)]
fn of_tls(error: &rustls::Error) -> String {
    use rustls::CertificateError as Certificate;
    let why = match error {
        rustls::Error::InvalidCertificate(why) => why,
        rustls::Error::InvalidMessage(_) => {
            return "what answered speaks no TLS; does the address begin with http:// after all?"
                .to_owned();
        }
        other => return format!("TLS failed: {other}"),
    };
    match why {
        Certificate::UnknownIssuer => {
            "the certificate is of an issuer that this machine does not trust; SSL_CERT_FILE may name the issuer's \
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

/// A length of time as it is said: seconds, where they are whole.
pub(super) fn length(time: Duration) -> String {
    match (time.as_secs(), time.subsec_millis()) {
        (seconds, 0) => format!("{seconds} s"),
        (_, _) => format!("{} ms", time.as_millis()),
    }
}
