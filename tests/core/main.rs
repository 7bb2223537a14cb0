//! The decision core in process: traces, decisions and their explanations.

#[path = "../model/mod.rs"]
mod model;
#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod conformance;
mod core_change;
mod differential;
mod invariants;
mod invite_preview;
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
