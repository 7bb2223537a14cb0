//! `xiaoer demo`.

use clap::Args;

use super::Failure;

/// Demo
#[derive(Args)]
pub(super) struct Demo {}

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        Ok(())
    }
}
