//! Invitations: whether a buyer may be asked for a rating (I1 to I13).
//!
//! Every rule gives one [`Check`]: whether it blocks, the values it looked at, and when it stops blocking. The decision
//! and its explanation use the same checks.

mod check_results;

use check_results::CheckResults;

use crate::domain::base::calendar::Day;
use crate::domain::base::deterministic_draw::draw;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Instant, OffsetTimestamp};
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::invite_check::{Check, Observed};
use crate::domain::policy::{InviteAfter, Suspension};
use crate::domain::protocol::decision::{BlockCode, CloseReason, DecisionBody, Trigger};
use crate::domain::protocol::rating::Source;
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::agent::BOT;
use crate::domain::state::buyer::WHOLE_SHOP;
use crate::domain::state::daily_stats::LABELS_BACK;
use crate::domain::state::session::Speaker;
use crate::domain::state::shared_invites::{Claim, Ledger};
use crate::domain::state::shop::Shop;

/// Whether an invitation that no rule blocks is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    Yes,
    No,
}

/// What a request for an invitation would decide.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedInvite {
    /// The session.
    pub session: Id,
    /// Its buyer.
    pub buyer: Id,
    /// Its agent.
    pub agent: Id,
    /// The card that would be sent, if no rule blocks it.
    pub card: Option<Id>,
    /// The rules that block it.
    pub blocked_by: Vec<BlockCode>,
    /// When all of them stop blocking it, if that is known.
    pub retry_at: Option<OffsetTimestamp>,
}

/// The rules of an automatic invitation that need only the shop, in order. I12 follows.
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

impl Shop {
    /// The automatic invitation for a session that was just closed.
    pub(in crate::domain) fn decide_auto_invite(
        &mut self,
        session: u32,
        reason: CloseReason,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) {
        let asked = out.is_asked(self.seq);
        let tried = self.try_auto_invite(session, reason, asked, Sending::Yes, ledger);
        let agent = self.sessions[session].served_by();
        let (true, Some(agent)) = (tried.codes.is_empty(), agent) else {
            return self.block_invite(session, agent, tried, out);
        };
        let buyer = self.sessions[session].buyer;
        self.book_auto_invite(buyer);
        self.send_invite(session, agent, tried, out);
    }

    /// The rules that would block the automatic invitation if the agent closed the session now. Books nothing. `None`
    /// if no such session is open.
    pub fn check_auto_invite(
        &self,
        session: &Id,
        ledger: &mut dyn Ledger,
    ) -> Option<Vec<BlockCode>> {
        let session = self.find_open(session).ok()?;
        let reason = CloseReason::Agent;
        let tried = self.try_auto_invite(session, reason, false, Sending::No, ledger);
        Some(tried.codes)
    }

    /// Checks I1 to I12 for an automatic invitation. If it is to be sent and no rule blocks it, the ledger books it.
    fn try_auto_invite(
        &self,
        session: u32,
        reason: CloseReason,
        asked: bool,
        sending: Sending,
        ledger: &mut dyn Ledger,
    ) -> CheckResults {
        let mut tried = CheckResults::new(Trigger::Auto, asked);
        for code in AUTO_OWN {
            tried.add(self.auto_check(code, session, reason));
        }
        let send = sending == Sending::Yes && tried.codes.is_empty();
        tried.add(self.shared_check(session, send, ledger));
        tried
    }

