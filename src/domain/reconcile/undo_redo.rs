//! Bookings of decisions: undone if the record does not have the decision, and added if only the record has it.

use super::before_event::Before;
use super::recorded::{RecordedBody, RecordedDecision, RecordedOutcome};
use super::recorded_entities::{agent_of_record, make_session, serve_by, session_or_a_closed_one};
use super::{cards, placing};
use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::domain::collections::slab_map::NOBODY;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::decision::{AssignReason, Period};
use crate::domain::protocol::event::{Event, EventBody};
use crate::domain::state::agent::{Agent, BOT};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::{ShopTimer, Timer};

/// Undoes the bookings of a decision that is not recorded. The session's place is set later.
pub(super) fn take_back(shop: &mut Shop, decision: &RecordedBody, before: &Before) {
    match decision {
        RecordedBody::Assigned {
            session,
            agent,
            reason,
            waited,
            ..
        } => take_back_assignment(shop, before, session, agent, *reason, *waited),
        RecordedBody::Queued { session, .. } => {
            let Some(session) = shop.sessions.find(session) else {
                return;
            };
            let queued = before.session(session).is_some_and(|of| of.marks.queued);
            if !queued && std::mem::take(&mut shop.sessions[session].marks.queued) {
                shop.totals.queued = shop.totals.queued.saturating_sub(1);
            }
        }
        RecordedBody::TakenBack { agent, .. } => {
            count_taken_back(shop, agent, u64::saturating_sub);
        }
        RecordedBody::InviteSent { card, trigger, .. } => {
            cards::take_back_invite(shop, before, card, *trigger);
        }
        RecordedBody::InviteBlocked { blocked_by, .. } => {
            for &code in blocked_by {
                let blocked = &mut shop.totals.blocked[code as usize];
                *blocked = blocked.saturating_sub(1);
            }
        }
        RecordedBody::RatingOpened { card, .. } => cards::take_back_opening(shop, before, card),
        RecordedBody::RatingRecorded {
            card,
            agent,
            stars,
            reasons,
            ..
        } => cards::take_back_rating(shop, before, (card, agent), *stars, reasons),
        RecordedBody::ReplyDue { session } => {
            arm_again(shop, before, session, Timer::ReplyDue);
        }
        RecordedBody::ReplyOverdue { session } => {
            arm_again(shop, before, session, Timer::ReplyOverdue);
        }
        RecordedBody::Score { period, alert } => set_alerted(shop, *period, !alert),
        // A summary that was not said when its day was over stays unsaid.
        RecordedBody::Closed { .. }
        | RecordedBody::PresenceSet { .. }
        | RecordedBody::Hours { .. }
        | RecordedBody::DaySummed { .. }
        | RecordedBody::Rejected { .. }
        | RecordedBody::Other => {}
    }
}

/// Adds the bookings of a decision that only the record has. The session's place is set later.
pub(super) fn catch_up(shop: &mut Shop, decision: &RecordedBody, event: Option<&Event>) {
    match decision {
        RecordedBody::Assigned {
            session,
            buyer,
            agent,
            reason,
            repeat_visit,
            waited,
        } => {
            let session = session_of_record(shop, session, buyer, event);
            let agent = agent_of_record(shop, agent);
            let record = &mut shop.sessions[session];
            let from_bot = record.server == BOT;
            record.marks.routed = true;
            record.marks.repeat_visit = *repeat_visit;
            serve_by(shop, session, agent);
            if agent == BOT {
                return;
            }
            let record = &mut shop.sessions[session];
            if !std::mem::replace(&mut record.marks.human, true) {
                count_first_assignment(shop, from_bot, *waited);
            }
            let rota = *reason == Some(AssignReason::OfflineRota);
            shop.directory.agents[agent].book_assignment(shop.span.day, rota);
            shop.agent_changed(agent);
        }
        RecordedBody::Queued { session, buyer, .. } => {
            let session = session_of_record(shop, session, buyer, event);
            if !std::mem::replace(&mut shop.sessions[session].marks.queued, true) {
                shop.totals.queued += 1;
            }
        }
        RecordedBody::TakenBack {
            session,
            buyer,
            agent,
            ..
        } => {
            session_or_a_closed_one(shop, session, buyer);
            agent_of_record(shop, agent);
            count_taken_back(shop, agent, u64::saturating_add);
        }
        RecordedBody::Closed { session, buyer, .. } => {
            session_or_a_closed_one(shop, session, buyer);
        }
        RecordedBody::InviteSent {
            card,
            session,
            buyer,
            agent,
            trigger,
        } => {
            let session = session_or_a_closed_one(shop, session, buyer);
            cards::catch_up_invite(shop, session, card, agent, *trigger);
        }
        RecordedBody::InviteBlocked { blocked_by, .. } => {
            for &code in blocked_by {
                shop.totals.blocked[code as usize] += 1;
            }
        }
        RecordedBody::RatingOpened {
            card,
            session,
            buyer,
            agent,
            source,
        } => {
            let session = session_or_a_closed_one(shop, session, buyer);
            cards::catch_up_opening(shop, session, card, agent, *source);
        }
        RecordedBody::RatingRecorded {
            card,
            session,
            buyer,
            agent,
            stars,
            source,
            reasons,
        } => {
            let session = session_or_a_closed_one(shop, session, buyer);
            cards::catch_up_rating(shop, session, (card, agent, *source), *stars, reasons);
        }
        RecordedBody::ReplyDue { session } => said(shop, session, Timer::ReplyDue),
        RecordedBody::ReplyOverdue { session } => {
            said(shop, session, Timer::ReplyOverdue);
        }
        RecordedBody::Score { period, alert } => set_alerted(shop, *period, *alert),
        RecordedBody::DaySummed { day } => summed_up(shop, *day),
        RecordedBody::PresenceSet { .. }
        | RecordedBody::Hours { .. }
        | RecordedBody::Rejected { .. }
        | RecordedBody::Other => {}
    }
}

