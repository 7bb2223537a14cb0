//! `kill -9` at any instant, under load and while starting: nothing acknowledged is lost, doubled or answered
//! otherwise, what was not acknowledged is whole or absent, and the journal replays to the same decisions.
//!
//! `XIAOER_KILLS=10000 cargo test --test kills` takes the server's life so often; `XIAOER_SEED=N` begins with other
//! luck.

mod support;

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::account::Account;
use support::deadline::{Deadline, Stopwatch};
use support::desk::{self, Crowd};
use support::served::{Launch, SMALL, folder};

/// Lives of the server, where no other number is asked for.
const KILLS: u64 = 200;

/// Clients of each life.
const CLIENTS: u64 = 6;

/// A server lives this long under load before it is killed.
const LIFE_MS: std::ops::Range<u64> = 20..200;

/// A server that is killed while it starts dies this soon.
const BIRTH_MS: std::ops::Range<u64> = 0..60;

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let (kills, seed) = (number("XIAOER_KILLS", KILLS), number("XIAOER_SEED", 9));
    let mut luck = StdRng::seed_from_u64(seed);
    let watch = Stopwatch::start();
    let (place, data) = folder();
    let mut account = Account::default();
    let launch = || Launch::on(&data).set(&SMALL);
    let mut served = launch().start();
    account.write_down(desk::configure(&mut served.client()));
    for life in 0..kills {
        let crowd = Crowd::begin(served.address, &format!("k{life}"), CLIENTS, luck.random());
        let death = Deadline::after(Duration::from_millis(luck.random_range(LIFE_MS)));
        let early = death.poll(|| crowd.is_over().then_some(()));
        assert!(
            early.is_none() && !served.has_ended(),
            "{:?}",
            served.ended()
        );
        served.kill();
        account.write_down(crowd.sent());
        if luck.random_range(0..4) == 0 {
            let birth = Deadline::after(Duration::from_millis(luck.random_range(BIRTH_MS)));
            let starting = launch().begin();
            assert!(birth.poll(|| None::<()>).is_none());
            starting.kill();
        }
        served = launch().start();
        let lost = account.hold(&mut served.client(), false);
        assert!(
            lost.is_empty(),
            "seed {seed}, kill {life}:\n  {}",
            lost.join("\n  ")
        );
    }
    let mut lost = account.hold(&mut served.client(), true);
    lost.extend(account.hold_cap());
    served.kill();
    lost.extend(account.hold_export(&data, place.path()));
    assert!(
        lost.is_empty(),
        "seed {seed}, at the end:\n  {}",
        lost.join("\n  ")
    );
    assert!(
        account.acknowledged as u64 > kills,
        "hardly anything was sent"
    );
    println!(
        "{kills} kills, {} events acknowledged, {} decisions, 0 lost; without an answer {} were whole, {} absent; {:.0?}",
        account.acknowledged,
        account.decisions(),
        account.whole,
        account.absent,
        watch.passed()
    );
}
