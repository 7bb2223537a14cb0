//! `xiaoer why`: explains one decision of a trace, in words or as JSON.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Failure, LanguageArgument, language, open_trace, replay_failure};
use crate::domain::base::id::Id;
use crate::domain::explain::explanation::Explanation as Reason;
use crate::explain_text;
use crate::replay::{FoundDecision, explain};
use crate::wire::WrittenDecision;

/// How many shops are named where the requested one does not exist.
const SHOPS_NAMED_MAX: usize = 20;

/// Explain a decision of a trace
#[derive(Args)]
pub(super) struct WhyCommand {
    /// The trace, one event a line; `-` is standard input
    trace: PathBuf,
    /// The decision's `seq`
    seq: u64,
    /// The shop whose decision it is
    #[arg(long, default_value = "default")]
    shop: String,
    /// Print one JSON object: the decision, the facts behind it, and the words in both languages
    #[arg(long)]
    json: bool,
    /// The language of texts; by default that of the environment, else Chinese
    #[arg(long)]
    lang: Option<LanguageArgument>,
}

/// The output of `--json`.
#[derive(Serialize)]
struct ExplainedRow<'a> {
    decision: WrittenDecision<'a>,
    why: Vec<serde_json::Value>,
    text: explain_text::BothLanguages,
}

impl WhyCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        let shop = Id::new(&self.shop).ok_or_else(|| {
            Failure::bad_input(
                "--shop is not an id: it must have 1 to 128 bytes without control characters",
            )
        })?;
        let trace = open_trace(&self.trace)?;
        let found = explain(trace, &shop, self.seq);
        match found.map_err(|error| replay_failure(&self.trace, error))? {
            FoundDecision::Why(why) => self.print(&why),
            FoundDecision::NoShop(shops) => Err(no_shop(&shop, &shops)),
            FoundDecision::NoDecision { last } => Err(no_decision(&shop, self.seq, last)),
        }
    }

    fn print(&self, why: &Reason) -> Result<(), Failure> {
        let text = if self.json {
            let explained = ExplainedRow {
                decision: WrittenDecision::new(&self.shop, &why.decision),
                why: explain_text::facts(why),
                text: explain_text::both(&self.shop, why),
            };
            serde_json::to_string(&explained).map_err(|error| {
                Failure::failed(format!("the answer could not be written: {error}"))
            })?
        } else {
            explain_text::explain(&self.shop, why, language(self.lang))
        };
        writeln!(io::stdout().lock(), "{text}")
            .map_err(|error| Failure::failed(format!("the answer could not be written: {error}")))
    }
}

fn no_shop(shop: &Id, shops: &[Id]) -> Failure {
    let named: Vec<String> = shops
        .iter()
        .take(SHOPS_NAMED_MAX)
        .map(ToString::to_string)
        .collect();
    let more = shops.len().saturating_sub(SHOPS_NAMED_MAX);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let there_are = if named.is_empty() {
        "it configures no shop".to_owned()
    } else {
        format!("ask with --shop for one of: {}{more}", named.join(", "))
    };
    Failure::bad_input(format!("the trace has no shop {shop:?}: {there_are}"))
}

fn no_decision(shop: &Id, seq: u64, last: u64) -> Failure {
    Failure::bad_input(match last {
        0 => format!("shop {shop:?} takes no decision in this trace"),
        last => format!("shop {shop:?} has no decision {seq}: ask for one from 1 to {last}"),
    })
}
