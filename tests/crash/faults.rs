//! Failed writes: an error at every disk call of a first start, under load and during a stop; of a start on the folder
//! of a killed server; and of the commands restore, backup, verify, export, key creation and key revocation. After a
//! failure no response is withdrawn, the server or command ends soon with a message, and the next start serves. The same
//! where a call fails only after others have come to wait for it. Also a full disk.
//!
//! `XIAOER_FAULTS=all cargo test --test crash faults::` fails every call in turn, `XIAOER_FAULTS=N` fails N calls in
//! each scenario. Needs a C compiler; the full disk needs root.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use crate::support::account::{Account, Lost};
use crate::support::deadline::{Deadline, Stopwatch};
use crate::support::desk::{self, Outcome, SHOPS, Sent};
use crate::support::files::{copy_folder, has_begun};
use crate::support::life::{Disk, KEYED, World};
use crate::support::privilege::{Mounted, cannot_run};
use crate::support::served::{Launch, Said, Served, argument, folder, program, run, run_for};
use crate::support::shim::{Failing, Fault, build};
use rustix::io::Errno;
use serde_json::json;

/// Requests of a run, but for those of tenants.
const OPERATIONS: u64 = 150;

/// Calls that are failed of each kind of life, where no other number is asked for.
const FAULTS: u64 = 16;

/// What the exit status of a server is whose disk failed.
const FAILED: i32 = 74;

/// How a life may end whose disk failed: it says so, or names what it could not use.
const ENDS: [i32; 2] = [2, FAILED];

/// The exit status of a command that could not write the file that it was asked for.
const NOT_WRITTEN: i32 = 1;

/// How long a command may take whose disk fails. It ends within five seconds of the failure; the rest is for a machine
/// that is busy. It is less than the time for which a disk may be silent, so that an error ends it and not silence.
const COMMAND_WITHIN: Duration = Duration::from_secs(25);

/// What came of one life.
struct Run {
    calls: u64,
    /// The call that failed.
    failed: Option<String>,
    /// What became of it, in a word.
    end: &'static str,
    trouble: Lost,
}

/// The shim; built once.
fn shim() -> Result<&'static Path, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let (place, _) = folder();
        build("disk", &place.keep())
    });
    built.as_deref().map_err(Clone::clone)
}

/// Whether a failure of this call has to end the server: of the store and of the mark nothing may be missing. A snapshot
/// that the store could not remove is only one too many.
fn must_end(failed: &str) -> bool {
    let one_too_many = failed.starts_with("unlink ") && failed.contains("/store/snap.");
    (failed.contains("/store/") && !one_too_many) || failed.contains("/mark")
}

/// A word for how it ended, and what is wrong with that, where failures of `failed` have to end it.
fn end(said: &Said, failed: Option<&str>) -> (&'static str, Lost) {
    let mut trouble = Lost::new();
    let ended = match (said.is_orderly(), said.code()) {
        (true, Some(0)) => "went on",
        (true, Some(code)) if ENDS.contains(&code) => "ended",
        (true, Some(NOT_WRITTEN)) if said.err.contains("/backup") => "ended",
        _ => {
            trouble.push(format!("it ended so: {said:?}"));
            "ended badly"
        }
    };
    if ended == "went on" && failed.is_some_and(must_end) {
        trouble.push("it went on as if nothing had been".to_owned());
    }
    (ended, trouble)
}

/// From the first start to an orderly stop.
fn life(fault: Fault) -> Result<Run, String> {
    let mut world = World::new(3, Disk::Plain);
    let (launch, failing) = Failing::disk(world.launch(&[]), shim()?, world.place(), fault);
    let (said, mut trouble) = match launch.begin().ready() {
        Ok(served) => {
            let trouble = load(&mut world, &served);
            (served.stop(), trouble)
        }
        Err(said) => (said, Lost::new()),
    };
    let failed = failing.failed();
    let (end, wrong) = end(&said, failed.as_deref());
    trouble.extend(wrong);
    match world.recover(fault.first.is_multiple_of(4)) {
        Ok(served) => {
            served.kill();
            trouble.extend(world.hold_export());
        }
        Err(lost) => trouble.extend(lost),
    }
    Ok(Run {
        calls: failing.calls(),
        failed,
        end,
        trouble,
    })
}

