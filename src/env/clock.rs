//! The server's clock: the wall's time, but never one that goes back.
//!
//! Where the wall's clock is set back, time goes on from where it was, at its own pace, until the wall has caught
//! up; where it jumps ahead, the server follows. After a restart the clock begins no earlier than the journal ends.

use std::sync::Mutex;

use crate::domain::time::Instant;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now; never earlier than any now before.
    fn now(&self) -> Instant;

    /// Time has come at least this far.
    fn at_least(&self, instant: Instant);
}

/// The wall's clock, kept from going back by a steady one.
pub struct ServerClock {
    floor: Mutex<Floor>,
}

struct Floor {
    instant: Instant,
    read_at: std::time::Instant,
}

impl ServerClock {
    /// A clock that begins at the wall's time.
    #[expect(clippy::disallowed_methods, reason = "this is the room of the clock")]
    pub fn new() -> ServerClock {
        ServerClock {
            floor: Mutex::new(Floor {
                instant: wall(),
                read_at: std::time::Instant::now(),
            }),
        }
    }

    fn with_floor<T>(&self, change: impl FnOnce(&mut Floor) -> T) -> T {
        let mut floor = match self.floor.lock() {
            Ok(floor) => floor,
            Err(poisoned) => poisoned.into_inner(),
        };
        change(&mut floor)
    }
}

impl Default for ServerClock {
    fn default() -> ServerClock {
        ServerClock::new()
    }
}

impl Clock for ServerClock {
    #[expect(clippy::disallowed_methods, reason = "this is the room of the clock")]
    fn now(&self) -> Instant {
        self.with_floor(|floor| {
            let (now, wall) = (std::time::Instant::now(), wall());
            let passed = now.duration_since(floor.read_at).as_millis() as i64;
            let instant = wall.max(Instant::from_ms(floor.instant.ms() + passed));
            // A floor that is not moved keeps the milliseconds that rounding would lose.
            if wall >= instant {
                *floor = Floor {
                    instant,
                    read_at: now,
                };
            }
            instant
        })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the room of the clock")]
    fn at_least(&self, instant: Instant) {
        self.with_floor(|floor| {
            if floor.instant < instant {
                *floor = Floor {
                    instant,
                    read_at: std::time::Instant::now(),
                };
            }
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the room of the clock")]
fn wall() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Instant::from_ms(since.map_or(0, |since| since.as_millis() as i64))
}
