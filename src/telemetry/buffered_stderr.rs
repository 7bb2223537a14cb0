//! Log lines, buffered and written by a thread of their own. A line for each request is cheap only without a system
//! call of its own, and a thread that logs must never wait for standard error.
//!
//! Urgent lines, warnings or worse, are written as soon as the thread runs, with all lines before them. Other lines
//! follow within [`PAUSE`], or when there are many. Where standard error is not read, lines beyond
//! [`WAITING_BYTES_MAX`] are counted and dropped.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long a line may wait for others.
const PAUSE: Duration = Duration::from_millis(100);

/// With so many bytes, lines are written without a pause.
const MANY_BYTES: usize = 64 * 1024;

/// The most bytes that wait.
const WAITING_BYTES_MAX: usize = 1024 * 1024;

/// The lines that wait.
#[derive(Default)]
pub(super) struct BufferedStderr {
    state: Mutex<BufferState>,
    /// Notified when there is an urgent line.
    urgent: Condvar,
    /// Notified when the lines have been written.
    written: Condvar,
}

#[derive(Default)]
struct BufferState {
    waiting: Vec<u8>,
    /// Lines that were dropped since the last line that was written.
    dropped: u64,
    flush_requested: bool,
    /// Whether lines are being written.
    writing: bool,
}

fn held(lock: &Mutex<BufferState>) -> MutexGuard<'_, BufferState> {
    // Half a line is the worst that a panic can leave.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BufferedStderr {
    /// Writes lines for ever. Lines that cannot be written are lost.
    pub(super) fn write_all(&self, mut to: impl Write) {
        loop {
            self.write_some(&mut to);
        }
    }

    /// Waits for lines, and writes them.
    fn write_some(&self, to: &mut impl Write) {
        let state = held(&self.state);
        let calm = |state: &mut BufferState| !state.flush_requested;
        let waited = self.urgent.wait_timeout_while(state, PAUSE, calm);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.flush_requested = false;
        let lines = std::mem::take(&mut state.waiting);
        let dropped = std::mem::take(&mut state.dropped);
        state.writing = true;
        drop(state);
        to.write_all(&lines).ok();
        if dropped > 0 {
            writeln!(
                to,
                "{dropped} lines of this log were lost, because standard error was not read"
            )
            .ok();
        }
        to.flush().ok();
        held(&self.state).writing = false;
        self.written.notify_all();
    }

    /// Has the waiting lines written, and waits for that, at most for `within`.
    pub(super) fn flush(&self, within: Duration) {
        let mut state = held(&self.state);
        state.flush_requested = true;
        self.urgent.notify_one();
        let unwritten = |state: &mut BufferState| state.writing || !state.waiting.is_empty();
        drop(self.written.wait_timeout_while(state, within, unwritten));
    }

    /// Adds a line.
    pub(super) fn put(&self, line: &[u8], urgent: bool) {
        let mut state = held(&self.state);
        if state.waiting.len() + line.len() > WAITING_BYTES_MAX {
            state.dropped += 1;
            return;
        }
        state.waiting.extend_from_slice(line);
        if urgent || state.waiting.len() > MANY_BYTES {
            state.flush_requested = true;
            drop(state);
            self.urgent.notify_one();
        }
    }
}

/// Writes one line.
pub(super) struct LineWriter {
    gathered: Arc<BufferedStderr>,
    urgent: bool,
}

impl Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.put(bytes, self.urgent);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes a writer for each line.
pub(super) struct LineWriters(pub(super) Arc<BufferedStderr>);

impl<'a> MakeWriter<'a> for LineWriters {
    type Writer = LineWriter;

    fn make_writer(&'a self) -> LineWriter {
        LineWriter {
            gathered: Arc::clone(&self.0),
            urgent: true,
        }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> LineWriter {
        LineWriter {
            gathered: Arc::clone(&self.0),
            urgent: *meta.level() <= Level::WARN,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use super::*;

    /// Takes what is written where somebody lets it.
    struct Gate(Receiver<()>, Vec<u8>);

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().ok();
            self.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn write(gathered: &Arc<BufferedStderr>, text: &str, urgent: bool) {
        let gathered = Arc::clone(gathered);
        LineWriter { gathered, urgent }
            .write_all(text.as_bytes())
            .unwrap();
    }

    #[test]
    fn what_is_urgent_takes_along_what_waits() {
        let gathered = Arc::new(BufferedStderr::default());
        write(&gathered, "a request\n", false);
        assert!(!held(&gathered.state).flush_requested);
        write(&gathered, "the disk is nearly full\n", true);
        assert!(held(&gathered.state).flush_requested);
        let mut to = Vec::new();
        gathered.write_some(&mut to);
        assert_eq!(to, b"a request\nthe disk is nearly full\n");
        write(&gathered, &"x".repeat(MANY_BYTES + 1), false);
        assert!(held(&gathered.state).flush_requested);
    }

    #[test]
    fn nobody_waits_for_a_log_that_nobody_takes() {
        let gathered = Arc::new(BufferedStderr::default());
        let (open, gate) = sync_channel(2);
        let mut to = Gate(gate, Vec::new());
        let line = "x".repeat(99) + "\n";
        write(&gathered, &line, true);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| {
                gathered.write_some(&mut to);
                gathered.write_some(&mut to);
            });
            while !held(&gathered.state).writing {
                std::thread::yield_now();
            }
            // The first line is on its way, and stays there.
            let lines = WAITING_BYTES_MAX / line.len();
            for _ in 0..lines + 7 {
                write(&gathered, &line, true);
            }
            gathered.flush(Duration::from_millis(1));
            assert_eq!(held(&gathered.state).dropped, 7);
            // Now it is taken, and the rest with it.
            drop(open);
            writing.join().unwrap();
        });
        assert!(to.1.len() > WAITING_BYTES_MAX - line.len());
        assert!(
            to.1.ends_with(
                b"\n7 lines of this log were lost, because standard error was not read\n"
            )
        );
        gathered.flush(Duration::from_secs(10));
    }
}
