//! Agents of a shop: listed with presence, load and today's count, configured, removed, and where they are.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::api::commands::{accepted, change, read_body, written};
use crate::api::schema::{AgentBody, Decision};
use crate::api::views::{self, Listed};
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Stamp};
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::event::{EventBody, EventType};
use crate::domain::read::views::{AgentView, Page};
use crate::http::problem::Problem;
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{done, json, page, text_json};
use crate::wire::read_event_body;

/// The list's name in its cursors.
const LIST: &str = "agents";

/// How long a lease can be.
const LEASES: RangeInclusive<Duration> = Duration::from_ms(1_000)..=Duration::days(1);

/// Where an agent is from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PresenceBody {
    #[schema(value_type = Presence)]
    presence: String,
    /// For how long, unless it is renewed: 1s to 24h. Not with `offline`.
    #[serde(default)]
    #[schema(example = "30s")]
    lease: Option<String>,
}

/// The shop's agents, by id
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
/// What is left out takes its default again; presence and sessions stay. Stands for `agent.configured`.
#[utoipa::path(put, path = "/v1/shops/{shop}/agents/{agent}", tag = "agents", operation_id = "put_agent",
    request_body = AgentBody, responses((status = 200, body = AgentView)))]
pub async fn put(call: RequestContext) -> HandlerResult {
    let (text, agent) = (call.json_text().await?, call.id("agent")?);
    let event = read_event_body(EventType::AgentConfigured, &[("agent", &agent)], &text);
    change(&call, event.map_err(Problem::malformed)?).await?;
    get(call).await
}

/// Takes an agent off the shop
///
/// What it was serving is treated as the policy says. Stands for `agent.removed`.
#[utoipa::path(delete, path = "/v1/shops/{shop}/agents/{agent}", tag = "agents", operation_id = "delete_agent",
    responses((status = 204)))]
pub async fn delete(call: RequestContext) -> HandlerResult {
    let agent = call.id("agent")?;
    change(&call, EventBody::AgentRemoved { agent }).await?;
    Ok(done())
}

/// Says where an agent is
///
/// Stands for `agent.online`, `agent.away` or `agent.offline`; answers what the shop then decided. With a `lease` it
/// holds for that long, unless it is said again: then, and after `presence.grace`, the agent is taken offline. Saying
/// again what is so already writes nothing. Without a `lease`, one that the agent has is over.
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
    let (shop, agent) = (call.shop()?, call.id("agent")?);
    let desk = &call.state.desk;
    let presented = desk.present(&shop, &agent, presence, lease).await;
    let presented = presented.map_err(Problem::refused)?;
    let answered = accepted(&shop, presented.answered)?;
    json(&PresenceAnswer {
        agent,
        presence,
        decisions: written(answered.decisions.to_string()),
        lease: presented
            .lease
            .as_ref()
            .map(|lease| lease.length.to_string()),
        until: presented.lease.map(|lease| lease.until),
    })
}

/// Where an agent is, and what the shop decided for it.
#[derive(Serialize, ToSchema)]
struct PresenceAnswer {
    agent: Id,
    presence: Presence,
    #[schema(value_type = Vec<Decision>)]
    decisions: Box<RawValue>,
    /// How long its lease is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lease: Option<String>,
    /// When the lease runs out, unless it is renewed; the grace period begins then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    until: Option<Stamp>,
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
    /// As an answer.
    pub fn page(&self, list: &str) -> actix_web::HttpResponse {
        page(
            list,
            self.items.iter().map(String::as_str),
            self.next.as_deref(),
        )
    }
}
