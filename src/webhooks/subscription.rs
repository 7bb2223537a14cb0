//! The post of one endpoint: the endpoint, its outbox, and what was delivered lately, under one lock; and how all that is
//! kept beside the shop.
//!
//! Three kinds of names are kept, which sort in this order: the endpoint, how far it is, and what is aside. A copy that is
//! made meanwhile reads in the order of names, so it lacks nothing: at worst a message is sent again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::delivery::attempt::{AttemptResult, DeliveryCursor, PendingRetry, SeqRange};
use super::delivery::outbox::Outbox;
use super::endpoint::Endpoint;
use super::secrets_file::EndpointSecrets;
use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::journal::{JournalError, MetadataEntry};
use crate::runtime::Shops;

/// What all names begin with.
const PREFIX: &str = "webhook/";

/// Deliveries that are remembered once they are over.
const RECENT: usize = 100;

/// One endpoint, and what is known of it.
pub struct Subscription {
    /// Its shop.
    pub shop: Id,
    /// The number of its shop.
    pub number: u64,
    /// Its id.
    pub id: String,
    inner: Mutex<Inner>,
    /// Its worker has something to look at.
    pub wake: Notify,
}

/// What the lock is around.
pub struct Inner {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What goes to it.
    pub outbox: Outbox,
    /// What was delivered lately, the newest last.
    pub recent: VecDeque<Delivered>,
    /// Whether it was taken away.
    pub removed: bool,
}

/// A message that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Its decisions.
    pub parcel: SeqRange,
    /// How often it was tried.
    pub tries: u32,
    /// What came of the last try.
    pub told: AttemptResult,
}

/// A name, and what is kept under it; nothing: it is let go of.
pub type NamedWebhook = (String, Option<Vec<u8>>);

impl Subscription {
    /// A post.
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

    /// All of it.
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        // Whoever panicked while it held this lock has left nothing half done that a look could meet.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// A message was delivered.
    pub fn remember(&mut self, delivered: Delivered) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(delivered);
    }

    /// The endpoint, to be kept.
    pub fn kept_endpoint(&self) -> NamedWebhook {
        (
            format!("{PREFIX}{}", self.endpoint.id),
            Some(self.endpoint.stored()),
        )
    }

    /// How far it is, to be kept.
    pub fn kept_progress(&self) -> NamedWebhook {
        let value = serde_json::to_vec(self.outbox.progress()).unwrap_or_default();
        (format!("{PREFIX}{}/at", self.endpoint.id), Some(value))
    }

    /// A message that is aside, or is no more, to be kept.
    pub fn kept_aside(&self, parcel: SeqRange) -> NamedWebhook {
        let SeqRange { from, to } = parcel;
        let name = format!("{PREFIX}{}/late/{from:020}-{to:020}", self.endpoint.id);
        let value = self.outbox.aside(parcel);
        (
            name,
            value.map(|of| serde_json::to_vec(of).unwrap_or_default()),
        )
    }

    /// All names under which something may be kept of it, to be let go of.
    pub fn all_names(&self) -> Vec<String> {
        let aside: Vec<SeqRange> = self.outbox.failing().map(|of| of.parcel).collect();
        let mut names = vec![self.kept_endpoint().0, self.kept_progress().0];
        names.extend(aside.into_iter().map(|parcel| self.kept_aside(parcel).0));
        names
    }
}

/// What was kept of one endpoint, as it is read.
#[derive(Default)]
pub struct FoundWebhook {
    endpoint: Option<Endpoint>,
    progress: DeliveryCursor,
    aside: Vec<PendingRetry>,
    names: Vec<String>,
}

/// What a release from now on keeps in the place of what an older one did, and the secrets that are to be in the file of
/// secrets before: those of an endpoint of the first form. What needs no change is as it was.
///
/// # Errors
///
/// It is an endpoint, and does not read.
pub fn upgrade_kept(
    shop: u64,
    name: &str,
    value: &[u8],
) -> Result<(Vec<u8>, Option<EndpointSecrets>), String> {
    let id = name.strip_prefix(PREFIX).filter(|id| !id.contains('/'));
    let Some(id) = id else {
        return Ok((value.to_vec(), None));
    };
    let endpoint = Endpoint::read(value);
    let endpoint = endpoint.ok_or_else(|| format!("the webhook {name:?} does not read"))?;
    let secrets = endpoint.signing().to_vec();
    let secrets = (!secrets.is_empty()).then(|| EndpointSecrets::new(shop, id, secrets));
    Ok((endpoint.stored(), secrets))
}

/// The id of the endpoint that a name is of; nothing where it is of another room.
fn endpoint_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(PREFIX)?;
    Some(rest.split_once('/').map_or(rest, |(id, _)| id))
}

impl FoundWebhook {
    /// Takes one in. What does not read is a bug, or of a newer program.
    pub fn take(&mut self, kept: &MetadataEntry) -> Result<(), String> {
        let wrong = |error: serde_json::Error| format!("{:?} does not read: {error}", kept.name);
        let rest = kept.name.strip_prefix(PREFIX).unwrap_or_default();
        match rest.split_once('/') {
            None => {
                let endpoint = Endpoint::read(&kept.value);
                let newer = || {
                    format!(
                        "{:?} was written by a newer xiaoer: use that one",
                        kept.name
                    )
                };
                self.endpoint = Some(endpoint.ok_or_else(newer)?);
            }
            Some((_, "at")) => {
                self.progress = serde_json::from_slice(&kept.value).map_err(wrong)?;
            }
            Some(_) => self
                .aside
                .push(serde_json::from_slice(&kept.value).map_err(wrong)?),
        }
        self.names.push(kept.name.clone());
        Ok(())
    }

    /// The post; or the names of what was left of an endpoint that was being taken away.
    pub fn post(self, shop: (Id, u64), timeout: Duration) -> Result<Subscription, Vec<String>> {
        let Some(endpoint) = self.endpoint else {
            return Err(self.names);
        };
        let outbox = Outbox::restored(self.progress, self.aside, timeout);
        Ok(Subscription::new(shop, endpoint, outbox))
    }
}

/// What was kept of every endpoint.
pub fn found(desk: &Shops) -> Result<BTreeMap<(Id, String), FoundWebhook>, JournalError> {
    let mut found: BTreeMap<(Id, String), FoundWebhook> = BTreeMap::new();
    let mut unread = None;
    desk.kept(&mut |kept| {
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
            "what is kept of webhooks: {error}"
        ))),
    }
}
