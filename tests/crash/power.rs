//! Power cuts. All changes that the server makes to its disk are recorded (tests/shim/record.c). The folder is then
//! built as a power cut at any time leaves it: unsynced data is gone, or partly there and torn. A server starts on that
//! folder, which must contain everything that was acknowledged by then.
//!
//! A kill cannot show this, because the kernel keeps what a dead process wrote. The test does not depend on a real
//! disk: the control without syncs loses data by construction.
//!
//! `XIAOER_CUTS=200 cargo test --test crash power::` sets the number of cuts, `XIAOER_SEED=N` sets the random seed,
//! `XIAOER_PHASE=stop` limits the cuts to one phase, and `XIAOER_KEEP=1` keeps the folders of failures. Needs a C
//! compiler. If file systems can be mounted, the power of a real ext4 is cut too.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::account::{Account, Lost};
use crate::support::deadline::{Deadline, Stopwatch};
use crate::support::desk::{self, Crowd};
use crate::support::files::has_begun;
use crate::support::life::{Before, Disk, KEYED, World};
use crate::support::privilege::{Mounted, cannot_run, make_image};
use crate::support::recording::{Recorder, Recording, Unsynced};
use crate::support::served::{Launch, SMALL, Said, Served, argument, folder, run_to_end};
use crate::support::tenant::Tenant;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Cuts, where no other number is asked for.
const CUTS: u64 = 24;

/// Cuts of one recorded life.
const CUTS_EACH: u64 = 25;

/// Cuts of the negative control: each must lose something.
const CONTROL: u64 = 20;

/// How long a sync takes, in microseconds: long enough that much else happens meanwhile.
const SYNC_US: u64 = 1500;

/// How a cut ended.
#[derive(Debug)]
enum End {
    /// The server serves, and has everything.
    Survived,
    /// What it does not have, or that it does not start.
    Lost(Lost),
    /// It cannot be said what had been acknowledged by then.
    NotMeasured(String),
    /// The folder could not be built as it would have been.
    Broken(String),
}

/// A life that was written down, and what can be cut of it.
struct Life {
    world: World,
    recorder: Recorder,
    recording: Recording,
    /// Each phase: from where to where the log reaches.
    phases: Vec<(&'static str, u64, u64)>,
    /// By when the admin's key was shown.
    admin: u64,
    /// Keys that were shown by then, and one that was taken back by then.
    shown: Vec<(String, u64)>,
    revoked: (String, u64),
    /// What there was before the backup, by when it was called whole, and by when it was restored.
    before: Before,
    whole: u64,
    restored: u64,
}

/// What writes a life down, as it goes on.
struct Phases<'a> {
    recorder: &'a Recorder,
    all: Vec<(&'static str, u64, u64)>,
}

impl Phases<'_> {
    /// The phase that ends now.
    fn over(&mut self, name: &'static str) -> u64 {
        let from = self.all.last().map_or(0, |(_, _, to)| *to);
        self.all.push((name, from, self.recorder.now()));
        self.recorder.now()
    }
}

fn good(said: &Said) {
    assert!(said.status.success(), "{said:?}");
}

fn key_of(said: &Said) -> String {
    good(said);
    said.out.trim().to_owned()
}

