//! Random opening hours: most of them begin or end shortly after now, some at the wall times that clocks skip or repeat.

use super::dice::Dice;
use super::policies::{object, one_of, some};
use crate::model::calendar::{self, WEEKDAYS};
use crate::model::value::{DAY_MS, HOUR_MS, MINUTE_MS, Ms};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

const MINUTES_OF_DAY: Ms = 24 * 60;

pub fn hours(dice: &mut Dice, now: Ms, zone: &TimeZone) -> Value {
    let mut hours = object();
    let h = &mut hours;
    some(dice, h, 85, "week", |dice| week(dice, now, zone));
    some(dice, h, 40, "days", |dice| days(dice, now, zone));
    some(
        dice,
        h,
        85,
        "outside",
        one_of(&["inform", "offline", "offline"]),
    );
    some(
        dice,
        h,
        40,
        "prompt",
        one_of(&["closed {ahead} {position}", ""]),
    );
    hours
}

fn week(dice: &mut Dice, now: Ms, zone: &TimeZone) -> Value {
    let mut week = object();
    let near: Vec<&str> = [0, DAY_MS]
        .map(|later| calendar::weekday(now + later, zone))
        .to_vec();
    for day in WEEKDAYS {
        match near.contains(&day) {
            true => week[day] = day_list(dice, now, zone),
            false if dice.chance(60) => week[day] = usual_list(dice),
            false => {}
        }
    }
    week
}

fn days(dice: &mut Dice, now: Ms, zone: &TimeZone) -> Value {
    let mut days = object();
    for later in [0, 1, 1, 2, 7, 399, 400, 401] {
        if dice.chance(30) {
            let day = calendar::day(now + later * DAY_MS, zone);
            days[day] = match later {
                0 => day_list(dice, now, zone),
                _ => usual_list(dice),
            };
        }
    }
    days
}

/// Intervals that begin and end around the wall time of now.
fn day_list(dice: &mut Dice, now: Ms, zone: &TimeZone) -> Value {
    if dice.chance(15) {
        return usual_list(dice);
    }
    let minute = calendar::time_of_day(now, zone) / MINUTE_MS;
    let steps = [-600, -30, -1, 0, 1, 1, 2, 3, 5, 8, 12, 20, 45, 120, 600];
    let number = *dice.pick(&[2, 2, 4, 4, 6]);
    let mut ends: Vec<Ms> = (0..number)
        .map(|_| (minute + dice.pick(&steps)).clamp(0, MINUTES_OF_DAY))
        .collect();
    ends.sort_unstable();
    let pairs = ends.chunks(2).filter(|pair| pair[0] < pair[1]);
    json!(
        pairs
            .map(|pair| interval(pair[0], pair[1]))
            .collect::<Vec<_>>()
    )
}

fn usual_list(dice: &mut Dice) -> Value {
    let lists = [
        json!(["00:00-24:00"]),
        json!([]),
        json!(["09:00-12:00", "12:00-18:00"]),
        json!(["01:30-02:30"]),
        json!(["00:00-01:30", "02:00-24:00"]),
        json!(["00:30-23:59"]),
        json!(["22:00-24:00"]),
    ];
    dice.pick(&lists).clone()
}

fn interval(from: Ms, to: Ms) -> String {
    let (from, to) = (from * MINUTE_MS, to * MINUTE_MS);
    let part = |time: Ms| format!("{:02}:{:02}", time / HOUR_MS, time % HOUR_MS / MINUTE_MS);
    format!("{}-{}", part(from), part(to))
}
