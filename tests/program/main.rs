//! The built program as users run it: commands, the demo, and the examples of the manual.

#[path = "../support/mod.rs"]
mod support;

mod cli;
mod demo;
mod manual;
mod receivers;
