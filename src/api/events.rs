//! `POST …/events`: takes events and answers in order, once their decisions are durable (contract, section 5).
//!
//! This is the hot path. Responses are built as text, and no event is parsed into a JSON tree.

use super::event_body::{EventReader, ParsedEvent, may_make, refuse_making};
use super::policy_change::{self, check_policies, run_blocking};
use super::resource_change::rejection;
use crate::api::schema::{EventsBody, Results};
use crate::domain::base::id::Id;
use crate::http::auth::Scope;
use crate::http::problem::{Problem, ProblemCode};
use crate::http::request::{HandlerResult, RequestContext};
use crate::http::response::text_json;
use crate::runtime::{EventResult, Unavailable};

/// The longest body, in bytes, that is parsed on its connection's thread. A longer one is parsed elsewhere, so that it
/// does not delay that thread's shops.
const READ_HERE_BYTES_MAX: usize = 64 * 1024;

/// The estimated length of one result, in bytes. It sizes the response buffer.
const RESULT_BYTES: usize = 256;

/// Sends events to the shop and returns the decisions once they are durable
///
/// The body is one event, an array of events, or one event per line as `application/x-ndjson`. Events are handled one
/// by one, and `results` has their order. A rejected event does not stop the others. If the request has exactly one
/// event, a rejection sets the status of the response.
#[utoipa::path(post, path = "/v1/shops/{shop}/events", tag = "events", operation_id = "post_events",
    request_body(content((EventsBody = "application/json"), (String = "application/x-ndjson"))),
    responses((status = 200, body = Results)))]
pub async fn post(call: RequestContext) -> HandlerResult {
    let form = call.body_format()?;
    let shop = call.shop()?;
    let body = call.body().await?;
    let shops = call.state.shops.clone();
    shops.may_write(&shop).map_err(Problem::refused)?;
    let (now, grant) = (shops.now(), call.grant.clone());
    let mut slots = match body.len() {
        0..=READ_HERE_BYTES_MAX => {
            let door = EventReader {
                shop: &shop,
                now,
                grant: &grant,
            };
            door.events(form, &body)?
        }
        _ => {
            let shop = shop.clone();
            let read = move || {
                let door = EventReader {
                    shop: &shop,
                    now,
                    grant: &grant,
                };
                door.events(form, &body)
            };
            run_blocking(read).await??
        }
    };
    if call.grant.scope != Scope::Admin
        && may_make(&slots)
        && !shops.exists(&shop).await.map_err(Problem::refused)?
    {
        refuse_making(&mut slots);
    }
    let slots = check_policies(&call, slots).await?;
    let count = slots.len();
    let (mut intakes, mut refused) = (Vec::with_capacity(count), Vec::new());
    for (place, slot) in slots.into_iter().enumerate() {
        match slot {
            ParsedEvent::Take(intake) => intakes.push(intake),
            ParsedEvent::Refuse(id, problem) => refused.push((place, id, problem)),
        }
    }
    let answered = if intakes.is_empty() {
        Vec::new()
    } else {
        policy_change::post(&call, &shop, intakes)
            .await
            .map_err(Problem::refused)?
    };
    answer(count, refused, answered)
}

/// The response to a request of `count` events. `refused` holds the events that were refused before the shop, with
/// their positions.
fn answer(
    count: usize,
    refused: Vec<(usize, Option<Id>, Problem)>,
    answered: Vec<EventResult>,
) -> HandlerResult {
    if count == 1
        && let Some(problem) = alone(&refused, &answered)
    {
        return Err(problem);
    }
    if refused.is_empty()
        && let Some(why) = nothing_done(&answered)
    {
        return Err(Problem::refused(why));
    }
    let (mut refused, mut answered) = (refused.into_iter().peekable(), answered.into_iter());
    let mut text = String::with_capacity(16 + count * RESULT_BYTES);
    text.push_str("{\"results\":[");
    for place in 0..count {
        if place > 0 {
            text.push(',');
        }
        if let Some((_, id, problem)) = refused.next_if(|(at, ..)| *at == place) {
            write_refused(&mut text, id.as_ref(), &problem);
        } else if let Some(answered) = answered.next() {
            match undone(&answered) {
                Some(problem) => write_refused(&mut text, answered.id.as_ref(), &problem),
                None => write_result(&mut text, &answered),
            }
        }
    }
    text.push_str("]}");
    Ok(text_json(text))
}

