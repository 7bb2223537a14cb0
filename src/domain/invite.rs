//! Invitations: whether a buyer may be asked for a rating (I1 to I13).
//!
//! Every rule is one [`Check`]: whether it applies, what it looked at, and when it lets go. The decision and its
//! explanation are made of the same checks.

use super::agent::BOT;
use super::decision::{BlockCode, Body, CloseReason, Trigger};
use super::id::Id;
use super::ledger::{Claim, Ledger};
use super::lot::lot;
use super::outcome::Outcome;
use super::policy::Suspension;
use super::rating::Source;
use super::session::Speaker;
use super::shop::{Rejection, Shop};
use super::time::{Duration, Instant};
use super::why::Note;

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
    /// Whether the buyer wrote to the agent today, and whether it must have.
    Contact {
        /// It did.
        wrote: bool,
        /// The policy's `invite.manual_needs_contact`.
        needed: bool,
    },
}

impl Check {
    fn new(code: BlockCode, applies: bool, seen: Seen) -> Check {
        Check {
            code,
            applies,
            seen,
            lets_go: None,
        }
    }

    /// I9 and I10: quiet after one kind of deed, or two.
    fn quiet(
        code: BlockCode,
        first: (Instant, Duration),
        second: Option<(Instant, Duration)>,
        now: Instant,
    ) -> Check {
        let covering = |(deed, window): (Instant, Duration)| {
            deed.covers(window, now).then(|| deed + window)
        };
        let lets_go = covering(first).max(second.and_then(covering));
        Check {
            code,
            applies: lets_go.is_some(),
            seen: Seen::Quiet { first, second },
            lets_go,
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

impl Shop {
    /// The automatic invite of a session that has just closed.
    pub(super) fn decide_auto_invite(
        &mut self,
        session: u32,
        reason: CloseReason,
        ledger: &mut dyn Ledger,
        out: &mut Outcome,
    ) {
        let own = self.auto_checks(session, reason);
        let clear = own.iter().all(|check| !check.applies);
        let shared = self.shared_check(session, clear, ledger);
        let codes = applying(own.iter().chain([&shared]));
        out.drop_notes();
        out.note(self.seq, || Note::Invite {
            trigger: Trigger::Auto,
            checks: own.iter().chain([&shared]).copied().collect(),
        });
        let agent = self.sessions[session].served_by();
        let (true, Some(agent)) = (codes.is_empty(), agent) else {
            let all = own.iter().chain([&shared]);
            return self.block_invite(session, agent, Trigger::Auto, codes, retry_at(all), out);
        };
        let buyer = self.sessions[session].buyer;
        self.buyers[buyer].auto_invited_at = self.now;
        self.days.on(self.stretch.day).book_auto_invite(buyer);
        self.send_invite(session, agent, Trigger::Auto, out);
    }

    /// I1 to I11 of an automatic invite.
    fn auto_checks(&self, session: u32, reason: CloseReason) -> [Check; 11] {
        let (policy, now) = (&self.policy.invite, self.now);
        let record = &self.sessions[session];
        let buyer = &self.buyers[record.buyer];
        let (human, bot) = (record.marks.human, record.served_by() == Some(BOT));
        let after = policy.after;
        let allowed = match reason {
            CloseReason::Timeout => after.timeout,
            CloseReason::Agent => after.agent,
            CloseReason::Buyer => after.buyer,
            CloseReason::System | CloseReason::AgentOffline => false,
        };
        let last = record.speaker;
        let lasted = now - record.opened;
        let suspension = self.suspension();
        let drawn = self.invite_lot(session);
        let flag = buyer.risk;
        [
            Check::new(BlockCode::Disabled, !policy.auto, Seen::Switch(policy.auto)),
            Check::new(
                BlockCode::BotSession,
                !human && !(bot && policy.bots),
                Seen::Served {
                    human,
                    bot,
                    bots: policy.bots,
                },
            ),
            Check::new(BlockCode::CloseReason, !allowed, Seen::Reason(reason)),
            Check::new(
                BlockCode::BuyerSpokeLast,
                policy.agent_spoke_last && last != Some(Speaker::Agent),
                Seen::Spoke {
                    last,
                    required: policy.agent_spoke_last,
                },
            ),
            Check::new(
                BlockCode::TooShort,
                !policy.longer_than.is_zero() && lasted <= policy.longer_than,
                Seen::Lasted {
                    lasted,
                    longer_than: policy.longer_than,
                },
            ),
            Check::new(
                BlockCode::Suspended,
                suspension.is_some(),
                Seen::Suspended(suspension),
            ),
            Check::new(BlockCode::RiskBuyer, flag, Seen::Flag(flag)),
            Check::new(
                BlockCode::NotSampled,
                drawn >= policy.auto_per_myriad,
                Seen::Lot {
                    drawn,
                    below: policy.auto_per_myriad,
                },
            ),
            Check::quiet(
                BlockCode::RatedRecently,
                (buyer.rated_at, policy.quiet_after_rating),
                None,
                now,
            ),
            Check::quiet(
                BlockCode::AlreadyInvited,
                (buyer.manual_invited_at, policy.manual_quiet),
                Some((buyer.auto_invited_at, policy.auto_quiet)),
                now,
            ),
            self.shop_day_check(record.buyer),
        ]
    }

    /// I6.
    fn suspension(&self) -> Option<Suspension> {
        let windows = &self.policy.invite.suspended;
        if windows.is_empty() {
            return None;
        }
        let local = self.stretch.local(self.now);
        let covers = |window: &&Suspension| {
            let (after, before) = (window.from <= local, local < window.to);
            if window.from <= window.to {
                after && before
            } else {
                after || before
            }
        };
        windows.iter().find(covers).copied()
    }

    /// I8's lot; where everybody is asked, nobody draws.
    fn invite_lot(&self, session: u32) -> u16 {
        if self.policy.invite.auto_per_myriad >= 10_000 {
            return 0;
        }
        (lot(&["invite:", &self.sessions[session].id]) % 10_000) as u16
    }

    /// I11.
    fn shop_day_check(&self, buyer: u32) -> Check {
        let cap = self.policy.invite.auto_per_shop_day;
        let count = match self.days.get(self.stretch.day) {
            Some(day) if cap > 0 => day.buyer(buyer).auto_invites,
            Some(_) | None => 0,
        };
        let applies = cap > 0 && count >= cap;
        Check {
            lets_go: applies.then_some(self.stretch.day_until),
            ..Check::new(BlockCode::ShopDayCap, applies, Seen::Count { count, cap })
        }
    }

    /// I12, asked and booked in one step where the invite is clear otherwise.
    fn shared_check(&self, session: u32, send: bool, ledger: &mut dyn Ledger) -> Check {
        let cap = self.policy.invite.shops_per_buyer_day;
        let mut count = 0;
        if send || cap > 0 {
            count = ledger.claim(&Claim {
                shop: &self.id,
                space: &self.policy.buyer_space,
                buyer: &self.buyers[self.sessions[session].buyer].id,
                at: self.now,
                day: self.stretch.day_from..self.stretch.day_until,
                cap,
                send,
            });
        }
        let applies = cap > 0 && count >= cap;
        Check::new(BlockCode::BuyerDayCap, applies, Seen::Count { count, cap })
    }

    /// `invite.requested`: the agent clicks 邀请评价.
    pub(super) fn request_invite(
        &mut self,
        session: &Id,
        agent: Option<&Id>,
        out: &mut Outcome,
    ) -> Result<(), Rejection> {
        let (session, agent) = self.find_own(session, agent)?;
        let checks = self.manual_checks(session, agent);
        let codes = applying(checks.iter());
        out.drop_notes();
        out.note(self.seq, || Note::Invite {
            trigger: Trigger::Manual,
            checks: checks.to_vec(),
        });
        if codes.is_empty() {
            let buyer = self.sessions[session].buyer;
            self.buyers[buyer].manual_invited_at = self.now;
            self.send_invite(session, agent, Trigger::Manual, out);
        } else {
            let retry_at = retry_at(checks.iter());
            self.block_invite(session, Some(agent), Trigger::Manual, codes, retry_at, out);
        }
        Ok(())
    }

    /// I1, I9, I10 and I13 of a manual invite.
    fn manual_checks(&self, session: u32, agent: u32) -> [Check; 4] {
        let (policy, now) = (&self.policy.invite, self.now);
        let number = self.sessions[session].buyer;
        let buyer = &self.buyers[number];
        let rated = self.tie(number, agent).map_or(Instant::NEVER, |tie| tie.rated_at);
        let day = self.days.get(self.stretch.day);
        let wrote = day.is_some_and(|day| day.wrote_to(number, agent));
        let needed = policy.manual_needs_contact;
        [
            Check::new(BlockCode::Disabled, !policy.manual, Seen::Switch(policy.manual)),
            Check::quiet(
                BlockCode::RatedRecently,
                (rated, policy.quiet_after_rating),
                None,
                now,
            ),
            Check::quiet(
                BlockCode::AlreadyInvited,
                (buyer.manual_invited_at, policy.manual_quiet),
                Some((buyer.auto_invited_at, policy.manual_quiet)),
                now,
            ),
            Check::new(
                BlockCode::NoContact,
                needed && !wrote,
                Seen::Contact { wrote, needed },
            ),
        ]
    }

    fn send_invite(&mut self, session: u32, agent: u32, trigger: Trigger, out: &mut Outcome) {
        let source = match trigger {
            Trigger::Auto => Source::Auto,
            Trigger::Manual => Source::Agent,
        };
        let place = self.make_card(session, agent, source);
        self.totals.invite(trigger, &[]);
        let (id, buyer) = self.names(session);
        let body = Body::InviteSent {
            card: self.card_id(session, place),
            session: id,
            buyer,
            agent: self.agent_id(agent),
            trigger,
        };
        self.decide(body, out);
    }

    fn block_invite(
        &mut self,
        session: u32,
        agent: Option<u32>,
        trigger: Trigger,
        codes: Vec<BlockCode>,
        retry_at: Option<Instant>,
        out: &mut Outcome,
    ) {
        self.totals.invite(trigger, &codes);
        let (id, buyer) = self.names(session);
        let body = Body::InviteBlocked {
            session: id,
            buyer,
            agent: agent.map(|agent| self.agent_id(agent)),
            trigger,
            blocked_by: codes,
            retry_at: retry_at.map(|at| self.stamp(at)),
        };
        self.decide(body, out);
    }
}

fn applying<'a>(checks: impl Iterator<Item = &'a Check>) -> Vec<BlockCode> {
    let applying = checks.filter(|check| check.applies);
    applying.map(|check| check.code).collect()
}

/// The latest end of what keeps the invite back, where all of it has one.
fn retry_at<'a>(checks: impl Iterator<Item = &'a Check> + Clone) -> Option<Instant> {
    let mut applying = checks.filter(|check| check.applies);
    if !applying.clone().all(|check| can_be_waited_for(check.code)) {
        return None;
    }
    applying.by_ref().filter_map(|check| check.lets_go).max()
}
