//! `kill -9` in every phase: the first start, later starts, under load, a stop, a checkpoint, retention, the deletion
//! of a shop, changes of webhooks and keys, a backup, and a restore. After each kill the server starts and serves. No
//! acknowledged event is lost, duplicated or answered differently. An event that was not acknowledged is complete or
//! absent, also after an orderly restart.
//!
//! Half of the kills happen at a random time, half before a numbered change of the disk (tests/shim/record.c), so that
//! short phases are hit at every step.
//!
//! `XIAOER_KILLS=2000 cargo test --test crash kills::` sets the number of kills, `XIAOER_SEED=N` sets the random seed,
//! `XIAOER_PHASE=restore` limits the kills to one phase, and `XIAOER_KEEP=1` keeps the folders of failures.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support::account::Lost;
use crate::support::deadline::{Deadline, Stopwatch};
use crate::support::desk::Outcome;
use crate::support::files::has_begun;
use crate::support::life::{Before, Disk, KEYED, World};
use crate::support::recording::Recorder;
use crate::support::served::{Said, Served, argument, run_for};
use crate::support::tenant::Deed;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

/// Lives, where no other number is asked for.
const KILLS: u64 = 48;

/// A phase in which so much was found is left.
const FOUND_MAX: usize = 5;

/// `verify` and `export` look at the folder after so many.
const EXPORT_EVERY: u64 = 24;

/// How long a sync takes, in microseconds; what it makes durable a kill does not take.
const SYNC_US: u64 = 300;

/// What a life that should have ended by itself has left.
const LINGERS: Duration = Duration::from_secs(3);

/// What a phase found: the server that goes on, if one does, or what is wrong.
type Struck = Result<Option<Served>, Lost>;

/// A phase of life, and how it is struck.
struct Phase {
    name: &'static str,
    strike: fn(&mut World, Served) -> Struck,
}

const PHASES: [Phase; 12] = [
    Phase {
        name: "load",
        strike: load,
    },
    Phase {
        name: "first-start",
        strike: first_start,
    },
    Phase {
        name: "start",
        strike: start,
    },
    Phase {
        name: "stop",
        strike: stop,
    },
    Phase {
        name: "checkpoint",
        strike: checkpoint,
    },
    Phase {
        name: "delete",
        strike: delete,
    },
    Phase {
        name: "webhook",
        strike: webhook,
    },
    Phase {
        name: "key",
        strike: key,
    },
    Phase {
        name: "key-command",
        strike: key_command,
    },
    Phase {
        name: "backup",
        strike: backup,
    },
    Phase {
        name: "restore",
        strike: restore,
    },
    Phase {
        name: "retention",
        strike: retention,
    },
];

/// When a life ends.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// After so long.
    After(Duration),
    /// Before so many changes of the disk from now.
    Change(u64),
}

impl Blow {
    const NEVER: Blow = Blow::Change(u64::MAX / 2);
}

/// Draws when: after some milliseconds, or before one of so many changes, the first ones more likely.
fn draw(world: &mut World, ms: u64, changes: u64) -> Blow {
    if world.recorder.is_none() || world.luck.random_range(0..2) == 0 {
        return Blow::After(Duration::from_micros(world.luck.random_range(0..ms * 1000)));
    }
    let exponent: f64 = world.luck.random();
    Blow::Change((changes as f64).powf(exponent).round() as u64)
}

/// Whoever makes the change dies.
fn aim(at: Option<&Recorder>, blow: Blow) {
    if let (Blow::Change(change), Some(recorder)) = (blow, at) {
        recorder.kill_at(recorder.changes() + change);
    }
}

/// Waits until the server has died, and where it does not, takes its life.
fn strike(at: Option<&Recorder>, mut served: Served, blow: Blow, over: impl Fn() -> bool) {
    let wait = match blow {
        Blow::After(wait) => wait,
        Blow::Change(_) => LINGERS,
    };
    Deadline::after(wait).poll(|| (served.has_ended() || over()).then_some(()));
    served.kill();
    aim(at, Blow::NEVER);
}