/// Counts a session that was taken from an agent, on the agent's sheet of the day (M9d).
fn count_taken_back(shop: &mut Shop, agent: &Id, by: fn(u64, u64) -> u64) {
    let day = shop.span.day;
    if let Some(agent) = shop.directory.agents.find(agent) {
        let taken_back = &mut shop.directory.agents[agent].sheet(day).taken_back;
        *taken_back = by(*taken_back, 1);
    }
}

/// Disarms the summary of a day, which was said (M13).
fn summed_up(shop: &mut Shop, day: Day) {
    let own = shop.timers.own();
    let own: Vec<_> = own
        .filter(|(_, _, timer)| *timer != ShopTimer::Day(day))
        .collect();
    shop.timers.set_own(own.into_iter());
}

/// The number of a session that the record places. Creates it, open, if necessary.
fn session_of_record(shop: &mut Shop, session: &Id, buyer: &Id, event: Option<&Event>) -> u32 {
    if let Some(number) = shop.sessions.find(session) {
        return number;
    }
    let attributes = event.map(|event| asked(&event.what, session));
    let (number, buyer) = make_session(shop, session, buyer, attributes.unwrap_or_default());
    placing::let_in(shop, number, buyer);
    number
}

fn count_first_assignment(shop: &mut Shop, from_bot: bool, waited: Duration) {
    let totals = &mut shop.totals;
    totals.assigned += 1;
    totals.bot_only = totals.bot_only.saturating_sub(u64::from(from_bot));
    *totals.waits.entry(waited).or_default() += 1;
}

fn take_back_assignment(
    shop: &mut Shop,
    before: &Before,
    session: &Id,
    agent: &Id,
    reason: Option<AssignReason>,
    waited: Duration,
) {
    let rota = reason == Some(AssignReason::OfflineRota);
    if let Some(agent) = shop.directory.agents.find(agent) {
        shop.directory.agents[agent].take_back_assignment(shop.span.day, rota);
        shop.agent_changed(agent);
    }
    let Some(session) = shop.sessions.find(session) else {
        return;
    };
    let stood = before.session(session);
    let human = stood.is_some_and(|of| of.marks.human);
    let record = &mut shop.sessions[session];
    if !human && std::mem::take(&mut record.marks.human) {
        let from_bot = stood.is_some_and(|of| of.server == BOT);
        let totals = &mut shop.totals;
        totals.assigned = totals.assigned.saturating_sub(1);
        totals.bot_only += u64::from(from_bot);
        if let Some(count) = totals.waits.get_mut(&waited) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                totals.waits.remove(&waited);
            }
        }
    }
    let number = record.buyer;
    let server = stood.map_or(NOBODY, |of| of.server);
    serve_by(shop, session, server);
    if let Some(stood) = before.buyer(number) {
        let buyer = &mut shop.buyers[number];
        (buyer.recent_agent, buyer.recent_until) = (stood.recent_agent, stood.recent_until);
    }
}

