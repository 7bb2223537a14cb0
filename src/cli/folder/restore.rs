//! `xiaoer restore`: makes a data folder from a backup, and verifies it.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::verify::Checks;
use super::{Failure, LayersArguments, journal_failure, open, settings, written};
use crate::env::print_stderr_line;
use crate::env::private_files::OwnerGuard;
use crate::journal;
use crate::server;

/// Make a new data folder from a backup, and verify it
#[derive(Args)]
pub(in crate::cli) struct Restore {
    /// The backup
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    layers: LayersArguments,
}

impl Restore {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        let settings = settings(&self.layers)?;
        let _owner = OwnerGuard::of(&settings.data);
        let mut from = open(&self.from)?;
        let mut upgrade = server::upgrade(&settings.data);
        let restored = journal::restore(&mut from, &settings, &mut upgrade);
        let restored = restored.map_err(|error| journal_failure(&error))?;
        for sentence in &restored.repairs {
            print_stderr_line(&format!("xiaoer: repaired: {sentence}"));
        }
        let verified = journal::verify(&settings, &mut Checks::silent());
        let verified = verified.map_err(|error| journal_failure(&error))?;
        writeln!(
            io::stdout().lock(),
            "{} is restored and sound: {} shops, records {} to {}. Keys and settings are not part of a backup: copy \
             keys.json and xiaoer.toml yourself{}",
            settings.data.display(),
            verified.shops,
            verified.orders.0,
            verified.orders.1,
            match restored.files.is_empty() {
                true => ", and webhook-secrets.json where you have it",
                false => "",
            }
        )
        .map_err(|error| written(&error))
    }
}