/// Runs a command that dies.
fn struck(world: &World, arguments: &[&str], blow: Blow) -> Said {
    aim(world.of_commands.as_ref(), blow);
    let life = match blow {
        Blow::After(life) => life,
        Blow::Change(_) => Duration::from_secs(120),
    };
    let said = run_for(world.command(arguments), life);
    aim(world.of_commands.as_ref(), Blow::NEVER);
    said
}

fn load(world: &mut World, served: Served) -> Struck {
    let blow = draw(world, 200, 2000);
    aim(world.recorder.as_ref(), blow);
    let busy = world.begin(&served);
    strike(world.recorder.as_ref(), served, blow, || busy.is_over());
    world.end(busy);
    Ok(None)
}

/// Without a key of anybody's: the first start shows one.
fn first_start(world: &mut World, served: Served) -> Struck {
    let data = world.disk().join("first");
    let launch = |world: &World| world.launch_on(&data, &[]);
    let blow = draw(world, 60, 60);
    aim(world.of_commands.as_ref(), blow);
    let starting = launch(world).begin();
    let said = match blow {
        Blow::After(wait) => {
            assert!(Deadline::after(wait).poll(|| None::<()>).is_none());
            starting.kill()
        }
        Blow::Change(_) => match starting.ready() {
            Ok(served) => served.kill(),
            Err(said) => said,
        },
    };
    aim(world.of_commands.as_ref(), Blow::NEVER);
    let again = launch(world).begin().ready();
    let again =
        again.map_err(|said| vec![format!("after a first start it does not start: {said:?}")])?;
    let shown = |text: &str| {
        text.lines()
            .map(str::trim)
            .find(|line| line.starts_with("xek_"))
            .map(str::to_owned)
    };
    let told = Deadline::seconds(20).poll(|| again.said().contains("/docs").then(|| again.said()));
    let told = told.unwrap_or_default();
    let key = match shown(&said.out).or_else(|| shown(&told)) {
        Some(key) => key,
        // The one that was made was not shown to anybody, so another is made.
        None => {
            let new = ["key", "new", "--scope", "admin", "--data", argument(&data)];
            let new = run_for(world.command(&new), Duration::from_secs(120));
            shown(&new.out).ok_or_else(|| vec![format!("no key is to be had: {new:?}")])?
        }
    };
    let made = |served: &Served| {
        let mut client = served.client().with_key(&key);
        let answer = Deadline::seconds(20).poll(|| {
            let answer = client.put("/v1/shops/s", &json!({ "policy": {} }).to_string());
            // A server reads what a command has written within a second.
            answer.ok().filter(|answer| answer.status != 401)
        });
        match answer {
            Some(answer) if answer.status == 200 => Ok(()),
            other => Err(vec![format!(
                "the key of the first start: {other:?}; first {said:?}, then {told}"
            )]),
        }
    };
    made(&again)?;
    again.kill();
    let again = launch(world).begin().ready();
    let again = again.map_err(|said| vec![format!("a third start: {said:?}")])?;
    made(&again)?;
    again.kill();
    fs::remove_dir_all(&data).expect("the folder goes");
    Ok(Some(served))
}

fn start(world: &mut World, served: Served) -> Struck {
    if world.luck.random_range(0..3) > 0 {
        world.load(&served, 60);
    }
    served.kill();
    for _ in 0..world.luck.random_range(1..3) {
        let blow = draw(world, 60, 80);
        aim(world.recorder.as_ref(), blow);
        let starting = world.launch(&[]).begin();
        match blow {
            Blow::After(wait) => {
                assert!(Deadline::after(wait).poll(|| None::<()>).is_none());
                starting.kill();
            }
            Blow::Change(_) => match starting.ready() {
                Ok(served) => _ = served.kill(),
                Err(said)
                    if world
                        .recorder
                        .as_ref()
                        .is_some_and(|recorder| recorder.has_killed()) =>
                {
                    _ = said
                }
                Err(said) => return Err(vec![format!("it does not start: {said:?}")]),
            },
        }
        aim(world.recorder.as_ref(), Blow::NEVER);
    }
    Ok(None)
}

