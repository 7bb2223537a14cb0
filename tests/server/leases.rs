//! Presence leases: they expire by the clock, renewals write nothing, and no lease is lost in a restart, during
//! passivation or by a panic.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::support::world::{SetClock, Shops, decisions};
use serde_json::{Value, json};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::{Duration as Length, Instant};
use xiaoer::domain::protocol::codes::Presence;
use xiaoer::domain::protocol::codes::PresenceReason;
use xiaoer::journal::{Journal, JournalError, Record};
use xiaoer::runtime::{PresenceRequest, PresenceResult};

const LONG: Duration = Duration::from_secs(600);

/// A few looks of the desk at the clock.
const LOOKS: Duration = Duration::from_millis(500);

/// A shop `s` whose desk looks at the clock, in a folder that outlives it.
struct Leased {
    shops: Shops,
    looking: actix_rt::task::JoinHandle<Result<(), JournalError>>,
}

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

/// So many seconds after ten o'clock.
fn at(seconds: i64) -> Instant {
    let ten = Instant::parse("2026-11-11T10:00:00+08:00").expect("an instant");
    ten + Length::from_ms(seconds * 1000)
}

fn clock() -> Arc<SetClock> {
    SetClock::at("2026-11-11T10:00:00+08:00")
}

impl Leased {
    fn open(folder: &Path, clock: &Arc<SetClock>, idle: Duration) -> Leased {
        Leased::over(Shops::open(folder, clock, idle))
    }

    fn over(shops: Shops) -> Leased {
        let looking = actix_rt::spawn(xiaoer::runtime::wake_passivated_shops(shops.desk.clone()));
        Leased { shops, looking }
    }

    /// A new shop with Anna and Bo, nobody there.
    async fn made(folder: &Path, clock: &Arc<SetClock>, idle: Duration, policy: Value) -> Leased {
        let leased = Leased::open(folder, clock, idle);
        leased
            .post(&[
                json!({"type":"shop.configured","policy":policy}),
                json!({"type":"agent.configured","agent":"anna"}),
                json!({"type":"agent.configured","agent":"bo"}),
            ])
            .await;
        leased
    }

    async fn post(&self, events: &[Value]) -> Vec<Value> {
        let texts: Vec<String> = events.iter().map(Value::to_string).collect();
        let answered = self.shops.post("s", &texts).await.expect("an answer");
        answered.iter().flat_map(decisions).collect()
    }

    async fn present(
        &self,
        agent: &str,
        presence: Presence,
        lease_s: Option<i64>,
    ) -> PresenceResult {
        self.ask(agent, presence, lease_s, false).await
    }

    async fn ask(
        &self,
        agent: &str,
        presence: Presence,
        lease_s: Option<i64>,
        back: bool,
    ) -> PresenceResult {
        let request = PresenceRequest {
            presence,
            lease: lease_s.map(|seconds| Length::from_ms(seconds * 1000)),
            back,
        };
        let (shop, agent) = (id("s"), id(agent));
        let presented = self.shops.desk.set_presence(&shop, &agent, request);
        let presented = presented.await.expect("an answer");
        assert_eq!(presented.answered.rejected, None);
        presented
    }

    async fn close(self) {
        self.shops.close().await;
        self.looking.await.expect("a task").expect("a sound folder");
    }

    /// The shop's latest record.
    fn latest(&self) -> Option<Record> {
        let slice = self.shops.journal.read(&id("s"), u64::MAX, 1);
        slice
            .expect("a sound folder")
            .expect("a shop")
            .records
            .pop()
    }

    /// How many events there were.
    fn n(&self) -> u64 {
        self.latest().map_or(0, |record| record.n)
    }

