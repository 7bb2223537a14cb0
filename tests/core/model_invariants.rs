//! What must hold after every event (rules, last section) holds of the model on the generated traces.

use crate::differential::seeds;
use crate::model::Model;
use crate::model::audit::Audit;
use crate::model::generate::{delayed, messages, trace, trace_as_it_was, watched_trace};
use serde_json::{Value, json};
use std::collections::BTreeSet;
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
        let in_time = messages(seed);
        let late = delayed(seed, &in_time);
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

/// Whatever the contract lists of decisions, reasons, errors and codes.
const WORDS: [(&str, &[&str]); 8] = [
    (
        "type",
        &[
            "session.assigned",
            "session.queued",
            "session.taken_back",
            "session.closed",
            "agent.presence_set",
            "hours.opened",
            "hours.closed",
            "agent.notified",
            "auto_reply.sent",
            "invite.sent",
            "invite.blocked",
            "rating.opened",
            "rating.recorded",
            "rating.refused",
            "reply.due",
            "reply.overdue",
            "score.alert",
            "score.recovered",
            "score.day",
            "event.rejected",
        ],
    ),
    (
        "session.assigned",
        &[
            "recent_agent",
            "recent_agent_unavailable",
            "question",
            "entry",
            "order_status",
            "all",
            "scope_offline",
            "overflow",
            "queue",
            "offline_rota",
            "manual",
            "agent_offline",
            "no_answer",
            "offline_handover",
        ],
    ),
    (
        "session.queued",
        &[
            "all_busy",
            "scope_offline",
            "nobody_online",
            "closed",
            "no_answer",
            "offline_handover",
        ],
    ),
    (
        "session.closed",
        &[
            "agent",
            "buyer",
            "system",
            "timeout",
            "agent_offline",
            "abandoned",
            "blocked",
        ],
    ),
    (
        "rating.refused",
        &[
            "buyer_blocked",
            "session_over",
            "nobody_served",
            "no_contact",
            "rated_recently",
            "card_unknown",
            "card_used",
            "card_expired",
        ],
    ),
    (
        "event.rejected",
        &[
            "malformed",
            "shop_unknown",
            "time_went_back",
            "agent_unknown",
            "session_unknown",
            "session_exists",
            "buyer_in_session",
            "session_closed",
            "not_session_agent",
            "agent_offline",
            "not_with_bot",
            "buyer_blocked",
            "queue_full",
            "policy_invalid",
        ],
    ),
    (
        "invite.blocked",
        &[
            "disabled",
            "bot_session",
            "close_reason",
            "buyer_spoke_last",
            "too_short",
            "suspended",
            "risk_buyer",
            "not_sampled",
            "rated_recently",
            "already_invited",
            "shop_day_cap",
            "buyer_day_cap",
            "no_contact",
        ],
    ),
    ("metric", &["reply_rate", "good_rate", "attitude_rate"]),
];

#[test]
fn the_generated_traces_meet_whatever_may_be_decided() {
    let mut met = BTreeSet::new();
    for seed in SEEDS_QUICK {
        let taken = trace(seed, EVENTS).decisions;
        for decision in taken.iter().flatten() {
            let kind = decision["type"].as_str().expect("a type");
            let one = decision.get("reason").or(decision.get("error"));
            let codes = decision["blocked_by"].as_array().into_iter().flatten();
            for word in codes.chain(one) {
                met.insert(format!("{kind} {}", word.as_str().expect("a word")));
            }
            met.insert(format!("type {kind}"));
            if let Some(metric) = decision.get("metric") {
                met.insert(format!("metric {}", metric.as_str().expect("a word")));
            }
        }
    }
    let words = WORDS
        .iter()
        .flat_map(|(of, words)| words.iter().map(move |word| (of, word)));
    let missing: Vec<String> = words
        .map(|(of, word)| format!("{of} {word}"))
        .filter(|word| !met.contains(word))
        .collect();
    assert!(missing.is_empty(), "never met: {missing:?}");
}

/// Nothing of the second edition is in a trace that is as it was.
#[test]
fn a_trace_as_it_was_has_nothing_new() {
    const NEW: [&str; 7] = [
        "session.taken_back",
        "agent.presence_set",
        "hours.opened",
        "hours.closed",
        "score.day",
        "buyer_blocked",
        "priority",
    ];
    for seed in 0..20 {
        let trace = trace_as_it_was(seed, EVENTS);
        for decision in trace.decisions.iter().flatten().map(Value::to_string) {
            let new = NEW.iter().find(|word| decision.contains(*word));
            assert_eq!(new, None, "{decision}");
        }
    }
}
