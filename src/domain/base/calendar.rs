//! A shop's calendar: the natural day, week and month of an instant in the shop's time zone.
//!
//! The time zone data is part of the program, so every machine gives the same result. A day has 23 or 25 hours when
//! daylight saving time changes. A label (`2026-11-11`) names a day of any length.

use std::fmt;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::time::{
    DAY_MS, Instant, OffsetTimestamp, civil_from_days, days_from_civil, days_in_month,
};

/// A time zone with its IANA name.
#[derive(Clone)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A natural day, as the number of days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day(pub i32);

/// An ISO week, which starts on Monday, as the number of its Monday's week since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Week(pub i32);

/// A calendar month, as the number of months since January of the year 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Month(pub i32);

/// A range of natural days, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayRange {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
}

/// A span of time with a constant offset from UTC within one natural day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalDaySpan {
    from: Instant,
    until: Instant,
    offset_from: Instant,
    offset_until: Instant,
    offset_s: i32,
    /// The natural day of the span.
    pub day: Day,
    /// The first instant of the next day.
    pub day_until: Instant,
}

/// A local date and time of day, for rules in local time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LocalTime {
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Milliseconds since 00:00 on the local clock.
    pub of_day_ms: u32,
}

impl Zone {
    /// The zone with exactly this IANA name, or `None`.
    pub fn get(name: &str) -> Option<Zone> {
        let rules = TimeZoneDatabase::bundled().get(name).ok()?;
        (rules.iana_name() == Some(name)).then(|| Zone {
            name: name.to_owned(),
            rules,
        })
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The span that contains `instant`.
    pub fn span(&self, instant: Instant) -> LocalDaySpan {
        let stamp = timestamp(instant);
        let offset_s = self.rules.to_offset(stamp).seconds();
        let after = self.rules.following(stamp).next();
        // A transition at this very instant counts: find the latest at or before it.
        let next_ms = timestamp(Instant::from_ms(instant.ms() + 1));
        let before = self.rules.preceding(next_ms).next();
        let edge = |ms: Option<i64>, otherwise| Instant::from_ms(ms.unwrap_or(otherwise));
        let offset_from = edge(
            before.map(|t| t.timestamp().as_millisecond()),
            Instant::NEVER.ms(),
        );
        let offset_until = edge(
            after.map(|t| t.timestamp().as_millisecond()),
            -Instant::NEVER.ms(),
        );
        let offset_ms = i64::from(offset_s) * 1000;
        let day = (instant.ms() + offset_ms).div_euclid(DAY_MS);
        LocalDaySpan {
            from: offset_from.max(Instant::from_ms(day * DAY_MS - offset_ms)),
            until: offset_until.min(Instant::from_ms((day + 1) * DAY_MS - offset_ms)),
            offset_from,
            offset_until,
            offset_s,
            day: Day(day as i32),
            day_until: self.day_start(Day(day as i32).next()),
        }
    }

    /// The first instant of a natural day. It is 01:00 if a clock change skips midnight.
    pub fn day_start(&self, day: Day) -> Instant {
        let (year, month, date) = civil_from_days(i64::from(day.0));
        let midnight = jiff::civil::date(year as i16, month as i8, date as i8).at(0, 0, 0, 0);
        match self.rules.to_ambiguous_timestamp(midnight).compatible() {
            Ok(stamp) => Instant::from_ms(stamp.as_millisecond()),
            Err(_) => Instant::from_ms(i64::from(day.0) * DAY_MS),
        }
    }
}

fn timestamp(instant: Instant) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(instant.ms()).unwrap_or(jiff::Timestamp::MAX)
}

impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl serde::Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl LocalDaySpan {
    /// Whether this span contains `instant`.
    pub fn holds(&self, instant: Instant) -> bool {
        self.from <= instant && instant < self.until
    }

    /// The first instant of the span.
    pub fn begins(&self) -> Instant {
        self.from
    }

    /// The first instant after the span.
    pub fn ends(&self) -> Instant {
        self.until
    }

    /// `instant` as it is written in `zone`. The zone is looked up only if the offset may differ.
    pub fn stamp(&self, zone: &Zone, instant: Instant) -> OffsetTimestamp {
        let known = self.offset_from <= instant && instant < self.offset_until;
        let offset_s = if known {
            self.offset_s
        } else {
            zone.rules.to_offset(timestamp(instant)).seconds()
        };
        instant.at_offset(offset_s)
    }

    /// The local date and time of an instant in this span.
    pub fn local(&self, instant: Instant) -> LocalTime {
        let local = instant.ms() + i64::from(self.offset_s) * 1000;
        let (_, month, day) = civil_from_days(local.div_euclid(DAY_MS));
        LocalTime {
            month: month as u8,
            day: day as u8,
            of_day_ms: local.rem_euclid(DAY_MS) as u32,
        }
    }

    /// Milliseconds since 00:00 on the local clock, at an instant in this span.
    pub fn of_day_ms(&self, instant: Instant) -> u32 {
        (instant.ms() + i64::from(self.offset_s) * 1000).rem_euclid(DAY_MS) as u32
    }
}

