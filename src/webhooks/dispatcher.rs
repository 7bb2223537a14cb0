//! All endpoints of all shops, and the thread on which their workers run.
//!
//! A change is kept before it is answered. The couriers have a thread of their own, so that whatever they read or wait
//! for keeps no shop waiting.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::WebhookObserver;
use super::delivery::attempt::{AttemptResult, SeqRange};
use super::delivery::outbox::{Outbox, RESENDS_MAX};
use super::delivery::payload;
use super::endpoint::{Endpoint, Wanted};
use super::recovery::{self, number};
use super::secrets_file::{ENDPOINTS_MAX, SecretsFile};
use super::send::{NO_SECRET, call, told};
use super::subscription::{NamedWebhook, Subscription};
use super::transport::client::{ClientSettings, WebhookClient};
use super::transport::signature::Secret;
use super::transport::url_policy::read_url;
use super::worker::{EndpointWorker, Office, Over};
use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::env::blocking;
use crate::journal::JournalError;
use crate::runtime::Shops;

/// Letters and digits of an endpoint's id.
const ID_CHARS: usize = 16;

/// How webhooks are sent.
pub struct WebhookSettings {
    /// How calls are made.
    pub calling: ClientSettings,
    /// How many endpoints a shop may have.
    pub endpoints_max: usize,
    /// The secrets of all endpoints.
    pub secrets: SecretsFile,
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
type Posts = BTreeMap<(Id, String), Arc<Subscription>>;

/// All endpoints.
pub struct Webhooks {
    pub(super) office: Arc<Office>,
    posts: Arc<Mutex<Posts>>,
    couriers: Mutex<Vec<JoinHandle<()>>>,
    closing: watch::Sender<bool>,
    pub(super) runtime: Handle,
    private_addresses: bool,
    endpoints_max: usize,
    timeout: Duration,
    pub(super) secrets: Arc<SecretsFile>,
    /// Held by whoever changes secrets, from reading what there are until they are in use.
    pub(super) changing_secrets: tokio::sync::Mutex<()>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while it held a lock of ours has left nothing half done.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Webhooks {
    /// Opens all endpoints with their stored state, and resumes every worker.
    ///
    /// # Errors
    ///
    /// What was kept does not read, or the thread or the TLS of the calls cannot be had.
    pub fn open(
        desk: Shops,
        settings: WebhookSettings,
        watch: Arc<dyn WebhookObserver>,
    ) -> Result<Arc<Webhooks>, JournalError> {
        let failed = |what: String| JournalError::Failed(format!("webhooks: {what}"));
        let timeout = Duration::from_ms(settings.calling.timeout.as_millis() as i64);
        let private_addresses = settings.calling.private_addresses;
        let secrets = Arc::new(settings.secrets);
        let found = recovery::posts(&desk, &secrets, timeout)?;
        let (closing, closed) = watch::channel(false);
        let runtime = run(closed.clone()).map_err(|error| failed(error.to_string()))?;
        let posts: Arc<Mutex<Posts>> = Arc::default();
        let caller =
            WebhookClient::new(settings.calling).map_err(|error| failed(error.to_string()))?;
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
                secrets,
                changing_secrets: tokio::sync::Mutex::new(()),
            }
        });
        for post in found {
            webhooks.start(Arc::new(post));
        }
        Ok(webhooks)
    }

    /// The endpoints of a shop, the oldest first.
    pub fn list(&self, shop: &Id) -> Vec<Arc<Subscription>> {
        let posts = held(&self.posts);
        let of_shop = posts.range((shop.clone(), String::new())..);
        let mut list: Vec<Arc<Subscription>> = of_shop
            .take_while(|((of, _), _)| of == shop)
            .map(|(_, post)| Arc::clone(post))
            .collect();
        list.sort_by_key(|post| (post.inner().endpoint.made, post.id.clone()));
        list
    }

    /// One endpoint of a shop.
    pub fn get(&self, shop: &Id, id: &str) -> Result<Arc<Subscription>, NotDone> {
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
    ) -> Result<(Arc<Subscription>, Secret), NotDone> {
        self.check(&wanted)?;
        let url = wanted.url.clone();
        let url = url.ok_or_else(|| NotDone::Refused("`url` is missing.".to_owned()))?;
        if self.list(shop).len() >= self.endpoints_max {
            let max = self.endpoints_max;
            return Err(NotDone::Full(format!(
                "The shop has {max} endpoints, the most there may be (`webhook.endpoints_max`): take one away first."
            )));
        }
        if self.secrets.len() >= ENDPOINTS_MAX {
            return Err(NotDone::Full(format!(
                "The server has {ENDPOINTS_MAX} endpoints, the most there may be: take one away first."
            )));
        }
        let desk = &self.office.desk;
        let number = number(desk, shop)?.ok_or(NotDone::NoShop)?;
        let secret = new_secret()?;
        let endpoint = Endpoint::new(new_id(), url, secret.clone(), &wanted, desk.now());
        let outbox = Outbox::new(seq, self.timeout);
        let post = Arc::new(Subscription::new((shop.clone(), number), endpoint, outbox));
        let (progress, endpoint, signing) = {
            let inner = post.inner();
            let signing = inner.endpoint.signing().to_vec();
            (inner.kept_progress(), inner.kept_endpoint(), signing)
        };
        // Its secret comes first: there is no endpoint that signs with nothing.
        self.put_secrets(&post, signing).await?;
        desk.keep_soon(shop, &progress.0, progress.1)?;
        self.keep(shop, endpoint).await?;
        self.start(Arc::clone(&post));
        Ok((post, secret))
    }

    /// Changes an endpoint.
    pub async fn change(
        &self,
        shop: &Id,
        id: &str,
        wanted: Wanted,
    ) -> Result<Arc<Subscription>, NotDone> {
        self.check(&wanted)?;
        let post = self.get(shop, id)?;
        let now = self.office.desk.now();
        let kept = {
            let mut inner = post.inner();
            if wanted.enabled == Some(true) && !inner.endpoint.has_secret() {
                return Err(NotDone::Refused(format!(
                    "It cannot be switched on: {NO_SECRET}."
                )));
            }
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
        let (secrets, number, id) = (Arc::clone(&self.secrets), post.number, post.id.clone());
        self.write_secrets(move || {
            let gone = |shop, endpoint: &str| (shop, endpoint) == (number, id.as_str());
            secrets
                .retain(|shop, endpoint| !gone(shop, endpoint))
                .map(drop)
        })
        .await
    }

    /// Sends a range of decisions again: one by one with the ids that they had, with `batch` grouped anew.
    pub async fn resend(&self, shop: &Id, id: &str, range: SeqRange) -> Result<(), NotDone> {
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
    pub async fn test(&self, shop: &Id, id: &str) -> Result<AttemptResult, NotDone> {
        let post = self.get(shop, id)?;
        let now = self.office.desk.now();
        let message = payload::test(&post.id, shop, now);
        let endpoint = post.inner().endpoint.clone();
        let (office, shop) = (Arc::clone(&self.office), shop.clone());
        let calling = self.runtime.spawn(async move {
            let called = call(&office.caller, &shop, &endpoint, &message, now).await;
            told(&called, office.desk.now())
        });
        calling.await.map_err(|_| {
            NotDone::Failed(JournalError::Failed(
                "the server is shutting down".to_owned(),
            ))
        })
    }

    /// Has every worker look at the clock, which was moved.
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
                .and_then(|url| self.office.caller.check(&url))
                .map_err(|why| NotDone::Refused(format!("`url`: {why}."))),
            None => Ok(()),
        }
    }

    /// Called while the post is held where several may change it: what was changed last is kept last.
    fn keep(
        &self,
        shop: &Id,
        (name, value): NamedWebhook,
    ) -> impl Future<Output = Result<(), NotDone>> + use<> {
        let kept = self.office.desk.keep(shop, &name, value);
        async move {
            match kept.await? {
                true => Ok(()),
                false => Err(NotDone::NoShop),
            }
        }
    }

    fn start(&self, post: Arc<Subscription>) {
        let key = (post.shop.clone(), post.id.clone());
        held(&self.posts).insert(key.clone(), Arc::clone(&post));
        let number = post.number;
        let courier = EndpointWorker::new(Arc::clone(&self.office), post);
        let (posts, secrets) = (Arc::clone(&self.posts), Arc::clone(&self.secrets));
        let task = self.runtime.spawn(async move {
            match courier.run().await {
                Over::ShopGone => {
                    held(&posts).remove(&key);
                    // The first of its endpoints takes those of all; what fails is swept at the next start.
                    let sweep = move || secrets.retain(|shop, _| shop != number);
                    blocking(sweep).await.ok();
                }
                Over::Closed | Over::Removed => {}
            }
        });
        let mut couriers = held(&self.couriers);
        couriers.retain(|courier| !courier.is_finished());
        couriers.push(task);
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
        // Until the dispatcher is dropped: what is on its way when the server stops comes to its end.
        runtime.block_on(async { while closed.changed().await.is_ok() {} });
    })?;
    Ok(handle)
}

/// A new id: letters and digits, since it is a part of the ids of messages.
fn new_id() -> String {
    use rand::Rng;
    use rand::distr::Alphanumeric;
    let chars = rand::rng().sample_iter(Alphanumeric).take(ID_CHARS);
    format!("wh{}", chars.map(char::from).collect::<String>())
}

/// A secret that nobody knows yet.
pub(super) fn new_secret() -> Result<Secret, NotDone> {
    Secret::new().map_err(|error| {
        let what = format!("the system gives no random bytes: {error}");
        NotDone::Failed(JournalError::Failed(what))
    })
}
