//! The core's figures, most beside a yardstick of the same run: assigning, draining, checking an invite, growing, storing.
//!
//! `cargo bench --bench core` runs all; `-- assign`, `-- drain`, `-- invite`, `-- grow` or `-- store` runs one group.
//! The invite group holds 10,000,000 buyers and takes about 3 GB of memory; `XIAOER_BUYERS` sets another number.

use std::collections::{HashMap, VecDeque};
use std::hint::black_box;
use std::time::{Duration, Instant as Watch};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::explain::decision_sink::DecisionSink;
use xiaoer::domain::policy::Policy;
use xiaoer::domain::protocol::codes::Presence;
use xiaoer::domain::protocol::decision::{Decision, DecisionBody};
use xiaoer::domain::protocol::event::{ClosedBy, Event, EventBody};
use xiaoer::domain::state::buyer::Buyer;
use xiaoer::domain::state::shared_invites::{Claim, Ledger, MemoryLedger};
use xiaoer::domain::state::shop::Shop;

/// 2026-01-01T00:00:00Z, in milliseconds.
const START_MS: i64 = 1_767_225_600_000;

/// A shop, its ledger and its clock, driven by events.
struct Desk {
    shop: Shop,
    ledger: MemoryLedger,
    out: DecisionSink,
    now_ms: i64,
    sessions: u64,
}

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

impl Desk {
    fn new(policy: serde_json::Value) -> Desk {
        let policy = Policy::parse(&policy).expect("a policy");
        Desk {
            shop: Shop::new(id("shop"), policy, Instant::from_ms(START_MS)),
            ledger: MemoryLedger::default(),
            out: DecisionSink::default(),
            now_ms: START_MS,
            sessions: 0,
        }
    }

    fn event(&self, what: EventBody) -> Event {
        Event {
            at: Instant::from_ms(self.now_ms),
            id: None,
            print: 0,
            what,
        }
    }

    fn take(&mut self, event: &Event) {
        self.out.decisions.clear();
        self.shop.take(event, &mut self.ledger, &mut self.out);
    }

    fn agent(&mut self, name: &str, roles: &[&str], capacity: u32) {
        let configured = EventBody::AgentConfigured {
            agent: id(name),
            name: None,
            roles: roles.iter().map(|role| id(role)).collect(),
            capacity,
            weight: 1,
        };
        self.take(&self.event(configured));
        let online = EventBody::PresenceChanged {
            agent: id(name),
            presence: Presence::Online,
        };
        self.take(&self.event(online));
    }

    /// The opening of a new session of this buyer.
    fn opening(&mut self, buyer: u64, entry: Option<&str>) -> (Id, Event) {
        self.sessions += 1;
        let session = id(&format!("s{}", self.sessions));
        let opened = EventBody::SessionOpened {
            session: session.clone(),
            buyer: id(&format!("buyer-{buyer}")),
            entry: entry.map(id),
            question: None,
            order_status: None,
            bot: false,
            priority: None,
        };
        (session, self.event(opened))
    }

    fn closing(&self, session: Id) -> Event {
        let by = ClosedBy::Agent;
        self.event(EventBody::SessionClosed { session, by })
    }

    /// Opens and closes a session of the buyer, the clock moving on.
    fn visit(&mut self, buyer: u64, step_ms: i64) {
        self.now_ms += step_ms;
        let (session, opening) = self.opening(buyer, None);
        self.take(&opening);
        let closing = self.closing(session);
        self.take(&closing);
    }
}

