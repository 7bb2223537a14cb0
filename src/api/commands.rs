//! Changes of resources: each goes through the journal as the event that it stands for.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::protocol::decision::ErrorCode;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::RequestContext;
use crate::runtime::{EventResult, IncomingEvent};
use crate::wire::{Line, read_event};

/// Hands the event with this text to the path's shop. What is malformed is told at once: it is no event of anybody's.
pub async fn change(call: &RequestContext, text: String) -> Result<EventResult, Problem> {
    let (shop, desk) = (call.shop()?, &call.state.desk);
    let intake = event_of(&text, &shop, desk.now())?;
    let mut answered = desk
        .post(&shop, vec![intake])
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

/// The event with this text, which came in now.
pub fn event_of(text: &str, shop: &Id, now: Instant) -> Result<IncomingEvent, Problem> {
    // Values are as they were sent, over several lines where they were.
    let text = text.replace(['\n', '\r'], " ");
    let read = read_event(&text, shop, now)
        .map_err(|error| Problem::malformed(format!("The body is {error}.")))?;
    match read.line {
        Line::Event(_, event) => Ok(IncomingEvent::Event {
            event,
            stamped: read.stamped,
            text: text.into(),
        }),
        Line::Malformed(malformed) => Err(Problem::malformed(malformed.message)),
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
    #[derive(Deserialize)]
    struct RejectedDecision<'a> {
        #[serde(borrow)]
        message: Option<Cow<'a, str>>,
    }
    let error = answered.rejected?;
    let told: Vec<RejectedDecision<'_>> =
        serde_json::from_str(&answered.decisions).unwrap_or_default();
    let message = told.into_iter().rev().find_map(|told| told.message);
    let message = message.map_or_else(String::new, Cow::into_owned);
    Some(Problem::new(ProblemCode::Rejected(error), message))
}

/// Reads a body of known fields.
pub fn read_body<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| {
        Problem::malformed(format!(
            "The body is not the JSON object that belongs here: {error}."
        ))
    })
}

/// A string as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
