//! The sample: the shipped day equals the generated one, replays without a rejection, and exercises every rule.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use xiaoer::domain::installation::Installation;
use xiaoer::replay::replay;
use xiaoer::sample::write;

const SHIPPED: &str = include_str!("../../data/sample-day.jsonl");

/// A trace for strangers to download and look at: not more than this.
const SHIPPED_BYTES_MAX: usize = 600_000;

fn sample(seed: u64, days: u64) -> String {
    let mut trace = Vec::new();
    write(seed, days, &mut trace).unwrap();
    String::from_utf8(trace).unwrap()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn decisions(trace: &str) -> Vec<Value> {
    let mut decisions = Vec::new();
    let mut installation = Installation::default();
    replay(&mut installation, trace.as_bytes(), &mut decisions, |_| ()).unwrap();
    lines(&String::from_utf8(decisions).unwrap())
}

/// Every `type`, and with it every text, or text of a list, in one of `fields`: `session.assigned queue`.
fn words(lines: &[Value], fields: &[&str]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for line in lines {
        let name = line["type"].as_str().unwrap();
        words.insert(name.to_owned());
        for field in fields {
            let listed = line[field].as_array().into_iter().flatten();
            for word in listed.chain([&line[field]]).filter_map(Value::as_str) {
                words.insert(format!("{name} {word}"));
            }
        }
    }
    words
}

fn check_all(found: &BTreeSet<String>, wanted: &[&str]) {
    let missing: Vec<_> = wanted
        .iter()
        .filter(|&&word| !found.contains(word))
        .collect();
    assert!(missing.is_empty(), "the sample lacks {missing:?}");
}

fn xiaoer(arguments: &[&str]) -> (Option<i32>, Vec<u8>) {
    let program = env!("CARGO_BIN_EXE_xiaoer");
    let output = Command::new(program).args(arguments).output().unwrap();
    (output.status.code(), output.stdout)
}

#[test]
fn the_shipped_day_is_seed_1() {
    assert!(
        SHIPPED == sample(1, 1),
        "run `xiaoer sample --seed 1 --output data/sample-day.jsonl`"
    );
    assert!(SHIPPED.len() <= SHIPPED_BYTES_MAX);
    assert!((2000..=4000).contains(&SHIPPED.lines().count()));
}

#[test]
fn nothing_of_a_sample_is_rejected() {
    for (seed, days) in [(1, 1), (2, 1), (3, 3), (4, 1), (u64::MAX, 1)] {
        for decision in decisions(&sample(seed, days)) {
            assert_ne!(
                decision["type"], "event.rejected",
                "seed {seed}: {decision}"
            );
        }
    }
}

#[test]
fn every_kind_of_event_happens() {
    let found = words(
        &lines(SHIPPED),
        &["kind", "reasons", "by", "entry", "question", "order_status"],
    );
    #[rustfmt::skip]
    check_all(&found, &[
        "shop.configured", "agent.configured", "agent.online", "agent.away", "agent.offline",
        "session.opened live", "session.opened product_detail", "session.opened order_detail",
        "session.opened message", "session.opened 几天发货", "session.opened 发什么快递",
        "session.opened unpaid", "session.opened shipped", "session.handoff shipped",
        "session.transferred 掌柜", "session.closed agent", "session.closed buyer",
        "session.closed system", "buyer.message image", "agent.message auto_reply",
        "agent.message product_card", "agent.message image", "bot.message", "invite.requested",
        "rating.opened", "rating.submitted attitude", "rating.submitted slow", "buyer.flagged", "clock",
    ]);
}

#[test]
fn every_kind_of_decision_is_taken() {
    let fields = [
        "reason",
        "trigger",
        "blocked_by",
        "level",
        "source",
        "metric",
    ];
    let found = words(&decisions(SHIPPED), &fields);
    #[rustfmt::skip]
    check_all(&found, &[
        "session.assigned recent_agent", "session.assigned entry", "session.assigned question",
        "session.assigned order_status", "session.assigned all", "session.assigned scope_offline",
        "session.assigned overflow", "session.assigned queue", "session.assigned offline_rota",
        "session.assigned manual", "session.assigned agent_offline", "session.queued all_busy",
        "session.closed agent", "session.closed buyer", "session.closed system", "session.closed timeout",
        "agent.notified", "auto_reply.sent", "invite.sent auto", "invite.sent manual",
        "invite.blocked bot_session", "invite.blocked close_reason", "invite.blocked buyer_spoke_last",
        "invite.blocked too_short", "invite.blocked suspended", "invite.blocked risk_buyer",
        "invite.blocked not_sampled", "invite.blocked rated_recently", "invite.blocked already_invited",
        "invite.blocked shop_day_cap", "rating.opened auto", "rating.opened buyer",
        "rating.recorded agent", "rating.recorded satisfied", "rating.recorded neutral",
        "rating.recorded disappointed", "rating.refused card_used", "reply.due", "reply.overdue",
        "score.alert good_rate", "score.alert reply_rate", "score.recovered good_rate",
    ]);
}

#[test]
fn agents_answer_late_when_all_come_at_once() {
    let overdue_at = |hour: &str| {
        let decisions = decisions(SHIPPED);
        let overdue = decisions
            .iter()
            .filter(|decision| decision["type"] == "reply.overdue");
        overdue
            .filter(|decision| decision["at"].as_str().unwrap()[11..].starts_with(hour))
            .count()
    };
    assert!(overdue_at("20:") > 10 * overdue_at("15:"));
}

#[test]
fn some_give_up_waiting_and_some_wait_too_long() {
    let decisions = decisions(SHIPPED);
    for reason in ["buyer", "timeout"] {
        let unserved = decisions.iter().any(|decision| {
            decision["type"] == "session.closed"
                && decision["agent"].is_null()
                && decision["reason"] == reason
        });
        assert!(unserved, "{reason}");
    }
}

#[test]
fn every_session_is_closed_by_the_end() {
    let of = |name| {
        let taken = decisions(SHIPPED);
        let taken = taken
            .into_iter()
            .filter(move |decision| decision["type"] == name);
        taken
            .map(|decision| decision["session"].to_string())
            .collect::<BTreeSet<_>>()
    };
    let opened = SHIPPED.matches("\"session.opened\"").count();
    assert_eq!(of("session.closed").len(), opened);
}

#[test]
fn another_seed_is_another_day() {
    assert_eq!(sample(7, 1), sample(7, 1));
    assert_ne!(sample(7, 1), sample(8, 1));
}

#[test]
fn three_days_are_three_days() {
    let trace = sample(1, 3);
    for day in ["2026-11-10", "2026-11-11", "2026-11-12"] {
        let opened = lines(&trace)
            .into_iter()
            .filter(|event| event["type"] == "session.opened");
        let of_day = opened.filter(|event| event["at"].as_str().unwrap().starts_with(day));
        assert!(of_day.count() > 200, "{day}");
    }
    assert!(trace.ends_with("{\"at\":\"2026-11-13T10:30:00+08:00\",\"type\":\"clock\"}\n"));
}

#[test]
fn the_command_writes_to_standard_output_or_to_a_file() {
    assert_eq!(
        xiaoer(&["sample", "--seed", "1"]),
        (Some(0), SHIPPED.into())
    );
    let file = format!(
        "{}/sample-of-the-command.jsonl",
        env!("CARGO_TARGET_TMPDIR")
    );
    assert_eq!(
        xiaoer(&["sample", "--seed", "1", "--output", &file]),
        (Some(0), Vec::new())
    );
    assert!(std::fs::read_to_string(file).unwrap() == SHIPPED);
}

#[test]
fn the_command_refuses_what_it_cannot_do() {
    for (arguments, status) in [
        (&["sample"][..], 2),
        (&["sample", "--seed", "x"], 2),
        (&["sample", "--seed", "1", "--days", "0"], 2),
        (&["sample", "--seed", "1", "--days", "367"], 2),
        (
            &["sample", "--seed", "1", "--output", "/nowhere/at/all.jsonl"],
            1,
        ),
    ] {
        assert_eq!(xiaoer(arguments).0, Some(status), "{arguments:?}");
    }
}
