//! Parses paths and query strings: ids, filters, the page size and the cursor.
//!
//! Parsing is strict, like that of events: an unknown parameter is an error that names the known ones.

use super::problem::Problem;
use crate::domain::base::calendar::{Day, DayRange};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;

/// The default number of items in a page.
pub const LIMIT_DEFAULT: usize = 100;

/// The maximum number of items in a page.
pub const LIMIT_MAX: usize = 500;

/// The parameters of a query string.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Parses a query string. Parameters other than `known` are errors.
    pub fn read(text: &str, known: &[&str]) -> Result<Query, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decode(name, true), decode(value, true)) else {
                return Err(Problem::malformed(
                    "The query string is not UTF-8 after percent-decoding. Encode it again.",
                ));
            };
            if !known.contains(&name.as_str()) {
                return Err(Problem::malformed(unknown(&name, known)));
            }
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(Problem::malformed(format!(
                    "`{name}` occurs twice in the query string. Send it once."
                )));
            }
            pairs.push((name, value));
        }
        Ok(Query(pairs))
    }

    /// The value of a parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// A parameter that is an id.
    pub fn id(&self, name: &str) -> Result<Option<Id>, Problem> {
        let wrong = || {
            Problem::malformed(format!(
                "`{name}` must be an id: 1 to 128 bytes without control characters."
            ))
        };
        self.text(name)
            .map(|text| Id::new(text).ok_or_else(wrong))
            .transpose()
    }

    /// A parameter that is an instant. A space is read as `+`, because decoding turns `+` into a space.
    pub fn instant(&self, name: &str) -> Result<Option<Instant>, Problem> {
        let wrong = || {
            Problem::malformed(format!(
                "`{name}` must be an instant such as \"2026-11-11T10:00:00+08:00\"."
            ))
        };
        self.text(name)
            .map(|text| Instant::parse(&text.replace(' ', "+")).ok_or_else(wrong))
            .transpose()
    }

    /// A parameter that is a natural day.
    pub fn day(&self, name: &str) -> Result<Option<Day>, Problem> {
        let wrong = || {
            Problem::malformed(format!(
                "`{name}` must be a day that exists, such as \"2026-11-11\"."
            ))
        };
        self.text(name)
            .map(|text| Day::parse(text).ok_or_else(wrong))
            .transpose()
    }

    /// The parameters `from` and `to`: natural days, both included. All days, if both are left out.
    pub fn day_range(&self) -> Result<DayRange, Problem> {
        let (from, to) = (self.day("from")?, self.day("to")?);
        let range = DayRange {
            from: from.unwrap_or(DayRange::ALL.from),
            to: to.unwrap_or(DayRange::ALL.to),
        };
        if range.from > range.to {
            return Err(Problem::malformed(format!(
                "`from` must not be later than `to`, but {} is later than {}.",
                range.from, range.to
            )));
        }
        Ok(range)
    }

    /// A parameter that is a whole number.
    pub fn whole(&self, name: &str) -> Result<Option<u64>, Problem> {
        let wrong = || Problem::malformed(format!("`{name}` must be a whole number."));
        self.text(name)
            .map(|text| whole(text).ok_or_else(wrong))
            .transpose()
    }

    /// A parameter that is one of the given words.
    pub fn choice<T: Copy>(
        &self,
        name: &str,
        words: &[(&'static str, T)],
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(Problem::malformed(format!(
                    "`{name}` must be one of {}.",
                    words.join(", ")
                )))
            }
        }
    }

    /// The page size.
    pub fn limit(&self) -> Result<usize, Problem> {
        let wrong = || {
            Problem::malformed(format!(
                "`limit` must be a whole number from 1 to {LIMIT_MAX}."
            ))
        };
        let Some(text) = self.text("limit") else {
            return Ok(LIMIT_DEFAULT);
        };
        let limit = whole(text).filter(|limit| (1..=LIMIT_MAX as u64).contains(limit));
        limit.map(|limit| limit as usize).ok_or_else(wrong)
    }

    /// The key of the list after which the page starts.
    pub fn cursor(&self, list: &str) -> Result<Option<String>, Problem> {
        let wrong = || {
            Problem::malformed(
                "`cursor` is not one of this list: give the `next` of the page before, or leave it out.",
            )
        };
        self.text("cursor")
            .map(|text| read_cursor(list, text).ok_or_else(wrong))
            .transpose()
    }

    /// [`Query::cursor`] for a list with numeric keys.
    pub fn cursor_seq(&self, list: &str) -> Result<Option<u64>, Problem> {
        let key = self.cursor(list)?;
        Ok(key.as_deref().and_then(whole))
    }
}

fn unknown(name: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return format!("`{name}` is no parameter here: this takes none.");
    }
    format!(
        "`{name}` is no parameter here: there are {}.",
        known.join(", ")
    )
}

/// Parses a whole number that has only digits.
pub fn whole(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// The cursor after `key` in a list. It is opaque, so that its content may change.
pub fn cursor(list: &str, key: &str) -> String {
    let plain = format!("{list}:{key}");
    plain.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn read_cursor(list: &str, text: &str) -> Option<String> {
    let pairs = text.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs.map(|pair| hex(pair.first()?, pair.get(1)?)).collect();
    let plain = String::from_utf8(bytes?).ok()?;
    let key = plain.strip_prefix(list)?.strip_prefix(':')?;
    Some(key.to_owned())
}

fn hex(high: &u8, low: &u8) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    Some((digit(high)? * 16 + digit(low)?) as u8)
}

/// Percent-decodes a text. `None` if the result is not UTF-8.
pub fn decode(text: &str, plus_is_blank: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'%' => {
                plain.push(hex(bytes.get(at)?, bytes.get(at + 1)?)?);
                at += 2;
            }
            b'+' if plus_is_blank => plain.push(b' '),
            byte => plain.push(*byte),
        }
    }
    String::from_utf8(plain).ok()
}

