//! Agents of a shop: listed with presence, load and today's count, configured, removed, and where they are.

use std::ops::RangeInclusive;

use serde::Deserialize;

use crate::api::commands::{accepted, change, quoted, read_body};
use crate::api::schema::{
    Agent, AgentBody as AgentSchema, AgentPage, PresenceAnswer, PresenceBody as PresenceSchema,
};
use crate::api::views::{self, Listed};
use crate::domain::base::time::Duration;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::event::{EventBody, EventType};
use crate::http::problem::Problem;
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{done, page, text_json};
use crate::runtime::LeaseGranted;
use crate::wire::read_event_body;

/// The list's name in its cursors.
const LIST: &str = "agents";

/// How long a lease can be.
const LEASES: RangeInclusive<Duration> = Duration::from_ms(1_000)..=Duration::days(1);

/// What `PUT` of a presence takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresenceBody {
    presence: String,
    #[serde(default)]
    lease: Option<String>,
}

/// The shop's agents, by id
#[utoipa::path(get, path = "/v1/shops/{shop}/agents", tag = "agents", operation_id = "list_agents",
    responses((status = 200, body = AgentPage)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let (limit, after) = (call.query.limit()?, call.query.cursor(LIST)?);
    let listed = call
        .live(move |shop| views::agents(shop, after.as_deref(), limit))
        .await?;
    Ok(listed.page(LIST))
}

/// One agent
#[utoipa::path(get, path = "/v1/shops/{shop}/agents/{agent}", tag = "agents", operation_id = "get_agent",
    responses((status = 200, body = Agent)))]
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
    request_body = AgentSchema, responses((status = 200, body = Agent)))]
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
    request_body = PresenceSchema, responses((status = 200, body = PresenceAnswer)))]
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
    let mut answer = format!(
        "{{\"agent\":{},\"presence\":\"{}\",\"decisions\":{}",
        quoted(&agent),
        presence.code(),
        answered.decisions
    );
    if let Some(LeaseGranted { length, until }) = presented.lease {
        answer.push_str(&format!(",\"lease\":\"{length}\",\"until\":\"{until}\""));
    }
    answer.push('}');
    Ok(text_json(answer))
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
