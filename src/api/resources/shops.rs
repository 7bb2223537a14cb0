//! Shops: listed, set up, taken away, and how one stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::policies::policy_of;
use crate::api::commands::{read_body, written};
use crate::api::policy_change::{aside, configure};
use crate::api::schema::Policy;
use crate::domain::base::id::Id;
use crate::domain::read::report::Report;
use crate::domain::read::views::Page;
use crate::http::auth::{Authenticator, KeyRing, NotChanged};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{done, json, page};
use crate::runtime::{Shops, Unavailable};

/// The list's name in its cursors.
const LIST: &str = "shops";

/// What a shop is set up with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShopBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = Policy)]
    policy: &'a RawValue,
}

/// A shop as it is set up.
#[derive(Serialize, ToSchema)]
struct ShopAnswer {
    shop: Id,
    #[schema(value_type = Policy)]
    policy: Box<RawValue>,
}

/// A shop in the list.
#[derive(Serialize, ToSchema)]
pub struct ShopRow {
    shop: Id,
}

/// The shops, by id
#[utoipa::path(get, path = "/v1/shops", tag = "shops", operation_id = "list_shops",
    responses((status = 200, body = Page<ShopRow>)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let limit = call.query.limit()?;
    let after = call.query.cursor(LIST)?;
    let after = after.as_deref().and_then(Id::new);
    let found = call.state.desk.shops(after, limit).await;
    let found = found.map_err(Problem::refused)?;
    let rows = found.items.iter();
    let items: Vec<String> = rows
        .map(|row| {
            let shop = row.shop.clone();
            serde_json::to_string(&ShopRow { shop }).unwrap_or_default()
        })
        .collect();
    let last = found.items.last().filter(|_| found.more);
    let next = last.map(|row| row.shop.as_str());
    Ok(page(LIST, items.iter().map(String::as_str), next))
}

/// Sets a shop up, or sets its whole policy
///
/// Stands for `shop.configured`.
#[utoipa::path(put, path = "/v1/shops/{shop}", tag = "shops", operation_id = "put_shop",
    request_body = ShopBody, responses((status = 200, body = ShopAnswer)))]
pub async fn put(call: RequestContext) -> HandlerResult {
    let text = call.json_text().await?;
    let policy = move || {
        let body: ShopBody<'_> = read_body(&text)?;
        read_body(body.policy.get())
    };
    configure(&call, policy).await?;
    let shop = call.shop()?;
    let policy = written(policy_of(&call).await?);
    json(&ShopAnswer { shop, policy })
}

/// Takes a shop away, with all it holds and its keys
///
/// Configured again it is a new shop, whose `seq` starts at 1, and which no key of the old one opens. Where the keys could
/// not be taken back, the same request again does it: 204 where some were left, 404 where there was nothing.
#[utoipa::path(delete, path = "/v1/shops/{shop}", tag = "shops", operation_id = "delete_shop",
    responses((status = 204)))]
pub async fn delete(call: RequestContext) -> HandlerResult {
    let (shop, desk) = (call.shop()?, call.state.desk.clone());
    let keys = match &call.state.keeper {
        Authenticator::Insecure => {
            let existed = desk.delete(&shop).await.map_err(Problem::refused)?;
            return if existed {
                Ok(done())
            } else {
                Err(Problem::shop_unknown(&shop))
            };
        }
        Authenticator::Keys(keys) => Arc::clone(keys),
    };
    // It comes to its end, whether somebody still waits for the answer or not.
    let deleting = actix_web::rt::spawn(async move { delete_with_keys(&desk, &keys, &shop).await });
    match deleting.await {
        Ok(answer) => answer,
        Err(_) => Err(Problem::refused(Unavailable::Broken)),
    }
}

/// From before the shop goes until its keys are taken back none of them is good, so that none opens the next of its name.
async fn delete_with_keys(desk: &Shops, keys: &Arc<dyn KeyRing>, shop: &Id) -> HandlerResult {
    let of_shop = shop.clone();
    with_keys(keys, move |keys| keys.shut_of_shop(&of_shop)).await?;
    let deleted = desk.delete(shop).await;
    let current = desk.number(shop);
    let (gone, of_shop) = (deleted.is_ok(), shop.clone());
    let revoked = with_keys(keys, move |keys| {
        let revoked = match current {
            Ok(current) if gone => Some(keys.revoke_of_shop(&of_shop, current)),
            Ok(_) | Err(_) => None,
        };
        keys.open_of_shop(&of_shop);
        revoked
    });
    let revoked = revoked.await?;
    let existed = deleted.map_err(Problem::refused)?;
    match revoked {
        Some(Ok(0)) | None if !existed => Err(Problem::shop_unknown(shop)),
        Some(Ok(_)) => Ok(done()),
        None => Err(keys_are_left("the journal could not be read")),
        Some(Err(NotChanged::Refused(why) | NotChanged::Failed(why))) => Err(keys_are_left(&why)),
    }
}

fn keys_are_left(why: &str) -> Problem {
    tracing::error!(
        why,
        "the keys of a shop that was taken away could not be removed"
    );
    let detail = "The shop is gone and its keys open nothing, but they could not be removed from the file of keys; \
                  the server's log says why. Send the same request again.";
    Problem::new(ProblemCode::Broken, detail)
}

/// Changes keys where waiting for the disk keeps nobody up.
async fn with_keys<T: Send + 'static>(
    keys: &Arc<dyn KeyRing>,
    change: impl FnOnce(&dyn KeyRing) -> T + Send + 'static,
) -> Result<T, Problem> {
    let keys = Arc::clone(keys);
    aside(move || change(&*keys)).await
}

/// How the shop stands: sessions, waits, days, weeks, months, agents, invites
#[utoipa::path(get, path = "/v1/shops/{shop}/report", tag = "shops", operation_id = "get_report",
    responses((status = 200, body = BTreeMap<String, Report>)))]
pub async fn report(call: RequestContext) -> Result<HttpResponse, Problem> {
    let report = call.live(|shop| BTreeMap::from([(shop.id().to_string(), shop.report())]));
    json(&report.await?)
}
