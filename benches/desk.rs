//! The desk without a disk: what a request costs from its body to its answer, and shop actors at high concurrency.
//!
//! The journal is one that drops everything and calls durable at once, so that what is left is ours: reading, deciding,
//! writing, answering, and the way to the actor and back.
//!
//! ```text
//! cargo bench --bench desk                     # everything
//! cargo bench --bench desk -- request          # bodies of 1 and of 100 events, through the HTTP service
//! cargo bench --bench desk -- actors           # 1, 64, 512 senders at 1, 1,000, 100,000 shops
//! cargo bench --bench desk -- caps             # 1, 8, 64, 512 senders: hot buyers at 1,000 shops, the shared cap off and on
//! ```

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use actix_rt::{Arbiter, System};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error};
use bytestring::ByteString;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use xiaoer::api::{self};
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::protocol::codes::BlockCode;
use xiaoer::domain::protocol::decision::{Decision, DecisionBody};
use xiaoer::domain::read::views::Counts;
use xiaoer::env::Env;
use xiaoer::http::{AccessLogEntry, AppState, Authenticator, Limits};
use xiaoer::journal::{
    Claimed, Fenced, FencingToken, Journal, JournalError, JournalFull, MetadataEntry, NewRecord,
    OnDurable, RecordPage, Snapshot, SnapshotAndTail, TimedShop,
};
use xiaoer::runtime::{self, IncomingEvent, RuntimeSettings, SharedLedger, Shops};
use xiaoer::telemetry::Metrics;
use xiaoer::webhooks::{self, ClientSettings, SecretsFile, SystemLookup, Webhooks};
use xiaoer::wire::{Line, read_event};

#[path = "desk/caps.rs"]
mod caps;
#[path = "../tests/support/deadline.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod deadline;
#[path = "door/desk.rs"]
#[allow(dead_code, reason = "the door uses the rest")]
mod visits;

/// Shops of the requests.
const SHOPS: usize = 1000;

/// A journal that keeps nothing.
#[derive(Default)]
struct Nowhere {
    orders: AtomicU64,
    shops: AtomicU64,
}

impl Journal for Nowhere {
    fn claim(&self, _: &Id) -> Result<Option<Claimed>, JournalError> {
        Ok(None)
    }

    fn create(&self, _: &Id) -> FencingToken {
        let shop = self.shops.fetch_add(1, Ordering::Relaxed);
        FencingToken { shop, epoch: 1 }
    }

    fn release(&self, _: FencingToken) {}