/// The problem of a request's only event. It sets the status.
fn alone(refused: &[(usize, Option<Id>, Problem)], answered: &[EventResult]) -> Option<Problem> {
    if let [(_, _, problem)] = refused {
        return Some(problem.clone());
    }
    let [only] = answered else {
        return None;
    };
    if let Some(problem) = undone(only) {
        return Some(problem);
    }
    let problem = rejection(only)?;
    let mut results = String::from("[");
    write_result(&mut results, only);
    results.push(']');
    Some(problem.member("results", results))
}

/// The reason, if no event of the request was handled. The client can then retry the whole request.
fn nothing_done(answered: &[EventResult]) -> Option<Unavailable> {
    let all = answered.iter().all(|answered| answered.refused.is_some());
    let first = answered.first().filter(|_| all)?;
    first.refused.clone()
}

/// Why the shop did not decide an event.
fn undone(answered: &EventResult) -> Option<Problem> {
    match &answered.refused {
        Some(why) => Some(Problem::refused(why.clone())),
        None => answered.conflict.then(|| conflict(answered)),
    }
}

fn conflict(answered: &EventResult) -> Problem {
    let id = answered.id.as_deref().unwrap_or_default();
    let detail = format!(
        "An event with the id {id:?} and another body was accepted before. Nothing was changed. \
         Give every event its own id, and repeat an event with the same body."
    );
    Problem::new(ProblemCode::IdConflict, detail)
}

/// Writes the result of an event that the shop decided.
fn write_result(text: &mut String, answered: &EventResult) {
    let decisions: &str = match answered.decisions.is_empty() {
        true => "[]",
        false => &answered.decisions,
    };
    begin_result(text, answered.id.as_ref(), decisions);
    if answered.forgotten {
        text.push_str(",\"forgotten\":true");
    }
    text.push('}');
}

/// Writes the result of an event that was refused before the shop.
fn write_refused(text: &mut String, id: Option<&Id>, problem: &Problem) {
    begin_result(text, id, "[]");
    text.push_str(",\"problem\":");
    text.push_str(&problem.json());
    text.push('}');
}

fn begin_result(text: &mut String, id: Option<&Id>, decisions: &str) {
    text.push('{');
    if let Some(id) = id {
        text.push_str("\"id\":");
        write_string(text, id);
        text.push(',');
    }
    text.push_str("\"decisions\":");
    text.push_str(decisions);
}

