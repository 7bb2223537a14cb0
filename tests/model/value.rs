//! The values of the wire format (contract section 1): instants, durations, ids, numbers, ratios.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use serde_json::{Number, Value};

/// Milliseconds since 1970 in UTC, or a length in milliseconds.
pub type Ms = i64;

pub const SECOND_MS: Ms = 1_000;
pub const MINUTE_MS: Ms = 60 * SECOND_MS;
pub const HOUR_MS: Ms = 60 * MINUTE_MS;
pub const DAY_MS: Ms = 24 * HOUR_MS;
pub const WEEK_MS: Ms = 7 * DAY_MS;
pub const DURATION_DAYS_MAX: i128 = 3650;
pub const ID_BYTES_MAX: usize = 128;
pub const CARD_BYTES_MAX: usize = 160;

/// 2000-01-01T00:00:00Z and 2100-01-01T00:00:00Z.
const INSTANT_FIRST: Ms = 946_684_800_000;
const INSTANT_END: Ms = 4_102_444_800_000;

/// `YYYY-MM-DDTHH:MM:SS[.1-9 digits](Z|±HH:MM)`, cut to milliseconds.
pub fn instant(text: &str) -> Option<Ms> {
    if !text.is_ascii() || text.len() < 20 {
        return None;
    }
    let (civil, rest) = text.split_at(19);
    let (fraction_ms, zone) = fraction(rest)?;
    let local = civil_ms(civil)? + fraction_ms;
    let at = local - offset_ms(zone)?;
    (INSTANT_FIRST..INSTANT_END).contains(&at).then_some(at)
}

fn civil_ms(text: &str) -> Option<Ms> {
    if !shaped(text, "dddd-dd-ddTdd:dd:dd") {
        return None;
    }
    let part = |from: usize, to: usize| text[from..to].parse::<i16>().ok();
    let small = |from: usize, to: usize| text[from..to].parse::<i8>().ok();
    let civil = DateTime::new(
        part(0, 4)?,
        small(5, 7)?,
        small(8, 10)?,
        small(11, 13)?,
        small(14, 16)?,
        small(17, 19)?,
        0,
    );
    let zoned: Zoned = civil.ok()?.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

fn fraction(rest: &str) -> Option<(Ms, &str)> {
    let Some(after) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let padded = format!("{}00", &after[..digits]);
    Some((padded[..3].parse().ok()?, &after[digits..]))
}

fn offset_ms(zone: &str) -> Option<Ms> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, clock) = match zone.strip_prefix('+') {
        Some(clock) => (1, clock),
        None => (-1, zone.strip_prefix('-')?),
    };
    Some(sign * clock_ms(clock, 23)?)
}

/// `HH:MM`, up to `hour_max`, as a time of day.
pub fn clock_ms(text: &str, hour_max: Ms) -> Option<Ms> {
    if !shaped(text, "dd:dd") {
        return None;
    }
    let (hours, minutes): (Ms, Ms) = (text[..2].parse().ok()?, text[3..].parse().ok()?);
    (hours <= hour_max && minutes <= 59).then_some(hours * HOUR_MS + minutes * MINUTE_MS)
}

/// Whether `text` looks like `shape`, in which `d` stands for a digit.
pub fn shaped(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                other => byte == other,
            })
}

/// An instant as it is written: in the zone, numeric offset, milliseconds left out when zero.
pub fn written(at: Ms, zone: &TimeZone) -> String {
    let stamp = Timestamp::from_millisecond(at).expect("instants stay within jiff's years");
    let offset: Offset = zone.to_offset(stamp);
    let civil = offset.to_datetime(stamp);
    let millis = match civil.millisecond() {
        0 => String::new(),
        some => format!(".{some:03}"),
    };
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hour, minute) = (minutes.abs() / 60, minutes.abs() % 60);
    format!(
        "{}{millis}{sign}{hour:02}:{minute:02}",
        civil.strftime("%Y-%m-%dT%H:%M:%S")
    )
}

/// One or more of `<digits><unit>`, at most one blank between them.
pub fn duration(text: &str) -> Option<Ms> {
    let mut total: i128 = 0;
    let mut rest = text;
    loop {
        let (number, after) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let letters = after.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, after) = after.split_at(letters);
        total += amount(number)? * unit_ms(unit)?;
        if after.is_empty() {
            break;
        }
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    let longest = DURATION_DAYS_MAX * i128::from(DAY_MS);
    (total <= longest).then(|| Ms::try_from(total).expect("at most 3650 days"))
}

