//! What several tests need: where the shared folder is, how outputs are compared, how the program is played.

#![allow(dead_code, reason = "each test uses its own part of the support")]

pub mod compare;
pub mod crowd;
pub mod player;
pub mod schema;
pub mod shared;
pub mod source;
pub mod steps;
pub mod watch;
pub mod world;
