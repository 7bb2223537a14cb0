//! The dispatcher of events.
//!
//! The same shop, event and instant give the same decisions, now and in a replay. An event is checked in the contract's
//! order. Then due timers fire, each at its own due time. Then the event's rule handles it, and waiting sessions are
//! served, the longest wait first (R7). This is the order of S5.

use super::rating::Rating;
use crate::domain::base::calendar::LocalDaySpan;
use crate::domain::base::time::Instant;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::policy::group_plan::CheckedPolicy;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::codes::ErrorCode;
use crate::domain::protocol::decision::{Decision, DecisionBody};
use crate::domain::protocol::event::{ENTRIES, Event, EventBody, GivenPolicy};
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::idempotency::{Code, IdempotencyRecord};
use crate::domain::state::shared_invites::Ledger;
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::{DueTimer, ShopTimer, Timer};

/// The result of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The event was accepted.
    Accepted,
    /// The event was rejected. The sink has the rejection.
    Rejected,
    /// An event with the same id was accepted before. Nothing was decided or changed.
    Repeated,
}

impl Shop {
    /// Handles one well-formed event.
    pub fn take(
        &mut self,
        event: &Event,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) -> Applied {
        let id = event.id.as_ref().map(|id| (Code::of(id), id));
        if id.is_some_and(|id| self.remembered.get(id, self.now).is_some()) {
            return Applied::Repeated;
        }
        let seq_before = self.seq;
        let result = self.check_before(event).and_then(|()| {
            self.advance(event.at, ledger, out);
            self.handle(&event.what, event.at, ledger, out)
        });
        if let Err(rejection) = result {
            self.note_rejected(event, rejection.error, out);
            self.decide_rejection(event.what.name(), rejection, out);
            return Applied::Rejected;
        }
        self.drain(out);
        if event.at < self.now {
            // What a late event armed in the past is due now (T1).
            self.fire(self.now, ledger, out);
            self.settle_lates();
        }
        if let Some((code, id)) = id {
            let receipt = IdempotencyRecord {
                print: event.print,
                first: seq_before + 1,
                count: (self.seq - seq_before) as u32,
            };
            self.remembered.keep((code, id.clone()), self.now, receipt);
        }
        Applied::Accepted
    }

    /// Rejects an event before it is handled, at the shop's clock.
    pub fn reject(&mut self, event: &str, rejection: Rejection, out: &mut DecisionSink) {
        out.drop_notes();
        self.decide_rejection(event, rejection, out);
    }

    fn decide_rejection(&mut self, event: &str, rejection: Rejection, out: &mut DecisionSink) {
        let Rejection {
            error,
            message,
            session,
        } = rejection;
        let body = DecisionBody::EventRejected {
            event: event.into(),
            error,
            message: message.into(),
            session,
        };
        self.decide(body, out);
    }

    /// The checks that come before the clock advances.
    pub(in crate::domain) fn check_before(&self, event: &Event) -> Result<(), Rejection> {
        let lateness = self.policy.session.lateness;
        if self.now - event.at > lateness {
            let message = format!(
                "`at` is before the shop's clock, which stands at {}, by more than the policy's \
                 `session.lateness` of {lateness}: send events in the order of time, or the last one's time.",
                self.stamp(self.now)
            );
            return Err(Rejection::new(ErrorCode::TimeWentBack, message));
        }
        if let EventBody::SessionOpened {
            entry: Some(entry), ..
        } = &event.what
        {
            let known = ENTRIES.contains(&entry.as_str());
            if !known && !self.policy.routing.entries.contains_key(entry) {
                let message = format!(
                    "`entry` {entry:?} is none of {} and no key of the policy's `routing.entries`: \
                     name one of these, or add it to the policy.",
                    ENTRIES.join(", ")
                );
                return Err(Rejection::new(ErrorCode::Malformed, message));
            }
        }
        Ok(())
    }

    /// Fires the timers that are due at or before `to`, and sets the clock. A late event leaves it where it stands (T1).
    pub(in crate::domain) fn advance(
        &mut self,
        to: Instant,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) {
        self.fire(to, ledger, out);
        self.set_clock(to.max(self.now));
        self.settle_lates();
        self.forget();
        self.timers.begin_event();
    }

    /// Fires the timers that are due at or before `to`, each at its own due time, or at the clock if that is later.
    fn fire(&mut self, to: Instant, ledger: &mut dyn Ledger, out: &mut DecisionSink) {
        while let Some((due, timer)) = self.timers.next()
            && due <= to
        {
            self.set_clock(due.max(self.now));
            self.timers.begin_event();
            self.timers.take(due, timer);
            match timer {
                DueTimer::Shop(_, ShopTimer::Hours) => self.follow_hours(out),
                DueTimer::Shop(_, ShopTimer::Day(day)) => self.sum_up(day, out),
                DueTimer::Session(session, timer) => match timer {
                    Timer::ReplyDue => self.remind(session, out),
                    Timer::ReplyOverdue => self.overdue(session, out),
                    Timer::Silence => self.silence(session, ledger, out),
                    Timer::Queue => self.waited_too_long(session, ledger, out),
                    Timer::TakeBack => self.answer_is_overdue(session, out),
                    Timer::Left => self.abandon(session, ledger, out),
                    Timer::WrapUp => self.end_wrap_up(session),
                    // It is the shop's.
                    Timer::Day => {}
                },
            }
            self.drain(out);
        }
    }

