//! Webhooks of a shop: endpoints listed, made, changed and taken away, their secrets, and what was delivered.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::api::commands::read_body;
use crate::api::schema::{
    Tested, Webhook, WebhookBody as WebhookSchema, WebhookChange, WebhookMade, WebhookPage,
    WebhookSecret,
};
use crate::domain::base::id::Id;
use crate::domain::base::time::{Instant, Stamp};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{done, json, page};
use crate::webhooks::delivery::attempt::AttemptResult;
use crate::webhooks::endpoint::{BATCH_MAX, EndpointState, OVERLAP, Wanted};
use crate::webhooks::{NotDone, Subscription};

/// The list's name in its cursors.
const LIST: &str = "webhooks";

/// What `POST` and `PATCH` take. Null is told from what is left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookBody {
    #[serde(default)]
    url: Option<String>,
    #[serde(default, deserialize_with = "given")]
    types: Option<Option<Value>>,
    #[serde(default, deserialize_with = "given")]
    batch: Option<Option<Value>>,
    #[serde(default)]
    enabled: Option<bool>,
}

fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// An endpoint, as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    url: String,
    types: Option<Vec<String>>,
    batch: Option<u16>,
    enabled: bool,
    disabled: Option<Disabled>,
    created: Stamp,
    /// Decisions up to this `seq` have gone out, or failed and are tried again aside.
    seq: u64,
    retrying: usize,
    given_up: usize,
    failing_since: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

#[derive(Serialize)]
struct Disabled {
    why: String,
    at: Stamp,
}

/// An instant as it is shown where no shop's zone is at hand.
pub fn utc(at: Instant) -> Stamp {
    at.at_offset(0)
}

fn shown(post: &Subscription, secret: Option<String>) -> Shown {
    let inner = post.inner();
    let endpoint = &inner.endpoint;
    let (retrying, given_up) = inner.outbox.counts();
    Shown {
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

/// Why nothing was done, as a problem.
pub fn not_done(shop: &Id, id: &str, why: NotDone) -> Problem {
    match why {
        NotDone::Unknown => Problem::new(
            ProblemCode::WebhookUnknown,
            format!("The shop has no webhook {id:?}: `GET webhooks` lists those there are."),
        ),
        NotDone::Refused(why) => Problem::malformed(why),
        NotDone::Full(why) => Problem::new(ProblemCode::TooMany, why),
        NotDone::NoShop => Problem::shop_unknown(shop),
        NotDone::Failed(error) => Problem::own(
            ProblemCode::Broken,
            &error,
            "The webhook could not be kept or called: the server's log says why. Send the same again; where that \
             does not help, ask the server's operator.",
        ),
    }
}

/// The path's shop and endpoint, where both are there.
pub async fn endpoint(call: &RequestContext) -> Result<(Id, Arc<Subscription>), Problem> {
    let (shop, id) = (shop(call).await?, call.segment("id"));
    let post = call.state.webhooks.get(&shop, &id);
    let post = post.map_err(|why| not_done(&shop, &id, why))?;
    Ok((shop, post))
}

async fn shop(call: &RequestContext) -> Result<Id, Problem> {
    let shop = call.shop()?;
    match call.state.desk.exists(&shop).await {
        Ok(true) => Ok(shop),
        Ok(false) => Err(Problem::shop_unknown(&shop)),
        Err(why) => Err(Problem::refused(why)),
    }
}

async fn wanted(call: &RequestContext) -> Result<Wanted, Problem> {
    let text = call.json_text().await?;
    let WebhookBody {
        url,
        types,
        batch,
        enabled,
    } = read_body(&text)?;
    Ok(Wanted {
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
            "`batch` must be a whole number from 1 to {BATCH_MAX}, or null for one decision a call."
        ))
    })
}