    /// Checks one of I1 to I11 for an automatic invitation.
    fn auto_check(&self, code: BlockCode, session: u32, reason: CloseReason) -> Check {
        let (policy, now) = (&self.policy.invite, self.now);
        let record = &self.sessions[session];
        let buyer = &self.buyers[record.buyer];
        let (applies, seen) = match code {
            BlockCode::Disabled => (!policy.auto, Observed::Switch(policy.auto)),
            BlockCode::BotSession => {
                let (human, bot) = (record.marks.human, record.served_by() == Some(BOT));
                let bots = policy.bots;
                let asked_about = human || (bot && bots);
                (!asked_about, Observed::Served { human, bot, bots })
            }
            BlockCode::CloseReason => (!may_follow(policy.after, reason), Observed::Reason(reason)),
            BlockCode::BuyerSpokeLast => {
                let (last, required) = (record.speaker, policy.agent_spoke_last);
                let applies = required && last != Some(Speaker::Agent);
                (applies, Observed::Spoke { last, required })
            }
            BlockCode::TooShort => {
                let (lasted, longer_than) = (now - record.opened, policy.longer_than);
                let applies = !longer_than.is_zero() && lasted <= longer_than;
                (
                    applies,
                    Observed::Lasted {
                        lasted,
                        longer_than,
                    },
                )
            }
            BlockCode::Suspended => {
                let suspension = self.suspension();
                (suspension.is_some(), Observed::Suspended(suspension))
            }
            BlockCode::RiskBuyer => (buyer.risk, Observed::Flag(buyer.risk)),
            BlockCode::NotSampled => {
                let (drawn, below) = (self.invite_lot(session), policy.auto_per_myriad);
                (drawn >= below, Observed::Lot { drawn, below })
            }
            BlockCode::RatedRecently => {
                let history = self.tie(record.buyer, WHOLE_SHOP);
                let rated_at = if policy.quiet_after_opening {
                    history.rated_at
                } else {
                    history.submitted_at
                };
                let rated = (rated_at, policy.quiet_after_rating);
                return Check::rated(rated, policy.quiet_after_opening, now);
            }
            BlockCode::AlreadyInvited => {
                let manual_at = self.tie(record.buyer, WHOLE_SHOP).manual_invited_at;
                let manual = (manual_at, policy.manual_quiet);
                let auto = (buyer.auto_invited_at, policy.auto_quiet);
                return Check::invited(manual, auto, now);
            }
            BlockCode::ShopDayCap => return self.shop_day_check(record.buyer),
            // The ledger checks I12. I13 applies only to manual invitations.
            BlockCode::BuyerDayCap | BlockCode::NoContact => (false, Observed::Switch(true)),
        };
        Check::new(code, applies, seen)
    }

