//! Opening hours (H1 to H3).

use crate::model::calendar;
use crate::model::policy::{Interval, Policy};
use crate::model::shop::Shop;
use crate::model::timers::{Subject, TimerKind};
use crate::model::value::{DAY_MS, Ms};
use serde_json::json;

/// H3: how far ahead an instant is looked for at which the shop opens or closes.
const HORIZON_MS: Ms = 400 * DAY_MS;

impl Policy {
    /// H1: whether the wall time of that instant is in an interval of that day.
    pub fn is_open(&self, at: Ms) -> bool {
        let time = calendar::time_of_day(at, &self.zone);
        let day = calendar::day(at, &self.zone);
        self.intervals(&day, calendar::weekday(at, &self.zone))
            .is_none_or(|list| list.iter().any(|(from, to)| *from <= time && time < *to))
    }

    /// The intervals of a day; None where it is open all day.
    fn intervals(&self, day: &str, weekday: &str) -> Option<&[Interval]> {
        if let Some(own) = self.hours.days.get(day) {
            return Some(own);
        }
        if self.hours.week.is_empty() {
            return None;
        }
        Some(self.hours.week.get(weekday).map_or(&[], Vec::as_slice))
    }

    /// H3: the next instant at which H1's answer changes, its 400th day included.
    fn next_change(&self, now: Ms) -> Option<Ms> {
        if self.hours.week.is_empty() && self.hours.days.is_empty() {
            return None;
        }
        let answer = self.is_open(now);
        let times = |day: &str, weekday: &str| {
            let list = self.intervals(day, weekday).unwrap_or(&[]);
            let ends = list.iter().flat_map(|(from, to)| [*from, *to]);
            ends.chain([0]).collect()
        };
        calendar::wall_instants(now, now + HORIZON_MS, &self.zone, times)
            .into_iter()
            .find(|instant| self.is_open(*instant) != answer)
    }
}

impl Shop {
    /// H3, at an accepted `shop.configured`: says so where the shop is other than it was, and arms `hours` anew.
    pub fn look_at_hours(&mut self) {
        let until = self.policy.next_change(self.clock);
        self.timers.cancel_subject(&Subject::Shop, TimerKind::Hours);
        if let Some(until) = until {
            self.timers
                .arm_subject(Subject::Shop, TimerKind::Hours, until);
        }
        let is_open = self.policy.is_open(self.clock);
        if is_open == self.is_open {
            return;
        }
        self.is_open = is_open;
        let kind = if is_open {
            "hours.opened"
        } else {
            "hours.closed"
        };
        let fields = json!({ "until": until.map(|until| self.written(until)) });
        self.emit(kind, fields);
        if is_open {
            self.hand_over(); // R5b
        }
    }

    /// H2: closed, and `outside` is `offline`. Routing then finds nobody online.
    pub fn routes_as_closed(&self) -> bool {
        !self.is_open && self.policy.hours.offline_outside
    }
}
