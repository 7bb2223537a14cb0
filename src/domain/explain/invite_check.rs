//! One rule of the invitations as it stands for one invite.

use crate::domain::base::time::{Duration, Instant};
use crate::domain::policy::Suspension;
use crate::domain::protocol::codes::{BlockCode, CloseReason};
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
    pub(in crate::domain) fn new(code: BlockCode, applies: bool, seen: Seen) -> Check {
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
    pub(in crate::domain) fn quiet(
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
