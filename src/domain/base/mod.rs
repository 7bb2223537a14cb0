//! Basic values: time, days, ids, ratios, deterministic draws, and suggestions for unknown words.

pub mod calendar;
pub mod deterministic_draw;
pub mod id;
pub mod ratio;
pub mod suggestion;
pub mod time;
