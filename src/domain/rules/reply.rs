//! Messages and replies: late replies (M1), answered buyers (M2), reminders (M3) and units of the reply rate (M12).
//!
//! A message that comes late counts by its own instant (T1). All else goes by the clock.
//!
//! Invariants: the heap of the shop has the earliest instant at which something of a session becomes late and is not
//! booked as late: an unanswered message, the round of the shop, or the round with an agent. `awaited` is the oldest
//! message that counts since the last human reply.

use smallvec::SmallVec;

use super::routing::RoutingRequest;
use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::Absence;
use crate::domain::policy::ReplyUnit;
use crate::domain::protocol::decision::{DecisionBody, ErrorCode};
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::agent::BOT;
use crate::domain::state::pending_reply::{PendingReply, UnansweredMessage};
use crate::domain::state::session::{SessionPlace, Speaker};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

/// How many unanswered messages of a session are kept. Beyond that, those in between are dropped.
const UNANSWERED_MAX: usize = 1024;

impl Shop {
    /// `buyer.message`: to the session's agent, after R9 has replaced an absent one.
    pub(in crate::domain) fn buyer_message(
        &mut self,
        session: &Id,
        own: Instant,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let session = self.find_open(session)?;
        self.fresh_crews();
        self.is_back(session);
        let stranded = self.sessions[session].agent();
        let stranded = stranded.filter(|&agent| self.is_offline(agent));
        let anybody_online = !self.is_shut() && self.directory.anybody_online();
        if stranded.is_some() && anybody_online {
            self.reroute(session, Absence::AlreadyOffline, out);
        }
        let now = self.now;
        let record = &mut self.sessions[session];
        record.speaker = Some(Speaker::Buyer);
        record.last_message = now;
        let (place, buyer) = (record.place, record.buyer);
        let with_bot = place == SessionPlace::Bot;
        record.marks.wrote_to_bot |= with_bot;
        let to = record.answerable();
        self.days.on(self.span.day).book_message(buyer, to);
        self.time_silence(session);
        if !with_bot {
            self.incur_debt(session);
        }
        let first = if self.message_counts(place, own) {
            self.count_message(session, own)
        } else {
            None
        };
        if let Some(agent) = stranded
            && self.sessions[session].agent() == stranded
        {
            self.note_stays(session, agent, out);
            self.notify(session, agent, out);
            if !anybody_online {
                self.note_stays(session, agent, out);
                self.reply_offline(session, out);
            }
        }
        if let Some(day) = first {
            self.judge_reply_rate(day, out);
        }
        Ok(())
    }

    /// The evidence that a session stays with its offline agent: what routing finds instead (R9c).
    fn note_stays(&self, session: u32, agent: u32, out: &mut DecisionSink) {
        self.note_absent(agent, Absence::AlreadyOffline, out);
        if !out.is_asked(self.seq) {
            return;
        }
        let record = &self.sessions[session];
        let attributes = record.attributes.as_deref().cloned().unwrap_or_default();
        let caller = RoutingRequest {
            session: &record.id,
            attributes: &attributes,
            buyer: Some(record.buyer),
        };
        self.route_anew(caller, &[], out);
    }

    /// Whether a message of this instant to a session at this place counts (M1).
    fn message_counts(&self, place: SessionPlace, own: Instant) -> bool {
        let reply = &self.policy.service.reply;
        if place == SessionPlace::Bot && !reply.count_bot {
            return false;
        }
        let of_day_ms = self.span_at(own).of_day_ms(own);
        let at_times = (reply.from_ms..reply.to_ms).contains(&of_day_ms);
        at_times && (!reply.in_hours || self.is_open_at(own))
    }

    /// The session leaves the bot. What the buyer wrote to it is a debt from now on (R10).
    pub(in crate::domain) fn leave_bot(&mut self, session: u32) {
        if self.sessions[session].marks.wrote_to_bot {
            self.incur_debt(session);
        }
    }

    /// After a handoff, the messages that the buyer sent to the bot count as one message now (M1).
    pub(in crate::domain) fn count_handoff(&mut self, session: u32, out: &mut DecisionSink) {
        let record = &self.sessions[session];
        let asked = record.marks.wrote_to_bot && !self.policy.service.reply.count_bot;
        if asked
            && self.message_counts(record.place, self.now)
            && let Some(day) = self.count_message(session, self.now)
        {
            self.judge_reply_rate(day, out);
        }
    }

