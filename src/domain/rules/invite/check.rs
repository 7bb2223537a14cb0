//! The rules of one invitation, as they are tried.

use crate::domain::base::time::Instant;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::Evidence;
use crate::domain::explain::invite_check::Check;
use crate::domain::protocol::decision::{BlockCode, Trigger};

/// The rules of one invite, as far as they have been tried.
pub(super) struct Tried {
    pub(super) trigger: Trigger,
    /// Those that apply.
    pub(super) codes: Vec<BlockCode>,
    /// The latest instant at which one of them lets go.
    lets_go: Option<Instant>,
    /// All of them, where somebody asked why.
    checks: Option<Vec<Check>>,
}

impl Tried {
    pub(super) fn new(trigger: Trigger, asked: bool) -> Tried {
        Tried {
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

    /// The latest end of what keeps the invite back, where all of it has one.
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

/// The codes that say when they let go, so that `retry_at` can be told.
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
