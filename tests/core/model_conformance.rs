//! The model of the rules (`tests/model`) is held against the scenarios of the rules' second edition.
//!
//! They are in `../shared/conformance-2`, or where `XIAOER_SHARED` says, and are not shipped. Without them this test
//! checks nothing.

use std::path::Path;

use crate::model::Model;
use crate::support::compare::{first_difference, same};
use crate::support::shared::shared;
use serde_json::Value;

#[test]
fn the_model_comes_to_what_every_scenario_expects() {
    let Some(folder) = shared("conformance-2") else {
        println!("conformance scenarios of the second edition not found: this test is skipped");
        return;
    };
    let names = crate::conformance::scenarios(&folder);
    assert!(!names.is_empty(), "{} holds no scenarios", folder.display());
    let failures: Vec<String> = names
        .iter()
        .filter_map(|name| check(&folder, name).err())
        .collect();
    let (failed, all) = (failures.len(), names.len());
    assert!(
        failures.is_empty(),
        "{failed} of {all} scenarios fail:\n{}",
        failures.join("\n")
    );
}

/// The decisions, and the report where one is expected.
fn check(folder: &Path, name: &str) -> Result<(), String> {
    let read = |name: String| {
        std::fs::read_to_string(folder.join(&name)).map_err(|error| format!("{name}: {error}"))
    };
    let trace = read(format!("{name}.jsonl"))?;
    let expected = read(format!("{name}.expected.jsonl"))?;
    let expected: Result<Vec<Value>, _> = expected
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(serde_json::from_str)
        .collect();
    let expected = expected.map_err(|error| format!("{name}.expected.jsonl: {error}"))?;
    let mut model = Model::new();
    let mut actual = Vec::new();
    for line in trace.lines() {
        actual.extend(model.line(line)?);
    }
    if let Some(difference) = first_difference(&expected, &actual) {
        return Err(format!("{name}, {difference}"));
    }
    let report = format!("{name}.report.json");
    if !folder.join(&report).exists() {
        return Ok(());
    }
    let wanted: Value = serde_json::from_str(&read(report)?).map_err(|error| error.to_string())?;
    let actual = model.report();
    if same(&wanted, &actual) {
        return Ok(());
    }
    Err(format!(
        "{name}, the reports\n  expected {wanted}\n  actual   {actual}"
    ))
}
