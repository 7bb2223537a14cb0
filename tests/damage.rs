//! Damaged files: a bit that turned, a page of zeros, a file cut short. The damage is named, or it does no harm; it is
//! never served as if nothing had been.
//!
//! `XIAOER_FLIPS=100000 cargo test --test damage` damages so many copies.

mod support;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use support::deadline::{Deadline, Stopwatch};
use support::desk::{self, Crowd, SHOPS, path};
use support::files::{copy_folder, files};
use support::http::Client;
use support::served::{Launch, Served, argument, folder, run};

/// Bits turned, of each folder.
const FLIPS: u64 = 500;

/// Every so many, a page of zeros or a file cut short is tried as well.
const ROUGH: u64 = 10;

/// Every so many, the server is started on the damaged folder too.
const SERVED: u64 = 10;

/// Requests that the folder holds.
const REQUESTS: u64 = 250;

const PAGE_BYTES: usize = 4096;

/// A folder as it should be, and what is in it.
struct Reference {
    data: PathBuf,
    export: String,
    feeds: HashMap<&'static str, Vec<Value>>,
}

/// Little room in reserve: damage to it would be no damage.
fn launch(data: &Path) -> Launch {
    Launch::on(data).set(&[
        "journal.ballast_bytes=4096",
        "journal.reserve_bytes=1048576",
    ])
}

fn reference(place: &Path, clean: bool) -> Reference {
    let data = place.join(if clean { "clean" } else { "killed" });
    let served = launch(&data).start();
    desk::configure(&mut served.client());
    let crowd = Crowd::begin(served.address, "d", 3, 11);
    let enough = Deadline::seconds(60).poll(|| (crowd.answered() >= REQUESTS).then_some(()));
    enough.expect("requests in a minute");
    crowd.sent();
    if clean {
        let said = served.stop();
        assert!(said.status.success(), "stopped in order: {said:?}");
    } else {
        served.kill();
    }
    // Looking may write: what is looked at is a copy.
    let copy = place.join("reference");
    copy_folder(&data, &copy);
    let export = run(&["export", "--data", argument(&copy)]);
    assert!(
        export.status.success() && export.out.lines().count() > 100,
        "{export:?}"
    );
    let verify = run(&["verify", "--data", argument(&copy)]);
    assert!(
        verify.status.success(),
        "a folder without damage: {verify:?}"
    );
    // A server fires what is due, so the feeds that are compared are those of the export alone.
    let trace = place.join("reference.jsonl");
    fs::write(&trace, &export.out).expect("a trace");
    let mut feeds: HashMap<&'static str, Vec<Value>> = HashMap::new();
    for line in run(&["replay", argument(&trace)]).out.lines() {
        let decision: Value = serde_json::from_str(line).expect("a decision");
        let shop = SHOPS.into_iter().find(|shop| decision["shop"] == *shop);
        feeds
            .entry(shop.expect("one of the shops"))
            .or_default()
            .push(decision);
    }
    fs::remove_dir_all(&copy).expect("the copy goes");
    Reference {
        data,
        export: export.out,
        feeds,
    }
}

/// Damages one file, each as likely as it is long, and says what was done.
fn damage(folder: &Path, luck: &mut StdRng, rough: bool) -> String {
    let files: Vec<(PathBuf, u64)> = files(folder)
        .into_iter()
        .map(|file| (fs::metadata(&file).map_or(0, |data| data.len()), file))
        .map(|(bytes, file)| (file, bytes))
        .collect();
    let mut at = luck.random_range(0..files.iter().map(|(_, bytes)| bytes).sum::<u64>());
    let hit = files
        .iter()
        .find(|(_, bytes)| match at.checked_sub(*bytes) {
            None => true,
            Some(rest) => {
                at = rest;
                false
            }
        });
    let (file, _) = hit.expect("a file that is hit");
    let mut bytes = fs::read(file).expect("its bytes");
    let at = at as usize;
    let what = match (rough, luck.random_range(0..2)) {
        (false, _) => {
            let bit = luck.random_range(0..8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of byte {at}")
        }
        (true, 0) => {
            let page = at - at % PAGE_BYTES;
            let end = bytes.len().min(page + PAGE_BYTES);
            bytes[page..end].fill(0);
            format!("zeros from {page} to {end}")
        }
        (true, _) => {
            bytes.truncate(at);
            format!("cut short at {at}")
        }
    };
    fs::write(file, bytes).expect("its bytes again");
    let name = file.strip_prefix(folder).expect("a file in it");
    format!("{}: {what}", name.display())
}

/// What became of the damage.
#[derive(Debug, PartialEq, Eq)]
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
        match launch(data).begin().ready() {
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
    let mut client = Client::new(served.address);
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

fn damage_is_noticed(clean: bool, seed: u64) {
    let (place, _) = folder();
    let reference = reference(place.path(), clean);
    let flips = std::env::var("XIAOER_FLIPS").map_or(FLIPS, |text| text.parse().expect("a number"));
    let (watch, next, refused) = (Stopwatch::start(), AtomicU64::new(0), AtomicU64::new(0));
    let work = |worker: u64| {
        let mut found = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= flips + flips / ROUGH {
                return found;
            }
            let copy = place.path().join(format!("copy-{worker}"));
            copy_folder(&reference.data, &copy);
            let mut luck = StdRng::seed_from_u64(seed.wrapping_add(number));
            let what = damage(&copy, &mut luck, number >= flips);
            match look(&copy, &reference, number % SERVED == 0) {
                Ok(Outcome::Refused) => _ = refused.fetch_add(1, Ordering::Relaxed),
                Ok(Outcome::Harmless) => {}
                Err(why) => found.push(format!("{what}: {why}")),
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
    let refused = refused.into_inner();
    assert!(
        found.is_empty(),
        "{} of {flips} were not noticed, {refused} were; some of them:\n  {}",
        found.len(),
        found
            .iter()
            .take(20)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n  ")
    );
    // A folder in which nothing is ever found damaged is not looked at.
    assert!(
        refused * 20 > flips,
        "only {refused} of {flips} were refused"
    );
    let kind = if clean { "closed" } else { "killed" };
    println!(
        "{kind}: {flips} bits turned and {} rougher damages, {refused} refused, none served; {:.0?}",
        flips / ROUGH,
        watch.passed()
    );
}

#[test]
fn damage_to_a_folder_that_was_closed_is_noticed() {
    damage_is_noticed(true, 1);
}

#[test]
fn damage_to_a_folder_that_was_not_closed_is_noticed() {
    damage_is_noticed(false, 1_000_000);
}
