//! Kills, power cuts and disk errors in every phase of the server.

#[path = "../support/mod.rs"]
mod support;

mod faults;
mod interrupted;
mod kills;
mod power;
