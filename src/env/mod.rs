//! The environment of the shops: the clock, the end of the process, and private files. Tests have their own.
//!
//! Only this module reads a clock. Everything else gets the time as an argument.

mod blocking;
mod clock;
mod fail_stop;
mod pausable_clock;
pub mod private_files;

use std::sync::Arc;

pub use blocking::{BlockingError, begin_blocking, blocking};
pub use clock::{Clock, ClockSource, Doubt, JUMP_MAX, ServerClock, StartRule};
pub use fail_stop::{print_stderr_line, set_exit_hook};
pub use pausable_clock::PausableClock;

/// What the server needs of its environment. It is cheap to clone.
#[derive(Clone)]
pub struct Env {
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// Ends the process after a failure, and plants faults in tests.
    pub fail_stop: Arc<dyn FailStop>,
}

impl Env {
    /// The environment of the real process.
    pub fn real() -> Env {
        Env {
            clock: Arc::new(ServerClock::new()),
            fail_stop: Arc::new(ExitProcess),
        }
    }
}

/// How the process ends after a failure of the disk. Tests have their own, which also plants faults.
pub trait FailStop: Send + Sync {
    /// The disk has failed, so nothing more may be answered. Does not return.
    fn stop(&self, why: &str) -> !;

    /// Called before an event of a shop is decided; a test may panic here, as a bug would.
    fn before_event(&self, _shop: &str, _text: &[u8]) {}
}

/// The exit status after a failed disk (`EX_IOERR`).
pub const EXIT_DISK_FAILED: i32 = 74;

struct ExitProcess;

impl FailStop for ExitProcess {
    fn stop(&self, why: &str) -> ! {
        fail_stop::end(why)
    }
}

/// Measures a duration for metrics; no decision depends on it.
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
