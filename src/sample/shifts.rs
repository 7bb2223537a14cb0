//! Shifts: when agents come and go, and when the head of the shop looks after the queue.

use super::day_script::DayScript;
use super::event_queue::{DAY_S, EventQueue, Moment, ScheduledStep};

/// Plans the shifts of `days` days, and of the morning after, until `end`.
pub fn plan_shifts(script: &DayScript, event_queue: &mut EventQueue, days: u64, end: Moment) {
    for day in 0..=days {
        let midnight = script.begin.after(day * DAY_S);
        for (number, member) in script.staff.iter().enumerate() {
            for &(hour, minute, presence) in member.shifts {
                let at = midnight.after(hour * 3600 + minute * 60);
                if day < days || at < end {
                    event_queue.plan(at, ScheduledStep::Presence(number, presence));
                }
            }
        }
        if day < days {
            for minute in script.supervised {
                event_queue.plan(midnight.after(minute * 60), ScheduledStep::Supervise);
            }
        }
    }
}
