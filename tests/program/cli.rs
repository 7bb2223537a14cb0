//! The built program: files and pipes, its error messages and its exit status.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const SHOP: &str = r#"{"type":"shop.configured","at":"2026-11-16T10:00:00+08:00","policy":{}}"#;
const OPENED: &str =
    r#"{"type":"session.opened","at":"2026-11-16T10:00:00+08:00","session":"s1","buyer":"b1"}"#;
const QUEUED: &str = "{\"at\":\"2026-11-16T10:00:00+08:00\",\"shop\":\"default\",\"seq\":1,\"type\":\"session.queued\",\
     \"session\":\"s1\",\"buyer\":\"b1\",\"pool\":\"all\",\"position\":1,\"reason\":\"nobody_online\",\
     \"prompt\":\"您是下一位，请稍候\"}\n";

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xiaoer"));
    command.args(arguments).env("LC_ALL", "en_US.UTF-8");
    command
}

/// A file of this test alone.
fn path(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join(format!("cli-{}-{name}", std::process::id()));
    file.to_string_lossy().into_owned()
}

fn file(name: &str, text: impl AsRef<[u8]>) -> String {
    let path = path(name);
    assert!(fs::write(&path, text).is_ok(), "{path} cannot be written");
    path
}

fn run(arguments: &[&str]) -> Output {
    match program(arguments).stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => panic!("{arguments:?}: {error}"),
    }
}

