//! Frequency control at high concurrency: hot buyers come to many shops of one buyer space, and every close decides
//! whether the buyer may be asked for a rating, with the cap that spans shops (I12) and without it.
//!
//! With the cap an event that asks the shared ledger holds it until it is in the journal, so shops wait for each other:
//! that is what is measured here, beside shops that do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_rt::{Arbiter, System};
use bytestring::ByteString;
use criterion::{BenchmarkId, Criterion, Throughput};
use xiaoer::domain::base::id::Id;
use xiaoer::runtime::Shops;

use super::{Visitors, agents_of, counting, desk, post, rush, shop_id};

/// Shops of the buyer space.
const SHOPS: usize = 1000;

/// Buyers who are about at the same time, fewer than there are shops.
const BUYERS: u64 = 256;

/// Visits of one buyer, each to another shop mostly; then somebody else takes its place.
const VISITS_EACH: u64 = 8;

/// Shops that may ask a buyer on a day (I12), where the cap is on: a quarter of its visits.
const CAP: u32 = 2;

/// Senders beside each other.
const SENDERS: [usize; 4] = [1, 8, 64, 512];

/// Events of one visit.
const STEPS: u64 = 4;

/// One sender, alone at its shops: at each a buyer comes in, asks, is answered, and is sent off.
struct Sender {
    shops: Vec<Id>,
    /// Names of sessions and buyers have it, so that whoever is left in the middle of a visit meets nobody.
    name: String,
    senders: usize,
    step: u64,
    buyer: String,
    /// Visits of all senders.
    visits: Arc<AtomicU64>,
}

impl Sender {
    fn new(name: usize, senders: usize, visits: &Arc<AtomicU64>) -> Sender {
        Sender {
            shops: (name..SHOPS).step_by(senders).map(shop_id).collect(),
            name: format!("{senders}-{name}"),
            senders,
            step: 0,
            buyer: String::new(),
            visits: Arc::clone(visits),
        }
    }
}

impl Visitors for Sender {
    fn next(&mut self) -> (Id, ByteString) {
        let (step, visit) = (self.step % STEPS, self.step / STEPS);
        if step == 0 {
            let all = self.visits.fetch_add(1, Ordering::Relaxed);
            let (buyer, life) = (all % BUYERS, all / (BUYERS * VISITS_EACH));
            self.buyer = format!("b{buyer}-{life}-{}", self.senders);
        }
        let session = format!("s{}-{visit}", self.name);
        let event = match step {
            0 => format!(
                r#"{{"type":"session.opened","session":"{session}","buyer":"{}"}}"#,
                self.buyer
            ),
            1 => format!(r#"{{"type":"buyer.message","session":"{session}","text":"有货吗？"}}"#),
            2 => format!(r#"{{"type":"agent.message","session":"{session}","text":"有货的。"}}"#),
            _ => format!(r#"{{"type":"session.closed","session":"{session}","by":"agent"}}"#),
        };
        self.step += 1;
        let shop = self.shops[visit as usize % self.shops.len()].clone();
        (shop, event.into())
    }
}

/// Makes a shop of the one buyer space, and its agents.
async fn configure(desk: &Shops, shop: &Id, cap: u32) {
    let policy = format!(
        r#"{{"type":"shop.configured","policy":{{"buyer_space":"street","invite":{{"shops_per_buyer_day":{cap}}}}}}}"#
    );
    let texts: Vec<ByteString> = std::iter::once(policy.into()).chain(agents_of()).collect();
    post(desk, shop, &texts).await;
}

/// The group.
pub fn caps(criterion: &mut Criterion) {
    let system = System::new();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let arbiters: Vec<Arbiter> = (0..cores).map(|_| Arbiter::new()).collect();
    let mut group = criterion.benchmark_group("caps");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(3));
    for (name, cap) in [("cap off", 0), ("cap on", CAP)] {
        let watch = counting();
        let desk = desk(&watch);
        let visits = Arc::new(AtomicU64::new(0));
        // Not before the first of them is run.
        let mut settled = false;
        for senders in SENDERS {
            let mut crowd: Vec<Sender> = (0..senders)
                .map(|at| Sender::new(at, senders, &visits))
                .collect();
            group.throughput(Throughput::Elements(1));
            let id = BenchmarkId::new(name, format!("{senders} senders"));
            group.bench_function(id, |bencher| {
                if !std::mem::replace(&mut settled, true) {
                    system.block_on(async {
                        for number in 0..SHOPS {
                            configure(&desk, &shop_id(number), cap).await;
                        }
                    });
                }
                bencher.iter_custom(|events| {
                    let taken = std::mem::take(&mut crowd);
                    let each = (events as usize).div_ceil(senders);
                    let (spent, back) = system.block_on(rush(&desk, &arbiters, taken, each));
                    crowd = back;
                    // More may have been sent than was asked for, so that every sender sends as many.
                    spent.mul_f64(events as f64 / (each * senders) as f64)
                });
            });
        }
        let (asked, kept) = watch.invites();
        if asked + kept > 1000 {
            eprintln!(
                "{name}: {asked} buyers were asked for a rating, {kept} were not, by the cap of all shops"
            );
            assert!(
                asked > 0 && (kept > 0) == (cap > 0),
                "the cap was not met as it should be"
            );
        }
    }
    group.finish();
}