/// The requests, as far as they come.
fn load(world: &mut World, served: &Served) -> Lost {
    match world.try_configure(served) {
        Outcome::Answered => {}
        Outcome::Refused(_) | Outcome::Gone => return Lost::new(),
        Outcome::Broken => return vec!["a fault of the server while shops are made".to_owned()],
    }
    let busy = world.begin(served);
    let over = Deadline::seconds(120)
        .poll(|| (busy.answered() >= OPERATIONS || busy.is_over()).then_some(()));
    let broken = busy.broken();
    world.end(busy);
    let mut trouble = Lost::new();
    if over.is_none() {
        trouble.push("the requests do not come to an end".to_owned());
    }
    if broken > 0 {
        trouble.push(format!("{broken} clients were told of a bug of the server"));
    }
    // Keys and secrets lie in files of their own: a change of them that fails is answered so, and nothing has changed.
    for tenant in &mut world.tenants {
        let broken = std::mem::take(&mut tenant.broken).into_iter();
        let own = ["NewKey", "RevokeKey", "Webhook", "Delete"];
        trouble.extend(broken.filter(|text| !own.iter().any(|own| text.contains(own))));
    }
    trouble
}

/// A folder whose server was killed under load, and one that was closed.
struct Known {
    world: World,
    killed: PathBuf,
    backup: PathBuf,
    /// What `export` writes of the closed folder.
    export: String,
}

fn known() -> Known {
    let mut world = World::new(4, Disk::Plain);
    let served = world
        .recover(false)
        .unwrap_or_else(|lost| panic!("{lost:?}"));
    world.load(&served, 150);
    served.kill();
    let [killed, backup] = ["killed", "backup"].map(|name| world.place().join(name));
    copy_folder(&world.data, &killed);
    let served = world.launch(&[]).start();
    assert!(served.stop().status.success());
    let said = world.run(&["backup", "--to", argument(&backup)]);
    assert!(said.status.success(), "{said:?}");
    let export = world.run(&["export"]);
    assert!(export.status.success(), "{export:?}");
    Known {
        world,
        killed,
        backup,
        export: export.out,
    }
}

impl Known {
    fn place(&self) -> PathBuf {
        self.world.place().join("try")
    }

    /// A start on a folder whose server was killed, and an orderly stop.
    fn start(&self, fault: Fault) -> Result<Run, String> {
        let place = self.place();
        let data = place.join("data");
        copy_folder(&self.killed, &data);
        let launch = self.world.launch_on(&data, &[]);
        let (launch, failing) = Failing::disk(launch, shim()?, &place, fault);
        let said = match launch.begin().ready() {
            Ok(served) => served.stop(),
            Err(said) => said,
        };
        let failed = failing.failed();
        let (end, mut trouble) = end(&said, failed.as_deref());
        trouble.extend(self.serves(&data));
        Ok(Run {
            calls: failing.calls(),
            failed,
            end,
            trouble,
        })
    }

    /// A server on the folder has everything.
    fn serves(&self, data: &Path) -> Lost {
        match self.world.launch_on(data, &[]).begin().ready() {
            Ok(served) => self.world.hold_copy(&served),
            Err(said) => vec![format!("it does not start again: {said:?}")],
        }
    }

    /// A command on a folder under `try`, on a failing disk.
    fn command(&self, arguments: &[&str], fault: Fault) -> Result<(Said, Failing), String> {
        let place = self.place();
        let mut command = program();
        command.args(arguments);
        let failing = Failing::command(&mut command, &place.join("data"), shim()?, &place, fault);
        Ok((run_for(command, COMMAND_WITHIN), failing))
    }

