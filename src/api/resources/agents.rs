//! The agents of a shop: list, configure, remove, and set presence.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::resource_change::{accepted, change, read_body, written};
use crate::api::schema::{AgentBody, DecisionSchema};
use crate::api::views::{self, Listed};
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, OffsetTimestamp};
use crate::domain::protocol::codes::{Presence, PresenceReason};
use crate::domain::protocol::event::{EventBody, EventType};
use crate::domain::read::views::{AgentView, Page};
use crate::http::problem::Problem;
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{json, no_content, page, text_json};
use crate::runtime::PresenceRequest;
use crate::wire::read_event_body;

/// The name of this list in its cursors.
const LIST: &str = "agents";

/// The allowed durations of a presence lease.
const LEASES: RangeInclusive<Duration> = Duration::from_ms(1_000)..=Duration::days(1);

/// The new presence of an agent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PresenceBody {
    #[schema(value_type = Presence)]
    presence: String,
    /// How long the presence holds unless it is renewed, from 1s to 24h. Not allowed with `offline`.
    #[serde(default)]
    #[schema(example = "30s")]
    lease: Option<String>,
    /// True if the agent itself says that it is back after the shop set it away. Only with `online`.
    #[serde(default)]
    back: Option<bool>,
}

/// Lists the shop's agents, by id
#[utoipa::path(get, path = "/v1/shops/{shop}/agents", tag = "agents", operation_id = "list_agents",
    responses((status = 200, body = Page<AgentView>)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let (limit, after) = (call.query.limit()?, call.query.cursor(LIST)?);
    let listed = call
        .live(move |shop| views::agents(shop, after.as_deref(), limit))
        .await?;
    Ok(listed.page(LIST))
}

/// One agent
#[utoipa::path(get, path = "/v1/shops/{shop}/agents/{agent}", tag = "agents", operation_id = "get_agent",
    responses((status = 200, body = AgentView)))]
pub async fn get(call: RequestContext) -> HandlerResult {
    let agent = call.id("agent")?;
    let wanted = agent.clone();
    let found = call.live(move |shop| views::agent(shop, &wanted)).await?;
    found
        .map(text_json)
        .ok_or_else(|| Problem::agent_unknown(&agent))
}

/// Adds or replaces an agent
///
/// Omitted fields get their defaults. Presence and open sessions are kept. Recorded as `agent.configured`.
#[utoipa::path(put, path = "/v1/shops/{shop}/agents/{agent}", tag = "agents", operation_id = "put_agent",
    request_body = AgentBody, responses((status = 200, body = AgentView)))]
pub async fn put(call: RequestContext) -> HandlerResult {
    let (text, agent) = (call.json_text().await?, call.id("agent")?);
    let event = read_event_body(EventType::AgentConfigured, &[("agent", &agent)], &text);
    change(&call, event.map_err(Problem::malformed)?).await?;
    get(call).await
}

/// Removes an agent from the shop
///
/// The policy decides what happens to the agent's open sessions. Recorded as `agent.removed`.
#[utoipa::path(delete, path = "/v1/shops/{shop}/agents/{agent}", tag = "agents", operation_id = "delete_agent",
    responses((status = 204)))]
pub async fn delete(call: RequestContext) -> HandlerResult {
    let agent = call.id("agent")?;
    change(&call, EventBody::AgentRemoved { agent }).await?;
    Ok(no_content())
}

/// Sets an agent's presence
///
/// Recorded as `agent.online`, `agent.away` or `agent.offline`. Returns the decisions that the shop took. With a
/// `lease`, the presence must be renewed within that time. If it is not, the agent goes offline after the lease and
/// then `presence.grace` have passed. Repeating the current presence renews the lease and records nothing. A request
/// without a `lease` ends the agent's current lease.
///
/// If the shop set the agent away because it did not answer, renewing a lease as `online` does not bring it back. The
/// response then has `held`. `"back": true` brings the agent back, and so does an `agent.online` event.
#[utoipa::path(put, path = "/v1/shops/{shop}/agents/{agent}/presence", tag = "agents", operation_id = "put_presence",
    request_body = PresenceBody, responses((status = 200, body = PresenceAnswer)))]
pub async fn put_presence(call: RequestContext) -> HandlerResult {
    let text = call.json_text().await?;
    let body: PresenceBody = read_body(&text)?;
    let (presence, lease) = (body.presence()?, body.lease()?);
    if presence == Presence::Offline && lease.is_some() {
        return Err(Problem::malformed(
            "`lease` says how long an agent is here, so it does not go with \"offline\": leave it out.",
        ));
    }
    let back = body.back.unwrap_or(false);
    if back && presence != Presence::Online {
        return Err(Problem::malformed(
            "`back` says that an agent is at the desk again, so it goes only with \"online\": leave it out.",
        ));
    }
    let (shop, agent) = (call.shop()?, call.id("agent")?);
    let shops = &call.state.shops;
    let request = PresenceRequest {
        presence,
        lease,
        back,
    };
    let presented = shops.set_presence(&shop, &agent, request).await;
    let presented = presented.map_err(Problem::refused)?;
    let answered = accepted(&shop, presented.answered)?;
    json(&PresenceAnswer {
        agent,
        presence: match presented.held {
            Some(PresenceReason::NoAnswer) => Presence::Away,
            None => presence,
        },
        held: presented.held,
        decisions: written(answered.decisions.to_string()),
        lease: presented
            .lease
            .as_ref()
            .map(|lease| lease.length.to_string()),
        until: presented.lease.map(|lease| lease.until),
    })
}

/// The agent's presence and the decisions that the shop took.
#[derive(Serialize, ToSchema)]
struct PresenceAnswer {
    agent: Id,
    presence: Presence,
    /// Why the shop keeps the agent away. Only its lease was renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    held: Option<PresenceReason>,
    #[schema(value_type = Vec<DecisionSchema>)]
    decisions: Box<RawValue>,
    /// The duration of the lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lease: Option<String>,
    /// When the lease ends unless it is renewed. `presence.grace` starts then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    until: Option<OffsetTimestamp>,
}

impl PresenceBody {
    fn presence(&self) -> Result<Presence, Problem> {
        Presence::named(&self.presence).ok_or_else(|| {
            Problem::malformed("`presence` must be \"online\", \"away\" or \"offline\".")
        })
    }

    fn lease(&self) -> Result<Option<Duration>, Problem> {
        let Some(text) = &self.lease else {
            return Ok(None);
        };
        let length = Duration::parse(text).filter(|length| LEASES.contains(length));
        match length {
            Some(length) => Ok(Some(length)),
            None => Err(Problem::malformed(format!(
                "`lease` must be a duration such as \"30s\", from {} to {}.",
                LEASES.start(),
                LEASES.end()
            ))),
        }
    }
}

impl Listed {
    /// The page as a response.
    pub fn page(&self, list: &str) -> actix_web::HttpResponse {
        page(
            list,
            self.items.iter().map(String::as_str),
            self.next.as_deref(),
        )
    }
}