fn stop(world: &mut World, served: Served) -> Struck {
    world.load(&served, 60);
    let blow = draw(world, 40, 60);
    aim(world.recorder.as_ref(), blow);
    served.ask_to_stop();
    strike(world.recorder.as_ref(), served, blow, || false);
    Ok(None)
}

/// A server on which every record makes a checkpoint due.
fn checkpointing(world: &World, served: Served, more: &[&str]) -> Result<Served, Lost> {
    served.kill();
    let settings = [&["journal.checkpoint_records=1", "shop.idle=50ms"], more].concat();
    let served = world.launch(&settings).begin().ready();
    served.map_err(|said| vec![format!("it does not start: {said:?}")])
}

fn checkpoint(world: &mut World, served: Served) -> Struck {
    let served = checkpointing(world, served, &[])?;
    world.load(&served, 150);
    // Nobody works any more: the next changes are the upkeep's, within a second.
    let blow = draw(world, 1200, 40);
    aim(world.recorder.as_ref(), blow);
    strike(world.recorder.as_ref(), served, blow, || false);
    Ok(None)
}

/// A tenant that has a shop does something, and the server dies of it.
fn deed(world: &mut World, served: Served, draw_deed: fn(&mut World, &str) -> Deed) -> Struck {
    let mut client = world.client(&served);
    let at = world.luck.random_range(0..world.tenants.len());
    for _ in 0..12 {
        let tenant = &mut world.tenants[at];
        let outcome = match tenant.has_shop() {
            true => tenant.act(&mut client),
            false => tenant.send(Deed::Make, &mut client),
        };
        if outcome != Outcome::Answered {
            return Err(vec![format!(
                "a quiet server: {outcome:?} {:?}",
                tenant.broken
            )]);
        }
    }
    if !world.tenants[at].has_shop() {
        world.tenants[at].send(Deed::Make, &mut client);
    }
    let hooks = format!("{}/struck", world.receiver.url());
    let deed = draw_deed(world, &hooks);
    let deed = world.tenants[at].named(deed);
    let blow = draw(world, 10, 12);
    aim(world.recorder.as_ref(), blow);
    let mut tenant = world.tenants.swap_remove(at);
    let sending = std::thread::spawn(move || {
        tenant.send(deed, &mut client);
        tenant
    });
    strike(world.recorder.as_ref(), served, blow, || false);
    world.tenants.push(sending.join().expect("a tenant"));
    Ok(None)
}

fn delete(world: &mut World, mut served: Served) -> Struck {
    // Half of the shops lie behind a checkpoint, half in the tail.
    if world.luck.random_range(0..2) == 0 {
        world.load(&served, 40);
        let said = served.stop();
        if !said.status.success() {
            return Err(vec![format!("it does not stop in order: {said:?}")]);
        }
        served = world.recover(false)?;
    }
    deed(world, served, |_, _| Deed::Delete)
}

fn webhook(world: &mut World, served: Served) -> Struck {
    deed(world, served, |world, hooks| {
        match world.luck.random_range(0..3) {
            0 => Deed::AddWebhook(hooks.to_owned()),
            1 => Deed::RotateWebhook(String::new()),
            _ => Deed::RemoveWebhook(String::new()),
        }
    })
}

fn key(world: &mut World, served: Served) -> Struck {
    deed(world, served, |world, _| {
        match world.luck.random_range(0..2) {
            0 => Deed::NewKey,
            _ => Deed::RevokeKey(String::new()),
        }
    })
}