fn run_with_input(arguments: &[&str], input: &str) -> Output {
    let piped = program(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let answered = piped.and_then(|mut child| {
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        child.wait_with_output()
    });
    match answered {
        Ok(output) => output,
        Err(error) => panic!("{arguments:?}: {error}"),
    }
}

/// Standard output and error as text, and the exit status.
fn said(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

#[test]
fn replay_from_a_file_and_from_standard_input() {
    let trace = format!("{SHOP}\n{OPENED}\n");
    let path = file("trace", &trace);
    let answer = (QUEUED.to_owned(), String::new(), Some(0));
    assert_eq!(said(&run(&["replay", &path])), answer);
    assert_eq!(said(&run_with_input(&["replay", "-"], &trace)), answer);
    assert_eq!(
        said(&run_with_input(&["replay", "-"], "")),
        (String::new(), String::new(), Some(0))
    );
    let _ = fs::remove_file(path);
}

#[test]
fn a_rejected_event_is_a_decision_like_any_other() {
    let output = run_with_input(&["replay", "-"], &format!("{OPENED}\n{SHOP}\n{OPENED}\n"));
    let (out, err, status) = said(&output);
    assert!(
        out.lines().next().unwrap().contains("shop_unknown"),
        "{out}"
    );
    assert_eq!(
        (out.lines().count(), err.as_str(), status),
        (2, "", Some(0))
    );
}

#[test]
fn a_report_is_written_to_the_file() {
    let (trace, report) = (
        file("report-trace", format!("{SHOP}\n{OPENED}\n")),
        path("report"),
    );
    let (out, err, status) = said(&run(&["replay", &trace, "--report", &report]));
    assert_eq!((out.as_str(), err.as_str(), status), (QUEUED, "", Some(0)));
    let written = fs::read_to_string(&report).unwrap();
    let read: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(read["default"]["sessions"]["queued"], 1);
    let nowhere = path("nowhere/report");
    let (out, err, status) = said(&run(&["replay", &trace, "--report", &nowhere]));
    assert_eq!((out.as_str(), status), (QUEUED, Some(1)));
    assert!(err.contains("report") && err.contains(&nowhere), "{err}");
    let _ = (fs::remove_file(trace), fs::remove_file(report));
}

#[test]
fn a_bad_line_stops_it_with_its_number_and_status_2() {
    for (name, bad) in [
        ("cut", &OPENED.as_bytes()[..40]),
        ("array", b"[]".as_slice()),
        ("latin", b"{\"type\":\"caf\xe9\"}".as_slice()),
        ("surrogate", b"{\"type\":\"\\ud800\"}".as_slice()),
    ] {
        let mut bytes = format!("{SHOP}\n\n{OPENED}\n").into_bytes();
        bytes.extend_from_slice(bad);
        let (trace, report) = (file(name, &bytes), path(&format!("{name}-report")));
        let (out, err, status) = said(&run(&["replay", &trace, "--report", &report]));
        assert_eq!((out.as_str(), status), (QUEUED, Some(2)), "{name}");
        assert!(
            err.contains("line 4") && err.contains(&trace),
            "{name}: {err}"
        );
        assert!(
            err.lines().count() == 1 && err.starts_with("xiaoer: "),
            "{name}: {err}"
        );
        assert!(
            !fs::exists(&report).unwrap(),
            "{name}: the report was written"
        );
        let _ = fs::remove_file(trace);
    }
}

#[test]
fn a_file_that_is_not_there_and_a_folder() {
    let missing = path("missing");
    let (out, err, status) = said(&run(&["replay", &missing]));
    assert_eq!((out.as_str(), status), ("", Some(1)));
    assert!(
        err.contains(&missing) && err.contains("No such file"),
        "{err}"
    );
    let (out, err, status) = said(&run(&["replay", env!("CARGO_TARGET_TMPDIR")]));
    assert_eq!((out.as_str(), status), ("", Some(1)));
    assert!(err.contains("could not be read"), "{err}");
}

#[test]
fn bad_arguments_have_status_2_and_help_has_0() {
    for arguments in [
        &["replay"][..],
        &["replay", "a", "b"][..],
        &["replay", "-", "--reprot", "x"][..],
        &["replay", "-", "--report"][..],
        &["rply", "-"][..],
        &[][..],
    ] {
        let (out, err, status) = said(&run(arguments));
        assert_eq!((out.as_str(), status), ("", Some(2)), "{arguments:?}");
        assert!(err.contains("--help"), "{arguments:?}: {err}");
    }
    for arguments in [
        &["--help"][..],
        &["replay", "--help"][..],
        &["--version"][..],
    ] {
        let (out, err, status) = said(&run(arguments));
        assert_eq!((err.as_str(), status), ("", Some(0)), "{arguments:?}");
        assert!(
            out.contains("xiaoer") || out.contains("TRACE"),
            "{arguments:?}: {out}"
        );
    }
}

#[test]
fn progress_without_a_terminal_draws_no_bar() {
    let trace = format!("{SHOP}\n{OPENED}\n").repeat(3);
    let (out, err, status) = said(&run_with_input(&["replay", "-", "--progress"], &trace));
    assert_eq!(status, Some(0));
    assert_eq!(out.lines().count(), 3);
    assert_eq!(err, "6 lines, 3 decisions\n");
}

/// A trace whose decisions fill a pipe many times over.
fn long_trace() -> String {
    let opened = |n| {
        format!(
            "{{\"type\":\"session.opened\",\"at\":\"2026-11-16T10:00:00+08:00\",\"session\":\"s{n}\",\"buyer\":\"b{n}\"}}\n"
        )
    };
    let events: String = (0..10_000).map(opened).collect();
    format!("{SHOP}\n{events}")
}

/// Reads one line of what the program says and goes away; what it then says on standard error, and its status.
fn read_one_line_and_leave(trace: &str) -> (String, Option<i32>) {
    let piped = program(&["replay", trace])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let told = piped.and_then(|mut child| {
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        assert!(line.contains("session.queued"), "{line}");
        let mut error = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            stderr.read_to_string(&mut error)?;
        }
        Ok((error, child.wait()?.code()))
    });
    match told {
        Ok(told) => told,
        Err(error) => panic!("{trace}: {error}"),
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let trace = file("long", long_trace());
    let (error, status) = read_one_line_and_leave(&trace);
    assert!(!error.contains("panicked"), "{error}");
    assert!(status.is_some(), "it ended by a signal");
    let _ = fs::remove_file(trace);
}

#[test]
fn a_reader_that_goes_away_is_nothing_to_talk_about() {
    let trace = file("long-quiet", long_trace());
    assert_eq!(read_one_line_and_leave(&trace).0, "");
    let _ = fs::remove_file(trace);
}

#[test]
fn the_same_trace_gives_the_same_bytes() {
    let trace = file("twice", long_trace());
    let first = run(&["replay", &trace]);
    assert_eq!(
        first.stdout.iter().filter(|&&byte| byte == b'\n').count(),
        10_000
    );
    assert_eq!(run(&["replay", &trace]).stdout, first.stdout);
    let _ = fs::remove_file(trace);
}
