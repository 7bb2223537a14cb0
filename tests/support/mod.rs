//! Helpers of several tests: the shared folder, comparison of outputs, running and serving the program, and disk
//! faults.

#![allow(dead_code, reason = "each test uses its own part of the support")]

pub mod account;
pub mod compare;
pub mod crowd;
pub mod deadline;
pub mod desk;
pub mod files;
pub mod http;
pub mod keyed;
pub mod life;
pub mod packed;
pub mod player;
pub mod port;
pub mod privilege;
pub mod receiver;
pub mod recording;
pub mod schema;
pub mod served;
pub mod shared;
pub mod shim;
pub mod source;
pub mod steps;
pub mod tenant;
pub mod verifiers;
pub mod watch;
pub mod world;
