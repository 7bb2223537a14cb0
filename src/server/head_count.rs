//! Counting the heads of requests in a stream of bytes, without reading them: a head ends with an empty line.
//!
//! A body may hold empty lines too. So the count is never too low, and whoever stops at it must go on where a body is
//! waited for.

use memchr::memchr;

/// How many empty lines have gone by, and how the bytes before the next ones end.
#[derive(Debug)]
pub(super) struct HeadCount {
    lines: usize,
    tail: [u8; 2],
}

impl HeadCount {
    /// Nothing has gone by.
    pub(super) fn new() -> HeadCount {
        HeadCount {
            lines: 0,
            tail: [b' '; 2],
        }
    }

    /// Counts from here on.
    pub(super) fn reset(&mut self) {
        self.lines = 0;
    }

    /// How many of these bytes may go by until there is one empty line more than `max`; they have gone by then.
    pub(super) fn pass(&mut self, bytes: &[u8], max: usize) -> usize {
        let mut from = 0;
        while let Some(found) = memchr(b'\n', &bytes[from..]) {
            let at = from + found;
            if self.ends_a_line(&bytes[..at]) {
                if self.lines >= max {
                    self.gone(&bytes[..at]);
                    return at;
                }
                self.lines += 1;
            }
            from = at + 1;
        }
        self.gone(bytes);
        bytes.len()
    }

    /// Whether what comes before a line break is the end of a line, so that the line is empty.
    fn ends_a_line(&self, before: &[u8]) -> bool {
        let [first, second] = self.tail;
        match *before {
            [.., b'\n'] | [.., b'\n', b'\r'] => true,
            [b'\r'] => second == b'\n',
            [] => second == b'\n' || (first == b'\n' && second == b'\r'),
            [..] => false,
        }
    }

    fn gone(&mut self, bytes: &[u8]) {
        match *bytes {
            [.., first, second] => self.tail = [first, second],
            [only] => self.tail = [self.tail[1], only],
            [] => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes by of a text, a turn for each `max`, with the count begun anew between them.
    fn check(text: &str, turns: &[(usize, &str)]) {
        // However the bytes come in, the same goes by.
        for step in 1..=text.len().max(1) {
            let mut count = HeadCount::new();
            let mut left = text.as_bytes();
            for (max, expected) in turns {
                count.reset();
                let mut passed = Vec::new();
                loop {
                    let next = &left[..step.min(left.len())];
                    let some = count.pass(next, *max);
                    passed.extend_from_slice(&left[..some]);
                    left = &left[some..];
                    if some < next.len() || left.is_empty() {
                        break;
                    }
                }
                let passed = String::from_utf8(passed).unwrap();
                assert_eq!(passed, *expected, "{text:?} by {step}");
            }
        }
    }

    #[test]
    fn one_head_goes_by_and_what_follows_it_but_no_second() {
        check("GET / H\r\na: b\r\n\r\n", &[(1, "GET / H\r\na: b\r\n\r\n")]);
        check(
            "POST / H\r\n\r\n{\"a\":\n1}",
            &[(1, "POST / H\r\n\r\n{\"a\":\n1}")],
        );
        check(
            "A\r\n\r\nB\r\n\r\nC\n\nD",
            &[(1, "A\r\n\r\nB\r\n\r"), (1, "\nC\n"), (1, "\nD")],
        );
        check("\n\n\n\n", &[(1, "\n\n"), (1, "\n"), (1, "\n")]);
        check(
            "A\n\nB\n\nC\n\nD\n\n",
            &[(3, "A\n\nB\n\nC\n\nD\n"), (3, "\n")],
        );
        check("A\r\r\n\r\r\n", &[(0, "A\r\r\n\r\r\n")]);
        check("A\r\n\r\n", &[(0, "A\r\n\r"), (0, "")]);
        check("", &[(1, "")]);
    }
}
