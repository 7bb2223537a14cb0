//! Replay: reads a trace and writes decisions, in virtual time (contract, section 5).
//!
//! It streams: memory grows with the shops only. The same input gives the same bytes, on every machine, at any speed.

mod explain;

use std::io::{self, BufRead, Write};

pub use explain::{FoundDecision, explain};

use crate::domain::base::id::Id;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::installation::Installation;
use crate::domain::protocol::decision::Decision;
use crate::wire::{Line, NotAnObject, WrittenDecision, read_line};

/// Why a replay stopped before the end of its trace.
#[derive(Debug)]
pub enum ReplayError {
    /// A line is not a JSON object; its number, from 1.
    Line(u64, NotAnObject),
    /// A line is not UTF-8; its number, from 1.
    NotUtf8(u64),
    /// The trace cannot be read.
    Read(io::Error),
    /// The decisions cannot be written.
    Write(io::Error),
}

impl std::fmt::Display for ReplayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ReplayError::Line(number, error) => write!(f, "line {number} is {error}"),
            ReplayError::NotUtf8(number) => write!(f, "line {number} is not UTF-8 text"),
            ReplayError::Read(error) => write!(f, "the trace could not be read: {error}"),
            ReplayError::Write(error) => write!(f, "the decisions could not be written: {error}"),
        }
    }
}

impl std::error::Error for ReplayError {}

/// How much of a trace has been replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayProgress {
    /// Lines read, blank ones included.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Decisions taken.
    pub decisions: u64,
}

/// The lines of a trace, one event each; blank ones are skipped, and counted.
pub struct Lines<R> {
    trace: R,
    buffer: Vec<u8>,
    progress: ReplayProgress,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `trace`, before the first one is read.
    pub fn new(trace: R) -> Lines<R> {
        Lines {
            trace,
            buffer: Vec::new(),
            progress: ReplayProgress::default(),
        }
    }

    /// The next event, well-formed or not; `None` at the end.
    pub fn next_line(&mut self) -> Result<Option<Line>, ReplayError> {
        loop {
            self.buffer.clear();
            let read = self
                .trace
                .read_until(b'\n', &mut self.buffer)
                .map_err(ReplayError::Read)?;
            if read == 0 {
                return Ok(None);
            }
            self.progress.lines += 1;
            self.progress.bytes += read as u64;
            let number = self.progress.lines;
            let text =
                std::str::from_utf8(&self.buffer).map_err(|_| ReplayError::NotUtf8(number))?;
            if !text.trim_start().is_empty() {
                let line = read_line(text).map_err(|error| ReplayError::Line(number, error))?;
                return Ok(Some(line));
            }
        }
    }
}

/// Replays `trace` into `installation` and gives every line's decisions to `each`, with their shop.
pub fn replay_with(
    installation: &mut Installation,
    trace: impl BufRead,
    mut each: impl FnMut(&str, &[Decision], &ReplayProgress) -> io::Result<()>,
) -> Result<ReplayProgress, ReplayError> {
    let (mut lines, mut out) = (Lines::new(trace), DecisionSink::default());
    while let Some(line) = lines.next_line()? {
        let shop = take_line(installation, line, &mut out);
        lines.progress.decisions += out.decisions.len() as u64;
        let shop = shop.as_deref().unwrap_or_default();
        each(shop, &out.decisions, &lines.progress).map_err(ReplayError::Write)?;
        out.decisions.clear();
    }
    Ok(lines.progress)
}

/// Handles one line. Returns its shop.
fn take_line(installation: &mut Installation, line: Line, out: &mut DecisionSink) -> Option<Id> {
    match line {
        Line::Event(shop, event) => {
            installation.take(&shop, &event, out);
            Some(shop)
        }
        Line::Malformed(malformed) => {
            let shop = malformed.shop.clone();
            installation.reject(malformed, out);
            shop
        }
    }
}

/// Replays `trace` and writes its decisions as JSON lines.
pub fn replay(
    installation: &mut Installation,
    trace: impl BufRead,
    mut decisions: impl Write,
    mut on_progress: impl FnMut(&ReplayProgress),
) -> Result<ReplayProgress, ReplayError> {
    let mut lines = Vec::new();
    let result = replay_with(installation, trace, |shop, taken, progress| {
        for decision in taken {
            serde_json::to_writer(&mut lines, &WrittenDecision::new(shop, decision))?;
            lines.push(b'\n');
        }
        if lines.len() >= WRITE_BYTES {
            decisions.write_all(&lines)?;
            lines.clear();
            on_progress(progress);
        }
        Ok(())
    });
    // Decisions before a bad line are written all the same.
    decisions.write_all(&lines).map_err(ReplayError::Write)?;
    decisions.flush().map_err(ReplayError::Write)?;
    result
}

/// Decisions are written in pieces of about this many bytes.
const WRITE_BYTES: usize = 256 * 1024;
