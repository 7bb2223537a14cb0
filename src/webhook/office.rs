//! The post office: all endpoints of all shops, and the thread on which their couriers run.
//!
//! A change is kept before it is answered. The couriers have a thread of their own, so that whatever they read or wait
//! for keeps no shop waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Watch;
use super::address::read_url;
use super::call::{call, told};
use super::caller::{Caller, Calling};
use super::courier::{Courier, Office, Over};
use super::endpoint::{Endpoint, Wanted};
use super::envelope::{self, DISABLED};
use super::outbox::{Outbox, RESENDS_MAX};
use super::parcel::{Parcel, Told};
use super::post::{Named, Post, found};
use super::schedule::wait_after;
use super::signing::Secret;
use crate::domain::id::Id;
use crate::domain::time::Duration;
use crate::journal::JournalError;
use crate::shop::Desk;

/// How often a notice is tried.
const NOTICE_TRIES: u32 = 3;

/// Letters and digits of an endpoint's id.
const ID_CHARS: usize = 16;

/// How webhooks are sent.
pub struct Settings {
    /// How calls are made.
    pub calling: Calling,
    /// How many endpoints a shop may have.
    pub endpoints_max: usize,
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// No such endpoint.
    Unknown,
    /// It cannot be had: why, and what to do.
    Refused(String),
    /// There are as many as there may be: of what, and what to do.
    Full(String),
    /// The shop is gone.
    NoShop,
    /// It could not be kept.
    Failed(JournalError),
}

impl From<JournalError> for NotDone {
    fn from(error: JournalError) -> NotDone {
        NotDone::Failed(error)
    }
}

/// The posts, by shop and endpoint.
type Posts = BTreeMap<(Id, String), Arc<Post>>;

