//! All endpoints of all shops, and the thread on which their workers run.
//!
//! A change is stored before it is answered. The workers have a thread of their own, so that their reads and waits do
//! not delay a shop.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::WebhookObserver;
use super::delivery::delivery_state::{AttemptResult, SeqRange};
use super::delivery::outbox::{Outbox, REPLAYS_MAX};
use super::delivery::payload;
use super::endpoint::{Endpoint, EndpointChange};
use super::endpoint_state::{NamedWebhook, Subscription};
use super::recovery::{self, number};
use super::secrets_file::{ENDPOINTS_MAX, SecretsFile};
use super::send::{NO_SECRET, attempt_result, call};
use super::transport::client::{ClientSettings, WebhookClient};
use super::transport::signature::Secret;
use super::transport::url_policy::read_url;
use super::worker::{EndpointWorker, WorkerContext, WorkerEnd};
use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::env::blocking;
use crate::journal::JournalError;
use crate::runtime::Shops;

/// Letters and digits of an endpoint's id.
const ID_CHARS: usize = 16;

/// The settings of webhooks.
pub struct WebhookSettings {
    /// How endpoints are called.
    pub client: ClientSettings,
    /// How many endpoints a shop may have.
    pub endpoints_max: usize,
    /// The secrets of all endpoints.
    pub secrets: SecretsFile,
}

/// Why a request about endpoints was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookError {
    /// There is no such endpoint.
    Unknown,
    /// The request is invalid; the text says why and what to do.
    Refused(String),
    /// A limit is reached; the text names it and says what to do.
    Full(String),
    /// The shop does not exist.
    NoShop,
    /// The change could not be stored.
    Failed(JournalError),
}

impl From<JournalError> for WebhookError {
    fn from(error: JournalError) -> WebhookError {
        WebhookError::Failed(error)
    }
}

/// The subscriptions, by shop and endpoint.
type Subscriptions = BTreeMap<(Id, String), Arc<Subscription>>;

/// All endpoints of all shops, with their workers.
pub struct Webhooks {
    pub(super) context: Arc<WorkerContext>,
    subscriptions: Arc<Mutex<Subscriptions>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    closing: watch::Sender<bool>,
    pub(super) runtime: Handle,
    private_addresses: bool,
    endpoints_max: usize,
    timeout: Duration,
    pub(super) secrets: Arc<SecretsFile>,
    /// Held during a change of secrets, from reading the old ones until the new ones are in use.
    pub(super) changing_secrets: tokio::sync::Mutex<()>,
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // A thread that panicked while it held the lock has left no value half changed.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Webhooks {
    /// Opens all endpoints with their stored state, and resumes every worker.
    ///
    /// # Errors
    ///
    /// A stored endpoint cannot be read, or the thread or the TLS client cannot be made.
    pub fn open(
        shops: Shops,
        settings: WebhookSettings,
        observer: Arc<dyn WebhookObserver>,
    ) -> Result<Arc<Webhooks>, JournalError> {
        let failed = |what: String| JournalError::Failed(format!("webhooks: {what}"));
        let timeout = Duration::from_ms(settings.client.timeout.as_millis() as i64);
        let private_addresses = settings.client.private_addresses;
        let secrets = Arc::new(settings.secrets);
        let found = recovery::subscriptions(&shops, &secrets, timeout)?;
        let (closing, closed) = watch::channel(false);
        let runtime = run(closed.clone()).map_err(|error| failed(error.to_string()))?;
        let subscriptions: Arc<Mutex<Subscriptions>> = Arc::default();
        let client =
            WebhookClient::new(settings.client).map_err(|error| failed(error.to_string()))?;
        let webhooks = Arc::new_cyclic(|this: &std::sync::Weak<Webhooks>| {
            let this = this.clone();
            Webhooks {
                context: Arc::new(WorkerContext {
                    shops,
                    client,
                    observer,
                    closing: closed,
                    send_notice: Box::new(move |subscription, why| {
                        if let Some(webhooks) = this.upgrade() {
                            webhooks.send_notice(subscription, why);
                        }
                    }),
                }),
                subscriptions,
                workers: Mutex::default(),
                closing,
                runtime,
                private_addresses,
                endpoints_max: settings.endpoints_max,
                timeout,
                secrets,
                changing_secrets: tokio::sync::Mutex::new(()),
            }
        });
        for subscription in found {
            webhooks.start(Arc::new(subscription));
        }
        Ok(webhooks)
    }

