//! Why a decision was taken: evidence, explanations, and where decisions are collected.

pub mod decision_sink;
pub mod evidence;
pub mod explanation;
pub mod invite_check;
