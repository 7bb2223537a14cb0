//! Logs: lines on standard error, for people or as JSON. One line for each request, and no data of a buyer.

use std::fmt;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

use super::buffered_stderr::{BufferedStderr, LineWriters};
use super::log_level::LogThreshold;
use crate::domain::base::id::Id;

/// Why the log cannot be started.
#[derive(Debug)]
pub enum LogsError {
    /// There is no such level.
    Level {
        /// The level, as it was given.
        level: String,
    },
    /// The process has a log already.
    Taken(SetGlobalDefaultError),
    /// The thread that writes cannot be started.
    Thread(std::io::Error),
}

impl fmt::Display for LogsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogsError::Level { level } => write!(
                f,
                "there is no log level `{level}`: it is one of off, error, warn, info, debug, trace"
            ),
            LogsError::Taken(_) => f.write_str(
                "this process writes a log already: begin it once, before the server starts",
            ),
            LogsError::Thread(error) => write!(
                f,
                "no thread can be started for the log: {error}; allow the process more threads"
            ),
        }
    }
}

impl std::error::Error for LogsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LogsError::Level { .. } => None,
            LogsError::Taken(source) => Some(source),
            LogsError::Thread(source) => Some(source),
        }
    }
}

/// How long the last lines may take to be written.
const FLUSHED_WITHIN: Duration = Duration::from_millis(500);

/// The log of this process, once it has started.
static LOG: OnceLock<Arc<BufferedStderr>> = OnceLock::new();

/// Its level.
static LEVEL: OnceLock<LogThreshold> = OnceLock::new();

/// Starts the log of this process on standard error, with `level` and more urgent lines, for people or, with `json`,
/// one object a line. Lines that are not urgent may be up to 100 ms late; [`flush`] writes them. Panics are always
/// written. A thread that logs never waits for standard error.
///
/// # Errors
///
/// There is no such level; the process has a log already; the thread cannot be started.
pub fn init(level: &str, json: bool) -> Result<(), LogsError> {
    let colours = std::io::stderr().is_terminal();
    let log = Arc::new(BufferedStderr::default());
    let pens = LineWriters(Arc::clone(&log));
    let level = LogThreshold::new(level_of(level)?);
    let subscriber = subscriber(level.clone(), json, colours, pens);
    tracing::subscriber::set_global_default(subscriber).map_err(LogsError::Taken)?;
    LEVEL.get_or_init(|| level);
    let of_thread = Arc::clone(LOG.get_or_init(|| log));
    let thread = std::thread::Builder::new().name("log".to_owned());
    let write = move || of_thread.write_all(std::io::stderr());
    thread.spawn(write).map_err(LogsError::Thread)?;
    std::panic::set_hook(Box::new(panicked));
    Ok(())
}

/// Sets the level.
///
/// # Errors
///
/// There is no such level.
pub fn set_level(level: &str) -> Result<(), LogsError> {
    let level = level_of(level)?;
    if let Some(of_process) = LEVEL.get() {
        of_process.set(level);
    }
    Ok(())
}

/// A panic is logged like any line: a thread that waited for standard error would never end.
fn panicked(info: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("unnamed");
    if let Some(log) = LOG.get() {
        log.put(format!("thread '{name}' {info}\n").as_bytes(), true);
        if name == "main" {
            // The process may be about to end.
            log.flush(FLUSHED_WITHIN);
        }
    }
}

/// Writes the waiting lines before the process ends, within half a second.
pub fn flush() {
    if let Some(log) = LOG.get() {
        log.flush(FLUSHED_WITHIN);
    }
}

/// Writes the line of one request: its method, the pattern of its route (its path names sessions and agents), the
/// status, the microseconds it took, the bytes of the answer, and the shop as [`shop_hash`].
pub fn request(method: &str, route: &str, status: u16, micros: u64, bytes: u64, shop: Option<u32>) {
    let shop = shop.map(|hash| format!("{hash:08x}"));
    tracing::info!(method, route, status, micros, bytes, shop, "request");
}

/// A stable hash of a shop's id, so that the log can be searched for a shop without naming it.
pub fn shop_hash(shop: &Id) -> u32 {
    crc32fast::hash(shop.as_bytes())
}

fn level_of(level: &str) -> Result<LevelFilter, LogsError> {
    // The crate's own reading takes numbers and the empty text too.
    let known = matches!(level, "off" | "error" | "warn" | "info" | "debug" | "trace");
    let read = level.parse().ok().filter(|_| known);
    read.ok_or_else(|| LogsError::Level {
        level: level.to_owned(),
    })
}

fn subscriber<W>(
    level: LogThreshold,
    json: bool,
    colours: bool,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(colours)
        .with_target(false)
        .with_writer(writer);
    if json {
        let lines = lines.json().flatten_event(true);
        Box::new(registry().with(level).with(lines))
    } else {
        Box::new(registry().with(level).with(lines))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use expect_test::{Expect, expect};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What two requests and a warning write, without the time of each line.
    fn check(level: &str, json: bool, lines: Expect) {
        let sink = Sink::default();
        let writer = sink.clone();
        let level = LogThreshold::new(level_of(level).unwrap());
        let subscriber = subscriber(level, json, false, move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            let shop = Id::new("店").unwrap();
            request(
                "POST",
                "/v1/shops/{shop}/events",
                200,
                812,
                213,
                Some(shop_hash(&shop)),
            );
            request("GET", "/healthz", 200, 9, 2, None);
            tracing::warn!("the disk is nearly full");
        });
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        let without_time = text.lines().map(|line| match line.split_once("Z") {
            Some((time, rest)) => {
                let digits = time.chars().filter(char::is_ascii_digit).count();
                assert_eq!(digits, 20, "{line}");
                let begin =
                    time.trim_end_matches(|c: char| c.is_ascii_digit() || "-:.T".contains(c));
                format!("{begin}TIME{rest}\n")
            }
            None => panic!("a line without its time: {line}"),
        });
        lines.assert_eq(&without_time.collect::<String>());
    }

    #[test]
    fn a_request_is_one_line() {
        check(
            "info",
            false,
            expect![[r#"
                TIME  INFO request method="POST" route="/v1/shops/{shop}/events" status=200 micros=812 bytes=213 shop="20298b8c"
                TIME  INFO request method="GET" route="/healthz" status=200 micros=9 bytes=2
                TIME  WARN the disk is nearly full
            "#]],
        );
        check(
            "info",
            true,
            expect![[r#"
            {"timestamp":"TIME","level":"INFO","message":"request","method":"POST","route":"/v1/shops/{shop}/events","status":200,"micros":812,"bytes":213,"shop":"20298b8c"}
            {"timestamp":"TIME","level":"INFO","message":"request","method":"GET","route":"/healthz","status":200,"micros":9,"bytes":2}
            {"timestamp":"TIME","level":"WARN","message":"the disk is nearly full"}
        "#]],
        );
    }

    #[test]
    fn a_level_leaves_out_what_is_less_urgent() {
        check(
            "warn",
            false,
            expect![[r#"
            TIME  WARN the disk is nearly full
        "#]],
        );
        check("off", true, expect![[r#""#]]);
    }

    #[test]
    fn an_unknown_level_says_which_there_are() {
        for level in ["", "3", "INFO", "verbose"] {
            let error = level_of(level).unwrap_err().to_string();
            let expected = format!(
                "there is no log level `{level}`: it is one of off, error, warn, info, debug, trace"
            );
            assert_eq!(error, expected);
        }
    }
}
