//! Webhooks: sends every decision that an endpoint asks for, signed, at least once.
//!
//! The journal is the outbox: messages are read from it once they are durable, so no other queue grows while an
//! endpoint is away. Beside the journal only the cursor of each endpoint and its failed messages are stored.

pub mod delivery;
mod transport;

pub mod endpoint;
mod secrets_file;

mod endpoint_state;
mod send;

mod disable_notice;
mod dispatcher;
mod recovery;
mod secret_rotation;
mod worker;

use crate::domain::base::id::Id;

pub use dispatcher::{WebhookError, WebhookSettings, Webhooks};
pub use endpoint_state::{Delivered, Subscription, upgrade_metadata};
pub use secrets_file::{EndpointSecrets, SECRETS_FILE, SecretsFile};
pub use transport::LookupCaller;
pub use transport::RetryAfter;
pub use transport::SystemLookup;
pub use transport::{ANSWER_BYTES_MAX, CallResult, ClientSettings, Unusable, WebhookClient};
pub use transport::{Lookup, LookupFuture};
pub use transport::{Secret, sign};
pub use transport::{URL_BYTES_MAX, is_public, read_url};

/// An observer of webhooks, for metrics and logs.
pub trait WebhookObserver: Send + Sync {
    /// A call ended, with so many decisions, after so many microseconds.
    fn tried(&self, delivered: bool, decisions: u32, micros: u64);
    /// A message was given up.
    fn gave_up(&self, shop: &Id, endpoint: &str);
    /// The server has disabled an endpoint.
    fn disabled(&self, shop: &Id, endpoint: &str, why: &str);
}

/// Sends a notice to the shop's other endpoints that one was disabled, and why.
type Notify = Box<dyn Fn(&Subscription, &str) + Send + Sync>;
