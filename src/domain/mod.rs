//! The rules: who gets the buyer, who may be asked for a rating, what the score is.
//!
//! Everything here is a calculation. It knows no clock, no luck, no files, no threads and no storage; it names no
//! other folder. A rule of the spec has one room, and its number stands there: grep for `R4` or `I10`.
//!
//! The front door is [`shop::Shop::take`]: an event comes in, decisions go out. [`installation::Installation`]
//! keeps many shops and the one thing that they share, [`ledger`].

/// The number of this core. A release raises it when any decision may come out otherwise than before, for any shop and
/// event. Every record keeps the number of the core that decided it, so that a shop whose latest records an older core
/// decided can come up. Other time zone data is another core, and so is another way of making a shop fit its records
/// ([`reconcile`]); other words in a message or a prompt are not. Release 0.1 (`fc8647a`), whose records keep no number, is core 1.
pub const CORE: u32 = 1;

// What everything is written in.
pub mod calendar;
pub mod chain;
pub mod heap;
pub mod id;
pub mod lot;
pub mod ranks;
pub mod row;
pub mod table;
pub mod time;

// What comes in, what goes out, and what is switched.
pub mod code;
pub mod decision;
pub mod event;
pub mod outcome;
pub mod policy;
pub mod rate;

// Who and what there is.
pub mod agent;
pub mod buyer;
pub mod crew;
pub mod daybook;
pub mod group_plan;
pub mod roster;
pub mod session;
pub mod timer;
pub mod totals;

// The rules.
pub mod arrival;
pub mod assignment;
pub mod closing;
pub mod invite;
pub mod ledger;
pub mod lookup;
pub mod memory;
pub mod presence;
pub mod queue;
pub mod rating;
pub mod receipt;
pub mod reconcile;
pub mod reply;
pub mod routing;
pub mod score;
pub mod shop;

// What can be asked.
pub mod audit;
pub mod installation;
pub mod noting;
pub mod report;
pub mod stored;
pub mod view;
pub mod why;
