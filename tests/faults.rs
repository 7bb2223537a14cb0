//! Writes that fail: an error at every call of the disk in a run of 500 requests, and a disk that is full. After it no
//! answer is taken back, and the server ends with a message and status 74, or refuses.
//!
//! `XIAOER_FAULTS=all cargo test --test faults` fails every call in turn, `XIAOER_FAULTS=N` so many of them. Needs a C
//! compiler; the full disk needs root.

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use rustix::io::Errno;
use serde_json::json;
use support::account::{Account, Lost};
use support::deadline::{Deadline, Stopwatch};
use support::desk::{self, Crowd, Outcome, SHOPS, Sent};
use support::privilege::{Mounted, cannot_run};
use support::served::{Launch, SMALL, Served, folder};
use support::shim::{Failing, Fault, build};

/// Requests of a run.
const OPERATIONS: u64 = 500;

/// Calls that are failed, where no other number is asked for.
const FAULTS: u64 = 40;

const CLIENTS: u64 = 4;

/// What the exit status of a server is whose disk failed.
const FAILED: i32 = 74;

/// What came of one run.
struct Run {
    calls: u64,
    /// The call that failed.
    failed: Option<String>,
    /// What became of the server, in a word.
    end: &'static str,
    trouble: Lost,
}

fn run(shim: &Path, fault: Fault) -> Run {
    let (place, data) = folder();
    let mut account = Account::default();
    let launch = Launch::on(&data).set(&SMALL);
    let (launch, failing) = Failing::disk(launch, shim, place.path(), fault);
    let (end, mut trouble) = match launch.begin().ready() {
        Ok(served) => load(served, &mut account),
        Err(said) => {
            let orderly = said.is_orderly() && matches!(said.code(), Some(2 | FAILED));
            (
                "did not start",
                if orderly {
                    vec![]
                } else {
                    vec![format!("{said:?}")]
                },
            )
        }
    };
    let failed = failing.failed();
    // Room that is kept in reserve, and is not there, is no reason to stop.
    let harmless = failed
        .as_ref()
        .is_none_or(|failed| failed.contains("ballast"));
    if end == "served on" && !harmless {
        trouble.push("the server went on as if nothing had been".to_owned());
    }
    match Launch::on(&data).set(&SMALL).begin().ready() {
        Ok(served) => {
            trouble.extend(account.hold_or_fail(&mut served.client()));
            served.kill();
            trouble.extend(account.hold_export(&data, place.path()));
        }
        Err(said) => trouble.push(format!("it does not start again: {said:?}")),
    }
    Run {
        calls: failing.calls(),
        failed,
        end,
        trouble,
    }
}

/// The 500 requests, as far as they come.
fn load(mut served: Served, account: &mut Account) -> (&'static str, Lost) {
    let (configured, outcome) = desk::try_configure(&mut served.client());
    account.write_down(configured);
    let mut broken = u64::from(outcome == Outcome::Broken);
    if outcome == Outcome::Answered {
        let crowd = Crowd::begin(served.address, "f", CLIENTS, 3);
        let over = || (crowd.answered() >= OPERATIONS || crowd.is_over()).then_some(());
        Deadline::seconds(60)
            .poll(over)
            .expect("500 requests in a minute");
        let done = crowd.answered() >= OPERATIONS;
        broken = crowd.broken();
        account.write_down(crowd.sent());
        if done && !served.has_ended() {
            served.kill();
            return ("served on", vec![]);
        }
    }
    let mut trouble = Lost::new();
    if broken > 0 {
        trouble.push(format!("{broken} clients were told of a bug of the server"));
    }
    // A server whose disk failed has still to say so before it ends; one that refuses does not end.
    if Deadline::seconds(5)
        .poll(|| served.has_ended().then_some(()))
        .is_none()
    {
        served.kill();
        return ("refused", trouble);
    }
    let said = served.ended();
    if !said.is_orderly() || said.code() != Some(FAILED) {
        trouble.push(format!("it ended so: {said:?}"));
    }
    ("ended", trouble)
}

/// Once and for good, an error of the disk and a full one.
fn kind(number: u64, first: u64) -> Fault {
    let (last, error) = match number % 4 {
        0 => (first, Errno::IO),
        1 => (u64::MAX, Errno::IO),
        2 => (first, Errno::NOSPC),
        _ => (u64::MAX, Errno::NOSPC),
    };
    Fault { first, last, error }
}

#[test]
fn no_answer_is_taken_back_when_a_write_fails() {
    let (place, _) = folder();
    let shim = match build("disk", place.path()) {
        Ok(shim) => shim,
        Err(why) => return cannot_run("the test of failing writes", &why),
    };
    let watch = Stopwatch::start();
    let calm = run(&shim, Fault::NONE);
    assert!(
        calm.trouble.is_empty(),
        "without a fault:\n  {}",
        calm.trouble.join("\n  ")
    );
    assert!(calm.failed.is_none() && calm.end == "served on" && calm.calls >= OPERATIONS / CLIENTS);
    let faults = match std::env::var("XIAOER_FAULTS").as_deref() {
        Ok("all") => calm.calls,
        Ok(number) => number.parse().expect("`all` or a number"),
        Err(_) => FAULTS,
    };
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let mut found = Vec::new();
    for number in 0..faults {
        // The first calls are those of the start; the rest are spread over the run.
        let first = match faults >= calm.calls {
            true => number + 1,
            false => number.min(12) + 1 + number * number * calm.calls / (faults * faults),
        };
        let fault = kind(number, first);
        let run = run(&shim, fault);
        *ends.entry(run.end).or_default() += 1;
        let what = run.failed.unwrap_or_else(|| "nothing".to_owned());
        let trouble = run.trouble.iter();
        found.extend(trouble.map(|trouble| format!("{fault:?}, {what}, {}: {trouble}", run.end)));
    }
    assert!(
        found.is_empty(),
        "of {} calls:\n  {}",
        calm.calls,
        found.join("\n  ")
    );
    assert!(
        ends.get("ended").is_some_and(|ended| *ended > 0),
        "no fault was met: {ends:?}"
    );
    println!(
        "{faults} of {} calls failed: {ends:?}; {:.0?}",
        calm.calls,
        watch.passed()
    );
}

/// A small disk, and a server that fills it.
const DISK_BYTES: u64 = 32 * 1024 * 1024;

/// What it keeps in reserve there: the store needs some megabytes to open.
const RESERVE: [&str; 2] = ["journal.ballast_bytes=8MiB", "journal.reserve_bytes=2MiB"];

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
    let refused = Deadline::seconds(10).poll(|| {
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
    let resumed = Deadline::seconds(10).poll(|| {
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
