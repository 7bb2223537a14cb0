//! Liveness, readiness and metrics.

use crate::api::schema::Ok as Alive;
use crate::http::problem::Problem;
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{other, text_json};

/// The Prometheus text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Liveness: the server is running
#[utoipa::path(get, path = "/healthz", tag = "server", operation_id = "get_healthz",
    responses((status = 200, body = Alive)))]
pub async fn alive(_: RequestContext) -> HandlerResult {
    Ok(text_json("{\"ok\":true}".to_owned()))
}

/// Readiness: the server can take events now
#[utoipa::path(get, path = "/readyz", tag = "server", operation_id = "get_readyz",
    responses((status = 200, body = Alive)))]
pub async fn ready(call: RequestContext) -> HandlerResult {
    call.state.shops.ready().map_err(Problem::refused)?;
    Ok(text_json("{\"ok\":true}".to_owned()))
}

/// All metrics in the Prometheus text format
#[utoipa::path(get, path = "/metrics", tag = "server", operation_id = "get_metrics",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn metrics(call: RequestContext) -> HandlerResult {
    Ok(other(
        METRICS_TYPE,
        call.state.observer.scrape().into_bytes(),
    ))
}
