//! Explaining one decision of a trace: the trace is replayed up to it, and notes are taken for it alone.
//!
//! So the reason is the same whenever it is asked for, whatever became of the policy since, and deciding costs
//! nothing more while nobody asks.

use std::io::BufRead;

use crate::domain::base::id::Id;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::Explanation;
use crate::domain::installation::Installation;

use super::{Lines, ReplayError, take_line};
use crate::wire::Line;

/// What a trace holds of the decision that was asked for.
#[derive(Debug)]
pub enum FoundDecision {
    /// The decision, and why it was taken.
    Why(Box<Explanation>),
    /// No such shop; these there are.
    NoShop(Vec<Id>),
    /// The shop takes no such decision.
    NoDecision {
        /// The `seq` of its last one; 0 where it takes none.
        last: u64,
    },
}

/// Why the decision `seq` of `shop` was taken, or what there is instead. The trace is read no further than needed.
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
