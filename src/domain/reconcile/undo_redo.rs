//! Bookings of decisions: undone if the record does not have the decision, and added if only the record has it.

use super::before_event::Before;
use super::recorded::{RecordedBody, RecordedDecision, RecordedOutcome};
use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::domain::collections::slab_map::NOBODY;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::decision::{AssignReason, Period, Trigger};
use crate::domain::protocol::event::{Event, EventBody};
use crate::domain::protocol::rating::Source;
use crate::domain::state::agent::{Agent, BOT, BOT_ID};
use crate::domain::state::buyer::Buyer;
use crate::domain::state::session::{Session, SessionPlace};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

impl Shop {
    /// Undoes the bookings of a decision that is not recorded. The session's place is set later.
    pub(super) fn take_back(
        &mut self,
        decision: &RecordedBody,
        before: &Before,
        event: Option<&Event>,
    ) {
        match decision {
            RecordedBody::Assigned {
                session,
                agent,
                reason,
                waited,
                ..
            } => self.take_back_assignment(before, session, agent, *reason, *waited),
            RecordedBody::Queued { session, .. } => {
                let Some(session) = self.sessions.find(session) else {
                    return;
                };
                let queued = before.session(session).is_some_and(|of| of.marks.queued);
                if !queued && std::mem::take(&mut self.sessions[session].marks.queued) {
                    self.totals.queued = self.totals.queued.saturating_sub(1);
                }
            }
            RecordedBody::InviteSent { card, trigger, .. } => {
                self.take_back_invite(before, card, *trigger);
            }
            RecordedBody::InviteBlocked { blocked_by, .. } => {
                for &code in blocked_by {
                    let blocked = &mut self.totals.blocked[code as usize];
                    *blocked = blocked.saturating_sub(1);
                }
            }
            RecordedBody::RatingOpened { card, .. } => self.take_back_opening(before, card),
            RecordedBody::RatingRecorded {
                card, agent, stars, ..
            } => self.take_back_rating(before, card, agent, *stars, event),
            RecordedBody::ReplyDue { session } => {
                self.arm_again(before, session, Timer::ReplyDue);
            }
            RecordedBody::ReplyOverdue { session } => {
                self.arm_again(before, session, Timer::ReplyOverdue);
            }
            RecordedBody::Score { period, alert } => self.set_alerted(*period, !alert),
            RecordedBody::Closed { .. } | RecordedBody::Rejected { .. } | RecordedBody::Other => {}
        }
    }

    /// Adds the bookings of a decision that only the record has. The session's place is set later.
    pub(super) fn catch_up(&mut self, decision: &RecordedBody, event: Option<&Event>) {
        match decision {
            RecordedBody::Assigned {
                session,
                buyer,
                agent,
                reason,
                repeat_visit,
                waited,
            } => {
                let session = self.session_of_record(session, buyer, event);
                let agent = self.agent_of_record(agent);
                let record = &mut self.sessions[session];
                let from_bot = record.server == BOT;
                record.server = agent;
                record.marks.routed = true;
                record.marks.repeat_visit = *repeat_visit;
                if agent == BOT {
                    return;
                }
                if !std::mem::replace(&mut record.marks.human, true) {
                    self.count_first_assignment(from_bot, *waited);
                }
                let rota = *reason == Some(AssignReason::OfflineRota);
                self.directory.agents[agent].book_assignment(self.span.day, rota);
                self.agent_changed(agent);
            }
            RecordedBody::Queued { session, buyer, .. } => {
                let session = self.session_of_record(session, buyer, event);
                if !std::mem::replace(&mut self.sessions[session].marks.queued, true) {
                    self.totals.queued += 1;
                }
            }
            RecordedBody::Closed { session, buyer } => {
                self.session_or_a_closed_one(session, buyer);
            }
            RecordedBody::InviteSent {
                card,
                session,
                buyer,
                agent,
                trigger,
            } => {
                let session = self.session_or_a_closed_one(session, buyer);
                self.catch_up_invite(session, card, agent, *trigger);
            }
            RecordedBody::InviteBlocked { blocked_by, .. } => {
                for &code in blocked_by {
                    self.totals.blocked[code as usize] += 1;
                }
            }
            RecordedBody::RatingOpened {
                card,
                session,
                buyer,
                agent,
                source,
            } => {
                let session = self.session_or_a_closed_one(session, buyer);
                self.catch_up_opening(session, card, agent, *source);
            }
            RecordedBody::RatingRecorded {
                card,
                session,
                buyer,
                agent,
                stars,
                source,
            } => {
                let session = self.session_or_a_closed_one(session, buyer);
                self.catch_up_rating(session, (card, agent, *source), *stars, event);
            }
            RecordedBody::ReplyDue { session } => self.said(session, Timer::ReplyDue),
            RecordedBody::ReplyOverdue { session } => {
                self.said(session, Timer::ReplyOverdue);
            }
            RecordedBody::Score { period, alert } => self.set_alerted(*period, *alert),
            RecordedBody::Rejected { .. } | RecordedBody::Other => {}
        }
    }

