//! The built program as its users run it: commands, the demo, the manual's examples.

#[path = "../support/mod.rs"]
mod support;

mod cli;
mod demo;
mod manual;
mod receivers;
