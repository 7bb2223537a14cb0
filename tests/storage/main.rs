//! Folders on a real disk, in process and by the built program: what is stored is read back, by this release and later ones.

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
