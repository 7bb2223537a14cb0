//! The head waiter of a shop's chat desk: who serves each buyer, who may be asked for a rating, how the shop stands.
#![doc = "See `ARCHITECTURE.md` for the map."]

pub mod domain;
pub mod replay;
pub mod wire;
