//! A clock that can be held in the past, so that a day that is over can be played with its own times.

use std::sync::{Mutex, PoisonError};

use super::clock::{Clock, Doubt, ServerClock, StartRule};
use crate::domain::base::time::Instant;

/// Stands at an instant, which only moves forward, until it is released; then it is the server's clock.
pub struct PausableClock {
    free: ServerClock,
    held: Mutex<Option<Instant>>,
}

impl PausableClock {
    /// A clock that stands at `choose` of the server's time.
    pub fn new(choose: impl FnOnce(Instant) -> Instant) -> PausableClock {
        let free = ServerClock::new();
        let held = Mutex::new(Some(choose(free.now())));
        PausableClock { free, held }
    }

    fn with_held<T>(&self, change: impl FnOnce(&mut Option<Instant>) -> T) -> T {
        change(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Moves a held clock on to an instant.
    pub fn move_to(&self, instant: Instant) {
        self.with_held(|held| *held = held.map(|held| held.max(instant)));
    }

    /// Releases the clock: from here on it is the server's.
    pub fn let_go(&self) {
        self.with_held(|held| *held = None);
    }
}

impl Clock for PausableClock {
    fn now(&self) -> Instant {
        self.with_held(|held| *held)
            .unwrap_or_else(|| self.free.now())
    }

    fn at_least(&self, instant: Instant) {
        self.free.at_least(instant);
    }

    fn resume(&self, latest: Option<Instant>, rule: StartRule) {
        self.free.resume(latest, rule);
    }

    fn trusted(&self) -> Result<(), Doubt> {
        self.with_held(|held| *held)
            .map_or_else(|| self.free.trusted(), |_| Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_until_it_is_let_go() {
        let at = Instant::from_ms;
        let clock = PausableClock::new(|now| at(now.ms() - 86_400_000));
        let begin = clock.now();
        clock.at_least(at(begin.ms() + 1));
        assert_eq!(clock.now(), begin);
        clock.move_to(at(begin.ms() + 5));
        clock.move_to(at(begin.ms() + 3));
        assert_eq!(clock.now().ms(), begin.ms() + 5);
        clock.let_go();
        clock.move_to(begin);
        assert!(clock.now().ms() >= begin.ms() + 86_400_000);
    }
}