/// All endpoints.
pub struct Webhooks {
    office: Arc<Office>,
    posts: Arc<Mutex<Posts>>,
    couriers: Mutex<Vec<JoinHandle<()>>>,
    closing: watch::Sender<bool>,
    runtime: Handle,
    private_addresses: bool,
    endpoints_max: usize,
    timeout: Duration,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while it held a lock of ours has left nothing half done.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Webhooks {
    /// Opens the office with what was kept, and has every courier go on.
    ///
    /// # Errors
    ///
    /// What was kept does not read, or the thread or the TLS of the calls cannot be had.
    pub fn open(
        desk: Desk,
        settings: Settings,
        watch: Arc<dyn Watch>,
    ) -> Result<Arc<Webhooks>, JournalError> {
        let failed = |what: String| JournalError::Failed(format!("webhooks: {what}"));
        let timeout = Duration::from_ms(settings.calling.timeout.as_millis() as i64);
        let private_addresses = settings.calling.private_addresses;
        let found = found(&desk)?;
        let (closing, closed) = watch::channel(false);
        let runtime = run(closed.clone()).map_err(|error| failed(error.to_string()))?;
        let posts: Arc<Mutex<Posts>> = Arc::default();
        let caller = Caller::new(settings.calling).map_err(|error| failed(error.to_string()))?;
        let webhooks = Arc::new_cyclic(|this: &std::sync::Weak<Webhooks>| {
            let this = this.clone();
            Webhooks {
                office: Arc::new(Office {
                    desk,
                    caller,
                    watch,
                    closing: closed,
                    notify: Box::new(move |post, why| {
                        if let Some(webhooks) = this.upgrade() {
                            webhooks.notify(post, why);
                        }
                    }),
                }),
                posts,
                couriers: Mutex::default(),
                closing,
                runtime,
                private_addresses,
                endpoints_max: settings.endpoints_max,
                timeout,
            }
        });
        for ((shop, _), of) in found {
            match of.post(shop.clone(), timeout) {
                Ok(post) => webhooks.start(Arc::new(post)),
                Err(names) => {
                    for name in names {
                        webhooks.office.desk.keep_soon(&shop, &name, None)?;
                    }
                }
            }
        }
        Ok(webhooks)
    }

    /// The endpoints of a shop, the oldest first.
    pub fn list(&self, shop: &Id) -> Vec<Arc<Post>> {
        let posts = held(&self.posts);
        let of_shop = posts.range((shop.clone(), String::new())..);
        let mut list: Vec<Arc<Post>> = of_shop
            .take_while(|((of, _), _)| of == shop)
            .map(|(_, post)| Arc::clone(post))
            .collect();
        list.sort_by_key(|post| (post.inner().endpoint.made, post.id.clone()));
        list
    }

    /// One endpoint of a shop.
    pub fn get(&self, shop: &Id, id: &str) -> Result<Arc<Post>, NotDone> {
        let post = held(&self.posts)
            .get(&(shop.clone(), id.to_owned()))
            .cloned();
        post.ok_or(NotDone::Unknown)
    }

    /// Makes an endpoint, to which all decisions above `seq` go. Its secret is shown this once.
    pub async fn add(
        &self,
        shop: &Id,
        wanted: Wanted,
        seq: u64,
    ) -> Result<(Arc<Post>, Secret), NotDone> {
        self.check(&wanted)?;
        let url = wanted.url.clone();
        let url = url.ok_or_else(|| NotDone::Refused("`url` is missing.".to_owned()))?;
        if self.list(shop).len() >= self.endpoints_max {
            let max = self.endpoints_max;
            return Err(NotDone::Full(format!(
                "The shop has {max} endpoints, the most there may be (`webhook.endpoints_max`): take one away first."
            )));
        }
        let now = self.office.desk.now();
        let secret = new_secret()?;
        let endpoint = Endpoint::new(new_id(), url, secret.clone(), &wanted, now);
        let post = Arc::new(Post::new(
            shop.clone(),
            endpoint,
            Outbox::new(seq, self.timeout),
        ));
        let (progress, endpoint) = {
            let inner = post.inner();
            (inner.kept_progress(), inner.kept_endpoint())
        };
        self.office.desk.keep_soon(shop, &progress.0, progress.1)?;
        self.keep(shop, endpoint).await?;
        self.start(Arc::clone(&post));
        Ok((post, secret))
    }

    /// Changes an endpoint.
    pub async fn change(&self, shop: &Id, id: &str, wanted: Wanted) -> Result<Arc<Post>, NotDone> {
        self.check(&wanted)?;
        let post = self.get(shop, id)?;
        let now = self.office.desk.now();
        let kept = {
            let mut inner = post.inner();
            inner.endpoint.change(&wanted);
            if wanted.enabled == Some(true) {
                inner.outbox.begin_anew(now);
            }
            self.keep(shop, inner.kept_endpoint())
        };
        kept.await?;
        post.wake.notify_one();
        Ok(post)
    }

    /// Gives an endpoint another secret; the one before it signs for a day more.
    pub async fn rotate(&self, shop: &Id, id: &str) -> Result<Secret, NotDone> {
        let post = self.get(shop, id)?;
        let now = self.office.desk.now();
        let secret = new_secret()?;
        let kept = {
            let mut inner = post.inner();
            inner.endpoint.rotate(secret.clone(), now);
            self.keep(shop, inner.kept_endpoint())
        };
        kept.await?;
        Ok(secret)
    }

    /// Takes an endpoint away, and all that is kept of it.
    pub async fn remove(&self, shop: &Id, id: &str) -> Result<(), NotDone> {
        let post = self.get(shop, id)?;
        let names = {
            let mut inner = post.inner();
            inner.removed = true;
            inner.all_names()
        };
        held(&self.posts).remove(&(shop.clone(), id.to_owned()));
        post.wake.notify_one();
        let mut names = names.into_iter();
        // Without the endpoint, whatever else is left is swept at the next start.
        if let Some(endpoint) = names.next() {
            self.keep(shop, (endpoint, None)).await?;
        }
        for name in names {
            self.office.desk.keep_soon(shop, &name, None)?;
        }
        Ok(())
    }

    /// Sends a range of decisions again: one by one with the ids that they had, with `batch` grouped anew.
    pub async fn resend(&self, shop: &Id, id: &str, range: Parcel) -> Result<(), NotDone> {
        let post = self.get(shop, id)?;
        let kept = {
            let mut inner = post.inner();
            if !inner.outbox.resend(range) {
                return Err(NotDone::Full(format!(
                    "{RESENDS_MAX} ranges wait to be sent again: wait until one is through."
                )));
            }
            self.keep(shop, inner.kept_progress())
        };
        kept.await?;
        post.wake.notify_one();
        Ok(())
    }

    /// Sends a test now, once, also where the endpoint is switched off; what came of it.
    pub async fn test(&self, shop: &Id, id: &str) -> Result<Told, NotDone> {
        let post = self.get(shop, id)?;
        let now = self.office.desk.now();
        let message = envelope::test(&post.id, shop, now);
        let endpoint = post.inner().endpoint.clone();
        let office = Arc::clone(&self.office);
        let calling = self.runtime.spawn(async move {
            let called = call(&office.caller, &endpoint, &message, now).await;
            told(&called, office.desk.now())
        });
        calling.await.map_err(|_| {
            NotDone::Failed(JournalError::Failed(
                "the server is shutting down".to_owned(),
            ))
        })
    }

    /// Has every courier look at the clock, which was moved.
    pub fn look(&self) {
        held(&self.posts)
            .values()
            .for_each(|post| post.wake.notify_one());
    }

    /// Lets what is on its way come to its end, and keeps how far each endpoint is.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        let couriers = std::mem::take(&mut *held(&self.couriers));
        for courier in couriers {
            // One that panicked has said so.
            courier.await.ok();
        }
    }

