//! Shops: listed, set up, taken away, and how one stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{done, json, page, text_json};
use super::auth::{Keeper, NotChanged};
use super::call::{Answer, Call};
use super::change::{change, quoted, read_body};
use super::openapi::{ReportOfShops, ShopAnswer, ShopBody as ShopSchema, ShopPage};
use super::policies::policy_of;
use super::problem::{Code, Problem};
use crate::domain::id::Id;

/// The list's name in its cursors.
const LIST: &str = "shops";

/// What `PUT` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShopBody<'a> {
    #[serde(borrow)]
    policy: &'a RawValue,
}

/// The shops, by id
#[utoipa::path(get, path = "/v1/shops", tag = "shops", operation_id = "list_shops",
    responses((status = 200, body = ShopPage)))]
pub async fn list(call: Call) -> Answer {
    let limit = call.query.limit()?;
    let after = call.query.cursor(LIST)?;
    let after = after.as_deref().and_then(Id::new);
    let found = call.state.desk.shops(after, limit).await;
    let found = found.map_err(Problem::refused)?;
    let rows = found.items.iter();
    let items: Vec<String> = rows
        .map(|row| format!("{{\"shop\":{}}}", quoted(&row.shop)))
        .collect();
    let last = found.items.last().filter(|_| found.more);
    let next = last.map(|row| row.shop.as_str());
    Ok(page(LIST, items.iter().map(String::as_str), next))
}

/// Sets a shop up, or sets its whole policy
///
/// Stands for `shop.configured`.
#[utoipa::path(put, path = "/v1/shops/{shop}", tag = "shops", operation_id = "put_shop",
    request_body = ShopSchema, responses((status = 200, body = ShopAnswer)))]
pub async fn put(call: Call) -> Answer {
    let text = call.json_text().await?;
    let body: ShopBody<'_> = read_body(&text)?;
    let event = format!(
        "{{\"type\":\"shop.configured\",\"policy\":{}}}",
        body.policy.get()
    );
    change(&call, event).await?;
    let shop = quoted(&call.shop()?);
    let policy = policy_of(&call).await?;
    Ok(text_json(format!(
        "{{\"shop\":{shop},\"policy\":{policy}}}"
    )))
}

/// Takes a shop away, with all it holds and its keys
///
/// Configured again it is a new shop, whose `seq` starts at 1.
#[utoipa::path(delete, path = "/v1/shops/{shop}", tag = "shops", operation_id = "delete_shop",
    responses((status = 204)))]
pub async fn delete(call: Call) -> Answer {
    let shop = call.shop()?;
    if !call
        .state
        .desk
        .delete(&shop)
        .await
        .map_err(Problem::refused)?
    {
        return Err(Problem::shop_unknown(&shop));
    }
    match &call.state.keeper {
        Keeper::Insecure => Ok(done()),
        Keeper::Keys(keys) => {
            let (keys, of_shop) = (Arc::clone(keys), shop.clone());
            let revoked = actix_web::web::block(move || keys.revoke_of_shop(&of_shop)).await;
            let why = match revoked {
                Ok(Ok(())) => return Ok(done()),
                Ok(Err(NotChanged::Refused(why) | NotChanged::Failed(why))) => why,
                Err(_) => "the server is shutting down.".to_owned(),
            };
            let detail = format!(
                "The shop is gone, but its keys could not be taken back: {why} Then take them back one by one \
                 with `DELETE /v1/keys/{{id}}`."
            );
            Err(Problem::new(Code::Broken, detail))
        }
    }
}

/// How the shop stands: sessions, waits, days, weeks, months, agents, invites
#[utoipa::path(get, path = "/v1/shops/{shop}/report", tag = "shops", operation_id = "get_report",
    responses((status = 200, body = ReportOfShops)))]
pub async fn report(call: Call) -> Result<HttpResponse, Problem> {
    let report = call.live(|shop| BTreeMap::from([(shop.id().to_string(), shop.report())]));
    json(&report.await?)
}
