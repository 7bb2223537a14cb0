//! Checks real responses against the OpenAPI description. An object may have no key that is not described.

use jsonschema::Validator;
use serde_json::{Value, json};
use xiaoer::api::described;

/// The description, as it is served.
pub fn description() -> Value {
    let text = described().to_json().expect("a description");
    serde_json::from_str(&text).expect("JSON")
}

/// A validator of one of the described types.
pub fn strict(name: &str) -> Validator {
    let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
    validator(&description(), &schema)
}

fn validator(description: &Value, schema: &Value) -> Validator {
    let mut schema = schema.clone();
    let mut components = description["components"].clone();
    close(&mut components);
    schema["components"] = components;
    jsonschema::draft202012::new(&schema).expect("a schema")
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.values_mut().for_each(close);
            let keyed = map.get("properties").is_some_and(Value::is_object);
            if keyed && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Fails with all that is not as described.
pub fn check(validator: &Validator, value: &Value) {
    let wrong: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(wrong.is_empty(), "{value}\n  {}", wrong.join("\n  "));
}

/// Holds an answer of a route against its operation.
pub fn check_answer(method: &str, path: &str, status: u16, kind: &str, body: &[u8]) {
    let description = description();
    let responses = &description["paths"][path][method.to_lowercase()]["responses"];
    let own = &responses[status.to_string()];
    let response = if own.is_null() {
        &responses["default"]
    } else {
        own
    };
    let kind = kind.split(';').next().unwrap_or_default();
    let content = &response["content"][kind];
    if body.is_empty() {
        assert!(
            response["content"].is_null(),
            "{method} {path} {status} is empty"
        );
        return;
    }
    if kind == "application/json" || kind == "application/problem+json" {
        assert!(content.is_object(), "{method} {path} {status} is no {kind}");
        let value = serde_json::from_slice(body).expect("JSON");
        check(&validator(&description, &content["schema"]), &value);
    }
}
