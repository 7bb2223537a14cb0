//! Compares outputs as the contract says (section 1): numbers by value and instants as instants. Of a `message` it
//! compares only its presence, and for `policy_invalid` the path at its start.

use std::fmt;

use serde_json::Value;
use xiaoer::domain::base::time::Instant;

/// The keys whose values are instants.
const INSTANTS: [&str; 5] = ["at", "since", "overdue_at", "retry_at", "until"];

/// The first pair of decisions that is not equal.
#[derive(Debug)]
pub struct Difference {
    /// Which, from 0.
    pub index: usize,
    /// What should have been decided; nothing where there is one too many.
    pub expected: Option<Value>,
    /// What was decided; nothing where one is missing.
    pub actual: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| {
            value
                .as_ref()
                .map_or("nothing".to_owned(), Value::to_string)
        };
        let (expected, actual) = (shown(&self.expected), shown(&self.actual));
        write!(
            f,
            "decision {}:\n  expected {expected}\n  actual   {actual}",
            self.index + 1
        )
    }
}

/// The first difference of two lists of decisions.
pub fn first_difference(expected: &[Value], actual: &[Value]) -> Option<Difference> {
    let longest = expected.len().max(actual.len());
    let index = (0..longest).find(|&index| match (expected.get(index), actual.get(index)) {
        (Some(expected), Some(actual)) => !same(expected, actual),
        (Some(_), None) | (None, Some(_)) | (None, None) => true,
    })?;
    let (expected, actual) = (expected.get(index).cloned(), actual.get(index).cloned());
    Some(Difference {
        index,
        expected,
        actual,
    })
}

/// Where two reports differ first: the path, and both values.
pub fn first_difference_of(expected: &Value, actual: &Value) -> Option<String> {
    let (Value::Object(wanted), Value::Object(object)) = (expected, actual) else {
        return (!same(expected, actual))
            .then(|| format!(": expected {expected}, actual {actual}"));
    };
    let mut keys: Vec<&String> = wanted.keys().chain(object.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let of = |of: &serde_json::Map<String, Value>, key: &str| of.get(key).cloned();
    keys.into_iter()
        .find_map(|key| match (of(wanted, key), of(object, key)) {
            (Some(expected), Some(actual)) => Some(format!(
                "/{key}{}",
                first_difference_of(&expected, &actual)?
            )),
            (Some(expected), None) => Some(format!("/{key}: expected {expected}, actual nothing")),
            (None, actual) => Some(format!("/{key}: expected nothing, actual {actual:?}")),
        })
}

/// Whether two decisions, or two reports, say the same.
pub fn same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(object)) => {
            let about_policy = wanted
                .get("error")
                .is_some_and(|error| error == "policy_invalid");
            let same_field = |(key, value): (&String, &Value)| {
                let Some(other) = object.get(key) else {
                    return false;
                };
                match key.as_str() {
                    "message" if about_policy => {
                        path(value).is_some() && path(value) == path(other)
                    }
                    "message" => value.is_string() && other.is_string(),
                    key if INSTANTS.contains(&key) => same_instant(value, other),
                    _ => same(value, other),
                }
            };
            wanted.len() == object.len() && wanted.iter().all(same_field)
        }
        (Value::Array(wanted), Value::Array(list)) => {
            wanted.len() == list.len() && wanted.iter().zip(list).all(|(a, b)| same(a, b))
        }
        (Value::Number(wanted), Value::Number(number)) => wanted.as_f64() == number.as_f64(),
        (wanted, value) => wanted == value,
    }
}

/// What stands before the first colon of a message.
fn path(message: &Value) -> Option<&str> {
    Some(message.as_str()?.split_once(": ")?.0)
}

/// Instants as instants; what is past their years letter by letter.
fn same_instant(expected: &Value, actual: &Value) -> bool {
    let read = |value: &Value| value.as_str().and_then(Instant::parse);
    match (read(expected), read(actual)) {
        (Some(expected), Some(actual)) => expected == actual,
        (Some(_), None) | (None, Some(_)) => false,
        (None, None) => expected == actual,
    }
}
