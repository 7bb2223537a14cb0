//! Explaining one decision of a trace: the trace is replayed up to it, and notes are taken for it alone.
//!
//! So the reason is the same whenever it is asked for, whatever became of the policy since, and deciding costs
//! nothing more while nobody asks.

use std::io::BufRead;

use crate::domain::id::Id;
use crate::domain::installation::Installation;
use crate::domain::outcome::Outcome;
use crate::domain::why::Why;

use super::{Lines, ReplayError, take_line};
use crate::wire::Line;

/// Why the decision `seq` of `shop` was taken; `None` where the trace holds none.
pub fn explain(trace: impl BufRead, shop: &Id, seq: u64) -> Result<Option<Why>, ReplayError> {
    let mut installation = Installation::default();
    let (mut asked, mut others) = (Outcome::explaining(seq), Outcome::default());
    let mut lines = Lines::new(trace);
    while let Some(line) = lines.next_line()? {
        let of_shop = match &line {
            Line::Event(id, _) => id == shop,
            Line::Malformed(malformed) => malformed.shop.as_ref() == Some(shop),
        };
        let out = if of_shop { &mut asked } else { &mut others };
        take_line(&mut installation, line, out);
        if let Some((decision, notes)) = asked.take_answer() {
            return Ok(Some(Why { decision, notes }));
        }
        asked.decisions.clear();
        others.decisions.clear();
    }
    Ok(None)
}
