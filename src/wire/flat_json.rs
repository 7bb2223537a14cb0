//! A fast one-pass parser for plain objects, the shape of nearly all events.
//!
//! An object is plain if its keys are strings without escapes, and its values are such strings, whole numbers, `true`,
//! `false` or `null`. All other text, valid or not, goes to the general parser, which reports errors. For plain objects
//! both give the same result.

use std::borrow::Cow;

use crate::wire::value::{Field, Value};

/// The maximum number of digits of a whole number that certainly fits.
const DIGITS_MAX: usize = 18;

/// A position in a text.
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// The start of a text.
    pub fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    /// Whether only whitespace is left.
    pub fn is_at_end(&mut self) -> bool {
        self.next().is_none()
    }

    /// Skips whitespace and this byte. Returns whether the byte was there.
    pub fn step(&mut self, mark: u8) -> bool {
        let there = self.next() == Some(mark);
        self.at += usize::from(there);
        there
    }

    /// Parses the next plain object: adds its fields to `fields` and returns its text. If there is none, it returns
    /// `None` and the position is undefined.
    pub fn object(&mut self, fields: &mut Vec<Field<'a>>) -> Option<&'a str> {
        if !self.step(b'{') {
            return None;
        }
        let begin = self.at - 1;
        if self.step(b'}') {
            return self.text.get(begin..self.at);
        }
        loop {
            let key = self.string()?;
            if !self.step(b':') {
                return None;
            }
            let value = self.value()?;
            fields.push((Cow::Borrowed(key), value));
            if self.step(b',') {
                continue;
            }
            return match self.step(b'}') {
                true => self.text.get(begin..self.at),
                false => None,
            };
        }
    }

    /// The next byte after whitespace.
    fn next(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.next()? {
            b'"' => Some(Value::Text(Cow::Borrowed(self.string()?))),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            b'0'..=b'9' => self.whole(),
            _ => None,
        }
    }

    fn string(&mut self) -> Option<&'a str> {
        if !self.step(b'"') {
            return None;
        }
        let begin = self.at;
        let end = begin + plain_bytes(&self.text.as_bytes()[begin..]);
        // Both ends are next to a quote, so no character is cut.
        let string = self.text.get(begin..end)?;
        // The string may end at a line break, which is not allowed inside a string.
        let ended = self.text.as_bytes().get(end) == Some(&b'"');
        self.at = end + 1;
        ended.then_some(string)
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Option<Value<'a>> {
        let there = self.text.as_bytes()[self.at..].starts_with(word.as_bytes());
        self.at += word.len();
        there.then_some(value)
    }

    /// A whole number. Its end needs no check: the caller expects a comma or a brace next.
    fn whole(&mut self) -> Option<Value<'a>> {
        let rest = &self.text.as_bytes()[self.at..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > DIGITS_MAX || (digits > 1 && rest[0] == b'0') {
            return None;
        }
        let number = |sum, byte: &u8| sum * 10 + u64::from(byte - b'0');
        self.at += digits;
        Some(Value::Whole(rest[..digits].iter().fold(0, number)))
    }
}

/// The value 1 in every byte of a word.
const EACH: u64 = 0x0101_0101_0101_0101;

/// The number of bytes before the first quote, backslash or control character. Checks eight bytes at once.
fn plain_bytes(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let zero = |word: u64| word.wrapping_sub(EACH) & !word;
        let control = word.wrapping_sub(EACH * 0x20) & !word;
        let quote = zero(word ^ (EACH * u64::from(b'"')));
        let backslash = zero(word ^ (EACH * u64::from(b'\\')));
        // The lowest set bit is exact. A carry may set higher ones.
        let found = (control | quote | backslash) & (EACH * 0x80);
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes[at..].iter();
    let special = |&byte: &u8| byte < b' ' || byte == b'"' || byte == b'\\';
    at + rest.clone().position(special).unwrap_or(rest.len())
}
