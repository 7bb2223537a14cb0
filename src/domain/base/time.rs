//! Instants and durations in milliseconds, and their text forms.
//!
//! Nothing here reads a clock: time is an argument.

use std::fmt;
use std::ops::{Add, Sub};

/// Milliseconds in a day of 24 hours.
pub const DAY_MS: i64 = 86_400_000;

/// The maximum duration in events and policies, in days.
pub const DURATION_DAYS_MAX: i64 = 3650;

/// The valid instants of events: from 2000-01-01T00:00:00Z, before 2100-01-01T00:00:00Z.
const YEARS_MS: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

/// The instants that can be written in every zone: from 1970-01-01T00:00:00Z, before 9999-12-31T00:00:00Z.
const WRITTEN_MS: std::ops::Range<i64> = 0..253_402_214_400_000;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "i64")]
pub struct Instant(i64);

/// A non-negative length of time in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Duration(i64);

/// An instant with the UTC offset at which it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OffsetTimestamp {
    /// The instant.
    pub instant: Instant,
    /// The offset east of UTC, in seconds.
    pub offset_s: i32,
}

impl Instant {
    /// An instant before every valid one. It stands for "never happened".
    pub const NEVER: Instant = Instant(i64::MIN / 4);

    /// From milliseconds since the Unix epoch.
    pub const fn from_ms(ms: i64) -> Instant {
        Instant(ms)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Parses `YYYY-MM-DDTHH:MM:SS[.d{1,9}](Z|±HH:MM)` in the years 2000 to 2099 (UTC), truncated to milliseconds.
    /// `None` for anything else (contract, section 1).
    pub fn parse(text: &str) -> Option<Instant> {
        let bytes = text.as_bytes();
        let (date_time, rest) = bytes.split_at_checked(19)?;
        let part = |from: usize, to: usize| digits(&date_time[from..to]);
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if marks.iter().any(|&(at, mark)| date_time[at] != mark) {
            return None;
        }
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
        if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
            return None;
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (fraction_ms, zone) = fraction(rest)?;
        let of_day = ((hour * 60 + minute) * 60 + second) * 1000 + fraction_ms;
        let ms = days_from_civil(year, month, day) * DAY_MS + of_day - offset_ms(zone)?;
        YEARS_MS.contains(&ms).then_some(Instant(ms))
    }

    /// Whether an event may have this instant.
    pub fn of_an_event(self) -> bool {
        YEARS_MS.contains(&self.0)
    }

    /// Whether the instant can be written. That range is larger than the range for events.
    pub fn can_be_written(self) -> bool {
        WRITTEN_MS.contains(&self.0)
    }

    /// The nearest instant that an event may have.
    pub fn in_event_years(self) -> Instant {
        Instant(self.0.clamp(YEARS_MS.start, YEARS_MS.end - 1))
    }

    /// This instant with an offset of `offset_s` seconds east of UTC.
    pub fn at_offset(self, offset_s: i32) -> OffsetTimestamp {
        OffsetTimestamp {
            instant: self,
            offset_s,
        }
    }

    /// Whether `now` is in the sliding window of length `window` that starts at this instant. The end is excluded, so a
    /// window of length 0 contains nothing.
    pub fn covers(self, window: Duration, now: Instant) -> bool {
        window.0 > 0 && now < self + window
    }
}

impl Duration {
    /// Zero. Many rules are off at this value.
    pub const ZERO: Duration = Duration(0);

    /// From milliseconds.
    pub const fn from_ms(ms: i64) -> Duration {
        Duration(ms)
    }

    /// From whole days of 24 hours.
    pub const fn days(days: i64) -> Duration {
        Duration(days * DAY_MS)
    }

    /// In milliseconds.
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whether it is `0s`.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Parses `"48h"`, `"1h 30m"`, `"0s"`: one or more pairs of digits and a unit (`ms s m h d w`), separated by at
    /// most one space, at most [`DURATION_DAYS_MAX`] in total. `None` for anything else.
    pub fn parse(text: &str) -> Option<Duration> {
        let mut rest = text.as_bytes();
        let mut total: i64 = 0;
        loop {
            let count_len = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            let (count, tail) = rest.split_at(count_len);
            let unit_len = tail.iter().take_while(|b| b.is_ascii_lowercase()).count();
            let (unit, tail) = tail.split_at(unit_len);
            let unit_ms = UNITS.iter().find(|(name, _)| name.as_bytes() == unit)?.1;
            total = total.checked_add(count_of(count)?.checked_mul(unit_ms)?)?;
            if tail.is_empty() {
                break;
            }
            rest = tail.strip_prefix(b" ").unwrap_or(tail);
        }
        (total <= DURATION_DAYS_MAX * DAY_MS).then_some(Duration(total))
    }
}

const UNITS: [(&str, i64); 6] = [
    ("w", 7 * DAY_MS),
    ("d", DAY_MS),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Parses digits with any number of leading zeros. `None` if the number does not fit an `i64`.
fn count_of(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.parse().ok()
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + i64::from(byte - b'0'))
    })
}

