//! The kinds of single values: how each is checked, written and documented.

use std::marker::PhantomData;
use std::ops::RangeInclusive;

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use super::COUNT_MAX;
use super::choice::{Choice, InvitedClose};
use super::reader::{KeyKind, ValueAt};
use super::shape::Shape;
use crate::domain::base::calendar::{LocalTime, Zone};
use crate::domain::base::id::{ID_BYTES_MAX, Id};
use crate::domain::base::ratio::{Decimal, Share};
use crate::domain::base::time::{DURATION_DAYS_MAX, Duration, days_in_month};

/// A duration longer than `0s`.
pub struct LongerThanZero;

/// A whole number from 0 to [`COUNT_MAX`]. `10.0` and `1e1` are invalid.
pub struct Count;

/// A count that may be left out. Another key then provides the value.
pub struct OwnCount;

/// A number from 0 to 100 with at most 2 decimals, in hundredths.
pub struct Percent;

/// A time of day from 00:00 to 23:59, in milliseconds.
pub struct FirstMinute;

/// A time of day from 00:01 to 24:00, in milliseconds.
pub struct EndMinute;

/// `MM-DDTHH:MM` on a day that exists in some year.
pub struct Yearly;

/// An array of yearly windows.
pub struct Windows<W>(PhantomData<W>);

/// `invite.after`: the close reasons after which an invitation may be sent (I3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InviteAfter {
    /// Closed by buyer silence or by the longest wait.
    pub timeout: bool,
    /// Closed by the agent.
    pub agent: bool,
    /// Closed by the buyer.
    pub buyer: bool,
}

/// Generates kinds of values: their type, shape, reader and writer, and the expected form in both languages for the
/// error message.
macro_rules! kinds {
    ($($kind:ty: $value:ty = $shape:expr, $read:expr, $write:expr, $english:expr, $chinese:expr;)+) => { $(
        impl KeyKind for $kind {
            type Value = $value;
            const SHAPE: Shape = $shape;

            fn read(spot: ValueAt<'_>) -> Option<$value> {
                let read: fn(&Value) -> Option<$value> = $read;
                read(spot.value()).or_else(|| spot.wrong(($english, $chinese)))
            }

            fn write<S: Serializer>(value: &$value, to: S) -> Result<S::Ok, S::Error> {
                $write(value).serialize(to)
            }
        }
    )+ };
}