/// Writes an id as a JSON string. Ids contain no control characters, so most need no escaping.
fn write_string(text: &mut String, id: &Id) {
    text.push('"');
    if !id.bytes().any(|byte| byte == b'"' || byte == b'\\') {
        text.push_str(id);
        text.push('"');
        return;
    }
    for piece in id.split_inclusive(['"', '\\']) {
        match piece.chars().next_back() {
            Some(last @ ('"' | '\\')) => {
                text.push_str(&piece[..piece.len() - 1]);
                text.push('\\');
                text.push(last);
            }
            Some(_) | None => text.push_str(piece),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::protocol::decision::ErrorCode;
    use crate::domain::protocol::rejection::Rejection;
    use crate::http::auth::forbidden;
    use actix_web::body::MessageBody;

    fn answered(id: &str, decisions: &str) -> EventResult {
        EventResult {
            id: Id::new(id),
            decisions: decisions.into(),
            rejected: None,
            conflict: false,
            forgotten: false,
            refused: None,
        }
    }

    fn rejected(error: ErrorCode) -> EventResult {
        let decisions = format!(
            "[{{\"type\":\"reply.due\"}},{{\"type\":\"event.rejected\",\"error\":\"{}\",\"message\":\"Do it right.\"}}]",
            error.code()
        );
        EventResult {
            rejected: Some(Rejection::new(error, "Do it right.")),
            ..answered("", &decisions)
        }
    }

    fn said(answer: HandlerResult) -> (u16, String) {
        let response = answer.unwrap_or_else(|problem| problem.response());
        let status = response.status().as_u16();
        let body = response.into_body().try_into_bytes().unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn results_stand_in_the_order_of_the_events() {
        let refused = vec![(1, Id::new("b"), forbidden(Scope::Owner))];
        let events = vec![answered("a\"\\", "[1]"), answered("", "")];
        let (status, text) = said(answer(3, refused, events));
        let problem = forbidden(Scope::Owner).json();
        assert_eq!(status, 200);
        assert_eq!(
            text,
            format!(
                "{{\"results\":[{{\"id\":\"a\\\"\\\\\",\"decisions\":[1]}},\
                 {{\"id\":\"b\",\"decisions\":[],\"problem\":{problem}}},{{\"decisions\":[]}}]}}"
            )
        );
        assert_eq!(
            said(answer(0, vec![], vec![])),
            (200, "{\"results\":[]}".to_owned())
        );
    }

    #[test]
    fn what_is_wrong_with_an_event_alone_sets_the_status() {
        for (error, status) in [
            (ErrorCode::Malformed, 400),
            (ErrorCode::SessionUnknown, 404),
            (ErrorCode::SessionExists, 409),
            (ErrorCode::QueueFull, 429),
        ] {
            let (found, text) = said(answer(1, vec![], vec![rejected(error)]));
            assert_eq!(found, status, "{error:?}");
            let document: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(document["code"], error.code());
            assert_eq!(document["detail"], "Do it right.");
            assert_eq!(
                document["results"][0]["decisions"][1]["type"],
                "event.rejected"
            );
            let (found, text) = said(answer(
                2,
                vec![],
                vec![answered("a", "[]"), rejected(error)],
            ));
            assert_eq!(found, 200, "not alone");
            assert!(text.contains(error.code()));
        }
    }

    #[test]
    fn an_id_with_another_body_is_a_conflict() {
        let twice = EventResult {
            conflict: true,
            ..answered("e1", "[]")
        };
        let (status, text) = said(answer(1, vec![], vec![twice.clone()]));
        assert_eq!(status, 422);
        assert!(text.contains("\"code\":\"id_conflict\""), "{text}");
        let (status, text) = said(answer(2, vec![], vec![twice, answered("e2", "[]")]));
        assert_eq!(status, 200);
        assert!(
            text.contains("\"id\":\"e1\",\"decisions\":[],\"problem\":{"),
            "{text}"
        );
    }

    #[test]
    fn an_answer_that_is_gone_is_said_to_be() {
        let gone = EventResult {
            forgotten: true,
            ..answered("e1", "[]")
        };
        let told = r#"{"id":"e1","decisions":[],"forgotten":true}"#;
        let (status, text) = said(answer(1, vec![], vec![gone.clone()]));
        assert_eq!((status, text), (200, format!("{{\"results\":[{told}]}}")));
        let (status, text) = said(answer(2, vec![], vec![answered("e0", "[1]"), gone]));
        let first = r#"{"id":"e0","decisions":[1]}"#;
        let both = format!("{{\"results\":[{first},{told}]}}");
        assert_eq!((status, text), (200, both));
    }

    #[test]
    fn what_was_not_looked_at_may_be_sent_again() {
        let busy = || EventResult {
            refused: Some(Unavailable::Busy),
            ..answered("", "[]")
        };
        for (events, expected) in [
            (vec![busy()], 503),
            (vec![busy(), busy()], 503),
            (vec![answered("e1", "[]"), busy()], 200),
        ] {
            let (status, text) = said(answer(events.len(), vec![], events));
            assert_eq!(status, expected);
            assert!(text.contains("\"code\":\"busy\""), "{text}");
        }
    }

    #[test]
    fn an_event_that_the_key_may_not_send_is_forbidden() {
        let refused = vec![(0, None, forbidden(Scope::Owner))];
        let (status, text) = said(answer(1, refused, vec![]));
        assert_eq!(status, 403);
        assert!(text.contains("owner or admin"), "{text}");
    }
}
