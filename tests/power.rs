//! Power cuts: the server writes to an ext4 image, is frozen at a random instant, and what had reached the image by
//! then is all that there is. Everything acknowledged has to be in it.
//!
//! A kill cannot show this: what a process wrote outlives the process in the kernel's memory. The negative control is
//! the server without its sync, which must lose something, or the cuts are none.
//!
//! `XIAOER_CUTS=1000 cargo test --test power` cuts so often. Needs root, `mkfs.ext4` and loop devices.

mod support;

use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::account::{Account, Lost};
use support::deadline::{Deadline, Stopwatch};
use support::desk::{self, Crowd};
use support::privilege::{Mounted, cannot_run, make_image};
use support::served::{Launch, SMALL, folder};

/// Cuts, where no other number is asked for.
const CUTS: u64 = 20;

/// Cuts of the negative control, and how many of them must lose something.
const CONTROL: (u64, usize) = (5, 3);

const CLIENTS: u64 = 6;
const IMAGE_BYTES: u64 = 96 * 1024 * 1024;

/// The power goes this long after the load began.
const LIFE_MS: Range<u64> = 50..700;

/// In the control it has grown its file by then: what is lost first without a sync is how long a file is.
const CONTROL_MS: Range<u64> = 400..900;

/// What one cut showed.
struct Cut {
    acknowledged: usize,
    lost: Lost,
}

fn can_mount() -> Result<(), String> {
    let (place, _) = folder();
    let image = place.path().join("try.img");
    make_image(&image, 8 * 1024 * 1024)?;
    Mounted::image(&place.path().join("try"), &image).map(drop)
}

fn cut(luck: &mut StdRng, life_ms: Range<u64>, settings: &[&str]) -> Cut {
    let (place, _) = folder();
    let [image, copy] = ["disk.img", "copy.img"].map(|name| place.path().join(name));
    make_image(&image, IMAGE_BYTES).expect("an image");
    let disk = Mounted::image(&place.path().join("disk"), &image).expect("a mount");
    let launch = |at: &Path| Launch::on(&at.join("data")).set(&SMALL);
    // The folder is made with its sync: what the control loses, it loses of the journal.
    let served = launch(&disk.at).start();
    let configured = desk::configure(&mut served.client());
    let said = served.stop();
    assert!(said.status.success(), "{said:?}");
    let served = launch(&disk.at).set(settings).start();
    let crowd = Crowd::begin(served.address, "p", CLIENTS, luck.random());
    let death = Deadline::after(Duration::from_millis(luck.random_range(life_ms)));
    assert!(death.poll(|| crowd.is_over().then_some(())).is_none());
    served.freeze();
    copy_as_it_is(&image, &copy);
    served.kill();
    let mut account = Account::default();
    account.write_down(configured);
    account.write_down(crowd.sent());
    let disk = Mounted::image(&place.path().join("after"), &copy).expect("a mount of the copy");
    // Without its sync a folder may have lost so much that it is no folder any more.
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
    Cut {
        acknowledged: account.acknowledged,
        lost,
    }
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
fn nothing_acknowledged_is_lost_by_a_power_cut() {
    if let Err(why) = can_mount() {
        return cannot_run("the power cut test", &why);
    }
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let cuts = number("XIAOER_CUTS").unwrap_or(CUTS);
    let seed = number("XIAOER_SEED").unwrap_or(5);
    let mut luck = StdRng::seed_from_u64(seed);
    let (watch, mut acknowledged) = (Stopwatch::start(), 0);
    for number in 0..cuts {
        let cut = cut(&mut luck, LIFE_MS, &[]);
        assert!(
            cut.lost.is_empty(),
            "seed {seed}, cut {number}, {} acknowledged:\n  {}",
            cut.acknowledged,
            cut.lost.join("\n  ")
        );
        acknowledged += cut.acknowledged;
    }
    assert!(
        acknowledged as u64 > cuts * 10,
        "hardly anything was sent: {acknowledged}"
    );
    println!(
        "{cuts} cuts, {acknowledged} events acknowledged, 0 lost; {:.0?}",
        watch.passed()
    );
}

#[test]
fn without_its_sync_the_server_does_lose_what_it_acknowledged() {
    if let Err(why) = can_mount() {
        return cannot_run("the negative control of the power cut test", &why);
    }
    let mut luck = StdRng::seed_from_u64(7);
    let (cuts, must) = CONTROL;
    let losses: Vec<usize> = (0..cuts)
        .map(|_| {
            cut(&mut luck, CONTROL_MS, &["journal.sync=false"])
                .lost
                .len()
        })
        .collect();
    let lossy = losses.iter().filter(|lost| **lost > 0).count();
    assert!(
        lossy >= must,
        "cuts without a sync lost something in {lossy} of {cuts}: they are no cuts"
    );
    println!("without the sync {lossy} of {cuts} cuts lost something, in findings: {losses:?}");
}
