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
    /// The latest activities, each with the window that it started.
    Quiet {
        /// The time of the activity and the length of its window.
        first: (Instant, Duration),
        /// A second kind of activity, if the rule has one. For I10: the automatic invitations.
        second: Option<(Instant, Duration)>,
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

    /// I9 and I10: windows after one or two kinds of activity.
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
            seen: Observed::Quiet { first, second },
            lets_go,
        }
    }
}
