//! The head waiter of a shop's chat desk: who serves each buyer, who may be asked for a rating, how the shop stands.
//!
//! `ARCHITECTURE.md` describes all folders. [`domain`] holds the rules, as a calculation; [`wire`] reads events and writes
//! decisions; [`runtime`] runs one actor per shop; [`journal`] makes records durable; [`http`] and [`api`] answer requests;
//! [`webhooks`] pushes decisions; [`explain_text`] explains decisions in Chinese and English; [`replay`] plays a trace;
//! [`sample`] generates one; [`cli`] is the command line.

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
