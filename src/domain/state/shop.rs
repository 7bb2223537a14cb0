//! A shop: all its state, its clock, and the one door through which events come.
//!
//! The same shop, the same event and the same instant give the same decisions, today and in a replay.
//! An event is checked in the contract's order; then the timers that are due fire, each at its own due time;
//! then it is handled in the room of its rule, and whoever waits longest is served (R7): the order of S5.

use std::collections::VecDeque;
use std::sync::Arc;

use super::agent_directory::Roster;
use super::buyer::{Buyer, Tie};
use super::daily_stats::DayBooks;
use super::idempotency::{Code, Receipt, Remembered};
use super::session::{Ask, Session};
use super::shared_invites::Ledger;
use super::timers::{Timer, Timers};
use super::totals::Totals;
use crate::domain::base::calendar::Stretch;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant, Stamp};
use crate::domain::collections::indexed_heap::Heap;
use crate::domain::collections::slab_map::Table;
use crate::domain::explain::decision_sink::Outcome;
use crate::domain::policy::Policy;
use crate::domain::policy::group_plan::CheckedPolicy;
use crate::domain::protocol::decision::{Body, Decision, ErrorCode};
use crate::domain::protocol::event::{ENTRIES, Event, GivenPolicy, What};
use crate::domain::rules::queueing::Queue;
use crate::domain::rules::retention::PRESET_WINDOW_MAX;
use crate::domain::rules::score::Scores;

/// A shop.
pub struct Shop {
    pub(in crate::domain) id: Id,
    pub(in crate::domain) policy: Arc<Policy>,
    pub(in crate::domain) now: Instant,
    pub(in crate::domain) stretch: Stretch,
    pub(in crate::domain) seq: u64,
    pub(in crate::domain) roster: Roster,
    pub(in crate::domain) queue: Queue,
    pub(in crate::domain) sessions: Table<Session>,
    pub(in crate::domain) buyers: Table<Buyer>,
    pub(in crate::domain) ties: Table<Tie>,
    pub(in crate::domain) timers: Timers,
    /// By session, the first instant at which one of its unanswered messages is late (M1).
    pub(in crate::domain) lates: Heap<Instant>,
    pub(in crate::domain) days: DayBooks,
    pub(in crate::domain) scores: Scores,
    /// Closed sessions that are still remembered, in the order in which they closed (S1).
    pub(in crate::domain) closed: VecDeque<(Instant, u32)>,
    pub(in crate::domain) remembered: Remembered,
    /// How far back buyers are remembered: the longest window that a policy of the shop ever had, or any preset has.
    pub(in crate::domain) horizon: Duration,
    pub(in crate::domain) totals: Totals,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It happened.
    Accepted,
    /// It was rejected, and the outcome says why.
    Rejected,
    /// An event with its id has happened already: nothing was decided, and nothing is changed.
    Repeated,
}

/// Why an event may not happen.
#[derive(Debug)]
pub struct Rejection {
    /// The contract's code.
    pub error: ErrorCode,
    /// One English sentence that says what to change.
    pub message: String,
    /// Another session that stands in the way.
    pub session: Option<Id>,
}

impl Rejection {
    /// A rejection that names no session.
    pub fn new(error: ErrorCode, message: impl Into<String>) -> Rejection {
        Rejection {
            error,
            message: message.into(),
            session: None,
        }
    }
}

impl Shop {
    /// A shop that begins at `at` with its first policy, with nobody in it.
    pub fn new(id: Id, policy: Policy, at: Instant) -> Shop {
        Shop::with(id, CheckedPolicy::accepted(policy), at)
    }

    /// The same with a policy whose groups are written out.
    pub fn with(id: Id, checked: CheckedPolicy, at: Instant) -> Shop {
        let CheckedPolicy { policy, groups } = checked;
        let stretch = policy.timezone.stretch(at);
        Shop {
            id,
            now: at,
            stretch,
            seq: 0,
            roster: Roster::new(stretch.day, groups, policy.routing.strategy),
            queue: Queue::default(),
            sessions: Table::default(),
            buyers: Table::default(),
            ties: Table::default(),
            timers: Timers::default(),
            lates: Heap::default(),
            days: DayBooks::default(),
            scores: Scores::default(),
            closed: VecDeque::new(),
            remembered: Remembered::default(),
            horizon: policy.longest_window().max(PRESET_WINDOW_MAX),
            totals: Totals::default(),
            policy,
        }
    }

    /// Its id.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Its policy of now.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same, to be looked at while the shop goes on.
    pub fn policy_shared(&self) -> Arc<Policy> {
        Arc::clone(&self.policy)
    }

    /// Makes what the next event would have to make first: for a shop that came up, before it is asked anything.
    pub fn prepare(&mut self) {
        self.fresh_crews();
        self.roster.anybody_online();
    }

    /// How many seats of crews were filled since it came up: what a change of its policy or its agents has cost.
    pub fn seats_filled(&self) -> u64 {
        self.roster.seats_filled()
    }

    /// Its clock.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The `seq` of its latest decision.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// When it wants to be woken by a `clock` event, if at all.
    pub fn next_timer(&self) -> Option<Instant> {
        Some(self.timers.next()?.0)
    }

    /// Handles one well-formed event.
    pub fn take(&mut self, event: &Event, ledger: &mut dyn Ledger, out: &mut Outcome) -> Taken {
        let id = event.id.as_ref().map(|id| (Code::of(id), id));
        if id.is_some_and(|id| self.remembered.get(id, self.now).is_some()) {
            return Taken::Repeated;
        }
        let seq_before = self.seq;
        let result = self.check_before(event).and_then(|()| {
            self.advance(event.at, ledger, out);
            self.handle(&event.what, ledger, out)
        });
        if let Err(rejection) = result {
            self.reject(event.what.name(), rejection, out);
            return Taken::Rejected;
        }
        self.drain(out);
        if let Some((code, id)) = id {
            let receipt = Receipt {
                print: event.print,
                first: seq_before + 1,
                count: (self.seq - seq_before) as u32,
            };
            self.remembered.keep((code, id.clone()), self.now, receipt);
        }
        Taken::Accepted
    }

