//! Ends the process after a failure of the disk. It tries to write a last message, and ends in any case: also where
//! standard error is a full disk, a closed pipe, or a pipe that is not read.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use super::EXIT_DISK_FAILED;

/// How long the last message may take.
const WORDS_WITHIN: Duration = Duration::from_secs(1);

/// How long `exit` may take after it. It flushes, and runs exit handlers of libraries.
const EXIT_WITHIN: Duration = Duration::from_secs(2);

/// Called before the last message: writes the lines that the log has not written yet.
static BEFORE_END: OnceLock<fn()> = OnceLock::new();

/// Sets what is done before the process ends for a failed disk; with the message it may take `WORDS_WITHIN`. Only
/// the first call counts.
pub fn before_end(call: fn()) {
    BEFORE_END.set(call).ok();
}

/// Writes a line to standard error, for at most one second. Where it cannot be written, it is lost.
pub fn last_words(line: &str) {
    let (written, result) = sync_channel(1);
    let text = format!("{line}\n");
    let write = move || {
        if let Some(call) = BEFORE_END.get() {
            call();
        }
        std::io::stderr().write_all(text.as_bytes()).ok();
        written.send(()).ok();
    };
    let thread = std::thread::Builder::new().name("last words".to_owned());
    if thread.spawn(write).is_ok() {
        result.recv_timeout(WORDS_WITHIN).ok();
    }
}

/// Ends the process with status 74.
pub(super) fn end(why: &str) -> ! {
    static ENDING: AtomicBool = AtomicBool::new(false);
    if ENDING.swap(true, Ordering::SeqCst) {
        // Another thread is at it.
        loop {
            std::thread::park();
        }
    }
    let thread = std::thread::Builder::new().name("end".to_owned());
    let kill = || {
        std::thread::sleep(WORDS_WITHIN + EXIT_WITHIN);
        kill_process(getpid(), Signal::KILL).ok();
    };
    thread.spawn(kill).ok();
    last_words(&format!("xiaoer: {why}"));
    std::process::exit(EXIT_DISK_FAILED)
}
