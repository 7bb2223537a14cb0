//! The sample days: the shipped one equals the generated one and replays without a rejection, the bytes of a seed stay,
//! and each day exercises its rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use xiaoer::domain::base::deterministic_draw::draw;
use xiaoer::domain::installation::Installation;
use xiaoer::explain_text::{self, Highlights, Language};
use xiaoer::replay::replay;
use xiaoer::sample::{SampleDay, write};

const SHIPPED: &str = include_str!("../../data/sample-day.jsonl");

/// A trace for strangers to download and look at: not more than this.
const SHIPPED_BYTES_MAX: usize = 600_000;

fn sample(seed: u64, days: u64) -> String {
    sample_of(SampleDay::Promotion, seed, days)
}

fn sample_of(day: SampleDay, seed: u64, days: u64) -> String {
    let mut trace = Vec::new();
    write(day, seed, days, &mut trace).unwrap();
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

/// Figures elsewhere rest on the bytes of these days. A change of them is a decision.
#[test]
fn the_bytes_of_a_seed_stay() {
    for (day, seed, length, hash) in [
        (SampleDay::Promotion, 7, 407_782, 6_564_080_258_995_303_792),
        (SampleDay::Holiday, 7, 323_104, 8_378_789_686_134_025_951),
    ] {
        let trace = sample_of(day, seed, 1);
        assert_eq!(
            (trace.len(), draw(&[&trace])),
            (length, hash),
            "{day:?} {seed}"
        );
        assert_eq!(trace, sample_of(day, seed, 1), "{day:?} {seed}");
        assert_ne!(trace, sample_of(day, seed + 1, 1), "{day:?} {seed}");
    }
}

/// The policy of the promotion names no key of the second edition: its day is decided as before.
#[test]
fn the_policy_of_the_promotion_stays() {
    let event: Value = serde_json::from_str(sample(7, 1).lines().next().unwrap()).unwrap();
    let policy = &event["policy"];
    for new in [
        "/hours",
        "/routing/take_back",
        "/routing/priority",
        "/routing/queue/mode",
        "/routing/queue/leave_grace",
        "/routing/offline/hand_over",
        "/session/wrap_up",
        "/session/late_reply",
        "/session/lateness",
        "/service/daily",
    ] {
        assert_eq!(policy.pointer(new), None, "{new}");
    }
    assert_eq!(policy["preset"], "standard");
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

/// The events and the decisions of the holiday.
fn holiday(seed: u64) -> (Vec<Value>, Vec<Value>) {
    let trace = sample_of(SampleDay::Holiday, seed, 1);
    (lines(&trace), decisions(&trace))
}

/// When each session closed, as text that sorts by time.
fn closes(decisions: &[Value]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let closed = decisions
        .iter()
        .filter(|decision| decision["type"] == "session.closed");
    closed
        .map(|decision| (text(&decision["session"]), text(&decision["at"])))
        .collect()
}

#[test]
fn the_holiday_has_events_and_decisions_of_the_second_edition() {
    for seed in [1, 7] {
        let (events, decisions) = holiday(seed);
        #[rustfmt::skip]
        check_all(&words(&events, &[]), &[
            "agent.ready", "buyer.left", "buyer.returned", "buyer.ranked", "session.ranked", "buyer.blocked",
        ]);
        let found = words(
            &decisions,
            &["reason", "error", "presence", "until", "text"],
        );
        #[rustfmt::skip]
        check_all(&found, &[
            // Opening hours: those of the holiday, and of the day after it.
            "hours.closed 2026-10-01T10:00:00+08:00", "hours.opened 2026-10-01T13:00:00+08:00",
            "hours.closed 2026-10-01T14:00:00+08:00", "hours.opened 2026-10-01T18:00:00+08:00",
            "hours.closed 2026-10-02T09:00:00+08:00", "hours.opened 2026-10-02T22:00:00+08:00",
            "session.queued closed",
            "auto_reply.sent 亲，国庆当天 10:00–13:00、14:00–18:00 营业，上班后按先后顺序回复",
            // Take-back, and the hand-over when somebody comes.
            "session.taken_back", "session.assigned no_answer", "session.queued no_answer",
            "agent.presence_set away", "session.assigned offline_handover",
            // Giving up, and buyers whom the shop does not serve.
            "session.closed abandoned", "session.closed blocked", "event.rejected buyer_blocked",
            "score.day",
        ]);
        let rejected = decisions
            .iter()
            .filter(|decision| decision["type"] == "event.rejected");
        for rejected in rejected {
            assert_eq!(
                rejected["error"], "buyer_blocked",
                "seed {seed}: {rejected}"
            );
        }
    }
}

/// With a priority, a session leaves its pool before one that was queued earlier (R11).
#[test]
fn a_buyer_with_a_priority_is_served_before_others_on_the_holiday() {
    let (_, decisions) = holiday(7);
    let mut waiting: Vec<(&str, &str, u64)> = Vec::new();
    let mut overtakes = 0;
    for decision in &decisions {
        let session = decision["session"].as_str().unwrap_or_default();
        let place = waiting.iter().position(|&(waiting, ..)| waiting == session);
        match decision["type"].as_str().unwrap() {
            "session.queued" => {
                let priority = decision["priority"].as_u64().unwrap_or(0);
                waiting.push((session, decision["pool"].as_str().unwrap(), priority));
            }
            "session.assigned" | "session.closed" => {
                let Some(place) = place else { continue };
                let (_, pool, priority) = waiting.remove(place);
                let earlier = waiting[..place].iter();
                let lower = |&&(_, of, rank): &&(&str, &str, u64)| of == pool && rank < priority;
                if decision["reason"] == "queue" && earlier.filter(lower).count() > 0 {
                    overtakes += 1;
                }
            }
            _ => {}
        }
    }
    assert!(overtakes > 0);
}

/// An answer after the close is accepted (S10), and so is an event that comes late (T1).
#[test]
fn answers_after_the_close_and_late_events_are_accepted_on_the_holiday() {
    let (events, decisions) = holiday(7);
    let closed = closes(&decisions);
    let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let answers = events
        .iter()
        .filter(|event| event["type"] == "agent.message");
    let after = answers.filter(|event| {
        closed
            .get(&text(event, "session"))
            .is_some_and(|at| *at < text(event, "at"))
    });
    assert!(after.count() > 0);
    let late = events
        .windows(2)
        .filter(|pair| text(&pair[1], "at") < text(&pair[0], "at"));
    assert!(late.count() > 0);
}

/// An agent that is ready gives its place to the buyer who waits (S8): who then gets it was not served at the close.
#[test]
fn an_agent_that_is_ready_gets_the_next_buyer_on_the_holiday() {
    let trace = sample_of(SampleDay::Holiday, 7, 1);
    let mut installation = Installation::default();
    let mut served = 0;
    let mut taken = 0;
    for line in trace.lines() {
        let mut written = Vec::new();
        replay(&mut installation, line.as_bytes(), &mut written, |_| ()).unwrap();
        if line.contains("\"agent.ready\"") {
            taken += 1;
            served +=
                usize::from(String::from_utf8_lossy(&written).contains("\"reason\":\"queue\""));
        }
    }
    assert!(served > 0 && taken > served, "{served} of {taken}");
}

#[test]
fn the_report_of_the_holiday_has_the_agents_day_in_both_languages() {
    let trace = sample_of(SampleDay::Holiday, 7, 1);
    let mut installation = Installation::default();
    replay(&mut installation, trace.as_bytes(), &mut Vec::new(), |_| ()).unwrap();
    let report = installation.report().remove("default").unwrap();
    let service = &installation.shop("default").unwrap().policy().service;
    for (language, words) in [
        (
            Language::English,
            [
                "Agents on 2026-10-01",
                "reply rate  first answer  each answer  cards rated  good rate",
                "buyers left the queue",
            ],
        ),
        (
            Language::Chinese,
            ["2026-10-01 客服", "回复率  首次响应", "位买家，平均等了"],
        ),
    ] {
        let text = explain_text::summary(&report, service, &Highlights::default(), language);
        for word in words {
            assert!(text.contains(word), "{text} does not say {word}");
        }
    }
}

/// The summary says what the reply rate counts, and which ratings are judged.
#[test]
fn a_summary_names_the_unit_and_the_judged_ratings() {
    let trace = sample_of(SampleDay::Holiday, 7, 1);
    for (unit, words) in [
        ("round", [" rounds, ", "；咨询 "]),
        (
            "session",
            [" in their first round; ", " 个首轮等 3 分钟还没回复；"],
        ),
    ] {
        let reply = format!(r#""in_hours":true,"unit":"{unit}""#);
        let trace = trace.replacen(r#""in_hours":true"#, &reply, 1);
        let trace = trace.replacen(r#""good_rate":{"#, r#""good_rate":{"from":"12:00","#, 1);
        let mut installation = Installation::default();
        replay(&mut installation, trace.as_bytes(), &mut Vec::new(), |_| ()).unwrap();
        let report = installation.report().remove("default").unwrap();
        let service = &installation.shop("default").unwrap().policy().service;
        let judged = [" ratings are judged; ", " 个计入；"];
        for (at, language) in [Language::English, Language::Chinese]
            .into_iter()
            .enumerate()
        {
            let text = explain_text::summary(&report, service, &Highlights::default(), language);
            for word in [words[at], judged[at]] {
                assert!(text.contains(word), "{text} does not say {word}");
            }
        }
    }
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
    let holiday = sample_of(SampleDay::Holiday, 7, 1).into_bytes();
    let promotion = xiaoer(&["sample", "--seed", "1", "--day", "promotion"]);
    assert_eq!(promotion, (Some(0), SHIPPED.into()));
    assert_eq!(
        xiaoer(&["sample", "--seed", "7", "--day", "holiday"]),
        (Some(0), holiday)
    );
}

#[test]
fn the_command_refuses_what_it_cannot_do() {
    for (arguments, status) in [
        (&["sample"][..], 2),
        (&["sample", "--seed", "x"], 2),
        (&["sample", "--seed", "1", "--day", "monday"], 2),
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
