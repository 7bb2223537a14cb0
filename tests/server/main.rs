//! The HTTP server and its webhooks, as clients, operators and webhook receivers see them.

#[path = "../support/mod.rs"]
mod support;

mod administration;
mod bodies;
mod client_limits;
mod event_body;
mod hostile_clients;
mod http;
mod isolation;
mod late_events;
mod leases;
mod lifecycle;
mod openapi;
mod ownership;
mod secrets;
mod shops;
mod stream;
mod webhook_calls;
mod webhook_outbox;
mod webhook_signatures;
mod webhook_tls;
mod webhooks;