    /// A restore; what it leaves is refused by name or whole, and it can be run again.
    fn restore(&self, fault: Fault) -> Result<Run, String> {
        let place = self.place();
        let data = place.join("data");
        let _ = fs::remove_dir_all(&data);
        fs::create_dir_all(&place).expect("a folder");
        let arguments = [
            "restore",
            "--from",
            argument(&self.backup),
            "--data",
            argument(&data),
        ];
        let (said, failing) = self.command(&arguments, fault)?;
        let failed = failing.failed();
        let (end, mut trouble) = end(&said, failed.as_deref());
        let whole = |trouble: &mut Lost| {
            let export = run(&["export", "--data", argument(&data)]);
            if !export.status.success() || export.out != self.export {
                trouble.push(format!(
                    "what was restored is otherwise: {} {}",
                    export.status, export.err
                ));
            }
        };
        if !said.status.success() && !has_begun(&data) {
            let again = run(&arguments);
            if again.status.success() {
                whole(&mut trouble);
            } else {
                trouble.push(format!("it cannot be run again: {again:?}"));
            }
            return Ok(Run {
                calls: failing.calls(),
                failed,
                end,
                trouble,
            });
        }
        match self.world.launch_on(&data, &[]).begin().ready() {
            Ok(served) => {
                served.kill();
                whole(&mut trouble);
            }
            Err(refused) if said.status.success() => {
                trouble.push(format!("what was restored does not start: {refused:?}"));
            }
            Err(refused) => {
                if !refused.is_orderly() || !refused.err.contains("restore") {
                    trouble.push(format!("it does not say what to do: {refused:?}"));
                }
                let again = run(&arguments);
                if again.status.success() {
                    whole(&mut trouble);
                } else {
                    trouble.push(format!("it cannot be run again: {again:?}"));
                }
            }
        }
        Ok(Run {
            calls: failing.calls(),
            failed,
            end,
            trouble,
        })
    }

    /// A key made or taken back by a command.
    fn key(&self, fault: Fault, revoke: bool) -> Result<Run, String> {
        let data = self.place().join("data");
        copy_folder(&self.world.data, &data);
        let new = [
            "key",
            "new",
            "--scope",
            "owner",
            "--shop",
            KEYED,
            "--data",
            argument(&data),
        ];
        let first = if revoke { Some(run(&new)) } else { None };
        let first = first.map(|said| said.out.trim().to_owned());
        let id = first
            .as_ref()
            .map(|key| key[4..12].to_owned())
            .unwrap_or_default();
        let take = ["key", "revoke", &id, "--data", argument(&data)];
        let (said, failing) = self.command(if revoke { &take } else { &new }, fault)?;
        let failed = failing.failed();
        // In the store it only looks whether there is such a shop.
        let (end, mut trouble) = end(&said, None);
        match self.world.launch_on(&data, &[]).begin().ready() {
            Ok(served) => {
                trouble.extend(self.world.hold_copy(&served));
                let client = self.world.client(&served);
                let shown = said
                    .out
                    .split_whitespace()
                    .find(|word| word.starts_with("xek_"));
                if let Some(key) = shown.filter(|key| !self.world.opens(&client, key)) {
                    trouble.push(format!("key {key} was shown and opens nothing"));
                }
                let gone = first.filter(|_| said.status.success());
                if gone.is_some_and(|key| self.world.opens(&client, &key)) {
                    trouble.push("a key that was taken back opens its shop".to_owned());
                }
            }
            Err(said) => trouble.push(format!("it does not start again: {said:?}")),
        }
        Ok(Run {
            calls: failing.calls(),
            failed,
            end,
            trouble,
        })
    }

    /// A command that reads the folder of a killed server, which is recovered for that.
    fn read(&self, command: &str, fault: Fault) -> Result<Run, String> {
        let data = self.place().join("data");
        copy_folder(&self.killed, &data);
        let (said, failing) = self.command(&[command, "--data", argument(&data)], fault)?;
        let failed = failing.failed();
        let (end, mut trouble) = end(&said, failed.as_deref());
        trouble.extend(self.serves(&data));
        Ok(Run {
            calls: failing.calls(),
            failed,
            end,
            trouble,
        })
    }

    /// A backup of a closed folder, to the same disk.
    fn back_up(&self, fault: Fault) -> Result<Run, String> {
        let data = self.place().join("data");
        copy_folder(&self.world.data, &data);
        let file = data.join("backup");
        let arguments = ["backup", "--to", argument(&file), "--data", argument(&data)];
        let (said, failing) = self.command(&arguments, fault)?;
        let failed = failing.failed();
        let (end, mut trouble) = end(&said, failed.as_deref());
        if said.status.success() {
            let restored = self.place().join("restored");
            let _ = fs::remove_dir_all(&restored);
            let restore = [
                "restore",
                "--from",
                argument(&file),
                "--data",
                argument(&restored),
            ];
            let again = run(&restore);
            if !again.status.success() {
                trouble.push(format!("a whole backup is not restored: {again:?}"));
            }
        }
        let _ = fs::remove_file(&file);
        trouble.extend(self.serves(&data));
        Ok(Run {
            calls: failing.calls(),
            failed,
            end,
            trouble,
        })
    }
}