    /// The number of a session that the record places. Creates it, open, if necessary.
    fn session_of_record(&mut self, session: &Id, buyer: &Id, event: Option<&Event>) -> u32 {
        if let Some(number) = self.sessions.find(session) {
            return number;
        }
        let attributes = event.map(|event| asked(&event.what, session));
        let (number, buyer) = self.make_session(session, buyer, attributes.unwrap_or_default());
        self.let_in(number, buyer);
        number
    }

    /// The number of a session that the record names without placing it. If it does not exist, it is created closed.
    pub(super) fn session_or_a_closed_one(&mut self, session: &Id, buyer: &Id) -> u32 {
        if let Some(number) = self.sessions.find(session) {
            return number;
        }
        let (number, _) = self.make_session(session, buyer, RoutingAttributes::default());
        self.sessions[number].place = SessionPlace::Closed { at: self.now };
        self.closed.push_back((self.now, number));
        self.totals.closed += 1;
        number
    }

    /// Creates a session that this core does not know, and its buyer.
    pub(super) fn make_session(
        &mut self,
        session: &Id,
        buyer: &Id,
        attributes: RoutingAttributes,
    ) -> (u32, u32) {
        let known = self.buyers.find(buyer);
        let buyer = known.unwrap_or_else(|| self.buyers.insert(Buyer::new(buyer.clone())));
        let begins = (self.now, self.seq.saturating_sub(1));
        let record = Session::new(session.clone(), buyer, begins, attributes);
        self.totals.opened += 1;
        (self.sessions.insert(record), buyer)
    }

    /// The number of an agent that the record names. Creates it without a profile if necessary.
    pub(super) fn agent_of_record(&mut self, agent: &Id) -> u32 {
        if agent.as_str() == BOT_ID {
            return BOT;
        }
        let day = self.span.day;
        let agents = &mut self.directory.agents;
        let known = agents.find(agent);
        known.unwrap_or_else(|| agents.insert(Agent::new(agent.clone(), day)))
    }

    fn count_first_assignment(&mut self, from_bot: bool, waited: Duration) {
        let totals = &mut self.totals;
        totals.assigned += 1;
        totals.bot_only = totals.bot_only.saturating_sub(u64::from(from_bot));
        *totals.waits.entry(waited).or_default() += 1;
    }

