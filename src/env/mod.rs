//! The world around the shops: the clock, what stops the process, and files for their owner alone. Tests bring their own.
//!
//! The only room that reads a clock. Everything else is told what time it is.

mod blocking;
mod clock;
mod fail_stop;
mod pausable_clock;
pub mod private_files;

use std::sync::Arc;

pub use blocking::{BlockingError, begin_blocking, blocking};
pub use clock::{Clock, Doubt, JUMP_MAX, ServerClock, Source, StartRule};
pub use fail_stop::{before_end, last_words};
pub use pausable_clock::PausableClock;

/// What the server asks of the world. Cheap to clone.
#[derive(Clone)]
pub struct Env {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What becomes of a world that failed, and of planted faults.
    pub fate: Arc<dyn Fate>,
}

impl Env {
    /// The real world.
    pub fn real() -> Env {
        Env {
            clock: Arc::new(ServerClock::new()),
            fate: Arc::new(RealFate),
        }
    }
}

/// What the world does to a server.
pub trait Fate: Send + Sync {
    /// The disk has failed: nothing may be answered any more. Does not come back.
    fn stop(&self, why: &str) -> !;

    /// Called before an event of a shop is decided; a test may panic here, as a bug of ours would.
    fn before_event(&self, _shop: &str, _text: &[u8]) {}
}

/// The exit status after a failed disk (`EX_IOERR`).
pub const EXIT_DISK_FAILED: i32 = 74;

struct RealFate;

impl Fate for RealFate {
    fn stop(&self, why: &str) -> ! {
        fail_stop::end(why)
    }
}

/// How long something takes, for figures; no decision looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts.
    #[expect(clippy::disallowed_methods, reason = "this is the room of the clock")]
    pub fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    /// Microseconds since it was started.
    pub fn micros(&self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }
}
