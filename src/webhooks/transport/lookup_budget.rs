//! Name resolution within a budget, so that names without an answer delay only their own endpoints.
//!
//! A look-up occupies a thread for as long as the name's servers take. So an endpoint has few look-ups in progress, a
//! shop has a share, and each name is resolved once at a time for all callers. A name that was not found is
//! remembered, twice as long each time, and not asked for again until then.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::domain::base::id::Id;
use crate::env::Stopwatch;
use crate::webhooks::transport::lookup::Lookup;

/// The most look-ups in progress, of all shops.
pub const LOOKUPS_MAX: usize = 512;

/// The most of one shop.
pub const SHOP_LOOKUPS_MAX: usize = 8;

/// The most of one endpoint.
pub const ENDPOINT_LOOKUPS_MAX: usize = 2;

/// How long a name that was not found is not asked for again, the first time.
const FORGET_AFTER: Duration = Duration::from_secs(1);

/// The longest such time.
const FORGET_AFTER_MAX: Duration = Duration::from_secs(60);

/// The most names that are remembered, without those in progress.
const NAMES_MAX: usize = 4096;

/// The endpoint whose call needs a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LookupCaller {
    /// The shop.
    pub shop: Id,
    /// The endpoint's id.
    pub endpoint: String,
}

/// The result of a look-up: addresses, or why there are none.
type ResolvedName = Result<Vec<IpAddr>, String>;

/// All look-ups in progress, and names that were not found.
pub(super) struct Dns {
    lookup: Arc<dyn Lookup>,
    state: Mutex<LookupState>,
    all: Arc<Semaphore>,
}

#[derive(Default)]
struct LookupState {
    names: HashMap<String, Name>,
    shops: Budgets<Option<Id>>,
    endpoints: Budgets<Option<LookupCaller>>,
}

#[derive(Default)]
struct Name {
    failed: Option<FailedLookup>,
    /// The look-up in progress.
    pending: Option<watch::Receiver<Option<ResolvedName>>>,
}

struct FailedLookup {
    why: String,
    since: Stopwatch,
    /// How long it is remembered.
    kept: Duration,
}

impl FailedLookup {
    fn is_remembered(&self) -> bool {
        Duration::from_micros(self.since.micros()) < self.kept
    }
}

/// Budgets that are in use.
struct Budgets<K>(HashMap<K, Weak<Semaphore>>);

impl<K> Default for Budgets<K> {
    fn default() -> Budgets<K> {
        Budgets(HashMap::new())
    }
}

impl<K: Hash + Eq> Budgets<K> {
    fn of(&mut self, key: K, max: usize) -> Arc<Semaphore> {
        if let Some(budget) = self.0.get(&key).and_then(Weak::upgrade) {
            return budget;
        }
        self.0.retain(|_, budget| budget.strong_count() > 0);
        let budget = Arc::new(Semaphore::new(max));
        self.0.insert(key, Arc::downgrade(&budget));
        budget
    }
}

