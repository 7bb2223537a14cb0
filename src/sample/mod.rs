//! Sample traces: a made-up day of a small shop, for a stranger to replay.
//!
//! [`write`] plays a clothing shop in Hangzhou from the night before 11.11 on: [`shop`] says who works there and
//! when, [`arrivals`] who comes, [`topic`] what is talked about; [`buying`], [`serving`] and [`rating`] are what
//! people do, and [`day`] plays it through the core itself, by way of [`gateway`], so that everybody in it acts on
//! what was decided. The same seed gives the same bytes on every machine: [`luck`] is the only chance in it.

mod agents;
mod arrivals;
mod buyers;
mod chat;
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

/// Writes the trace of `days` days (at least one, at most [`DAYS_MAX`]) of this `seed` to `trace`, in the wire
/// language, one event a line. Errors where it cannot be written.
pub fn write(seed: u64, days: u64, trace: impl Write) -> io::Result<()> {
    simulation::Simulation::new(seed, trace).play(days.clamp(1, DAYS_MAX))
}
