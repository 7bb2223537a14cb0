//! What is delivered to an endpoint, and when. These are calculations: time is an argument, and nothing is sent.

pub mod delivery_state;
pub mod outbox;
pub mod payload;
pub mod retry_policy;

pub(super) mod batch_reader;
mod retry_queue;
