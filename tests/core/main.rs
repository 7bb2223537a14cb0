//! The decision core in process: traces, decisions and their explanations.

#[path = "../model/mod.rs"]
mod model;
#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod bad_policy_keys;
mod conformance;
mod core_change;
mod differential;
mod invariants;
mod invite_preview;
mod late_events;
mod memory;
mod model_conformance;
mod model_invariants;
mod real_traces;
mod report;
mod rules;
mod sample;
mod stored_forms;
mod stored_shops;
mod view;
mod why;
mod why_complete;
mod why_desk;
mod why_shop;
