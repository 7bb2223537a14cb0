//! Log lines, gathered and written together: a line a request is cheap only if it is no system call of its own.
//!
//! What is urgent, a warning or worse, is written at once, with all that came before it. The rest follows within
//! [`PAUSE`], or when there is much of it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line may wait.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// So many bytes wait at most.
const WAITING_BYTES_MAX: usize = 64 * 1024;

/// The lines that wait, and where they go.
pub(super) struct Gathered<W> {
    waiting: Mutex<Vec<u8>>,
    to: Mutex<W>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Half a line is the worst that a panic can leave.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<W: Write> Gathered<W> {
    pub(super) fn new(to: W) -> Arc<Gathered<W>> {
        Arc::new(Gathered {
            waiting: Mutex::default(),
            to: Mutex::new(to),
        })
    }

    /// Writes what waits.
    pub(super) fn flush(&self) {
        let mut to = held(&self.to);
        let lines = std::mem::take(&mut *held(&self.waiting));
        // Where the log cannot be written, nobody can be told.
        to.write_all(&lines).and_then(|()| to.flush()).ok();
    }
}

/// Writes one line.
pub(super) struct Pen<W: Write> {
    gathered: Arc<Gathered<W>>,
    urgent: bool,
}

impl<W: Write> Write for Pen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let many = {
            let mut waiting = held(&self.gathered.waiting);
            waiting.extend_from_slice(bytes);
            waiting.len() > WAITING_BYTES_MAX
        };
        if many {
            self.gathered.flush();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Pen<W> {
    fn drop(&mut self) {
        if self.urgent {
            self.gathered.flush();
        }
    }
}

/// Gives a pen for each line.
pub(super) struct Pens<W>(pub(super) Arc<Gathered<W>>);

impl<'a, W: Write + 'a> MakeWriter<'a> for Pens<W> {
    type Writer = Pen<W>;

    fn make_writer(&'a self) -> Pen<W> {
        Pen {
            gathered: Arc::clone(&self.0),
            urgent: true,
        }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Pen<W> {
        Pen {
            gathered: Arc::clone(&self.0),
            urgent: *meta.level() <= Level::WARN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_urgent_takes_along_what_waits() {
        let gathered = Gathered::new(Vec::new());
        let write = |text: &str, urgent| {
            let gathered = Arc::clone(&gathered);
            Pen { gathered, urgent }.write_all(text.as_bytes()).unwrap();
        };
        write("a request\n", false);
        assert!(held(&gathered.to).is_empty());
        write("the disk is nearly full\n", true);
        assert_eq!(
            &**held(&gathered.to),
            b"a request\nthe disk is nearly full\n"
        );
        write(&"x".repeat(WAITING_BYTES_MAX + 1), false);
        assert!(held(&gathered.waiting).is_empty());
    }
}
