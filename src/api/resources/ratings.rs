//! Recorded ratings of a shop, the newest first, filtered by agent, level, reason and time. They lead to the low-rated
//! sessions.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::api::schema::Rating;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::protocol::rating::Level;
use crate::domain::read::views::Page;
use crate::http::problem::Problem;
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::page;
use crate::runtime::StoredDecision;

/// The name of this list in its cursors.
const LIST: &str = "ratings";

/// The values of `level`.
const LEVELS: [(&str, Level); 3] = [
    ("satisfied", Level::Satisfied),
    ("neutral", Level::Neutral),
    ("disappointed", Level::Disappointed),
];

/// The filters of a request.
struct Filter {
    agent: Option<Id>,
    level: Option<Level>,
    reason: Option<Id>,
    /// Inclusive.
    from: Option<Instant>,
    /// Exclusive.
    to: Option<Instant>,
}

/// The fields of the decision that filters use.
#[derive(Deserialize)]
struct RatingFields<'a> {
    #[serde(borrow)]
    agent: Cow<'a, str>,
    #[serde(borrow)]
    level: Cow<'a, str>,
}

/// The fields of the event that the decision does not repeat.
#[derive(Default, Deserialize, Serialize)]
struct SubmittedRating {
    #[serde(default, deserialize_with = "or_default")]
    reasons: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

/// Lists recorded ratings, the newest first
///
/// `from` and `to` are instants. `from` is included, `to` is not.
#[utoipa::path(get, path = "/v1/shops/{shop}/ratings", tag = "ratings", operation_id = "list_ratings",
    responses((status = 200, body = Page<Rating>)))]
pub async fn list(call: RequestContext) -> HandlerResult {
    let (shop, limit) = (call.shop()?, call.query.limit()?);
    let before = call.query.cursor_seq(LIST)?;
    let filter = Filter {
        agent: call.query.id("agent")?,
        level: call.query.choice("level", &LEVELS)?,
        reason: call.query.id("reason")?,
        from: call.query.instant("from")?,
        to: call.query.instant("to")?,
    };
    let wanted = move |decision: &StoredDecision| filter.holds(decision);
    let found = call.state.shops.ratings(&shop, before, limit, wanted).await;
    let found = found.map_err(|error| Problem::unread(&shop, error))?;
    let last = found.items.last().filter(|_| found.more);
    let next = last.map(|decision| decision.seq.to_string());
    let items: Vec<String> = found.items.iter().map(item).collect();
    Ok(page(
        LIST,
        items.iter().map(String::as_str),
        next.as_deref(),
    ))
}

impl Filter {
    fn holds(&self, decision: &StoredDecision) -> bool {
        if self.from.is_some_and(|from| decision.at < from)
            || self.to.is_some_and(|to| decision.at >= to)
        {
            return false;
        }
        let Ok(recorded) = serde_json::from_str::<RatingFields<'_>>(&decision.json) else {
            return false;
        };
        let agent = self.agent.as_ref();
        let level = self.level.map(Level::code);
        agent.is_none_or(|agent| agent.as_str() == recorded.agent)
            && level.is_none_or(|level| level == recorded.level)
            && self.reason.as_ref().is_none_or(|reason| {
                let mut reasons = submitted(decision).reasons.into_iter();
                reasons.any(|given| given == reason.as_str())
            })
    }
}

/// The decision, followed by the event's reasons and comment.
fn item(decision: &StoredDecision) -> String {
    let submitted = serde_json::to_string(&submitted(decision)).unwrap_or_default();
    match (decision.json.strip_suffix('}'), submitted.strip_prefix('{')) {
        (Some(decision), Some(submitted)) => format!("{decision},{submitted}"),
        (None, _) | (_, None) => decision.json.clone(),
    }
}

fn submitted(decision: &StoredDecision) -> SubmittedRating {
    let read = serde_json::from_slice::<SubmittedRating>(&decision.event);
    let mut submitted = read.unwrap_or_default();
    let mut seen = Vec::new();
    submitted.reasons.retain(|reason| {
        let new = !seen.contains(reason);
        seen.push(reason.clone());
        new
    });
    submitted
}

/// Treats `null` as an omitted field.
fn or_default<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn rating(agent: &str, level: &str, at_ms: i64, event: &str) -> StoredDecision {
        StoredDecision {
            seq: 1,
            at: Instant::from_ms(at_ms),
            json: format!("{{\"seq\":1,\"agent\":\"{agent}\",\"level\":\"{level}\"}}"),
            event: Bytes::from(event.to_owned()),
        }
    }

    #[test]
    fn ratings_are_told_apart() {
        let event =
            r#"{"type":"rating.submitted","reasons":["slow","slow","rude"],"comment":null}"#;
        let rated = rating("anna", "neutral", 1_000, event);
        let any = || Filter {
            agent: None,
            level: None,
            reason: None,
            from: None,
            to: None,
        };
        let at = |ms| Some(Instant::from_ms(ms));
        for (filter, held) in [
            (any(), true),
            (
                Filter {
                    agent: Id::new("anna"),
                    ..any()
                },
                true,
            ),
            (
                Filter {
                    agent: Id::new("bo"),
                    ..any()
                },
                false,
            ),
            (
                Filter {
                    level: Some(Level::Neutral),
                    ..any()
                },
                true,
            ),
            (
                Filter {
                    level: Some(Level::Satisfied),
                    ..any()
                },
                false,
            ),
            (
                Filter {
                    reason: Id::new("rude"),
                    ..any()
                },
                true,
            ),
            (
                Filter {
                    reason: Id::new("attitude"),
                    ..any()
                },
                false,
            ),
            (
                Filter {
                    from: at(1_000),
                    to: at(1_001),
                    ..any()
                },
                true,
            ),
            (
                Filter {
                    from: at(1_001),
                    ..any()
                },
                false,
            ),
            (
                Filter {
                    to: at(1_000),
                    ..any()
                },
                false,
            ),
        ] {
            assert_eq!(filter.holds(&rated), held);
        }
        assert_eq!(
            item(&rated),
            r#"{"seq":1,"agent":"anna","level":"neutral","reasons":["slow","rude"]}"#
        );
        let silent = rating("bot", "neutral", 0, r#"{"reasons":null,"comment":"好"}"#);
        assert_eq!(
            item(&silent),
            r#"{"seq":1,"agent":"bot","level":"neutral","reasons":[],"comment":"好"}"#
        );
    }
}
