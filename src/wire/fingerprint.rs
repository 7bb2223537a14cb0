//! Fingerprints of event bodies. They distinguish a repeated event from another event with the same `id`.
//!
//! The hash H of the rules (P3) gives a number for every field. The fingerprint is their sum, so it does not depend on
//! the order. It is stored with the id, so it must be the same on every machine and in every version.

use std::borrow::Cow;

use crate::domain::base::deterministic_draw::DeterministicDraw;

use crate::wire::value::Value;

/// The terminator of a text: no UTF-8 text contains this byte.
const END: &[u8] = &[0xff];

/// The fingerprint of fields. `null` is ignored, and of duplicate keys the last counts.
pub(super) fn print(fields: &[(Cow<'_, str>, Value<'_>)]) -> u64 {
    let last = |at: usize, key: &str| !fields[at + 1..].iter().any(|(other, _)| other == key);
    let counted = fields
        .iter()
        .enumerate()
        .filter(|(at, (key, value))| !value.is_null() && last(*at, key));
    sum(counted.map(|(_, (key, value))| feed(text(DeterministicDraw::EMPTY, key), value)))
}

fn text(lot: DeterministicDraw, text: &str) -> DeterministicDraw {
    lot.with(text.as_bytes()).with(END)
}

fn feed(lot: DeterministicDraw, value: &Value<'_>) -> DeterministicDraw {
    match value {
        Value::Null => lot.with(b"n"),
        Value::Bool(true) => lot.with(b"t"),
        Value::Bool(false) => lot.with(b"f"),
        Value::Whole(number) => lot.with(b"w").with(&number.to_le_bytes()),
        Value::Text(value) => text(lot.with(b"s"), value),
        Value::List(list) => list.iter().fold(lot.with(b"["), feed).with(b"]"),
        Value::Object(object) => feed_json(lot, object),
        // An event with such a value is malformed, and its id is not stored.
        Value::Number | Value::Strange => lot.with(b"?"),
    }
}

fn feed_json(lot: DeterministicDraw, value: &serde_json::Value) -> DeterministicDraw {
    use serde_json::Value as Json;
    match value {
        Json::Null => lot.with(b"n"),
        Json::Bool(true) => lot.with(b"t"),
        Json::Bool(false) => lot.with(b"f"),
        Json::Number(number) => text(lot.with(b"d"), &number.to_string()),
        Json::String(value) => text(lot.with(b"s"), value),
        Json::Array(list) => list.iter().fold(lot.with(b"["), feed_json).with(b"]"),
        Json::Object(object) => {
            let fields = object.iter().filter(|(_, value)| !value.is_null());
            let numbers =
                fields.map(|(key, value)| feed_json(text(DeterministicDraw::EMPTY, key), value));
            lot.with(b"{").with(&sum(numbers).to_le_bytes())
        }
    }
}

/// The sum over fields, in any order.
fn sum(fields: impl Iterator<Item = DeterministicDraw>) -> u64 {
    fields.fold(0, |sum, field| sum.wrapping_add(field.number()))
}

#[cfg(test)]
mod tests {
    use super::super::json::read_object;
    use super::print;

    fn of(text: &str) -> u64 {
        print(&read_object(text).unwrap().0)
    }

    #[test]
    fn a_body_goes_by_what_it_says() {
        let body = r#"{"id":"e1","type":"buyer.message","session":"s1","text":"在吗"}"#;
        for (other, same) in [
            (body, true),
            (
                r#" {"text":"\u5728\u5417","session":"s1","type":"buyer.message","id":"e1"}"#,
                true,
            ),
            (
                r#"{"id":"e1","type":"buyer.message","session":"s1","text":"在吗","kind":null}"#,
                true,
            ),
            (
                r#"{"text":"no","id":"e1","type":"buyer.message","session":"s1","text":"在吗"}"#,
                true,
            ),
            (
                r#"{"id":"e1","type":"buyer.message","session":"s1","text":"在"}"#,
                false,
            ),
            (
                r#"{"id":"e1","type":"buyer.message","session":"s1","text":null}"#,
                false,
            ),
            (
                r#"{"id":"e1","type":"buyer.message","session":"s1","kind":"在吗"}"#,
                false,
            ),
            (
                r#"{"id":"s1","type":"buyer.message","session":"e1","text":"在吗"}"#,
                false,
            ),
            (
                r#"{"id":"e1","type":"buyer.message","session":"s1","text":"在吗","at":"2026-11-11T10:00:00Z"}"#,
                false,
            ),
        ] {
            assert_eq!(of(body) == of(other), same, "{other}");
        }
    }

    #[test]
    fn values_go_by_their_types_and_lists_by_their_order() {
        let bodies = [
            r#"{"a":"1"}"#,
            r#"{"a":1}"#,
            r#"{"a":true}"#,
            r#"{"a":false}"#,
            r#"{"a":["b","c"]}"#,
            r#"{"a":["c","b"]}"#,
            r#"{"a":["bc"]}"#,
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":{"c":1}}}"#,
            r#"{"a":{"b":{"c":1.5}}}"#,
            r#"{"a":{"b":{},"c":1}}"#,
            r#"{"a":{}}"#,
            r#"{}"#,
        ];
        for (at, body) in bodies.iter().enumerate() {
            for other in &bodies[at + 1..] {
                assert_ne!(of(body), of(other), "{body} {other}");
            }
        }
        let policy = |text| of(&format!(r#"{{"policy":{{"invite":{text}}}}}"#));
        let one = policy(r#"{"auto":true,"manual":false}"#);
        assert_eq!(one, policy(r#"{"manual":false,"bots":null,"auto":true}"#));
    }

    #[test]
    fn the_numbers_are_promises() {
        assert_eq!(of("{}"), 0);
        assert_eq!(of(r#"{"a":"b"}"#), 0xf1be_0cea_8acc_1479);
        assert_eq!(of(r#"{"c":7,"a":"b"}"#), 0x7148_b75d_52af_7c7f);
    }
}
