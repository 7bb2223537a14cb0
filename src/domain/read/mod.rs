//! Reads of a shop between events: views, reports and invariants.

pub mod audit;
pub mod report;
pub mod views;
