//! `xiaoer sample`.

use clap::Args;

use super::Failure;

/// Sample
#[derive(Args)]
pub(super) struct Sample {}

impl Sample {
    pub(super) fn run(self) -> Result<(), Failure> {
        Ok(())
    }
}