    /// The endpoints of a shop, the oldest first.
    pub fn list(&self, shop: &Id) -> Vec<Arc<Subscription>> {
        let subscriptions = held(&self.subscriptions);
        let of_shop = subscriptions.range((shop.clone(), String::new())..);
        let mut list: Vec<Arc<Subscription>> = of_shop
            .take_while(|((of, _), _)| of == shop)
            .map(|(_, subscription)| Arc::clone(subscription))
            .collect();
        list.sort_by_key(|subscription| {
            (subscription.inner().endpoint.made, subscription.id.clone())
        });
        list
    }

    /// One endpoint of a shop.
    pub fn get(&self, shop: &Id, id: &str) -> Result<Arc<Subscription>, WebhookError> {
        let subscription = held(&self.subscriptions)
            .get(&(shop.clone(), id.to_owned()))
            .cloned();
        subscription.ok_or(WebhookError::Unknown)
    }

    /// Makes an endpoint, which gets all decisions above `seq`. Its secret is shown this once.
    pub async fn add(
        &self,
        shop: &Id,
        change: EndpointChange,
        seq: u64,
    ) -> Result<(Arc<Subscription>, Secret), WebhookError> {
        self.check(&change)?;
        let url = change.url.clone();
        let url = url.ok_or_else(|| WebhookError::Refused("`url` is missing.".to_owned()))?;
        if self.list(shop).len() >= self.endpoints_max {
            let max = self.endpoints_max;
            return Err(WebhookError::Full(format!(
                "The shop has {max} endpoints, the most that are allowed (`webhook.endpoints_max`). Delete one first."
            )));
        }
        if self.secrets.len() >= ENDPOINTS_MAX {
            return Err(WebhookError::Full(format!(
                "The server has {ENDPOINTS_MAX} endpoints, the most that are allowed. Delete one first."
            )));
        }
        let shops = &self.context.shops;
        let number = number(shops, shop)?.ok_or(WebhookError::NoShop)?;
        let secret = new_secret()?;
        let endpoint = Endpoint::new(new_id(), url, secret.clone(), &change, shops.now());
        let outbox = Outbox::new(seq, self.timeout);
        let subscription = Arc::new(Subscription::new((shop.clone(), number), endpoint, outbox));
        let (progress, endpoint, signing) = {
            let inner = subscription.inner();
            let signing = inner.endpoint.signing().to_vec();
            (inner.cursor_entry(), inner.endpoint_entry(), signing)
        };
        // The secret is stored first, so that no endpoint is without one.
        self.put_secrets(&subscription, signing).await?;
        shops.put_metadata_soon(shop, &progress.0, progress.1)?;
        self.store(shop, endpoint).await?;
        self.start(Arc::clone(&subscription));
        Ok((subscription, secret))
    }

    /// Changes an endpoint.
    pub async fn change(
        &self,
        shop: &Id,
        id: &str,
        change: EndpointChange,
    ) -> Result<Arc<Subscription>, WebhookError> {
        self.check(&change)?;
        let subscription = self.get(shop, id)?;
        let now = self.context.shops.now();
        let stored = {
            let mut inner = subscription.inner();
            if change.enabled == Some(true) && !inner.endpoint.has_secret() {
                return Err(WebhookError::Refused(format!(
                    "It cannot be switched on: {NO_SECRET}."
                )));
            }
            inner.endpoint.change(&change);
            if change.enabled == Some(true) {
                inner.outbox.reset_failures(now);
            }
            self.store(shop, inner.endpoint_entry())
        };
        stored.await?;
        subscription.wake.notify_one();
        Ok(subscription)
    }

    /// Removes an endpoint and everything that is stored of it.
    pub async fn remove(&self, shop: &Id, id: &str) -> Result<(), WebhookError> {
        let subscription = self.get(shop, id)?;
        let names = {
            let mut inner = subscription.inner();
            inner.removed = true;
            inner.metadata_names()
        };
        held(&self.subscriptions).remove(&(shop.clone(), id.to_owned()));
        subscription.wake.notify_one();
        let mut names = names.into_iter();
        // Once the endpoint is removed, the next start removes anything that is left.
        if let Some(endpoint) = names.next() {
            self.store(shop, (endpoint, None)).await?;
        }
        for name in names {
            self.context.shops.put_metadata_soon(shop, &name, None)?;
        }
        let (secrets, number, id) = (
            Arc::clone(&self.secrets),
            subscription.number,
            subscription.id.clone(),
        );
        self.write_secrets(move || {
            let gone = |shop, endpoint: &str| (shop, endpoint) == (number, id.as_str());
            secrets
                .retain(|shop, endpoint| !gone(shop, endpoint))
                .map(drop)
        })
        .await
    }

