//! TLS trust of webhook requests: the certificates of the machine or of `SSL_CERT_FILE`, and no proxy.
//!
//! A process reads the environment once, so each row runs this test again as a process of its own.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::support::receiver::{Receiver, Reply};
use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use reqwest::Url;
use rustls::pki_types::PrivateKeyDer;
use xiaoer::webhooks::{ClientSettings, SystemLookup, WebhookClient};

/// The variable that names where to call.
const URL: &str = "CALL_URL";

#[test]
#[ignore = "the others run it, with variables of the environment"]
fn one_call() {
    let Ok(url) = std::env::var(URL) else {
        return;
    };
    let caller = WebhookClient::new(ClientSettings {
        timeout: Duration::from_secs(20),
        private_addresses: true,
        lookup: Arc::new(SystemLookup::new()),
    });
    let caller = caller.expect("a caller");
    let url = Url::parse(&url).expect("a URL");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let called = runtime.block_on(caller.post(&url, &[], Bytes::from_static(b"{}")));
    let failure = called.failure.unwrap_or_default();
    println!("\ncalled: {} {failure}", called.status.unwrap_or_default());
}

/// The status of a call with these variables, 0 where there is none, and why there is none.
fn call(url: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args([
        "webhook_tls::one_call",
        "--exact",
        "--ignored",
        "--nocapture",
    ]);
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "no_proxy"] {
        command.env_remove(name);
    }
    command.env(URL, url).envs(variables.iter().copied());
    let output = command.output().expect("its output");
    let said = String::from_utf8_lossy(&output.stdout);
    let called = said.lines().find_map(|line| line.strip_prefix("called: "));
    called
        .unwrap_or_else(|| panic!("{output:?}"))
        .trim()
        .to_owned()
}

/// Who vouches for others.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}

/// What a receiver with a certificate for a name speaks.
fn speaks(
    authority: &CertifiedIssuer<'static, KeyPair>,
    name: &str,
    change: impl FnOnce(&mut CertificateParams),
) -> Arc<rustls::ServerConfig> {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    change(&mut params);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        );
    Arc::new(config.expect("a certificate that fits"))
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("a path that is text").to_owned()
}

#[test]
fn certificates_are_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = authority();
    let ours = write(folder.path(), "ours.pem", &authority.pem());
    let none = write(folder.path(), "none.pem", "");
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    let empty = empty.to_str().expect("a path that is text");
    let ours = [("SSL_CERT_FILE", ours.as_str())];
    let nobody = [("SSL_CERT_FILE", none.as_str()), ("SSL_CERT_DIR", empty)];
    let untrusted = "0 the certificate was issued by an authority that this machine does not trust; SSL_CERT_FILE may name the \
                     issuer's certificate";
    let good = || speaks(&authority, "127.0.0.1", |_| {});
    let expired = speaks(&authority, "127.0.0.1", |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let early = speaks(&authority, "127.0.0.1", |params| {
        params.not_before = rcgen::date_time_ymd(2999, 1, 1);
    });
    let other = speaks(&authority, "example.com", |_| {});
    for (what, tls, variables, expected) in [
        ("one that is vouched for", good(), &ours[..], "200"),
        ("one of a stranger", good(), &[], untrusted),
        ("a machine that trusts nobody", good(), &nobody, untrusted),
        (
            "an old one",
            expired,
            &ours,
            "0 the certificate has expired",
        ),
        (
            "a new one",
            early,
            &ours,
            "0 the certificate is not valid yet",
        ),
        (
            "another's",
            other,
            &ours,
            "0 the certificate is for another name",
        ),
    ] {
        let receiver = Receiver::start_tls(tls, |_| Reply::status(200));
        assert_eq!(call(&receiver.url(), variables), expected, "{what}");
        let taken = receiver.requests().len();
        assert_eq!(taken, usize::from(expected == "200"), "{what}");
    }
    let plain = Receiver::always(Reply::status(200));
    assert_eq!(
        call(&plain.url(), &nobody),
        "200",
        "http needs no certificate"
    );
    let closed = plain.url().replace("http:", "https:");
    let closed = call(&closed, &ours);
    assert_eq!(closed, "0 the connection was closed in the middle of TLS");
    let said =
        "0 the server at the address does not speak TLS; does the address begin with http://?";
    assert_eq!(call(&answers_without_tls(), &ours), said);
}

/// What servers of `http` say to whoever begins with TLS.
fn answers_without_tls() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a call");
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        // Closed with something unread, a connection is reset, and the answer may be lost.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    format!("https://{address}/")
}

#[test]
fn no_proxy_is_asked() {
    let proxy = Receiver::always(Reply::status(502));
    let proxied = proxy.url();
    let receiver = Receiver::always(Reply::status(200));
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "HTTPS_PROXY",
    ] {
        let variables = [(name, proxied.as_str())];
        assert_eq!(call(&receiver.url(), &variables), "200", "{name}");
    }
    assert_eq!(proxy.connections(), 0);
}
