//! The rules: who gets the buyer, who may be asked for a rating, what the score is.
//!
//! Everything here is a calculation. It knows no clock, no luck, no files, no threads and no storage; it names no
//! other folder. A rule of the spec has one room, and its number stands there: grep for `R4` or `I10`.
//!
//! The front door is [`shop::Shop::take`]: an event comes in, decisions go out. [`installation::Installation`]
//! keeps many shops and the one thing that they share, [`ledger`].

// What everything is written in.
pub mod id;
pub mod time;
pub mod calendar;
pub mod lot;
pub mod heap;
pub mod ranks;
pub mod table;
pub mod chain;

// What comes in, what goes out, and what is switched.
pub mod event;
pub mod decision;
pub mod outcome;
pub mod policy;

// Who and what there is.
pub mod agent;
pub mod crew;
pub mod roster;
pub mod session;
pub mod buyer;
pub mod timer;
pub mod daybook;
pub mod totals;

// The rules.
pub mod shop;
pub mod arrival;
pub mod routing;
pub mod assignment;
pub mod queue;
pub mod presence;
pub mod reply;
pub mod closing;
pub mod invite;
pub mod ledger;
pub mod rating;
pub mod score;
pub mod memory;

// What can be asked.
pub mod why;
pub mod report;
pub mod audit;
pub mod installation;
