//! `xiaoer export`: the journal as a trace, or what can still be read of a damaged one.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};

use clap::Args;

use super::{Failure, LayersArguments, PIECE_BYTES, existing, journal_failure, settings, written};
use crate::domain::CORE;
use crate::domain::base::id::Id;
use crate::env::print_stderr_line;
use crate::env::private_files::OwnerGuard;
use crate::journal::{self, JournalError, Record, RecordKind, Salvaged};
use crate::runtime::trace_line;

/// Write the journal as a trace, to replay and to ask why; no server may be running on the folder
#[derive(Args)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    layers: LayersArguments,
    /// Only the events of this shop
    #[arg(long)]
    shop: Option<String>,
    /// The decisions as they were answered, instead of the events
    #[arg(long)]
    decisions: bool,
    /// Write what can be read of a damaged folder, and list on standard error what is lost
    #[arg(long)]
    salvage: bool,
}

impl Export {
    pub(in crate::cli) fn run(self) -> Result<(), Failure> {
        // A damaged folder may lack everything but its store.
        let settings = match self.salvage {
            true => settings(&self.layers)?,
            false => existing(&self.layers)?,
        };
        let _owner = OwnerGuard::of(&settings.data);
        let mut to = BufWriter::with_capacity(PIECE_BYTES, io::stdout().lock());
        let mut stopped = None;
        let mut seen = HashSet::new();
        let mut cores = Cores::default();
        let mut each = |shop: &Id, record: Record| {
            if self
                .shop
                .as_deref()
                .is_some_and(|only| only != shop.as_str())
            {
                return Ok(());
            }
            if !self.salvage && seen.insert(record.shop) && record.kind != RecordKind::Created {
                print_stderr_line(&format!(
                    "xiaoer: shop {shop:?} begins at its record {}: what came before was dropped by retention, so its \
                     trace does not replay from the start",
                    record.n
                ));
            }
            if let Some(note) = cores.before(&record) {
                print_stderr_line(&note);
            }
            let line = if self.decisions {
                decisions(&record)?
            } else {
                trace_line(shop, &record)? + "\n"
            };
            cores.lines += line.lines().count() as u64;
            if let Err(error) = to.write_all(line.as_bytes()) {
                stopped = Some(error);
                return Err(JournalError::Failed(
                    "the trace could not be written".to_owned(),
                ));
            }
            Ok(())
        };
        let exported = match self.salvage {
            true => journal::salvage(&settings, &mut each).map(Some),
            false => journal::each_record(&settings, &mut each).map(|()| None),
        };
        match stopped {
            // The reader has closed the pipe.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            Some(error) => return Err(written(&error)),
            None => {}
        }
        let salvaged = exported.map_err(|error| journal_failure(&error))?;
        to.flush().map_err(|error| written(&error))?;
        salvaged.iter().for_each(list);
        Ok(())
    }
}

/// The core that decided the exported records. It is written to standard error, because a trace holds events alone.
#[derive(Default)]
struct Cores {
    latest: Option<u32>,
    /// Lines that were written.
    lines: u64,
}

impl Cores {
    /// The note before a record's line: where its core differs from that of the record before, or, for the first
    /// record, from this program's.
    fn before(&mut self, record: &Record) -> Option<String> {
        let (core, line) = (record.core, self.lines + 1);
        let before = self.latest.replace(core);
        let decided = match before {
            Some(before) if before != core => format!(", the lines before by core {before}"),
            None if core != CORE => String::new(),
            Some(_) | None => return None,
        };
        Some(format!(
            "xiaoer: lines from {line} on were decided by core {core}{decided}. A replay decides every line by its own \
             core, here {CORE}: where that is another one, its decisions may differ"
        ))
    }
}

/// Lists what was saved and what is lost.
fn list(salvaged: &Salvaged) {
    let ranges = |lost: &[(u64, u64)]| {
        let ranges = lost.iter().map(|(from, to)| match from == to {
            true => from.to_string(),
            false => format!("{from} to {to}"),
        });
        ranges.collect::<Vec<_>>().join(", ")
    };
    for (shop, saved) in &salvaged.shops {
        let lost = match saved.lost.is_empty() {
            true => "none of those before the last of them is lost".to_owned(),
            false => format!("lost are its records {}", ranges(&saved.lost)),
        };
        print_stderr_line(&format!(
            "xiaoer: shop {shop:?}: {} records are saved, {lost}",
            saved.records
        ));
    }
    match salvaged.lost.is_empty() {
        true => print_stderr_line("xiaoer: the journal has no hole"),
        false => print_stderr_line(&format!(
            "xiaoer: of the whole journal the records {} are lost",
            ranges(&salvaged.lost)
        )),
    }
    let of_shops = salvaged.shops.values().flat_map(|shop| &shop.lost);
    if of_shops.chain(&salvaged.lost).any(|(from, _)| *from == 1) {
        print_stderr_line(
            "xiaoer: the first records of the journal or of a shop may not be lost but dropped: `journal.retention` \
             drops what is older",
        );
    }
}

fn decisions(record: &Record) -> Result<String, JournalError> {
    let each: Vec<&serde_json::value::RawValue> = serde_json::from_str(&record.decisions)
        .map_err(|error| JournalError::Damaged(format!("record {}: {error}", record.order)))?;
    Ok(each
        .iter()
        .map(|decision| format!("{}\n", decision.get()))
        .collect())
}
