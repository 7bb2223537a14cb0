//! API keys: listed without secrets, created and revoked. All of it needs an admin key.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::policy_change::run_blocking;
use crate::api::resource_change::read_body;
use crate::domain::base::id::Id;
use crate::domain::read::views::Page;
use crate::http::auth::{Authenticator, KeyChangeError, KeyRing, KeyRow, NewKey, Scope};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{json, no_content, page};

/// The name of this list in its cursors.
const LIST: &str = "keys";

/// The key to create. Only an admin key has no shop.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyBody {
    #[serde(default)]
    shop: Option<String>,
    #[schema(value_type = Scope)]
    scope: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    /// Whether events sent with this key may set `at` themselves.
    own_clock: Option<bool>,
}

/// A key that was created.
#[derive(Serialize, ToSchema)]
struct KeyMade {
    #[serde(flatten)]
    row: KeyRow,
    /// The secret of the key. It is shown only here.
    #[schema(example = "xek_…")]
    key: String,
}

/// Lists all keys without their secrets, the oldest first
#[utoipa::path(get, path = "/v1/keys", tag = "keys", operation_id = "list_keys",
    responses((status = 200, body = Page<KeyRow>)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let (limit, after) = (call.query.limit()?, call.query.cursor(LIST)?);
    let keys = match &call.state.authenticator {
        Authenticator::Insecure => Vec::new(),
        Authenticator::Keys(keys) => keys.list(),
    };
    // The cursor holds the time at which a key was made, so it stays valid if that key is revoked.
    let after = after.as_deref().and_then(|after| after.split_once('.'));
    let after = after.and_then(|(at, id)| Some((at.parse::<i64>().ok()?, id)));
    let mut keys = keys;
    keys.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    keys.retain(|key| after.is_none_or(|after| (key.created.ms(), key.id.as_str()) > after));
    let more = keys.len() > limit;
    keys.truncate(limit);
    let items: Vec<String> = keys
        .iter()
        .map(|key| serde_json::to_string(key).unwrap_or_default())
        .collect();
    let last = keys.last().filter(|_| more);
    let next = last.map(|key| format!("{}.{}", key.created.ms(), key.id));
    Ok(page(
        LIST,
        items.iter().map(String::as_str),
        next.as_deref(),
    ))
}

/// Creates a key; its secret is shown only in this response
///
/// With `own_clock`, events sent with this key may set `at`. A gateway needs that to send events which it recorded
/// while it was disconnected.
#[utoipa::path(post, path = "/v1/keys", tag = "keys", operation_id = "post_key",
    request_body = KeyBody, responses((status = 200, body = KeyMade)))]
pub async fn post(call: RequestContext) -> HandlerResult {
    let text = call.json_text().await?;
    let new = new_key_of(read_body(&text)?, &call)?;
    let made = changing(&call, move |keys| keys.new_key(new)).await?;
    let (row, key) = made;
    json(&KeyMade { row, key })
}

fn new_key_of(body: KeyBody, call: &RequestContext) -> Result<NewKey, Problem> {
    let scope = Scope::named(&body.scope).ok_or_else(|| {
        Problem::malformed("`scope` must be \"events\", \"read\", \"owner\" or \"admin\".")
    })?;
    let shop = body.shop.as_deref().map(|shop| {
        Id::new(shop).ok_or_else(|| {
            Problem::malformed("`shop` must be an id: 1 to 128 bytes without control characters.")
        })
    });
    let shop = shop.transpose()?;
    match (scope, &shop) {
        (Scope::Admin, Some(_)) => Err(Problem::malformed(
            "A key with the scope `admin` is valid for every shop. Omit `shop`.",
        )),
        (Scope::Events | Scope::Read | Scope::Owner, None) => Err(Problem::malformed(
            "`shop` is missing: a key with this scope is for one shop.",
        )),
        (Scope::Admin, None) | (Scope::Events | Scope::Read | Scope::Owner, Some(_)) => {
            let number = shop.as_ref().map(|shop| call.state.shops.number(shop));
            Ok(NewKey {
                number: number.transpose().map_err(Problem::refused)?.flatten(),
                shop,
                scope,
                name: body.name,
                own_clock: body.own_clock.unwrap_or(false),
                at: call.state.shops.now(),
            })
        }
    }
}

/// Revokes a key; it is refused from now on
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "keys", operation_id = "delete_key",
    responses((status = 204)))]
pub async fn delete(call: RequestContext) -> HandlerResult {
    let id = call.id("id")?;
    let of_key = id.clone();
    if changing(&call, move |keys| keys.revoke(&of_key)).await? {
        return Ok(no_content());
    }
    let detail = format!("There is no key {id:?}. `GET /v1/keys` lists the keys.");
    Err(Problem::new(ProblemCode::KeyUnknown, detail))
}

/// Changes keys on a blocking thread, because the change waits for the disk.
async fn changing<T: Send + 'static>(
    call: &RequestContext,
    change: impl FnOnce(&dyn KeyRing) -> Result<T, KeyChangeError> + Send + 'static,
) -> Result<T, Problem> {
    let keys = match &call.state.authenticator {
        Authenticator::Keys(keys) => Arc::clone(keys),
        Authenticator::Insecure => {
            return Err(Problem::new(
                ProblemCode::NoKeys,
                "The server was started with --insecure and uses no keys. Start it without --insecure to use them.",
            ));
        }
    };
    run_blocking(move || change(&*keys))
        .await?
        .map_err(key_change_error)
}

fn key_change_error(error: KeyChangeError) -> Problem {
    match error {
        KeyChangeError::Refused(why) => Problem::malformed(why),
        KeyChangeError::Failed(why) => Problem::new(ProblemCode::Broken, why),
    }
}