    /// The latest event, once there are so many.
    async fn event(&self, n: u64) -> Value {
        for _ in 0..6000 {
            if let Some(record) = self.latest().filter(|record| record.n >= n) {
                assert_eq!(record.n, n);
                return serde_json::from_str(&record.text).expect("JSON");
            }
            actix_rt::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("there are {} events, not {n}", self.n());
    }

    /// There are so many events, and after a few looks at the clock there still are.
    async fn stays_at(&self, n: u64) {
        actix_rt::time::sleep(LOOKS).await;
        assert_eq!(self.n(), n, "{:?}", self.latest());
    }

    /// What the latest event decided.
    fn decided(&self) -> Vec<Value> {
        let record = self.latest().expect("a record");
        serde_json::from_str(&record.decisions).expect("JSON")
    }
}

/// Whether it comes to be so, however busy the machine is.
async fn in_time(so: impl Fn() -> bool) -> bool {
    for _ in 0..6000 {
        if so() {
            return true;
        }
        actix_rt::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

fn offline(agent: &str) -> Value {
    json!({"type":"agent.offline","agent":agent})
}

fn opened(session: &str) -> Value {
    json!({"type":"session.opened","session":session,"buyer":session})
}

#[actix_rt::test]
async fn what_runs_out_takes_the_agent_offline_and_the_policy_says_what_becomes_of_its_sessions() {
    for (mode, expected) in [
        ("keep", vec![]),
        (
            "close",
            vec![
                json!({"type":"session.closed","agent":"anna","reason":"agent_offline"}),
                json!({"type":"invite.blocked","agent":"anna"}),
            ],
        ),
        (
            "reroute",
            vec![json!({"type":"session.assigned","agent":"bo","reason":"agent_offline"})],
        ),
    ] {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
        let policy = json!({"session":{"on_agent_offline":mode},"invite":{"auto":false}});
        let leased = Leased::made(folder.path(), &clock, LONG, policy).await;
        let presented = leased.present("anna", Presence::Online, Some(30)).await;
        let lease = presented.lease.expect("a lease");
        assert_eq!(
            (lease.length, lease.until.to_string()),
            (
                Length::from_ms(30_000),
                "2026-11-11T10:00:30+08:00".to_owned()
            )
        );
        assert_eq!(leased.post(&[opened("s1")]).await[0]["agent"], "anna");
        leased.present("bo", Presence::Online, None).await;
        clock.set(Instant::from_ms(at(40).ms() - 1));
        leased.stays_at(6).await;
        clock.set(at(40));
        assert_eq!(leased.event(7).await, offline("anna"), "{mode}");
        let decided = leased.decided();
        assert_eq!(decided.len(), expected.len(), "{mode}: {decided:?}");
        for (decision, expected) in decided.iter().zip(&expected) {
            for (name, value) in expected.as_object().expect("an object") {
                assert_eq!(&decision[name], value, "{mode}");
            }
            assert_eq!(decision["at"], "2026-11-11T10:00:40+08:00");
        }
        // It is over: nothing more comes of it, and Bo, who has none, stays.
        clock.set(at(90));
        leased.stays_at(7).await;
        leased.close().await;
        xiaoer::journal::verify(
            &crate::support::world::settings(folder.path()),
            &mut xiaoer::journal::NoInspector,
        )
        .expect("a sound folder");
    }
}

#[actix_rt::test]
async fn a_renewal_in_time_writes_nothing_and_a_late_one_brings_the_agent_back() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
    let leased = Leased::made(folder.path(), &clock, LONG, json!({})).await;
    leased.present("anna", Presence::Online, Some(30)).await;
    assert_eq!(leased.n(), 4);
    for n in 1..=3 {
        clock.set(at(n * 25));
        let renewed = leased.present("anna", Presence::Online, Some(30)).await;
        assert_eq!(renewed.answered.decisions, "[]");
        let until = renewed.lease.expect("a lease").until;
        assert_eq!(until.instant, at(n * 25 + 30));
        leased.stays_at(4).await;
    }
    // Another length is kept, and is no event either; it counts from now on.
    leased.present("anna", Presence::Online, Some(60)).await;
    clock.set(at(75 + 60 + 9));
    leased.stays_at(4).await;
    // One that comes as the lease ends, before anybody has looked, is in time.
    clock.set(at(75 + 60 + 10));
    leased.present("anna", Presence::Online, Some(60)).await;
    leased.stays_at(4).await;
    // Somewhere else is an event, and the lease goes on.
    leased.present("anna", Presence::Away, Some(60)).await;
    assert_eq!(leased.event(5).await["type"], "agent.away");
    clock.set(at(145 + 70));
    assert_eq!(leased.event(6).await, offline("anna"));
    let back = leased.present("anna", Presence::Online, Some(30)).await;
    assert!(back.lease.is_some());
    assert_eq!(
        leased.event(7).await,
        json!({"type":"agent.online","agent":"anna"})
    );
    clock.set(at(215 + 40));
    assert_eq!(leased.event(8).await, offline("anna"));
    leased.close().await;
}

#[actix_rt::test]
async fn a_restart_renews_every_lease_once() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
    let leased = Leased::made(folder.path(), &clock, LONG, json!({})).await;
    leased.present("anna", Presence::Online, Some(60)).await;
    leased.present("anna", Presence::Online, Some(30)).await;
    leased.present("bo", Presence::Online, Some(30)).await;
    leased.present("bo", Presence::Online, None).await;
    leased.close().await;
    // Nobody could renew while the server was away.
    clock.set(at(3600));
    let leased = Leased::open(folder.path(), &clock, LONG);
    leased.stays_at(6).await;
    clock.set(at(3600 + 39));
    leased.stays_at(6).await;
    clock.set(at(3600 + 40));
    assert_eq!(leased.event(7).await, offline("anna"));
    leased.close().await;
    // It is over for the next start too, and so is Bo's.
    leased_again(folder.path(), &clock).await;
}

async fn leased_again(folder: &Path, clock: &Arc<SetClock>) {
    let leased = Leased::open(folder, clock, LONG);
    leased
        .post(&[json!({"type":"agent.online","agent":"anna"})])
        .await;
    clock.set(at(9000));
    leased.stays_at(8).await;
    leased.close().await;
}

#[actix_rt::test]
async fn a_sleeping_shop_is_woken() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
    let leased = Leased::made(folder.path(), &clock, Duration::ZERO, json!({})).await;
    leased.present("anna", Presence::Online, Some(30)).await;
    leased.shops.desk.passivate_all().await;
    let alive = || {
        leased
            .shops
            .seen
            .alive
            .load(std::sync::atomic::Ordering::SeqCst)
    };
    assert!(in_time(|| alive() == 0).await, "it sleeps");
    clock.set(at(40));
    assert_eq!(leased.event(5).await, offline("anna"));
    assert!(in_time(|| alive() == 0).await, "it sleeps again");
    leased.close().await;
}