/// Once and for good, an error of the disk and a full one.
fn kind(number: u64, first: u64) -> Fault {
    let (last, error) = match number % 4 {
        0 => (first, Errno::IO),
        1 => (u64::MAX, Errno::IO),
        2 => (first, Errno::NOSPC),
        _ => (u64::MAX, Errno::NOSPC),
    };
    Fault {
        first,
        last,
        error,
        late: false,
    }
}

/// The same after a while in which others can come to wait for the call.
fn late(number: u64, first: u64) -> Fault {
    Fault {
        late: true,
        ..kind(number, first)
    }
}

/// Fails calls of one kind of life in turn, `share` of the number that is asked for.
fn sweep(name: &str, share: u64, live: impl Fn(Fault) -> Result<Run, String>) {
    sweep_by(name, share, kind, live);
}

/// The same with the faults that `kind` gives by their number and the call.
fn sweep_by(
    name: &str,
    share: u64,
    kind: fn(u64, u64) -> Fault,
    live: impl Fn(Fault) -> Result<Run, String>,
) {
    let watch = Stopwatch::start();
    let calm = match live(Fault::NONE) {
        Ok(calm) => calm,
        Err(why) => return cannot_run(&format!("the test of failing writes in {name}"), &why),
    };
    assert!(
        calm.trouble.is_empty(),
        "{name} without a fault:\n  {}",
        calm.trouble.join("\n  ")
    );
    assert!(
        calm.failed.is_none() && calm.end == "went on",
        "{name}: {} {:?}",
        calm.end,
        calm.failed
    );
    let faults = match std::env::var("XIAOER_FAULTS").as_deref() {
        // Each call once and for good, with an error and without room.
        Ok("all") => calm.calls,
        Ok(number) => number.parse().expect("`all` or a number"),
        Err(_) => FAULTS / share,
    };
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let mut found = Vec::new();
    for number in 0..faults {
        let first = match faults >= calm.calls {
            true => number % calm.calls.max(1) + 1,
            false => number * calm.calls / faults + 1,
        };
        let fault = kind(number, first);
        let run = live(fault).expect("the shim that was built");
        *ends.entry(run.end).or_default() += 1;
        let what = run.failed.unwrap_or_else(|| "nothing".to_owned());
        let trouble = run.trouble.iter();
        found.extend(trouble.map(|trouble| format!("{fault:?}, {what}, {}: {trouble}", run.end)));
    }
    println!(
        "{name}: {faults} of {} calls failed: {ends:?}; {:.0?}",
        calm.calls,
        watch.passed()
    );
    found.truncate(20);
    assert!(
        found.is_empty(),
        "{name}, of {} calls:\n  {}",
        calm.calls,
        found.join("\n  ")
    );
    assert!(
        ends.get("ended").is_some_and(|ended| *ended > 0),
        "{name}: no fault was met: {ends:?}"
    );
}

#[test]
fn no_answer_is_taken_back_when_a_write_fails() {
    sweep("a life", 1, life);
}

#[test]
fn a_start_that_fails_is_followed_by_one_that_serves() {
    let known = known();
    sweep("a start", 2, |fault| known.start(fault));
}

#[test]
fn a_restore_that_fails_can_be_run_again() {
    let known = known();
    sweep("a restore", 2, |fault| known.restore(fault));
}

#[test]
fn a_command_that_fails_leaves_the_keys_whole() {
    let known = known();
    sweep("a new key", 4, |fault| known.key(fault, false));
    sweep("a key taken back", 4, |fault| known.key(fault, true));
}

#[test]
fn a_backup_that_fails_harms_nothing() {
    let known = known();
    sweep("a backup", 4, |fault| known.back_up(fault));
}

#[test]
fn verifying_and_exporting_end_when_a_write_fails() {
    let known = known();
    for command in ["verify", "export"] {
        sweep(command, 4, |fault| known.read(command, fault));
    }
}

/// sled stores the error of a write that its own thread makes for a batch, and wakes nobody. Whoever has come to wait
/// for that write by then waits for ever, so the error has to be noticed beside it.
#[test]
fn a_command_that_waits_for_a_write_that_fails_ends() {
    let known = known();
    sweep_by("a restore", 1, late, |fault| known.restore(fault));
    sweep_by("a backup", 2, late, |fault| known.back_up(fault));
    sweep_by("a start", 2, late, |fault| known.start(fault));
    for command in ["verify", "export"] {
        sweep_by(command, 4, late, |fault| known.read(command, fault));
    }
    sweep_by("a new key", 4, late, |fault| known.key(fault, false));
}

