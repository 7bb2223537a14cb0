//! Arrivals: how many buyers come when, through which entry, and what for.

use super::day_script::{DayScript, Mood};
use super::event_queue::{DAY_S, EventQueue, ScheduledStep};
use super::seeded_rng::SeededRng;
use super::topic::Topic;
use super::visit::{BuyerVisit, SampleEntry};

/// Plans all buyers of `days` days and of the night after.
pub fn plan_arrivals(
    script: &DayScript,
    event_queue: &mut EventQueue,
    rng: &mut SeededRng,
    days: u64,
) {
    for day in 0..=days {
        let midnight = script.begin.after(day * DAY_S);
        let slots = if day < days {
            script.arrivals.len()
        } else {
            script.night_slots
        };
        for &(from, to, count, mood) in &script.arrivals[..slots] {
            let some = rng.between((count * 9, count * 11 + 5)) / 10;
            for _ in 0..some {
                let second = rng.between((from * 60, to * 60 - 1));
                let visit = visit(mood, rng);
                event_queue.plan(midnight.after(second), ScheduledStep::Arrive(visit));
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
