//! The results of the rules of one invitation.

use crate::domain::base::time::Instant;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::Evidence;
use crate::domain::explain::invite_check::Check;
use crate::domain::protocol::decision::{BlockCode, Trigger};

/// The results of the rules that were checked so far.
pub(super) struct CheckResults {
    pub(super) trigger: Trigger,
    /// The codes of the rules that block.
    pub(super) codes: Vec<BlockCode>,
    /// The latest time at which one of them stops blocking.
    lets_go: Option<Instant>,
    /// All results, if the decision is to be explained.
    checks: Option<Vec<Check>>,
}

impl CheckResults {
    pub(super) fn new(trigger: Trigger, asked: bool) -> CheckResults {
        CheckResults {
            trigger,
            codes: Vec::new(),
            lets_go: None,
            checks: asked.then(Vec::new),
        }
    }

    pub(super) fn add(&mut self, check: Check) {
        if check.applies {
            self.codes.push(check.code);
            self.lets_go = self.lets_go.max(check.lets_go);
        }
        if let Some(checks) = &mut self.checks {
            checks.push(check);
        }
    }

    /// The time at which all blocking rules stop blocking, if all of them have one.
    pub(super) fn retry_at(&self) -> Option<Instant> {
        let all = self.codes.iter().all(|&code| can_be_waited_for(code));
        self.lets_go.filter(|_| all)
    }

    pub(super) fn note(self, seq: u64, out: &mut DecisionSink) {
        out.drop_notes();
        if let Some(checks) = self.checks {
            let trigger = self.trigger;
            out.note(seq, || Evidence::Invite { trigger, checks });
        }
    }
}

/// Whether the time at which this rule stops blocking is known.
fn can_be_waited_for(code: BlockCode) -> bool {
    match code {
        BlockCode::RatedRecently | BlockCode::AlreadyInvited | BlockCode::ShopDayCap => true,
        BlockCode::Disabled
        | BlockCode::BotSession
        | BlockCode::CloseReason
        | BlockCode::BuyerSpokeLast
        | BlockCode::TooShort
        | BlockCode::Suspended
        | BlockCode::RiskBuyer
        | BlockCode::NotSampled
        | BlockCode::BuyerDayCap
        | BlockCode::NoContact => false,
    }
}
