//! The conformance scenarios: expected decisions and reports of traces, derived from the rules by hand.
//!
//! They are in `../shared/conformance-2`, or where `XIAOER_SHARED` says, and are not shipped. Without them these tests
//! check nothing.

use std::path::Path;

use crate::support::compare::{first_difference, first_difference_of};
use crate::support::player::Player;
use crate::support::shared::shared;
use serde_json::{Value, json};
use xiaoer::domain::policy::Policy;

#[test]
fn every_scenario_comes_to_what_is_expected() {
    let Some(folder) = shared("conformance-2") else {
        println!("conformance scenarios not found: this test is skipped");
        return;
    };
    let scenarios = scenarios(&folder);
    assert!(
        !scenarios.is_empty(),
        "{} holds no scenarios",
        folder.display()
    );
    let failures: Vec<String> = scenarios
        .iter()
        .filter_map(|name| check(&folder, name).err())
        .collect();
    let (failed, all) = (failures.len(), scenarios.len());
    assert!(
        failures.is_empty(),
        "{failed} of {all} scenarios fail:\n{}",
        failures.join("\n")
    );
}

/// With all that is new set to what it was, the decisions are those of the first edition. Reasons and comments of
/// ratings are new.
#[test]
fn the_first_edition_is_decided_as_it_was() {
    let Some(folder) = shared("conformance") else {
        println!("scenarios of the first edition not found: this test is skipped");
        return;
    };
    for name in scenarios(&folder) {
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file");
        let (trace, expected) = (
            read(&format!("{name}.jsonl")),
            read(&format!("{name}.expected.jsonl")),
        );
        let parsed = |line| serde_json::from_str::<Value>(line).expect("JSON");
        let expected: Vec<Value> = lines(&expected).map(parsed).collect();
        let mut player = Player::default();
        let mut actual: Vec<Value> = lines(&trace)
            .flat_map(|line| player.play(&as_it_was(line)).written())
            .collect();
        for decision in actual.iter_mut().filter_map(Value::as_object_mut) {
            decision.remove("reasons");
            decision.remove("comment");
        }
        let difference = first_difference(&expected, &actual);
        assert!(difference.is_none(), "{name}, {difference:?}");
    }
}

/// An event whose policy, if it is valid, has the values of the first edition for all that is new.
fn as_it_was(line: &str) -> String {
    let Ok(mut event) = serde_json::from_str::<Value>(line) else {
        return line.to_owned();
    };
    if !event["policy"].is_object() || Policy::parse(&event["policy"]).is_err() {
        return line.to_owned();
    }
    let policy = &mut event["policy"];
    for (path, value) in [
        ("routing/queue/next_prompt", json!("")),
        ("session/lateness", json!("0s")),
        ("invite/quiet_after_opening", json!(true)),
        ("service/reply/effective_bot", json!(false)),
        ("service/reply/min_sample", json!(null)),
        ("service/daily", json!(false)),
    ] {
        let mut at = &mut *policy;
        for key in path.split('/') {
            if at[key].is_null() {
                at[key] = json!({});
            }
            at = &mut at[key];
        }
        *at = value;
    }
    // A preset's own minimum is not left out by `null`.
    if policy["preset"] == "pinduoduo" {
        let service = &policy["service"]["min_sample"];
        let min_sample = if service.is_null() {
            json!(20)
        } else {
            service.clone()
        };
        policy["service"]["reply"]["min_sample"] = min_sample;
    }
    event.to_string()
}

/// The names of the scenarios: of every trace that is not an expectation itself.
pub fn scenarios(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a readable folder");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let names = names.filter_map(|name| Some(name.strip_suffix(".jsonl")?.to_owned()));
    let mut names: Vec<String> = names.filter(|name| !name.ends_with(".expected")).collect();
    names.sort();
    names
}

fn check(folder: &Path, name: &str) -> Result<(), String> {
    let read = |name: &str| {
        std::fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"))
    };
    let (trace, expected) = (
        read(&format!("{name}.jsonl"))?,
        read(&format!("{name}.expected.jsonl"))?,
    );
    let expected: Result<Vec<Value>, _> = lines(&expected).map(serde_json::from_str).collect();
    let expected = expected.map_err(|error| format!("{name}.expected.jsonl: {error}"))?;
    let mut player = Player::default();
    let actual: Vec<Value> = lines(&trace)
        .flat_map(|line| player.play(line).written())
        .collect();
    if let Some(difference) = first_difference(&expected, &actual) {
        return Err(format!("{name}, {difference}"));
    }
    let Ok(report) = read(&format!("{name}.report.json")) else {
        return Ok(());
    };
    let report = serde_json::from_str(&report).map_err(|error| format!("{name}: {error}"))?;
    match first_difference_of(&report, &player.report()) {
        None => Ok(()),
        Some(difference) => Err(format!("{name}, the report at {difference}")),
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}