/// A server's life from its first start on, with a backup and a restore.
fn life(seed: u64) -> Result<Life, String> {
    let mut world = World::new(seed, Disk::Recorded(SYNC_US));
    let recorder = world.recorder.clone().ok_or("a shim cannot be built")?;
    let mut phases = Phases {
        recorder: &recorder,
        all: Vec::new(),
    };
    let admin = phases.over("first-key");
    let served = world.launch(&[]).start();
    world.configure(&served);
    phases.over("first-start");
    world.load(&served, 300);
    phases.over("load");
    good(&served.stop());
    phases.over("stop");
    let busy = ["journal.checkpoint_records=1", "shop.idle=50ms"];
    let served = world.launch(&busy).start();
    phases.over("start");
    world.load(&served, 150);
    // Nobody works: the upkeep takes a checkpoint within a second.
    Deadline::after(Duration::from_millis(1300)).poll(|| None::<()>);
    phases.over("checkpoint");
    let new = ["key", "new", "--scope", "owner", "--shop", KEYED];
    let mut shown = Vec::new();
    for _ in 0..2 {
        let key = key_of(&world.run(&new));
        shown.push((key, phases.over("key")));
    }
    let (gone, _) = shown.swap_remove(0);
    good(&world.run(&["key", "revoke", &gone[4..12]]));
    let revoked = (gone, phases.over("key"));
    let before = Before::of(&world);
    let at_work = world.begin(&served);
    let file = world.disk().join("backup");
    good(&world.run(&["backup", "--to", argument(&file)]));
    let whole = recorder.now();
    world.end(at_work);
    phases.over("backup");
    let data = world.disk().join("restored");
    let arguments = [
        "restore",
        "--from",
        argument(&file),
        "--data",
        argument(&data),
    ];
    good(&run_to_end(world.command(&arguments)));
    let restored = phases.over("restore");
    world.load(&served, 50);
    good(&served.stop());
    phases.over("last-stop");
    let phases = phases.all;
    let recording = recorder.recording()?;
    recording.hold(&recorder.root, &world.place().join("whole"))?;
    Ok(Life {
        world,
        recorder,
        recording,
        phases,
        admin,
        shown,
        revoked,
        before,
        whole,
        restored,
    })
}

/// What had been acknowledged of a life by a place in its log.
struct Heard {
    account: Account,
    tenants: Vec<Tenant>,
}

impl Heard {
    fn by(world: &World, recording: &Recording, place: u64) -> Result<Heard, String> {
        let mut account = Account::default();
        for sent in &world.sent {
            for sent in sent {
                let ended = sent
                    .ended
                    .ok_or("an undisturbed server that did not answer")?;
                let said = recording.said(ended);
                let said = said.ok_or("an answer that nobody sent")?;
                let mut sent = sent.clone();
                let heard = said <= place;
                if !heard {
                    (sent.results, sent.ended) = (None, None);
                }
                account.write_down(vec![sent]);
                // What came after it had not been sent.
                if !heard {
                    break;
                }
            }
        }
        let said = |ended| recording.said(ended);
        let tenants = world
            .tenants
            .iter()
            .map(|tenant| tenant.cut(said, place))
            .collect();
        Ok(Heard { account, tenants })
    }

    fn acknowledged(&self) -> usize {
        let tenants = self.tenants.iter().map(|tenant| tenant.acknowledged);
        self.account.acknowledged + tenants.sum::<usize>()
    }
}

/// A folder after a cut, and who serves it.
struct After {
    place: PathBuf,
    recorder: Recorder,
}

impl After {
    fn launch(&self, name: &str) -> Launch {
        let launch = Launch::with_keys(&self.place.join(name)).set(&SMALL);
        let launch = launch.set(&["webhook.private_addresses=true", "webhook.timeout=1s"]);
        launch.recorded(&self.recorder)
    }

    fn start(&self, name: &str) -> Result<Served, Lost> {
        let started = self.launch(name).begin().ready();
        started.map_err(|said| vec![format!("{name} does not start: {said:?}")])
    }
}

impl Life {
    /// Cuts the power at a place.
    fn cut(&self, place: u64, unsynced: Unsynced, twice: bool) -> (usize, End) {
        let mut heard = match Heard::by(&self.world, &self.recording, place) {
            Ok(heard) => heard,
            Err(why) => return (0, End::NotMeasured(why)),
        };
        let root = self.world.place().join("after");
        let _ = fs::remove_dir_all(&root);
        if let Err(error) = self.recording.build(&root, place, unsynced) {
            return (0, End::Broken(error.to_string()));
        }
        let after = After {
            recorder: self.recorder.elsewhere(&root),
            place: root,
        };
        let acknowledged = heard.acknowledged();
        let lost = self.hold(&after, &mut heard, place, twice);
        let lost = lost.and_then(|()| self.hold_backup(&after, place));
        match lost {
            Ok(()) => (acknowledged, End::Survived),
            Err(lost) => (acknowledged, End::Lost(lost)),
        }
    }