/// A command beside the running server.
fn key_command(world: &mut World, served: Served) -> Struck {
    let client = world.client(&served);
    let waits = Deadline::seconds(20);
    let blow = draw(world, 30, 12);
    if world.shown.len() < 3 || world.luck.random_range(0..2) == 0 {
        let data = argument(&world.data).to_owned();
        let new = [
            "key", "new", "--scope", "owner", "--shop", KEYED, "--data", &data,
        ];
        let said = struck(world, &new, blow);
        let Some(key) = said
            .out
            .split_whitespace()
            .find(|word| word.starts_with("xek_"))
        else {
            return Ok(Some(served));
        };
        if waits
            .poll(|| world.opens(&client, key).then_some(()))
            .is_none()
        {
            return Err(vec![format!(
                "a key that was shown opens nothing: {said:?}"
            )]);
        }
        world.shown.push(key.to_owned());
        return Ok(Some(served));
    }
    let at = world.luck.random_range(0..world.shown.len());
    let key = world.shown.swap_remove(at);
    let data = argument(&world.data).to_owned();
    let said = struck(
        world,
        &["key", "revoke", &key[4..12], "--data", &data],
        blow,
    );
    let gone = waits.poll(|| (!said.status.success() || !world.opens(&client, &key)).then_some(()));
    if gone.is_none() {
        return Err(vec![format!(
            "a key that was taken back opens its shop: {said:?}"
        )]);
    }
    // Of a command that died nobody knows.
    if said.status.success() {
        world.revoked.push(key);
    }
    Ok(Some(served))
}

/// Restores a backup and holds the server on it against what there was at least.
fn restored(world: &mut World, backup: &Path, before: &Before) -> Result<(), Lost> {
    let data = world.disk().join("restored");
    let arguments = [
        "restore",
        "--from",
        argument(backup),
        "--data",
        argument(&data),
    ];
    let said = run_for(world.command(&arguments), Duration::from_secs(120));
    if !said.status.success() {
        return Err(vec![format!("a whole backup is not restored: {said:?}")]);
    }
    let served = serve_restored(world, &data);
    let served =
        served.map_err(|said| vec![format!("what was restored does not start: {said:?}")])?;
    let lost = before.hold(world, &served);
    served.kill();
    fs::remove_dir_all(&data).expect("the folder goes");
    match lost.is_empty() {
        true => Ok(()),
        false => Err(lost),
    }
}

/// Keys are no part of a backup: they are copied, as users are told to.
fn serve_restored(world: &World, data: &Path) -> Result<Served, Said> {
    fs::copy(world.data.join("keys.json"), data.join("keys.json")).expect("the keys");
    world.launch_on(data, &[]).begin().ready()
}

fn backup(world: &mut World, mut served: Served) -> Struck {
    world.load(&served, 60);
    let file = world.disk().join("backup");
    let before = Before::of(world);
    let data = argument(&world.data).to_owned();
    let arguments = ["backup", "--to", argument(&file), "--data", &data];
    let busy = world.begin(&served);
    // The command dies, the server does, or nobody.
    let dies = world.luck.random_range(0..4);
    let blow = match dies {
        0 => Blow::NEVER,
        1 => draw(world, 60, 8),
        _ => draw(world, 60, 400),
    };
    if dies < 2 {
        let said = struck(world, &arguments, blow);
        world.end(busy);
        settle_backup(world, &file, &said, &before)?;
        if served.has_ended() {
            return Err(vec![format!(
                "the server died of a backup: {:?}",
                served.ended()
            )]);
        }
        let lost = world.hold(&served, false);
        return if lost.is_empty() {
            Ok(Some(served))
        } else {
            Err(lost)
        };
    }
    let command = world.command(&arguments);
    aim(world.recorder.as_ref(), blow);
    let copying = std::thread::spawn(move || run_for(command, Duration::from_secs(120)));
    strike(world.recorder.as_ref(), served, blow, || {
        copying.is_finished()
    });
    let said = copying.join().expect("the command");
    world.end(busy);
    settle_backup(world, &file, &said, &before)?;
    Ok(None)
}

/// What was called whole is restored; what was not is refused, or whole.
fn settle_backup(world: &mut World, file: &Path, said: &Said, before: &Before) -> Result<(), Lost> {
    if !file.exists() {
        return Ok(());
    }
    let whole = said.status.success();
    let all_answered = world.tenants.iter().all(|tenant| !tenant.is_open());
    if whole && all_answered {
        restored(world, file, before)?;
    } else if whole {
        let data = world.disk().join("restored");
        let arguments = [
            "restore",
            "--from",
            argument(file),
            "--data",
            argument(&data),
        ];
        let said = run_for(world.command(&arguments), Duration::from_secs(120));
        if !said.status.success() {
            return Err(vec![format!("a whole backup is not restored: {said:?}")]);
        }
        fs::remove_dir_all(&data).expect("the folder goes");
    }
    fs::remove_file(file).expect("the backup goes");
    Ok(())
}

