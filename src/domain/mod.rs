//! The rules: which agent gets a session, which buyers may be asked for a rating, and the scores.
//!
//! Everything here is a calculation. It uses no clock, no random numbers, no files, no threads and no storage, and
//! depends on no other folder. Each rule of the specification has one file in `rules` that names its number: search for
//! `R4` or `I10`.
//!
//! The entry point is [`state::shop::Shop::take`]: an event goes in, decisions come out. [`installation::Installation`]
//! holds many shops and their shared state, [`state::shared_invites`].

/// The version of this core. A release raises it if any decision may differ from before, for any shop and event. Every
/// record stores the core that decided it, so that a shop with records of an older core can be recovered. Different
/// time zone data, or a different reconciliation ([`reconcile`]), is another core. Different wording of a message or
/// prompt is not. Release 0.1 (`fc8647a`), whose records store no version, is core 1. The second edition of the rules is
/// core 2.
pub const CORE: u32 = 2;

// Each module depends only on those above it.
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
