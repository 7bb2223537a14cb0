//! The rules as tables: a row is a short trace and the decisions that the rules want for it, worked out by hand.
//!
//! A row's title begins with the numbers of the rules it is about, so that a search for `I10` finds its rows.
//! How traces and decisions are written is in `table.rs`; every row is also audited after each of its events.

mod answer;
mod table;
mod trace;

mod events;
mod invite;
mod peers;
mod policy_change;
mod rating;
mod routing;
mod score;
mod session;
mod strategy;
mod timers;