    /// I6.
    fn suspension(&self) -> Option<Suspension> {
        let windows = &self.policy.invite.suspended;
        if windows.is_empty() {
            return None;
        }
        let local = self.span.local(self.now);
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

    /// The draw of I8. With a sample of 100 percent no draw is needed.
    fn invite_lot(&self, session: u32) -> u16 {
        if self.policy.invite.auto_per_myriad >= 10_000 {
            return 0;
        }
        (draw(&["invite:", &self.sessions[session].id]) % 10_000) as u16
    }

    /// I11.
    fn shop_day_check(&self, buyer: u32) -> Check {
        let cap = self.policy.invite.auto_per_shop_day;
        let count = if cap > 0 {
            self.auto_invites_on(buyer, self.span.day)
        } else {
            0
        };
        let applies = cap > 0 && count >= cap;
        Check {
            lets_go: applies.then_some(self.span.day_until),
            ..Check::new(
                BlockCode::ShopDayCap,
                applies,
                Observed::Count { count, cap },
            )
        }
    }

    /// The number of automatic invitations that are booked for the buyer on a day.
    fn auto_invites_on(&self, buyer: u32, day: Day) -> u32 {
        let (latest, count) = self.buyers[buyer].auto_invites;
        if latest == day {
            return count;
        }
        let book = self.days.get(day);
        book.map_or(0, |book| book.buyer(buyer).auto_invites)
    }

    /// Books an automatic invitation now (I10, I11).
    pub(in crate::domain) fn book_auto_invite(&mut self, buyer: u32) {
        let day = self.span.day;
        let count = self.auto_invites_on(buyer, day) + 1;
        let record = &mut self.buyers[buyer];
        record.auto_invited_at = self.now;
        let (before, kept) = std::mem::replace(&mut record.auto_invites, (day, count));
        // The previous day's label may return if the shop's zone changes.
        if before != day && before.0 >= day.0 - LABELS_BACK {
            self.days.on(before).keep_auto_invites(buyer, kept);
        }
    }

    /// I12: checks and books in one step, if no other rule blocks.
    fn shared_check(&self, session: u32, send: bool, ledger: &mut dyn Ledger) -> Check {
        let cap = self.policy.invite.shops_per_buyer_day;
        let mut count = 0;
        let (zone, today) = (&self.policy.timezone, &self.span);
        let on_day = |at| today.holds(at) || zone.span(at).day == today.day;
        if send || cap > 0 {
            count = ledger.claim(&Claim {
                shop: &self.id,
                space: &self.policy.buyer_space,
                buyer: &self.buyers[self.sessions[session].buyer].id,
                at: self.now,
                on_day: &on_day,
                cap,
                send,
            });
        }
        let applies = cap > 0 && count >= cap;
        Check::new(
            BlockCode::BuyerDayCap,
            applies,
            Observed::Count { count, cap },
        )
    }

    /// `invite.requested`: the agent asks for a rating (邀请评价).
    pub(in crate::domain) fn request_invite(
        &mut self,
        session: &Id,
        agent: Option<&Id>,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let (session, agent) = self.find_own(session, agent)?;
        let asked = out.is_asked(self.seq);
        let tried = self.try_manual_invite(session, agent, self.now, asked);
        if tried.codes.is_empty() {
            let buyer = self.sessions[session].buyer;
            let now = self.now;
            self.tie_mut(buyer, WHOLE_SHOP).manual_invited_at = now;
            self.send_invite(session, agent, tried, out);
        } else {
            self.block_invite(session, Some(agent), tried, out);
        }
        Ok(())
    }

    /// What `invite.requested` by the session's agent would decide at an instant, which the shop's clock may not have
    /// reached. Changes nothing.
    ///
    /// # Errors
    ///
    /// The event would be rejected.
    pub fn check_manual_invite(
        &self,
        session: &Id,
        at: Instant,
    ) -> Result<CheckedInvite, Rejection> {
        let at = at.max(self.now);
        self.find_session_at(session, at)?;
        let (session, agent) = self.find_own(session, None)?;
        let tried = self.try_manual_invite(session, agent, at, false);
        let (id, buyer) = self.names(session);
        let next = self.sessions[session].cards.len();
        Ok(CheckedInvite {
            card: tried.codes.is_empty().then(|| self.card_id(session, next)),
            session: id,
            buyer,
            agent: self.agent_id(agent),
            retry_at: tried.retry_at().map(|at| self.stamp(at)),
            blocked_by: tried.codes,
        })
    }

    /// Checks I1, I9, I10 and I13 for a manual invitation at an instant.
    fn try_manual_invite(
        &self,
        session: u32,
        agent: u32,
        at: Instant,
        asked: bool,
    ) -> CheckResults {
        let mut tried = CheckResults::new(Trigger::Manual, asked);
        for check in self.manual_checks(session, agent, at) {
            tried.add(check);
        }
        tried
    }

    /// I1, I9, I10 and I13 for a manual invitation at an instant.
    fn manual_checks(&self, session: u32, agent: u32, now: Instant) -> [Check; 4] {
        let policy = &self.policy.invite;
        let number = self.sessions[session].buyer;
        let manual_at = self.tie(number, WHOLE_SHOP).manual_invited_at;
        let auto_at = self.buyers[number].auto_invited_at;
        let (manual, auto) = (
            (manual_at, policy.manual_quiet),
            (auto_at, policy.manual_quiet),
        );
        let rated = (self.tie(number, agent).rated_at, policy.quiet_after_rating);
        let day = self.days.get(self.span_at(now).day);
        let wrote = day.is_some_and(|day| day.wrote_to(number, agent));
        let needed = policy.manual_needs_contact;
        let on = Observed::Switch(policy.manual);
        let contact = Observed::Contact { wrote, needed };
        [
            Check::new(BlockCode::Disabled, !policy.manual, on),
            Check::rated(rated, true, now),
            Check::invited(manual, auto, now),
            Check::new(BlockCode::NoContact, needed && !wrote, contact),
        ]
    }

    fn send_invite(
        &mut self,
        session: u32,
        agent: u32,
        tried: CheckResults,
        out: &mut DecisionSink,
    ) {
        let source = match tried.trigger {
            Trigger::Auto => Source::Auto,
            Trigger::Manual => Source::Agent,
        };
        let place = self.make_card(session, agent, source);
        self.totals.invite(tried.trigger, &[]);
        let (id, buyer) = self.names(session);
        let body = DecisionBody::InviteSent {
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
        mut tried: CheckResults,
        out: &mut DecisionSink,
    ) {
        self.totals.invite(tried.trigger, &tried.codes);
        let (id, buyer) = self.names(session);
        let body = DecisionBody::InviteBlocked {
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

/// Whether an invitation may follow a close for this reason. The last four reasons never allow it (I3).
fn may_follow(after: InviteAfter, reason: CloseReason) -> bool {
    match reason {
        CloseReason::Timeout => after.timeout,
        CloseReason::Agent => after.agent,
        CloseReason::Buyer => after.buyer,
        CloseReason::System
        | CloseReason::AgentOffline
        | CloseReason::Abandoned
        | CloseReason::Blocked => false,
    }
}
