//! One call of an endpoint: which addresses are allowed, how it is signed, and its result.

pub(super) mod client;
pub(super) mod error_text;
mod interfaces;
pub(super) mod lookup;
pub(super) mod lookup_budget;
pub(super) mod resolver;
pub(super) mod retry_after;
pub(super) mod signature;
pub(super) mod url_policy;

pub use client::{ANSWER_BYTES_MAX, CallResult, ClientSettings, Unusable, WebhookClient};
pub use lookup::{Lookup, LookupFuture};
pub use lookup_budget::LookupCaller;
pub use resolver::SystemLookup;
pub use retry_after::RetryAfter;
pub use signature::{Secret, sign};
pub use url_policy::{URL_BYTES_MAX, is_public, read_url};