impl Day {
    /// The next day.
    pub fn next(self) -> Day {
        Day(self.0 + 1)
    }

    /// Parses a day label, `YYYY-MM-DD`.
    pub fn parse(label: &str) -> Option<Day> {
        let (year, rest) = label.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let (year, month, day) = (whole(year, 4)?, whole(month, 2)?, whole(day, 2)?);
        let known = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        known.then(|| Day(days_from_civil(year, month, day) as i32))
    }

    /// The ISO week of the day.
    pub fn week(self) -> Week {
        // 1970-01-01 was a Thursday: the Monday of its week is day -3.
        Week((self.0 + 3).div_euclid(7))
    }

    /// The month of the day.
    pub fn month(self) -> Month {
        let (year, month, _) = civil_from_days(i64::from(self.0));
        Month((year * 12 + month - 1) as i32)
    }
}

impl Week {
    /// Parses a week label, `YYYY-Www`.
    pub fn parse(label: &str) -> Option<Week> {
        let (year, number) = label.split_once("-W")?;
        let (year, number) = (whole(year, 4)?, whole(number, 2)?);
        // January 4 is always in the first week.
        let first = Day(days_from_civil(year, 1, 4) as i32).week();
        let week = Week(first.0 + number as i32 - 1);
        (week.to_string() == label).then_some(week)
    }
}

impl Month {
    /// Parses a month label, `YYYY-MM`.
    pub fn parse(label: &str) -> Option<Month> {
        let (year, month) = label.split_once('-')?;
        let (year, month) = (whole(year, 4)?, whole(month, 2)?);
        let known = (1..=12).contains(&month);
        known.then(|| Month((year * 12 + month - 1) as i32))
    }
}

impl DayRange {
    /// All days.
    pub const ALL: DayRange = DayRange {
        from: Day(i32::MIN / 2),
        to: Day(i32::MAX / 2),
    };

    /// Whether the day is in the range.
    pub fn holds(self, day: Day) -> bool {
        (self.from..=self.to).contains(&day)
    }

    /// Whether a day of the week is in the range.
    pub fn meets_week(self, week: Week) -> bool {
        (self.from.week()..=self.to.week()).contains(&week)
    }

    /// Whether a day of the month is in the range.
    pub fn meets_month(self, month: Month) -> bool {
        (self.from.month()..=self.to.month()).contains(&month)
    }
}

