//! Reads of a shop between events: views, reports and invariants.

pub mod invariants;
pub mod report;
pub mod sheet_report;
pub mod views;
