//! Deadlines of waits.

use std::time::{Duration, Instant};

/// An instant after which waiting is over.
#[derive(Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(wait: Duration) -> Deadline {
        Deadline(now() + wait)
    }

    /// So many seconds from now.
    pub fn seconds(seconds: u64) -> Deadline {
        Deadline::after(Duration::from_secs(seconds))
    }

    /// What is left of it.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(now())
    }

    /// Whether nothing is left.
    pub fn passed(self) -> bool {
        self.left().is_zero()
    }

    /// Looks again and again until there is something to see; `None` once the deadline has passed.
    pub fn poll<T>(self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        loop {
            if let Some(seen) = look() {
                return Some(seen);
            }
            if self.passed() {
                return None;
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
}

/// How long something took.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Runs from now.
    pub fn start() -> Stopwatch {
        Stopwatch(now())
    }

    /// Since it was started.
    pub fn passed(&self) -> Duration {
        now() - self.0
    }
}

#[expect(clippy::disallowed_methods, reason = "tests wait for processes")]
fn now() -> Instant {
    Instant::now()
}

/// Processor time that a thread has taken: the same however busy the machine is.
pub struct Worked(Option<Duration>);

impl Worked {
    /// Of the thread that asks; `None` where the system does not tell.
    fn now() -> Option<Duration> {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let nanos = told.split_whitespace().next()?.parse().ok()?;
        Some(Duration::from_nanos(nanos))
    }

    /// Counts from now.
    pub fn start() -> Worked {
        Worked(Worked::now())
    }

    /// Since it was started; nothing where the system does not tell.
    pub fn passed(&self) -> Duration {
        let (was, is) = (self.0, Worked::now());
        was.zip(is).map_or(Duration::ZERO, |(was, is)| is - was)
    }
}
