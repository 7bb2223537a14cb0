//! `Retry-After` of RFC 9110: when a receiver asks to be called again.

use crate::domain::base::time::{Duration, Instant};

/// When a receiver asks to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// So long after its answer.
    Wait(Duration),
    /// Not before this instant, by the receiver's clock.
    At(Instant),
}

/// The longest wait that is read, in days. Longer waits mean never, and the retry policy has a bound of its own.
const WAIT_DAYS_MAX: i64 = 3650;

impl RetryAfter {
    /// Reads the header's value, seconds or a date; `None` for anything else.
    pub fn parse(text: &str) -> Option<RetryAfter> {
        let text = text.trim_matches([' ', '\t']);
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let longest = Duration::days(WAIT_DAYS_MAX);
            let ms = text.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(1000);
            return Some(RetryAfter::Wait(longest.min(Duration::from_ms(ms))));
        }
        // HTTP dates are in GMT; other zones, as in mail, are read too.
        let parser = jiff::fmt::rfc2822::DateTimeParser::new();
        let at = parser.parse_timestamp(text).ok()?;
        Some(RetryAfter::At(Instant::from_ms(at.as_millisecond())))
    }

    /// The wait from `now`; zero where the instant has passed.
    pub fn wait_from(self, now: Instant) -> Duration {
        match self {
            RetryAfter::Wait(wait) => wait,
            RetryAfter::At(at) => at - now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let wait = |ms| Some(RetryAfter::Wait(Duration::from_ms(ms)));
        let at = |ms| Some(RetryAfter::At(Instant::from_ms(ms)));
        for (text, expected) in [
            ("0", wait(0)),
            ("120", wait(120_000)),
            (" 120 ", wait(120_000)),
            ("00120", wait(120_000)),
            ("99999999999999999999999", wait(315_360_000_000)),
            ("Wed, 11 Nov 2026 02:00:00 GMT", at(1_794_362_400_000)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", at(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("5s", None),
            ("soon", None),
            ("Wed, 31 Nov 2026 02:00:00 GMT", None),
            ("2026-11-11T02:00:00Z", None),
        ] {
            assert_eq!(RetryAfter::parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_wait_is_counted_from_now() {
        let now = Instant::from_ms(1_794_362_400_000);
        for (text, ms) in [
            ("7", 7000),
            ("Wed, 11 Nov 2026 02:00:30 GMT", 30_000),
            ("Wed, 11 Nov 2026 01:59:30 GMT", 0),
        ] {
            let wait = RetryAfter::parse(text).unwrap().wait_from(now);
            assert_eq!(wait, Duration::from_ms(ms), "{text}");
        }
    }
}