    fn hold(&self, after: &After, heard: &mut Heard, place: u64, twice: bool) -> Result<(), Lost> {
        for life in 0..1 + u32::from(twice) {
            let served = after.start("data")?;
            let mut client = served.client().with_key(&self.world.admin);
            if client
                .get("/v1/shops")
                .is_ok_and(|answer| answer.status == 401)
            {
                if self.admin <= place {
                    return Err(vec![
                        "the admin's key was shown and opens nothing".to_owned(),
                    ]);
                }
                // Nothing was acknowledged yet; a first start serves, and shows a key.
                return Ok(());
            }
            let mut lost = heard.account.hold_or_fail(&mut client);
            for tenant in &mut heard.tenants {
                lost.extend(tenant.hold(&mut client, None));
            }
            let shown = self.shown.iter().filter(|(_, by)| *by <= place);
            let shut = shown.filter(|(key, _)| !self.world.opens(&client, key));
            lost.extend(
                shut.map(|(key, _)| format!("key {}… was shown and opens nothing", &key[..12])),
            );
            if self.revoked.1 <= place && self.world.opens(&client, &self.revoked.0) {
                lost.push("a key that was taken back opens its shop".to_owned());
            }
            if !lost.is_empty() {
                lost.push(format!("in life {life}"));
                return Err(lost);
            }
            let said = served.stop();
            if !said.status.success() {
                return Err(vec![format!("it does not stop in order: {said:?}")]);
            }
        }
        Ok(())
    }

    /// The backup that was called whole, and what was restored from it.
    fn hold_backup(&self, after: &After, place: u64) -> Result<(), Lost> {
        let data = after.place.join("restored");
        let keys = || fs::copy(self.world.data.join("keys.json"), data.join("keys.json"));
        if has_begun(&data) {
            keys().expect("the keys");
            match after.launch("restored").begin().ready() {
                Ok(served) => return self.hold_restored(&served),
                Err(said)
                    if self.restored > place
                        && said.is_orderly()
                        && said.err.contains("restore") => {}
                Err(said) => {
                    return Err(vec![format!("what was restored does not start: {said:?}")]);
                }
            }
        }
        if self.whole > place {
            return Ok(());
        }
        let file = after.place.join("backup");
        let restore = [
            "restore",
            "--from",
            argument(&file),
            "--data",
            argument(&data),
        ];
        let said = run_to_end(self.world.command(&restore));
        if !said.status.success() {
            return Err(vec![format!("a backup that was called whole: {said:?}")]);
        }
        keys().expect("the keys");
        self.hold_restored(&after.start("restored")?)
    }

