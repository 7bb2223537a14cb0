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
const PRINT_WITHIN: Duration = Duration::from_secs(1);

/// How long `exit` may take after it. It flushes, and runs exit handlers of libraries.
const EXIT_WITHIN: Duration = Duration::from_secs(2);

/// Called before the last message: writes the lines that the log has not written yet.
static EXIT_HOOK: OnceLock<fn()> = OnceLock::new();

/// Sets what is done before the process ends for a failed disk; with the message it may take `PRINT_WITHIN`. Only
/// the first call counts.
pub fn set_exit_hook(call: fn()) {
    EXIT_HOOK.set(call).ok();
}

/// Writes a line to standard error, for at most one second. Where it cannot be written, it is lost.
pub fn print_stderr_line(line: &str) {
    let (written, result) = sync_channel(1);
    let text = format!("{line}\n");
    let write = move || {
        if let Some(call) = EXIT_HOOK.get() {
            call();
        }
        std::io::stderr().write_all(text.as_bytes()).ok();
        written.send(()).ok();
    };
    let thread = std::thread::Builder::new().name("stderr line".to_owned());
    if thread.spawn(write).is_ok() {
        result.recv_timeout(PRINT_WITHIN).ok();
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
        std::thread::sleep(PRINT_WITHIN + EXIT_WITHIN);
        kill_process(getpid(), Signal::KILL).ok();
    };
    thread.spawn(kill).ok();
    print_stderr_line(&format!("xiaoer: {why}"));
    std::process::exit(EXIT_DISK_FAILED)
}
