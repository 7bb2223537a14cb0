//! Collects decisions as they are taken, and the evidence for one decision if a caller asked for it.

use super::explanation::Evidence;
use crate::domain::protocol::decision::Decision;

/// The decisions of one event, in order.
///
/// Evidence is collected only for a decision that a caller wants explained, so deciding costs nothing extra otherwise.
#[derive(Default)]
pub struct DecisionSink {
    /// The decisions.
    pub decisions: Vec<Decision>,
    asked: Option<Asked>,
}

struct Asked {
    seq: u64,
    notes: Vec<Evidence>,
    answer: Option<(Decision, Vec<Evidence>)>,
}

impl DecisionSink {
    /// A sink that also collects the evidence for the decision `seq` of the shop.
    pub fn explaining(seq: u64) -> DecisionSink {
        DecisionSink {
            decisions: Vec::new(),
            asked: Some(Asked {
                seq,
                notes: Vec::new(),
                answer: None,
            }),
        }
    }

    /// Records evidence for the decision after `seq_before`, if that is the one to explain.
    pub fn note(&mut self, seq_before: u64, note: impl FnOnce() -> Evidence) {
        if let Some(asked) = &mut self.asked
            && asked.seq == seq_before + 1
        {
            asked.notes.push(note());
        }
    }

    /// Whether the decision after `seq_before` is the one to explain.
    pub fn is_asked(&self, seq_before: u64) -> bool {
        self.asked
            .as_ref()
            .is_some_and(|asked| asked.seq == seq_before + 1)
    }

    /// Drops evidence that led to no decision.
    pub fn drop_notes(&mut self) {
        if let Some(asked) = &mut self.asked {
            asked.notes.clear();
        }
    }

    /// Adds a decision.
    pub fn push(&mut self, decision: Decision) {
        if let Some(asked) = &mut self.asked {
            let notes = std::mem::take(&mut asked.notes);
            if asked.seq == decision.seq {
                asked.answer = Some((decision.clone(), notes));
            }
        }
        self.decisions.push(decision);
    }

    /// The decision to explain and its evidence, once it was taken.
    pub fn take_answer(&mut self) -> Option<(Decision, Vec<Evidence>)> {
        self.asked.as_mut()?.answer.take()
    }
}