    /// Counts a message of an instant. Returns its day if it is one more of the day's unit (M6b).
    fn count_message(&mut self, session: u32, own: Instant) -> Option<Day> {
        let reply = self.policy.service.reply;
        let day = self.span_at(own).day;
        let late_at = own + reply.within;
        let record = &mut self.sessions[session];
        let buyer = record.buyer;
        let asked = record.asked_on.replace(record.asked_on.unwrap_or(day));
        let new_round = record.awaited.is_none();
        let first_round = new_round && !std::mem::replace(&mut record.marks.had_round, true);
        let book = self.days.on(day);
        if asked.is_none() {
            book.desk.asked += 1;
        }
        if new_round {
            book.book_round(first_round);
            record.awaited = Some(PendingReply {
                since: own,
                overdue_at: late_at,
                day,
                first: first_round,
                late: false,
            });
            if !reply.remind_after.is_zero() && reply.remind_after < reply.within {
                let due = own + reply.remind_after;
                self.timers.arm(session, Timer::ReplyDue, due);
            }
            self.timers.arm(session, Timer::ReplyOverdue, late_at);
        }
        let first_of_day = book.consulting == 0;
        let first_of_buyer = book.book_consulting(buyer);
        // Once the buyer is late for good, its other messages of the day change nothing but M6's word (T1).
        if record.unanswered.len() >= UNANSWERED_MAX {
            record.unanswered.remove(UNANSWERED_MAX / 2);
        }
        record.unanswered.push(UnansweredMessage {
            day,
            late_at,
            late: false,
        });
        book.change_pending(1);
        self.may_be_late(session, late_at);
        if new_round {
            self.begin_round(session);
        }
        if first_of_day && self.policy.service.daily {
            let due = self.policy.timezone.day_start(day.next()) + reply.within;
            self.timers.arm_day(session, day, due);
        }
        let counted = match reply.unit {
            ReplyUnit::Buyer => first_of_buyer,
            ReplyUnit::Round => new_round,
            ReplyUnit::Session => first_round,
        };
        counted.then_some(day)
    }

    /// Something of a session becomes late at an instant.
    pub(in crate::domain) fn may_be_late(&mut self, session: u32, late_at: Instant) {
        let known = self.lates.get(session);
        self.lates
            .set(session, known.map_or(late_at, |known| known.min(late_at)));
    }

    /// Finds the next instant at which something of a session becomes late.
    pub(in crate::domain) fn find_next_late(&mut self, session: u32) {
        match self.sessions[session].next_late() {
            Some(late_at) => self.lates.set(session, late_at),
            None => self.lates.remove(session),
        }
    }

    /// Books what is late by now of one session.
    fn settle_lates_of(&mut self, session: u32) {
        let (now, days) = (self.now, &mut self.days);
        let record = &mut self.sessions[session];
        let buyer = record.buyer;
        for message in &mut record.unanswered {
            if !message.late && message.late_at <= now {
                message.late = true;
                let book = days.on(message.day);
                book.book_late(buyer);
                book.change_pending(-1);
            }
        }
        if let Some(awaited) = &mut record.awaited
            && !awaited.late
            && awaited.overdue_at <= now
        {
            awaited.late = true;
            days.on(awaited.day).book_round_late(awaited.first, true);
        }
        self.settle_round(session);
        self.find_next_late(session);
    }

    /// Books everything that is late by now, also if its timer has not fired yet (M1).
    pub(in crate::domain) fn settle_lates(&mut self) {
        while let Some((late_at, session)) = self.lates.first()
            && late_at <= self.now
        {
            self.settle_lates_of(session);
            self.drop_if_done(session);
        }
    }

    /// `agent.message`. An automatic reply changes nothing.
    pub(in crate::domain) fn agent_message(
        &mut self,
        session: &Id,
        agent: Option<&Id>,
        human: bool,
        own: Instant,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let (session, agent) = match self.find_answered_late(session, agent, own) {
            Some(found) => found,
            None => self.find_own(session, agent)?,
        };
        if !human {
            return Ok(());
        }
        self.directory.agents[agent].misses = 0;
        let now = self.now;
        let record = &mut self.sessions[session];
        let buyer = record.buyer;
        let open = !record.closed();
        if open {
            record.speaker = Some(Speaker::Agent);
            record.last_message = now;
            record.marks.answered_here = true;
        }
        let first_answer = !std::mem::replace(&mut record.marks.answered, true);
        if first_answer && !open {
            self.take_back_unserved(session);
        }
        self.days.on(self.span_at(own).day).book_reply(buyer);
        let days = self.answer(session, own);
        if open {
            self.end_take_back(session);
            self.sessions[session].debt = None;
            if self.policy.session.requires_agent_reply {
                self.time_silence(session);
            }
        }
        for day in days {
            self.judge_reply_rate(day, out);
        }
        Ok(())
    }