fn amount(digits: &str) -> Option<i128> {
    if digits.is_empty() {
        return None;
    }
    let plain = digits.trim_start_matches('0');
    match plain.len() {
        0 => Some(0),
        1..=15 => plain.parse().ok(),
        _ => None, // more than 3650 days in any unit
    }
}

fn unit_ms(unit: &str) -> Option<i128> {
    let ms = match unit {
        "ms" => 1,
        "s" => SECOND_MS,
        "m" => MINUTE_MS,
        "h" => HOUR_MS,
        "d" => DAY_MS,
        "w" => WEEK_MS,
        _ => return None,
    };
    Some(i128::from(ms))
}

/// An id of 1 to 128 bytes without control characters.
pub fn is_id(text: &str) -> bool {
    is_id_up_to(text, ID_BYTES_MAX)
}

pub fn is_id_up_to(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// A JSON number without fraction or exponent.
pub fn whole(value: &Value) -> Option<i64> {
    value.as_i64()
}

/// A JSON number of at most `places` decimals, as a whole number of their last unit.
pub fn decimal(value: &Value, places: u32) -> Option<i64> {
    let number = value.as_f64()?;
    let unit = f64::from(10_u32.pow(places));
    let scaled = (number * unit).round();
    // The nearest double of scaled/unit is the number itself only where it has no further decimals.
    (scaled.abs() < 1e12 && scaled / unit == number).then_some(scaled as i64)
}

/// `numerator / denominator`, rounded half away from zero to 4 decimals; null over 0.
pub fn ratio(numerator: u64, denominator: u64) -> Value {
    if denominator == 0 {
        return Value::Null;
    }
    let (n, d) = (u128::from(numerator), u128::from(denominator));
    let rounded = (n * 20_000 + d) / (2 * d);
    thousandths(u64::try_from(rounded).expect("a small ratio"), 10_000)
}

/// `amount / unit` as a JSON number.
pub fn thousandths(amount: u64, unit: u64) -> Value {
    if amount.is_multiple_of(unit) {
        return Value::from(amount / unit);
    }
    let number = amount as f64 / unit as f64;
    Value::Number(Number::from_f64(number).expect("finite"))
}

/// Milliseconds as seconds with at most 3 decimals.
pub fn seconds(length: Ms) -> Value {
    thousandths(u64::try_from(length).expect("time does not go back"), 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        let rows = [
            ("2026-11-11T10:00:00+08:00", Some(1_794_362_400_000)),
            ("2026-11-11T02:00:00Z", Some(1_794_362_400_000)),
            ("2026-11-11T02:00:00.2509Z", Some(1_794_362_400_250)),
            ("1999-12-31T23:00:00-01:00", Some(INSTANT_FIRST)),
            ("2099-12-31T23:59:59.999999999Z", Some(INSTANT_END - 1)),
            ("2000-01-01T00:00:00+00:01", None),
            ("2026-11-11T02:00:60Z", None),
            ("2026-02-29T02:00:00Z", None),
            ("2026-11-11T02:00:00.Z", None),
            ("2026-11-11T02:00:00", None),
            ("2026-11-11T02:00:00+24:00", None),
            ("2026-11-11t02:00:00Z", None),
            ("2026-11-11T02:00:00.1234567890Z", None),
        ];
        for (text, expected) in rows {
            assert_eq!(instant(text), expected, "{text}");
        }
    }

    #[test]
    fn durations() {
        let rows = [
            ("48h", Some(48 * HOUR_MS)),
            ("1h 30m", Some(90 * MINUTE_MS)),
            ("1h30m", Some(90 * MINUTE_MS)),
            ("1ms", Some(1)),
            ("0s", Some(0)),
            ("3650d", Some(3650 * DAY_MS)),
            ("3650d 1ms", None),
            ("1h  30m", None),
            (" 1h", None),
            ("1h ", None),
            ("1", None),
            ("h", None),
            ("", None),
            ("99999999999999999999999s", None),
        ];
        for (text, expected) in rows {
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(decimal(&serde_json::json!(26.43), 2), Some(2643));
        assert_eq!(decimal(&serde_json::json!(26.431), 2), None);
        assert_eq!(decimal(&serde_json::json!(100), 2), Some(10_000));
    }
}