kinds! {
    bool: bool = Shape::Flag, Value::as_bool, itself,
        "must be true or false",
        "必须是 true 或 false";
    String: String = Shape::Text { example: None }, |value| value.as_str().map(str::to_owned), itself,
        "must be a string",
        "必须是字符串";
    Id: Id = Shape::Text { example: None }, |value| Id::new(value.as_str()?), itself,
        format!("must be a string of 1 to {ID_BYTES_MAX} bytes without control characters"),
        format!("必须是 1 到 {ID_BYTES_MAX} 字节的字符串，不含控制字符");
    Zone: Zone = Shape::Text { example: Some("Asia/Shanghai") }, |value| Zone::get(value.as_str()?), itself,
        "must be the exact IANA name of a time zone, such as \"Asia/Shanghai\"",
        "必须是时区的 IANA 名称，例如 \"Asia/Shanghai\"";
    Duration: Duration = Shape::Duration, |value| Duration::parse(value.as_str()?), itself,
        format!("must be a duration such as \"1h 30m\" (ms, s, m, h, d or w, at most {DURATION_DAYS_MAX} days)"),
        format!("必须是时长，例如 \"1h 30m\"（单位 ms、s、m、h、d、w，合计不超过 {DURATION_DAYS_MAX} 天）");
    LongerThanZero: Duration = Shape::Duration, longer_than_zero, itself,
        format!("must be longer than 0s: a duration such as \"3m\", at most {DURATION_DAYS_MAX} days"),
        format!("必须大于 0s：时长，例如 \"3m\"，不超过 {DURATION_DAYS_MAX} 天");
    Count: u32 = Shape::Whole { max: COUNT_MAX }, count, itself,
        format!("must be a whole number from 0 to {COUNT_MAX}, without a fraction"),
        format!("必须是 0 到 {COUNT_MAX} 的整数，不带小数");
    Share: Share = Shape::Decimal { max: 1 }, |value| parts_of_one(value, Share::ONE.0, 1).map(Share), itself,
        "must be a number from 0 to 1 with at most 4 decimals",
        "必须是 0 到 1 的数，最多 4 位小数";
    Percent: u16 = Shape::Decimal { max: 100 }, |value| parts_of_one(value, 100, 100), percent,
        "must be a number from 0 to 100 with at most 2 decimals",
        "必须是 0 到 100 的数，最多 2 位小数";
    FirstMinute: u32 = Shape::Text { example: Some("08:00") }, |value| clock_of(value.as_str()?, 0..=LAST_MINUTE), clock,
        "must be a time of day from \"00:00\" to \"23:59\"",
        "必须是 \"00:00\" 到 \"23:59\" 的时刻";
    EndMinute: u32 = Shape::Text { example: Some("23:00") }, |value| clock_of(value.as_str()?, 1..=LAST_MINUTE + 1), clock,
        "must be a time of day from \"00:01\" to \"24:00\"",
        "必须是 \"00:01\" 到 \"24:00\" 的时刻";
    Yearly: LocalTime = Shape::Text { example: Some("10-31T22:00") }, |value| yearly_of(value.as_str()?), yearly,
        "must hold windows from and to MM-DDTHH:MM, days that a year has, from 00:00 to 23:59",
        "时段的 from 和 to 须为 MM-DDTHH:MM，日期存在，时刻为 00:00 到 23:59";
    InviteAfter: InviteAfter = Shape::List(&InvitedClose::SHAPE), invite_after, closes,
        "must be an array of timeout, agent and buyer",
        "必须是数组，元素为 timeout、agent、buyer";
}

impl KeyKind for OwnCount {
    type Value = Option<u32>;
    const SHAPE: Shape = Count::SHAPE;

    fn read(spot: ValueAt<'_>) -> Option<Option<u32>> {
        if spot.value().is_null() {
            return Some(None);
        }
        Count::read(spot).map(Some)
    }

    fn write<S: Serializer>(value: &Option<u32>, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }

    fn when_left_out() -> Option<Value> {
        Some(Value::Null)
    }
}

impl<W: KeyKind> KeyKind for Windows<W>
where
    W::Value: Serialize,
{
    type Value = Vec<W::Value>;
    const SHAPE: Shape = Shape::List(&W::SHAPE);

    fn read(spot: ValueAt<'_>) -> Option<Self::Value> {
        const EXPECTED: (&str, &str) = (
            "must be an array of objects with from and to",
            "必须是数组，元素为含 from 和 to 的对象",
        );
        spot.list(EXPECTED, W::read)
    }

    fn write<S: Serializer>(value: &Self::Value, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }
}

fn itself<T>(value: &T) -> &T {
    value
}

fn longer_than_zero(value: &Value) -> Option<Duration> {
    Duration::parse(value.as_str()?).filter(|length| !length.is_zero())
}

fn count(value: &Value) -> Option<u32> {
    let count = u32::try_from(value.as_u64()?).ok()?;
    (count <= COUNT_MAX).then_some(count)
}

fn percent(hundredths: &u16) -> Decimal {
    Decimal {
        scaled: u64::from(*hundredths),
        scale: 100,
    }
}

/// A number from 0 to `max` in fractions of one, if it is a whole number of those fractions. The float nearest to a
/// short decimal is the quotient of its parts, so comparing back accepts no other decimal.
fn parts_of_one(value: &Value, of_one: u16, max: u16) -> Option<u16> {
    let number = value.as_f64()?;
    let parts = (number * f64::from(of_one)).round();
    let fits = (0.0..=f64::from(of_one) * f64::from(max)).contains(&parts);
    (fits && parts / f64::from(of_one) == number).then_some(parts as u16)
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let decimal = Decimal {
            scaled: u64::from(self.0),
            scale: u32::from(Share::ONE.0),
        };
        decimal.serialize(serializer)
    }
}