    /// A human reply of an instant answers all earlier messages. Returns the days of messages that were late and are
    /// not, the earliest first (T1c).
    fn answer(&mut self, session: u32, own: Instant) -> SmallVec<[Day; 1]> {
        let mut reverted: SmallVec<[Day; 1]> = SmallVec::new();
        self.end_round(session, own);
        if self.sessions[session].awaited.is_none() {
            return reverted;
        }
        self.timers.disarm(session, Timer::ReplyDue);
        self.timers.disarm(session, Timer::ReplyOverdue);
        self.settle_lates_of(session);
        let record = &mut self.sessions[session];
        let buyer = record.buyer;
        if let Some(awaited) = record.awaited.take()
            && awaited.late
            && own < awaited.overdue_at
        {
            let book = self.days.on(awaited.day);
            book.book_round_late(awaited.first, false);
        }
        for message in record.unanswered.drain(..) {
            let book = self.days.on(message.day);
            if !message.late {
                book.change_pending(-1);
                continue;
            }
            let late = message.late_at <= own;
            book.settle_late(buyer, late);
            if !late {
                reverted.push(message.day);
            }
        }
        self.lates.remove(session);
        reverted.sort_unstable();
        reverted.dedup();
        reverted
    }

    /// The closed session and its last agent, if that agent may still answer (S10, T1d).
    pub(in crate::domain) fn find_answered_late(
        &self,
        session: &Id,
        named: Option<&Id>,
        own: Instant,
    ) -> Option<(u32, u32)> {
        let number = self.sessions.find(session)?;
        let record = &self.sessions[number];
        let SessionPlace::Closed { at } = record.place else {
            return None;
        };
        let agent = record.served_by().filter(|&agent| agent != BOT)?;
        let its_own = named.is_none_or(|named| *named == self.directory.agents[agent].id);
        let in_time = self.now < at + self.policy.session.late_reply;
        let came_late = own < self.now && own <= at;
        (its_own && (in_time || came_late)).then_some((number, agent))
    }

    /// The open session and its agent. If the event names an agent, it must be that one (S4).
    pub(in crate::domain) fn find_own(
        &self,
        session: &Id,
        named: Option<&Id>,
    ) -> Result<(u32, u32), Rejection> {
        let number = self.find_open(session)?;
        let own = self.sessions[number].agent();
        let named = named.filter(|named| {
            own.is_none_or(|own| self.directory.agents[own].id.as_str() != named.as_str())
        });
        match (own, named) {
            (Some(own), None) => Ok((number, own)),
            (Some(own), Some(_)) => {
                let message = format!(
                    "Session {session:?} is with {:?}: only that agent may do this; transfer the session first.",
                    self.agent_id(own)
                );
                Err(Rejection::new(ErrorCode::NotSessionAgent, message))
            }
            (None, _) => {
                let message = format!(
                    "Session {session:?} is with no agent yet: assign it with `session.transferred`, or wait until it is."
                );
                Err(Rejection::new(ErrorCode::NotSessionAgent, message))
            }
        }
    }

    /// `bot.message`.
    pub(in crate::domain) fn bot_message(
        &mut self,
        session: &Id,
        own: Instant,
    ) -> Result<(), Rejection> {
        let session = self.find_with_bot(session)?;
        let record = &mut self.sessions[session];
        record.speaker = Some(Speaker::Bot);
        let answers = self.policy.service.reply.effective_bot && record.marks.wrote_to_bot;
        let buyer = record.buyer;
        if answers {
            self.days.on(self.span_at(own).day).book_reply(buyer);
        }
        if self.policy.session.requires_agent_reply {
            self.time_silence(session);
        }
        Ok(())
    }

    /// `reply.due` (M3).
    pub(in crate::domain) fn remind(&mut self, session: u32, out: &mut DecisionSink) {
        let record = &self.sessions[session];
        let Some(awaited) = record.awaited else {
            return;
        };
        let agent = record.answerable().map(|agent| self.agent_id(agent));
        let (session, buyer) = self.names(session);
        let body = DecisionBody::ReplyDue {
            session,
            buyer,
            agent,
            since: self.stamp(awaited.since),
            overdue_at: self.stamp(awaited.overdue_at),
        };
        self.decide(body, out);
    }

    /// `reply.overdue` (M3). Afterwards the day's rate is judged (M6).
    pub(in crate::domain) fn overdue(&mut self, session: u32, out: &mut DecisionSink) {
        let record = &self.sessions[session];
        let Some(awaited) = record.awaited else {
            return;
        };
        let agent = record.answerable().map(|agent| self.agent_id(agent));
        let (id, buyer) = self.names(session);
        let body = DecisionBody::ReplyOverdue {
            session: id,
            buyer,
            agent,
            since: self.stamp(awaited.since),
        };
        self.note_late_round(awaited.first, out);
        self.decide(body, out);
        self.judge_reply_rate(awaited.day, out);
        self.drop_if_done(session);
    }
}