/// Numbers that look like luck and are the same in every run.
fn scattered(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

/// Events that are prepared at once, so that looking at the clock does not weigh on what is measured.
const PIECE: u64 = 100;

/// Prepares `rounds` times some events, in pieces, and measures only their handling.
fn measure(
    rounds: u64,
    desk: &mut Desk,
    mut prepare: impl FnMut(&mut Desk, &mut Vec<Event>),
    mut after: impl FnMut(&mut Desk),
) -> Duration {
    let (mut spent, mut left) = (Duration::ZERO, rounds);
    let mut events = Vec::new();
    while left > 0 {
        let piece = left.min(PIECE);
        left -= piece;
        events.clear();
        for _ in 0..piece {
            prepare(desk, &mut events);
        }
        desk.out.decisions.clear();
        #[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
        let start = Watch::now();
        for event in &events {
            desk.shop
                .take(black_box(event), &mut desk.ledger, &mut desk.out);
        }
        spent += start.elapsed();
        after(desk);
    }
    spent
}

fn assign(c: &mut Criterion) {
    let mut group = c.benchmark_group("assign");
    for agents in [10u64, 1000, 10_000] {
        let mut desk = Desk::new(serde_json::json!({"preset": "standard"}));
        for agent in 0..agents {
            desk.agent(&format!("agent-{agent}"), &["agent"], 10);
        }
        // Half of the places are taken, by buyers who stay.
        for buyer in 0..agents * 5 {
            let (_, opening) = desk.opening(1_000_000_000 + buyer, None);
            desk.take(&opening);
        }
        for buyer in 0..20_000 {
            desk.visit(buyer, 60_000);
        }
        let mut buyer = 20_000;
        group.bench_function(BenchmarkId::new("open_pick_close", agents), |b| {
            b.iter_custom(|rounds| {
                let prepare = |desk: &mut Desk, events: &mut Vec<Event>| {
                    desk.now_ms += 60_000;
                    buyer += 1;
                    let (session, opening) = desk.opening(buyer, None);
                    events.extend([opening, desk.closing(session)]);
                };
                measure(rounds, &mut desk, prepare, |_| {})
            });
        });
        pick(&mut group, agents);
    }
    group.finish();
}

/// The pick and the change of one agent that follows it, and a scan over as many agents for comparison.
fn pick(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, agents: u64) {
    use xiaoer::domain::collections::indexed_heap::IndexedHeap;
    let mut heap: IndexedHeap<(u64, u64)> = IndexedHeap::default();
    let mut list: Vec<(u64, u64)> = Vec::new();
    for agent in 0..agents {
        let key = (scattered(agent) % 10, scattered(agent + 7) % 1000);
        heap.set(agent as u32, key);
        list.push(key);
    }
    let mut order = 1000;
    group.bench_function(BenchmarkId::new("pick_and_update", agents), |b| {
        b.iter(|| {
            let Some(((load, _), agent)) = heap.first() else {
                return;
            };
            order += 1;
            heap.set(agent, ((load + 1) % 10, order));
            black_box(agent);
        });
    });
    group.bench_function(BenchmarkId::new("yardstick_scan", agents), |b| {
        b.iter(|| {
            let Some(least) = (0..list.len()).min_by_key(|&agent| list[agent]) else {
                return;
            };
            order += 1;
            list[least] = ((list[least].0 + 1) % 10, order);
            black_box(least);
        });
    });
}

fn assigned_sessions(decisions: &[Decision]) -> impl Iterator<Item = Id> + '_ {
    decisions.iter().filter_map(|decision| {
        if let DecisionBody::SessionAssigned { session, .. } = &decision.body {
            Some(session.clone())
        } else {
            None
        }
    })
}

fn drain(c: &mut Criterion) {
    const POOLS: u64 = 100;
    let mut group = c.benchmark_group("drain");
    for waiting in [1000u64, 100_000] {
        let entries = (0..POOLS).map(|pool| {
            let members = serde_json::json!({"members": [format!("role:team-{pool}")]});
            (format!("entry-{pool}"), members)
        });
        let entries: serde_json::Map<_, _> = entries.collect();
        let mut desk = Desk::new(serde_json::json!({
            "preset": "douyin",
            "routing": {"entries": entries, "queue": {"limit": 0, "max_wait": "0s"}},
        }));
        for pool in 0..POOLS {
            let roles = ["agent", &format!("team-{pool}")];
            desk.agent(&format!("agent-{pool}"), &roles, 10);
        }
        let (mut served, mut buyer) = (VecDeque::new(), 0);
        let mut arrive = |desk: &mut Desk, served: &mut VecDeque<Id>| {
            buyer += 1;
            desk.now_ms += 1000;
            let entry = format!("entry-{}", scattered(buyer) % POOLS);
            let (_, opening) = desk.opening(buyer, Some(&entry));
            desk.take(&opening);
            served.extend(assigned_sessions(&desk.out.decisions));
        };
        while desk.shop.waiting() < waiting as u32 {
            arrive(&mut desk, &mut served);
        }
        group.bench_function(BenchmarkId::new("close_assigns_longest", waiting), |b| {
            b.iter_custom(|rounds| {
                let served = std::cell::RefCell::new(&mut served);
                let prepare = |desk: &mut Desk, events: &mut Vec<Event>| {
                    desk.now_ms += 1000;
                    let next = served.borrow_mut().pop_front().expect("somebody is served");
                    events.push(desk.closing(next));
                };
                let after = |desk: &mut Desk| {
                    let mut served = served.borrow_mut();
                    served.extend(assigned_sessions(&desk.out.decisions));
                    while desk.shop.waiting() < waiting as u32 {
                        arrive(desk, &mut served);
                    }
                };
                measure(rounds, &mut desk, prepare, after)
            });
        });
    }
    let mut queue: std::collections::BTreeMap<u64, u64> = (0..100_000).map(|n| (n, n)).collect();
    let mut next = 100_000;
    group.bench_function("yardstick_btree_pop_push_of_100000", |b| {
        b.iter(|| {
            black_box(queue.pop_first());
            queue.insert(next, next);
            next += 1;
        });
    });
    group.finish();
}

