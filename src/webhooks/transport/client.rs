//! One call: a POST to an endpoint, and its result.
//!
//! **The status decides.** A receiver that answers 2xx has accepted the message. The rest of the answer is read up to
//! the time limit and 8 KiB, even where it breaks off or never ends; another call would only send the message twice.
//!
//! **The address** is checked before each call ([`url_policy`](super::url_policy)). Redirects are not followed, since
//! their target is not checked. No proxy is used, since it would resolve names itself.
//!
//! **TLS** trusts the certificates that the machine trusts when the client is made; `SSL_CERT_FILE` and `SSL_CERT_DIR`
//! name others. A machine without trusted certificates can call `http` addresses only.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url};

use super::interfaces::OwnAddresses;
use super::lookup_budget::{Dns, LookupCaller, for_endpoint};
use super::resolver::Checked;
use super::retry_after::RetryAfter;
use super::{error_text, url_policy};
use crate::env::Stopwatch;
use crate::webhooks::transport::lookup::Lookup;

/// How many bytes of an answer are kept.
pub const ANSWER_BYTES_MAX: usize = 1024;

/// How many bytes of an answer are read, so that the connection of a short one can be used again.
const READ_BYTES_MAX: usize = 8 * 1024;

/// How long a connection may take to come about, where the whole call may take longer.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How many connections to one host stay open without a call.
const IDLE_PER_HOST_MAX: usize = 4;

/// How long they do. Many servers close theirs after 5 s, and a call that comes at that moment would fail.
const IDLE_MAX: Duration = Duration::from_secs(4);

const USER_AGENT: &str = concat!("xiaoer/", env!("CARGO_PKG_VERSION"));

/// The settings of calls.
#[derive(Clone)]
pub struct ClientSettings {
    /// How long a call may take, from resolving the name to the end of the answer.
    pub timeout: Duration,
    /// Whether private addresses may be called.
    pub private_addresses: bool,
    /// Resolves names.
    pub lookup: Arc<dyn Lookup>,
}

/// Calls endpoints. It is cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct WebhookClient {
    client: Client,
    timeout: Duration,
    private_addresses: bool,
    own: Arc<OwnAddresses>,
}

/// Why the client cannot be made.
#[derive(Debug)]
pub struct Unusable(reqwest::Error);

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("endpoints of webhooks cannot be called")
    }
}

impl std::error::Error for Unusable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// The result of a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallResult {
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// The first [`ANSWER_BYTES_MAX`] bytes of what was answered, as text.
    pub answer: String,
    /// When the receiver asks to be called again.
    pub retry_after: Option<RetryAfter>,
    /// Why there is no status.
    pub failure: Option<String>,
}

impl CallResult {
    /// Whether the receiver has accepted the message: 2xx.
    pub fn delivered(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the receiver wants no more messages: 410.
    pub fn is_gone(&self) -> bool {
        self.status == Some(StatusCode::GONE.as_u16())
    }
}

/// The part of the answer that was read; it stays when the time is over.
#[derive(Default)]
struct ReceivedBody {
    status: Option<u16>,
    retry_after: Option<RetryAfter>,
    answer: Vec<u8>,
}

impl WebhookClient {
    /// A client with these settings.
    pub fn new(settings: ClientSettings) -> Result<WebhookClient, Unusable> {
        // An error says that a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A machine without any certificates of authorities can still call `http`.
        let dns = Dns::new(Arc::clone(&settings.lookup));
        let own = Arc::new(OwnAddresses::new(Arc::clone(&settings.lookup)));
        let client = builder(&settings, &dns, &own).build();
        let client = client.or_else(|_| builder(&settings, &dns, &own).tls_certs_only([]).build());
        Ok(WebhookClient {
            client: client.map_err(Unusable)?,
            own,
            timeout: settings.timeout,
            private_addresses: settings.private_addresses,
        })
    }

    /// Whether a URL may be called; the error says which URLs may. A name is checked again once it is resolved.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        url_policy::check(url, self.private_addresses)?;
        match url_policy::literal(url.host_str().unwrap_or_default()) {
            Some(address) if !self.private_addresses && self.own.has(address) => {
                Err(url_policy::private(&format!(
                    "the address {address} is this machine's own, so it"
                )))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// [`WebhookClient::post`] for an endpoint, within its budget of look-ups.
    pub async fn post_for(
        &self,
        caller: LookupCaller,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> CallResult {
        for_endpoint(caller, self.post(url, headers, body)).await
    }

    /// Posts a JSON body and returns the result, within little more than the time-out.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> CallResult {
        let stopwatch = Stopwatch::start();
        let mut received = ReceivedBody::default();
        let exchange = self.exchange(url, headers, body, &mut received);
        let failure = match tokio::time::timeout(self.timeout, exchange).await {
            Ok(exchanged) => exchanged.err(),
            Err(_) => Some(format!(
                "timed out after {}",
                error_text::length(self.timeout)
            )),
        };
        CallResult {
            status: received.status,
            micros: stopwatch.micros(),
            answer: text(&received.answer),
            retry_after: received.retry_after,
            failure: failure.filter(|_| received.status.is_none()),
        }
    }

    async fn exchange(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Bytes,
        received: &mut ReceivedBody,
    ) -> Result<(), String> {
        // The client connects to an IP address without asking the resolver.
        self.check(url)?;
        let mut request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let words =
            |error: reqwest::Error| error_text::words(&error, connect_timeout(self.timeout));
        let response = request.body(body).send().await.map_err(words)?;
        received.status = Some(response.status().as_u16());
        received.retry_after = retry_after(&response);
        read(response, &mut received.answer).await;
        Ok(())
    }
}

fn builder(settings: &ClientSettings, dns: &Arc<Dns>, own: &Arc<OwnAddresses>) -> ClientBuilder {
    Client::builder()
        .dns_resolver(Checked {
            dns: Arc::clone(dns),
            own: Arc::clone(own),
            private_allowed: settings.private_addresses,
        })
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .user_agent(USER_AGENT)
        .connect_timeout(connect_timeout(settings.timeout))
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .pool_idle_timeout(IDLE_MAX)
}

fn connect_timeout(timeout: Duration) -> Duration {
    timeout.min(CONNECT_MAX)
}

fn retry_after(response: &Response) -> Option<RetryAfter> {
    let value = response.headers().get(RETRY_AFTER)?;
    RetryAfter::parse(value.to_str().ok()?)
}

/// Reads the answer to its end or to the limit. An answer that breaks off keeps what was read.
async fn read(mut response: Response, answer: &mut Vec<u8>) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        let kept = chunk.len().min(ANSWER_BYTES_MAX - answer.len());
        answer.extend_from_slice(&chunk[..kept]);
        read += chunk.len();
        if read >= READ_BYTES_MAX {
            break;
        }
    }
}

/// The text of an answer that may have been cut within a character.
fn text(answer: &[u8]) -> String {
    let whole = match std::str::from_utf8(answer) {
        Err(error) if error.error_len().is_none() => &answer[..error.valid_up_to()],
        Ok(_) | Err(_) => answer,
    };
    String::from_utf8_lossy(whole).into_owned()
}
