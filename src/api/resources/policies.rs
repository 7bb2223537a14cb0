//! The policy of a shop: read as it is merged, set as a whole, or only checked.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::commands::read_body;
use crate::api::policy_change::{aside, configure, would_be_taken};
use crate::api::schema::{Ok as CheckedOk, Policy as PolicySchema};
use crate::http::problem::Problem;
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::text_json;

/// The merged policy of the path's shop, as JSON.
pub async fn policy_of(call: &RequestContext) -> Result<String, Problem> {
    let policy = call.live(|shop| shop.policy_shared()).await?;
    // A large one takes longer to write than its shop's thread has for it.
    aside(move || serde_json::to_string(&*policy).unwrap_or_default()).await
}

/// What `PUT /v1/shops/{shop}` takes: a policy under its name, which is no key of a policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyWithPreset<'a> {
    #[serde(borrow)]
    policy: &'a RawValue,
}

/// The policy in a body: by itself, or under its name.
fn policy_in(text: &str) -> Result<&RawValue, Problem> {
    match serde_json::from_str::<PolicyWithPreset<'_>>(text) {
        Ok(named) => Ok(named.policy),
        Err(_) => read_body(text),
    }
}

/// The shop's policy, whole and merged
#[utoipa::path(get, path = "/v1/shops/{shop}/policy", tag = "policy", operation_id = "get_policy",
    responses((status = 200, body = PolicySchema)))]
pub async fn get(call: RequestContext) -> HandlerResult {
    Ok(text_json(policy_of(&call).await?))
}

/// Sets the shop's whole policy
///
/// What is left out comes from the preset, but for `buyer_space`, which stays as it is unless an admin's key names another.
/// Stands for `shop.configured`; answers the merged policy.
#[utoipa::path(put, path = "/v1/shops/{shop}/policy", tag = "policy", operation_id = "put_policy",
    request_body = PolicySchema, responses((status = 200, body = PolicySchema)))]
pub async fn put(call: RequestContext) -> HandlerResult {
    let text = call.json_text().await?;
    // The shop is there, or an owner would make it.
    call.live(|_| ()).await?;
    configure(&call, move || read_body(policy_in(&text)?.get())).await?;
    get(call).await
}

/// Says whether a policy would be taken, and changes nothing
#[utoipa::path(post, path = "/v1/shops/{shop}/policy/check", tag = "policy", operation_id = "check_policy",
    request_body = PolicySchema, responses((status = 200, body = CheckedOk)))]
pub async fn check(call: RequestContext) -> HandlerResult {
    let text = call.json_text().await?;
    would_be_taken(&call, move || read_body(policy_in(&text)?.get())).await?;
    Ok(text_json("{\"ok\":true}".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_stands_by_itself_or_under_its_name() {
        for (text, policy) in [
            ("{\"preset\":\"douyin\"}", Some("{\"preset\":\"douyin\"}")),
            (
                " {\"policy\": {\"preset\":\"douyin\"}} ",
                Some("{\"preset\":\"douyin\"}"),
            ),
            // Another key beside it: then it is a policy with an unknown key, and told so.
            (
                "{\"policy\":{},\"preset\":\"douyin\"}",
                Some("{\"policy\":{},\"preset\":\"douyin\"}"),
            ),
            ("{}", Some("{}")),
            ("{", None),
        ] {
            let found = policy_in(text).ok().map(RawValue::get);
            assert_eq!(found, policy, "{text}");
        }
    }
}
