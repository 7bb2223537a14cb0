//! Starts and stops that are cut off or fail: at a call of the disk the process is killed, or the call fails, or the disk is
//! full from there on. Whatever that leaves behind, the next start serves all that was there, and a server that could not
//! go on has said so and ended with status 74.
//!
//! `XIAOER_FAULTS=all cargo test --test interrupted` does it at every call, `XIAOER_FAULTS=N` at so many of each. Needs a C
//! compiler.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use serde_json::json;
use support::deadline::Stopwatch;
use support::packed::{golden, unpack};
use support::privilege::cannot_run;
use support::served::{Launch, SMALL, Said, argument, folder, run};
use support::shim::{Deed, Failing, build};

/// Calls of each phase and deed at which something happens, where no other number is asked for.
const CALLS: u64 = 9;

/// What the exit status of a server is whose disk failed.
const FAILED: i32 = 74;

/// The one shop. It has no agent, so no timer of it fires while a test looks.
const SHOP: &str = "/v1/shops/interrupted";

/// Sessions that wait in it, in each life of the folder.
const SESSIONS: usize = 150;

fn launch(data: &Path) -> Launch {
    // The disk answers or fails at once here, so silence is a server that hangs.
    Launch::on(data)
        .set(&SMALL)
        .set(&["journal.open_timeout=10s", "journal.commit_timeout=10s"])
        // The packed folder of release 0.1 is older than that, one day.
        .set(&["clock.gap_max=0s"])
}

/// Opens sessions, and waits until all are durable.
fn open_sessions(data: &Path, name: &str) -> support::served::Served {
    let served = launch(data).start();
    let mut client = served.client();
    let policy = json!({"policy": {"session": {"close_after_buyer_silence": "24h"}}});
    let made = client.put(SHOP, &policy.to_string()).expect("an answer");
    assert_eq!(made.status, 200, "{}", made.text());
    let events: Vec<_> = (0..SESSIONS)
        .map(|number| {
            let id = format!("{name}-{number}");
            json!({"type": "session.opened", "id": id, "session": id, "buyer": id})
        })
        .collect();
    for events in events.chunks(10) {
        let events = json!(events).to_string();
        let answer = client.post(&format!("{SHOP}/events"), &events);
        assert_eq!(answer.expect("an answer").status, 200);
    }
    served
}

/// A folder that was killed twice, so that a start has a snapshot and a log to go on from.
fn killed_folder(place: &Path) -> PathBuf {
    let data = place.join("killed");
    open_sessions(&data, "first").kill();
    open_sessions(&data, "second").kill();
    data
}

fn copy_folder(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_folder(&path, &copy);
        } else if path.is_file() {
            fs::copy(&path, &copy).expect("a copy");
        }
    }
}

fn export(data: &Path) -> Said {
    run(&["export", "--data", argument(data)])
}

/// When it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The first start of all.
    FirstStart,
    /// A start over a folder whose server was killed.
    Start,
    /// An orderly stop.
    Stop,
    /// The first start over a folder of release 0.1 whose server was killed.
    Upgrade,
    /// The same, where the store itself is converted.
    UpgradeInPlace,
}

impl Phase {
    fn of_release_0_1(self) -> bool {
        matches!(self, Phase::Upgrade | Phase::UpgradeInPlace)
    }
}

/// What is tried, and on what.
struct Trial<'a> {
    shim: &'a Path,
    place: &'a Path,
    killed: &'a Path,
    /// What the killed folder holds.
    reference: &'a str,
}

/// How a trial went.
struct Tried {
    /// Calls of the phase.
    calls: u64,
    end: &'static str,
    trouble: Vec<String>,
}

impl Trial<'_> {
    /// Something happens at the calls of a phase from `first` to `last`, counted from its beginning; 0: nothing does.
    fn run(&self, phase: Phase, deed: Deed, first: u64, last: u64) -> Tried {
        let data = self.place.join("data");
        let _ = fs::remove_dir_all(&data);
        if phase != Phase::FirstStart {
            copy_folder(self.killed, &data);
        }
        let (failing, variables) = Failing::under(&data, self.shim, self.place, deed);
        let env = |launch: Launch, (name, value): &(&str, String)| launch.env(name, value);
        let mut begun = variables.iter().fold(launch(&data), env);
        if phase == Phase::UpgradeInPlace {
            begun = begun.set(&["upgrade.in_place=true"]);
        }
        if phase != Phase::Stop {
            failing.arm(first, last);
        }
        let mut before = 0;
        let ended = match begun.begin().ready() {
            Ok(served) if phase == Phase::Stop => {
                before = failing.calls();
                let shift = |call: u64| call.checked_add(before).unwrap_or(call);
                if first > 0 {
                    failing.arm(shift(first), shift(last));
                }
                Some(served.stop())
            }
            Ok(served) => {
                served.kill();
                None
            }
            Err(said) => Some(said),
        };
        let (end, mut trouble) = judged(ended, deed);
        let what = failing.failed();
        self.hold(phase, &data, &mut trouble);
        let at = format!("{phase:?}, {deed:?} at {first} to {last}, {what:?}, {end}");
        Tried {
            calls: failing.calls() - before,
            end,
            trouble: trouble.iter().map(|t| format!("{at}: {t}")).collect(),
        }
    }

    /// The next start serves, and all is there.
    fn hold(&self, phase: Phase, data: &Path, trouble: &mut Vec<String>) {
        match launch(data).begin().ready() {
            Ok(served) => {
                let mut client = served.client();
                let ready = client.get("/readyz").expect("an answer");
                if ready.status != 200 {
                    trouble.push(format!("not ready: {}", ready.text()));
                }
                served.kill();
            }
            Err(said) => return trouble.push(format!("it does not start again: {said:?}")),
        }
        let exported = export(data);
        let as_expected = match phase {
            Phase::FirstStart => exported.out.is_empty(),
            Phase::Start | Phase::Stop => exported.out == self.reference,
            // Timers of the packed folder are long due, and fire as soon as it is served.
            Phase::Upgrade | Phase::UpgradeInPlace => exported.out.starts_with(self.reference),
        };
        if !exported.status.success() || !as_expected {
            trouble.push(format!("it holds something else: {}", exported.err));
        }
    }
}

