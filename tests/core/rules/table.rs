//! The notation of the rows: a compact trace, and decisions as one line each.
//!
//! A line of a trace is `[time] [@shop] verb words… [field=value…]`. Without a time, the event has the time of the
//! previous line. A time is `10:00`, `10:00:00` or `10:00:00.250` on Monday 2026-11-16 at +08:00, `11-17T10:00` on
//! another day of 2026, or a complete instant. `field=value` sets any field of the event (a value is JSON, or otherwise
//! a string). In `shop standard routing.overflow=true` a field is a path of the policy. A verb with several names
//! (`agents`, `online`) stands for that many events.
//!
//! A line of the result is `time [@shop] what …`. It omits `seq`, because every row checks that they are 1, 2, 3 …
//! without gaps. It has a prompt only if the prompt differs from the policy's default. Instants are shortened as above
//! if possible. `-` is an omitted field.

use expect_test::Expect;
use serde_json::{Map, Value, json};
use xiaoer::domain::explain::decision_sink::DecisionSink;
use xiaoer::domain::installation::Installation;
use xiaoer::domain::read::invariants;
use xiaoer::wire::{Line, WrittenDecision, read_line};

use crate::rules::answer::note;
use crate::rules::trace::events;

/// What came of a trace.
pub struct Played {
    /// The decisions, as the rows write them.
    pub decisions: String,
    installation: Installation,
}

/// One row: a trace, and what must be decided.
#[track_caller]
pub fn check(title: &str, trace: &str, expected: Expect) {
    let played = play(title, trace);
    expected.assert_eq(&played.decisions);
}

/// A row of which only the decisions with one of these words are of interest.
#[track_caller]
pub fn check_of(words: &[&str], title: &str, trace: &str, expected: Expect) {
    let decisions = play(title, trace).decisions;
    let about = |line: &&str| words.iter().any(|word| line.contains(&format!(" {word}")));
    let kept: String = decisions
        .lines()
        .filter(about)
        .map(|line| format!("{line}\n"))
        .collect();
    expected.assert_eq(&kept);
}

/// A row of which only the last `lines` decisions are of interest.
#[track_caller]
pub fn check_last(title: &str, trace: &str, lines: usize, expected: Expect) {
    let decisions = play(title, trace).decisions;
    let skipped = decisions.lines().count().saturating_sub(lines);
    let last: String = decisions
        .lines()
        .skip(skipped)
        .map(|line| format!("{line}\n"))
        .collect();
    expected.assert_eq(&last);
}

/// A row about the report: some of its values by their JSON pointers, below the shop `default`.
#[track_caller]
pub fn check_report(title: &str, trace: &str, pointers: &[&str], expected: Expect) {
    let played = play(title, trace);
    let report = match serde_json::to_value(played.installation.report()) {
        Ok(report) => report,
        Err(error) => panic!("{title}: {error}"),
    };
    let mut text = String::new();
    for pointer in pointers {
        let value = report.pointer(&format!("/default/{pointer}"));
        let value = value.map_or("none".to_owned(), Value::to_string);
        text.push_str(&format!("{pointer} {value}\n"));
    }
    expected.assert_eq(&text);
}

/// Plays a trace; every shop is audited after every event.
#[track_caller]
pub fn play(title: &str, trace: &str) -> Played {
    let mut installation = Installation::default();
    let (mut out, mut decisions) = (DecisionSink::default(), String::new());
    let mut seqs: Map<String, Value> = Map::new();
    let mut time = "10:00".to_owned();
    for line in trace.lines().map(str::trim).filter(|line| !line.is_empty()) {
        for event in events(line, &mut time) {
            match read_line(&event.to_string()) {
                Ok(Line::Event(shop, event)) => {
                    installation.take(&shop, &event, &mut out);
                }
                Ok(Line::Malformed(malformed)) => installation.reject(malformed, &mut out),
                Err(error) => panic!("{title}: {line}: {error}"),
            }
            let shop = event["shop"].as_str().unwrap_or("default");
            for decision in out.decisions.drain(..) {
                let written = match serde_json::to_value(WrittenDecision::new(shop, &decision)) {
                    Ok(written) => written,
                    Err(error) => panic!("{title}: {line}: {error}"),
                };
                check_seq(title, shop, &written, &mut seqs);
                decisions.push_str(&note(&written));
                decisions.push('\n');
            }
            for shop in installation.shops() {
                if let Err(broken) = invariants::audit(shop) {
                    panic!("{title}: after {line}: {broken}");
                }
            }
        }
    }
    Played {
        decisions,
        installation,
    }
}

#[track_caller]
fn check_seq(title: &str, shop: &str, decision: &Value, seqs: &mut Map<String, Value>) {
    let seq = decision["seq"].as_u64().unwrap_or_default();
    let shop_unknown = seq == 0;
    if shop_unknown {
        assert_eq!(decision["type"], "event.rejected", "{title}: {decision}");
        return;
    }
    let before = seqs.get(shop).and_then(Value::as_u64).unwrap_or(0);
    assert_eq!(seq, before + 1, "{title}: seq of {decision}");
    seqs.insert(shop.to_owned(), json!(seq));
}
