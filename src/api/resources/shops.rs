//! Shops: list, configure, delete and report.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::policies::policy_of;
use crate::api::policy_change::{configure, run_blocking};
use crate::api::resource_change::{read_body, written};
use crate::api::schema::Policy;
use crate::domain::base::id::Id;
use crate::domain::read::report::{self, Report};
use crate::domain::read::views::Page;
use crate::http::auth::{Authenticator, KeyChangeError, KeyRing};
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{json, no_content, page};
use crate::runtime::{Shops, Unavailable};

/// The name of this list in its cursors.
const LIST: &str = "shops";

/// The configuration of a shop.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShopBody<'a> {
    #[serde(borrow)]
    #[schema(value_type = Policy)]
    policy: &'a RawValue,
}

/// A shop and its merged policy.
#[derive(Serialize, ToSchema)]
struct ShopAnswer {
    shop: Id,
    #[schema(value_type = Policy)]
    policy: Box<RawValue>,
}

/// A shop in the list.
#[derive(Serialize, ToSchema)]
#[schema(as = ShopRow)]
pub struct ShopItem {
    shop: Id,
}

/// Lists the shops, by id
#[utoipa::path(get, path = "/v1/shops", tag = "shops", operation_id = "list_shops",
    responses((status = 200, body = Page<ShopItem>)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let limit = call.query.limit()?;
    let after = call.query.cursor(LIST)?;
    let after = after.as_deref().and_then(Id::new);
    let found = call.state.shops.shops(after, limit).await;
    let found = found.map_err(Problem::refused)?;
    let rows = found.items.iter();
    let items: Vec<String> = rows
        .map(|row| {
            let shop = row.shop.clone();
            serde_json::to_string(&ShopItem { shop }).unwrap_or_default()
        })
        .collect();
    let last = found.items.last().filter(|_| found.more);
    let next = last.map(|row| row.shop.as_str());
    Ok(page(LIST, items.iter().map(String::as_str), next))
}

/// Creates a shop, or replaces its policy
///
/// Recorded as `shop.configured`.
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

/// Deletes a shop with all its data and keys
///
/// A shop that is created later with the same id is a new shop: its `seq` starts at 1, and the old keys do not open it.
/// If the keys could not be revoked, repeat the request. It then answers 204 if keys were left to revoke, and 404 if
/// there was nothing to delete.
#[utoipa::path(delete, path = "/v1/shops/{shop}", tag = "shops", operation_id = "delete_shop",
    responses((status = 204)))]
pub async fn delete(call: RequestContext) -> HandlerResult {
    let (shop, shops) = (call.shop()?, call.state.shops.clone());
    let keys = match &call.state.authenticator {
        Authenticator::Insecure => {
            let existed = shops.delete(&shop).await.map_err(Problem::refused)?;
            return if existed {
                Ok(no_content())
            } else {
                Err(Problem::shop_unknown(&shop))
            };
        }
        Authenticator::Keys(keys) => Arc::clone(keys),
    };
    // The deletion continues if the client disconnects.
    let deleting =
        actix_web::rt::spawn(async move { delete_with_keys(&shops, &keys, &shop).await });
    match deleting.await {
        Ok(answer) => answer,
        Err(_) => Err(Problem::refused(Unavailable::Broken)),
    }
}

/// Keys of the shop are blocked before the deletion starts and until they are revoked. So no old key can open a new
/// shop of the same id.
async fn delete_with_keys(shops: &Shops, keys: &Arc<dyn KeyRing>, shop: &Id) -> HandlerResult {
    let of_shop = shop.clone();
    with_keys(keys, move |keys| keys.block_shop(&of_shop)).await?;
    let deleted = shops.delete(shop).await;
    let current = shops.number(shop);
    let (gone, of_shop) = (deleted.is_ok(), shop.clone());
    let revoked = with_keys(keys, move |keys| {
        let revoked = match current {
            Ok(current) if gone => Some(keys.revoke_shop(&of_shop, current)),
            Ok(_) | Err(_) => None,
        };
        keys.unblock_shop(&of_shop);
        revoked
    });
    let revoked = revoked.await?;
    let existed = deleted.map_err(Problem::refused)?;
    match revoked {
        Some(Ok(0)) | None if !existed => Err(Problem::shop_unknown(shop)),
        Some(Ok(_)) => Ok(no_content()),
        None => Err(keys_are_left("the journal could not be read")),
        Some(Err(KeyChangeError::Refused(why) | KeyChangeError::Failed(why))) => {
            Err(keys_are_left(&why))
        }
    }
}

fn keys_are_left(why: &str) -> Problem {
    tracing::error!(
        why,
        "the keys of a shop that was taken away could not be removed"
    );
    let detail = "The shop is deleted and its keys are refused, but they could not be removed from the key file. \
                  The server's log says why. Send the same request again.";
    Problem::new(ProblemCode::Broken, detail)
}

/// Changes keys on a blocking thread, because the change waits for the disk.
async fn with_keys<T: Send + 'static>(
    keys: &Arc<dyn KeyRing>,
    change: impl FnOnce(&dyn KeyRing) -> T + Send + 'static,
) -> Result<T, Problem> {
    let keys = Arc::clone(keys);
    run_blocking(move || change(&*keys)).await
}

/// The shop's report: sessions, waits, days, weeks, months, agents and invitations
///
/// `from` and `to` are natural days such as `2026-11-11`, both included. Days, weeks and months that lie wholly outside
/// are left out. Totals are of all time.
#[utoipa::path(get, path = "/v1/shops/{shop}/report", tag = "shops", operation_id = "get_report",
    responses((status = 200, body = BTreeMap<String, Report>)))]
pub async fn report(call: RequestContext) -> Result<HttpResponse, Problem> {
    let range = call.query.day_range()?;
    let report = call.live(move |shop| {
        BTreeMap::from([(shop.id().to_string(), report::report_of(shop, range))])
    });
    json(&report.await?)
}
