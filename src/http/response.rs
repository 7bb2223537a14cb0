//! Successful responses: one JSON value, one page of a list, a file, or no content.

use actix_web::HttpResponse;
use bytes::Bytes;
use serde::Serialize;

use super::problem::{Problem, ProblemCode};
use super::query::cursor;
use super::request::HandlerResult;
use super::response_body::Pieces;

/// The media type of responses.
pub const JSON_TYPE: &str = "application/json";

/// A value, serialized as JSON.
pub fn json(value: &impl Serialize) -> HandlerResult {
    match serde_json::to_string(value) {
        Ok(text) => Ok(text_json(text)),
        Err(_) => Err(Problem::new(
            ProblemCode::Broken,
            "The response could not be written. This is a bug: please report the request.",
        )),
    }
}

/// A value that is already JSON text.
pub fn text_json(text: String) -> HttpResponse {
    HttpResponse::Ok().content_type(JSON_TYPE).body(text)
}

/// No content.
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// A body that is not JSON.
pub fn other(content_type: &str, body: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().content_type(content_type).body(body)
}

/// A body that all responses share without a copy.
pub fn shared(content_type: &str, body: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .body(Pieces::shared(body))
}

/// One page of a list: serialized items, and the key of the last item if there are more.
pub fn page<'a>(
    list: &str,
    items: impl Iterator<Item = &'a str>,
    next: Option<&str>,
) -> HttpResponse {
    let mut text = String::from("{\"items\":[");
    for (place, item) in items.enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(item);
    }
    text.push_str("],\"next\":");
    match next {
        // A cursor is hexadecimal, so it needs no escaping.
        Some(key) => text.push_str(&format!("\"{}\"}}", cursor(list, key))),
        None => text.push_str("null}"),
    }
    text_json(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::MessageBody;

    #[test]
    fn a_page_is_its_items_and_where_the_next_begins() {
        for (items, next, expected) in [
            (vec![], None, "{\"items\":[],\"next\":null}".to_owned()),
            (
                vec!["1", "{}"],
                Some("b"),
                format!(
                    "{{\"items\":[1,{{}}],\"next\":\"{}\"}}",
                    cursor("pools", "b")
                ),
            ),
        ] {
            let response = page("pools", items.into_iter(), next);
            let body = response.into_body().try_into_bytes().unwrap();
            assert_eq!(body, expected);
        }
    }
}
