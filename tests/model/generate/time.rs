//! The time steps of a generated trace: often zero, often exactly the end of a window.

use super::dice::Dice;
use super::view::View;
use crate::model::value::{HOUR_MS, MINUTE_MS, Ms, SECOND_MS, instant};

const GRID_MS: Ms = 10 * SECOND_MS;

/// Shortly before something happens to somebody's calendar.
const STARTS: [&str; 11] = [
    "2026-11-16T15:57:00Z",
    "2026-11-16T02:00:00Z",
    "2026-11-10T12:00:00Z",
    "2026-03-08T05:00:00Z",
    "2026-11-01T04:00:00Z",
    "2026-04-04T12:00:00Z",
    "2026-10-03T12:00:00Z",
    "2026-12-31T12:00:00Z",
    "2028-02-28T12:00:00Z",
    "2024-03-30T18:00:00Z",
    "2020-12-31T15:30:00Z",
];

pub fn start(dice: &mut Dice) -> Ms {
    instant(dice.pick::<&str>(&STARTS)).expect("a good instant")
}

pub fn advance(dice: &mut Dice, shop: &mut View) {
    const STEPS_S: [Ms; 10] = [10, 10, 20, 20, 20, 30, 60, 60, 100, 120];
    const STRIDES_S: [Ms; 6] = [180, 180, 300, 540, 600, 1800];
    let now = shop.now;
    let next = match dice.weighted(&[42, 30, 3, 14, 1, 1, 3, 6, 8]) {
        0 => now,
        1 => now + dice.pick(&STEPS_S) * SECOND_MS,
        2 => now + dice.pick(&STRIDES_S) * SECOND_MS,
        3 => target(dice, shop),
        4 => {
            now + dice.pick(&[
                HOUR_MS,
                HOUR_MS,
                6 * HOUR_MS,
                24 * HOUR_MS,
                7 * 24 * HOUR_MS,
            ])
        }
        5 => (now / (30 * MINUTE_MS) + 1) * 30 * MINUTE_MS - Ms::from(dice.chance(30)),
        6 => now + dice.pick(&[1, 1, 250, 999, 9_999]),
        8 => timer(dice, shop),
        _ => (now / GRID_MS + 1) * GRID_MS,
    };
    shop.now = next.max(now);
}

/// The end of a window, mostly a near one, or a millisecond beside it.
fn target(dice: &mut Dice, shop: &View) -> Ms {
    let reach = [10 * MINUTE_MS, HOUR_MS, Ms::MAX / 2][dice.weighted(&[89, 6, 5])];
    let in_reach = shop.now..=shop.now.saturating_add(reach);
    let ahead: Vec<Ms> = shop
        .targets
        .iter()
        .copied()
        .filter(|at| in_reach.contains(at))
        .collect();
    if ahead.is_empty() {
        return shop.now;
    }
    let target = *dice.pick(&ahead);
    match dice.weighted(&[70, 15, 15]) {
        0 => target,
        1 => target - 1,
        _ => target + 1,
    }
}

/// When the next timer is due, or a millisecond beside it; seldom where that is far.
fn timer(dice: &mut Dice, shop: &View) -> Ms {
    let due = shop.next_timer.unwrap_or(shop.now);
    if due > shop.now + 10 * MINUTE_MS && !dice.chance(6) {
        return shop.now;
    }
    match dice.weighted(&[60, 25, 15]) {
        0 => due,
        1 => due - 1,
        _ => due + 1,
    }
}

/// The instant of an event that comes late: up to `lateness` before now, seldom beyond, often exactly when something
/// happened or a window ended.
pub fn late(dice: &mut Dice, shop: &View) -> Ms {
    let (now, lateness) = (shop.now, shop.lateness);
    let earliest = now - lateness;
    let mut edges: Vec<Ms> = shop.recent.clone();
    for recent in &shop.recent {
        edges.extend(shop.windows.iter().map(|window| recent + window));
    }
    edges.retain(|edge| earliest <= *edge && *edge < now);
    let back = match dice.weighted(&[50, 8, 25, 6, 4, 4, 3]) {
        0 if !edges.is_empty() => now - dice.pick(&edges),
        1 => 1,
        2 => dice.pick(&[5, 10, 20, 30, 60, 100, 200]) * SECOND_MS,
        3 => lateness,
        4 => lateness - 1,
        5 => lateness + 1,
        6 => lateness + HOUR_MS,
        _ => lateness / 2,
    };
    let back = match dice.weighted(&[80, 10, 10]) {
        0 => back,
        1 => back - 1,
        _ => back + 1,
    };
    now - back.max(1)
}

/// An instant in one of its many spellings.
pub fn spelled(dice: &mut Dice, at: Ms) -> String {
    let offset_minutes = *dice.pick(&[0, 0, 480, 480, 480, -300, 330, 630]);
    let local = at + offset_minutes * MINUTE_MS;
    let stamp = jiff::Timestamp::from_millisecond(local).expect("within jiff's years");
    let civil = stamp.strftime("%Y-%m-%dT%H:%M:%S");
    let millis = local.rem_euclid(1000);
    let fraction = match (millis, dice.below(6)) {
        (0, 0) => ".0".to_owned(),
        (0, _) => String::new(),
        (some, 0) => format!(".{some:03}999999"),
        (some, _) => format!(".{some:03}"),
    };
    let zone = match offset_minutes {
        0 if dice.chance(80) => "Z".to_owned(),
        minutes => {
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
    };
    format!("{civil}{fraction}{zone}")
}
