//! The natural day, week and month of an instant in a time zone, and the names of the zones.

use crate::model::value::{DAY_MS, Ms, SECOND_MS, shaped};
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};
use std::collections::BTreeSet;

/// The zone of that exact IANA name, from the bundled data.
pub fn zone(name: &str) -> Option<TimeZone> {
    let database = TimeZoneDatabase::bundled();
    let listed = database.available().any(|known| known.as_str() == name);
    if listed {
        database.get(name).ok()
    } else {
        None
    }
}

/// As a policy's `hours.week` names them, Monday first.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// `YYYY-MM-DD`, a day that exists, of the years 2000 to 2099.
pub fn is_day(text: &str) -> bool {
    if !shaped(text, "dddd-dd-dd") {
        return false;
    }
    let date: Result<Date, _> = text.parse();
    date.is_ok_and(|date| (2000..=2099).contains(&date.year()))
}

/// `mon` to `sun`.
pub fn weekday(at: Ms, zone: &TimeZone) -> &'static str {
    let weekday = local(at, zone).date().weekday();
    WEEKDAYS[weekday.to_monday_zero_offset() as usize]
}

fn local(at: Ms, zone: &TimeZone) -> Zoned {
    let stamp = Timestamp::from_millisecond(at).expect("instants stay within jiff's years");
    stamp.to_zoned(zone.clone())
}

/// `2026-11-11`
pub fn day(at: Ms, zone: &TimeZone) -> String {
    local(at, zone).date().to_string()
}

/// `2026-W46`
pub fn week(at: Ms, zone: &TimeZone) -> String {
    let week = local(at, zone).date().iso_week_date();
    format!("{:04}-W{:02}", week.year(), week.week())
}

/// `2026-11`
pub fn month(at: Ms, zone: &TimeZone) -> String {
    let date = local(at, zone).date();
    format!("{:04}-{:02}", date.year(), date.month())
}

/// Local milliseconds since 00:00, as the clock on the wall shows them.
pub fn time_of_day(at: Ms, zone: &TimeZone) -> Ms {
    let time = local(at, zone).time();
    let minutes = Ms::from(time.hour()) * 60 + Ms::from(time.minute());
    (minutes * 60 + Ms::from(time.second())) * SECOND_MS + Ms::from(time.millisecond())
}

/// Month, day of the month and time of day: comparable within a year.
pub fn time_of_year(at: Ms, zone: &TimeZone) -> (i8, i8, Ms) {
    let date = local(at, zone).date();
    (date.month(), date.day(), time_of_day(at, zone))
}

/// The first instant of the next natural day.
pub fn next_day(at: Ms, zone: &TimeZone) -> Ms {
    let tomorrow = local(at, zone)
        .date()
        .tomorrow()
        .expect("far from the last year");
    let inside = tomorrow
        .to_zoned(zone.clone())
        .expect("a day within jiff's years");
    let first = inside.start_of_day().expect("every day starts");
    first.timestamp().as_millisecond()
}

/// The instants after `from` and up to `to` at which the wall may show one of the times of its day, and those at which
/// the clocks change. `times` tells them of a day and its weekday. Some are no such instants: who asks has to look.
pub fn wall_instants(
    from: Ms,
    to: Ms,
    zone: &TimeZone,
    times: impl Fn(&str, &str) -> Vec<Ms>,
) -> BTreeSet<Ms> {
    let start = Timestamp::from_millisecond(from).expect("instants stay within jiff's years");
    let mut offsets = vec![zone.to_offset(start)];
    let mut instants = BTreeSet::new();
    for change in zone.following(start) {
        let at = change.timestamp().as_millisecond();
        if at > to {
            break;
        }
        offsets.push(change.offset());
        instants.insert(at);
    }
    offsets.sort_unstable();
    offsets.dedup();
    let mut date = local(from - DAY_MS, zone).date();
    while date <= local(to + DAY_MS, zone).date() {
        let weekday = WEEKDAYS[date.weekday().to_monday_zero_offset() as usize];
        let midnight = date
            .to_zoned(TimeZone::UTC)
            .expect("a day within jiff's years");
        for time in times(&date.to_string(), weekday) {
            let wall = midnight.timestamp().as_millisecond() + time;
            instants.extend(
                offsets
                    .iter()
                    .map(|o| wall - Ms::from(o.seconds()) * SECOND_MS),
            );
        }
        date = date.tomorrow().expect("far from the last year");
    }
    instants.retain(|at| from < *at && *at <= to);
    instants
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::value::{instant, written};

    fn at(text: &str) -> Ms {
        instant(text).expect("a good instant")
    }

    #[test]
    fn names_are_exact() {
        assert!(zone("Asia/Shanghai").is_some());
        assert!(zone("UTC").is_some());
        for bad in [
            "asia/shanghai",
            "Asia/Shanghai ",
            "",
            "Mars/Olympus",
            "Etc/Unknown",
            "+08:00",
        ] {
            assert!(zone(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn periods_are_local() {
        let shanghai = zone("Asia/Shanghai").expect("known");
        let instant = at("2026-12-31T16:00:00Z");
        assert_eq!(day(instant, &shanghai), "2027-01-01");
        assert_eq!(week(instant, &shanghai), "2026-W53");
        assert_eq!(month(instant, &shanghai), "2027-01");
        assert_eq!(time_of_year(instant, &shanghai), (1, 1, 0));
    }

    #[test]
    fn a_day_may_start_late() {
        let beirut = zone("Asia/Beirut").expect("known"); // 00:00 to 01:00 on 2024-03-31
        let start = next_day(at("2024-03-30T10:00:00Z"), &beirut);
        assert_eq!(written(start, &beirut), "2024-03-31T01:00:00+03:00");
        let apia = zone("Pacific/Apia").expect("known"); // has no 2011-12-30
        let start = next_day(at("2011-12-29T20:00:00Z"), &apia);
        assert_eq!(written(start, &apia), "2011-12-31T00:00:00+14:00");
    }
}