fn restore(world: &mut World, served: Served) -> Struck {
    world.load(&served, 60);
    let (file, data) = (world.disk().join("backup"), world.disk().join("restored"));
    let said = world.run(&["backup", "--to", argument(&file)]);
    if !said.status.success() {
        return Err(vec![format!("a backup: {said:?}")]);
    }
    let before = Before::of(world);
    let blow = draw(world, 120, 120);
    let arguments = [
        "restore",
        "--from",
        argument(&file),
        "--data",
        argument(&data),
    ];
    let said = struck(world, &arguments, blow);
    if has_begun(&data) {
        match serve_restored(world, &data) {
            Ok(other) => {
                let lost = before.hold(world, &other);
                if !lost.is_empty() {
                    let mut all = vec![format!(
                        "a restore that did not end ({}) is served:",
                        said.status
                    )];
                    all.extend(lost);
                    return Err(all);
                }
                other.kill();
                fs::remove_dir_all(&data).expect("the folder goes");
            }
            Err(refused) => {
                let named = refused.is_orderly() && refused.err.contains("restore");
                if said.status.success() || !named {
                    return Err(vec![format!(
                        "after {said:?} it does not start: {refused:?}"
                    )]);
                }
            }
        }
    }
    // It can be done again, over what was left.
    restored(world, &file, &before)?;
    fs::remove_file(&file).expect("the backup goes");
    Ok(Some(served))
}

/// A shop whose journal is older than is kept: what is old is dropped with the next checkpoint.
fn retention(world: &mut World, served: Served) -> Struck {
    let blow = draw(world, 1200, 60);
    let data = world.disk().join("old");
    let launch = |settings: &[&str]| {
        let all = [
            &["journal.checkpoint_records=1", "shop.idle=10ms"],
            settings,
        ]
        .concat();
        world.launch_on(&data, &all)
    };
    fs::create_dir_all(&data).expect("a folder");
    fs::copy(world.data.join("keys.json"), data.join("keys.json")).expect("the keys");
    let made = launch(&["journal.retention=0s"]).start();
    let mut client = world.client(&made);
    let event = |number: u64, day: u64, what: &str| {
        json!({ "type": what, "id": format!("e{number}"), "session": format!("s{number}"),
                "buyer": format!("b{number}"), "at": format!("2026-01-{day:02}T00:00:{:02}Z", number % 60) })
    };
    let policy = json!({ "type": "shop.configured", "policy": {}, "at": "2026-01-01T00:00:00Z" });
    let mut events = vec![policy];
    events.extend((0..200).map(|number| event(number, 2 + number / 60, "session.opened")));
    let answer = client.post("/v1/shops/old/events", &json!(events).to_string());
    let answer = answer.map_err(|error| vec![error.to_string()])?;
    if answer.status != 200 {
        return Err(vec![format!(
            "an old shop: {} {}",
            answer.status,
            answer.text()
        )]);
    }
    let stopped = made.stop();
    assert!(stopped.status.success(), "{stopped:?}");
    let served_old = launch(&["journal.retention=8d"]).start();
    let last = |served: &Served| -> Result<u64, Lost> {
        let mut client = world.client(served);
        let event =
            json!({ "type": "session.opened", "session": "new", "buyer": "new", "id": "new" });
        let answer = client.post("/v1/shops/old/events", &event.to_string());
        let answer = answer.map_err(|error| vec![error.to_string()])?;
        let body = answer.json();
        let seq = body["results"][0]["decisions"][0]["seq"].as_u64();
        seq.ok_or_else(|| {
            vec![format!(
                "a shop with an old journal: {} {body}",
                answer.status
            )]
        })
    };
    let seq = last(&served_old)?;
    aim(world.of_commands.as_ref(), blow);
    strike(world.of_commands.as_ref(), served_old, blow, || false);
    for _ in 0..2 {
        let again = launch(&["journal.retention=8d"]).begin().ready();
        let again =
            again.map_err(|said| vec![format!("retention: it does not start: {said:?}")])?;
        let is = last(&again)?;
        if is != seq {
            return Err(vec![format!(
                "retention: the same event was answered {seq}, is {is}"
            )]);
        }
        let said = again.stop();
        if !said.status.success() {
            return Err(vec![format!("retention: it does not stop: {said:?}")]);
        }
    }
    fs::remove_dir_all(&data).expect("the folder goes");
    Ok(Some(served))
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}

