//! `xiaoer replay`: reads a trace, writes decisions, and a report where one is asked for.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, open_trace, replay_failure};
use crate::domain::installation::Installation;
use crate::env::print_stderr_line;
use crate::replay::ReplayError;

/// Replay a trace of events in virtual time
#[derive(Args)]
pub(super) struct ReplayCommand {
    /// The trace, one event a line; `-` is standard input
    trace: PathBuf,
    /// Write the report of all shops to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Show how far it is, where standard error is a terminal
    #[arg(long)]
    progress: bool,
}

impl ReplayCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        let trace = open_trace(&self.trace)?;
        let bar = self.progress.then(|| bar(&self.trace));
        let mut installation = Installation::default();
        let result =
            crate::replay::replay(&mut installation, trace, io::stdout().lock(), |progress| {
                if let Some(bar) = &bar {
                    bar.set_position(progress.bytes);
                    bar.set_message(format!("{} events", progress.lines));
                }
            });
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        let progress = match result {
            // The reader has closed the pipe.
            Err(ReplayError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Ok(());
            }
            result => result.map_err(|error| replay_failure(&self.trace, error))?,
        };
        if self.progress {
            print_stderr_line(&format!(
                "{} lines, {} decisions",
                progress.lines, progress.decisions
            ));
        }
        match self.report {
            Some(path) => write_report(&path, &mut installation),
            None => Ok(()),
        }
    }
}

/// A progress bar over the bytes of the trace; a counter where the length is unknown. Hidden without a terminal.
fn bar(trace: &Path) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let length = fs::metadata(trace)
        .ok()
        .filter(|file| file.is_file())
        .map(|file| file.len());
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let template = match length {
        Some(_) => "{bar:40} {percent:>3}% {bytes_per_sec} {msg} ETA {eta}",
        None => "{spinner} {bytes} {bytes_per_sec} {msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn write_report(path: &Path, installation: &mut Installation) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        Failure::failed(format!(
            "the report could not be written to {}: {error}",
            path.display()
        ))
    };
    let mut text =
        serde_json::to_vec_pretty(&installation.report()).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    fs::write(path, text).map_err(failed)
}
