//! Finds the ends of request heads in a stream of bytes, without parsing them: a head ends with an empty line.
//!
//! A body may hold empty lines too. So the caller says what comes next: a head; a body of a known length; or a body in
//! chunks, which ends with an empty line as well.

use memchr::memchr;

/// The position in the stream after the latest end of a head.
#[derive(Debug)]
pub(super) struct HeadCount {
    /// Empty lines since the last reset.
    lines: usize,
    /// Bytes since the latest of them.
    behind: u64,
    tail: [u8; 2],
}

impl HeadCount {
    /// The start of a stream.
    pub(super) fn new() -> HeadCount {
        HeadCount {
            lines: 0,
            behind: 0,
            tail: [b' '; 2],
        }
    }

    /// Allows the end of a new head from here on.
    pub(super) fn reset(&mut self) {
        self.lines = 0;
    }

    /// The number of bytes after the latest head: its body, and perhaps the next request.
    pub(super) fn behind_head(&self) -> u64 {
        self.behind
    }

    /// Passes one head and the bytes after it, up to the end of a second head. Returns the number of bytes.
    pub(super) fn pass_head(&mut self, bytes: &[u8]) -> usize {
        let mut from = 0;
        while let Some(end) = self.next_line(bytes, from) {
            if self.lines > 0 {
                return self.pass(&bytes[..end - 1], from);
            }
            self.lines += 1;
            self.behind = 0;
            from = end;
        }
        self.pass(bytes, from)
    }

    /// Passes at most so many bytes of a body.
    pub(super) fn pass_sized(&mut self, bytes: &[u8], left: u64) -> usize {
        let length = usize::try_from(left).unwrap_or(usize::MAX);
        self.pass(&bytes[..length.min(bytes.len())], 0)
    }

    /// Passes a body in chunks up to its next empty line, which may be its end; 0 where there was one since the last
    /// reset.
    pub(super) fn pass_chunks(&mut self, bytes: &[u8]) -> usize {
        if self.lines > 0 {
            return 0;
        }
        match self.next_line(bytes, 0) {
            Some(end) => {
                self.lines += 1;
                self.pass(&bytes[..end], 0)
            }
            None => self.pass(bytes, 0),
        }
    }

    /// The end of the next empty line after a place.
    fn next_line(&self, bytes: &[u8], mut from: usize) -> Option<usize> {
        while let Some(found) = memchr(b'\n', &bytes[from..]) {
            let at = from + found;
            if self.ends_a_line(&bytes[..at]) {
                return Some(at + 1);
            }
            from = at + 1;
        }
        None
    }

    /// Whether the bytes before a line break end a line, so that the line is empty.
    fn ends_a_line(&self, before: &[u8]) -> bool {
        let [first, second] = self.tail;
        match *before {
            [.., b'\n'] | [.., b'\n', b'\r'] => true,
            [b'\r'] => second == b'\n',
            [] => second == b'\n' || (first == b'\n' && second == b'\r'),
            [..] => false,
        }
    }

    /// Records that these bytes have passed; `behind` is the place of the latest empty line.
    fn pass(&mut self, bytes: &[u8], from: usize) -> usize {
        self.behind += bytes.len().saturating_sub(from) as u64;
        match *bytes {
            [.., first, second] => self.tail = [first, second],
            [only] => self.tail = [self.tail[1], only],
            [] => {}
        }
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Pass {
        Head,
        Sized(u64),
        Chunks,
    }

    /// What goes by of a text, a turn each; the count begins anew between them. However the bytes come in, the same goes
    /// by.
    fn check(text: &str, turns: &[(Pass, &str)]) {
        for step in 1..=text.len().max(1) {
            let mut count = HeadCount::new();
            let mut left = text.as_bytes();
            for (pass, expected) in turns {
                count.reset();
                let mut passed = Vec::new();
                loop {
                    let next = &left[..step.min(left.len())];
                    let some = match pass {
                        Pass::Head => count.pass_head(next),
                        Pass::Sized(all) => {
                            count.pass_sized(next, all.saturating_sub(passed.len() as u64))
                        }
                        Pass::Chunks => count.pass_chunks(next),
                    };
                    passed.extend_from_slice(&left[..some]);
                    left = &left[some..];
                    if some == 0 || left.is_empty() {
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
        use Pass::{Chunks, Head, Sized};
        let head = "GET / H\r\na: b\r\n\r\n";
        check(head, &[(Head, head)]);
        let post = "POST / H\r\n\r\n{\"a\":\n1}";
        check(post, &[(Head, post)]);
        check(
            "A\r\n\r\nB\r\n\r\nC\n\nD",
            &[(Head, "A\r\n\r\nB\r\n\r"), (Head, "\nC\n"), (Head, "\nD")],
        );
        check("\n\n\n\n", &[(Head, "\n\n"), (Head, "\n"), (Head, "\n")]);
        check("A\r\r\n\r\r\n", &[(Head, "A\r\r\n\r\r\n")]);
        check("", &[(Head, "")]);
        check(
            "A\n\nab\n\n\n\ncB\n\n",
            &[(Head, "A\n\nab\n"), (Sized(4), "\n\n\nc"), (Head, "B\n\n")],
        );
        check(
            "A\n\n3\r\nab\n\r\n0\r\n\r\nB\n\n",
            &[
                (Head, "A\n\n3\r\nab\n\r"),
                (Chunks, "\n"),
                (Chunks, "0\r\n\r\n"),
                (Head, "B\n\n"),
            ],
        );
    }

    #[test]
    fn what_is_behind_a_head_is_counted() {
        let mut count = HeadCount::new();
        for (bytes, passed, behind) in [
            ("A\r\n\r", 4, 4),
            ("\n", 1, 0),
            ("abc", 3, 3),
            ("d\r\n\r\n", 4, 7),
        ] {
            assert_eq!(count.pass_head(bytes.as_bytes()), passed, "{bytes:?}");
            assert_eq!(count.behind_head(), behind, "{bytes:?}");
        }
        assert_eq!(count.pass_sized(b"\nefgh", 3), 3);
        assert_eq!(count.behind_head(), 10);
    }
}
