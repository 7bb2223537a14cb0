//! Webhooks: every decision that an endpoint asks for, pushed to it, signed, at least once.
//!
//! The journal is the outbox: what goes to an endpoint is read from there, once it is durable, and no queue but the
//! journal grows while an endpoint is away. What is kept beside it is how far each endpoint is, and what failed.

pub mod delivery;
mod transport;

pub mod endpoint;
mod secrets_file;

mod send;
mod subscription;

mod disable_notice;
mod dispatcher;
mod recovery;
mod secret_rotation;
mod worker;

use crate::domain::base::id::Id;

pub use dispatcher::{NotDone, WebhookSettings, Webhooks};
pub use secrets_file::{EndpointSecrets, SECRETS_FILE, SecretsFile};
pub use subscription::{Delivered, Subscription, upgrade_kept};
pub use transport::Asker;
pub use transport::RetryAfter;
pub use transport::SystemLookup;
pub use transport::{ANSWER_BYTES_MAX, CallResult, ClientSettings, Unusable, WebhookClient};
pub use transport::{Looking, Lookup};
pub use transport::{Secret, sign};
pub use transport::{URL_BYTES_MAX, is_public, read_url};

/// Those who watch the webhooks: metrics and logs.
pub trait WebhookObserver: Send + Sync {
    /// A call with so many decisions ended, after so many microseconds.
    fn tried(&self, delivered: bool, decisions: u32, micros: u64);
    /// A message was given up.
    fn gave_up(&self, shop: &Id, endpoint: &str);
    /// The server has switched an endpoint off.
    fn disabled(&self, shop: &Id, endpoint: &str, why: &str);
}

/// Tells the shop's other endpoints that one was switched off, and why.
type Notify = Box<dyn Fn(&Subscription, &str) + Send + Sync>;
