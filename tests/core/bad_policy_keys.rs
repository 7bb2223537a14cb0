//! Every key of a policy refuses what it does not take, by its path, and says what it takes.

use serde_json::{Value, json};
use xiaoer::domain::policy::{ObjectTable, Policy, Shape};

use crate::bad_input::{accepted, decisions, line, rejected};

/// The path of a map's values in a policy: a name that the map takes.
fn name_in_map(path: &str) -> &'static str {
    match path {
        "hours.week" => "mon",
        "hours.days" => "2026-10-01",
        _ => "live",
    }
}

/// A policy with one value at a path of keys and names.
fn policy_with(path: &str, value: Value) -> Value {
    path.rsplit('.')
        .fold(value, |value, key| json!({ key: value }))
}

/// One policy is refused, at this path, with a message that holds all of `words`.
#[track_caller]
fn says(path: &str, policy: &Value, words: &[&str]) {
    let event = line(&format!(r#""type":"shop.configured","policy":{policy}"#));
    let answers = decisions(&event);
    let message = answers[0]["message"].as_str().unwrap_or_default();
    assert_eq!(answers[0]["error"], "policy_invalid", "{policy}");
    assert!(
        message.starts_with(&format!("{path}: ")),
        "{policy}: {message}"
    );
    for word in words {
        assert!(
            message.contains(word),
            "{policy}: {message} does not say {word}"
        );
    }
}

/// Like [`says`], in a shop that goes on as if nothing had happened.
#[track_caller]
fn refused(path: &str, policy: &Value, words: &[&str]) {
    let event = line(&format!(r#""type":"shop.configured","policy":{policy}"#));
    let path = format!("{path}: ");
    let mut words = words.to_vec();
    words.push(&path);
    rejected(&event, "policy_invalid", &words);
}

/// Values that a shape does not take, and what the message says instead.
fn wrong_values(shape: &Shape) -> (Vec<Value>, Vec<String>) {
    let (values, words): (Vec<Value>, Vec<&str>) = match shape {
        Shape::Flag => (
            vec![json!("yes"), json!(1), json!([])],
            vec!["true or false"],
        ),
        // The kinds of texts have rows of their own below.
        Shape::Text { .. } => (vec![json!(7), json!(true), json!({})], vec!["must be"]),
        Shape::Duration => (
            vec![
                json!(5),
                json!("5"),
                json!("-1s"),
                json!("1.5h"),
                json!("1y"),
                json!("3650d 1ms"),
                json!(""),
            ],
            vec!["a duration such as", "3650 days"],
        ),
        Shape::Whole { max } => (
            vec![
                json!(-1),
                json!(1.0),
                json!(0.5),
                json!("1"),
                json!(true),
                json!(u64::from(*max) + 1),
            ],
            vec!["whole number from 0 to", "without a fraction"],
        ),
        Shape::Decimal { max } => (
            vec![
                json!(-0.1),
                json!("1"),
                json!(false),
                json!(f64::from(*max) + 0.01),
                json!(0.00001),
            ],
            vec!["a number from 0 to", "decimals"],
        ),
        Shape::Choice(table) => {
            let words = table.words.iter().map(|word| (*word).to_owned());
            let words = words.chain(["must be one of".to_owned()]).collect();
            return (
                vec![json!("nonsense"), json!(""), json!(1), json!(true)],
                words,
            );
        }
        Shape::Object(_) | Shape::Map(_) => {
            (vec![json!([]), json!("x"), json!(1)], vec!["an object"])
        }
        Shape::Member | Shape::List(_) => (vec![json!({}), json!("x"), json!([1])], vec!["must"]),
    };
    (values, words.into_iter().map(str::to_owned).collect())
}

/// All keys below a path, with their shapes.
fn keys(table: &'static ObjectTable, above: &str, found: &mut Vec<(String, Shape)>) {
    for key in table.keys {
        let path = [above, key.name].join(".");
        let path = path.trim_start_matches('.').to_owned();
        found.push((path.clone(), key.shape));
        match key.shape {
            Shape::Object(table) => keys(table, &path, found),
            Shape::Map(values) => {
                let path = format!("{path}.{}", name_in_map(&path));
                found.push((path.clone(), *values));
                if let Shape::Object(table) = values {
                    keys(table, &path, found);
                }
            }
            Shape::Flag
            | Shape::Text { .. }
            | Shape::Duration
            | Shape::Whole { .. }
            | Shape::Decimal { .. }
            | Shape::Choice(_)
            | Shape::Member
            | Shape::List(_) => {}
        }
    }
}

#[test]
fn every_key_refuses_what_it_does_not_take() {
    let mut all = Vec::new();
    keys(Policy::TABLE, "", &mut all);
    assert!(all.len() > 100, "{}", all.len());
    for (path, shape) in &all {
        let (values, words) = wrong_values(shape);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        for value in values {
            says(path, &policy_with(path, value), &words);
        }
        // A key beside it that does not exist.
        if let Shape::Object(table) = shape {
            let unknown = format!("{path}.no_such_key_at_all");
            let mut words = vec!["is no known key"];
            words.extend(table.keys.iter().map(|key| key.name));
            says(&unknown, &policy_with(&unknown, json!(1)), &words);
        }
    }
}

#[test]
fn the_keys_of_the_second_edition_at_their_edges() {
    let nine = vec!["00:00-00:01"; 9];
    let many: serde_json::Map<String, Value> = (0..401)
        .map(|n| (format!("{}-01-{:02}", 2000 + n / 28, n % 28 + 1), json!([])))
        .collect();
    for (policy, path, words) in [
        (
            json!({"preset": "kuaishou2023"}),
            "preset",
            ["kuaishou-2023", "was meant"],
        ),
        (
            json!({"preset": "kuaishou-2024"}),
            "preset",
            ["kuaishou-2023", "was meant"],
        ),
        // Words of a choice.
        (
            json!({"routing": {"offline": {"hand_over": "onlne"}}}),
            "routing.offline.hand_over",
            ["keep", "\"online\" was meant"],
        ),
        (
            json!({"routing": {"offline": {"hand_over": true}}}),
            "routing.offline.hand_over",
            ["keep", "online"],
        ),
        (
            json!({"routing": {"queue": {"mode": "off"}}}),
            "routing.queue.mode",
            ["wait", "none"],
        ),
        (
            json!({"routing": {"queue": {"mode": null, "mod": "none"}}}),
            "routing.queue.mod",
            ["no known key", "\"mode\" was meant"],
        ),
        (
            json!({"routing": {"take_back": {"otherwise": "wait"}}}),
            "routing.take_back.otherwise",
            ["stay", "queue"],
        ),
        (
            json!({"hours": {"outside": "closed"}}),
            "hours.outside",
            ["inform", "offline"],
        ),
        (
            json!({"service": {"reply": {"unit": "message"}}}),
            "service.reply.unit",
            ["buyer, round, session", "must be one of"],
        ),
        // Counts and durations.
        (
            json!({"routing": {"take_back": {"max": 1.5}}}),
            "routing.take_back.max",
            ["0 to 1000000", "without a fraction"],
        ),
        (
            json!({"routing": {"take_back": {"max": 1_000_001}}}),
            "routing.take_back.max",
            ["0 to 1000000", "without a fraction"],
        ),
        (
            json!({"routing": {"take_back": {"away_after": -1}}}),
            "routing.take_back.away_after",
            ["0 to 1000000", "without a fraction"],
        ),
        (
            json!({"routing": {"take_back": {"after": "2 m"}}}),
            "routing.take_back.after",
            ["duration", "1h 30m"],
        ),
        (
            json!({"routing": {"priority": {"age": 300}}}),
            "routing.priority.age",
            ["duration", "1h 30m"],
        ),
        (
            json!({"routing": {"priority": {"agee": "5m"}}}),
            "routing.priority.agee",
            ["no known key", "\"age\" was meant"],
        ),
        (
            json!({"routing": {"queue": {"leave_grace": "off"}}}),
            "routing.queue.leave_grace",
            ["duration", "1h 30m"],
        ),
        (
            json!({"routing": {"queue": {"next_prompt": ["您是下一位"]}}}),
            "routing.queue.next_prompt",
            ["must be", "a string"],
        ),
        (
            json!({"session": {"lateness": "3651d"}}),
            "session.lateness",
            ["duration", "3650 days"],
        ),
        (
            json!({"session": {"lateness": 600}}),
            "session.lateness",
            ["duration", "1h 30m"],
        ),
        (
            json!({"session": {"wrapup": "1m"}}),
            "session.wrapup",
            ["no known key", "\"wrap_up\" was meant"],
        ),
        (
            json!({"session": {"late_reply": true}}),
            "session.late_reply",
            ["duration", "1h 30m"],
        ),
        // Opening hours.
        (
            json!({"hours": {"week": {"monday": ["09:00-12:00"]}}}),
            "hours.week.monday",
            ["weekday", "mon, tue"],
        ),
        (
            json!({"hours": {"week": {"Mon": ["09:00-12:00"]}}}),
            "hours.week.Mon",
            ["weekday", "mon, tue"],
        ),
        (
            json!({"hours": {"week": {"mon": "09:00-12:00"}}}),
            "hours.week.mon",
            ["an array of intervals", "09:00-12:00"],
        ),
        (
            json!({"hours": {"week": {"mon": [["09:00", "12:00"]]}}}),
            "hours.week.mon",
            ["an array of intervals", "09:00-12:00"],
        ),
        (
            json!({"hours": {"week": {"mon": ["9:00-12:00"]}}}),
            "hours.week.mon",
            ["an array of intervals", "09:00-12:00"],
        ),
        (
            json!({"hours": {"week": {"mon": ["09:00-24:01"]}}}),
            "hours.week.mon",
            ["an array of intervals", "09:00-12:00"],
        ),
        (
            json!({"hours": {"week": {"mon": ["09:00–12:00"]}}}),
            "hours.week.mon",
            ["an array of intervals", "09:00-12:00"],
        ),
        (
            json!({"hours": {"week": {"mon": ["09:00"]}}}),
            "hours.week.mon",
            ["an array of intervals", "09:00-12:00"],
        ),
        (
            json!({"hours": {"week": {"mon": ["09:00-09:00"]}}}),
            "hours.week.mon",
            ["an array of intervals", "earlier than the second"],
        ),
        (
            json!({"hours": {"week": {"mon": ["22:00-06:00"]}}}),
            "hours.week.mon",
            ["an array of intervals", "earlier than the second"],
        ),
        (
            json!({"hours": {"week": {"mon": ["24:00-24:00"]}}}),
            "hours.week.mon",
            ["an array of intervals", "earlier than the second"],
        ),
        (
            json!({"hours": {"week": {"mon": ["09:00-12:00", "11:59-18:00"]}}}),
            "hours.week.mon",
            ["in order", "before the one before it ends"],
        ),
        (
            json!({"hours": {"week": {"mon": ["13:00-18:00", "09:00-12:00"]}}}),
            "hours.week.mon",
            ["in order", "before the one before it ends"],
        ),
        (
            json!({"hours": {"week": {"mon": ["09:00-18:00", "09:00-18:00"]}}}),
            "hours.week.mon",
            ["in order", "before the one before it ends"],
        ),
        (
            json!({"hours": {"week": {"mon": nine}}}),
            "hours.week.mon",
            ["at most 8", "intervals"],
        ),
        (
            json!({"hours": {"days": {"2026-02-29": []}}}),
            "hours.days.2026-02-29",
            ["YYYY-MM-DD", "2000 to 2099"],
        ),
        (
            json!({"hours": {"days": {"10-01": []}}}),
            "hours.days.10-01",
            ["YYYY-MM-DD", "2000 to 2099"],
        ),
        (
            json!({"hours": {"days": {"2026-10-1": []}}}),
            "hours.days.2026-10-1",
            ["YYYY-MM-DD", "2000 to 2099"],
        ),
        (
            json!({"hours": {"days": {"1999-12-31": []}}}),
            "hours.days.1999-12-31",
            ["YYYY-MM-DD", "2000 to 2099"],
        ),
        (
            json!({"hours": {"days": {"2100-01-01": []}}}),
            "hours.days.2100-01-01",
            ["YYYY-MM-DD", "2000 to 2099"],
        ),
        (
            json!({"hours": {"days": {"2026-10-01": "closed"}}}),
            "hours.days.2026-10-01",
            ["an array of intervals", "09:00-12:00"],
        ),
        (
            json!({"hours": {"days": {"2026-10-01": ["10:00-16:00", "15:00-18:00"]}}}),
            "hours.days.2026-10-01",
            ["in order", "before the one before it ends"],
        ),
        (
            json!({"hours": {"days": many}}),
            "hours.days",
            ["at most 400", "days"],
        ),
        // Contradictions.
        (
            json!({"auto_reply": {"closed": {"enabled": true}}}),
            "auto_reply.closed.text",
            ["must not be empty", "enabled"],
        ),
        (
            json!({"auto_reply": {"closed": {"enabled": true, "text": ""}}}),
            "auto_reply.closed.text",
            ["must not be empty", "enabled"],
        ),
        (
            json!({"service": {"good_rate": {"from": "23:00", "to": "08:00"}}}),
            "service.good_rate.to",
            ["must be later than", "service.good_rate.from"],
        ),
        (
            json!({"service": {"good_rate": {"from": "08:00", "to": "08:00"}}}),
            "service.good_rate.to",
            ["must be later than", "service.good_rate.from"],
        ),
        (
            json!({"service": {"good_rate": {"from": "24:00"}}}),
            "service.good_rate.from",
            ["00:00", "23:59"],
        ),
        (
            json!({"service": {"good_rate": {"to": "00:00"}}}),
            "service.good_rate.to",
            ["00:01", "24:00"],
        ),
        (
            json!({"preset": "kuaishou-2023", "service": {"good_rate": {"to": "08:00"}}}),
            "service.good_rate.to",
            ["must be later than", "service.good_rate.from"],
        ),
    ] {
        refused(path, &policy, &words);
    }
}

#[test]
fn the_edges_themselves_are_taken() {
    let eight = [
        "00:00-03:00",
        "03:00-06:00",
        "06:00-09:00",
        "09:00-12:00",
        "12:00-15:00",
        "15:00-18:00",
        "18:00-21:00",
        "21:00-24:00",
    ];
    let days: serde_json::Map<String, Value> = (0..400)
        .map(|n| (format!("{}-01-{:02}", 2000 + n / 28, n % 28 + 1), json!([])))
        .collect();
    for policy in [
        json!({"hours": {"week": {"mon": eight}, "days": {"2026-10-01": [], "2000-01-01": ["00:00-00:01"], "2099-12-31": ["23:59-24:00"]}}}),
        json!({"hours": {"week": {"mon": [], "tue": null}, "days": days}}),
        json!({"routing": {"take_back": {"after": "3650d", "max": 0, "away_after": 1_000_000}, "priority": {"age": "3650d"}}}),
        json!({"routing": {"queue": {"mode": "none", "leave_grace": "1ms", "next_prompt": ""}, "offline": {"hand_over": "online"}}}),
        json!({"session": {"wrap_up": "0s", "late_reply": "3650d", "lateness": "0s"}}),
        json!({"auto_reply": {"closed": {"enabled": false, "text": ""}}}),
        json!({"service": {"reply": {"unit": "round", "in_hours": true}, "good_rate": {"from": "23:59", "to": "24:00"}, "daily": true}}),
    ] {
        accepted(&line(&format!(
            r#""type":"shop.configured","policy":{policy}"#
        )));
    }
}
