//! Changes to resources. Each change goes through the journal as the event it stands for.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::base::id::Id;
use crate::domain::protocol::decision::ErrorCode;
use crate::domain::protocol::event::EventBody;
use crate::domain::protocol::rejection::Rejection;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::RequestContext;
use crate::runtime::{EventResult, IncomingEvent};

/// Sends an event to the path's shop and waits for the durable result.
pub async fn change(call: &RequestContext, event: EventBody) -> Result<EventResult, Problem> {
    let (shop, shops) = (call.shop()?, &call.state.shops);
    let event = IncomingEvent::made(event, shops.now());
    let mut answered = shops
        .post(&shop, vec![event])
        .await
        .map_err(Problem::refused)?;
    match answered.pop() {
        Some(answered) => accepted(&shop, answered),
        None => Err(Problem::new(
            ProblemCode::Broken,
            "The shop gave no result. This is a bug: please report it.",
        )),
    }
}

/// Returns the result of an event, or the problem if the event was rejected.
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

/// The problem for a rejected event. Its code and detail are those of the rejection decision.
pub fn rejection(answered: &EventResult) -> Option<Problem> {
    answered.rejected.as_ref().map(rejected)
}

/// The problem for an event that was, or would be, rejected.
pub fn rejected(rejection: &Rejection) -> Problem {
    let Rejection { error, message, .. } = rejection;
    Problem::new(ProblemCode::Rejected(*error), message)
}

/// Parses a JSON body. Unknown fields are errors.
pub fn read_body<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| {
        Problem::malformed(format!(
            "The body is not a JSON object of the expected form: {error}."
        ))
    })
}

/// Embeds JSON that is already serialized.
pub fn written(json: String) -> Box<RawValue> {
    RawValue::from_string(json).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Serializes a string as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
