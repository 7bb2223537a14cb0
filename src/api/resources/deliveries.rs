//! What was sent to a webhook: listed, looked into, and sent again.

use serde::{Deserialize, Serialize};

use super::webhooks::{endpoint, not_done, utc};
use crate::api::commands::read_body;
use crate::api::schema::{DeliveryPage, Resend as ResendSchema};
use crate::domain::base::time::{Instant, Stamp};
use crate::http::problem::Problem;
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{json, page};
use crate::webhooks::Subscription;
use crate::webhooks::delivery::attempt::{AttemptResult, SeqRange};

/// The list's name in its cursors.
const LIST: &str = "deliveries";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResendBody {
    from: u64,
    to: u64,
}

/// A delivery, as it is shown.
#[derive(Serialize)]
struct DeliveryRow {
    from: u64,
    to: u64,
    state: &'static str,
    tries: u32,
    status: Option<u16>,
    took_ms: u64,
    answer: String,
    failure: Option<String>,
    at: Stamp,
    again: Option<Stamp>,
}

/// What was sent to a webhook, the latest first
///
/// All that is tried again or was given up, and the last hundred that were delivered since the server started.
#[utoipa::path(get, path = "/v1/shops/{shop}/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "list_deliveries",
    responses((status = 200, body = DeliveryPage)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let (limit, after) = (call.query.limit()?, call.query.cursor(LIST)?);
    let (_, post) = endpoint(&call).await?;
    let mut rows: Vec<(String, DeliveryRow)> = rows(&post)
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

/// Where a delivery stands in the list: by when it was last tried.
fn place(row: &DeliveryRow) -> String {
    format!(
        "{:020}.{:020}-{:020}",
        row.at.instant.ms(),
        row.from,
        row.to
    )
}

fn rows(post: &Subscription) -> Vec<DeliveryRow> {
    let row =
        |range: SeqRange, state, tries, told: &AttemptResult, again: Option<Instant>| DeliveryRow {
            from: range.from,
            to: range.to,
            state,
            tries,
            status: told.status,
            took_ms: told.took_ms,
            answer: told.answer.clone(),
            failure: told.failure.clone(),
            at: utc(Instant::from_ms(told.at_ms)),
            again: again.map(utc),
        };
    let inner = post.inner();
    // What is on its way for the first time has nothing to be told of.
    let failing = inner
        .outbox
        .failed_messages()
        .filter(|of| of.attempts > 0 || of.retry_at.is_none());
    let failing = failing.map(|of| {
        let state = if of.retry_at.is_some() {
            "retrying"
        } else {
            "given_up"
        };
        row(of.range, state, of.attempts, &of.result, of.retry_at)
    });
    let recent = inner.recent.iter();
    let recent = recent.map(|of| row(of.range, "delivered", of.attempts, &of.result, None));
    failing.chain(recent).collect()
}

/// Sends a range of decisions to a webhook again
///
/// They go out in order, beside what is new. One by one they have the `webhook-id`s that they had; with `batch` they are
/// grouped anew.
#[utoipa::path(post, path = "/v1/shops/{shop}/webhooks/{id}/resend", tag = "webhooks", operation_id = "resend",
    request_body = ResendSchema, responses((status = 200, body = ResendSchema)))]
pub async fn resend(call: RequestContext) -> HandlerResult {
    #[derive(Serialize)]
    struct Range {
        from: u64,
        to: u64,
    }
    let text = call.json_text().await?;
    let ResendBody { from, to } = read_body(&text)?;
    let (shop, post) = endpoint(&call).await?;
    let seq = call.live(|shop| shop.seq()).await?;
    if from == 0 || from > to || to > seq {
        return Err(Problem::malformed(format!(
            "`from` and `to` must be the `seq` of decisions that were taken, `from` no later than `to`: 1 to {seq}."
        )));
    }
    let range = SeqRange { from, to };
    let sent = call.state.webhooks.resend(&shop, &post.id, range).await;
    sent.map_err(|why| not_done(&shop, &post.id, why))?;
    json(&Range { from, to })
}