    fn hold_restored(&self, served: &Served) -> Result<(), Lost> {
        let lost = self.before.hold(&self.world, served);
        if lost.is_empty() { Ok(()) } else { Err(lost) }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}

/// How the cuts of a phase ended: survived, lost, not measured, harness broken.
#[derive(Default)]
struct Tally([u64; 4]);

#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut() {
    let (cuts, seed) = (number("XIAOER_CUTS", CUTS), number("XIAOER_SEED", 5));
    let wanted = std::env::var("XIAOER_PHASE").ok();
    let watch = Stopwatch::start();
    let (mut tallies, mut found) = (BTreeMap::<&str, Tally>::new(), Vec::new());
    let (mut acknowledged, mut recorded) = (0, None);
    for number in 0..cuts {
        if number % CUTS_EACH == 0 {
            recorded = match life(seed + number / CUTS_EACH) {
                Ok(life) => Some(life),
                Err(why) if number == 0 => return cannot_run("the power cut test", &why),
                Err(why) => panic!("harness broken: {why}"),
            };
        }
        let life = recorded.as_mut().expect("a life");
        let mut luck = StdRng::seed_from_u64(seed.wrapping_mul(1_000_000) + number);
        let phases: Vec<_> = life
            .phases
            .iter()
            .filter(|(name, ..)| wanted.as_deref().is_none_or(|wanted| wanted == *name))
            .collect();
        let (phase, from, to) = *phases[number as usize % phases.len()];
        let places = life.recording.places(from, to);
        let place = places[luck.random_range(0..places.len())];
        // By turns nothing of what was not synced is there, and some of it.
        let unsynced = match number / phases.len() as u64 % 2 {
            0 => Unsynced::Gone,
            _ => Unsynced::Torn(luck.random()),
        };
        let (heard, end) = life.cut(place, unsynced, luck.random_range(0..3) == 0);
        acknowledged += heard;
        let at = match &end {
            End::Survived => 0,
            End::Lost(_) => 1,
            End::NotMeasured(_) => 2,
            End::Broken(_) => 3,
        };
        tallies.entry(phase).or_default().0[at] += 1;
        if at > 0 {
            let kept = life.world.keep();
            found.push(format!("cut {number} of seed {seed}, {phase}, place {place}, {unsynced:?}, {heard} acknowledged: {}",
                say(&end)));
            if kept.is_some() {
                panic!("{}\n{kept:?}", found.join("\n"));
            }
        }
    }
    let mut all = Tally::default();
    for (phase, tally) in &tallies {
        let [survived, lost, unmeasured, broken] = tally.0;
        println!(
            "{phase}: {survived} survived, {lost} lost, {unmeasured} not measured, {broken} harness broken"
        );
        all.0
            .iter_mut()
            .zip(tally.0)
            .for_each(|(all, one)| *all += one);
    }
    let [survived, lost, unmeasured, broken] = all.0;
    println!(
        "{cuts} power cuts: {survived} survived, {lost} lost, {unmeasured} not measured, {broken} harness broken; \
         {acknowledged} answers were acknowledged before them; {:.0?}",
        watch.passed()
    );
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(
        acknowledged as u64 > cuts * 10,
        "hardly anything was acknowledged"
    );
}

fn say(end: &End) -> String {
    match end {
        End::Survived => String::new(),
        End::Lost(lost) => {
            let some: Vec<&str> = lost
                .iter()
                .take(6)
                .map(|text| text.get(..900).unwrap_or(text))
                .collect();
            format!("lost:\n    {}", some.join("\n    "))
        }
        End::NotMeasured(why) => format!("not measured: {why}"),
        End::Broken(why) => format!("harness broken: {why}"),
    }
}

/// The server without its sync, under load: nothing that it writes is ever made durable, so each cut after an answer
/// takes that answer back.
#[test]
fn without_its_sync_every_cut_loses_what_was_acknowledged() {
    let mut world = World::new(7, Disk::Recorded(SYNC_US));
    let Some(recorder) = world.recorder.clone() else {
        return cannot_run(
            "the negative control of the power cut test",
            "a shim cannot be built",
        );
    };
    let served = world.launch(&[]).start();
    world.configure(&served);
    good(&served.stop());
    let (begun, known) = (recorder.now(), world.sent.len());
    let served = world.launch(&["journal.sync=false"]).start();
    world.load(&served, 500);
    served.kill();
    let recording = recorder.recording().expect("a log");
    let answers = world.sent[known..]
        .iter()
        .flatten()
        .filter_map(|sent| sent.ended);
    let mut said: Vec<u64> = answers.filter_map(|ended| recording.said(ended)).collect();
    said.sort_unstable();
    assert!(
        said.len() as u64 > CONTROL && said[0] > begun,
        "hardly anything was sent: {}",
        said.len()
    );
    let mut ends = Vec::new();
    for cut in 0..CONTROL {
        let place = said[(said.len() as u64 * cut / CONTROL) as usize];
        let mut heard = Heard::by(&world, &recording, place).expect("what was heard");
        let root = world.place().join("after");
        let _ = fs::remove_dir_all(&root);
        recording
            .build(&root, place, Unsynced::Gone)
            .expect("a folder");
        let after = After {
            recorder: recorder.elsewhere(&root),
            place: root,
        };
        ends.push(match after.start("data") {
            Ok(served) => {
                let mut client = served.client().with_key(&world.admin);
                heard.account.hold_or_fail(&mut client)
            }
            Err(lost) => lost,
        });
    }
    let lossy = ends.iter().filter(|lost| !lost.is_empty()).count() as u64;
    println!("without the sync {lossy} of {CONTROL} cuts lost something");
    assert_eq!(
        lossy, CONTROL,
        "cuts that lose nothing are no cuts: {ends:?}"
    );
}

