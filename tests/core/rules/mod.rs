//! The rules as tables: a row is a short trace and the decisions that the rules require, derived by hand.
//!
//! The title of a row starts with the numbers of its rules, so a search for `I10` finds its rows. `table.rs` describes
//! the notation. Every row is audited after each of its events.

mod answer;
mod table;
mod trace;

mod after_close;
mod buyers;
mod events;
mod hours;
mod invite;
mod late_events;
mod peers;
mod policy_change;
mod queue_order;
mod rating;
mod routing;
mod score;
mod session;
mod strategy;
mod take_back;
mod timers;
mod units;
