//! Converts a decision in wire format to a line of a row. `table.rs` describes the notation.

use serde_json::{Map, Value, json};

/// A decision as the rows write it.
pub fn note(decision: &Value) -> String {
    let kind = decision["type"].as_str().unwrap_or_default();
    let shop = match decision["shop"].as_str() {
        Some("default") | None => String::new(),
        Some(shop) => format!("@{shop} "),
    };
    let words = match kind {
        "session.assigned" => assigned(decision),
        "session.queued" => queued(decision),
        "session.closed" => format!(
            "closed {}",
            words(decision, &["session", "buyer", "agent", "reason"])
        ),
        "agent.notified" => format!("notified {}", words(decision, &["agent", "session"])),
        "auto_reply.sent" => format!(
            "auto_reply {} {}",
            words(decision, &["session"]),
            decision["text"]
        ),
        "invite.sent" => format!(
            "{kind} {}",
            words(decision, &["card", "buyer", "agent", "trigger"])
        ),
        "invite.blocked" => blocked(decision),
        "rating.opened" => format!(
            "{kind} {}",
            words(decision, &["card", "buyer", "agent", "source"])
        ),
        "rating.recorded" => {
            let keys = ["card", "buyer", "agent", "level", "stars", "source"];
            let optional = ["reasons", "comment"].iter();
            let optional =
                optional.filter_map(|key| Some(format!(" {key}={}", decision.get(*key)?)));
            format!(
                "{kind} {}{}",
                words(decision, &keys),
                optional.collect::<String>()
            )
        }
        "rating.refused" => format!("{kind} {}", words(decision, &["session", "card", "reason"])),
        "reply.due" => {
            let (since, overdue_at) = (short(&decision["since"]), short(&decision["overdue_at"]));
            let who = words(decision, &["session", "buyer", "agent"]);
            format!("{kind} {who} since={since} overdue_at={overdue_at}")
        }
        "reply.overdue" => {
            let who = words(decision, &["session", "buyer", "agent"]);
            format!("{kind} {who} since={}", short(&decision["since"]))
        }
        "score.alert" | "score.recovered" => scored(kind, decision),
        "score.day" => {
            let keys = [
                "period",
                "consulting",
                "late",
                "value",
                "threshold",
                "below",
            ];
            let of_buyers = ["effective_rate", "penalty_risk"];
            format!(
                "{kind} {} {}",
                words(decision, &keys),
                words(decision, &of_buyers)
            )
        }
        "session.taken_back" => {
            let who = words(decision, &["session", "buyer", "agent", "bounce"]);
            format!("taken_back {who} since={}", short(&decision["since"]))
        }
        "agent.presence_set" => format!(
            "{kind} {}",
            words(decision, &["agent", "presence", "reason"])
        ),
        "hours.opened" | "hours.closed" => {
            let until = decision.get("until").map_or("-".to_owned(), short);
            format!("{kind} until={until}")
        }
        _ => rejected(decision),
    };
    check_keys(kind, decision);
    format!("{} {shop}{words}", short(&decision["at"]))
}

/// Each type has its own fields and no others.
fn check_keys(kind: &str, decision: &Value) {
    let keys = match kind {
        "session.assigned" => "agent at buyer reason repeat_visit seq session shop type waited",
        "session.queued" => "at buyer pool position priority prompt reason seq session shop type",
        "session.closed" => "agent at buyer reason seq session shop type",
        "agent.notified" => "agent at seq session shop type",
        "auto_reply.sent" => "at seq session shop text type",
        "invite.sent" => "agent at buyer card seq session shop trigger type",
        "invite.blocked" => "agent at blocked_by buyer retry_at seq session shop trigger type",
        "rating.opened" => "agent at buyer card seq session shop source type",
        "rating.recorded" => {
            "agent at buyer card comment level reasons seq session shop source stars type"
        }
        "rating.refused" => "at card reason seq session shop type",
        "reply.due" => "agent at buyer overdue_at seq session shop since type",
        "reply.overdue" => "agent at buyer seq session shop since type",
        "score.alert" => "at metric needed period seq shop threshold type value",
        "score.recovered" => "at metric period seq shop threshold type value",
        "score.day" => {
            "at below consulting effective_rate late penalty_risk period seq shop threshold type value"
        }
        "session.taken_back" => "agent at bounce buyer seq session shop since type",
        "agent.presence_set" => "agent at presence reason seq shop type",
        "hours.opened" | "hours.closed" => "at seq shop type until",
        _ => "at error event message seq session shop type",
    };
    let known: Vec<&str> = keys.split(' ').collect();
    for key in decision.as_object().into_iter().flat_map(Map::keys) {
        assert!(
            known.contains(&key.as_str()),
            "{key} is no field of {decision}"
        );
    }
}

