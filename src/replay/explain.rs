//! Explains one decision of a trace: the trace is replayed up to it, and evidence is recorded for it only.
//!
//! So the explanation is the same at any time, whatever the policy is by then, and deciding costs nothing more without
//! a question.

use std::io::BufRead;

use crate::domain::base::id::Id;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::Explanation;
use crate::domain::installation::Installation;

use super::{Lines, ReplayError, take_line};
use crate::wire::Line;

/// The result for a decision of a trace.
#[derive(Debug)]
pub enum FoundDecision {
    /// The decision and its explanation.
    Why(Box<Explanation>),
    /// There is no such shop; these are the shops.
    NoShop(Vec<Id>),
    /// The shop makes no such decision.
    NoDecision {
        /// The `seq` of its last decision; 0 where it makes none.
        last: u64,
    },
}

/// Explains decision `seq` of `shop`. The trace is read no further than needed.
pub fn explain(trace: impl BufRead, shop: &Id, seq: u64) -> Result<FoundDecision, ReplayError> {
    let mut installation = Installation::default();
    let (mut asked, mut others) = (DecisionSink::explaining(seq), DecisionSink::default());
    let mut lines = Lines::new(trace);
    while let Some(line) = lines.next_line()? {
        let of_shop = match &line {
            Line::Event(id, _) => id == shop,
            Line::Malformed(malformed) => malformed.shop.as_ref() == Some(shop),
        };
        let out = if of_shop { &mut asked } else { &mut others };
        take_line(&mut installation, line, out);
        if let Some((decision, notes)) = asked.take_answer() {
            return Ok(FoundDecision::Why(Box::new(Explanation {
                decision,
                notes,
            })));
        }
        asked.decisions.clear();
        others.decisions.clear();
    }
    Ok(match installation.shop(shop) {
        Some(shop) => FoundDecision::NoDecision { last: shop.seq() },
        None => FoundDecision::NoShop(installation.shops().map(|shop| shop.id().clone()).collect()),
    })
}
