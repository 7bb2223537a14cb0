//! Webhooks: what a shop decided is told to whoever the shop asked to be told, over HTTP.
//!
//! An address is somebody else's word, so calling it is where the server could be made to reach into its own network:
//! [`address`](read_url) says which addresses may be called, and [`Caller`] is the only one who calls. What is sent is
//! signed as [Standard Webhooks](https://www.standardwebhooks.com) say, so that the receiver can tell who sent it.
//!
//! The room reads no clock: signing is told the time, and an answer that names a time is resolved against the clock of
//! whoever asked.

mod address;
mod caller;
mod failure;
mod resolving;
mod retry_after;
mod signing;

pub use address::{URL_BYTES_MAX, is_public, read_url};
pub use caller::{ANSWER_BYTES_MAX, Called, Caller, Calling, Unusable};
pub use resolving::{Looking, Lookup, SystemLookup};
pub use retry_after::RetryAfter;
pub use signing::{Secret, sign};
