//! Reads of a shop between events: views, reports, invariants.

pub mod audit;
pub mod report;
pub mod views;
