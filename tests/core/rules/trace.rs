//! Converts a line of a row to events in wire format. `table.rs` describes the notation.

use serde_json::{Map, Value, json};

/// The events of a line.
pub fn events(line: &str, time: &mut String) -> Vec<Value> {
    let mut words = line.split_whitespace().peekable();
    if let Some(word) = words.next_if(|word| word.starts_with(|first: char| first.is_ascii_digit()))
    {
        *time = word.to_owned();
    }
    let shop = words
        .next_if(|word| word.starts_with('@'))
        .map(|word| &word[1..]);
    let verb = words.next().unwrap_or_default();
    let (set, names): (Vec<&str>, Vec<&str>) = words.partition(|word| is_setting(word));
    let made = made_by(verb, &names, &set);
    let stamped = made.into_iter().map(|mut event| {
        event.insert("at".to_owned(), json!(instant(time)));
        if let Some(shop) = shop {
            event.insert("shop".to_owned(), json!(shop));
        }
        for setting in &set {
            let (field, value) = setting.split_once('=').unwrap_or_default();
            if verb != "shop" || field == "id" {
                event.insert(field.to_owned(), value_of(value));
            }
        }
        Value::Object(event)
    });
    stamped.collect()
}

/// `field=value`: the field is a name in lower case, dots and a `$` in paths of a policy.
fn is_setting(word: &str) -> bool {
    let field = word.split_once('=').map_or("", |(field, _)| field);
    !field.is_empty() && !field.contains(['"', '#'])
}

fn value_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn made_by(verb: &str, names: &[&str], set: &[&str]) -> Vec<Map<String, Value>> {
    let each = |event: &str| {
        names
            .iter()
            .map(|name| fields(event, &[("agent", name)]))
            .collect()
    };
    let one = |event: &str, keys: &[&str]| {
        let known: Vec<(&str, &str)> = keys.iter().copied().zip(names.iter().copied()).collect();
        vec![fields(event, &known)]
    };
    match verb {
        "shop" => vec![policy(names.first().copied().unwrap_or("standard"), set)],
        "agents" => each("agent.configured"),
        "online" => each("agent.online"),
        "away" => each("agent.away"),
        "offline" => each("agent.offline"),
        "removed" => each("agent.removed"),
        "opened" => one("session.opened", &["session", "buyer"]),
        "bot-opened" => with(
            one("session.opened", &["session", "buyer"]),
            "bot",
            json!(true),
        ),
        "handoff" => one("session.handoff", &["session"]),
        "transfer" => one("session.transferred", &["session", "to"]),
        "closed" => one("session.closed", &["session", "by"]),
        "buyer" => one("buyer.message", &["session"]),
        "agent" => one("agent.message", &["session", "agent"]),
        "robot" => with(
            one("agent.message", &["session"]),
            "kind",
            json!("auto_reply"),
        ),
        "bot" => one("bot.message", &["session"]),
        "invite" => one("invite.requested", &["session", "agent"]),
        "card" => one("rating.opened", &["session", "card"]),
        "rate" => vec![rated(names)],
        "flag" => with(one("buyer.flagged", &["buyer"]), "risk", json!(true)),
        "unflag" => with(one("buyer.flagged", &["buyer"]), "risk", json!(false)),
        "ready" => each("agent.ready"),
        "left" => one("buyer.left", &["session"]),
        "back" => one("buyer.returned", &["session"]),
        "rank" => one("session.ranked", &["session"]),
        "rank-buyer" => one("buyer.ranked", &["buyer"]),
        "block" => with(one("buyer.blocked", &["buyer"]), "blocked", json!(true)),
        "unblock" => with(one("buyer.blocked", &["buyer"]), "blocked", json!(false)),
        other => one(other, &[]),
    }
}

fn fields(event: &str, known: &[(&str, &str)]) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("type".to_owned(), json!(event));
    for (key, value) in known {
        fields.insert((*key).to_owned(), json!(value));
    }
    fields
}

fn with(mut events: Vec<Map<String, Value>>, key: &str, value: Value) -> Vec<Map<String, Value>> {
    for event in &mut events {
        event.insert(key.to_owned(), value.clone());
    }
    events
}

/// `rate s1 5`, `rate s1#1 neutral`, with the reasons after it.
fn rated(names: &[&str]) -> Map<String, Value> {
    let on = names.first().copied().unwrap_or_default();
    let how = names.get(1).copied().unwrap_or_default();
    let key = if on.contains('#') { "card" } else { "session" };
    let mut event = fields("rating.submitted", &[(key, on)]);
    match how.parse::<u64>() {
        Ok(stars) => event.insert("stars".to_owned(), json!(stars)),
        Err(_) => event.insert("level".to_owned(), json!(how)),
    };
    if let Some(reasons) = names.get(2..).filter(|reasons| !reasons.is_empty()) {
        event.insert("reasons".to_owned(), json!(reasons));
    }
    event
}

fn policy(preset: &str, set: &[&str]) -> Map<String, Value> {
    let mut policy = json!({ "preset": preset });
    for setting in set {
        let (path, value) = setting.split_once('=').unwrap_or_default();
        if path == "id" {
            continue;
        }
        let mut place = &mut policy;
        for key in path.split('.') {
            place = &mut place[key];
        }
        *place = value_of(value);
    }
    let mut event = fields("shop.configured", &[]);
    event.insert("policy".to_owned(), policy);
    event
}

fn instant(time: &str) -> String {
    let (date, clock) = time.split_once('T').unwrap_or(("11-16", time));
    if date.len() > "11-16".len() {
        return time.to_owned();
    }
    let seconds = if clock.len() == "10:00".len() {
        ":00"
    } else {
        ""
    };
    format!("2026-{date}T{clock}{seconds}+08:00")
}