    fn take_back_assignment(
        &mut self,
        before: &Before,
        session: &Id,
        agent: &Id,
        reason: Option<AssignReason>,
        waited: Duration,
    ) {
        let rota = reason == Some(AssignReason::OfflineRota);
        if let Some(agent) = self.directory.agents.find(agent) {
            self.directory.agents[agent].take_back_assignment(self.span.day, rota);
            self.agent_changed(agent);
        }
        let Some(session) = self.sessions.find(session) else {
            return;
        };
        let stood = before.session(session);
        let human = stood.is_some_and(|of| of.marks.human);
        let record = &mut self.sessions[session];
        if !human && std::mem::take(&mut record.marks.human) {
            let from_bot = stood.is_some_and(|of| of.server == BOT);
            let totals = &mut self.totals;
            totals.assigned = totals.assigned.saturating_sub(1);
            totals.bot_only += u64::from(from_bot);
            if let Some(count) = totals.waits.get_mut(&waited) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    totals.waits.remove(&waited);
                }
            }
        }
        let (number, server) = (record.buyer, stood.map(|of| of.server));
        record.server = server.unwrap_or(NOBODY);
        if let Some(stood) = before.buyer(number) {
            let buyer = &mut self.buyers[number];
            (buyer.recent_agent, buyer.recent_until) = (stood.recent_agent, stood.recent_until);
        }
    }

    /// Sets the agent's latest assignment to the latest recorded one, or to the one before the event.
    pub(super) fn order_assignments(
        &mut self,
        before: &Before,
        extra: &[&RecordedDecision],
        recorded: &RecordedOutcome<'_>,
    ) {
        let assigned = |decision: &RecordedBody| match decision {
            RecordedBody::Assigned { agent, .. } => Some(agent.clone()),
            RecordedBody::Queued { .. }
            | RecordedBody::Closed { .. }
            | RecordedBody::InviteSent { .. }
            | RecordedBody::InviteBlocked { .. }
            | RecordedBody::RatingOpened { .. }
            | RecordedBody::RatingRecorded { .. }
            | RecordedBody::ReplyDue { .. }
            | RecordedBody::ReplyOverdue { .. }
            | RecordedBody::Score { .. }
            | RecordedBody::Rejected { .. }
            | RecordedBody::Other => None,
        };
        for agent in extra.iter().filter_map(|extra| assigned(&extra.body)) {
            if let Some(agent) = self.directory.agents.find(&agent) {
                self.directory.agents[agent].last_assigned = before.last_assigned(agent);
                self.agent_changed(agent);
            }
        }
        let seqs = (1..).map(|place| recorded.seq_before.saturating_add(place));
        for (seq, decision) in seqs.zip(recorded.decisions) {
            let agent =
                assigned(&decision.body).and_then(|agent| self.directory.agents.find(&agent));
            if let Some(agent) = agent {
                self.directory.agents[agent].last_assigned = seq;
                self.agent_changed(agent);
            }
        }
    }

    /// Arms a reminder again that was not recorded.
    fn arm_again(&mut self, before: &Before, session: &Id, timer: Timer) {
        let Some(session) = self.sessions.find(session) else {
            return;
        };
        let due = before.session(session).and_then(|of| match timer {
            Timer::ReplyDue => of.reply_due,
            Timer::ReplyOverdue => of.reply_overdue,
            Timer::Silence | Timer::Queue => None,
        });
        let record = &self.sessions[session];
        let reminds = !record.closed() || timer == Timer::ReplyOverdue;
        if let Some(due) = due.filter(|_| reminds && record.awaited.is_some()) {
            self.timers.arm(session, timer, due);
        }
    }

    /// Disarms a reminder that was recorded.
    fn said(&mut self, session: &Id, timer: Timer) {
        if let Some(session) = self.sessions.find(session) {
            self.timers.disarm(session, timer);
            self.drop_if_done(session);
        }
    }

    /// Sets whether the latest decision about a period's rate was an alert (M6).
    fn set_alerted(&mut self, period: Period, alerted: bool) {
        match period {
            Period::ReplyRate(day) => self.days.on(day).alerted = alerted,
            Period::GoodRate(week) => {
                self.scores.weeks.entry(week).or_default().alerted = alerted;
            }
            Period::AttitudeRate(month) => {
                self.scores.months.entry(month).or_default().alerted = alerted;
            }
        }
    }

    /// The source of a card with this trigger.
    pub(super) fn source_of(trigger: Trigger) -> Source {
        match trigger {
            Trigger::Auto => Source::Auto,
            Trigger::Manual => Source::Agent,
        }
    }
}

impl Agent {
    /// Undoes an assignment that was booked on this day.
    fn take_back_assignment(&mut self, day: Day, rota: bool) {
        let (mut latest, earlier) = self.counts();
        let earlier = earlier.to_vec();
        if latest.day == day {
            latest.assigned = latest.assigned.saturating_sub(1);
            latest.rota = latest.rota.saturating_sub(u32::from(rota));
        }
        self.set_counts(latest, earlier);
        self.tally.assigned = self.tally.assigned.saturating_sub(1);
    }
}

/// The routing attributes of a session, if this event opened it.
fn asked(what: &EventBody, of: &Id) -> RoutingAttributes {
    match what {
        EventBody::SessionOpened {
            session,
            entry,
            question,
            order_status,
            ..
        } if session == of => RoutingAttributes {
            entry: entry.clone(),
            question: question.clone(),
            order_status: order_status.clone(),
        },
        EventBody::ShopConfigured { .. }
        | EventBody::AgentConfigured { .. }
        | EventBody::AgentRemoved { .. }
        | EventBody::PresenceChanged { .. }
        | EventBody::SessionOpened { .. }
        | EventBody::SessionHandoff { .. }
        | EventBody::SessionTransferred { .. }
        | EventBody::SessionClosed { .. }
        | EventBody::BuyerMessage { .. }
        | EventBody::AgentMessage { .. }
        | EventBody::BotMessage { .. }
        | EventBody::InviteRequested { .. }
        | EventBody::RatingOpened { .. }
        | EventBody::RatingSubmitted { .. }
        | EventBody::BuyerFlagged { .. }
        | EventBody::Clock => RoutingAttributes::default(),
    }
}
