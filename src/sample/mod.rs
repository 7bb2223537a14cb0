//! Sample traces: an invented day of a small shop, to replay.
//!
//! [`write()`] plays a clothing shop in Hangzhou from the night before 11.11 on. `shop` holds the staff and their
//! shifts, `arrivals` the buyers, `topic` their questions; `buyers`, `agents` and `rating` are what people do.
//! `simulation` plays the day through the core itself, by way of `gateway`, so that the people react to its decisions.
//! The same seed gives the same bytes on every machine: all draws come from `seeded_rng`.

mod agent_behavior;
mod arrivals;
mod buyer_behavior;
mod chat_state;
mod event_queue;
mod gateway;
mod rating;
mod seeded_rng;
mod shop;
mod simulation;
mod topic;
mod visit;

use std::io::{self, Write};

/// The most days that a sample can have.
pub const DAYS_MAX: u64 = 366;

/// Writes the trace of `days` days (from 1 to [`DAYS_MAX`]) of this `seed` to `trace`, in the wire language, one event
/// a line.
///
/// # Errors
///
/// The trace cannot be written.
pub fn write(seed: u64, days: u64, trace: impl Write) -> io::Result<()> {
    simulation::Simulation::new(seed, trace).play(days.clamp(1, DAYS_MAX))
}