/// Parses a number with exactly this many digits.
fn whole(text: &str, digits: usize) -> Option<i64> {
    let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| fits)
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(i64::from(self.0));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thursday = i64::from(self.0) * 7;
        let (year, ..) = civil_from_days(thursday);
        let number = (thursday - days_from_civil(year, 1, 1)) / 7 + 1;
        write!(f, "{year:04}-W{number:02}")
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn a_zone_goes_by_its_exact_name() {
        for (name, known) in [
            ("Asia/Shanghai", true),
            ("asia/shanghai", false),
            ("Asia/Kolkata", true),
            ("UTC", true),
            ("Mars/Olympus", false),
            ("Etc/Unknown", false),
            ("", false),
        ] {
            assert_eq!(Zone::get(name).is_some(), known, "{name}");
        }
    }

    #[test]
    fn labels_are_iso() {
        for (text, day, week, month) in [
            (
                "2026-11-16T23:59:59+08:00",
                "2026-11-16",
                "2026-W47",
                "2026-11",
            ),
            (
                "2026-11-17T00:00:00+08:00",
                "2026-11-17",
                "2026-W47",
                "2026-11",
            ),
            (
                "2027-01-01T12:00:00+08:00",
                "2027-01-01",
                "2026-W53",
                "2027-01",
            ),
            (
                "2024-12-30T12:00:00+08:00",
                "2024-12-30",
                "2025-W01",
                "2024-12",
            ),
            (
                "2000-01-01T12:00:00+08:00",
                "2000-01-01",
                "1999-W52",
                "2000-01",
            ),
        ] {
            let label = Zone::get("Asia/Shanghai").unwrap().span(at(text)).day;
            assert_eq!(label.to_string(), day);
            assert_eq!(label.week().to_string(), week);
            assert_eq!(label.month().to_string(), month);
        }
    }

    #[test]
    fn labels_are_read_as_they_are_written() {
        for days in (10_957..47_482).map(Day) {
            assert_eq!(Day::parse(&days.to_string()), Some(days));
            assert_eq!(Week::parse(&days.week().to_string()), Some(days.week()));
            assert_eq!(Month::parse(&days.month().to_string()), Some(days.month()));
        }
        for label in [
            "",
            "2026",
            "2026-11-31",
            "2026-1-1",
            "2026-13-01",
            "+026-01-01",
            "2026-11",
        ] {
            assert_eq!(Day::parse(label), None, "{label}");
        }
        for label in ["", "2026-W00", "2026-W54", "2025-W53", "2026-W1", "2026-11"] {
            assert_eq!(Week::parse(label), None, "{label}");
        }
        for label in ["", "2026-00", "2026-13", "2026-1", "2026-W11"] {
            assert_eq!(Month::parse(label), None, "{label}");
        }
    }

    #[test]
    fn a_range_meets_the_weeks_and_months_of_its_days() {
        let day = |label| Day::parse(label).unwrap();
        let range = DayRange {
            from: day("2026-11-30"),
            to: day("2026-12-06"),
        };
        for (label, holds, week, month) in [
            ("2026-10-31", false, false, false),
            ("2026-11-01", false, false, true),
            ("2026-11-29", false, false, true),
            ("2026-11-30", true, true, true),
            ("2026-12-06", true, true, true),
            ("2026-12-07", false, false, true),
            ("2027-01-01", false, false, false),
        ] {
            let day = day(label);
            assert_eq!(range.holds(day), holds, "{label}");
            assert_eq!(range.meets_week(day.week()), week, "{label}");
            assert_eq!(range.meets_month(day.month()), month, "{label}");
            let all = DayRange::ALL;
            assert!(all.holds(day) && all.meets_week(day.week()) && all.meets_month(day.month()));
        }
        let backwards = DayRange {
            from: range.to,
            to: range.from,
        };
        assert!(!backwards.holds(range.from));
    }

    #[test]
    fn a_day_in_which_clocks_change_has_23_or_25_hours() {
        let zone = Zone::get("America/New_York").unwrap();
        for (text, hours) in [
            ("2026-03-08T12:00:00Z", 23),
            ("2026-11-01T12:00:00Z", 25),
            ("2026-11-02T12:00:00Z", 24),
        ] {
            let day = zone.span(at(text)).day;
            let length = zone.day_start(day.next()) - zone.day_start(day);
            assert_eq!(length.ms(), hours * 3_600_000, "{text}");
        }
    }

    #[test]
    fn a_stretch_ends_where_the_offset_or_the_day_does() {
        let zone = Zone::get("America/New_York").unwrap();
        let change = at("2026-11-01T06:00:00Z");
        let before = zone.span(at("2026-11-01T05:59:59.999Z"));
        let after = zone.span(change);
        assert!(!before.holds(change) && after.holds(change));
        assert_eq!(before.day, after.day);
        assert_eq!(
            after.stamp(&zone, change).to_string(),
            "2026-11-01T01:00:00-05:00"
        );
        assert_eq!(
            before.stamp(&zone, change).to_string(),
            "2026-11-01T01:00:00-05:00"
        );
        assert!(!after.holds(at("2026-11-02T05:00:00Z")));
    }

    #[test]
    fn a_day_without_midnight_starts_at_one() {
        let zone = Zone::get("America/Sao_Paulo").unwrap();
        let day = zone.span(at("2018-11-04T12:00:00Z")).day;
        let start = zone.day_start(day);
        let span = zone.span(start);
        assert_eq!(
            span.stamp(&zone, start).to_string(),
            "2018-11-04T01:00:00-02:00"
        );
        assert_eq!(span.day, day);
    }
}
