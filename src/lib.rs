//! The head waiter of a shop's chat desk: who serves each buyer, who may be asked for a rating, how the shop stands.
//!
//! `ARCHITECTURE.md` is the map. [`domain`] is the rules, as a calculation; [`wire`] is the language that every door
//! speaks; [`replay`] plays a trace; [`words`] says things to people; [`sample`] makes a day up; [`cli`] is the
//! command line.

// `eprintln!` panics where standard error cannot be written: a full disk, a closed pipe.
#![cfg_attr(not(test), warn(clippy::print_stderr))]

pub mod api;
pub mod cli;
pub mod domain;
pub mod env;
pub mod explain_text;
pub mod http;
pub mod journal;
pub mod keys;
pub mod replay;
pub mod runtime;
pub mod sample;
pub mod server;
pub mod settings;
pub mod telemetry;
pub mod webhooks;
pub mod wire;
