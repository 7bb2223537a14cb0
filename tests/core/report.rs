//! The report of a range of days (contract, section 5): what lies wholly outside is left out, and totals are of all time.

use crate::support::player::Player;
use serde_json::{Value, json};
use xiaoer::domain::base::calendar::{Day, DayRange};
use xiaoer::domain::read::report::{report, report_of};

/// A Sunday, the Monday after it, and the Tuesday, which begins a month.
const DAYS: [&str; 3] = ["2026-11-29", "2026-11-30", "2026-12-01"];

/// Every day a buyer comes, writes, is answered and rates. Somebody else is only there.
fn three_days() -> Player {
    let mut player = Player::default();
    let mut play = |day: &str, time: &str, event: Value| {
        let mut event = event;
        event["at"] = json!(format!("{day}T{time}+08:00"));
        let played = player.play(&event.to_string()).written();
        assert!(
            played.iter().all(|made| made["type"] != "event.rejected"),
            "{played:?}"
        );
    };
    play(
        DAYS[0],
        "08:00:00",
        json!({"type": "shop.configured", "policy": {"rating": {"window": "0s"}}}),
    );
    for agent in ["anna", "bo"] {
        play(
            DAYS[0],
            "08:00:00",
            json!({"type": "agent.configured", "agent": agent}),
        );
    }
    play(
        DAYS[0],
        "08:00:00",
        json!({"type": "agent.online", "agent": "anna"}),
    );
    play(
        DAYS[0],
        "08:00:00",
        json!({"type": "agent.away", "agent": "bo"}),
    );
    play(
        DAYS[0],
        "09:00:00",
        json!({"type": "agent.offline", "agent": "bo"}),
    );
    for (n, day) in DAYS.iter().enumerate() {
        let session = format!("s{n}");
        for (time, event) in [
            (
                "10:00:00",
                json!({"type": "session.opened", "session": session, "buyer": "b1"}),
            ),
            (
                "10:00:10",
                json!({"type": "buyer.message", "session": session}),
            ),
            (
                "10:00:20",
                json!({"type": "agent.message", "session": session}),
            ),
            (
                "10:00:30",
                json!({"type": "rating.submitted", "session": session, "stars": 3}),
            ),
            (
                "10:00:40",
                json!({"type": "session.closed", "session": session, "by": "agent"}),
            ),
        ] {
            play(day, time, event);
        }
    }
    player
}

/// The keys of an object of the report.
fn keys(object: &Value) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

#[test]
fn what_lies_wholly_outside_is_left_out() {
    let player = three_days();
    let shop = player.installation.shop("default").expect("the shop");
    let whole = serde_json::to_value(report(shop)).expect("JSON");
    for (from, to, days, weeks, months) in [
        (
            "",
            "",
            &DAYS[..],
            &["2026-W48", "2026-W49"][..],
            &["2026-11", "2026-12"][..],
        ),
        (
            "2026-11-29",
            "2026-12-01",
            &DAYS,
            &["2026-W48", "2026-W49"],
            &["2026-11", "2026-12"],
        ),
        (
            "2026-11-30",
            "",
            &DAYS[1..],
            &["2026-W49"],
            &["2026-11", "2026-12"],
        ),
        ("", "2026-11-29", &DAYS[..1], &["2026-W48"], &["2026-11"]),
        (
            "2026-11-30",
            "2026-11-30",
            &DAYS[1..2],
            &["2026-W49"],
            &["2026-11"],
        ),
        ("2026-12-02", "2026-12-02", &[], &["2026-W49"], &["2026-12"]),
        ("2026-12-07", "2026-12-31", &[], &[], &["2026-12"]),
        ("2027-01-01", "", &[], &[], &[]),
        ("", "2026-10-31", &[], &[], &[]),
    ] {
        let range = DayRange {
            from: Day::parse(from).unwrap_or(DayRange::ALL.from),
            to: Day::parse(to).unwrap_or(DayRange::ALL.to),
        };
        let report = serde_json::to_value(report_of(shop, range)).expect("JSON");
        for place in [&report, &report["agents"]["anna"], &report["desk"]] {
            assert_eq!(keys(&place["days"]), days, "{from} to {to}: {place}");
            assert_eq!(keys(&place["weeks"]), weeks, "{from} to {to}");
            assert_eq!(keys(&place["months"]), months, "{from} to {to}");
        }
        // A week that begins before the range is whole.
        for (period, kept) in report["weeks"].as_object().expect("weeks") {
            assert_eq!(kept, &whole["weeks"][period], "{from} to {to}");
        }
        for total in ["sessions", "waits", "invites"] {
            assert_eq!(report[total], whole[total], "{from} to {to}");
        }
        let anna = &report["agents"]["anna"];
        assert_eq!(anna["assigned"], 3, "{from} to {to}");
        assert_eq!(anna["mean_stars"], 3, "{from} to {to}");
        // Who has a sheet is there, whatever the range.
        assert_eq!(keys(&report["agents"]), ["anna", "bo"], "{from} to {to}");
    }
    assert_eq!(
        whole["agents"]["bo"]["days"],
        json!({"2026-11-29": {"time": {"online": 0, "away": 3600, "full": 0}}})
    );
}