/// The milliseconds of an optional fraction of 1 to 9 digits, and the rest of the text.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(tail) = rest.strip_prefix(b".") else {
        return Some((0, rest));
    };
    let len = tail.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=9).contains(&len) {
        return None;
    }
    let ms = (0..3).fold(0, |sum, at| {
        let digit = if at < len { tail[at] - b'0' } else { 0 };
        sum * 10 + i64::from(digit)
    });
    Some((ms, &tail[len..]))
}

fn offset_ms(zone: &[u8]) -> Option<i64> {
    let sign = match zone {
        b"Z" => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    if zone.len() != 6 || zone[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digits(&zone[1..3])?, digits(&zone[4..6])?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60_000)
}

/// The number of days of a month in the proleptic Gregorian calendar.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date. Years are counted from March, so that a leap day is the last day of a year.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
pub fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, length: Duration) -> Instant {
        Instant(self.0 + length.0)
    }
}

impl Duration {
    /// The duration, this many times.
    pub fn times(self, count: u8) -> Duration {
        Duration(self.0.saturating_mul(i64::from(count)))
    }
}

impl Add<Duration> for Duration {
    type Output = Duration;
    fn add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    fn sub(self, length: Duration) -> Instant {
        Instant(self.0.saturating_sub(length.0))
    }
}

impl Sub<Instant> for Instant {
    type Output = Duration;
    /// The time since `earlier`. Zero if `earlier` is later.
    fn sub(self, earlier: Instant) -> Duration {
        Duration((self.0 - earlier.0).max(0))
    }
}

impl TryFrom<i64> for Instant {
    type Error = &'static str;
    /// Accepts milliseconds that cannot overflow when a window is added.
    fn try_from(ms: i64) -> Result<Instant, &'static str> {
        let range = Instant::NEVER.0..=-Instant::NEVER.0;
        range
            .contains(&ms)
            .then_some(Instant(ms))
            .ok_or("an instant out of range")
    }
}

/// The maximum length of a [`OffsetTimestamp`]'s text: `2026-11-11T10:00:00.250+08:00`.
pub const STAMP_BYTES_MAX: usize = 29;

impl OffsetTimestamp {
    /// Writes the stamp into `buffer` and returns the text. Zero milliseconds are omitted.
    pub fn write<'a>(&self, buffer: &'a mut [u8; STAMP_BYTES_MAX]) -> &'a str {
        let local = self.instant.0 + i64::from(self.offset_s) * 1000;
        let (days, of_day) = (local.div_euclid(DAY_MS), local.rem_euclid(DAY_MS));
        let (year, month, day) = civil_from_days(days);
        let (second, ms) = (of_day / 1000, of_day % 1000);
        buffer[..19].copy_from_slice(b"0000-00-00T00:00:00");
        put(&mut buffer[0..4], year);
        put(&mut buffer[5..7], month);
        put(&mut buffer[8..10], day);
        put(&mut buffer[11..13], second / 3600);
        put(&mut buffer[14..16], second / 60 % 60);
        put(&mut buffer[17..19], second % 60);
        let mut len = 19;
        if ms != 0 {
            buffer[19] = b'.';
            put(&mut buffer[20..23], ms);
            len = 23;
        }
        let minutes = i64::from(self.offset_s.abs() / 60);
        buffer[len] = if self.offset_s < 0 { b'-' } else { b'+' };
        put(&mut buffer[len + 1..len + 3], minutes / 60);
        buffer[len + 3] = b':';
        put(&mut buffer[len + 4..len + 6], minutes % 60);
        std::str::from_utf8(&buffer[..len + 6]).unwrap_or_default()
    }
}

/// Writes a number right-aligned over the zeros of `place`.
fn put(place: &mut [u8], mut number: i64) {
    for byte in place.iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl fmt::Display for OffsetTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut [0; STAMP_BYTES_MAX]))
    }
}

impl serde::Serialize for OffsetTimestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.write(&mut [0; STAMP_BYTES_MAX]))
    }
}

