//! One call: builds the request of a message, and turns the answer into a result.

use reqwest::Url;

use super::delivery::delivery_state::AttemptResult;
use super::delivery::outbox::AttemptEnd;
use super::delivery::payload::Message;
use super::endpoint::Endpoint;
use super::transport::client::{CallResult, WebhookClient};
use super::transport::lookup_budget::LookupCaller;
use super::transport::signature::sign;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;

/// Why an endpoint without a secret is not called.
pub const NO_SECRET: &str = "its secret is not in this server's folder: rotate it (`POST webhooks/{id}/rotate`), give \
the \
                             receiver the new one, then switch the webhook on with `PATCH`";

/// Sends a message to an endpoint.
pub async fn call(
    client: &WebhookClient,
    shop: &Id,
    endpoint: &Endpoint,
    message: &Message,
    now: Instant,
) -> CallResult {
    let caller = LookupCaller {
        shop: shop.clone(),
        endpoint: endpoint.id.clone(),
    };
    match request_of(endpoint, message, now) {
        Ok((url, headers)) => {
            let body = message.body.clone();
            client.post_for(caller, &url, &headers, body).await
        }
        Err(why) => CallResult {
            failure: Some(why),
            ..CallResult::default()
        },
    }
}

/// The headers of a call.
type Headers = [(&'static str, String); 3];

/// The URL and the headers of a message (Standard Webhooks 1.0).
fn request_of(
    endpoint: &Endpoint,
    message: &Message,
    now: Instant,
) -> Result<(Url, Headers), String> {
    let url = Url::parse(&endpoint.url).map_err(|error| format!("the address: {error}"))?;
    let seconds = now.ms().div_euclid(1000);
    let secrets = endpoint.secrets(now);
    if secrets.is_empty() {
        return Err(NO_SECRET.to_owned());
    }
    let signature = sign(&secrets, &message.id, seconds, &message.body);
    Ok((
        url,
        [
            ("webhook-id", message.id.clone()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signature),
        ],
    ))
}

/// How an attempt ended.
pub fn attempt_end(called: &CallResult, now: Instant) -> AttemptEnd {
    if called.delivered() {
        return AttemptEnd::Delivered;
    }
    if called.is_gone() {
        return AttemptEnd::Gone;
    }
    AttemptEnd::Failed(called.retry_after.map(|after| now + after.wait_from(now)))
}

/// The result of an attempt, as it is stored and listed.
pub fn attempt_result(called: &CallResult, now: Instant) -> AttemptResult {
    AttemptResult {
        at_ms: now.ms(),
        status: called.status,
        took_ms: called.micros.div_ceil(1000),
        answer: called.answer.clone(),
        failure: called.failure.clone(),
    }
}

/// Why an endpoint is disabled after an attempt that ended so.
pub fn disable_reason(ended: AttemptEnd, result: &AttemptResult) -> String {
    match (ended, result.status, &result.failure) {
        (AttemptEnd::Gone, _, _) => "it answered 410 (gone)".to_owned(),
        (_, Some(status), _) => {
            format!("every attempt for five days failed; the last answer was {status}")
        }
        (_, None, why) => format!(
            "every attempt for five days failed; the last one: {}",
            why.as_deref().unwrap_or("no answer")
        ),
    }
}