    fn append(
        &self,
        _: FencingToken,
        entry: &NewRecord<'_>,
        done: Option<OnDurable>,
    ) -> Result<u64, Fenced> {
        black_box((entry.text, entry.decisions));
        if let Some(done) = done {
            done();
        }
        Ok(self.orders.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn when_durable(&self, _: u64, done: OnDurable) {
        done();
    }

    fn put_snapshot(&self, _: FencingToken, state: Snapshot, _: Option<Instant>) {
        black_box(state);
    }

    fn exists(&self, _: &Id) -> Result<bool, JournalError> {
        Ok(true)
    }

    fn number(&self, _: &Id) -> Result<Option<u64>, JournalError> {
        Ok(Some(1))
    }

    fn shops(&self, _: Option<&Id>, _: usize) -> Result<Vec<Id>, JournalError> {
        Ok(Vec::new())
    }

    fn read(&self, _: &Id, _: u64, _: usize) -> Result<Option<RecordPage>, JournalError> {
        Ok(None)
    }

    fn rated(&self, _: &Id, _: u64, _: usize) -> Result<Option<RecordPage>, JournalError> {
        Ok(None)
    }

    fn before(&self, _: &Id, _: u64) -> Result<Option<SnapshotAndTail>, JournalError> {
        Ok(None)
    }

    fn each_timed_shop(&self, _: &mut dyn FnMut(TimedShop)) -> Result<(), JournalError> {
        Ok(())
    }

    fn put_metadata(
        &self,
        _: &Id,
        _: &str,
        _: Option<Vec<u8>>,
        done: Option<OnDurable>,
    ) -> Result<bool, JournalError> {
        if let Some(done) = done {
            done();
        }
        Ok(true)
    }

    fn each_metadata(&self, _: &mut dyn FnMut(MetadataEntry)) -> Result<(), JournalError> {
        Ok(())
    }

    fn has_room(&self) -> Result<(), JournalFull> {
        Ok(())
    }
}

/// Counts what the server counts.
struct Counting {
    metrics: Metrics,
    /// Buyers who were asked for a rating, and who were not since enough shops had (I12).
    asked: AtomicU64,
    kept: AtomicU64,
    began: deadline::Stopwatch,
}

impl Counting {
    fn invites(&self) -> (u64, u64) {
        let [asked, kept] = [&self.asked, &self.kept].map(|count| count.load(Ordering::Relaxed));
        (asked, kept)
    }
}

impl runtime::RuntimeObserver for Counting {
    fn request_arrived(&self, _: usize) {}
    fn handled(&self, _: &xiaoer::domain::protocol::event::EventBody) {}
    fn decided(&self, decisions: &[Decision]) {
        for decision in decisions {
            self.metrics.decided(&decision.body);
            if let DecisionBody::InviteSent { .. } = &decision.body {
                self.asked.fetch_add(1, Ordering::Relaxed);
            }
            if let DecisionBody::InviteBlocked { blocked_by, .. } = &decision.body {
                let by_cap = blocked_by.contains(&BlockCode::BuyerDayCap);
                self.kept.fetch_add(u64::from(by_cap), Ordering::Relaxed);
            }
        }
    }

    fn counted(&self, _: &Counts, _: &Counts) {}
    fn actors_changed(&self, _: i64) {}
    fn shop_loaded(&self, _: u64) {}
    fn panicked(&self, _: &Id) {}
    fn failed(&self, _: &Id, _: &JournalError) {}
}

impl webhooks::WebhookObserver for Counting {
    fn tried(&self, _: bool, _: u32, _: u64) {}
    fn gave_up(&self, _: &Id, _: &str) {}
    fn disabled(&self, _: &Id, _: &str, _: &str) {}
}

impl xiaoer::http::HttpObserver for Counting {
    fn micros(&self) -> u64 {
        self.began.passed().as_micros() as u64
    }

    fn answered(&self, visit: &AccessLogEntry<'_>) {
        let route = self.metrics.route(visit.route);
        route.answered(visit.status, Duration::from_micros(visit.micros));
    }

    fn scrape(&self) -> String {
        String::new()
    }
}

fn desk(watch: &Arc<Counting>) -> Shops {
    let settings = RuntimeSettings {
        mailbox: 4096,
        idle: Duration::from_secs(3600),
        grace: xiaoer::domain::base::time::Duration::from_ms(0),
        quota: xiaoer::runtime::ShopQuota {
            waiting_bytes_max: 16 * 1024 * 1024,
            bytes_per_hour_max: 0,
        },
    };
    Shops::new(
        Arc::new(Nowhere::default()),
        Arc::new(SharedLedger::default()),
        Env::real(),
        Arc::clone(watch) as Arc<dyn runtime::RuntimeObserver>,
        &settings,
    )
}

fn counting() -> Arc<Counting> {
    let routes: Vec<&'static str> = api::ROUTES.iter().map(|route| route.path).collect();
    Arc::new(Counting {
        metrics: Metrics::new(&routes),
        asked: AtomicU64::new(0),
        kept: AtomicU64::new(0),
        began: deadline::Stopwatch::start(),
    })
}

/// The events of a body as the door reads them.
fn intakes(shop: &Id, now: Instant, texts: &[ByteString]) -> Vec<IncomingEvent> {
    let intake = |text: &ByteString| {
        let spelt: &str = text;
        let read = read_event(spelt, shop, now).expect("an object");
        let Line::Event(_, event) = read.line else {
            panic!("{spelt} is no event");
        };
        IncomingEvent::Event {
            event,
            stamped: read.stamped,
            text: text.clone(),
        }
    };
    texts.iter().map(intake).collect()
}

/// The events that make a shop's agents.
fn agents_of() -> Vec<ByteString> {
    let agents: Vec<serde_json::Value> =
        serde_json::from_slice(&visits::agents()).expect("the agents");
    agents
        .iter()
        .map(|agent| agent.to_string().into())
        .collect()
}

/// Makes a shop and its agents.
async fn configure(desk: &Shops, shop: &Id) {
    let policy = ByteString::from_static(r#"{"type":"shop.configured","policy":{}}"#);
    let texts: Vec<ByteString> = std::iter::once(policy).chain(agents_of()).collect();
    post(desk, shop, &texts).await;
}

/// Events of a shop, each of which is accepted.
async fn post(desk: &Shops, shop: &Id, texts: &[ByteString]) {
    let intakes = intakes(shop, desk.now(), texts);
    let answered = desk.post(shop, intakes).await.expect("an answer");
    let rejected = answered.iter().find(|answered| answered.rejected.is_some());
    assert!(rejected.is_none(), "{rejected:?}");
}

fn shop_id(number: usize) -> Id {
    Id::new(&format!("shop-{number}")).expect("an id")
}

/// Bodies through the HTTP service, without sockets.
fn requests(criterion: &mut Criterion) {
    let watch = counting();
    let desk = desk(&watch);
    let state = Arc::new(AppState {
        shops: desk.clone(),
        webhooks: Webhooks::open(
            desk.clone(),
            webhooks::WebhookSettings {
                client: ClientSettings {
                    timeout: Duration::from_secs(1),
                    private_addresses: true,
                    lookup: Arc::new(SystemLookup::new()),
                },
                endpoints_max: 1,
                secrets: SecretsFile::open(&std::env::temp_dir()).expect("no secrets"),
            },
            Arc::clone(&watch) as Arc<dyn webhooks::WebhookObserver>,
        )
        .expect("couriers"),
        authenticator: Authenticator::Insecure,
        limits: Limits::default(),
        observer: watch,
        description: xiaoer::api::description(),
    });
    let system = System::new();
    let service = system.block_on(async {
        for number in 0..SHOPS {
            configure(&desk, &shop_id(number)).await;
        }
        init_service(App::new().configure(api::configure(state))).await
    });
    let mut group = criterion.benchmark_group("request");
    for (life, events) in (1..).zip([1, 100]) {
        let mut desks: Vec<_> = (0..SHOPS)
            .map(|shop| visits::Desk::new(shop, life))
            .collect();
        let mut at = 0;
        group.throughput(Throughput::Elements(events as u64));
        group.bench_function(BenchmarkId::from_parameter(events), |bencher| {
            bencher.iter_custom(|requests| {
                let mut spent = Duration::ZERO;
                for _ in 0..requests {
                    at = (at + 1) % SHOPS;
                    let path = format!("/v1/shops/shop-{at}/events");
                    let body = desks[at].body(events);
                    spent += system.block_on(once(&service, &path, body));
                }
                spent
            });
        });
    }
    group.finish();
}

/// One request; how long it took.
async fn once<S>(service: &S, path: &str, body: Vec<u8>) -> Duration
where
    S: Service<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    let request = TestRequest::post()
        .uri(path)
        .insert_header(("host", "localhost"))
        .set_payload(body)
        .to_request();
    let watch = deadline::Stopwatch::start();
    let answer = service.call(request).await.expect("an answer");
    let spent = watch.passed();
    assert_eq!(answer.status(), 200);
    let body = answer.into_body().try_into_bytes();
    black_box(body.map(|body| body.len()).ok());
    spent
}

/// A sender's shops, and what it is in the middle of at each.
struct Sender {
    shops: Vec<(Id, visits::Desk)>,
    at: usize,
}

impl Sender {
    /// One of so many: where there are fewer shops it shares one.
    fn new(at: usize, senders: usize, shops: usize) -> Sender {
        // Names of what it sends begin with the sender, so that two at one shop do not meet.
        let life = (senders * 1000 + at) as u64;
        let of = |shop| (shop_id(shop), visits::Desk::new(shop, life));
        let shops = (at % shops..shops).step_by(senders).map(of).collect();
        Sender { shops, at: 0 }
    }
}

/// Whoever sends events one after the other.
trait Visitors: Send + 'static {
    /// The next event, and its shop.
    fn next(&mut self) -> (Id, ByteString);
}

impl Visitors for Sender {
    /// At the next of its shops.
    fn next(&mut self) -> (Id, ByteString) {
        self.at = (self.at + 1) % self.shops.len();
        let (shop, visit) = &mut self.shops[self.at];
        let text = ByteString::try_from(visit.body(1)).expect("UTF-8");
        (shop.clone(), text)
    }
}

/// Senders beside each other, each waiting for its answer before it sends again. They live on as many threads as there
/// are processors; a shop lives where it was first asked, which is elsewhere for some where senders share shops.
fn actors(criterion: &mut Criterion) {
    let system = System::new();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let arbiters: Vec<Arbiter> = (0..cores).map(|_| Arbiter::new()).collect();
    let mut group = criterion.benchmark_group("actors");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(3));
    for shops in [1, 1000, 100_000] {
        let desk = desk(&counting());
        // Not before the first of them is run.
        let mut settled = false;
        for senders in [1, 64, 512] {
            let mut crowd: Vec<Sender> = (0..senders)
                .map(|at| Sender::new(at, senders, shops))
                .collect();
            group.throughput(Throughput::Elements(1));
            let name = BenchmarkId::new(format!("{shops} shops"), format!("{senders} senders"));
            group.bench_function(name, |bencher| {
                if !std::mem::replace(&mut settled, true) {
                    system.block_on(settle(&desk, &arbiters, shops));
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
    }
    group.finish();
}

/// Makes the shops, each where its first sender will be.
async fn settle(desk: &Shops, arbiters: &[Arbiter], shops: usize) {
    let tasks = arbiters.iter().enumerate().map(|(at, arbiter)| {
        let (desk, step) = (desk.clone(), arbiters.len());
        on(arbiter, async move {
            for number in (at..shops).step_by(step) {
                configure(&desk, &shop_id(number)).await;
            }
        })
    });
    futures_util::future::join_all(tasks.collect::<Vec<_>>()).await;
}

/// All senders send so many events; how long it took, and the senders again.
async fn rush<S: Visitors>(
    desk: &Shops,
    arbiters: &[Arbiter],
    crowd: Vec<S>,
    each: usize,
) -> (Duration, Vec<S>) {
    let watch = deadline::Stopwatch::start();
    let tasks = crowd.into_iter().enumerate().map(|(at, mut sender)| {
        let desk = desk.clone();
        on(&arbiters[at % arbiters.len()], async move {
            for _ in 0..each {
                let (shop, text) = sender.next();
                post(&desk, &shop, std::slice::from_ref(&text)).await;
            }
            sender
        })
    });
    let crowd = futures_util::future::join_all(tasks.collect::<Vec<_>>()).await;
    (watch.passed(), crowd)
}

/// Runs a task on a thread; what it comes to.
async fn on<T: Send + 'static>(
    arbiter: &Arbiter,
    task: impl Future<Output = T> + Send + 'static,
) -> T {
    let (sender, answer) = tokio::sync::oneshot::channel();
    arbiter.spawn(async move {
        sender.send(task.await).ok();
    });
    answer.await.expect("a thread that goes on")
}

criterion_group!(benches, requests, actors, caps::caps);
criterion_main!(benches);