/// What ends a lease: afterwards nobody takes the agent offline, by now or after a restart.
#[actix_rt::test]
async fn the_sellers_hand_and_removals_end_a_lease() {
    for case in ["by hand", "removed", "shop taken away", "already offline"] {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
        let leased = Leased::made(folder.path(), &clock, LONG, json!({})).await;
        leased.present("anna", Presence::Online, Some(30)).await;
        let n = match case {
            "by hand" => {
                let presented = leased.present("anna", Presence::Online, None).await;
                assert_eq!(presented.lease, None);
                5
            }
            "removed" => {
                let events = [
                    json!({"type":"agent.removed","agent":"anna"}),
                    json!({"type":"agent.configured","agent":"anna"}),
                    json!({"type":"agent.online","agent":"anna"}),
                ];
                assert!(leased.post(&events).await.is_empty());
                7
            }
            "shop taken away" => {
                assert!(leased.shops.desk.delete(&id("s")).await.expect("an answer"));
                let events = [
                    json!({"type":"shop.configured","policy":{}}),
                    json!({"type":"agent.configured","agent":"anna"}),
                    json!({"type":"agent.online","agent":"anna"}),
                ];
                leased.post(&events).await;
                3
            }
            _ => {
                leased.post(&[offline("anna")]).await;
                clock.set(at(41));
                leased.stays_at(5).await;
                // By then the lease is over, so coming back by hand is for good.
                leased
                    .post(&[json!({"type":"agent.online","agent":"anna"})])
                    .await;
                6
            }
        };
        clock.set(at(100));
        leased.stays_at(n).await;
        leased.close().await;
        let leased = Leased::open(folder.path(), &clock, LONG);
        actix_rt::time::sleep(LOOKS).await;
        clock.set(at(1000));
        leased.stays_at(n).await;
        assert_eq!(leased.n(), n, "{case}");
        leased.close().await;
    }
}

