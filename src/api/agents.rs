//! Agents of a shop: listed with presence, load and today's count, configured, removed, and where they are.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{done, page, text_json};
use super::call::{Answer, Call};
use super::change::{change, quoted, read_body};
use super::live::{self, Listed};
use super::openapi::{
    Agent, AgentBody as AgentSchema, AgentPage, PresenceAnswer, PresenceBody as PresenceSchema,
};
use super::problem::Problem;
use crate::domain::agent::Presence;

/// The list's name in its cursors.
const LIST: &str = "agents";

/// Where an agent can be.
const PRESENCES: [Presence; 3] = [Presence::Online, Presence::Away, Presence::Offline];

/// What `PUT` of an agent takes: the fields of `agent.configured`, as they were sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentBody<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    roles: Option<&'a RawValue>,
    #[serde(borrow, default)]
    capacity: Option<&'a RawValue>,
    #[serde(borrow, default)]
    weight: Option<&'a RawValue>,
}

/// What `PUT` of a presence takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresenceBody {
    presence: String,
}

/// The shop's agents, by id
#[utoipa::path(get, path = "/v1/shops/{shop}/agents", tag = "agents", operation_id = "list_agents",
    responses((status = 200, body = AgentPage)))]
pub async fn list(call: Call) -> Answer {
    let (limit, after) = (call.query.limit()?, call.query.cursor(LIST)?);
    let listed = call
        .live(move |shop| live::agents(shop, after.as_deref(), limit))
        .await?;
    Ok(listed.page(LIST))
}

/// One agent
#[utoipa::path(get, path = "/v1/shops/{shop}/agents/{agent}", tag = "agents", operation_id = "get_agent",
    responses((status = 200, body = Agent)))]
pub async fn get(call: Call) -> Answer {
    let agent = call.id("agent")?;
    let wanted = agent.clone();
    let found = call.live(move |shop| live::agent(shop, &wanted)).await?;
    found
        .map(text_json)
        .ok_or_else(|| Problem::agent_unknown(&agent))
}

/// Adds or replaces an agent
///
/// What is left out takes its default again; presence and sessions stay. Stands for `agent.configured`.
#[utoipa::path(put, path = "/v1/shops/{shop}/agents/{agent}", tag = "agents", operation_id = "put_agent",
    request_body = AgentSchema, responses((status = 200, body = Agent)))]
pub async fn put(call: Call) -> Answer {
    let text = call.json_text().await?;
    let body: AgentBody<'_> = read_body(&text)?;
    let mut event = format!(
        "{{\"type\":\"agent.configured\",\"agent\":{}",
        quoted(&call.id("agent")?)
    );
    for (name, value) in [
        ("name", body.name),
        ("roles", body.roles),
        ("capacity", body.capacity),
        ("weight", body.weight),
    ] {
        if let Some(value) = value {
            event.push_str(&format!(",\"{name}\":{}", value.get()));
        }
    }
    event.push('}');
    change(&call, event).await?;
    get(call).await
}

/// Takes an agent off the shop
///
/// What it was serving is treated as the policy says. Stands for `agent.removed`.
#[utoipa::path(delete, path = "/v1/shops/{shop}/agents/{agent}", tag = "agents", operation_id = "delete_agent",
    responses((status = 204)))]
pub async fn delete(call: Call) -> Answer {
    let agent = quoted(&call.id("agent")?);
    change(
        &call,
        format!("{{\"type\":\"agent.removed\",\"agent\":{agent}}}"),
    )
    .await?;
    Ok(done())
}

/// Says where an agent is
///
/// Stands for `agent.online`, `agent.away` or `agent.offline`; answers what the shop then decided.
#[utoipa::path(put, path = "/v1/shops/{shop}/agents/{agent}/presence", tag = "agents", operation_id = "put_presence",
    request_body = PresenceSchema, responses((status = 200, body = PresenceAnswer)))]
pub async fn put_presence(call: Call) -> Answer {
    let text = call.json_text().await?;
    let body: PresenceBody = read_body(&text)?;
    let presence = PRESENCES.iter().find(|known| known.code() == body.presence);
    let presence = presence.ok_or_else(|| {
        Problem::malformed("`presence` must be \"online\", \"away\" or \"offline\".")
    })?;
    let (agent, code) = (quoted(&call.id("agent")?), presence.code());
    let event = format!("{{\"type\":\"agent.{code}\",\"agent\":{agent}}}");
    let answered = change(&call, event).await?;
    Ok(text_json(format!(
        "{{\"agent\":{agent},\"presence\":\"{code}\",\"decisions\":{}}}",
        answered.decisions
    )))
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