    /// Sends a range of decisions again: one by one with the ids that they had, or grouped anew where `batch` is set.
    pub async fn resend(&self, shop: &Id, id: &str, range: SeqRange) -> Result<(), WebhookError> {
        let subscription = self.get(shop, id)?;
        let stored = {
            let mut inner = subscription.inner();
            if !inner.outbox.resend(range) {
                return Err(WebhookError::Full(format!(
                    "{REPLAYS_MAX} ranges wait to be sent again, the most that are allowed. Wait until one is finished."
                )));
            }
            self.store(shop, inner.cursor_entry())
        };
        stored.await?;
        subscription.wake.notify_one();
        Ok(())
    }

    /// Sends a test message once, also to a disabled endpoint, and returns the result.
    pub async fn test(&self, shop: &Id, id: &str) -> Result<AttemptResult, WebhookError> {
        let subscription = self.get(shop, id)?;
        let now = self.context.shops.now();
        let message = payload::test(&subscription.id, shop, now);
        let endpoint = subscription.inner().endpoint.clone();
        let (context, shop) = (Arc::clone(&self.context), shop.clone());
        let test = self.runtime.spawn(async move {
            let called = call(&context.client, &shop, &endpoint, &message, now).await;
            attempt_result(&called, context.shops.now())
        });
        test.await.map_err(|_| {
            WebhookError::Failed(JournalError::Failed(
                "the server is shutting down".to_owned(),
            ))
        })
    }

    /// Wakes every worker, because the clock was moved.
    pub fn wake_workers(&self) {
        held(&self.subscriptions)
            .values()
            .for_each(|subscription| subscription.wake.notify_one());
    }

    /// Waits for calls in flight to end, and stores the cursor of each endpoint.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        let workers = std::mem::take(&mut *held(&self.workers));
        for worker in workers {
            // A worker that panicked has written it to the log.
            worker.await.ok();
        }
    }

    fn check(&self, change: &EndpointChange) -> Result<(), WebhookError> {
        change.check().map_err(WebhookError::Refused)?;
        match &change.url {
            Some(url) => read_url(url, self.private_addresses)
                .and_then(|url| self.context.client.check(&url))
                .map_err(|why| WebhookError::Refused(format!("`url`: {why}."))),
            None => Ok(()),
        }
    }

    /// Called under the lock of the subscription where several may change it, so that changes are stored in their
    /// order.
    fn store(
        &self,
        shop: &Id,
        (name, value): NamedWebhook,
    ) -> impl Future<Output = Result<(), WebhookError>> + use<> {
        let stored = self.context.shops.put_metadata(shop, &name, value);
        async move {
            match stored.await? {
                true => Ok(()),
                false => Err(WebhookError::NoShop),
            }
        }
    }

    fn start(&self, subscription: Arc<Subscription>) {
        let key = (subscription.shop.clone(), subscription.id.clone());
        held(&self.subscriptions).insert(key.clone(), Arc::clone(&subscription));
        let number = subscription.number;
        let worker = EndpointWorker::new(Arc::clone(&self.context), subscription);
        let (subscriptions, secrets) = (Arc::clone(&self.subscriptions), Arc::clone(&self.secrets));
        let task = self.runtime.spawn(async move {
            match worker.run().await {
                WorkerEnd::ShopGone => {
                    held(&subscriptions).remove(&key);
                    // The first worker that ends removes the secrets of all endpoints of the shop. The next start
                    // repeats a removal that fails.
                    let sweep = move || secrets.retain(|shop, _| shop != number);
                    blocking(sweep).await.ok();
                }
                WorkerEnd::Closed | WorkerEnd::Removed => {}
            }
        });
        let mut workers = held(&self.workers);
        workers.retain(|worker| !worker.is_finished());
        workers.push(task);
    }
}

/// The thread of the workers, which ends when the server stops.
fn run(mut closed: watch::Receiver<bool>) -> std::io::Result<Handle> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let handle = runtime.handle().clone();
    let thread = std::thread::Builder::new().name("webhooks".to_owned());
    thread.spawn(move || {
        // It ends when the dispatcher is dropped, so that calls in flight can end first.
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

/// A new random secret.
pub(super) fn new_secret() -> Result<Secret, WebhookError> {
    Secret::new().map_err(|error| {
        let what = format!("the system gave no random bytes: {error}");
        WebhookError::Failed(JournalError::Failed(what))
    })
}
