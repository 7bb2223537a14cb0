//! `xiaoer sample`: a made-up trace of a small shop, to replay and to look at.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind};
use std::path::PathBuf;

use clap::Args;

use super::{DayArgument, Failure, PIECE_BYTES};
use crate::sample::DAYS_MAX;

/// Make a sample trace: a day of a small shop
#[derive(Args)]
pub(super) struct Sample {
    /// The same seed gives the same trace, on every machine
    #[arg(long, value_name = "N")]
    seed: u64,
    /// The day with which it begins
    #[arg(long, value_enum, default_value_t = DayArgument::Promotion)]
    day: DayArgument,
    /// How many days it lasts
    #[arg(long, value_name = "D", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=DAYS_MAX))]
    days: u64,
    /// Write it to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Sample {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Some(path) = self.output else {
            let trace = BufWriter::with_capacity(PIECE_BYTES, io::stdout().lock());
            return match crate::sample::write(self.day.sample(), self.seed, self.days, trace) {
                // The reader has closed the pipe.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                result => result.map_err(|error| {
                    Failure::failed(format!("the sample could not be written: {error}"))
                }),
            };
        };
        let failed = |error: io::Error| {
            Failure::failed(format!("{} could not be written: {error}", path.display()))
        };
        let file = File::create(&path).map_err(failed)?;
        let trace = BufWriter::with_capacity(PIECE_BYTES, file);
        crate::sample::write(self.day.sample(), self.seed, self.days, trace).map_err(failed)
    }
}
