//! Changes of resources: each goes through the journal as the event that it stands for.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::base::id::Id;
use crate::domain::protocol::decision::ErrorCode;
use crate::domain::protocol::event::EventBody;
use crate::domain::protocol::rejection::Rejection;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::RequestContext;
use crate::runtime::{EventResult, IncomingEvent};

/// Hands an event to the path's shop.
pub async fn change(call: &RequestContext, event: EventBody) -> Result<EventResult, Problem> {
    let (shop, desk) = (call.shop()?, &call.state.desk);
    let event = IncomingEvent::made(event, desk.now());
    let mut answered = desk
        .post(&shop, vec![event])
        .await
        .map_err(Problem::refused)?;
    match answered.pop() {
        Some(answered) => accepted(&shop, answered),
        None => Err(Problem::new(
            ProblemCode::Broken,
            "The shop gave no answer: please report this.",
        )),
    }
}

/// The answer to an event, if it was accepted.
pub fn accepted(shop: &Id, answered: EventResult) -> Result<EventResult, Problem> {
    if let Some(why) = answered.refused {
        return Err(Problem::refused(why));
    }
    match rejection(&answered) {
        None => Ok(answered),
        Some(problem) if problem.code() == ProblemCode::Rejected(ErrorCode::ShopUnknown) => {
            Err(Problem::shop_unknown(shop))
        }
        Some(problem) => Err(problem),
    }
}

/// The problem of an event that was rejected, which says what the decision says.
pub fn rejection(answered: &EventResult) -> Option<Problem> {
    let Rejection { error, message, .. } = answered.rejected.as_ref()?;
    Some(Problem::new(ProblemCode::Rejected(*error), message))
}

/// Reads a body of known fields.
pub fn read_body<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| {
        Problem::malformed(format!(
            "The body is not the JSON object that belongs here: {error}."
        ))
    })
}

/// JSON that was written before, as a part of an answer.
pub fn written(json: String) -> Box<RawValue> {
    RawValue::from_string(json).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A string as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
