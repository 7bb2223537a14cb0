//! What everything is written in: time, days, ids, ratios, draws, and the suggestion for a word that is none.

pub mod calendar;
pub mod deterministic_draw;
pub mod id;
pub mod ratio;
pub mod suggestion;
pub mod time;
