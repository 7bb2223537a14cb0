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
        let mut tried = Tried::new(Trigger::Auto, out.is_asked(self.seq));
        for code in AUTO_OWN {
            tried.add(self.auto_check(code, session, reason));
        }
        tried.add(self.shared_check(session, tried.codes.is_empty(), ledger));
        let agent = self.sessions[session].served_by();
        let (true, Some(agent)) = (tried.codes.is_empty(), agent) else {
            return self.block_invite(session, agent, tried, out);
        };
        let buyer = self.sessions[session].buyer;
        self.buyers[buyer].auto_invited_at = self.now;
        self.days.on(self.stretch.day).book_auto_invite(buyer);
        self.send_invite(session, agent, tried, out);
    }

    /// All checks of the automatic invite that would follow if its agent closed the session now; nothing is booked.
    /// `None` where no such session is open.
    pub fn check_auto_invite(&self, session: &Id, ledger: &mut dyn Ledger) -> Option<Vec<Check>> {
        let session = self.find_open(session).ok()?;
        let own = AUTO_OWN.map(|code| self.auto_check(code, session, CloseReason::Agent));
        let mut checks = Vec::with_capacity(own.len() + 1);
        checks.extend(own);
        checks.push(self.shared_check(session, false, ledger));
        Some(checks)
    }

    /// One of I1 to I11 for an automatic invite.
    fn auto_check(&self, code: BlockCode, session: u32, reason: CloseReason) -> Check {
        let (policy, now) = (&self.policy.invite, self.now);
        let record = &self.sessions[session];
        let buyer = &self.buyers[record.buyer];
        let (applies, seen) = match code {
            BlockCode::Disabled => (!policy.auto, Seen::Switch(policy.auto)),
            BlockCode::BotSession => {
                let (human, bot) = (record.marks.human, record.served_by() == Some(BOT));
                let bots = policy.bots;
                (!human && !(bot && bots), Seen::Served { human, bot, bots })
            }
            BlockCode::CloseReason => (!policy.after.allows(reason), Seen::Reason(reason)),
            BlockCode::BuyerSpokeLast => {
                let (last, required) = (record.speaker, policy.agent_spoke_last);
                let applies = required && last != Some(Speaker::Agent);
                (applies, Seen::Spoke { last, required })
            }
            BlockCode::TooShort => {
                let (lasted, longer_than) = (now - record.opened, policy.longer_than);
                let applies = !longer_than.is_zero() && lasted <= longer_than;
                (applies, Seen::Lasted { lasted, longer_than })
            }
            BlockCode::Suspended => {
                let suspension = self.suspension();
                (suspension.is_some(), Seen::Suspended(suspension))
            }
            BlockCode::RiskBuyer => (buyer.risk, Seen::Flag(buyer.risk)),
            BlockCode::NotSampled => {
                let (drawn, below) = (self.invite_lot(session), policy.auto_per_myriad);
                (drawn >= below, Seen::Lot { drawn, below })
            }
            BlockCode::RatedRecently => {
                let rated = (buyer.rated_at, policy.quiet_after_rating);
                return Check::quiet(code, rated, None, now);
            }
            BlockCode::AlreadyInvited => {
                let manual = (buyer.manual_invited_at, policy.manual_quiet);
                let auto = (buyer.auto_invited_at, policy.auto_quiet);
                return Check::quiet(code, manual, Some(auto), now);
            }
            BlockCode::ShopDayCap => return self.shop_day_check(record.buyer),
            // I12 is asked of the ledger, I13 only of manual invites.
            BlockCode::BuyerDayCap | BlockCode::NoContact => (false, Seen::Switch(true)),
        };
        Check::new(code, applies, seen)
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
        let mut tried = Tried::new(Trigger::Manual, out.is_asked(self.seq));
        for check in self.manual_checks(session, agent) {
            tried.add(check);
        }
        if tried.codes.is_empty() {
            let buyer = self.sessions[session].buyer;
            self.buyers[buyer].manual_invited_at = self.now;
            self.send_invite(session, agent, tried, out);
        } else {
            self.block_invite(session, Some(agent), tried, out);
        }
        Ok(())
    }

    /// I1, I9, I10 and I13 of a manual invite.
    fn manual_checks(&self, session: u32, agent: u32) -> [Check; 4] {
        let (policy, now) = (&self.policy.invite, self.now);
        let number = self.sessions[session].buyer;
        let buyer = &self.buyers[number];
        let tie = self.tie(number, agent);
        let rated = tie.map_or(Instant::NEVER, |tie| tie.rated_at);
        let manual = (buyer.manual_invited_at, policy.manual_quiet);
        let auto = (buyer.auto_invited_at, policy.manual_quiet);
        let day = self.days.get(self.stretch.day);
        let wrote = day.is_some_and(|day| day.wrote_to(number, agent));
        let needed = policy.manual_needs_contact;
        let on = Seen::Switch(policy.manual);
        let contact = Seen::Contact { wrote, needed };
        let rated = (rated, policy.quiet_after_rating);
        [
            Check::new(BlockCode::Disabled, !policy.manual, on),
            Check::quiet(BlockCode::RatedRecently, rated, None, now),
            Check::quiet(BlockCode::AlreadyInvited, manual, Some(auto), now),
            Check::new(BlockCode::NoContact, needed && !wrote, contact),
        ]
    }

    fn send_invite(&mut self, session: u32, agent: u32, tried: Tried, out: &mut Outcome) {
        let source = match tried.trigger {
            Trigger::Auto => Source::Auto,
            Trigger::Manual => Source::Agent,
        };
        let place = self.make_card(session, agent, source);
        self.totals.invite(tried.trigger, &[]);
        let (id, buyer) = self.names(session);
        let body = Body::InviteSent {
            card: self.card_id(session, place),
            session: id,
            buyer,
            agent: self.agent_id(agent),
            trigger: tried.trigger,
        };
        tried.note(self.seq, out);
        self.decide(body, out);
    }

    fn block_invite(
        &mut self,
        session: u32,
        agent: Option<u32>,
        mut tried: Tried,
        out: &mut Outcome,
    ) {
        self.totals.invite(tried.trigger, &tried.codes);
        let (id, buyer) = self.names(session);
        let body = Body::InviteBlocked {
            session: id,
            buyer,
            agent: agent.map(|agent| self.agent_id(agent)),
            trigger: tried.trigger,
            retry_at: tried.retry_at().map(|at| self.stamp(at)),
            blocked_by: std::mem::take(&mut tried.codes),
        };
        tried.note(self.seq, out);
        self.decide(body, out);
    }
}

