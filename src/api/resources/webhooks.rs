//! The webhook endpoints of a shop: list, create, change, delete, rotate the secret and test.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::api::resource_change::read_body;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Instant, OffsetTimestamp};
use crate::domain::read::views::Page;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{json, no_content, page};
use crate::webhooks::delivery::delivery_state::AttemptResult;
use crate::webhooks::endpoint::{BATCH_MAX, EndpointChange, EndpointState, OVERLAP};
use crate::webhooks::{Subscription, WebhookError};

/// The name of this list in its cursors.
const LIST: &str = "webhooks";

/// The fields to create a webhook, or to change it. A change keeps omitted fields.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookBody {
    /// `http` or `https`. Private addresses are allowed only if the server's settings allow them. Required to create a
    /// webhook.
    #[serde(default)]
    #[schema(nullable = false, example = "https://gateway.example/xiaoer")]
    url: Option<String>,
    #[serde(default, deserialize_with = "given")]
    /// The types of decisions to send; `null` means all. `webhook.disabled` reports that the server disabled another
    /// endpoint of the shop.
    #[schema(value_type = Option<Vec<String>>)]
    types: Option<Option<Value>>,
    #[serde(default, deserialize_with = "given")]
    /// The maximum number of decisions in a request. `null`: one decision in each request, not in an array.
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 500)]
    batch: Option<Option<Value>>,
    /// `true` enables the endpoint again after the server disabled it. Deliveries continue where they stopped.
    #[serde(default)]
    #[schema(nullable = false)]
    enabled: Option<bool>,
}

/// What a webhook is created with: a [`WebhookBody`] that has its `url`.
struct NewWebhook;

impl PartialSchema for NewWebhook {
    fn schema() -> RefOr<Schema> {
        let mut schema = WebhookBody::schema();
        if let RefOr::T(Schema::Object(body)) = &mut schema {
            body.required.push("url".to_owned());
        }
        schema
    }
}

impl ToSchema for NewWebhook {}

fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// An endpoint that receives decisions.
#[derive(Serialize, ToSchema)]
pub struct Webhook {
    id: String,
    url: String,
    /// The types of decisions that are sent; `null` means all.
    #[schema(required)]
    types: Option<Vec<String>>,
    /// The maximum number of decisions in a request. `null`: one decision in each request, not in an array.
    #[schema(required)]
    batch: Option<u16>,
    enabled: bool,
    /// Why the server disabled the endpoint.
    #[schema(required)]
    disabled: Option<Disabled>,
    created: OffsetTimestamp,
    /// All decisions up to this `seq` were delivered, or failed and moved to the retry queue.
    seq: u64,
    /// The number of failed messages that will be retried.
    retrying: usize,
    /// The number of messages whose last retry failed. `resend` sends them again.
    given_up: usize,
    /// The time since which every request has failed.
    #[schema(required)]
    failing_since: Option<OffsetTimestamp>,
    /// The signing secret. It is shown only when the webhook is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "whsec_…")]
    secret: Option<String>,
}

/// Why and when the server disabled an endpoint.
#[derive(Serialize, ToSchema)]
struct Disabled {
    why: String,
    at: OffsetTimestamp,
}

/// A new signing secret.
#[derive(Serialize, ToSchema)]
struct WebhookSecret {
    #[schema(example = "whsec_…")]
    secret: String,
    /// Until this time, requests are also signed with the previous secret.
    old_until: OffsetTimestamp,
}

/// The result of a test request.
#[derive(Serialize, ToSchema)]
struct Tested {
    delivered: bool,
    /// The HTTP status of the response.
    #[schema(required)]
    status: Option<u16>,
    /// The duration of the request, in milliseconds.
    took_ms: u64,
    /// The first kilobyte of the response body.
    answer: String,
    /// Why there was no response.
    #[schema(required)]
    failure: Option<String>,
}

/// An instant in UTC, for lists that belong to no single shop's time zone.
pub fn utc(at: Instant) -> OffsetTimestamp {
    at.at_offset(0)
}

