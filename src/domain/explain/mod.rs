//! Explanations of decisions: evidence, and the collection of decisions with it.

pub mod decision_sink;
pub mod evidence_recorder;
pub mod explanation;
pub mod invite_check;
pub mod queue_evidence;
