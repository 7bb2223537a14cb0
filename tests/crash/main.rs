//! Kills, power cuts and errors of the disk, in every phase of the server's life.

#[path = "../support/mod.rs"]
mod support;

mod faults;
mod interrupted;
mod kills;
mod power;
