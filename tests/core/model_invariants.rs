//! What must hold after every event (rules, last section) holds of the model on the generated traces.

use crate::differential::seeds;
use crate::model::Model;
use crate::model::audit::Audit;
use crate::model::generate::watched_trace;
use serde_json::{Value, json};
use std::ops::Range;

const SEEDS_QUICK: Range<u64> = 0..120;
const EVENTS: u64 = 250;

#[test]
fn every_event_leaves_the_models_shops_in_order() {
    for seed in seeds(SEEDS_QUICK) {
        let mut audit = Audit::default();
        let mut number = 0;
        watched_trace(seed, EVENTS, |model, line, decisions| {
            number += 1;
            if let Err(broken) = audit.look(model, line, decisions) {
                panic!("seed {seed}, line {number}: {broken}\n{line}");
            }
        });
    }
}

/// Messages that come late, in the order of their session's events, leave the counts that they would have had in time.
#[test]
fn late_messages_leave_the_counts_as_in_time() {
    for seed in seeds(SEEDS_QUICK) {
        let in_time = crate::model::generate::messages(seed);
        let late = crate::model::generate::delayed(seed, &in_time);
        assert_ne!(in_time, late, "seed {seed} delays nothing");
        let (wanted, actual) = (counts(&in_time), counts(&late));
        assert_eq!(wanted, actual, "seed {seed}");
    }
}

/// Of M1, M2, M9, M10 and M12: all units, agents and desk.
fn counts(lines: &[String]) -> Value {
    let mut model = Model::new();
    for line in lines {
        let decisions = model.line(line).expect("a JSON object");
        let refused = decisions.iter().find(|one| one["type"] == "event.rejected");
        assert!(refused.is_none(), "{line} is refused: {refused:?}");
    }
    let report = &model.report()["default"];
    let units = ["buyer", "round", "session"].map(|unit| {
        let policy = json!({ "type": "shop.configured", "at": LAST, "policy": {
            "service": { "reply": { "unit": unit, "min_rate": 0 } },
        } });
        model.line(&policy.to_string()).expect("a JSON object");
        model.report()["default"]["days"].clone()
    });
    let sheets = [&report["desk"]["days"], &report["agents"]["anna"]["days"]];
    let of_day = |day: &Value| json!([day["answers"], day["unserved"]]);
    let sheets = sheets.map(|days| {
        let days = days.as_object().expect("days").iter();
        days.map(|(name, day)| json!([name, of_day(day)]))
            .collect::<Vec<_>>()
    });
    json!([units, sheets])
}

/// After everything that `messages` does.
const LAST: &str = "2026-11-20T00:00:00+08:00";
