//! The command line: the program's commands, their output and exit codes.
//!
//! Only this module knows arguments, files by name, the terminal and exit codes.

mod demo;
mod demo_day;
mod demo_once;
mod folder;
mod key;
mod replay;
mod sample;
mod serve;
mod why;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::env::{print_stderr_line, private_files};
use crate::explain_text::Language;
use crate::sample::SampleDay;

/// The exit status after bad input or bad arguments.
const BAD_INPUT: u8 = 2;

/// The exit status after a failure of a file, a disk or a pipe.
const FAILED: u8 = 1;

/// How much is read and written at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Xiaoer 小二, the head waiter of a shop's chat desk.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a server with a demo shop in which a day is played at speed
    Demo(demo::Demo),
    /// Serve shops over HTTP, with all data in one folder
    Serve(serve::Serve),
    /// Make, list and revoke keys
    Key(key::KeyCommand),
    /// Verify everything in a data folder
    Verify(folder::Verify),
    /// Write the journal of a data folder as a trace
    Export(folder::Export),
    /// Write a consistent copy of a data folder to a file, also while a server runs on it
    Backup(folder::Backup),
    /// Make a new data folder from a backup
    Restore(folder::Restore),
    /// Replay a trace of events in virtual time, decisions to standard output
    Replay(replay::ReplayCommand),
    /// Explain a decision of a trace
    Why(why::WhyCommand),
    /// Make a sample trace: a day of a small shop
    Sample(sample::Sample),
}

/// The language of texts for people.
#[derive(Clone, Copy, ValueEnum)]
enum LanguageArgument {
    /// 中文
    Zh,
    /// English
    En,
}

/// The sample day.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DayArgument {
    /// 2026-11-10: a busy day, with the promotion before 11.11 in the evening
    Promotion,
    /// 2026-10-01: a holiday, with short opening hours and few agents
    Holiday,
}

impl DayArgument {
    fn sample(self) -> SampleDay {
        match self {
            DayArgument::Promotion => SampleDay::Promotion,
            DayArgument::Holiday => SampleDay::Holiday,
        }
    }
}

/// An error in one sentence, with the exit status.
struct Failure {
    message: String,
    status: u8,
}

impl Failure {
    fn bad_input(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            status: BAD_INPUT,
        }
    }

    /// The disk failed: the same status as that of a server whose disk fails.
    fn disk(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            status: crate::env::EXIT_DISK_FAILED as u8,
        }
    }

    fn failed(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            status: FAILED,
        }
    }
}

/// Runs the program with these arguments, of which the first is its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    match &arguments.command {
        Command::Demo(_)
        | Command::Serve(_)
        | Command::Key(_)
        | Command::Verify(_)
        | Command::Export(_)
        | Command::Backup(_)
        | Command::Restore(_) => private_files::make_files_private(),
        Command::Replay(_) | Command::Why(_) | Command::Sample(_) => {}
    }
    let result = match arguments.command {
        Command::Demo(demo) => demo.run(),
        Command::Serve(serve) => serve.run(),
        Command::Key(key) => key.run(),
        Command::Verify(verify) => verify.run(),
        Command::Export(export) => export.run(),
        Command::Backup(backup) => backup.run(),
        Command::Restore(restore) => restore.run(),
        Command::Replay(replay) => replay.run(),
        Command::Why(why) => why.run(),
        Command::Sample(sample) => sample.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print_stderr_line(&format!("xiaoer: {}", failure.message));
            ExitCode::from(failure.status)
        }
    }
}

/// The language asked for, else the environment's, else Chinese.
fn language(asked: Option<LanguageArgument>) -> Language {
    match asked {
        Some(LanguageArgument::Zh) => Language::Chinese,
        Some(LanguageArgument::En) => Language::English,
        None => {
            let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
            let set = names
                .iter()
                .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
            match set {
                Some(locale) if locale.starts_with("en") => Language::English,
                Some(_) | None => Language::Chinese,
            }
        }
    }
}

/// A trace to read: a file, or standard input for `-`.
fn open_trace(path: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::with_capacity(PIECE_BYTES, io::stdin())));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(BufReader::with_capacity(PIECE_BYTES, file))),
        Err(error) => Err(Failure::failed(format!(
            "{} could not be opened: {error}",
            path.display()
        ))),
    }
}

/// An error of a replay, for the command line.
fn replay_failure(path: &Path, error: crate::replay::ReplayError) -> Failure {
    use crate::replay::ReplayError;
    match error {
        ReplayError::Line(..) | ReplayError::NotUtf8(_) => Failure::bad_input(format!(
            "{}: {error}; every line of a trace is one event",
            path.display()
        )),
        ReplayError::Read(_) => Failure::failed(format!("{}: {error}", path.display())),
        ReplayError::Write(_) => Failure::failed(error.to_string()),
    }
}

/// Prints a line at once. A closed standard output is not an error.
fn print_line(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).ok();
}