/// Sets the agent's latest assignment to the latest recorded one, or to the one before the event.
pub(super) fn order_assignments(
    shop: &mut Shop,
    before: &Before,
    extra: &[&RecordedDecision],
    recorded: &RecordedOutcome<'_>,
) {
    let assigned = |decision: &RecordedBody| match decision {
        RecordedBody::Assigned { agent, .. } => Some(agent.clone()),
        RecordedBody::Queued { .. }
        | RecordedBody::TakenBack { .. }
        | RecordedBody::Closed { .. }
        | RecordedBody::PresenceSet { .. }
        | RecordedBody::Hours { .. }
        | RecordedBody::InviteSent { .. }
        | RecordedBody::InviteBlocked { .. }
        | RecordedBody::RatingOpened { .. }
        | RecordedBody::RatingRecorded { .. }
        | RecordedBody::ReplyDue { .. }
        | RecordedBody::ReplyOverdue { .. }
        | RecordedBody::Score { .. }
        | RecordedBody::DaySummed { .. }
        | RecordedBody::Rejected { .. }
        | RecordedBody::Other => None,
    };
    for agent in extra.iter().filter_map(|extra| assigned(&extra.body)) {
        if let Some(agent) = shop.directory.agents.find(&agent) {
            let stood = before.agent(agent).map_or(0, |of| of.last_assigned);
            shop.directory.agents[agent].last_assigned = stood;
            shop.agent_changed(agent);
        }
    }
    let seqs = (1..).map(|place| recorded.seq_before.saturating_add(place));
    for (seq, decision) in seqs.zip(recorded.decisions) {
        let agent = assigned(&decision.body).and_then(|agent| shop.directory.agents.find(&agent));
        if let Some(agent) = agent {
            shop.directory.agents[agent].last_assigned = seq;
            shop.agent_changed(agent);
        }
    }
}

/// Arms a reminder again that was not recorded.
fn arm_again(shop: &mut Shop, before: &Before, session: &Id, timer: Timer) {
    let Some(session) = shop.sessions.find(session) else {
        return;
    };
    let due = before.session(session).and_then(|of| match timer {
        Timer::ReplyDue => of.reply_due,
        Timer::ReplyOverdue => of.reply_overdue,
        Timer::Silence
        | Timer::Queue
        | Timer::Day
        | Timer::TakeBack
        | Timer::Left
        | Timer::WrapUp => None,
    });
    let record = &shop.sessions[session];
    let reminds = !record.closed() || timer == Timer::ReplyOverdue;
    if let Some(due) = due.filter(|_| reminds && record.awaited.is_some()) {
        shop.timers.arm(session, timer, due);
    }
}

/// Disarms a reminder that was recorded.
fn said(shop: &mut Shop, session: &Id, timer: Timer) {
    if let Some(session) = shop.sessions.find(session) {
        shop.timers.disarm(session, timer);
        shop.drop_if_done(session);
    }
}

/// Sets whether the latest decision about a period's rate was an alert (M6).
fn set_alerted(shop: &mut Shop, period: Period, alerted: bool) {
    match period {
        Period::ReplyRate(day) => shop.days.on(day).alerted = alerted,
        Period::GoodRate(week) => {
            shop.scores.weeks.entry(week).or_default().alerted = alerted;
        }
        Period::AttitudeRate(month) => {
            shop.scores.months.entry(month).or_default().alerted = alerted;
        }
    }
}

impl Agent {
    /// Undoes an assignment that was booked on this day.
    fn take_back_assignment(&mut self, day: Day, rota: bool) {
        if self.latest.day == day {
            self.latest.assigned = self.latest.assigned.saturating_sub(1);
            self.latest.rota = self.latest.rota.saturating_sub(u32::from(rota));
        }
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
        | EventBody::AgentReady { .. }
        | EventBody::PresenceChanged { .. }
        | EventBody::SessionOpened { .. }
        | EventBody::SessionHandoff { .. }
        | EventBody::SessionTransferred { .. }
        | EventBody::SessionClosed { .. }
        | EventBody::SessionRanked { .. }
        | EventBody::BuyerLeft { .. }
        | EventBody::BuyerReturned { .. }
        | EventBody::BuyerMessage { .. }
        | EventBody::AgentMessage { .. }
        | EventBody::BotMessage { .. }
        | EventBody::InviteRequested { .. }
        | EventBody::RatingOpened { .. }
        | EventBody::RatingSubmitted { .. }
        | EventBody::BuyerFlagged { .. }
        | EventBody::BuyerRanked { .. }
        | EventBody::BuyerBlocked { .. }
        | EventBody::Clock => RoutingAttributes::default(),
    }
}
