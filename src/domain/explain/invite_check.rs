//! The result of one invitation rule.

use crate::domain::base::time::{Duration, Instant};
use crate::domain::policy::Suspension;
use crate::domain::protocol::codes::{BlockCode, CloseReason};
use crate::domain::state::session::Speaker;

/// The result of one invitation rule for one invitation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Check {
    /// The rule's code.
    pub code: BlockCode,
    /// Whether the rule blocks the invitation.
    pub applies: bool,
    /// The values that the rule looked at.
    pub seen: Observed,
    /// When the rule stops blocking, if that is known.
    pub lets_go: Option<Instant>,
}

/// The values that a rule looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observed {
    /// A setting of the policy.
    Switch(bool),
    /// Who served the session, and whether the policy invites for sessions of the bot.
    Served {
        /// An agent served it.
        human: bool,
        /// The bot served it.
        bot: bool,
        /// The policy's `invite.bots`.
        bots: bool,
    },
    /// The close reason.
    Reason(CloseReason),
    /// The last speaker, and whether it must be an agent.
    Spoke {
        /// The last speaker.
        last: Option<Speaker>,
        /// The policy's `invite.agent_spoke_last`.
        required: bool,
    },
    /// The duration of the session, and the minimum.
    Lasted {
        /// From opening to close.
        lasted: Duration,
        /// The policy's `invite.longer_than`.
        longer_than: Duration,
    },
    /// The suspension that covers the current time.
    Suspended(Option<Suspension>),
    /// Whether the buyer is flagged.
    Flag(bool),
    /// The session's draw and the limit below which it is sampled, in ten-thousandths.
    Lot {
        /// 0 to 9,999.
        drawn: u16,
        /// The policy's `invite.auto_percent`.
        below: u16,
    },
    /// The latest rating, and the window that it started.
    Rated {
        /// When the buyer rated.
        at: Instant,
        /// The policy's `invite.quiet_after_rating`.
        window: Duration,
        /// Whether opening a card counts like a submission.
        opening: bool,
    },
    /// The latest invitations, each with the window that it started.
    Quiet {
        /// The time of the manual invitation and the length of its window.
        manual: (Instant, Duration),
        /// The same of the automatic one.
        auto: (Instant, Duration),
    },
    /// A counter and its cap. 0: no cap.
    Count {
        /// The current value.
        count: u32,
        /// The maximum.
        cap: u32,
    },
    /// A counter shared with other shops, without its value, and its cap. 0: no cap.
    Shared {
        /// The maximum.
        cap: u32,
    },
    /// Whether the buyer wrote to the agent on this day, and whether that is required.
    Contact {
        /// The buyer wrote.
        wrote: bool,
        /// The policy's `invite.manual_needs_contact`.
        needed: bool,
    },
}

impl Check {
    pub(in crate::domain) fn new(code: BlockCode, applies: bool, seen: Observed) -> Check {
        Check {
            code,
            applies,
            seen,
            lets_go: None,
        }
    }

    /// A copy for readers who may not learn about other shops (I12): whether the cap is reached, without the count.
    #[must_use]
    pub fn without_other_shops(self) -> Check {
        match (self.code, self.seen) {
            (BlockCode::BuyerDayCap, Observed::Count { cap, .. }) => Check {
                seen: Observed::Shared { cap },
                ..self
            },
            (_, _) => self,
        }
    }

    /// I9: the window after a rating. `opening`: whether opening a card starts it too.
    pub(in crate::domain) fn rated(
        (at, window): (Instant, Duration),
        opening: bool,
        now: Instant,
    ) -> Check {
        let seen = Observed::Rated {
            at,
            window,
            opening,
        };
        Check::until(BlockCode::RatedRecently, end(at, window, now), seen)
    }

    /// I10: the windows after a manual and after an automatic invitation.
    pub(in crate::domain) fn invited(
        manual: (Instant, Duration),
        auto: (Instant, Duration),
        now: Instant,
    ) -> Check {
        let lets_go = end(manual.0, manual.1, now).max(end(auto.0, auto.1, now));
        let seen = Observed::Quiet { manual, auto };
        Check::until(BlockCode::AlreadyInvited, lets_go, seen)
    }

    fn until(code: BlockCode, lets_go: Option<Instant>, seen: Observed) -> Check {
        Check {
            code,
            applies: lets_go.is_some(),
            seen,
            lets_go,
        }
    }
}

/// The end of the window that an activity started, if it lasts.
fn end(deed: Instant, window: Duration, now: Instant) -> Option<Instant> {
    deed.covers(window, now).then(|| deed + window)
}
