//! The kinds of opening hours (H1): intervals of a day, by weekday and by date.

use std::collections::BTreeMap;

use serde::ser::{Serialize, Serializer};

use super::reader::{KeyKind, ValueAt};
use super::shape::Shape;
use super::value_kinds::{LAST_MINUTE, clock, clock_of};
use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;

/// The maximum number of intervals of one day.
const INTERVALS_MAX: usize = 8;

/// The maximum number of single days.
const DAYS_MAX: usize = 400;

/// Opening hours within a day: `from` ≤ local time < `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// The first millisecond since 00:00 on the local clock.
    pub from_ms: u32,
    /// The first millisecond after it. 24:00 is the end of the day.
    pub to_ms: u32,
}

impl Interval {
    /// Parses `HH:MM-HH:MM`, the first earlier than the second.
    fn parse(text: &str) -> Option<Interval> {
        let (from, to) = text.split_once('-')?;
        let minutes = 0..=LAST_MINUTE + 1;
        let (from_ms, to_ms) = (clock_of(from, minutes.clone())?, clock_of(to, minutes)?);
        (from_ms < to_ms).then_some(Interval { from_ms, to_ms })
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!(
            "{}-{}",
            clock(&self.from_ms),
            clock(&self.to_ms)
        ))
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weekday(u8);

impl Weekday {
    const NAMES: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// The weekday of a date.
    pub fn of(day: Day) -> Weekday {
        // 1970-01-01 was a Thursday.
        Weekday((i64::from(day.0) + 3).rem_euclid(7) as u8)
    }

    fn named(name: &str) -> Option<Weekday> {
        let known = Weekday::NAMES.iter().position(|&known| known == name)?;
        Some(Weekday(known as u8))
    }
}

impl Serialize for Weekday {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(Weekday::NAMES[usize::from(self.0)])
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// The kind of `hours.week`.
pub struct WeekLists;

/// The kind of `hours.days`.
pub struct HolidayLists;

const LIST: Shape = Shape::List(&Shape::Text {
    example: Some("09:00-12:00"),
});

impl KeyKind for WeekLists {
    type Value = BTreeMap<Weekday, Vec<Interval>>;
    const SHAPE: Shape = Shape::Map(&LIST);

    fn read(spot: ValueAt<'_>) -> Option<Self::Value> {
        by_day(spot, Weekday::named, || {
            let names = Weekday::NAMES;
            (
                format!("must be a weekday, one of {}", names.join(", ")),
                format!("必须是星期：{}", names.join("、")),
            )
        })
    }

    fn write<S: Serializer>(value: &Self::Value, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }
}

impl KeyKind for HolidayLists {
    type Value = BTreeMap<Day, Vec<Interval>>;
    const SHAPE: Shape = Shape::Map(&LIST);

    fn read(spot: ValueAt<'_>) -> Option<Self::Value> {
        let days = by_day(spot, date, || {
            (
                "must be a day YYYY-MM-DD of the years 2000 to 2099".to_owned(),
                "必须是 2000 到 2099 年的日期 YYYY-MM-DD".to_owned(),
            )
        })?;
        if days.len() > DAYS_MAX {
            return spot.wrong((
                format!("must have at most {DAYS_MAX} days"),
                format!("最多 {DAYS_MAX} 天"),
            ));
        }
        Some(days)
    }

    fn write<S: Serializer>(value: &Self::Value, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }
}

/// A map from days to lists of intervals.
fn by_day<D: Ord>(
    spot: ValueAt<'_>,
    day: fn(&str) -> Option<D>,
    expected: impl Fn() -> (String, String),
) -> Option<BTreeMap<D, Vec<Interval>>> {
    let lists = spot.map(|spot| {
        if day(spot.key()).is_none() {
            return spot.wrong(expected());
        }
        intervals(spot)
    })?;
    let days = lists.into_iter();
    let days = days.filter_map(|(name, list): (Id, _)| Some((day(&name)?, list)));
    Some(days.collect())
}

/// A date of the years 2000 to 2099.
fn date(text: &str) -> Option<Day> {
    Day::parse(text).filter(|_| text.starts_with("20"))
}

fn intervals(spot: ValueAt<'_>) -> Option<Vec<Interval>> {
    const EXPECTED: (&str, &str) = (
        "must be an array of intervals such as \"09:00-12:00\", the first time earlier than the second",
        "必须是时段的数组，例如 \"09:00-12:00\"，前一时刻早于后一时刻",
    );
    let list = spot.list(EXPECTED, |spot| {
        Interval::parse(spot.str(EXPECTED)?).or_else(|| spot.wrong(EXPECTED))
    })?;
    if list.len() > INTERVALS_MAX {
        return spot.wrong((
            format!("must have at most {INTERVALS_MAX} intervals"),
            format!("最多 {INTERVALS_MAX} 个时段"),
        ));
    }
    if !list.is_sorted_by(|one, next| one.to_ms <= next.from_ms) {
        return spot.wrong((
            "must hold intervals in order, none of which begins before the one before it ends",
            "时段须按先后排列，且互不重叠",
        ));
    }
    Some(list)
}
