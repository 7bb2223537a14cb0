//! The policy of a shop: read after merging with its preset, replaced, or checked.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::policy_change::{configure, run_blocking, would_be_taken};
use crate::api::resource_change::read_body;
use crate::api::schema::{Ok as CheckedOk, Policy as PolicySchema};
use crate::http::problem::Problem;
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::text_json;

/// The merged policy of the path's shop, as JSON.
pub async fn policy_of(call: &RequestContext) -> Result<String, Problem> {
    let policy = call.live(|shop| shop.policy_shared()).await?;
    // A large policy takes too long to serialize on the shop's thread.
    run_blocking(move || serde_json::to_string(&*policy).unwrap_or_default()).await
}

/// The body of `PUT /v1/shops/{shop}`: a policy under the key `policy`, which is not a policy key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyWithPreset<'a> {
    #[serde(borrow)]
    policy: &'a RawValue,
}

/// Extracts the policy from a body: the whole body, or its `policy` field.
fn policy_in(text: &str) -> Result<&RawValue, Problem> {
    match serde_json::from_str::<PolicyWithPreset<'_>>(text) {
        Ok(named) => Ok(named.policy),
        Err(_) => read_body(text),
    }
}

/// The shop's complete policy, merged with its preset
#[utoipa::path(get, path = "/v1/shops/{shop}/policy", tag = "policy", operation_id = "get_policy",
    responses((status = 200, body = PolicySchema)))]
pub async fn get(call: RequestContext) -> HandlerResult {
    Ok(text_json(policy_of(&call).await?))
}

/// Replaces the shop's policy
///
/// Omitted keys come from the preset. An omitted `buyer_space` keeps its value; only an admin key can change it.
/// Recorded as `shop.configured`. Returns the merged policy.
#[utoipa::path(put, path = "/v1/shops/{shop}/policy", tag = "policy", operation_id = "put_policy",
    request_body = PolicySchema, responses((status = 200, body = PolicySchema)))]
pub async fn put(call: RequestContext) -> HandlerResult {
    let text = call.json_text().await?;
    // Checks that the shop exists. Otherwise an owner key would create it.
    call.live(|_| ()).await?;
    configure(&call, move || read_body(policy_in(&text)?.get())).await?;
    get(call).await
}

/// Checks a policy without applying it
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
            // If there are other keys beside `policy`, the whole body is the policy, and `policy` is reported as an
            // unknown key.
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
