//! What everything is written in: time, days, ids, ratios, draws.

pub mod calendar;
pub mod deterministic_draw;
pub mod id;
pub mod ratio;
pub mod time;