/// A shop that holds `buyers` invited buyers in windows of 30 days.
fn large_shop(buyers: u64) -> Desk {
    let mut desk = Desk::new(serde_json::json!({
        "preset": "standard",
        "routing": {"recent": {"window": "720h"}},
        "invite": {"auto_quiet": "720h", "quiet_after_rating": "720h", "auto_per_shop_day": 3},
    }));
    for agent in 0..10 {
        desk.agent(&format!("agent-{agent}"), &["agent"], 10);
    }
    let step_ms = (20 * 86_400_000 / buyers as i64).max(1);
    for buyer in 0..buyers {
        desk.visit(buyer, step_ms);
    }
    desk
}

/// Another shop of the same space sends an invite, so that the ledger has to look at every buyer.
fn invite_of_another_shop(desk: &mut Desk) {
    let sent = desk.ledger.claim(&Claim {
        shop: &id("another shop"),
        space: &id("standard"),
        buyer: &id("buyer-1"),
        at: Instant::from_ms(desk.now_ms),
        on_day: &|_| true,
        cap: 0,
        send: true,
    });
    black_box(sent);
}

/// Opens sessions of scattered buyers until so many are open.
fn open_sessions(
    desk: &mut Desk,
    open: &mut VecDeque<Id>,
    until: u64,
    mut visit: u64,
    buyers: u64,
) -> u64 {
    desk.now_ms += 1000;
    while (open.len() as u64) < until {
        visit += 1;
        let (session, opening) = desk.opening(scattered(visit) % buyers, None);
        desk.take(&opening);
        if assigned_sessions(&desk.out.decisions).next().is_some() {
            open.push_back(session);
        }
    }
    visit
}

fn invite(c: &mut Criterion) {
    let asked = std::env::var("XIAOER_BUYERS")
        .ok()
        .and_then(|n| n.parse().ok());
    let buyers: u64 = asked.unwrap_or(10_000_000);
    let mut group = c.benchmark_group("invite");
    group.sample_size(20);
    let mut desk = large_shop(buyers);
    invite_of_another_shop(&mut desk);
    println!("held: {:?}", desk.shop.held());
    println!("bytes of a buyer, its id included: {}", Buyer::BYTES);
    let mut visit = 0;
    for agent in 10..1010 {
        desk.agent(&format!("agent-{agent}"), &["agent"], 100);
    }
    // As in a close: the session and its buyer have just been looked at, the shared ledger has not. And cold: the
    // session was opened 50,000 sessions ago.
    for (name, open_before) in [("check_in_a_close", PIECE), ("check_cold", 50_000)] {
        let mut open: VecDeque<Id> = VecDeque::new();
        group.bench_function(BenchmarkId::new(name, buyers), |b| {
            b.iter_custom(|rounds| {
                let (mut spent, mut left) = (Duration::ZERO, rounds);
                while left > 0 {
                    let piece = left.min(PIECE);
                    left -= piece;
                    visit = open_sessions(&mut desk, &mut open, open_before, visit, buyers);
                    let checked: Vec<Id> = open.drain(..piece as usize).collect();
                    #[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
                    let start = Watch::now();
                    for session in &checked {
                        black_box(desk.shop.check_auto_invite(session, &mut desk.ledger));
                    }
                    spent += start.elapsed();
                    for session in checked {
                        let closing = desk.closing(session);
                        desk.take(&closing);
                    }
                }
                spent
            });
        });
        for session in open {
            let closing = desk.closing(session);
            desk.take(&closing);
        }
    }
    drop(desk);
    let map: HashMap<String, [u64; 4]> = (0..buyers)
        .map(|buyer| (format!("buyer-{buyer}"), [buyer; 4]))
        .collect();
    group.bench_function(BenchmarkId::new("yardstick_hash_map_get", buyers), |b| {
        b.iter_custom(|rounds| {
            let (mut spent, mut left) = (Duration::ZERO, rounds);
            while left > 0 {
                let piece = left.min(PIECE);
                left -= piece;
                let keys =
                    (visit..visit + piece).map(|n| format!("buyer-{}", scattered(n) % buyers));
                let keys: Vec<String> = keys.collect();
                visit += piece;
                #[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
                let start = Watch::now();
                for key in &keys {
                    black_box(map.get(key));
                }
                spent += start.elapsed();
            }
            spent
        });
    });
    group.finish();
}

