//! The policy of a shop: read as it is merged, set as a whole, or only checked.

use serde_json::value::RawValue;

use super::answer::text_json;
use super::call::{Answer, Call};
use super::change::{change, read_body};
use super::openapi::{Ok as CheckedOk, Policy as PolicySchema};
use super::problem::{Code, Problem};
use crate::domain::decision::ErrorCode;
use crate::domain::policy::Policy;

/// The merged policy of the path's shop, as JSON.
pub async fn policy_of(call: &Call) -> Result<String, Problem> {
    let written = call.live(|shop| serde_json::to_string(shop.policy()).unwrap_or_default());
    written.await
}

/// The shop's policy, whole and merged
#[utoipa::path(get, path = "/v1/shops/{shop}/policy", tag = "policy", operation_id = "get_policy",
    responses((status = 200, body = PolicySchema)))]
pub async fn get(call: Call) -> Answer {
    Ok(text_json(policy_of(&call).await?))
}

/// Sets the shop's whole policy
///
/// What is left out comes from the preset. Stands for `shop.configured`; answers the merged policy.
#[utoipa::path(put, path = "/v1/shops/{shop}/policy", tag = "policy", operation_id = "put_policy",
    request_body = PolicySchema, responses((status = 200, body = PolicySchema)))]
pub async fn put(call: Call) -> Answer {
    let text = call.json_text().await?;
    let policy: &RawValue = read_body(&text)?;
    // The shop is there, or an owner would make it.
    call.live(|_| ()).await?;
    let event = format!(
        "{{\"type\":\"shop.configured\",\"policy\":{}}}",
        policy.get()
    );
    change(&call, event).await?;
    get(call).await
}

/// Says whether a policy would be taken, and changes nothing
#[utoipa::path(post, path = "/v1/shops/{shop}/policy/check", tag = "policy", operation_id = "check_policy",
    request_body = PolicySchema, responses((status = 200, body = CheckedOk)))]
pub async fn check(call: Call) -> Answer {
    let text = call.json_text().await?;
    let policy: serde_json::Value = read_body(&text)?;
    call.live(|_| ()).await?;
    if !policy.is_object() {
        return Err(Problem::malformed(
            "The body must be a policy: an object of its keys, `{}` for the standard preset.",
        ));
    }
    match Policy::parse(&policy) {
        Ok(_) => Ok(text_json("{\"ok\":true}".to_owned())),
        Err(error) => Err(Problem::new(
            Code::Rejected(ErrorCode::PolicyInvalid),
            error.to_string(),
        )),
    }
}