fn shown(post: &Subscription, secret: Option<String>) -> Webhook {
    let inner = post.inner();
    let endpoint = &inner.endpoint;
    let (retrying, given_up) = inner.outbox.counts();
    Webhook {
        id: endpoint.id.clone(),
        url: endpoint.url.clone(),
        types: endpoint.types.clone(),
        batch: endpoint.batch,
        enabled: endpoint.is_on(),
        disabled: match &endpoint.state {
            EndpointState::On | EndpointState::Off => None,
            EndpointState::Disabled { why, at } => Some(Disabled {
                why: why.clone(),
                at: utc(*at),
            }),
        },
        created: utc(endpoint.made),
        seq: inner.outbox.cursor().done,
        retrying,
        given_up,
        failing_since: inner.outbox.cursor().failing_since.map(utc),
        secret,
    }
}

/// The problem for a change that was not done.
pub fn webhook_problem(shop: &Id, id: &str, why: WebhookError) -> Problem {
    match why {
        WebhookError::Unknown => Problem::new(
            ProblemCode::WebhookUnknown,
            format!("The shop has no webhook {id:?}. `GET webhooks` lists the webhooks."),
        ),
        WebhookError::Refused(why) => Problem::malformed(why),
        WebhookError::Full(why) => Problem::new(ProblemCode::TooMany, why),
        WebhookError::NoShop => Problem::shop_unknown(shop),
        WebhookError::Failed(error) => Problem::own(
            ProblemCode::Broken,
            &error,
            "The webhook could not be stored or called. The server's log says why. Send the request again; if that \
             does not help, ask the server's operator.",
        ),
    }
}

/// The path's shop and endpoint. A problem if either does not exist.
pub async fn endpoint(call: &RequestContext) -> Result<(Id, Arc<Subscription>), Problem> {
    let (shop, id) = (shop(call).await?, call.segment("id"));
    let post = call.state.webhooks.get(&shop, &id);
    let post = post.map_err(|why| webhook_problem(&shop, &id, why))?;
    Ok((shop, post))
}

async fn shop(call: &RequestContext) -> Result<Id, Problem> {
    let shop = call.shop()?;
    match call.state.shops.exists(&shop).await {
        Ok(true) => Ok(shop),
        Ok(false) => Err(Problem::shop_unknown(&shop)),
        Err(why) => Err(Problem::refused(why)),
    }
}

async fn change_of(call: &RequestContext) -> Result<EndpointChange, Problem> {
    let text = call.json_text().await?;
    let WebhookBody {
        url,
        types,
        batch,
        enabled,
    } = read_body(&text)?;
    Ok(EndpointChange {
        url,
        types: types
            .map(|types| types.map(names).transpose())
            .transpose()?,
        batch: batch
            .map(|batch| batch.map(number).transpose())
            .transpose()?,
        enabled,
    })
}

fn names(value: Value) -> Result<Vec<String>, Problem> {
    serde_json::from_value(value).map_err(|_| {
        Problem::malformed("`types` must be a list of types of decisions, or null for all of them.")
    })
}

fn number(value: Value) -> Result<u16, Problem> {
    serde_json::from_value(value).map_err(|_| {
        Problem::malformed(format!(
            "`batch` must be a whole number from 1 to {BATCH_MAX}, or null for one decision per request."
        ))
    })
}

/// Lists the shop's webhooks, the oldest first
#[utoipa::path(get, path = "/v1/shops/{shop}/webhooks", tag = "webhooks", operation_id = "list_webhooks",
    responses((status = 200, body = Page<Webhook>)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let (limit, after) = (call.query.limit()?, call.query.cursor(LIST)?);
    let shop = shop(&call).await?;
    let posts = call.state.webhooks.list(&shop).into_iter();
    // The cursor holds the creation time, so it stays valid if that webhook is deleted.
    let key = |post: &Subscription| format!("{:020}.{}", post.inner().endpoint.made.ms(), post.id);
    let mut posts: Vec<Arc<Subscription>> = posts
        .filter(|post| after.as_ref().is_none_or(|after| key(post) > *after))
        .collect();
    let more = posts.len() > limit;
    posts.truncate(limit);
    let next = posts.last().filter(|_| more).map(|post| key(post));
    let items: Vec<String> = posts
        .iter()
        .map(|post| serde_json::to_string(&shown(post, None)).unwrap_or_default())
        .collect();
    Ok(page(
        LIST,
        items.iter().map(String::as_str),
        next.as_deref(),
    ))
}

