//! Parses JSON objects into fields, with exactly the types that events distinguish.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::flat_json::Scanner;
use super::value::{Field, Value};

/// The fields of an object in order. Of duplicate keys the last counts.
#[derive(Debug)]
pub struct Fields<'a>(pub Vec<Field<'a>>);

/// The error for a line that is not a JSON object.
#[derive(Debug)]
pub struct NotAnObject(String);

impl NotAnObject {
    /// The parser's error with only the column. The text is one line, and the caller knows its number.
    fn new(error: &serde_json::Error) -> NotAnObject {
        let text = error.to_string();
        let what = text.split(" at line ").next().unwrap_or_default();
        NotAnObject(match error.column() {
            0 => what.to_owned(),
            column => format!("{what} at column {column}"),
        })
    }
}

impl fmt::Display for NotAnObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a JSON object: {}", self.0)
    }
}

impl std::error::Error for NotAnObject {}

/// Parses one JSON object.
pub fn read_object(text: &str) -> Result<Fields<'_>, NotAnObject> {
    let (mut plain, mut fields) = (Scanner::new(text), Vec::with_capacity(8));
    if plain.object(&mut fields).is_some() && plain.is_at_end() {
        return Ok(Fields(fields));
    }
    read_any_object(text)
}

/// Parses one JSON object with any content.
fn read_any_object(text: &str) -> Result<Fields<'_>, NotAnObject> {
    match serde_json::from_str::<Fields<'_>>(text) {
        Ok(fields) => Ok(fields),
        Err(error) if past_limits(&error) => read_strange_object(text),
        Err(error) => Err(NotAnObject::new(&error)),
    }
}

/// Errors that are not about the grammar: a number too large for a double, or too deep nesting.
fn past_limits(error: &serde_json::Error) -> bool {
    let text = error.to_string();
    text.starts_with("number out of range") || text.starts_with("recursion limit exceeded")
}

/// The slow path for an object with such a value: each field is parsed by itself.
fn read_strange_object(text: &str) -> Result<Fields<'_>, NotAnObject> {
    let no_object = |error: serde_json::Error| NotAnObject::new(&error);
    let raw: RawFields<'_> = serde_json::from_str(text).map_err(no_object)?;
    let fields =
        raw.0.into_iter().map(
            |(name, raw)| match serde_json::from_str::<Value<'_>>(raw.get()) {
                Ok(value) => Ok((name, value)),
                Err(error) if past_limits(&error) => Ok((name, strange(raw.get()))),
                Err(error) => Err(no_object(error)),
            },
        );
    Ok(Fields(fields.collect::<Result<_, _>>()?))
}

/// The readable part of an object, so that a policy error can name the wrong key.
fn strange<'a>(raw: &str) -> Value<'a> {
    let value = readable(raw, DEPTH_MAX);
    if value.is_object() {
        Value::Object(Box::new(value))
    } else {
        Value::Strange
    }
}

/// The maximum depth to which values with too deep nesting are read.
const DEPTH_MAX: u32 = 32;

/// JSON in which a value beyond the limits is replaced by its text, which no key accepts.
fn readable(raw: &str, depth: u32) -> serde_json::Value {
    if let Ok(value) = serde_json::from_str(raw) {
        return value;
    }
    match serde_json::from_str::<RawFields<'_>>(raw) {
        Ok(fields) if depth > 0 => {
            let read = |(name, raw): (Cow<'_, str>, &RawValue)| {
                (name.into_owned(), readable(raw.get(), depth - 1))
            };
            serde_json::Value::Object(fields.0.into_iter().map(read).collect())
        }
        Ok(_) | Err(_) => serde_json::Value::String(raw.to_owned()),
    }
}

/// A string that borrows from the text if it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(Text(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct RawFields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawVisitor;
        impl<'de> Visitor<'de> for RawVisitor {
            type Value = RawFields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawFields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(Text(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(RawFields(fields))
            }
        }
        deserializer.deserialize_map(RawVisitor)
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Whole(number))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number)
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value<'de>, A::Error> {
        let object = serde_json::Value::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(Value::Object(Box::new(object)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_an_object_and_what_is_not() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(4000), "]".repeat(4000));
        for (text, object) in [
            ("{}", true),
            (" {\"a\":1} \r", true),
            ("{\"a\":1,\"a\":null}", true),
            ("{\"a\":1e999}", true),
            ("{\"a\":-1e999,\"b\":[1e999]}", true),
            (deep.as_str(), true),
            ("", false),
            ("[]", false),
            ("1", false),
            ("null", false),
            ("{\"a\":1", false),
            ("{\"a\":1}{}", false),
            ("{\"a\":01}", false),
            ("{'a':1}", false),
            ("{\"a\":\"\\ud800\"}", false),
            ("{\"a\":1e999,\"b\":\"\\ud800\"}", false),
            ("{\"a\":{\"b\":[\"\\udc00\"]}}", false),
            ("{\"\\ud800\":1}", false),
            ("{\"a\":\"\\ud83d\\ude00\"}", true),
            ("{\"a\":\"\u{1}\"}", false),
            ("\u{feff}{}", false),
        ] {
            assert_eq!(read_object(text).is_ok(), object, "{text:.40}");
        }
    }

    /// Objects of few parts, valid and invalid.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{",
            "{",
            "}",
            "}",
            "[",
            "]",
            ":",
            ":",
            ",",
            "\"",
            "\"",
            "\"a\"",
            "\"a\":",
            "\"b\":",
            "\"\"",
            "null",
            "true",
            "false",
            "nul",
            "1",
            "0",
            "01",
            "-1",
            "1.5",
            "1e3",
            "123456789012345678",
            "1234567890123456789",
            "18446744073709551615",
            "18446744073709551616",
            " ",
            "\n",
            "\r\t",
            "\u{b}",
            "\\",
            "\\u0041",
            "会话，在吗",
            "abcdefgh",
            "\u{1f}",
            "\u{7f}",
            "é",
            "{\"a\":1,\"b\":\"x\"}",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn what_is_plain_reads_the_same_the_long_way(
            inner in pieces(),
            form in 0..4,
        ) {
            let text = match form {
                0 => inner,
                1 => format!("{{{inner}}}"),
                2 => format!("{{\"k\":{inner}}}"),
                _ => format!(" {{\"key\":\"{inner}\",\"other\":7}}\n"),
            };
            let (quick, long) = (read_object(&text), read_any_object(&text));
            match (quick, long) {
                (Ok(quick), Ok(long)) => prop_assert_eq!(quick.0, long.0),
                (Err(quick), Err(long)) => prop_assert_eq!(quick.to_string(), long.to_string()),
                (quick, long) => prop_assert!(false, "{:?} {:?}", quick, long),
            }
        }
    }
}