/// What was found in a phase.
#[derive(Default)]
struct Tally {
    kills: u64,
    spent: Duration,
    found: Vec<String>,
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let (kills, seed) = (number("XIAOER_KILLS", KILLS), number("XIAOER_SEED", 9));
    let wanted = std::env::var("XIAOER_PHASE").ok();
    let phases: Vec<&Phase> = PHASES
        .iter()
        .filter(|phase| wanted.as_deref().is_none_or(|wanted| wanted == phase.name))
        .collect();
    assert!(!phases.is_empty(), "there is no phase {wanted:?}");
    let watch = Stopwatch::start();
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let (mut acknowledged, mut held) = (0, None);
    for kill in 0..kills {
        let phase = phases[kill as usize % phases.len()];
        let tally = tallies.entry(phase.name).or_default();
        if tally.found.len() >= FOUND_MAX {
            continue;
        }
        let seed = seed.wrapping_mul(1_000_000) + kill;
        let spent = Stopwatch::start();
        let (mut world, served) = held.take().unwrap_or_else(|| fresh(seed));
        world.luck = StdRng::seed_from_u64(seed);
        let struck = (phase.strike)(&mut world, served);
        let twice = world.luck.random_range(0..3) == 0 || phase.name == "delete";
        let next = struck.and_then(|served| match served {
            Some(served) => Ok(served),
            None => world.recover(twice),
        });
        tally.kills += 1;
        tally.spent += spent.passed();
        match next {
            Ok(served) if kill % EXPORT_EVERY == EXPORT_EVERY - 1 || kill == kills - 1 => {
                served.kill();
                let mut lost = world.hold_export();
                if !lost.is_empty() {
                    lost.extend(world.keep());
                }
                tally.found.extend(say(kill, seed, &lost));
                acknowledged += world.acknowledged();
            }
            Ok(served) => held = Some((world, served)),
            Err(mut lost) => {
                acknowledged += world.acknowledged();
                lost.extend(world.keep());
                tally.found.extend(say(kill, seed, &lost));
            }
        }
    }
    let mut found = Vec::new();
    for (phase, tally) in &tallies {
        let each = tally.spent / tally.kills.max(1) as u32;
        println!(
            "{phase}: {} kills, {} found something, {each:.0?} each",
            tally.kills,
            tally.found.len()
        );
        found.extend(tally.found.iter().map(|what| format!("{phase}, {what}")));
    }
    println!(
        "{acknowledged} answers acknowledged; {:.0?}",
        watch.passed()
    );
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(acknowledged as u64 > kills, "hardly anything was sent");
}

/// A folder of its own, and a server on it.
fn fresh(seed: u64) -> (World, Served) {
    let mut world = World::new(seed, Disk::Counted(SYNC_US));
    let served = world
        .recover(false)
        .unwrap_or_else(|lost| panic!("a new folder: {lost:?}"));
    (world, served)
}

fn say(kill: u64, seed: u64, lost: &Lost) -> Option<String> {
    let some: Vec<&str> = lost
        .iter()
        .take(5)
        .chain(lost.iter().skip(5).filter(|text| text.starts_with("kept")))
        .map(|text| text.get(..900).unwrap_or(text))
        .collect();
    (!lost.is_empty()).then(|| format!("kill {kill} of seed {seed}:\n    {}", some.join("\n    ")))
}
