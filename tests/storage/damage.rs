//! Damaged files: a flipped bit or byte, a page of zeros or from another position, a file that was truncated or
//! extended. The damage is reported or does no harm; damaged data is never served as valid.
//!
//! The folder contains results of all ordinary operations: load, deleted and recreated shops, webhooks, keys,
//! checkpoints. `XIAOER_DAMAGES=1000 cargo test --test storage damage::` damages that many copies, half of a closed
//! folder and half of a killed one. `XIAOER_SEED=N` sets the random seed, `XIAOER_KEEP=1` keeps the copies of failures.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::deadline::Stopwatch;
use crate::support::desk::path;
use crate::support::files::{copy_folder, files};
use crate::support::life::{Disk, World};
use crate::support::served::{Served, argument, run};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

/// Damages, where no other number is asked for.
const DAMAGES: u64 = 120;

/// Every so many, the server is started on the damaged folder too.
const SERVED: u64 = 4;

const PAGE_BYTES: usize = 4096;

/// A folder as it should be, and what is in it.
struct Reference {
    world: World,
    export: String,
    feeds: HashMap<String, Vec<Value>>,
}

fn reference(clean: bool, seed: u64) -> Reference {
    let mut world = World::new(seed, Disk::Plain);
    let busy = ["journal.checkpoint_records=1", "shop.idle=50ms"];
    let served = world.launch(&busy).start();
    world.configure(&served);
    world.load_until(&served, 200);
    let said = served.stop();
    assert!(said.status.success(), "stopped in order: {said:?}");
    let served = world.launch(&[]).start();
    world.load(&served, 150);
    if clean {
        let said = served.stop();
        assert!(said.status.success(), "stopped in order: {said:?}");
    } else {
        served.kill();
    }
    // Opening a folder may write: a copy is opened.
    let copy = world.place().join("reference");
    copy_folder(&world.data, &copy);
    let export = run(&["export", "--data", argument(&copy)]);
    assert!(
        export.status.success() && export.out.lines().count() > 100,
        "{} lines, {:?}, {}",
        export.out.lines().count(),
        export.status,
        export.err
    );
    let verify = run(&["verify", "--data", argument(&copy)]);
    assert!(
        verify.status.success(),
        "a folder without damage: {verify:?}"
    );
    // A server fires what is due, so the feeds that are compared are those of the export alone.
    let decided = run(&["export", "--decisions", "--data", argument(&copy)]);
    let mut feeds: HashMap<String, Vec<Value>> = HashMap::new();
    for line in decided.out.lines() {
        let decision: Value = serde_json::from_str(line).expect("a decision");
        let shop = decision["shop"].as_str().unwrap_or_default().to_owned();
        feeds.entry(shop).or_default().push(decision);
    }
    // Of a shop that was taken away the export has the lives before, too.
    for tenant in &world.tenants {
        feeds.remove(&tenant.shop);
        if let Some(feed) = tenant.feed().filter(|_| !tenant.is_open()) {
            feeds.insert(tenant.shop.clone(), feed.to_vec());
        }
    }
    fs::remove_dir_all(&copy).expect("the copy goes");
    Reference {
        world,
        export: export.out,
        feeds,
    }
}

/// Damages one file, and says what was done.
fn damage(folder: &Path, luck: &mut StdRng) -> String {
    let all: Vec<(PathBuf, u64)> = files(folder)
        .into_iter()
        .map(|file| (fs::metadata(&file).map_or(0, |data| data.len()), file))
        .filter(|(bytes, _)| *bytes > 0)
        .map(|(bytes, file)| (file, bytes))
        .collect();
    // Half of the time each as likely as it is long, half of the time all the same: small files are met too.
    let (file, length) = match luck.random_range(0..2) {
        0 => &all[luck.random_range(0..all.len())],
        _ => {
            let mut at = luck.random_range(0..all.iter().map(|(_, bytes)| bytes).sum::<u64>());
            let hit = all.iter().find(|(_, bytes)| match at.checked_sub(*bytes) {
                None => true,
                Some(rest) => {
                    at = rest;
                    false
                }
            });
            hit.expect("a file that is hit")
        }
    };
    let mut bytes = fs::read(file).expect("its bytes");
    let at = luck.random_range(0..*length) as usize;
    let page =
        |at: usize| at - at % PAGE_BYTES..(at - at % PAGE_BYTES + PAGE_BYTES).min(*length as usize);
    let what = match luck.random_range(0..12) {
        0..5 => {
            let bit = luck.random_range(0..8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at}")
        }
        5..7 => {
            bytes[at] = luck.random();
            format!("byte {at} is {}", bytes[at])
        }
        7..9 => {
            bytes[page(at)].fill(0);
            format!("zeros in {:?}", page(at))
        }
        9 => {
            bytes.truncate(at);
            format!("cut short at {at}")
        }
        10 => {
            let other = page(luck.random_range(0..*length) as usize);
            let from = bytes[other.clone()].to_vec();
            let to = page(at);
            let some = from.len().min(to.len());
            bytes[to.start..to.start + some].copy_from_slice(&from[..some]);
            format!("{to:?} is what {other:?} is")
        }
        _ => {
            let more = luck.random_range(1..2 * PAGE_BYTES);
            bytes.extend((0..more).map(|_| luck.random::<u8>()));
            format!("grown by {more}")
        }
    };
    fs::write(file, bytes).expect("its bytes again");
    let name = file.strip_prefix(folder).expect("a file in it");
    format!("{}: {what}", name.display())
}

