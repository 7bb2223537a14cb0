//! Data folders on a real disk, in process and by the built program: stored data is read back by this and later
//! releases.

#[path = "../support/mod.rs"]
mod support;

mod backup;
mod damage;
mod folder;
mod golden_folders;
mod journal;
mod notes;
mod older_core;
mod upgrade;