/// Creates a webhook; its secret is shown only in this response
///
/// New decisions are delivered at least once, signed as the Standard Webhooks specification says. Delivery starts with
/// the next decision.
#[utoipa::path(post, path = "/v1/shops/{shop}/webhooks", tag = "webhooks", operation_id = "post_webhook",
    request_body = NewWebhook, responses((status = 200, body = Webhook)))]
pub async fn post(call: RequestContext) -> HandlerResult {
    let change = change_of(&call).await?;
    let shop = call.shop()?;
    let seq = call.live(|shop| shop.seq()).await?;
    let added = call.state.webhooks.add(&shop, change, seq).await;
    let (post, secret) = added.map_err(|why| webhook_problem(&shop, "", why))?;
    json(&shown(&post, Some(secret.text())))
}

/// One webhook
#[utoipa::path(get, path = "/v1/shops/{shop}/webhooks/{id}", tag = "webhooks", operation_id = "get_webhook",
    responses((status = 200, body = Webhook)))]
pub async fn get(call: RequestContext) -> HandlerResult {
    let (_, post) = endpoint(&call).await?;
    json(&shown(&post, None))
}

/// Changes a webhook
///
/// Omitted fields are kept. `types` and `batch` may be null. An endpoint that is enabled again continues where it
/// stopped.
#[utoipa::path(patch, path = "/v1/shops/{shop}/webhooks/{id}", tag = "webhooks", operation_id = "patch_webhook",
    request_body = WebhookBody, responses((status = 200, body = Webhook)))]
pub async fn patch(call: RequestContext) -> HandlerResult {
    let change = change_of(&call).await?;
    let (shop, post) = endpoint(&call).await?;
    let changed = call.state.webhooks.change(&shop, &post.id, change).await;
    let post = changed.map_err(|why| webhook_problem(&shop, &post.id, why))?;
    json(&shown(&post, None))
}

/// Deletes a webhook
#[utoipa::path(delete, path = "/v1/shops/{shop}/webhooks/{id}", tag = "webhooks", operation_id = "delete_webhook",
    responses((status = 204)))]
pub async fn delete(call: RequestContext) -> HandlerResult {
    let (shop, post) = endpoint(&call).await?;
    let removed = call.state.webhooks.remove(&shop, &post.id).await;
    removed.map_err(|why| webhook_problem(&shop, &post.id, why))?;
    Ok(no_content())
}

/// Rotates a webhook's signing secret; the new one is shown only in this response
///
/// For one day, requests are signed with both secrets.
#[utoipa::path(post, path = "/v1/shops/{shop}/webhooks/{id}/rotate", tag = "webhooks", operation_id = "rotate_webhook",
    responses((status = 200, body = WebhookSecret)))]
pub async fn rotate(call: RequestContext) -> HandlerResult {
    let (shop, post) = endpoint(&call).await?;
    let until = utc(call.state.shops.now() + OVERLAP);
    let secret = call.state.webhooks.rotate(&shop, &post.id).await;
    let secret = secret.map_err(|why| webhook_problem(&shop, &post.id, why))?;
    json(&WebhookSecret {
        secret: secret.text(),
        old_until: until,
    })
}

/// Sends a test message to a webhook now and returns the result
#[utoipa::path(post, path = "/v1/shops/{shop}/webhooks/{id}/test", tag = "webhooks", operation_id = "test_webhook",
    responses((status = 200, body = Tested)))]
pub async fn test(call: RequestContext) -> HandlerResult {
    let (shop, post) = endpoint(&call).await?;
    let tested = call.state.webhooks.test(&shop, &post.id).await;
    let AttemptResult {
        status,
        took_ms,
        answer,
        failure,
        ..
    } = tested.map_err(|why| webhook_problem(&shop, &post.id, why))?;
    json(&Tested {
        delivered: status.is_some_and(|status| (200..300).contains(&status)),
        status,
        took_ms,
        answer,
        failure,
    })
}