/// The rules of an automatic invite that the shop answers by itself, in their order; I12 follows.
const AUTO_OWN: [BlockCode; 11] = [
    BlockCode::Disabled,
    BlockCode::BotSession,
    BlockCode::CloseReason,
    BlockCode::BuyerSpokeLast,
    BlockCode::TooShort,
    BlockCode::Suspended,
    BlockCode::RiskBuyer,
    BlockCode::NotSampled,
    BlockCode::RatedRecently,
    BlockCode::AlreadyInvited,
    BlockCode::ShopDayCap,
];

/// The rules of one invite, as far as they have been tried.
struct Tried {
    trigger: Trigger,
    /// Those that apply.
    codes: Vec<BlockCode>,
    /// The latest instant at which one of them lets go.
    lets_go: Option<Instant>,
    /// All of them, where somebody asked why.
    checks: Option<Vec<Check>>,
}

impl Tried {
    fn new(trigger: Trigger, asked: bool) -> Tried {
        Tried {
            trigger,
            codes: Vec::new(),
            lets_go: None,
            checks: asked.then(Vec::new),
        }
    }

    fn add(&mut self, check: Check) {
        if check.applies {
            self.codes.push(check.code);
            self.lets_go = self.lets_go.max(check.lets_go);
        }
        if let Some(checks) = &mut self.checks {
            checks.push(check);
        }
    }

    /// The latest end of what keeps the invite back, where all of it has one.
    fn retry_at(&self) -> Option<Instant> {
        let all = self.codes.iter().all(|&code| can_be_waited_for(code));
        self.lets_go.filter(|_| all)
    }

    fn note(self, seq: u64, out: &mut Outcome) {
        out.drop_notes();
        if let Some(checks) = self.checks {
            let trigger = self.trigger;
            out.note(seq, || Note::Invite { trigger, checks });
        }
    }
}
