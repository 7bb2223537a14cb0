//! The decisions of a shop: listed by `seq`, read one by one, and explained.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::schema::DecisionSchema;
use crate::domain::read::views::Page;
use crate::explain_text;
use crate::http::auth::Scope;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::query::whole;
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::{json, page, text_json};
use crate::wire::WrittenDecision;

/// The name of this list in its cursors.
const LIST: &str = "decisions";

/// A decision with its explanation, as `xiaoer why --json` prints it.
#[derive(Serialize, ToSchema)]
#[schema(as = WhyAnswer)]
struct ExplainedDecision<'a> {
    #[schema(value_type = DecisionSchema)]
    decision: WrittenDecision<'a>,
    /// The evidence, in the order in which the rules were evaluated. Each entry names its rule.
    #[schema(value_type = Vec<std::collections::HashMap<String, serde_json::Value>>)]
    why: Vec<serde_json::Value>,
    text: explain_text::BothLanguages,
}

/// Lists the shop's decisions, by `seq`
///
/// `after` is a `seq`. The list starts with the first decision after it.
#[utoipa::path(get, path = "/v1/shops/{shop}/decisions", tag = "decisions", operation_id = "list_decisions",
    responses((status = 200, body = Page<DecisionSchema>)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let (shop, limit) = (call.shop()?, call.query.limit()?);
    let after = match (call.query.whole("after")?, call.query.cursor_seq(LIST)?) {
        (Some(_), Some(_)) => {
            return Err(Problem::malformed(
                "`after` and `cursor` both say where the page begins: give one of them.",
            ));
        }
        (after, cursor) => after.or(cursor).unwrap_or(0),
    };
    let found = call.state.shops.decisions(&shop, after, limit).await;
    let found = found.map_err(|error| Problem::unread(&shop, error))?;
    let last = found.items.last().filter(|_| found.more);
    let next = last.map(|decision| decision.seq.to_string());
    let items = found.items.iter().map(|decision| decision.json.as_str());
    Ok(page(LIST, items, next.as_deref()))
}

/// One decision
#[utoipa::path(get, path = "/v1/shops/{shop}/decisions/{seq}", tag = "decisions", operation_id = "get_decision",
    responses((status = 200, body = DecisionSchema)))]
pub async fn get(call: RequestContext) -> HandlerResult {
    let (shop, seq) = (call.shop()?, seq_of(&call)?);
    let found = call.state.shops.decisions(&shop, seq - 1, 1).await;
    let found = found.map_err(|error| Problem::unread(&shop, error))?;
    match found.items.into_iter().find(|decision| decision.seq == seq) {
        Some(decision) => Ok(text_json(decision.json)),
        None => Err(unknown(seq)),
    }
}

/// Explains a decision: its evidence, and the text in English and Chinese
#[utoipa::path(get, path = "/v1/shops/{shop}/decisions/{seq}/why", tag = "decisions", operation_id = "get_why",
    responses((status = 200, body = ExplainedDecision)))]
pub async fn why(call: RequestContext) -> HandlerResult {
    let (shop, seq) = (call.shop()?, seq_of(&call)?);
    let found = call.state.shops.why(&shop, seq).await;
    let found = found.map_err(|error| Problem::unread(&shop, error))?;
    let why = found.ok_or_else(|| unknown(seq))?;
    let why = match call.grant.scope {
        Scope::Admin => why,
        Scope::Events | Scope::Read | Scope::Owner => why.without_other_shops(),
    };
    json(&ExplainedDecision {
        decision: WrittenDecision::new(&shop, &why.decision),
        why: explain_text::facts(&why),
        text: explain_text::both(&shop, &why),
    })
}

fn seq_of(call: &RequestContext) -> Result<u64, Problem> {
    let seq = whole(&call.segment("seq")).filter(|seq| *seq > 0);
    seq.ok_or_else(|| {
        Problem::malformed("The path's {seq} must be a decision's `seq`: a whole number from 1.")
    })
}

fn unknown(seq: u64) -> Problem {
    let detail = format!(
        "The shop has no decision {seq}: the decision was not taken yet, or retention deleted it. \
         `GET decisions` lists the decisions."
    );
    Problem::new(ProblemCode::DecisionUnknown, detail)
}
