//! The demo as users start it: it plays a day, the printed requests work as described, and a second start continues
//! where the first one ended.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use crate::support::deadline::Deadline;
use crate::support::http::{Answer, Client};
use crate::support::served::{SMALL, argument, folder, program, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A demo that has not said all by then will not.
const SAID_WITHIN: Duration = Duration::from_secs(60);

/// More lines than it ever says.
const LINES_MAX: usize = 1000;

struct Demo {
    child: Child,
    lines: Receiver<String>,
}

impl Demo {
    fn start(data: &Path) -> Demo {
        Demo::start_with(data, &[])
    }

    fn start_with(data: &Path, arguments: &[&str]) -> Demo {
        let mut command = program();
        command.args([
            "demo",
            "--listen",
            "127.0.0.1:0",
            "--seconds",
            "0",
            "--data",
        ]);
        command.arg(data).args(["--lang", "en"]).args(arguments);
        for setting in SMALL {
            command.args(["--set", setting]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the demo");
        let out = child.stdout.take().expect("its output");
        let (tell, lines) = sync_channel(LINES_MAX);
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Demo { child, lines }
    }

    /// What it says up to its last line to paste.
    fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            let line = self.lines.recv_timeout(SAID_WITHIN);
            let line = line.unwrap_or_else(|_| panic!("it said no more than {said:#?}"));
            let last = line.starts_with("curl ") && line.ends_with("/report");
            said.push(line);
            if last {
                return said;
            }
        }
    }

    /// As Ctrl-C does; what it then says.
    fn interrupt(mut self) -> Vec<String> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("its process"), Signal::INT).expect("a process that lives");
        let ended = Deadline::seconds(30).poll(|| self.child.try_wait().ok().flatten());
        assert_eq!(ended.and_then(|status| status.code()), Some(0));
        self.lines.iter().collect()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks what a printed line asks, with `name` in the place of the time.
fn paste(line: &str, name: &str) -> Answer {
    let address = line.split_once("http://").expect("an address").1;
    let (address, rest) = address.split_once('/').expect("a path");
    let path = format!("/{}", rest.split(' ').next().unwrap_or_default());
    let address: SocketAddr = address.parse().expect("an address and a port");
    let mut client = Client::new(address);
    let answer = match line.split_once("-d '") {
        Some((_, body)) => {
            assert!(
                line.contains("-H 'Content-Type: application/json'"),
                "{line}"
            );
            let body = body.strip_suffix('\'').expect("a quoted body");
            client.post(&path, &body.replace("'$(date +%s)'", name))
        }
        None => client.get(&path),
    };
    answer.unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Runs all printed lines: a new buyer, why, the report. How many were served before.
fn paste_all(said: &[String], name: &str) -> i64 {
    let lines: Vec<&String> = said
        .iter()
        .filter(|line| line.starts_with("curl "))
        .collect();
    let [opened, why, report] = lines.as_slice() else {
        panic!("three lines to paste, not {lines:#?}");
    };
    let before = paste(report, name).json();
    let before = before["demo"]["sessions"]["assigned"].as_i64();
    let opened = paste(opened, name);
    assert_eq!(opened.status, 200, "{}", opened.text());
    let decisions = opened.json()["results"][0]["decisions"].clone();
    let assigned = decisions.as_array().and_then(|decisions| {
        decisions
            .iter()
            .find(|decision| decision["type"] == "session.assigned")
    });
    let assigned = assigned.unwrap_or_else(|| panic!("nobody was assigned: {decisions}"));
    assert_eq!(assigned["waited"], 0, "{assigned}");
    let why = paste(why, name);
    assert_eq!(why.status, 200, "{}", why.text());
    assert!(why.text().contains("\"candidates\""), "{}", why.text());
    before.expect("a report")
}

#[test]
fn a_day_is_played_and_its_lines_do_what_they_say() {
    let (_folder, data) = folder();
    let demo = Demo::start(&data);
    let said = demo.said();
    let hours = said
        .iter()
        .filter(|line| line.contains("   served "))
        .count();
    assert!((34..=36).contains(&hours), "{said:#?}");
    assert!(said[0].contains("/docs"), "{}", said[0]);
    let served = paste_all(&said, "first");
    assert_eq!(demo.interrupt(), ["Stopped."]);

    let again = Demo::start(&data);
    let said = again.said();
    assert!(
        said.iter().any(|line| line.contains("already")),
        "{said:#?}"
    );
    assert!(
        !said.iter().any(|line| line.contains("   served ")),
        "{said:#?}"
    );
    assert_eq!(paste_all(&said, "second"), served + 1);
    again.interrupt();
    let verified = run(&["verify", "--data", argument(&data)]);
    assert_eq!(verified.code(), Some(0), "{}", verified.err);
}

/// Who got whom, who waited, who was invited: of each such decision what does not change from day to day.
fn routed(decisions: &str) -> Vec<String> {
    let decisions = decisions.lines().map(|line| {
        let mut decision: Value = serde_json::from_str(line).expect("a decision");
        let fields = decision.as_object_mut().expect("an object");
        for changing in ["at", "shop", "seq", "retry_at"] {
            fields.remove(changing);
        }
        decision
    });
    let kinds = [
        "session.assigned",
        "session.queued",
        "session.closed",
        "invite.sent",
        "invite.blocked",
    ];
    let routed = decisions.filter(|decision| kinds.iter().any(|kind| decision["type"] == *kind));
    routed.map(|decision| decision.to_string()).collect()
}

/// A day of the demo, and a trace of the same day, come to the same decisions.
fn check_decided_as_replayed(arguments: &[&str], trace: &str) {
    let (_folder, data) = folder();
    let demo = Demo::start_with(&data, arguments);
    demo.said();
    demo.interrupt();
    let data = argument(&data);
    let decided = run(&["export", "--decisions", "--shop", "demo", "--data", data]);
    let replayed = run(&["replay", trace]);
    let (decided, replayed) = (routed(&decided.out), routed(&replayed.out));
    assert!(replayed.len() > 500 && decided.len() >= replayed.len());
    for (decided, replayed) in decided.iter().zip(&replayed) {
        assert_eq!(decided, replayed);
    }
}

#[test]
fn the_day_is_decided_as_in_a_replay() {
    check_decided_as_replayed(&[], "data/sample-day.jsonl");
}

/// Its opening hours are moved with it, and so are the ends of blocks.
#[test]
fn the_holiday_is_decided_as_in_a_replay() {
    let (_folder, data) = folder();
    let trace = data.with_extension("jsonl");
    let sample = run(&["sample", "--seed", "1", "--day", "holiday"]);
    std::fs::write(&trace, sample.out).expect("a file");
    check_decided_as_replayed(&["--day", "holiday"], argument(&trace));
}

#[test]
fn a_holiday_is_played_and_the_shop_is_open_after_it() {
    let (_folder, data) = folder();
    let demo = Demo::start_with(&data, &["--day", "holiday"]);
    let said = demo.said();
    let open = said.iter().any(|line| line.contains("always open now"));
    assert!(open, "{said:#?}");
    paste_all(&said, "first");
    assert_eq!(demo.interrupt(), ["Stopped."]);
}

#[test]
fn a_day_in_memory_ends_with_the_state_of_the_shop() {
    for (day, date) in [("promotion", "2026-11-10"), ("holiday", "2026-10-01")] {
        let (_folder, data) = folder();
        let saved = data.with_extension("jsonl");
        let once = ["demo", "--once", "--day", day, "--lang", "en", "--save"];
        let said = run(&[&once[..], &[argument(&saved)]].concat());
        assert_eq!(said.code(), Some(0), "{}", said.err);
        for word in [
            "Sessions\n",
            &format!("Agents on {date}\n"),
            "first answer",
            "What to try next",
        ] {
            assert!(
                said.out.contains(word),
                "{day}: {} does not say {word}",
                said.out
            );
        }
        let sample = run(&["sample", "--seed", "1", "--day", day]);
        let saved = std::fs::read_to_string(&saved).expect("the saved events");
        assert!(saved == sample.out, "{day}");
    }
    assert_eq!(run(&["demo", "--once", "--day", "monday"]).code(), Some(2));
}

#[test]
fn a_port_that_is_taken_is_named_with_what_to_do() {
    let (_folder, data) = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let said = run(&["demo", "--listen", &address, "--data", argument(&data)]);
    assert_eq!(said.code(), Some(2));
    assert!(
        said.err.contains(&address) && said.err.contains("--listen"),
        "{}",
        said.err
    );
}
