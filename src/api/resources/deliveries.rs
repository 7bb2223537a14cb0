//! Webhook deliveries: list, read and replay.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::webhooks::{endpoint, utc, webhook_problem};
use crate::api::resource_change::read_body;
use crate::domain::base::time::{Instant, OffsetTimestamp};
use crate::domain::protocol::codes::codes;
use crate::domain::read::views::Page;
use crate::http::problem::Problem;
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{json, page};
use crate::webhooks::Subscription;
use crate::webhooks::delivery::delivery_state::{AttemptResult, SeqRange};

/// The name of this list in its cursors.
const LIST: &str = "deliveries";

/// A range of decisions to send again, by `seq`. Both ends are included.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Resend {
    #[schema(minimum = 1)]
    from: u64,
    #[schema(minimum = 1)]
    to: u64,
}

codes! {
    /// The state of a delivery.
    DeliveryState {
        /// The endpoint answered with a 2xx status.
        Delivered = "delivered",
        /// The delivery failed and will be retried.
        Retrying = "retrying",
        /// The last retry failed.
        GivenUp = "given_up",
    }
}

/// A message with a range of decisions, and the result of its latest attempt.
#[derive(Serialize, ToSchema)]
pub struct Delivery {
    from: u64,
    to: u64,
    state: DeliveryState,
    tries: u32,
    #[schema(required)]
    status: Option<u16>,
    took_ms: u64,
    answer: String,
    #[schema(required)]
    failure: Option<String>,
    at: OffsetTimestamp,
    /// When the next attempt is due.
    #[schema(required)]
    again: Option<OffsetTimestamp>,
}

/// Lists the deliveries to a webhook, the latest first
///
/// The list has all deliveries that are being retried or were given up, and the last 100 that succeeded since the
/// server started.
#[utoipa::path(get, path = "/v1/shops/{shop}/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "list_deliveries",
    responses((status = 200, body = Page<Delivery>)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let (limit, after) = (call.query.limit()?, call.query.cursor(LIST)?);
    let (_, post) = endpoint(&call).await?;
    let mut rows: Vec<(String, Delivery)> = rows(&post)
        .into_iter()
        .map(|row| (place(&row), row))
        .filter(|(place, _)| after.as_ref().is_none_or(|after| place < after))
        .collect();
    rows.sort_by(|(a, _), (b, _)| b.cmp(a));
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|(place, _)| place.clone());
    let items: Vec<String> = rows
        .iter()
        .map(|(_, row)| serde_json::to_string(row).unwrap_or_default())
        .collect();
    Ok(page(
        LIST,
        items.iter().map(String::as_str),
        next.as_deref(),
    ))
}

/// The key of a delivery in the list: the time of its latest attempt.
fn place(row: &Delivery) -> String {
    format!(
        "{:020}.{:020}-{:020}",
        row.at.instant.ms(),
        row.from,
        row.to
    )
}

fn rows(post: &Subscription) -> Vec<Delivery> {
    let row =
        |range: SeqRange, state, tries, result: &AttemptResult, again: Option<Instant>| Delivery {
            from: range.from,
            to: range.to,
            state,
            tries,
            status: result.status,
            took_ms: result.took_ms,
            answer: result.answer.clone(),
            failure: result.failure.clone(),
            at: utc(Instant::from_ms(result.at_ms)),
            again: again.map(utc),
        };
    let inner = post.inner();
    // A delivery whose first attempt is still running has no result to show.
    let failing = inner
        .outbox
        .failed_messages()
        .filter(|of| of.attempts > 0 || of.retry_at.is_none());
    let failing = failing.map(|of| {
        let state = if of.retry_at.is_some() {
            DeliveryState::Retrying
        } else {
            DeliveryState::GivenUp
        };
        row(of.range, state, of.attempts, &of.result, of.retry_at)
    });
    let recent = inner.recent.iter();
    let recent = recent.map(|of| {
        row(
            of.range,
            DeliveryState::Delivered,
            of.attempts,
            &of.result,
            None,
        )
    });
    failing.chain(recent).collect()
}

/// Sends a range of decisions to a webhook again
///
/// They are sent in order, in parallel with new decisions. Without `batch`, each keeps its original `webhook-id`. With
/// `batch`, the decisions are grouped anew.
#[utoipa::path(post, path = "/v1/shops/{shop}/webhooks/{id}/resend", tag = "webhooks", operation_id = "resend",
    request_body = Resend, responses((status = 200, body = Resend)))]
pub async fn resend(call: RequestContext) -> HandlerResult {
    let text = call.json_text().await?;
    let Resend { from, to } = read_body(&text)?;
    let (shop, post) = endpoint(&call).await?;
    let seq = call.live(|shop| shop.seq()).await?;
    if from == 0 || from > to || to > seq {
        return Err(Problem::malformed(format!(
            "`from` and `to` must be the `seq` of decisions that were taken, `from` no later than `to`: 1 to {seq}."
        )));
    }
    let range = SeqRange { from, to };
    let sent = call.state.webhooks.resend(&shop, &post.id, range).await;
    sent.map_err(|why| webhook_problem(&shop, &post.id, why))?;
    json(&Resend { from, to })
}