fn grow(c: &mut Criterion) {
    let mut group = c.benchmark_group("grow");
    group.sample_size(20);
    for buyers in [10u64, 1000, 100_000, 1_000_000] {
        let mut desk = large_shop(buyers);
        group.throughput(Throughput::Elements(2));
        let mut visit = 0;
        // The same traffic for all sizes, so that only the number of buyers differs.
        for _ in 0..100_000 {
            visit += 1;
            desk.visit(scattered(visit) % buyers, 1000);
        }
        group.bench_function(BenchmarkId::new("open_close", buyers), |b| {
            b.iter_custom(|rounds| {
                let prepare = |desk: &mut Desk, events: &mut Vec<Event>| {
                    visit += 1;
                    desk.now_ms += 1000;
                    let (session, opening) = desk.opening(scattered(visit) % buyers, None);
                    events.extend([opening, desk.closing(session)]);
                };
                measure(rounds, &mut desk, prepare, |_| {})
            });
        });
    }
    group.finish();
}

/// A shop with this many open sessions, those that it remembers, and buyers of whom it still knows.
fn lived_in(open: u64, remembered: u64, buyers: u64) -> Desk {
    let mut desk = Desk::new(serde_json::json!({"preset": "standard"}));
    for agent in 0..20 {
        desk.agent(&format!("agent-{agent}"), &["agent"], 10);
    }
    for buyer in 0..buyers {
        desk.visit(buyer, 1);
    }
    // Past 7 days the sessions are forgotten, the buyers are not.
    desk.now_ms += 7 * 24 * 3_600_000;
    for buyer in 0..remembered {
        desk.visit(1_000_000_000 + buyer, 1000);
    }
    for buyer in 0..open {
        let (session, opening) = desk.opening(2_000_000_000 + buyer, None);
        desk.take(&opening);
        let mut message = desk.event(EventBody::BuyerMessage { session });
        message.id = Some(id(&format!("message-{buyer}")));
        desk.take(&message);
    }
    desk
}

fn store(c: &mut Criterion) {
    let mut group = c.benchmark_group("store");
    group.sample_size(20);
    let config = bincode::config::standard();
    for (open, remembered, buyers) in [(100, 1000, 0), (100, 1000, 100_000)] {
        let shop = lived_in(open, remembered, buyers).shop;
        let bytes = bincode::serde::encode_to_vec(&shop, config).expect("memory");
        println!("{:?} in {} bytes", shop.held(), bytes.len());
        let known = shop.held().buyers;
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::new("write", known), |b| {
            b.iter(|| {
                let written = bincode::serde::encode_to_vec(black_box(&shop), config);
                black_box(written.expect("memory").len())
            });
        });
        group.bench_function(BenchmarkId::new("read", known), |b| {
            b.iter_with_large_drop(|| {
                let read = bincode::serde::decode_from_slice::<Shop, _>(black_box(&bytes), config);
                read.expect("a shop").0
            });
        });
    }
    group.finish();
}

criterion_group!(core, assign, drain, invite, grow, store);
criterion_main!(core);