/// Two agents and a policy under which one missed answer sets an agent away. Anna has a lease and misses it.
async fn held(folder: &Path, clock: &Arc<SetClock>) -> Leased {
    let take_back = json!({"after": "60s", "away_after": 1});
    // Once Bo has answered, nothing more is due.
    let session = json!({"close_after_buyer_silence": "0s"});
    let policy = json!({"routing": {"take_back": take_back}, "session": session});
    let leased = Leased::made(folder, clock, LONG, policy).await;
    leased.present("anna", Presence::Online, Some(600)).await;
    leased.post(&[opened("s1")]).await;
    leased.present("bo", Presence::Online, None).await;
    leased
        .post(&[json!({"type": "buyer.message", "session": "s1"})])
        .await;
    clock.set(at(60));
    let decided = leased.post(&[json!({"type": "clock"})]).await;
    let types: Vec<&Value> = decided.iter().map(|made| &made["type"]).collect();
    let expected = [
        "session.taken_back",
        "session.assigned",
        "agent.presence_set",
    ];
    assert_eq!(types, expected, "{decided:?}");
    let answered = json!({"type": "agent.message", "session": "s1", "agent": "bo"});
    assert_eq!(leased.post(&[answered]).await, Vec::<Value>::new());
    leased
}

impl Leased {
    async fn shown(&self, agent: &str) -> (Presence, Option<PresenceReason>) {
        let (of, agent) = (id("s"), agent.to_owned());
        let read = self.shops.desk.read(&of, move |shop| {
            let view = xiaoer::domain::read::views::agent(shop, &agent).expect("an agent");
            (view.presence, view.held)
        });
        read.await.expect("an answer")
    }
}

#[actix_rt::test]
async fn an_agent_that_the_shop_set_away_is_not_brought_back_by_a_renewal() {
    const HELD: (Presence, Option<PresenceReason>) =
        (Presence::Away, Some(PresenceReason::NoAnswer));
    const BACK: (Presence, Option<PresenceReason>) = (Presence::Online, None);
    for case in [
        "back", "event", "by hand", "away", "offline", "removed", "another",
    ] {
        let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
        let leased = held(folder.path(), &clock).await;
        let n = leased.n();
        // The client is there and renews: that keeps the lease and is no event.
        for seconds in [100, 400, 900] {
            clock.set(at(seconds));
            let renewed = leased.present("anna", Presence::Online, Some(600)).await;
            assert_eq!(renewed.held, Some(PresenceReason::NoAnswer), "{case}");
            assert_eq!(renewed.answered.decisions, "[]", "{case}");
            let until = renewed.lease.expect("a lease").until;
            assert_eq!(until.instant, at(seconds + 600), "{case}");
            assert_eq!(leased.shown("anna").await, HELD, "{case}");
            leased.stays_at(n).await;
        }
        let online = || leased.present("anna", Presence::Online, Some(600));
        let (shown, more) = match case {
            "back" => {
                let back = leased.ask("anna", Presence::Online, Some(600), true).await;
                assert_eq!((back.held, back.lease.is_some()), (None, true));
                // The second time it is a renewal like any other.
                let again = leased.ask("anna", Presence::Online, Some(600), true).await;
                assert_eq!((again.held, again.answered.decisions.len()), (None, 2));
                (BACK, 1)
            }
            "event" => {
                leased
                    .post(&[json!({"type": "agent.online", "agent": "anna"})])
                    .await;
                assert_eq!(online().await.held, None);
                (BACK, 1)
            }
            // Without a lease it renews none: it is a change by hand.
            "by hand" => {
                let back = leased.present("anna", Presence::Online, None).await;
                assert_eq!((back.held, back.lease), (None, None));
                (BACK, 1)
            }
            // It is away already. What it says of itself does not make it answer.
            "away" => {
                let away = leased.present("anna", Presence::Away, Some(600)).await;
                assert_eq!((away.held, away.answered.decisions.len()), (None, 2));
                leased
                    .post(&[json!({"type": "agent.away", "agent": "anna"})])
                    .await;
                assert_eq!(online().await.held, Some(PresenceReason::NoAnswer));
                (HELD, 1)
            }
            "offline" => {
                leased.post(&[offline("anna")]).await;
                assert_eq!(online().await.held, None);
                (BACK, 2)
            }
            "removed" => {
                leased
                    .post(&[
                        json!({"type": "agent.removed", "agent": "anna"}),
                        json!({"type": "agent.configured", "agent": "anna"}),
                    ])
                    .await;
                assert_eq!(online().await.held, None);
                (BACK, 3)
            }
            // Others are not concerned: a first lease is no renewal.
            _ => {
                let bo = leased.present("bo", Presence::Online, Some(600)).await;
                assert_eq!((bo.held, leased.shown("bo").await), (None, BACK));
                (HELD, 1)
            }
        };
        assert_eq!(leased.shown("anna").await, shown, "{case}");
        leased.stays_at(n + more).await;
        leased.close().await;
    }
}

