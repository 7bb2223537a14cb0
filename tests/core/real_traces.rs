//! The traces of two real service desks: the invariants hold, and the model agrees.
//!
//! They are in `../shared/data`, or where `XIAOER_SHARED` says, and are not shipped. Without them this test checks
//! nothing. A test build does not audit the longer trace after every event, to save time. This command does:
//!
//! ```text
//! cargo test --release --test core real_traces::
//! ```

use crate::model::Model;
use crate::support::compare::{first_difference, same};
use crate::support::player::Player;
use crate::support::shared::shared;
use crate::support::watch::Watch;
use xiaoer::domain::installation::Installation;
use xiaoer::replay::replay;

/// A trace, and how closely it is looked at: an audit scans the whole shop.
struct Trace {
    name: &'static str,
    /// After each of the first events the shop is audited.
    audited_first: usize,
    /// From there on, after every so many events.
    audited_every: usize,
}

const TRACES: [Trace; 2] = [
    Trace {
        name: "callcentre-day.jsonl",
        audited_first: usize::MAX,
        audited_every: 1,
    },
    Trace {
        name: "livechat-february.jsonl",
        audited_first: if QUICK { 12_000 } else { usize::MAX },
        audited_every: 10,
    },
];

const QUICK: bool = cfg!(debug_assertions);

#[test]
fn the_invariants_hold_after_every_event() {
    for (trace, text) in texts() {
        let mut watch = Watch::default();
        for (number, line) in text.lines().enumerate() {
            let audit = number < trace.audited_first || number % trace.audited_every == 0;
            if let Err(broken) = watch.play(line, audit) {
                panic!("{}, line {}: {broken}\n{line}", trace.name, number + 1);
            }
        }
        assert!(
            watch.assignments_checked > 1000,
            "{}: nearly nothing was checked",
            trace.name
        );
    }
}

#[test]
fn the_same_trace_gives_the_same_bytes() {
    for (trace, text) in texts() {
        let run = || {
            let (mut installation, mut bytes) = (Installation::default(), Vec::new());
            let progress = replay(&mut installation, text.as_bytes(), &mut bytes, |_| {});
            let report = serde_json::to_string(&installation.report()).expect("a report is JSON");
            (progress.expect("a whole trace"), bytes, report)
        };
        assert!(
            run() == run(),
            "{} is not replayed the same way twice",
            trace.name
        );
    }
}

#[test]
fn the_model_decides_the_same() {
    for (trace, text) in texts() {
        let (mut model, mut player) = (Model::new(), Player::default());
        for (number, line) in text.lines().enumerate() {
            let expected = model.line(line).expect("a JSON object");
            let actual = player.play(line).written();
            if let Some(difference) = first_difference(&expected, &actual) {
                panic!("{}, line {}, {line}\n{difference}", trace.name, number + 1);
            }
        }
        let (expected, actual) = (model.report(), player.report());
        assert!(
            same(&expected, &actual),
            "{}:
{expected}
{actual}",
            trace.name
        );
    }
}

/// The traces that are there.
fn texts() -> Vec<(Trace, String)> {
    let mut texts = Vec::new();
    for trace in TRACES {
        match shared(&format!("data/{}", trace.name)) {
            Some(path) => texts.push((
                trace,
                std::fs::read_to_string(path).expect("a readable trace"),
            )),
            None => println!("{} not found: this test is skipped", trace.name),
        }
    }
    texts
}