    /// Sets the clock, and starts a new natural day if necessary.
    pub(in crate::domain) fn set_clock(&mut self, to: Instant) {
        self.now = to;
        if !self.span.holds(to) {
            self.turn_to(self.policy.timezone.span(to));
        }
    }

    /// Moves to another span of the calendar.
    pub(in crate::domain) fn turn_to(&mut self, span: LocalDaySpan) {
        let before = std::mem::replace(&mut self.span, span);
        if before.day != span.day {
            self.directory.turn_to(span.day);
            self.days.turn_to(span.day, self.lateness);
        }
    }

    fn handle(
        &mut self,
        what: &EventBody,
        own: Instant,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        match what {
            EventBody::ShopConfigured { policy } => self.configure(policy, out),
            EventBody::AgentConfigured {
                agent,
                name,
                roles,
                capacity,
                weight,
            } => {
                self.configure_agent(agent, name, roles, *capacity, *weight);
                Ok(())
            }
            EventBody::AgentRemoved { agent } => self.remove_agent(agent, ledger, out),
            EventBody::PresenceChanged { agent, presence } => {
                self.change_presence(agent, *presence, ledger, out)
            }
            EventBody::SessionOpened {
                session,
                buyer,
                entry,
                question,
                order_status,
                bot,
                priority,
            } => {
                let attributes = RoutingAttributes {
                    entry: entry.clone(),
                    question: question.clone(),
                    order_status: order_status.clone(),
                };
                self.open(session, buyer, attributes, *bot, *priority, out)
            }
            EventBody::SessionRanked { session, priority } => self.rank_session(session, *priority),
            EventBody::AgentReady { agent } => self.agent_ready(agent),
            EventBody::SessionHandoff {
                session,
                question,
                order_status,
            } => self.hand_off(session, question, order_status, out),
            EventBody::SessionTransferred { session, to } => self.transfer(session, to, out),
            EventBody::SessionClosed { session, by } => self.close_by(session, *by, ledger, out),
            EventBody::BuyerMessage { session } => self.buyer_message(session, own, out),
            EventBody::BuyerLeft { session } => self.buyer_left(session),
            EventBody::BuyerReturned { session } => self.buyer_returned(session),
            EventBody::AgentMessage {
                session,
                agent,
                human,
            } => self.agent_message(session, agent.as_ref(), *human, own, out),
            EventBody::BotMessage { session } => self.bot_message(session, own),
            EventBody::InviteRequested { session, agent } => {
                self.request_invite(session, agent.as_ref(), out)
            }
            EventBody::RatingOpened { session, card } => {
                self.open_rating(session, card.as_ref(), out)
            }
            EventBody::RatingSubmitted {
                on,
                stars,
                reasons,
                comment,
            } => {
                let rating = Rating {
                    stars: *stars,
                    reasons,
                    comment: comment.as_deref(),
                };
                self.submit_rating(on, &rating, out)
            }
            EventBody::BuyerFlagged { buyer, risk } => {
                self.flag(buyer, *risk);
                Ok(())
            }
            EventBody::BuyerRanked { buyer, priority } => {
                self.rank_buyer(buyer, *priority);
                Ok(())
            }
            EventBody::BuyerBlocked {
                buyer,
                blocked,
                until,
            } => {
                self.block(buyer, *blocked, *until, ledger, out);
                Ok(())
            }
            EventBody::Clock => Ok(()),
        }
    }

    /// `shop.configured`. It arms and cancels no timer but that of the opening hours (H3). All values that are not yet
    /// booked follow the new policy.
    fn configure(&mut self, policy: &GivenPolicy, out: &mut DecisionSink) -> Result<(), Rejection> {
        let CheckedPolicy { policy, groups } = policy
            .read()
            .map_err(|error| Rejection::new(ErrorCode::PolicyInvalid, error.to_string()))?;
        if policy.timezone != self.policy.timezone {
            self.book_all_desk_time();
        }
        let age_before = self.policy.routing.priority.age;
        self.policy = policy;
        self.horizon = self.horizon.max(self.policy.longest_window());
        self.lateness = self.lateness.max(self.policy.session.lateness);
        self.turn_to(self.policy.timezone.span(self.now));
        let routing = &self.policy.routing;
        self.directory
            .follow(groups, routing.strategy, routing.queue.mode);
        if routing.priority.age != age_before {
            self.rank_all_again();
        }
        self.overdue_may_move = true;
        self.follow_hours(out);
        Ok(())
    }

    /// Records a decision at the current time.
    pub(in crate::domain) fn decide(&mut self, body: DecisionBody, out: &mut DecisionSink) {
        self.seq += 1;
        out.push(Decision {
            seq: self.seq,
            at: Some(self.stamp(self.now)),
            body,
        });
    }

    /// Builds what the next event would have to build. Called after recovery, before the first request.
    pub fn prepare(&mut self) {
        self.fresh_crews();
        self.directory.anybody_online();
    }
}