/// Whose client is gone goes offline, held or not.
#[actix_rt::test]
async fn the_lease_of_an_agent_that_is_held_runs_out() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
    let leased = held(folder.path(), &clock).await;
    let n = leased.n();
    clock.set(at(609));
    leased.stays_at(n).await;
    clock.set(at(610));
    assert_eq!(leased.event(n + 1).await, offline("anna"));
    assert_eq!(leased.shown("anna").await, (Presence::Offline, None));
    leased.close().await;
}

/// An end that could not be carried out comes later: here a bug of ours stops the shop each time it tries.
#[actix_rt::test]
async fn an_end_that_fails_is_tried_again_until_it_does_not() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
    let leased = Leased::made(folder.path(), &clock, LONG, json!({})).await;
    leased.present("anna", Presence::Online, Some(30)).await;
    let plant = |word: Option<&str>| {
        let mut planted = leased.shops.planted.word.lock().expect("a lock");
        *planted = word.map(str::to_owned);
    };
    plant(Some("agent.offline"));
    let panics = || {
        leased
            .shops
            .seen
            .panics
            .load(std::sync::atomic::Ordering::SeqCst)
    };
    for n in 1..=3 {
        clock.set(at(39 + n));
        assert!(in_time(|| panics() == n).await, "{} tries", panics());
        leased.stays_at(4).await;
        assert_eq!(panics(), n, "one try a second");
    }
    plant(None);
    clock.set(at(50));
    assert_eq!(leased.event(5).await, offline("anna"));
    leased.close().await;
}

/// The same where the disk has no room: nothing is taken, and the lease is not forgotten.
#[actix_rt::test]
async fn an_end_without_room_on_the_disk_is_not_lost() {
    let (folder, clock) = (tempfile::tempdir().expect("a folder"), clock());
    let leased = Leased::made(folder.path(), &clock, LONG, json!({})).await;
    leased.present("anna", Presence::Online, Some(30)).await;
    leased.close().await;
    let mut full = crate::support::world::settings(folder.path());
    full.reserve_bytes = 1 << 60;
    let leased = Leased::over(Shops::open_with(&full, &clock, LONG));
    for seconds in [40, 41, 42] {
        clock.set(at(seconds));
        leased.stays_at(4).await;
    }
    leased.close().await;
    let leased = Leased::open(folder.path(), &clock, LONG);
    leased.stays_at(4).await;
    clock.set(at(42 + 40));
    assert_eq!(leased.event(5).await, offline("anna"));
    leased.close().await;
}
