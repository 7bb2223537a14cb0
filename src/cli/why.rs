//! `xiaoer why`.

use clap::Args;

use super::Failure;

/// Why
#[derive(Args)]
pub(super) struct Why {}

impl Why {
    pub(super) fn run(self) -> Result<(), Failure> {
        Ok(())
    }
}
