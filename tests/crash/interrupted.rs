//! Interrupted starts, stops and restores: at a disk call the process is killed, the call fails at once or while others
//! wait for it, or the disk becomes full. The next start serves all earlier data, and a server that could not continue has said so and exited with
//! status 74. Also disks that hang.
//!
//! `XIAOER_FAULTS=all cargo test --test crash interrupted::` does it at every call, `XIAOER_FAULTS=N` at N calls of
//! each kind. Needs a C compiler.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::support::deadline::{Deadline, Stopwatch};
use crate::support::http::Client;
use crate::support::packed::{golden, unpack};
use crate::support::privilege::cannot_run;
use crate::support::served::{
    Launch, SMALL, Said, Served, argument, folder, program, run, run_for,
};
use crate::support::shim::{Deed, Failing, build};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use serde_json::json;

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
fn open_sessions(data: &Path, name: &str) -> Served {
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
    /// A restore of a backup.
    Restore,
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
    /// A backup of it.
    backup: &'a Path,
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
        if !matches!(phase, Phase::FirstStart | Phase::Restore) {
            copy_folder(self.killed, &data);
        }
        let (failing, variables) = Failing::under(&data, self.shim, self.place, deed);
        if phase == Phase::Restore {
            failing.arm(first, last);
            return self.restore(&data, deed, &failing, &variables);
        }
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

    /// Something happens to a restore. Where that was before it had finished, the next one makes the folder.
    fn restore(
        &self,
        data: &Path,
        deed: Deed,
        failing: &Failing,
        variables: &[(&'static str, String)],
    ) -> Tried {
        let arguments = [
            "restore",
            "--from",
            argument(self.backup),
            "--data",
            argument(data),
        ];
        let small = SMALL.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> = arguments.into_iter().chain(small).collect();
        let mut command = program();
        command.args(&arguments);
        command.envs(
            variables
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        let said = run_for(command, Duration::from_secs(60));
        let (end, mut trouble) = match said.status.success() {
            true => ("restored", vec![]),
            false => judged(Some(said), deed),
        };
        let what = failing.failed();
        if end != "restored" {
            let again = run(&arguments);
            // What was finished before is whole, as is seen below.
            if !again.status.success() && !again.err.contains("is not empty") {
                trouble.push(format!("it cannot be restored again: {again:?}"));
            }
        }
        self.hold(Phase::Restore, data, &mut trouble);
        let ballast = fs::metadata(data.join("ballast")).map_or(0, |ballast| ballast.len());
        if ballast != 1 << 20 {
            trouble.push(format!("{ballast} bytes of ballast"));
        }
        Tried {
            calls: failing.calls(),
            end,
            trouble: trouble
                .iter()
                .map(|trouble| format!("restore, {deed:?}, {what:?}, {end}: {trouble}"))
                .collect(),
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
            Phase::Start | Phase::Stop | Phase::Restore => exported.out == self.reference,
            // Timers of the packed folder are long due, and fire as soon as it is served.
            Phase::Upgrade | Phase::UpgradeInPlace => exported.out.starts_with(self.reference),
        };
        if !exported.status.success() || !as_expected {
            let mut lines = exported.out.lines().zip(self.reference.lines());
            let other = lines.find(|(now, before)| now != before);
            trouble.push(format!(
                "it holds something else: {other:?}, {} and {} lines, {}",
                exported.out.lines().count(),
                self.reference.lines().count(),
                exported.err
            ));
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
        None if said.hung => "hung",
        Some(FAILED) => "ended",
        Some(2) => "refused",
        Some(_) => "ended otherwise",
        None => "killed",
    };
    let right = match deed {
        Deed::Kill => said.code() == Some(0) || said.code().is_none(),
        Deed::Fail(_) | Deed::FailLate(_) | Deed::Pause(_) => {
            said.is_orderly() && matches!(said.code(), Some(0 | 2 | FAILED))
        }
    };
    // Nothing is damaged, and nobody needs another backup. A disk that has failed is not silent.
    let right = right
        && !said.hung
        && !said.err.contains("go back to a backup")
        && !said.err.contains("has not answered");
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
    let backup = place.path().join("backup");
    {
        let copy = place.path().join("copied");
        copy_folder(&killed, &copy);
        let said = run(&[
            "backup",
            "--data",
            argument(&copy),
            "--to",
            argument(&backup),
        ]);
        assert!(said.status.success(), "{said:?}");
    }
    let trial = Trial {
        backup: &backup,
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
        ("late", Deed::FailLate(Errno::IO), false),
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

#[test]
fn a_restore_that_is_cut_off_is_run_again() {
    interrupted(Phase::Restore);
}

/// A server with a shop, on a disk to which something can happen.
struct OnDisk {
    _place: tempfile::TempDir,
    data: PathBuf,
    failing: Failing,
    served: Served,
}

impl OnDisk {
    /// Nothing where there is no C compiler.
    fn start(test: &str, deed: Deed, change: impl FnOnce(Launch) -> Launch) -> Option<OnDisk> {
        let (place, data) = folder();
        let shim = match build("disk", place.path()) {
            Ok(shim) => shim,
            Err(why) => {
                cannot_run(test, &why);
                return None;
            }
        };
        let (failing, variables) = Failing::under(&data, &shim, place.path(), deed);
        let env = |launch: Launch, (name, value): &(&str, String)| launch.env(name, value);
        let served = change(variables.iter().fold(Launch::on(&data).set(&SMALL), env)).start();
        let made = served.client().put(SHOP, r#"{"policy":{}}"#);
        assert_eq!(made.expect("an answer").status, 200);
        Some(OnDisk {
            _place: place,
            data,
            failing,
            served,
        })
    }

    /// It happens at the next call, and at all after it with `lasting`.
    fn arm(&self, lasting: bool) {
        let next = self.failing.calls() + 1;
        self.failing
            .arm(next, if lasting { u64::MAX } else { next });
    }
}

/// Sends an event and does not wait for the answer.
fn send_event(served: &Served) -> std::thread::JoinHandle<Option<u16>> {
    let mut client = Client::new(served.address);
    std::thread::spawn(move || {
        let event = json!({"type": "session.opened", "session": "s", "buyer": "b"}).to_string();
        let answer = client.post(&format!("{SHOP}/events"), &event);
        answer.ok().map(|answer| answer.status)
    })
}

/// The writing end of a pipe that holds as much as it can, and the reading end.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    fcntl_setfl(&writer, OFlags::NONBLOCK).expect("a pipe that does not wait");
    while writer.write(&[b'x'; 4096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    fcntl_setfl(&writer, OFlags::empty()).expect("a pipe that waits");
    (reader, writer)
}

#[test]
fn a_failed_write_ends_the_server_whatever_its_standard_error_is() {
    let (_reader, unread) = full_pipe();
    let broken = {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        writer
    };
    let full = File::options().write(true).open("/dev/full").expect("it");
    for (name, stderr) in [
        ("full", Stdio::from(full)),
        ("a pipe that nobody reads", Stdio::from(unread)),
        ("a pipe whose reader has gone", Stdio::from(broken)),
        ("nothing", Stdio::null()),
    ] {
        let deed = Deed::Fail(Errno::IO);
        let test = "the test of a failed write";
        let Some(on_disk) = OnDisk::start(test, deed, |launch| launch.stderr(stderr)) else {
            return;
        };
        // More of the log than fits anywhere.
        let mut client = on_disk.served.client();
        for _ in 0..200 {
            assert_eq!(client.get("/healthz").expect("an answer").status, 200);
        }
        on_disk.arm(true);
        let sent = send_event(&on_disk.served);
        let said = on_disk.served.ended();
        assert_eq!((said.hung, said.code()), (false, Some(FAILED)), "{name}");
        assert_eq!(sent.join().expect("a sender"), None, "{name}");
        let served = launch(&on_disk.data).start();
        assert_eq!(served.client().get(SHOP).expect("an answer").status, 405);
    }
}

#[test]
fn a_commit_that_hangs_ends_the_server() {
    let test = "the test of a commit that hangs";
    let start = |patience: &'static str| {
        let forever = Deed::Pause(3_600_000);
        OnDisk::start(test, forever, |launch| launch.set(&[patience]))
    };
    let Some(on_disk) = start("journal.commit_timeout=2s") else {
        return;
    };
    on_disk.arm(false);
    let sent = send_event(&on_disk.served);
    let said = on_disk.served.ended();
    assert_eq!((said.hung, said.code()), (false, Some(FAILED)), "{said:?}");
    assert!(said.err.contains("`journal.commit_timeout`"), "{said:?}");
    assert_eq!(sent.join().expect("a sender"), None);
    drop(launch(&on_disk.data).start());
}

#[test]
fn a_slow_commit_is_waited_for_and_the_server_is_not_ready_meanwhile() {
    let test = "the test of a slow commit";
    let Some(on_disk) = OnDisk::start(test, Deed::Pause(9000), |launch| launch) else {
        return;
    };
    let ready = |client: &mut Client, status: u16| {
        let answer = client.get("/readyz").expect("an answer");
        (answer.status == status).then(|| answer.json()["code"].clone())
    };
    let mut client = on_disk.served.client();
    assert!(ready(&mut client, 200).is_some());
    on_disk.arm(false);
    let sent = send_event(&on_disk.served);
    let code = Deadline::seconds(60).poll(|| ready(&mut client, 503));
    assert_eq!(code, Some(json!("stalled")));
    assert_eq!(sent.join().expect("a sender"), Some(200));
    assert!(
        Deadline::seconds(60)
            .poll(|| ready(&mut client, 200))
            .is_some()
    );
}

#[test]
fn a_start_on_a_disk_that_hangs_ends_and_one_on_a_slow_disk_serves() {
    let (place, data) = folder();
    let shim = match build("disk", place.path()) {
        Ok(shim) => shim,
        Err(why) => return cannot_run("the test of a disk that hangs", &why),
    };
    open_sessions(&data, "before").kill();
    for (pause_ms, patience, serves) in [
        (3_600_000, "journal.open_timeout=2s", false),
        (4000, "journal.open_timeout=60s", true),
        (4000, "journal.open_timeout=0s", true),
    ] {
        let deed = Deed::Pause(pause_ms);
        let (failing, variables) = Failing::under(&data, &shim, place.path(), deed);
        let env = |launch: Launch, (name, value): &(&str, String)| launch.env(name, value);
        let launch = Launch::on(&data).set(&SMALL).set(&[patience]);
        let launch = variables.iter().fold(launch, env);
        // The first calls are those of the lock and the like; what follows is sled's.
        failing.arm(9, 9);
        match launch.begin().ready() {
            Ok(served) if serves => drop(served),
            Err(said) if !serves => {
                assert_eq!((said.hung, said.code()), (false, Some(FAILED)), "{said:?}");
                assert!(said.err.contains("`journal.open_timeout`"), "{said:?}");
            }
            Ok(_) => panic!("it serves with {patience}, {:?}", failing.failed()),
            Err(said) => panic!("{patience}, {:?}: {said:?}", failing.failed()),
        }
        assert!(failing.failed().is_some(), "nothing was met");
    }
}

#[test]
fn a_restore_on_a_disk_that_hangs_ends_and_one_on_a_slow_disk_is_finished() {
    let (place, data) = folder();
    let shim = match build("disk", place.path()) {
        Ok(shim) => shim,
        Err(why) => return cannot_run("the test of a restore on a disk that hangs", &why),
    };
    open_sessions(&data, "before").kill();
    let backup = place.path().join("backup");
    let backup_of = ["--data", argument(&data), "--to", argument(&backup)];
    let said = run(&[&["backup"], &backup_of[..]].concat());
    assert!(said.status.success(), "{said:?}");
    let restored = place.path().join("restored");
    let restore = |deed: Deed, first: u64, patience: &str| {
        let _ = fs::remove_dir_all(&restored);
        let (failing, variables) = Failing::under(&restored, &shim, place.path(), deed);
        failing.arm(first, first);
        let mut command = program();
        command.envs(variables);
        command.args(["restore", "--from", argument(&backup)]);
        command.args(["--data", argument(&restored), "--set", patience]);
        (run_for(command, Duration::from_secs(60)), failing)
    };
    let (said, calm) = restore(Deed::Pause(0), 0, "journal.commit_timeout=30s");
    assert!(said.status.success(), "{said:?}");
    // In the middle of the calls pairs are written, which is after the store was opened.
    let middle = calm.calls() / 2;
    for (pause_ms, patience, is_finished) in [
        (3_600_000, "journal.commit_timeout=2s", false),
        (4000, "journal.commit_timeout=60s", true),
        (4000, "journal.commit_timeout=0s", true),
    ] {
        let (said, failing) = restore(Deed::Pause(pause_ms), middle, patience);
        let met = failing.failed().expect("a call that waits");
        assert!(met.ends_with(" /store/db"), "{met}");
        if is_finished {
            assert!(said.status.success(), "{patience}, {met}: {said:?}");
        } else {
            assert_eq!((said.hung, said.code()), (false, Some(FAILED)), "{said:?}");
            assert!(said.err.contains("`journal.commit_timeout`"), "{said:?}");
        }
    }
}