    fn check(&self, wanted: &Wanted) -> Result<(), NotDone> {
        wanted.check().map_err(NotDone::Refused)?;
        match &wanted.url {
            Some(url) => read_url(url, self.private_addresses)
                .map(drop)
                .map_err(|why| NotDone::Refused(format!("`url`: {why}."))),
            None => Ok(()),
        }
    }

    /// Called while the post is held where several may change it: what was changed last is kept last.
    fn keep(
        &self,
        shop: &Id,
        (name, value): Named,
    ) -> impl Future<Output = Result<(), NotDone>> + use<> {
        let kept = self.office.desk.keep(shop, &name, value);
        async move {
            match kept.await? {
                true => Ok(()),
                false => Err(NotDone::NoShop),
            }
        }
    }

    fn start(&self, post: Arc<Post>) {
        let key = (post.shop.clone(), post.id.clone());
        held(&self.posts).insert(key.clone(), Arc::clone(&post));
        let courier = Courier::new(Arc::clone(&self.office), post);
        let posts = Arc::clone(&self.posts);
        let task = self.runtime.spawn(async move {
            match courier.run().await {
                Over::ShopGone => drop(held(&posts).remove(&key)),
                Over::Closed | Over::Removed => {}
            }
        });
        let mut couriers = held(&self.couriers);
        couriers.retain(|courier| !courier.is_finished());
        couriers.push(task);
    }

    /// Tells the shop's other endpoints that ask for it that one was switched off. Not in the journal, so tried a few
    /// times and no more.
    fn notify(&self, of: &Post, why: &str) {
        let now = self.office.desk.now();
        for post in self.list(&of.shop) {
            let endpoint = post.inner().endpoint.clone();
            if post.id == of.id || !endpoint.is_on() || !endpoint.wants_notice(DISABLED) {
                continue;
            }
            let message = envelope::disabled(&of.id, &of.shop, why, now);
            let office = Arc::clone(&self.office);
            self.runtime.spawn(async move {
                for tries in 1..=NOTICE_TRIES {
                    let now = office.desk.now();
                    if call(&office.caller, &endpoint, &message, now)
                        .await
                        .delivered()
                    {
                        break;
                    }
                    let wait_ms = wait_after(tries, &message.id).map_or(0, Duration::ms);
                    tokio::time::sleep(std::time::Duration::from_millis(wait_ms as u64)).await;
                }
            });
        }
    }
}

/// The thread of the couriers, which ends when the server stops.
fn run(mut closed: watch::Receiver<bool>) -> std::io::Result<Handle> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let handle = runtime.handle().clone();
    let thread = std::thread::Builder::new().name("webhooks".to_owned());
    thread.spawn(move || {
        // Until the office is dropped: what is on its way when the server stops comes to its end.
        runtime.block_on(async { while closed.changed().await.is_ok() {} });
    })?;
    Ok(handle)
}

fn new_secret() -> Result<Secret, NotDone> {
    Secret::new().map_err(|error| {
        let what = format!("the system gives no random bytes: {error}");
        NotDone::Failed(JournalError::Failed(what))
    })
}

/// A new id: letters and digits, since it is a part of the ids of messages.
fn new_id() -> String {
    use rand::Rng;
    use rand::distr::Alphanumeric;
    let chars = rand::rng().sample_iter(Alphanumeric).take(ID_CHARS);
    format!("wh{}", chars.map(char::from).collect::<String>())
}
