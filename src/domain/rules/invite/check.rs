//! One rule of the invitations as it stands for one invite, and all of them as they are tried.

use crate::domain::base::time::{Duration, Instant};
use crate::domain::explain::decision_sink::Outcome;
use crate::domain::explain::explanation::Note;
use crate::domain::policy::Suspension;
use crate::domain::protocol::decision::{BlockCode, CloseReason, Trigger};
use crate::domain::state::session::Speaker;

/// One rule of the invitations, as it stands for one invite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check {
    /// The rule's code.
    pub code: BlockCode,
    /// Whether it keeps the invite back.
    pub applies: bool,
    /// What it looked at.
    pub seen: Seen,
    /// When it stops to apply, where that is known.
    pub lets_go: Option<Instant>,
}

/// What a check looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// A switch of the policy.
    Switch(bool),
    /// Who ever had the session: a person, the bot; and whether the bot's sessions are asked about.
    Served {
        /// An agent had it.
        human: bool,
        /// The bot had it.
        bot: bool,
        /// The policy's `invite.bots`.
        bots: bool,
    },
    /// Why the session closed.
    Reason(CloseReason),
    /// Who spoke last, and whether it must be an agent.
    Spoke {
        /// Who.
        last: Option<Speaker>,
        /// The policy's `invite.agent_spoke_last`.
        required: bool,
    },
    /// How long the session lasted, and how long it has to.
    Lasted {
        /// From its opening to its close.
        lasted: Duration,
        /// The policy's `invite.longer_than`.
        longer_than: Duration,
    },
    /// The suspended window that covers now.
    Suspended(Option<Suspension>),
    /// Whether the buyer is flagged.
    Flag(bool),
    /// The session's lot, and below what it must fall, in ten-thousandths.
    Lot {
        /// 0 to 9,999.
        drawn: u16,
        /// The policy's `invite.auto_percent`.
        below: u16,
    },
    /// The latest deeds, each with the window that it opened.
    Quiet {
        /// When, and for how long.
        first: (Instant, Duration),
        /// A second kind of deed, where the rule has one: for I10 the automatic invites.
        second: Option<(Instant, Duration)>,
    },
    /// A counter and its cap; 0: no cap.
    Count {
        /// So far.
        count: u32,
        /// At most.
        cap: u32,
    },
    /// A counter that others share, whose count is not for who asks; and its cap, 0: no cap.
    Shared {
        /// At most.
        cap: u32,
    },
    /// Whether the buyer wrote to the agent today, and whether it must have.
    Contact {
        /// It did.
        wrote: bool,
        /// The policy's `invite.manual_needs_contact`.
        needed: bool,
    },
}

impl Check {
    pub(super) fn new(code: BlockCode, applies: bool, seen: Seen) -> Check {
        Check {
            code,
            applies,
            seen,
            lets_go: None,
        }
    }

    /// As it is shown to who may learn nothing of other shops (I12): whether the cap is reached, and not by how many.
    #[must_use]
    pub fn without_other_shops(self) -> Check {
        match (self.code, self.seen) {
            (BlockCode::BuyerDayCap, Seen::Count { cap, .. }) => Check {
                seen: Seen::Shared { cap },
                ..self
            },
            (_, _) => self,
        }
    }

    /// I9 and I10: quiet after one kind of deed, or two.
    pub(super) fn quiet(
        code: BlockCode,
        first: (Instant, Duration),
        second: Option<(Instant, Duration)>,
        now: Instant,
    ) -> Check {
        let covering =
            |(deed, window): (Instant, Duration)| deed.covers(window, now).then(|| deed + window);
        let lets_go = covering(first).max(second.and_then(covering));
        Check {
            code,
            applies: lets_go.is_some(),
            seen: Seen::Quiet { first, second },
            lets_go,
        }
    }
}

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

    pub(super) fn note(self, seq: u64, out: &mut Outcome) {
        out.drop_notes();
        if let Some(checks) = self.checks {
            let trigger = self.trigger;
            out.note(seq, || Note::Invite { trigger, checks });
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