/// 23:59, in minutes since 00:00.
pub(super) const LAST_MINUTE: u32 = 24 * 60 - 1;

fn yearly_of(text: &str) -> Option<LocalTime> {
    /// A year with a February 29.
    const LEAP_YEAR: i64 = 2000;
    let (date, time) = text.split_once('T')?;
    let (month, day) = two_numbers(date, '-')?;
    let known = (1..=12).contains(&month)
        && (1..=days_in_month(LEAP_YEAR, i64::from(month))).contains(&i64::from(day));
    let of_day_ms = clock_of(time, 0..=LAST_MINUTE)?;
    known.then_some(LocalTime {
        month,
        day,
        of_day_ms,
    })
}

fn yearly(at: &LocalTime) -> String {
    format!("{:02}-{:02}T{}", at.month, at.day, clock(&at.of_day_ms))
}

/// `HH:MM` within a range of minutes, in milliseconds since 00:00.
pub(super) fn clock_of(text: &str, minutes: RangeInclusive<u32>) -> Option<u32> {
    let (hour, minute) = two_numbers(text, ':')?;
    let of_day = u32::from(hour) * 60 + u32::from(minute);
    (minute < 60 && minutes.contains(&of_day)).then_some(of_day * 60_000)
}

/// `HH:MM`. 24:00 is the end of a day.
pub(super) fn clock(of_day_ms: &u32) -> String {
    let minutes = of_day_ms / 60_000;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Two digits, a separator, two digits.
fn two_numbers(text: &str, mark: char) -> Option<(u8, u8)> {
    let (one, other) = text.split_once(mark)?;
    let number = |digits: &str| match *digits.as_bytes() {
        [ten @ b'0'..=b'9', one @ b'0'..=b'9'] => Some((ten - b'0') * 10 + (one - b'0')),
        _ => None,
    };
    Some((number(one)?, number(other)?))
}

fn invite_after(value: &Value) -> Option<InviteAfter> {
    let mut after = InviteAfter::default();
    for item in value.as_array()? {
        match InvitedClose::of_word(item.as_str()?)? {
            InvitedClose::Timeout => after.timeout = true,
            InvitedClose::Agent => after.agent = true,
            InvitedClose::Buyer => after.buyer = true,
        }
    }
    Some(after)
}

fn closes(after: &InviteAfter) -> Vec<InvitedClose> {
    let on = |close: &InvitedClose| match close {
        InvitedClose::Timeout => after.timeout,
        InvitedClose::Agent => after.agent,
        InvitedClose::Buyer => after.buyer,
    };
    InvitedClose::ALL.iter().copied().filter(on).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_has_these_days() {
        for (text, good) in [
            ("01-01T00:00", true),
            ("02-29T23:59", true),
            ("12-31T12:30", true),
            ("02-30T00:00", false),
            ("04-31T00:00", false),
            ("00-01T00:00", false),
            ("13-01T00:00", false),
            ("01-00T00:00", false),
            ("01-01T24:00", false),
            ("01-01T00:60", false),
            ("01-01 00:00", false),
            ("1-01T00:00", false),
            ("01-01T00:00:00", false),
            ("+1-01T00:00", false),
            ("01-01T0０:00", false),
        ] {
            assert_eq!(yearly_of(text).is_some(), good, "{text}");
        }
    }

    #[test]
    fn decimals_are_written_short() {
        for (parts, text) in [
            (5000, "0.5"),
            (0, "0"),
            (10_000, "1"),
            (1, "0.0001"),
            (1250, "0.125"),
        ] {
            assert_eq!(serde_json::to_string(&Share(parts)).unwrap(), text);
        }
        assert_eq!(serde_json::to_string(&percent(&2643)).unwrap(), "26.43");
    }
}