/// A small disk, and a server that fills it.
const DISK_BYTES: u64 = 48 * 1024 * 1024;

/// What it keeps in reserve there: the store needs some megabytes to open, and a checkpoint may be written beside a commit
/// between two looks at the disk.
const RESERVE: [&str; 2] = ["journal.ballast_bytes=8MiB", "journal.reserve_bytes=6MiB"];

/// Long messages, some in a request, each its own.
fn filling(number: u64) -> Sent {
    let text = |event: u64| format!("{number}-{event} ").repeat(400);
    let events = (0..40).map(|event| {
        json!({ "type": "buyer.message", "id": format!("fill-{number}-{event}"),
                "session": "long", "text": text(event) })
    });
    Sent::of(SHOPS[3], events.collect())
}

#[test]
fn a_full_disk_is_refused_and_nothing_is_lost() {
    let (place, _) = folder();
    let disk = match Mounted::memory(&place.path().join("disk"), DISK_BYTES) {
        Ok(disk) => disk,
        Err(why) => return cannot_run("the test of a full disk", &why),
    };
    let data = disk.at.join("data");
    let launch = || Launch::on(&data).set(&RESERVE);
    let mut account = Account::default();
    let served = launch().start();
    let mut client = served.client();
    account.write_down(desk::configure(&mut client));
    let open = json!({ "type": "session.opened", "id": "long", "session": "long", "buyer": "x" });
    let mut sent = Sent::of(SHOPS[3], vec![open]);
    assert_eq!(sent.send(&mut client), Outcome::Answered);
    account.write_down(vec![sent]);
    let mut number = 0;
    let refused = loop {
        let mut sent = filling(number);
        number += 1;
        match sent.send(&mut client) {
            Outcome::Answered => account.write_down(vec![sent]),
            other @ (Outcome::Refused(_) | Outcome::Broken | Outcome::Gone) => break other,
        }
        assert!(number < 10_000, "the disk does not fill");
    };
    assert_eq!(refused, Outcome::Refused(507), "after {number} requests");
    let lost = account.hold_read(&mut client);
    assert!(
        lost.is_empty(),
        "full, still serving:\n  {}",
        lost.join("\n  ")
    );
    assert_eq!(client.get("/healthz").expect("an answer").status, 200);
    served.kill();

    let junk = disk.at.join("junk");
    fill_up(&junk);
    assert_eq!(disk.free_bytes(), 0);
    let served = launch().start();
    let mut client = served.client();
    let lost = account.hold_read(&mut client);
    assert!(
        lost.is_empty(),
        "started with 0 bytes free:\n  {}",
        lost.join("\n  ")
    );
    // Whatever room the start has made is taken too: it goes on as long as what it takes can be kept, and then refuses.
    let more = disk.at.join("more");
    fill_up(&more);
    let refused = Deadline::seconds(60).poll(|| {
        let mut sent = filling(number);
        number += 1;
        match sent.send(&mut client) {
            Outcome::Answered => {
                account.write_down(vec![sent]);
                None
            }
            other @ (Outcome::Refused(_) | Outcome::Broken | Outcome::Gone) => Some(other),
        }
    });
    assert_eq!(refused, Some(Outcome::Refused(507)), "nothing is free");

    for junk in [junk, more] {
        std::fs::remove_file(junk).expect("the junk goes");
    }
    let resumed = Deadline::seconds(60).poll(|| {
        let mut sent = filling(number);
        (sent.send(&mut client) == Outcome::Answered).then_some(sent)
    });
    account.write_down(vec![resumed.expect("room again, and the server goes on")]);
    let mut lost = account.hold(&mut client, true);
    served.kill();
    lost.extend(account.hold_export(&data, place.path()));
    assert!(lost.is_empty(), "with room again:\n  {}", lost.join("\n  "));
    println!("a disk full after {number} requests: 0 lost, resumed");
}

/// Takes all room that is left.
fn fill_up(junk: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(junk).expect("a file");
    for size in [1 << 20, 1 << 12, 1 << 6, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
}
