//! Sample traces: an invented day of a small shop, to replay.
//!
//! [`write()`] plays a clothing shop in Hangzhou, from the night before 11.11 or from the first day of 国庆 on. `promotion`
//! and `holiday` hold the policy, the staff and their shifts of these days, `arrivals` the buyers, `topic` their questions;
//! `buyer_behavior`, `agent_behavior` and `rating` are what people do.
//! `simulation` plays the day through the core itself, by way of `gateway`, so that the people react to its decisions.
//! The same seed gives the same bytes on every machine: all draws come from `seeded_rng`.

mod agent_behavior;
mod arrivals;
mod buyer_behavior;
mod chat_state;
mod day_script;
mod event_queue;
mod gateway;
mod holiday;
mod promotion;
mod rating;
mod seeded_rng;
mod shifts;
mod simulation;
mod topic;
mod visit;

use std::io::{self, Write};

pub use day_script::SampleDay;

/// The most days that a sample can have.
pub const DAYS_MAX: u64 = 366;

/// Writes the trace of `days` days (from 1 to [`DAYS_MAX`]) of this `seed` to `trace`, in the wire language, one event
/// a line.
///
/// # Errors
///
/// The trace cannot be written.
pub fn write(day: SampleDay, seed: u64, days: u64, trace: impl Write) -> io::Result<()> {
    simulation::Simulation::new(day, seed, trace).play(days.clamp(1, DAYS_MAX))
}