/// What became of the damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Refused,
    Harmless,
}

/// Looks at a damaged folder by every door. An error says what was served that should not have been.
fn look(data: &Path, reference: &Reference, serve: bool) -> Result<Outcome, String> {
    let verify = run(&["verify", "--data", argument(data)]);
    if !verify.is_orderly() {
        return Err(format!("verify: {verify:?}"));
    }
    let export = run(&["export", "--data", argument(data)]);
    if !export.is_orderly() {
        return Err(format!("export: {} {}", export.status, export.err));
    }
    if export.status.success() && export.out != reference.export {
        return Err(format!(
            "export differs and says nothing, verify: {}",
            verify.status
        ));
    }
    if serve {
        match reference.world.launch_on(data, &[]).begin().ready() {
            Ok(served) => serves_the_same(&served, reference)?,
            Err(said) if said.is_orderly() => {
                return Ok(Outcome::Refused);
            }
            Err(said) => return Err(format!("serve: {said:?}")),
        }
    }
    match (verify.status.success(), export.status.success()) {
        (true, false) => Err(format!("verify found nothing, export: {}", export.err)),
        (true, true) => Ok(Outcome::Harmless),
        (false, _) => Ok(Outcome::Refused),
    }
}

/// What it serves is what was there; where it cannot, it says so.
fn serves_the_same(served: &Served, reference: &Reference) -> Result<(), String> {
    let mut client = reference.world.client(served);
    for (shop, feed) in &reference.feeds {
        let mut after = 0;
        while after < feed.len() {
            let query = path(shop, &format!("/decisions?after={after}&limit=500"));
            let answer = client
                .get(&query)
                .map_err(|error| format!("{shop}: {error}"))?;
            if answer.status >= 500 {
                break;
            }
            let items = answer.json()["items"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let same = items.iter().zip(&feed[after..]).all(|(is, was)| is == was);
            if answer.status != 200 || items.is_empty() || !same {
                let text: String = answer.text().chars().take(300).collect();
                return Err(format!("{shop} served otherwise: {} {text}", answer.status));
            }
            after += items.len();
        }
    }
    Ok(())
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}

fn damage_is_noticed(clean: bool) {
    let damages = number("XIAOER_DAMAGES", DAMAGES).div_ceil(2);
    let seed = number("XIAOER_SEED", 1).wrapping_mul(1_000_000) + u64::from(clean) * 500_000;
    let reference = reference(clean, seed);
    let (watch, next) = (Stopwatch::start(), AtomicU64::new(0));
    let ends: Mutex<BTreeMap<Outcome, u64>> = Mutex::default();
    let work = |worker: u64| {
        let mut found = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= damages {
                return found;
            }
            let copy = reference.world.place().join(format!("copy-{worker}"));
            copy_folder(&reference.world.data, &copy);
            let mut luck = StdRng::seed_from_u64(seed + number);
            let what = damage(&copy, &mut luck);
            match look(&copy, &reference, number % SERVED == 0) {
                Ok(outcome) => *ends.lock().expect("a lock").entry(outcome).or_default() += 1,
                Err(why) => {
                    let kept = std::env::var_os("XIAOER_KEEP").map(|_| {
                        let kept = reference
                            .world
                            .place()
                            .with_extension(format!("kept-{number}"));
                        let _ = fs::rename(&copy, &kept);
                        format!(", kept in {}", kept.display())
                    });
                    found.push(format!(
                        "damage {number}, {what}: {why}{}",
                        kept.unwrap_or_default()
                    ));
                }
            }
        }
    };
    let found: Vec<String> = std::thread::scope(|scope| {
        let workers = [0, 1].map(|worker| scope.spawn(move || work(worker)));
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a worker"))
            .collect()
    });
    let kind = if clean { "closed" } else { "killed" };
    let ends = ends.into_inner().expect("a lock");
    println!(
        "{kind}: {damages} damages: {ends:?}, {} served or left out in silence; {:.0?}",
        found.len(),
        watch.passed()
    );
    let some: Vec<&str> = found
        .iter()
        .take(20)
        .map(|text| text.get(..900).unwrap_or(text))
        .collect();
    assert!(
        found.is_empty(),
        "{kind}, seed {seed}:\n  {}",
        some.join("\n  ")
    );
    // A folder in which nothing is ever found damaged is not looked at. About one in eight is refused, since the rest hits
    // what is not in use; a share far below that means that the damage is not looked at, and not bad luck.
    let refused = ends.get(&Outcome::Refused).copied().unwrap_or_default();
    assert!(
        refused * 40 > damages,
        "only {refused} of {damages} were refused"
    );
}

#[test]
fn damage_to_a_folder_that_was_closed_is_noticed() {
    damage_is_noticed(true);
}

#[test]
fn damage_to_a_folder_that_was_not_closed_is_noticed() {
    damage_is_noticed(false);
}