/// The path segment that the pattern calls `{name}`, decoded. `None` if it is not UTF-8.
pub fn segment(pattern: &str, path: &str, name: &str) -> Option<String> {
    let mut segments = path.split('/');
    let is_named = |part: &str| {
        let inner = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        inner == Some(name)
    };
    let place = pattern.split('/').position(is_named)?;
    decode(segments.nth(place)?, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: [&str; 2] = ["limit", "cursor"];

    #[test]
    fn query_strings_are_read_strictly() {
        for (text, good) in [
            ("", true),
            ("limit=1", true),
            ("limit=500&cursor=", true),
            ("agent=%E5%AE%89", true),
            ("agent=a%20b&", true),
            ("Limit=1", false),
            ("limit=1&limit=2", false),
            ("other=1", false),
            ("agent=%zz", false),
            ("agent=%e5", false),
            ("agent=%", false),
        ] {
            let query = Query::read(text, &["limit", "cursor", "agent"]);
            assert_eq!(query.is_ok(), good, "{text}");
        }
        let refused = Query::read("x=1", &PAGE).unwrap_err().json();
        assert!(
            refused.contains("`x` is no parameter here: there are limit, cursor."),
            "{refused}"
        );
    }

    #[test]
    fn a_page_has_1_to_500_items() {
        for (text, limit) in [
            ("", Some(100)),
            ("limit=1", Some(1)),
            ("limit=500", Some(500)),
            ("limit=0", None),
            ("limit=501", None),
            ("limit=-1", None),
            ("limit=+1", None),
            ("limit=1.0", None),
            ("limit=", None),
            ("limit=99999999999999999999", None),
        ] {
            let query = Query::read(text, &PAGE).unwrap();
            assert_eq!(query.limit().ok(), limit, "{text}");
        }
    }

    #[test]
    fn a_cursor_leads_back_to_its_own_list() {
        for key in ["anna", "会话:1", "12", ""] {
            let query = format!("cursor={}", cursor("agents", key));
            let query = Query::read(&query, &PAGE).unwrap();
            assert_eq!(query.cursor("agents").unwrap().as_deref(), Some(key));
            assert!(query.cursor("shops").is_err());
            assert!(query.cursor("agent").is_err());
        }
        for bad in ["", "0", "zz", "6", "é", "61676"] {
            let query = Query::read(&format!("cursor={bad}"), &PAGE).unwrap();
            assert!(query.cursor("agents").is_err(), "{bad}");
        }
    }

    #[test]
    fn instants_survive_a_plus_that_was_not_encoded() {
        for text in ["2026-11-11T10:00:00+08:00", "2026-11-11T10:00:00%2B08:00"] {
            let query = Query::read(&format!("from={text}"), &["from"]).unwrap();
            let at = query.instant("from").unwrap();
            assert_eq!(at.map(Instant::ms), Some(1_794_362_400_000), "{text}");
        }
        let query = Query::read("from=yesterday", &["from"]).unwrap();
        assert!(query.instant("from").is_err());
    }

    #[test]
    fn a_range_of_days_has_days_that_exist_and_an_order() {
        for (text, range) in [
            ("", Some(("", ""))),
            ("from=2026-11-11", Some(("2026-11-11", ""))),
            ("to=2026-11-11", Some(("", "2026-11-11"))),
            (
                "from=2026-11-11&to=2026-11-11",
                Some(("2026-11-11", "2026-11-11")),
            ),
            ("from=2028-02-29", Some(("2028-02-29", ""))),
            ("from=2026-11-12&to=2026-11-11", None),
            ("from=2027-02-29", None),
            ("from=2026-11-31", None),
            ("from=2026-13-01", None),
            ("from=2026-1-1", None),
            ("from=2026-11", None),
            ("from=2026-W46", None),
            ("from=2026-11-11T00:00:00%2B08:00", None),
            ("from=", None),
            ("to=today", None),
        ] {
            let query = Query::read(text, &["from", "to"]).unwrap();
            let expected = range.map(|(from, to)| DayRange {
                from: Day::parse(from).unwrap_or(DayRange::ALL.from),
                to: Day::parse(to).unwrap_or(DayRange::ALL.to),
            });
            assert_eq!(query.day_range().ok(), expected, "{text}");
        }
        let query = Query::read("from=2026-11-12&to=2026-11-11", &["from", "to"]).unwrap();
        let refused = query.day_range().unwrap_err().json();
        assert!(
            refused.contains("2026-11-12 is later than 2026-11-11"),
            "{refused}"
        );
    }

    #[test]
    fn segments_are_decoded_once() {
        let pattern = "/v1/shops/{shop}/agents/{agent}";
        for (path, agent) in [
            ("/v1/shops/s/agents/anna", Some("anna")),
            ("/v1/shops/s/agents/a%2Fb", Some("a/b")),
            ("/v1/shops/s/agents/a+b", Some("a+b")),
            ("/v1/shops/s/agents/%2561", Some("%61")),
            ("/v1/shops/s/agents/%E5%AE%89", Some("安")),
            ("/v1/shops/s/agents/%E5", None),
            ("/v1/shops/s/agents/%", None),
        ] {
            assert_eq!(segment(pattern, path, "agent").as_deref(), agent, "{path}");
        }
        assert_eq!(
            segment(pattern, "/v1/shops/s/agents/a", "shop").as_deref(),
            Some("s")
        );
        assert_eq!(segment(pattern, "/v1/shops/s/agents/a", "card"), None);
    }
}
