//! Reads decisions from the journal and groups them into the next message.

use std::collections::VecDeque;

use crate::runtime::StoredDecision;
use crate::webhooks::endpoint::Endpoint;

/// The most pages that are read for one message. Where few decisions are asked for, other endpoints get their turn in
/// between.
const PAGES_MAX: u32 = 4;

/// The longest body of several decisions, in bytes; a single decision may be longer.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Decisions that were read and not yet sent, by `seq`.
#[derive(Default)]
pub struct BatchReader(VecDeque<StoredDecision>);

/// The decisions of the next message.
#[derive(Debug, Default, PartialEq)]
pub struct ReadBatch {
    /// The decisions that are asked for; empty where there are none.
    pub decisions: Vec<StoredDecision>,
    /// Decisions up to this `seq` come before the message and are not asked for.
    pub passed: u64,
    /// Whether the search stopped although there may be more.
    pub more: bool,
}

impl BatchReader {
    /// The decisions of the next message, above `after` and up to `until`. `read` gives more of them, above a `seq`.
    pub fn take<E>(
        &mut self,
        endpoint: &Endpoint,
        after: u64,
        until: Option<u64>,
        mut read: impl FnMut(u64) -> Result<Vec<StoredDecision>, E>,
    ) -> Result<ReadBatch, E> {
        let buffer = &mut self.0;
        while buffer.front().is_some_and(|first| first.seq <= after) {
            buffer.pop_front();
        }
        let limit = usize::from(endpoint.batch.unwrap_or(1));
        let within = |decision: &StoredDecision| until.is_none_or(|until| decision.seq <= until);
        let mut found = ReadBatch {
            decisions: Vec::new(),
            passed: after,
            more: false,
        };
        let (mut seen, mut bytes, mut pages) = (after, 0, 0);
        while found.decisions.len() < limit {
            if buffer.is_empty() && pages == PAGES_MAX {
                found.more = true;
                break;
            }
            if buffer.is_empty() {
                pages += 1;
                buffer.extend(read(seen)?);
            }
            let Some(decision) = buffer.pop_front_if(|decision| within(decision)) else {
                break;
            };
            if !endpoint.subscribes_to(decision.header().kind) {
                seen = decision.seq;
                if found.decisions.is_empty() {
                    found.passed = seen;
                }
                continue;
            }
            if !found.decisions.is_empty() && bytes + decision.json.len() > BODY_BYTES_MAX {
                buffer.push_front(decision);
                break;
            }
            seen = decision.seq;
            bytes += decision.json.len();
            found.decisions.push(decision);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base::time::Instant;
    use crate::webhooks::endpoint::EndpointChange;
    use crate::webhooks::transport::signature::Secret;

    fn decisions(after: u64) -> Vec<StoredDecision> {
        // Every third is asked for; there are 20, and 4 are read at once.
        let decision = |seq: u64| {
            let kind = if seq.is_multiple_of(3) {
                "reply.due"
            } else {
                "session.queued"
            };
            StoredDecision {
                seq,
                at: Instant::from_ms(0),
                json: format!("{{\"type\":\"{kind}\",\"at\":\"\"}}"),
                event: bytes::Bytes::new(),
            }
        };
        (after + 1..=20).take(4).map(decision).collect()
    }

    #[test]
    fn a_message_is_what_is_asked_for_in_order() {
        let change = |batch| EndpointChange {
            types: Some(Some(vec!["reply.due".to_owned()])),
            batch: Some(batch),
            ..EndpointChange::default()
        };
        let endpoint = |batch| {
            let secret = Secret::new().unwrap();
            Endpoint::new(
                "e".into(),
                "http://h/".into(),
                secret,
                &change(batch),
                Instant::from_ms(0),
            )
        };
        for (batch, after, until, seqs, passed) in [
            (None, 0, None, vec![3], 2),
            (None, 3, None, vec![6], 5),
            (Some(4), 0, None, vec![3, 6, 9, 12], 2),
            (Some(9), 3, Some(10), vec![6, 9], 5),
            (Some(9), 12, None, vec![15, 18], 14),
            (Some(9), 18, None, vec![], 20),
            (None, 20, None, vec![], 20),
            // Four pages of four are read for one message.
            (Some(9), 0, None, vec![3, 6, 9, 12, 15], 2),
            (None, 6, Some(8), vec![], 8),
        ] {
            let mut reader = BatchReader::default();
            let found = reader.take(&endpoint(batch), after, until, |after| {
                Ok::<_, ()>(decisions(after))
            });
            let found = found.unwrap();
            let of: Vec<u64> = found.decisions.iter().map(|one| one.seq).collect();
            assert_eq!(
                (of, found.passed),
                (seqs, passed),
                "{batch:?} after {after}"
            );
        }
    }
}