/// The shop's webhooks, the oldest first
#[utoipa::path(get, path = "/v1/shops/{shop}/webhooks", tag = "webhooks", operation_id = "list_webhooks",
    responses((status = 200, body = WebhookPage)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let (limit, after) = (call.query.limit()?, call.query.cursor(LIST)?);
    let shop = shop(&call).await?;
    let posts = call.state.webhooks.list(&shop).into_iter();
    // One that was taken away since leaves the place as it is.
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

/// Makes a webhook; its secret is shown this once
///
/// Every decision that is taken from now on goes there, at least once, signed by the Standard Webhooks specification.
#[utoipa::path(post, path = "/v1/shops/{shop}/webhooks", tag = "webhooks", operation_id = "post_webhook",
    request_body = WebhookSchema, responses((status = 200, body = WebhookMade)))]
pub async fn post(call: RequestContext) -> HandlerResult {
    let wanted = wanted(&call).await?;
    let shop = call.shop()?;
    let seq = call.live(|shop| shop.seq()).await?;
    let added = call.state.webhooks.add(&shop, wanted, seq).await;
    let (post, secret) = added.map_err(|why| not_done(&shop, "", why))?;
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
/// What is left out stays; `types` and `batch` may be null. Switched on again, it goes on where it was.
#[utoipa::path(patch, path = "/v1/shops/{shop}/webhooks/{id}", tag = "webhooks", operation_id = "patch_webhook",
    request_body = WebhookChange, responses((status = 200, body = Webhook)))]
pub async fn patch(call: RequestContext) -> HandlerResult {
    let wanted = wanted(&call).await?;
    let (shop, post) = endpoint(&call).await?;
    let changed = call.state.webhooks.change(&shop, &post.id, wanted).await;
    let post = changed.map_err(|why| not_done(&shop, &post.id, why))?;
    json(&shown(&post, None))
}

/// Takes a webhook away
#[utoipa::path(delete, path = "/v1/shops/{shop}/webhooks/{id}", tag = "webhooks", operation_id = "delete_webhook",
    responses((status = 204)))]
pub async fn delete(call: RequestContext) -> HandlerResult {
    let (shop, post) = endpoint(&call).await?;
    let removed = call.state.webhooks.remove(&shop, &post.id).await;
    removed.map_err(|why| not_done(&shop, &post.id, why))?;
    Ok(done())
}

/// Gives a webhook another secret, which is shown this once
///
/// The one before it signs beside it for a day more.
#[utoipa::path(post, path = "/v1/shops/{shop}/webhooks/{id}/rotate", tag = "webhooks", operation_id = "rotate_webhook",
    responses((status = 200, body = WebhookSecret)))]
pub async fn rotate(call: RequestContext) -> HandlerResult {
    #[derive(Serialize)]
    struct Rotated {
        secret: String,
        old_until: Stamp,
    }
    let (shop, post) = endpoint(&call).await?;
    let until = utc(call.state.desk.now() + OVERLAP);
    let secret = call.state.webhooks.rotate(&shop, &post.id).await;
    let secret = secret.map_err(|why| not_done(&shop, &post.id, why))?;
    json(&Rotated {
        secret: secret.text(),
        old_until: until,
    })
}

/// Sends a test to a webhook now, and says what came of it
#[utoipa::path(post, path = "/v1/shops/{shop}/webhooks/{id}/test", tag = "webhooks", operation_id = "test_webhook",
    responses((status = 200, body = Tested)))]
pub async fn test(call: RequestContext) -> HandlerResult {
    #[derive(Serialize)]
    struct TestCall {
        delivered: bool,
        status: Option<u16>,
        took_ms: u64,
        answer: String,
        failure: Option<String>,
    }
    let (shop, post) = endpoint(&call).await?;
    let told = call.state.webhooks.test(&shop, &post.id).await;
    let AttemptResult {
        status,
        took_ms,
        answer,
        failure,
        ..
    } = told.map_err(|why| not_done(&shop, &post.id, why))?;
    json(&TestCall {
        delivered: status.is_some_and(|status| (200..300).contains(&status)),
        status,
        took_ms,
        answer,
        failure,
    })
}