/// How a server ended that something was done to, and what is wrong with that.
fn judged(ended: Option<Said>, deed: Deed) -> (&'static str, Vec<String>) {
    let Some(said) = ended else {
        return ("served", vec![]);
    };
    let end = match said.code() {
        Some(0) => "stopped",
        Some(FAILED) => "ended",
        Some(2) => "refused",
        Some(_) => "ended otherwise",
        None => "killed",
    };
    let right = match deed {
        Deed::Kill => said.code() == Some(0) || said.code().is_none(),
        Deed::Fail(_) | Deed::Pause(_) => {
            said.is_orderly() && matches!(said.code(), Some(0 | 2 | FAILED))
        }
    };
    // Nothing is damaged, and nobody needs a backup.
    let right = right && !said.err.contains("restore");
    (
        end,
        if right {
            vec![]
        } else {
            vec![format!("{said:?}")]
        },
    )
}

/// The calls at which something happens: all, or so many, spread evenly.
fn calls(of: u64) -> Vec<u64> {
    let wanted = match std::env::var("XIAOER_FAULTS").as_deref() {
        Ok("all") => of,
        Ok(number) => number.parse().expect("`all` or a number"),
        Err(_) => CALLS,
    };
    let wanted = wanted.min(of);
    (0..wanted).map(|n| 1 + n * of / wanted).collect()
}

fn interrupted(phase: Phase) {
    let (place, _) = folder();
    let shim = match build("disk", place.path()) {
        Ok(shim) => shim,
        Err(why) => return cannot_run("the test of interrupted starts and stops", &why),
    };
    let (killed, lines) = if phase.of_release_0_1() {
        let killed = place.path().join("killed");
        unpack(&golden("folder-1-tail.lz4"), &killed);
        (killed, None)
    } else {
        (killed_folder(place.path()), Some(2 + 2 * SESSIONS))
    };
    let reference = {
        let copy = place.path().join("reference");
        copy_folder(&killed, &copy);
        let said = export(&copy);
        let count = said.out.lines().count();
        assert!(
            count > 0 && lines.is_none_or(|lines| lines == count),
            "{said:?}"
        );
        said.out
    };
    let trial = Trial {
        shim: &shim,
        place: place.path(),
        killed: &killed,
        reference: &reference,
    };
    let watch = Stopwatch::start();
    let calm = trial.run(phase, Deed::Kill, 0, 0);
    assert!(calm.trouble.is_empty(), "undisturbed: {:?}", calm.trouble);
    let mut ends: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut found = Vec::new();
    for (name, deed, lasting) in [
        ("kill", Deed::Kill, false),
        ("error", Deed::Fail(Errno::IO), false),
        ("full", Deed::Fail(Errno::NOSPC), true),
    ] {
        for first in calls(calm.calls) {
            let last = if lasting { u64::MAX } else { first };
            let tried = trial.run(phase, deed, first, last);
            *ends.entry((name, tried.end)).or_default() += 1;
            found.extend(tried.trouble);
        }
    }
    let passed = watch.passed();
    println!("{phase:?}, {} calls: {ends:?}; {passed:.0?}", calm.calls);
    assert!(
        found.is_empty(),
        "{} found:\n  {}",
        found.len(),
        found.join("\n  ")
    );
    assert!(
        ends.keys()
            .any(|(_, end)| matches!(*end, "ended" | "refused")),
        "no error was met: {ends:?}"
    );
}

#[test]
fn a_first_start_that_is_cut_off_is_begun_again() {
    interrupted(Phase::FirstStart);
}

#[test]
fn a_start_that_is_cut_off_leaves_a_folder_that_starts() {
    interrupted(Phase::Start);
}

#[test]
fn a_stop_that_is_cut_off_leaves_a_folder_that_starts() {
    interrupted(Phase::Stop);
}

#[test]
fn a_conversion_that_is_cut_off_is_begun_again_or_gone_on_with() {
    interrupted(Phase::Upgrade);
}

#[test]
fn a_conversion_in_place_that_is_cut_off_is_gone_on_with() {
    interrupted(Phase::UpgradeInPlace);
}
