//! Compares the program with a naive model of the rules (`tests/model`), decision by decision, on generated traces.
//!
//! Every run includes a short comparison. A longer one takes the seeds `FROM..TO` from the environment:
//!
//! ```text
//! XIAOER_SEEDS=1000..3000 cargo test --release --test core differential::
//! ```
//!
//! A difference is printed with its seed. `XIAOER_SEEDS=SEED..SEED+1` (with numbers) replays it alone.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::model::Model;
use crate::model::generate::{Trace, trace};
use crate::support::compare::{first_difference, first_difference_of, same};
use crate::support::crowd;
use crate::support::player::Player;
use serde_json::{Value, json};

/// Names the seeds of a longer run, `FROM..TO`.
const SEEDS: &str = "XIAOER_SEEDS";

/// The seeds of every run.
const SEEDS_QUICK: Range<u64> = 0..300;

/// How many differences a failure prints.
const DIFFERENCES_SHOWN: usize = 12;

/// How long a trace is, by its seed: most are short, so that there are many shops and policies.
const EVENTS: [u64; 6] = [120, 250, 250, 400, 400, 900];

#[test]
fn the_program_decides_as_the_model_does() {
    let (mut played, mut differ) = (0, Vec::new());
    for seed in seeds(SEEDS_QUICK) {
        let trace = trace(seed, EVENTS[(seed % 6) as usize]);
        played += trace.lines.len();
        if let Err(difference) = compare(&trace) {
            differ.push(format!("seed {seed}, {difference}"));
        }
    }
    assert!(played > 0, "{SEEDS} names no seeds");
    let shown = differ.iter().take(DIFFERENCES_SHOWN).cloned();
    let shown: Vec<String> = shown.collect();
    assert!(
        differ.is_empty(),
        "{} traces differ:\n{}",
        differ.len(),
        shown.join("\n")
    );
}

/// So many buyers that the program lets go of those whom no window reaches, while the model remembers them all.
#[test]
fn forgetting_buyers_makes_no_difference() {
    let lines = crowd::lines();
    let mut model = Model::new();
    let decisions = lines
        .iter()
        .map(|line| model.line(line).expect("a JSON object"))
        .collect();
    let trace = Trace {
        lines,
        decisions,
        report: model.report(),
    };
    let player = compare(&trace).unwrap_or_else(|difference| panic!("{difference}"));
    let taken = trace.decisions.iter().flatten();
    let buyers: BTreeSet<&str> = taken
        .filter_map(|decision| decision["buyer"].as_str())
        .collect();
    let held = player
        .installation
        .shop("default")
        .expect("the shop")
        .held();
    assert!(held.buyers < buyers.len(), "nobody was forgotten: {held:?}");
}

/// The seeds that the environment names, or else these.
pub fn seeds(quick: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var(SEEDS) else {
        return quick;
    };
    let read = |text: &str| text.trim().parse().ok();
    let seeds = text
        .split_once("..")
        .and_then(|(from, to)| Some(read(from)?..read(to)?));
    seeds.unwrap_or_else(|| panic!("{SEEDS} is {text:?}, but should be like 0..1000"))
}

/// Plays a trace on the program; an error tells of the first line whose decisions are not the model's, or of reports
/// that differ.
fn compare(trace: &Trace) -> Result<Player, String> {
    let mut player = Player::default();
    for (number, (line, expected)) in trace.lines.iter().zip(&trace.decisions).enumerate() {
        let actual = player.play(line).written();
        if let Some(difference) = first_difference(expected, &actual) {
            return Err(format!("line {}, {line}\n{difference}", number + 1));
        }
    }
    match first_difference_of(&trace.report, &player.report()) {
        None => Ok(player),
        Some(difference) => Err(format!("the reports at {difference}")),
    }
}

/// A test that cannot fail is a bug: whatever is changed in the model's answers has to be found.
#[test]
fn a_planted_difference_is_found() {
    let seed = 3;
    let assigned = |decision: &Value| decision["type"] == "session.assigned";
    let closed = |decision: &Value| decision["type"] == "session.closed";
    let rejected = |decision: &Value| decision["type"] == "event.rejected";
    type Which = fn(&Value) -> bool;
    type Plant = fn(&mut Vec<Value>, usize);
    let plants: [(&str, Which, Plant); 7] = [
        ("another agent", assigned, |taken, n| {
            taken[n]["agent"] = json!("somebody")
        }),
        ("another seq", closed, |taken, n| {
            taken[n]["seq"] = json!(1_000_000)
        }),
        ("a millisecond", closed, |taken, n| {
            taken[n]["at"] = json!("2026-11-11T10:00:00.001+08:00")
        }),
        ("one more key", closed, |taken, n| {
            taken[n]["more"] = json!(true)
        }),
        ("no message", rejected, |taken, n| {
            taken[n]["message"] = Value::Null
        }),
        ("one too few", closed, |taken, n| drop(taken.remove(n))),
        ("one too many", closed, |taken, n| {
            taken.push(taken[n].clone())
        }),
    ];
    for (what, which, plant) in plants {
        let mut spoilt = trace(seed, 400);
        assert!(compare(&spoilt).is_ok(), "before {what} was planted");
        let taken = spoilt
            .decisions
            .iter_mut()
            .find(|taken| taken.iter().any(which));
        let taken = taken.expect("the trace of this seed has such a decision");
        let place = taken.iter().position(which).expect("it was just found");
        plant(taken, place);
        assert!(
            compare(&spoilt).is_err_and(|found| found.contains("line ")),
            "{what} was not found"
        );
    }
    let mut spoilt = trace(seed, 400);
    spoilt.report["default"]["sessions"]["opened"] = json!(0);
    assert!(compare(&spoilt).is_err_and(|found| found.starts_with("the reports")));
}

#[test]
fn what_is_the_same_and_what_is_not() {
    let rejected = |message: &str| json!({ "error": "policy_invalid", "message": message });
    for (expected, actual, equal) in [
        (
            json!({ "a": 12, "b": 1 }),
            json!({ "b": 1.0, "a": 12.0 }),
            true,
        ),
        (json!({ "a": 12 }), json!({ "a": 12.5 }), false),
        (json!({ "a": null }), json!({}), false),
        (json!({ "a": [1, 2] }), json!({ "a": [2, 1] }), false),
        (json!({ "a": [1] }), json!({ "a": [1, 1] }), false),
        (
            json!({ "at": "2026-11-11T10:00:00+08:00" }),
            json!({ "at": "2026-11-11T02:00:00Z" }),
            true,
        ),
        (
            json!({ "at": "2026-11-11T10:00:00+08:00" }),
            json!({ "at": "2026-11-11T10:00:00Z" }),
            false,
        ),
        (
            json!({ "at": "2026-11-11T10:00:00Z" }),
            json!({ "at": "soon" }),
            false,
        ),
        (
            json!({ "text": "2026-11-11T10:00:00+08:00" }),
            json!({ "text": "2026-11-11T02:00:00Z" }),
            false,
        ),
        (
            json!({ "message": "-" }),
            json!({ "message": "Send it again." }),
            true,
        ),
        (json!({ "message": "-" }), json!({}), false),
        (rejected("a.b: -"), rejected("a.b: no number"), true),
        (rejected("a.b: -"), rejected("a.c: no number"), false),
        (rejected("a.b: -"), rejected("a.b"), false),
    ] {
        assert_eq!(same(&expected, &actual), equal, "{expected} and {actual}");
    }
}