fn words(decision: &Value, keys: &[&str]) -> String {
    let word = |key: &&str| match decision.get(*key) {
        None => "-".to_owned(),
        Some(value) => value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    };
    keys.iter().map(word).collect::<Vec<String>>().join(" ")
}

fn assigned(decision: &Value) -> String {
    let who = words(decision, &["session", "buyer", "agent", "reason"]);
    let repeat = if decision["repeat_visit"] == json!(true) {
        " repeat"
    } else {
        ""
    };
    let waited = &decision["waited"];
    let waited = if waited.as_f64() == Some(0.0) {
        String::new()
    } else {
        format!(" waited={waited}")
    };
    format!("assigned {who}{repeat}{waited}")
}

fn queued(decision: &Value) -> String {
    let who = words(
        decision,
        &["session", "buyer", "pool", "position", "reason"],
    );
    let ahead = decision["position"]
        .as_u64()
        .unwrap_or_default()
        .saturating_sub(1);
    let usual = if ahead == 0 {
        "您是下一位，请稍候".to_owned()
    } else {
        format!("前面还有{ahead}位，请稍候")
    };
    let prompt = match decision["prompt"].as_str() {
        Some(prompt) if prompt == usual => String::new(),
        Some(prompt) => format!(" {prompt:?}"),
        None => " no prompt".to_owned(),
    };
    let priority = decision.get("priority");
    let priority = priority.map_or(String::new(), |level| format!(" priority={level}"));
    format!("queued {who}{prompt}{priority}")
}

fn blocked(decision: &Value) -> String {
    let who = words(decision, &["session", "buyer", "agent", "trigger"]);
    let codes = decision["blocked_by"].as_array().into_iter().flatten();
    let codes: Vec<&str> = codes.filter_map(Value::as_str).collect();
    let retry = decision.get("retry_at");
    let retry = retry.map_or(String::new(), |at| format!(" retry_at={}", short(at)));
    format!("invite.blocked {who} {}{retry}", codes.join(","))
}

fn scored(kind: &str, decision: &Value) -> String {
    let what = words(decision, &["metric", "period", "value"]);
    let needed = decision.get("needed");
    let needed = needed.map_or(String::new(), |count| format!(" needed={count}"));
    format!("{kind} {what} of {}{needed}", decision["threshold"])
}

/// A rejection with its session, or the path of a bad policy; the message must at least be a sentence.
fn rejected(decision: &Value) -> String {
    let what = words(decision, &["event", "error"]);
    let message = decision["message"].as_str().unwrap_or_default();
    assert!(
        message.len() > 10,
        "a message that says nothing: {decision}"
    );
    let more = match (&decision["session"], decision["error"].as_str()) {
        (Value::String(session), _) => format!(" {session}"),
        (_, Some("policy_invalid")) => {
            format!(" {}", message.split(':').next().unwrap_or_default())
        }
        _ => String::new(),
    };
    format!("rejected {what}{more}")
}

/// An instant as the rows write it.
fn short(instant: &Value) -> String {
    let Some(text) = instant.as_str() else {
        return "-".to_owned();
    };
    let Some(time) = text
        .strip_prefix("2026-")
        .and_then(|rest| rest.strip_suffix("+08:00"))
    else {
        return text.to_owned();
    };
    time.strip_prefix("11-16T").unwrap_or(time).to_owned()
}
