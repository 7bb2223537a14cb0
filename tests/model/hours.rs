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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::read;
    use crate::model::value::{MINUTE_MS, instant};
    use serde_json::Value;

    fn policy(zone: &str, hours: Value) -> Policy {
        let policy = json!({ "timezone": zone, "hours": hours });
        read(policy.as_object().expect("an object")).expect("a good policy")
    }

    fn at(text: &str) -> Ms {
        instant(text).expect("a good instant")
    }

    /// Minute by minute, where clocks are put forward and back, a day begins late, and an offset is half an hour.
    #[test]
    fn the_next_change_is_the_first() {
        let week = |list: Value| {
            let days = calendar::WEEKDAYS.map(|day| (day.to_owned(), list.clone()));
            json!({ "week": serde_json::Map::from_iter(days) })
        };
        let lists = [
            week(json!(["01:30-02:30"])),
            week(json!(["00:00-01:30", "02:00-24:00"])),
            week(json!(["22:00-24:00"])),
            week(json!(["00:00-00:30", "00:45-03:00"])),
            json!({ "week": { "sun": ["02:15-02:45"] }, "days": { "2024-03-31": ["00:30-01:01"] } }),
        ];
        let rows = [
            ("America/New_York", "2026-03-06T12:00:00Z"),
            ("America/New_York", "2026-10-30T12:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-03T12:00:00Z"),
            ("Australia/Lord_Howe", "2026-10-02T12:00:00Z"),
            ("Asia/Beirut", "2024-03-29T12:00:00Z"),
            ("America/Havana", "2026-10-30T12:00:00Z"),
        ];
        for (zone, start) in rows {
            for hours in &lists {
                let policy = policy(zone, hours.clone());
                let (mut now, mut from) = (at(start), at(start));
                let end = now + 5 * DAY_MS;
                while now < end {
                    now += MINUTE_MS;
                    if policy.is_open(now) != policy.is_open(now - MINUTE_MS) {
                        assert_eq!(policy.next_change(from), Some(now), "{zone} {hours} {from}");
                        from = now;
                    }
                }
            }
        }
    }

    #[test]
    fn the_horizon_includes_its_end() {
        let policy = policy("UTC", json!({ "days": { "2027-12-21": [] } }));
        let change = at("2027-12-21T00:00:00Z");
        assert_eq!(policy.next_change(change - HORIZON_MS), Some(change));
        assert_eq!(policy.next_change(change - HORIZON_MS - 1), None);
    }

    #[test]
    fn who_names_no_hours_is_always_open() {
        let now = at("2026-11-16T10:00:00Z");
        assert_eq!(policy("UTC", json!({})).next_change(now), None);
        let never = policy("UTC", json!({ "week": { "mon": [] } }));
        assert!(!never.is_open(now));
        assert_eq!(never.next_change(now), None);
    }
}