impl utoipa::PartialSchema for OffsetTimestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some("An instant with its offset from UTC."))
            .examples(["2026-11-11T10:00:00+08:00"])
            .into()
    }
}

impl utoipa::ToSchema for OffsetTimestamp {
    fn name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
}

impl fmt::Display for Duration {
    /// `1h 30m`: the largest unit first, zero units omitted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut blank = "";
        // Platforms state windows in hours, so hours are the largest unit.
        for &(unit, unit_ms) in UNITS.iter().skip(2) {
            let count = rest / unit_ms;
            if count > 0 {
                write!(f, "{blank}{count}{unit}")?;
                blank = " ";
            }
            rest %= unit_ms;
        }
        if self.0 == 0 {
            f.write_str("0s")
        } else {
            Ok(())
        }
    }
}

impl serde::Serialize for Duration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_exactly() {
        for (text, ms) in [
            ("2026-11-11T10:00:00+08:00", Some(1_794_362_400_000)),
            ("2026-11-11T02:00:00Z", Some(1_794_362_400_000)),
            ("2026-11-11T02:00:00.25Z", Some(1_794_362_400_250)),
            ("2026-11-11T02:00:00.123456789Z", Some(1_794_362_400_123)),
            ("2026-11-11T02:00:00.1234567890Z", None),
            ("2026-11-11T02:00:00.Z", None),
            ("2000-01-01T00:00:00Z", Some(946_684_800_000)),
            ("1999-12-31T23:59:59.999Z", None),
            ("2000-01-01T00:00:00+00:01", None),
            ("2099-12-31T23:59:59.999Z", Some(4_102_444_799_999)),
            ("2100-01-01T00:00:00Z", None),
            ("2099-12-31T23:59:59-00:01", None),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000)),
            ("2023-02-29T00:00:00Z", None),
            ("2026-11-11T23:59:60Z", None),
            ("2026-11-11T24:00:00Z", None),
            ("2026-11-11 10:00:00Z", None),
            ("2026-11-11t10:00:00Z", None),
            ("2026-11-11T10:00:00z", None),
            ("2026-11-11T10:00:00", None),
            ("2026-11-11T10:00:00+24:00", None),
            ("2026-11-11T10:00:00+08:60", None),
            ("2026-11-11T10:00:00+0800", None),
            ("2026-11-11T10:00:00+08:00 ", None),
            ("", None),
        ] {
            assert_eq!(Instant::parse(text).map(Instant::ms), ms, "{text:?}");
        }
    }

    #[test]
    fn instants_are_written_in_their_offset() {
        for (ms, offset_s, text) in [
            (1_794_362_400_000, 28_800, "2026-11-11T10:00:00+08:00"),
            (1_794_362_400_250, 28_800, "2026-11-11T10:00:00.250+08:00"),
            (1_794_362_400_005, -12_600, "2026-11-10T22:30:00.005-03:30"),
            (946_684_800_000, 0, "2000-01-01T00:00:00+00:00"),
        ] {
            let stamp = Instant::from_ms(ms).at_offset(offset_s);
            assert_eq!(stamp.to_string(), text);
            assert_eq!(Instant::parse(text), Some(stamp.instant));
        }
    }

    #[test]
    fn every_day_of_the_range_goes_there_and_back() {
        for days in 10_957..47_482 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn durations_are_read_exactly() {
        for (text, ms) in [
            ("48h", Some(172_800_000)),
            ("1h 30m", Some(5_400_000)),
            ("1h30m", Some(5_400_000)),
            ("250ms", Some(250)),
            ("0s", Some(0)),
            ("1w 1d", Some(8 * DAY_MS)),
            ("3650d", Some(3650 * DAY_MS)),
            ("3650d 1ms", None),
            ("99999999999999999999s", None),
            ("1h  30m", None),
            (" 1h", None),
            ("1h ", None),
            ("1 h", None),
            ("1.5h", None),
            ("-1h", None),
            ("h", None),
            ("1", None),
            ("1y", None),
            ("1H", None),
            ("", None),
        ] {
            assert_eq!(Duration::parse(text).map(Duration::ms), ms, "{text:?}");
        }
    }

    #[test]
    fn durations_are_written_so_that_they_read_back() {
        for (text, written) in [
            ("48h", "48h"),
            ("0s", "0s"),
            ("90m", "1h 30m"),
            ("1d 1ms", "24h 1ms"),
        ] {
            let duration = Duration::parse(text).unwrap();
            assert_eq!(duration.to_string(), written);
            assert_eq!(Duration::parse(written), Some(duration));
        }
    }
}
