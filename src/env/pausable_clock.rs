//! A clock that can be paused in the past, so that a day that is over can be played with its own times.

use std::sync::{Mutex, PoisonError};

use super::clock::{Clock, Doubt, ServerClock, StartRule};
use crate::domain::base::time::Instant;

/// Stands at an instant, which only moves forward, until it is released; then it is the server's clock.
pub struct PausableClock {
    server: ServerClock,
    paused_at: Mutex<Option<Instant>>,
}

impl PausableClock {
    /// A clock that stands at `choose` of the server's time.
    pub fn new(choose: impl FnOnce(Instant) -> Instant) -> PausableClock {
        let server = ServerClock::new();
        let paused_at = Mutex::new(Some(choose(server.now())));
        PausableClock { server, paused_at }
    }

    fn with_paused_at<T>(&self, change: impl FnOnce(&mut Option<Instant>) -> T) -> T {
        change(
            &mut self
                .paused_at
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Moves a paused clock on to an instant.
    pub fn move_to(&self, instant: Instant) {
        self.with_paused_at(|paused_at| {
            *paused_at = paused_at.map(|paused_at| paused_at.max(instant))
        });
    }

    /// Releases the clock: from here on it is the server's.
    pub fn release(&self) {
        self.with_paused_at(|paused_at| *paused_at = None);
    }
}

impl Clock for PausableClock {
    fn now(&self) -> Instant {
        self.with_paused_at(|paused_at| *paused_at)
            .unwrap_or_else(|| self.server.now())
    }

    fn at_least(&self, instant: Instant) {
        self.server.at_least(instant);
    }

    fn resume(&self, latest: Option<Instant>, rule: StartRule) {
        self.server.resume(latest, rule);
    }

    fn trusted(&self) -> Result<(), Doubt> {
        self.with_paused_at(|paused_at| *paused_at)
            .map_or_else(|| self.server.trusted(), |_| Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_until_it_is_released() {
        let at = Instant::from_ms;
        let clock = PausableClock::new(|now| at(now.ms() - 86_400_000));
        let begin = clock.now();
        clock.at_least(at(begin.ms() + 1));
        assert_eq!(clock.now(), begin);
        clock.move_to(at(begin.ms() + 5));
        clock.move_to(at(begin.ms() + 3));
        assert_eq!(clock.now().ms(), begin.ms() + 5);
        clock.release();
        clock.move_to(begin);
        assert!(clock.now().ms() >= begin.ms() + 86_400_000);
    }
}
