//! The subscription of one endpoint: the endpoint, its outbox and its recent deliveries, under one lock, and their
//! stored form in the metadata of the shop.
//!
//! Three kinds of names are stored, which sort in this order: the endpoint, its cursor, and its retry queue. A backup
//! reads in the order of names, so it misses no message; at worst a message is sent again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::delivery::delivery_state::{AttemptResult, DeliveryCursor, PendingRetry, SeqRange};
use super::delivery::outbox::Outbox;
use super::endpoint::Endpoint;
use super::secrets_file::EndpointSecrets;
use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::journal::{JournalError, MetadataEntry};
use crate::runtime::Shops;

/// The prefix of all names.
const PREFIX: &str = "webhook/";

/// How many recent deliveries are listed.
const RECENT: usize = 100;

/// One endpoint with its outbox and its recent deliveries.
pub struct Subscription {
    /// The id of its shop.
    pub shop: Id,
    /// The number of its shop.
    pub number: u64,
    /// The id of the endpoint.
    pub id: String,
    inner: Mutex<Inner>,
    /// Wakes the worker after a change.
    pub wake: Notify,
}

/// What the lock protects.
pub struct Inner {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its outbox.
    pub outbox: Outbox,
    /// Recent deliveries, the newest last.
    pub recent: VecDeque<Delivered>,
    /// Whether it was removed.
    pub removed: bool,
}

/// A message that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The decisions of the message.
    pub range: SeqRange,
    /// The number of attempts.
    pub attempts: u32,
    /// The result of the last attempt.
    pub result: AttemptResult,
}

/// A name and the value to store under it; `None` removes it.
pub type NamedWebhook = (String, Option<Vec<u8>>);

impl Subscription {
    /// A subscription without recent deliveries.
    pub fn new(shop: (Id, u64), endpoint: Endpoint, outbox: Outbox) -> Subscription {
        let (shop, number) = shop;
        Subscription {
            shop,
            number,
            id: endpoint.id.clone(),
            inner: Mutex::new(Inner {
                endpoint,
                outbox,
                recent: VecDeque::new(),
                removed: false,
            }),
            wake: Notify::new(),
        }
    }

    /// Locks the subscription.
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        // A thread that panicked while it held the lock has left no value half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Adds a recent delivery.
    pub fn add_recent(&mut self, delivered: Delivered) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(delivered);
    }

    /// The entry of the endpoint.
    pub fn endpoint_entry(&self) -> NamedWebhook {
        (
            format!("{PREFIX}{}", self.endpoint.id),
            Some(self.endpoint.stored()),
        )
    }

    /// The entry of the cursor.
    pub fn cursor_entry(&self) -> NamedWebhook {
        let value = serde_json::to_vec(self.outbox.cursor()).unwrap_or_default();
        (format!("{PREFIX}{}/at", self.endpoint.id), Some(value))
    }

    /// The entry of a message of the retry queue; without a value where it has left the queue.
    pub fn retry_entry(&self, range: SeqRange) -> NamedWebhook {
        let SeqRange { from, to } = range;
        let name = format!("{PREFIX}{}/late/{from:020}-{to:020}", self.endpoint.id);
        let value = self.outbox.pending_retry(range);
        (
            name,
            value.map(|of| serde_json::to_vec(of).unwrap_or_default()),
        )
    }

    /// All names under which something may be stored.
    pub fn metadata_names(&self) -> Vec<String> {
        let failed: Vec<SeqRange> = self.outbox.failed_messages().map(|of| of.range).collect();
        let mut names = vec![self.endpoint_entry().0, self.cursor_entry().0];
        names.extend(failed.into_iter().map(|range| self.retry_entry(range).0));
        names
    }
}

/// The stored state of one endpoint.
#[derive(Default)]
pub struct FoundWebhook {
    endpoint: Option<Endpoint>,
    cursor: DeliveryCursor,
    retries: Vec<PendingRetry>,
    names: Vec<String>,
}

/// Converts a stored value of release 0.1. Returns the new value, and the secrets that must be in the file first:
/// those of an endpoint of form 1. Other values stay as they are.
///
/// # Errors
///
/// The value is an endpoint and cannot be read.
pub fn upgrade_metadata(
    shop: u64,
    name: &str,
    value: &[u8],
) -> Result<(Vec<u8>, Option<EndpointSecrets>), String> {
    let id = name.strip_prefix(PREFIX).filter(|id| !id.contains('/'));
    let Some(id) = id else {
        return Ok((value.to_vec(), None));
    };
    let endpoint = Endpoint::read(value);
    let endpoint = endpoint.ok_or_else(|| format!("the webhook {name:?} cannot be decoded"))?;
    let secrets = endpoint.signing().to_vec();
    let secrets = (!secrets.is_empty()).then(|| EndpointSecrets::new(shop, id, secrets));
    Ok((endpoint.stored(), secrets))
}

/// The id of the endpoint that a name belongs to; `None` for a name of another module.
fn endpoint_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PREFIX)?;
    Some(rest.split_once('/').map_or(rest, |(id, _)| id))
}

impl FoundWebhook {
    /// Adds a stored value. A value that cannot be read is a bug, or of a newer program.
    pub fn take(&mut self, kept: &MetadataEntry) -> Result<(), String> {
        let wrong =
            |error: serde_json::Error| format!("{:?} cannot be decoded: {error}", kept.name);
        let rest = kept.name.strip_prefix(PREFIX).unwrap_or_default();
        match rest.split_once('/') {
            None => {
                let endpoint = Endpoint::read(&kept.value);
                let newer = || {
                    format!(
                        "{:?} was written by a newer xiaoer: use that version",
                        kept.name
                    )
                };
                self.endpoint = Some(endpoint.ok_or_else(newer)?);
            }
            Some((_, "at")) => {
                self.cursor = serde_json::from_slice(&kept.value).map_err(wrong)?;
            }
            Some(_) => self
                .retries
                .push(serde_json::from_slice(&kept.value).map_err(wrong)?),
        }
        self.names.push(kept.name.clone());
        Ok(())
    }

    /// The subscription; or, where the endpoint itself was removed, the names that are left of it.
    pub fn into_subscription(
        self,
        shop: (Id, u64),
        timeout: Duration,
    ) -> Result<Subscription, Vec<String>> {
        let Some(endpoint) = self.endpoint else {
            return Err(self.names);
        };
        let outbox = Outbox::restored(self.cursor, self.retries, timeout);
        Ok(Subscription::new(shop, endpoint, outbox))
    }
}

/// The stored state of every endpoint.
pub fn stored_webhooks(
    shops: &Shops,
) -> Result<BTreeMap<(Id, String), FoundWebhook>, JournalError> {
    let mut found: BTreeMap<(Id, String), FoundWebhook> = BTreeMap::new();
    let mut unread = None;
    shops.each_metadata(&mut |kept| {
        if let Some(id) = endpoint_of(&kept.name) {
            let of = found.entry((kept.shop.clone(), id.to_owned())).or_default();
            if let Err(error) = of.take(&kept) {
                unread.get_or_insert(error);
            }
        }
    })?;
    match unread {
        None => Ok(found),
        Some(error) => Err(JournalError::Damaged(format!(
            "the stored state of webhooks: {error}"
        ))),
    }
}
