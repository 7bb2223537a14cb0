//! The rules: who gets the buyer, who may be asked for a rating, what the score is.
//!
//! Everything here is a calculation. It knows no clock, no luck, no files, no threads and no storage; it names no
//! other folder. A rule of the spec has one file in `rules`, and its number stands there: grep for `R4` or `I10`.
//!
//! The front door is [`state::shop::Shop::take`]: an event comes in, decisions go out. [`installation::Installation`]
//! keeps many shops and the one thing that they share, [`state::shared_invites`].

/// The number of this core. A release raises it when any decision may come out otherwise than before, for any shop and
/// event. Every record keeps the number of the core that decided it, so that a shop whose latest records an older core
/// decided can come up. Other time zone data is another core, and so is another way of making a shop fit its records
/// ([`reconcile`]); other words in a message or a prompt are not. Release 0.1 (`fc8647a`), whose records keep no number, is core 1.
pub const CORE: u32 = 1;

// From below: each names only those above it, in this order.
pub mod base;
pub mod collections;
pub mod policy;
pub mod protocol;
pub mod state;

pub mod explain;
pub mod rules;

pub mod read;
pub mod reconcile;
pub mod snapshot;

pub mod installation;
