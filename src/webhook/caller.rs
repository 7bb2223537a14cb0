//! One call: a message is posted, and what came back is told. Redirects are not followed, proxies not asked, and no more
//! of an answer is read than is kept.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use super::address::{Checked, Lookup, check_url};
use crate::domain::time::{Duration, Instant};
use crate::env::Stopwatch;

/// What is kept of an answer.
const ANSWER_BYTES: usize = 1024;

/// What is read of an answer at most, so that the connection can be used again; behind that it is closed.
const READ_BYTES: usize = 16 * 1024;

/// Idle connections that are kept for one host.
const IDLE_PER_HOST: usize = 2;

/// For how long they are kept.
const IDLE_FOR: std::time::Duration = std::time::Duration::from_secs(30);

/// How calls are made.
pub struct Calling {
    /// How long a call may take, the answer's body included.
    pub timeout: std::time::Duration,
    /// Whether private addresses may be called.
    pub private_addresses: bool,
    /// Who looks names up.
    pub lookup: Arc<dyn Lookup>,
}

/// Makes calls. Cheap to clone.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    timeout: std::time::Duration,
    private_addresses: bool,
}

/// When an endpoint wants to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so long.
    Wait(Duration),
    /// At this instant.
    Until(Instant),
}

/// What came of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Called {
    /// The status, where there was an answer.
    pub status: Option<u16>,
    /// How long it took, in microseconds.
    pub micros: u64,
    /// The first kilobyte of the answer, as text.
    pub answer: String,
    /// When the endpoint wants to be called again.
    pub retry_after: Option<RetryAfter>,
    /// Why there was no answer, in words.
    pub failure: Option<String>,
}

impl Called {
    /// A call that could not be made.
    pub fn failed(why: String) -> Called {
        Called {
            failure: Some(why),
            ..Called::default()
        }
    }

    /// Whether it was taken: any 2xx, whatever became of the rest of the answer.
    pub fn delivered(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether the endpoint wants to be called no more (410).
    pub fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

impl Caller {
    /// A caller.
    ///
    /// # Errors
    ///
    /// TLS cannot be had.
    pub fn new(calling: Calling) -> Result<Caller, String> {
        // Another part of the process may have chosen before; either will do.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let Calling {
            timeout,
            private_addresses,
            lookup,
        } = calling;
        let client = Client::builder()
            .user_agent(concat!("xiaoer/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(timeout)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .pool_idle_timeout(IDLE_FOR)
            .dns_resolver(Arc::new(Checked {
                lookup,
                private_allowed: private_addresses,
            }))
            .build()
            .map_err(|error| said(&error))?;
        Ok(Caller {
            client,
            timeout,
            private_addresses,
        })
    }

    /// Posts a body. Never takes longer than the time-out.
    pub async fn post(&self, url: &Url, headers: &[(&'static str, String)], body: Bytes) -> Called {
        // The names in it are looked up by the client; an address is not.
        if let Err(why) = check_url(url, self.private_addresses) {
            return Called::failed(why);
        }
        let watch = Stopwatch::start();
        let mut called = Called::default();
        let calling = self.call(url, headers, body, &mut called);
        if tokio::time::timeout(self.timeout, calling).await.is_err() && called.status.is_none() {
            called.failure = Some(format!("no answer within {:?}", self.timeout));
        }
        called.micros = watch.micros();
        called
    }

    /// Fills in what is known as soon as it is.
    async fn call(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: Bytes,
        called: &mut Called,
    ) {
        let mut request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        match request.body(body).send().await {
            Ok(response) => {
                called.status = Some(response.status().as_u16());
                called.retry_after = response.headers().get(RETRY_AFTER).and_then(retry_after);
                read_answer(response, &mut called.answer).await;
            }
            Err(error) => called.failure = Some(said(&error)),
        }
    }
}

/// Reads the beginning of an answer. What breaks off is as good as what ended: the status is known.
async fn read_answer(mut response: Response, answer: &mut String) {
    let (mut kept, mut read) = (Vec::new(), 0);
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        let room = ANSWER_BYTES - kept.len();
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        *answer = String::from_utf8_lossy(&kept).into_owned();
        if read > READ_BYTES {
            break;
        }
    }
}

/// Seconds, or a date (RFC 9110).
fn retry_after(value: &HeaderValue) -> Option<RetryAfter> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        let wait = Duration::from_ms(i64::from(seconds) * 1000);
        return Some(RetryAfter::Wait(wait));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(RetryAfter::Until(Instant::from_ms(
        date.timestamp().as_millisecond(),
    )))
}

/// An error and what lies under it, without what only repeats it.
fn said(error: &dyn Error) -> String {
    let mut said = Vec::new();
    let mut at = Some(error);
    while let Some(error) = at {
        let text = error.to_string();
        // The outermost names the URL, which whoever reads this knows.
        if error.source().is_none() || said.is_empty() && !text.contains("error sending request") {
            said.push(text);
        }
        at = error.source();
    }
    said.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let read = |text: &str| retry_after(&HeaderValue::from_str(text).unwrap());
        let wait = |ms| Some(RetryAfter::Wait(Duration::from_ms(ms)));
        for (text, expected) in [
            ("0", wait(0)),
            (" 120 ", wait(120_000)),
            ("-1", None),
            ("soon", None),
            ("99999999999", None),
            (
                "Tue, 24 Nov 2026 09:00:00 GMT",
                Some(RetryAfter::Until(
                    Instant::parse("2026-11-24T09:00:00Z").unwrap(),
                )),
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