/// The permits of one look-up, held until it ends.
struct Permits(#[expect(dead_code, reason = "they are held")] [OwnedSemaphorePermit; 3]);

/// What a caller has to do for a name.
enum LookupStep {
    /// The answer is known.
    Known(ResolvedName),
    /// Wait for the look-up in progress.
    Wait(watch::Receiver<Option<ResolvedName>>),
    /// Begin a look-up.
    Free,
}

impl Dns {
    pub(super) fn new(lookup: Arc<dyn Lookup>) -> Arc<Dns> {
        Arc::new(Dns {
            lookup,
            state: Mutex::default(),
            all: Arc::new(Semaphore::new(LOOKUPS_MAX)),
        })
    }

    /// The addresses of a name. Waits for the budget, then for the look-up. The caller has a time limit of its own.
    pub(super) async fn find(
        self: Arc<Dns>,
        host: &str,
        caller: Option<LookupCaller>,
    ) -> ResolvedName {
        let mut permits = None;
        loop {
            let step = self.step(host);
            match (step, permits.take()) {
                (LookupStep::Known(found), _) => return found,
                (LookupStep::Wait(pending), _) => return ended(pending).await,
                (LookupStep::Free, None) => permits = Some(self.permits(caller.clone()).await?),
                (LookupStep::Free, Some(permits)) => return ended(self.start(host, permits)).await,
            }
        }
    }

    fn step(&self, host: &str) -> LookupStep {
        let state = self.state();
        let Some(name) = state.names.get(host) else {
            return LookupStep::Free;
        };
        if let Some(pending) = &name.pending {
            return LookupStep::Wait(pending.clone());
        }
        match &name.failed {
            Some(failed) if failed.is_remembered() => LookupStep::Known(Err(failed.why.clone())),
            Some(_) | None => LookupStep::Free,
        }
    }

    async fn permits(&self, caller: Option<LookupCaller>) -> Result<Permits, String> {
        let (endpoint, shop) = {
            let mut state = self.state();
            let shop = caller.as_ref().map(|caller| caller.shop.clone());
            let endpoint = state.endpoints.of(caller, ENDPOINT_LOOKUPS_MAX);
            (endpoint, state.shops.of(shop, SHOP_LOOKUPS_MAX))
        };
        let closed = |_| "the server is stopping and resolves no more names".to_owned();
        // In this order, so that a caller that waits for its own share takes no shared permit.
        let endpoint = endpoint.acquire_owned().await.map_err(closed)?;
        let shop = shop.acquire_owned().await.map_err(closed)?;
        let all = Arc::clone(&self.all)
            .acquire_owned()
            .await
            .map_err(closed)?;
        Ok(Permits([endpoint, shop, all]))
    }

    /// Resolves a name. The look-up runs to its end even where no caller waits for it any more.
    fn start(
        self: &Arc<Dns>,
        host: &str,
        permits: Permits,
    ) -> watch::Receiver<Option<ResolvedName>> {
        let (sender, pending) = watch::channel(None);
        {
            let mut state = self.state();
            make_room(&mut state.names);
            let name = state.names.entry(host.to_owned()).or_default();
            name.pending = Some(pending.clone());
        }
        let (dns, host) = (Arc::clone(self), host.to_owned());
        let looked_up = self.lookup.lookup(&host);
        tokio::spawn(async move {
            let found = match looked_up.await {
                Ok(found) if found.is_empty() => Err(format!("the name {host} has no address")),
                Ok(found) => Ok(found),
                Err(error) => Err(format!("the name {host} was not found: {error}")),
            };
            dns.end(&host, &found);
            drop(permits);
            sender.send_replace(Some(found));
        });
        pending
    }

    fn end(&self, host: &str, found: &ResolvedName) {
        let mut state = self.state();
        let Err(why) = found else {
            state.names.remove(host);
            return;
        };
        let name = state.names.entry(host.to_owned()).or_default();
        name.pending = None;
        let kept = name
            .failed
            .as_ref()
            .map_or(FORGET_AFTER, |failed| 2 * failed.kept);
        name.failed = Some(FailedLookup {
            why: why.clone(),
            since: Stopwatch::start(),
            kept: kept.min(FORGET_AFTER_MAX),
        });
    }

    fn state(&self) -> MutexGuard<'_, LookupState> {
        // A thread that panicked while it held the lock has left no value half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets names that are neither in progress nor remembered; where that is not enough, all names that are not in
/// progress.
fn make_room(names: &mut HashMap<String, Name>) {
    if names.len() < NAMES_MAX {
        return;
    }
    names.retain(|_, name| {
        let failed = name.failed.as_ref();
        name.pending.is_some() || failed.is_some_and(FailedLookup::is_remembered)
    });
    if names.len() >= NAMES_MAX {
        names.retain(|_, name| name.pending.is_some());
    }
}

/// The end of a look-up.
async fn ended(mut pending: watch::Receiver<Option<ResolvedName>>) -> ResolvedName {
    let found = pending.wait_for(Option::is_some).await;
    match found.ok().and_then(|found| found.clone()) {
        Some(found) => found,
        None => Err("the look-up of the name was cancelled".to_owned()),
    }
}

tokio::task_local! {
    /// The endpoint whose call is being made.
    static CALLER: LookupCaller;
}

/// Makes a call for an endpoint: names are resolved within its budget.
pub(super) async fn for_endpoint<F: Future>(caller: LookupCaller, call: F) -> F::Output {
    CALLER.scope(caller, call).await
}

/// The endpoint whose call is being made; `None` where a connection is finished that its call no longer needs.
pub(super) fn caller() -> Option<LookupCaller> {
    CALLER.try_with(Clone::clone).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::webhooks::LookupFuture;

    /// Names of `dead` never give an answer, those of `none` are not there, all others are found.
    #[derive(Default)]
    struct Servers {
        asked: AtomicUsize,
    }

    impl Lookup for Servers {
        fn lookup(&self, host: &str) -> LookupFuture {
            self.asked.fetch_add(1, Ordering::SeqCst);
            match host.split('.').next_back() {
                Some("dead") => Box::pin(std::future::pending()),
                Some("none") => Box::pin(async { Err(std::io::Error::other("no such name")) }),
                Some(_) | None => Box::pin(async { Ok(vec![IpAddr::from([8, 8, 8, 8])]) }),
            }
        }
    }

    fn caller(shop: usize, endpoint: usize) -> Option<LookupCaller> {
        Some(LookupCaller {
            shop: Id::new(&format!("shop-{shop}")).unwrap(),
            endpoint: format!("wh{shop}-{endpoint}"),
        })
    }

    /// Lets all that can go on do so: the runtime runs some dozens of tasks between two looks at this one, and there are
    /// thousands.
    async fn settle() {
        for _ in 0..4096 {
            tokio::task::yield_now().await;
        }
    }

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(test);
    }

    #[test]
    fn names_without_an_answer_hold_up_nobody_but_their_own() {
        run(async {
            let servers = Arc::new(Servers::default());
            let dns = Dns::new(Arc::clone(&servers) as Arc<dyn Lookup>);
            // Forty shops, each with more dead names than its share: hundreds of look-ups hang.
            for shop in 0..40 {
                for endpoint in 0..200 {
                    let dns = Arc::clone(&dns);
                    tokio::spawn(async move {
                        let host = format!("h{shop}-{endpoint}.dead");
                        dns.find(&host, caller(shop, endpoint)).await
                    });
                }
            }
            settle().await;
            assert_eq!(servers.asked.load(Ordering::SeqCst), 40 * SHOP_LOOKUPS_MAX);
            let found = Arc::clone(&dns).find("good.example", caller(99, 0)).await;
            assert_eq!(found, Ok(vec![IpAddr::from([8, 8, 8, 8])]));
        });
    }

    #[test]
    fn an_endpoint_has_few_look_ups_and_a_name_one() {
        run(async {
            let servers = Arc::new(Servers::default());
            let dns = Dns::new(Arc::clone(&servers) as Arc<dyn Lookup>);
            let ask = |host: String, caller| {
                let dns = Arc::clone(&dns);
                tokio::spawn(async move { dns.find(&host, caller).await })
            };
            for n in 0..50 {
                ask(format!("h{n}.dead"), caller(1, 1));
                ask("same.dead".to_owned(), caller(2, n));
            }
            settle().await;
            assert_eq!(
                servers.asked.load(Ordering::SeqCst),
                ENDPOINT_LOOKUPS_MAX + 1
            );
            // Another endpoint of the shop has a share of its own.
            let found = ask("good.example".to_owned(), caller(1, 2)).await.unwrap();
            assert!(found.is_ok());
        });
    }

    #[test]
    fn a_name_that_was_not_found_is_not_asked_for_again_at_once() {
        run(async {
            let servers = Arc::new(Servers::default());
            let dns = Dns::new(Arc::clone(&servers) as Arc<dyn Lookup>);
            let mut errors = Vec::new();
            for _ in 0..100 {
                let found = Arc::clone(&dns).find("hook.none", caller(1, 1)).await;
                errors.push(found.unwrap_err());
            }
            errors.dedup();
            assert_eq!(errors, ["the name hook.none was not found: no such name"]);
            assert_eq!(servers.asked.load(Ordering::SeqCst), 1);
            // Each time longer, and in the end once a minute.
            let kept = || dns.state().names["hook.none"].failed.as_ref().unwrap().kept;
            let mut all = vec![kept().as_secs()];
            for _ in 0..7 {
                dns.end("hook.none", &Err(String::new()));
                all.push(kept().as_secs());
            }
            assert_eq!(all, [1, 2, 4, 8, 16, 32, 60, 60]);
            dns.end("hook.none", &Ok(Vec::new()));
            assert!(dns.state().names.is_empty(), "found again, it is as new");
        });
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        run(async {
            let dns = Dns::new(Arc::new(Servers::default()));
            for n in 0..NAMES_MAX + 100 {
                let host = format!("h{n}.none");
                assert!(Arc::clone(&dns).find(&host, caller(1, 1)).await.is_err());
            }
            assert!(dns.state().names.len() <= NAMES_MAX);
            settle().await;
            assert!(dns.state().shops.0.len() <= 2);
        });
    }
}
