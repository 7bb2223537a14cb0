//! Arrivals: how many buyers come when, through which entry, and what for.

use super::event_queue::{DAY_S, EventQueue, Moment, ScheduledStep};
use super::seeded_rng::SeededRng;
use super::topic::Topic;
use super::visit::{BuyerVisit, SampleEntry};

/// How many buyers come at some time of the day.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    /// As on other days.
    Usual,
    /// The live stream runs.
    Live,
}

/// From a minute of the day to another: how many buyers come, and how.
const DAY: [(u64, u64, u64, Mood); 15] = [
    (10, 90, 5, Mood::Usual),
    (90, 420, 4, Mood::Usual),
    (420, 510, 4, Mood::Usual),
    (510, 600, 17, Mood::Usual),
    (600, 705, 26, Mood::Usual),
    (705, 740, 22, Mood::Usual),
    (740, 800, 40, Mood::Live),
    (800, 1000, 30, Mood::Usual),
    (1000, 1110, 22, Mood::Usual),
    (1110, 1195, 26, Mood::Usual),
    (1195, 1200, 6, Mood::Live),
    (1200, 1208, 66, Mood::Live),
    (1208, 1230, 28, Mood::Live),
    (1230, 1320, 36, Mood::Live),
    (1320, 1439, 22, Mood::Usual),
];

/// The last arrivals are on the morning after, in the night's part of the table.
const NIGHT_SLOTS: usize = 3;

/// Plans all buyers of `days` days and of the night after.
pub fn plan_arrivals(event_queue: &mut EventQueue, rng: &mut SeededRng, days: u64) {
    for day in 0..=days {
        let slots = if day < days { DAY.len() } else { NIGHT_SLOTS };
        for &(from, to, count, mood) in &DAY[..slots] {
            let some = rng.between((count * 9, count * 11 + 5)) / 10;
            for _ in 0..some {
                let second = rng.between((from * 60, to * 60 - 1));
                let visit = visit(mood, rng);
                event_queue.plan(Moment(day * DAY_S + second), ScheduledStep::Arrive(visit));
            }
        }
    }
}

fn visit(mood: Mood, rng: &mut SeededRng) -> BuyerVisit {
    let live = match mood {
        Mood::Usual => false,
        Mood::Live => rng.chance(62),
    };
    let topic = if live {
        rng.weighted(&[
            (30, Topic::Shipping),
            (18, Topic::Courier),
            (28, Topic::Size),
            (24, Topic::Coupon),
        ])
    } else {
        rng.weighted(&[
            (12, Topic::Shipping),
            (6, Topic::Courier),
            (18, Topic::Size),
            (8, Topic::Coupon),
            (10, Topic::Payment),
            (8, Topic::Change),
            (18, Topic::Tracking),
            (10, Topic::Return),
            (10, Topic::Open),
        ])
    };
    BuyerVisit {
        topic,
        entry: entry(topic, live, rng),
        bot: rng.chance(if live { 8 } else { 34 }),
    }
}

fn entry(topic: Topic, live: bool, rng: &mut SeededRng) -> SampleEntry {
    match topic {
        Topic::Shipping | Topic::Courier | Topic::Size | Topic::Coupon if live => {
            SampleEntry::Live {
                asks: rng.chance(85),
            }
        }
        Topic::Shipping | Topic::Courier | Topic::Size | Topic::Coupon => {
            rng.weighted(&[(70, SampleEntry::Product), (30, SampleEntry::Message)])
        }
        Topic::Payment | Topic::Change | Topic::Tracking | Topic::Return => {
            rng.weighted(&[(80, SampleEntry::Order), (20, SampleEntry::Message)])
        }
        Topic::Open => rng.weighted(&[(60, SampleEntry::Message), (40, SampleEntry::Elsewhere)]),
    }
}
