//! What several tests need: where the shared folder is, how outputs are compared, how the program is played and
//! served, and how its disk is made to fail.

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