/// Cuts of a real ext4, where no other number is asked for; of those that are, one in ten is.
const MOUNTED_CUTS: u64 = 3;

const CLIENTS: u64 = 6;
const IMAGE_BYTES: u64 = 96 * 1024 * 1024;

/// The power goes this long after the load began.
const LIFE_MS: Range<u64> = 50..700;

fn can_mount() -> Result<(), String> {
    let (place, _) = folder();
    let image = place.path().join("try.img");
    make_image(&image, 8 * 1024 * 1024)?;
    Mounted::image(&place.path().join("try"), &image).map(drop)
}

/// A server on an ext4 image is frozen, and what had reached the image by then is all that there is.
fn cut_mounted(luck: &mut StdRng) -> (usize, Lost) {
    let (place, _) = folder();
    let [image, copy] = ["disk.img", "copy.img"].map(|name| place.path().join(name));
    make_image(&image, IMAGE_BYTES).expect("an image");
    let disk = Mounted::image(&place.path().join("disk"), &image).expect("a mount");
    let launch = |at: &Path| Launch::on(&at.join("data")).set(&SMALL);
    let served = launch(&disk.at).start();
    let configured = desk::configure(&mut served.client());
    let crowd = Crowd::begin(served.address, "p", CLIENTS, luck.random());
    let death = Deadline::after(Duration::from_millis(luck.random_range(LIFE_MS)));
    assert!(death.poll(|| crowd.is_over().then_some(())).is_none());
    served.freeze();
    copy_as_it_is(&image, &copy);
    served.kill();
    let mut account = Account::default();
    account.write_down(configured);
    account.write_down(crowd.sent());
    let disk = Mounted::image(&place.path().join("after"), &copy).expect("a mount of the copy");
    let mut lost = match launch(&disk.at).begin().ready() {
        Ok(served) => {
            let lost = account.hold_or_fail(&mut served.client());
            served.kill();
            lost
        }
        Err(said) => vec![format!("the server did not start: {said:?}")],
    };
    if lost.is_empty() {
        lost = account.hold_export(&disk.at.join("data"), place.path());
    }
    (account.acknowledged, lost)
}

/// Holes stay holes, so that a copy is quick.
fn copy_as_it_is(from: &Path, to: &Path) {
    let copied = Command::new("cp")
        .arg("--sparse=always")
        .args([from, to])
        .status();
    assert!(copied.expect("cp").success());
}

#[test]
fn nothing_acknowledged_is_lost_by_a_power_cut_of_a_real_file_system() {
    if let Err(why) = can_mount() {
        return cannot_run("the power cut of a real file system", &why);
    }
    let cuts = number("XIAOER_CUTS", MOUNTED_CUTS * 10).div_ceil(10);
    let seed = number("XIAOER_SEED", 5);
    let mut luck = StdRng::seed_from_u64(seed);
    let mut acknowledged = 0;
    for number in 0..cuts {
        let (heard, lost) = cut_mounted(&mut luck);
        assert!(
            lost.is_empty(),
            "seed {seed}, cut {number}, {heard} acknowledged:\n  {}",
            lost.join("\n  ")
        );
        acknowledged += heard;
    }
    println!("{cuts} cuts of an ext4, {acknowledged} events acknowledged, 0 lost");
}