    /// Answers an event that was rejected before it could be handled, at the shop's clock.
    pub fn reject(&mut self, event: &str, rejection: Rejection, out: &mut Outcome) {
        out.drop_notes();
        let Rejection {
            error,
            message,
            session,
        } = rejection;
        let body = Body::EventRejected {
            event: event.into(),
            error,
            message: message.into(),
            session,
        };
        self.decide(body, out);
    }

    /// What is looked at while the clock still stands.
    pub(in crate::domain) fn check_before(&self, event: &Event) -> Result<(), Rejection> {
        if event.at < self.now {
            let message = format!(
                "`at` is before the shop's clock, which stands at {}: send events in the order of time, \
                 or the last one's time.",
                self.stamp(self.now)
            );
            return Err(Rejection::new(ErrorCode::TimeWentBack, message));
        }
        if let What::SessionOpened {
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

    /// Fires what is due at or before `to`, and sets the clock.
    pub(in crate::domain) fn advance(
        &mut self,
        to: Instant,
        ledger: &mut dyn Ledger,
        out: &mut Outcome,
    ) {
        while let Some((due, session, timer)) = self.timers.next()
            && due <= to
        {
            self.set_clock(due);
            self.timers.begin_event();
            self.timers.disarm(session, timer);
            match timer {
                Timer::ReplyDue => self.remind(session, out),
                Timer::ReplyOverdue => self.overdue(session, out),
                Timer::Silence => self.silence(session, ledger, out),
                Timer::Queue => self.waited_too_long(session, ledger, out),
            }
            self.drain(out);
        }
        self.set_clock(to);
        self.settle_lates();
        self.forget();
        self.timers.begin_event();
    }

    /// Sets the clock, and turns the page where a natural day begins.
    pub(in crate::domain) fn set_clock(&mut self, to: Instant) {
        self.now = to;
        if !self.stretch.holds(to) {
            self.turn_to(self.policy.timezone.stretch(to));
        }
    }

    /// Turns to another stretch of the calendar.
    pub(in crate::domain) fn turn_to(&mut self, stretch: Stretch) {
        let before = std::mem::replace(&mut self.stretch, stretch);
        if before.day != stretch.day {
            self.roster.turn_to(stretch.day);
            self.days.turn_to(stretch.day);
        }
    }

    fn handle(
        &mut self,
        what: &What,
        ledger: &mut dyn Ledger,
        out: &mut Outcome,
    ) -> Result<(), Rejection> {
        match what {
            What::ShopConfigured { policy } => self.configure(policy),
            What::AgentConfigured {
                agent,
                name,
                roles,
                capacity,
                weight,
            } => {
                self.configure_agent(agent, name, roles, *capacity, *weight);
                Ok(())
            }
            What::AgentRemoved { agent } => self.remove_agent(agent, ledger, out),
            What::PresenceChanged { agent, presence } => {
                self.change_presence(agent, *presence, ledger, out)
            }
            What::SessionOpened {
                session,
                buyer,
                entry,
                question,
                order_status,
                bot,
            } => {
                let ask = Ask {
                    entry: entry.clone(),
                    question: question.clone(),
                    order_status: order_status.clone(),
                };
                self.open(session, buyer, ask, *bot, out)
            }
            What::SessionHandoff {
                session,
                question,
                order_status,
            } => self.hand_off(session, question, order_status, out),
            What::SessionTransferred { session, to } => self.transfer(session, to, out),
            What::SessionClosed { session, by } => self.close_by(session, *by, ledger, out),
            What::BuyerMessage { session } => self.buyer_message(session, out),
            What::AgentMessage {
                session,
                agent,
                human,
            } => self.agent_message(session, agent.as_ref(), *human),
            What::BotMessage { session } => self.bot_message(session),
            What::InviteRequested { session, agent } => {
                self.request_invite(session, agent.as_ref(), out)
            }
            What::RatingOpened { session, card } => self.open_rating(session, card.as_ref(), out),
            What::RatingSubmitted { on, stars, reasons } => {
                self.submit_rating(on, *stars, reasons, out)
            }
            What::BuyerFlagged { buyer, risk } => {
                self.flag(buyer, *risk);
                Ok(())
            }
            What::Clock => Ok(()),
        }
    }

    /// `shop.configured`: arms and cancels no timer; everything that is not booked reads it from now on.
    fn configure(&mut self, policy: &GivenPolicy) -> Result<(), Rejection> {
        let CheckedPolicy { policy, groups } = policy
            .read()
            .map_err(|error| Rejection::new(ErrorCode::PolicyInvalid, error.to_string()))?;
        self.policy = policy;
        self.horizon = self.horizon.max(self.policy.longest_window());
        self.turn_to(self.policy.timezone.stretch(self.now));
        self.roster.follow(groups, self.policy.routing.strategy);
        Ok(())
    }

    /// Takes a decision now.
    pub(in crate::domain) fn decide(&mut self, body: Body, out: &mut Outcome) {
        self.seq += 1;
        out.push(Decision {
            seq: self.seq,
            at: Some(self.stamp(self.now)),
            body,
        });
    }

    /// An instant as the shop writes it.
    pub fn stamp(&self, instant: Instant) -> Stamp {
        self.stretch.stamp(&self.policy.timezone, instant)
    }
}
