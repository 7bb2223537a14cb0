//! Webhooks: every decision that an endpoint asks for, pushed to it, signed, at least once.
//!
//! The journal is the outbox: what goes to an endpoint is read from there, once it is durable, and no queue but the
//! journal grows while an endpoint is away. What is kept beside it is how far each endpoint is, and what failed.

// What is sent, and when: calculations.
mod aside;
pub mod endpoint;
pub mod envelope;
mod lookup;
pub mod outbox;
pub mod parcel;
pub mod schedule;

// By what it is signed, where it may go, and one call.
mod address;
mod call;
mod caller;
mod dns;
mod failure;
mod interfaces;
mod resolving;
mod retry_after;
mod secrets;
mod signing;

// One task an endpoint, and all of them.
mod ahead;
mod courier;
mod notice;
mod office;
mod opening;
mod post;
mod rotating;

use crate::domain::base::id::Id;

pub use address::{URL_BYTES_MAX, is_public, read_url};
pub use caller::{ANSWER_BYTES_MAX, Called, Caller, Calling, Unusable};
pub use dns::Asker;
pub use lookup::{Looking, Lookup};
pub use office::{NotDone, Settings, Webhooks};
pub use post::{Delivered, Post, upgrade_kept};
pub use resolving::SystemLookup;
pub use retry_after::RetryAfter;
pub use secrets::{EndpointSecrets, SECRETS_FILE, SecretsFile};
pub use signing::{Secret, sign};

/// Those who watch the webhooks: metrics and logs.
pub trait Watch: Send + Sync {
    /// A call with so many decisions ended, after so many microseconds.
    fn tried(&self, delivered: bool, decisions: u32, micros: u64);
    /// A message was given up.
    fn gave_up(&self, shop: &Id, endpoint: &str);
    /// The server has switched an endpoint off.
    fn disabled(&self, shop: &Id, endpoint: &str, why: &str);
}

/// Tells the shop's other endpoints that one was switched off, and why.
type Notify = Box<dyn Fn(&Post, &str) + Send + Sync>;
