//! The runtime of a server without HTTP: a journal in its own folder, a clock that a test sets, and the shops.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytestring::ByteString;
use serde_json::Value;
use xiaoer::domain::base::id::Id;
use xiaoer::domain::base::time::Instant;
use xiaoer::domain::protocol::decision::Decision;
use xiaoer::domain::read::views::Counts;
use xiaoer::domain::state::shared_invites::MemoryLedger;
use xiaoer::env::{Clock, Env, FailStop};
use xiaoer::journal::{Embedded, JournalError, JournalSettings, NoObserver};
use xiaoer::runtime::{
    Differences, EventResult, IncomingEvent, RuntimeObserver, RuntimeSettings, SharedLedger,
    Shops as AllShops, Unavailable,
};
use xiaoer::webhooks::{ClientSettings, SecretsFile, SystemLookup, Webhooks};
use xiaoer::wire::{Line, read_event};

/// A clock that stands where it is put.
pub struct SetClock(AtomicI64);

impl SetClock {
    /// A clock at this instant.
    pub fn at(instant: &str) -> Arc<SetClock> {
        let instant = Instant::parse(instant).expect("an instant");
        Arc::new(SetClock(AtomicI64::new(instant.ms())))
    }

    /// Puts it somewhere, ahead or back.
    pub fn set(&self, instant: Instant) {
        self.0.store(instant.ms(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Instant {
        Instant::from_ms(self.0.load(Ordering::SeqCst))
    }

    fn at_least(&self, instant: Instant) {
        self.0.fetch_max(instant.ms(), Ordering::SeqCst);
    }
}

/// A fail_stop that panics on events that hold a word, and where the disk failing is a failed test.
#[derive(Default)]
pub struct Planted {
    /// The word.
    pub word: Mutex<Option<String>>,
}

impl FailStop for Planted {
    fn stop(&self, why: &str) -> ! {
        panic!("the disk failed: {why}")
    }

    fn before_event(&self, _shop: &str, text: &[u8]) {
        let word = self
            .word
            .lock()
            .map(|word| word.clone())
            .unwrap_or_default();
        if let Some(word) = word
            && String::from_utf8_lossy(text).contains(&word)
        {
            panic!("a planted bug");
        }
    }
}

/// Counts what happens to shops.
#[derive(Default)]
pub struct Seen {
    /// Shops that a bug stopped.
    pub panics: AtomicI64,
    /// Shops that are awake.
    pub alive: AtomicI64,
    /// Alerts of webhooks.
    pub alerts: Mutex<Vec<String>>,
    /// Shops that came up otherwise decided than recorded, and by how many decisions.
    pub otherwise: Mutex<Vec<(String, u64)>>,
}

impl RuntimeObserver for Seen {
    fn request_arrived(&self, _: usize) {}
    fn handled(&self, _: &xiaoer::domain::protocol::event::EventBody) {}
    fn decided(&self, _decisions: &[Decision]) {}
    fn counted(&self, _before: &Counts, _after: &Counts) {}
    fn actors_changed(&self, by: i64) {
        self.alive.fetch_add(by, Ordering::SeqCst);
    }
    fn shop_loaded(&self, _micros: u64) {}
    fn panicked(&self, _shop: &Id) {
        self.panics.fetch_add(1, Ordering::SeqCst);
    }
    fn decisions_differ(&self, shop: &Id, differences: &Differences) {
        let mut otherwise = self.otherwise.lock().expect("a list");
        otherwise.push((shop.to_string(), differences.count));
    }
    fn failed(&self, shop: &Id, error: &JournalError) {
        eprintln!("shop {shop}: {error}");
    }
}

impl Seen {
    fn alert(&self, alert: String) {
        self.alerts.lock().expect("alerts").push(alert);
    }
}

impl xiaoer::webhooks::WebhookObserver for Seen {
    fn tried(&self, _delivered: bool, _decisions: u32, _micros: u64) {}

    fn gave_up(&self, _shop: &Id, endpoint: &str) {
        self.alert(format!("{endpoint} gave up"));
    }

    fn disabled(&self, _shop: &Id, endpoint: &str, why: &str) {
        self.alert(format!("{endpoint} off: {why}"));
    }
}

/// Shops over a folder.
pub struct Shops {
    /// The desk.
    pub desk: AllShops,
    /// The clock that it goes by.
    pub clock: Arc<SetClock>,
    /// What it met.
    pub seen: Arc<Seen>,
    /// What is planted.
    pub planted: Arc<Planted>,
    /// The journal under it.
    pub journal: Arc<Embedded>,
    /// Where all of it is kept.
    pub folder: PathBuf,
}

/// The journal's settings in a folder.
pub fn settings(folder: &Path) -> JournalSettings {
    JournalSettings {
        data: folder.to_owned(),
        cache_bytes: 8 * 1024 * 1024,
        reserve_bytes: 0,
        ballast_bytes: 0,
        linger_us: 0,
        retention_ms: 0,
        checkpoint_records: 262_144,
        timeouts: xiaoer::journal::DiskTimeouts::default(),
        sync: true,
    }
}

impl Shops {
    /// Opens a folder; `idle` is how long a shop stays awake.
    pub fn open(folder: &Path, clock: &Arc<SetClock>, idle: Duration) -> Shops {
        Shops::open_with(&settings(folder), clock, idle)
    }

    /// The same with a journal of these settings.
    pub fn open_with(settings: &JournalSettings, clock: &Arc<SetClock>, idle: Duration) -> Shops {
        let planted = Arc::new(Planted::default());
        let env = Env {
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            fail_stop: Arc::clone(&planted) as Arc<dyn FailStop>,
        };
        let opened = Embedded::open(settings, &env, Box::new(NoObserver));
        let opened = opened.unwrap_or_else(|error| panic!("the folder does not open: {error}"));
        let ledger = SharedLedger::load(opened.ledger.as_deref(), opened.booked).expect("a ledger");
        let ledger = Arc::new(ledger);
        let journal = Arc::new(opened.journal);
        let source = Arc::clone(&ledger);
        journal.set_ledger_source(Box::new(move || source.bytes()));
        let seen = Arc::new(Seen::default());
        let desk = AllShops::new(
            Arc::clone(&journal) as Arc<dyn xiaoer::journal::Journal>,
            ledger,
            env,
            Arc::clone(&seen) as Arc<dyn RuntimeObserver>,
            &RuntimeSettings {
                mailbox: 64,
                idle,
                grace: xiaoer::domain::base::time::Duration::from_ms(10_000),
                quota: xiaoer::runtime::ShopQuota {
                    waiting_bytes_max: 16 * 1024 * 1024,
                    bytes_per_hour_max: 0,
                },
            },
        );
        desk.renew_leases().expect("leases that read");
        desk.run_actors_here();
        Shops {
            desk,
            clock: Arc::clone(clock),
            seen,
            planted,
            journal,
            folder: settings.data.clone(),
        }
    }

    /// The couriers of its webhooks, which may call private addresses and wait long for an answer.
    pub fn webhooks(&self) -> Arc<Webhooks> {
        self.webhooks_within(Duration::from_secs(60))
    }

    /// The same; they wait for an answer for so long.
    pub fn webhooks_within(&self, timeout: Duration) -> Arc<Webhooks> {
        let settings = xiaoer::webhooks::WebhookSettings {
            client: ClientSettings {
                timeout,
                private_addresses: true,
                lookup: Arc::new(SystemLookup::new()),
            },
            endpoints_max: 20,
            secrets: SecretsFile::open(&self.folder).expect("the secrets"),
        };
        let watch = Arc::clone(&self.seen) as Arc<dyn xiaoer::webhooks::WebhookObserver>;
        Webhooks::open(self.desk.clone(), settings, watch).expect("the couriers")
    }

    /// Posts events of a shop, each one JSON object.
    pub async fn post(
        &self,
        shop: &str,
        texts: &[String],
    ) -> Result<Vec<EventResult>, Unavailable> {
        let shop = Id::new(shop).expect("an id");
        let events = texts
            .iter()
            .map(|text| intake(text, &shop, self.clock.now()))
            .collect();
        self.desk.post(&shop, events).await
    }

    /// Lets retention of an hour drop all that the shops have recorded so far; what they have become stays.
    pub async fn drop_records(&self) {
        self.desk.passivate_all().await;
        self.journal.checkpoint_now();
        let later = Instant::from_ms(self.clock.now().ms() + 2 * 3_600_000);
        self.clock.set(later);
        // The journal's own end says how old a record is.
        let made = serde_json::json!({"type": "shop.configured", "policy": {}});
        let made = self.post("somebody later", &[made.to_string()]).await;
        made.expect("a shop");
        self.journal.checkpoint_now();
    }

    /// Stores all states and lets go of the folder.
    pub async fn close(self) {
        self.desk.close().await;
    }
}

/// One event, as a door reads it.
pub fn intake(text: &str, shop: &Id, now: Instant) -> IncomingEvent {
    let read = read_event(text, shop, now).unwrap_or_else(|error| panic!("{text} is {error}"));
    let text = ByteString::from(text);
    match read.line {
        Line::Event(_, event) => IncomingEvent::Event {
            event,
            stamped: read.stamped,
            text,
        },
        Line::Malformed(malformed) => IncomingEvent::Malformed { malformed, text },
    }
}

/// The decisions of an answer.
pub fn decisions(answered: &EventResult) -> Vec<Value> {
    serde_json::from_str(&answered.decisions).expect("an array of decisions")
}

/// The ledger of nobody.
pub fn no_ledger() -> MemoryLedger {
    MemoryLedger::default()
}
