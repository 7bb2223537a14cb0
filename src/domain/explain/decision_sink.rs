//! Outcomes: where decisions go as they are taken, and the notes that say why where somebody asked.

use super::explanation::Evidence;
use crate::domain::protocol::decision::Decision;

/// The decisions of one event, in the order in which they are taken.
///
/// Notes are only taken for a decision that somebody wants explained, so that deciding costs the same without.
#[derive(Default)]
pub struct DecisionSink {
    /// What was decided.
    pub decisions: Vec<Decision>,
    asked: Option<Asked>,
}

struct Asked {
    seq: u64,
    notes: Vec<Evidence>,
    answer: Option<(Decision, Vec<Evidence>)>,
}

impl DecisionSink {
    /// An outcome that also keeps why the decision `seq` of the shop was taken.
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

    /// Takes a note for the decision that follows `seq_before`, if that is the one asked about.
    pub fn note(&mut self, seq_before: u64, note: impl FnOnce() -> Evidence) {
        if let Some(asked) = &mut self.asked
            && asked.seq == seq_before + 1
        {
            asked.notes.push(note());
        }
    }

    /// Whether the decision that follows `seq_before` is the one asked about.
    pub fn is_asked(&self, seq_before: u64) -> bool {
        self.asked
            .as_ref()
            .is_some_and(|asked| asked.seq == seq_before + 1)
    }

    /// What was noted came to no decision.
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

    /// The decision that was asked about and its notes, once it has been taken.
    pub fn take_answer(&mut self) -> Option<(Decision, Vec<Evidence>)> {
        self.asked.as_mut()?.answer.take()
    }
}
