//! Messages and replies: late replies (M1), answered buyers (M2), and reminders (M3).
//!
//! Invariants: a session's late marks are in the heap of the shop under the earliest of them. A buyer is booked as late
//! at most once a day. `awaited` is the oldest message that counts since the last human reply.

use crate::domain::base::id::Id;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::Absence;
use crate::domain::protocol::decision::{DecisionBody, ErrorCode};
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::pending_reply::{PendingReply, ReplyDeadline};
use crate::domain::state::session::{SessionPlace, Speaker};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

impl Shop {
    /// `buyer.message`: to the session's agent, after R9 has replaced an absent one.
    pub(in crate::domain) fn buyer_message(
        &mut self,
        session: &Id,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let session = self.find_open(session)?;
        self.fresh_crews();
        let stranded = self.sessions[session].agent();
        let stranded = stranded.filter(|&agent| self.is_offline(agent));
        let anybody_online = self.directory.anybody_online();
        if stranded.is_some() && anybody_online {
            self.reroute(session, Absence::AlreadyOffline, out);
        }
        let record = &mut self.sessions[session];
        record.speaker = Some(Speaker::Buyer);
        let (place, buyer) = (record.place, record.buyer);
        record.marks.wrote_to_bot |= place == SessionPlace::Bot;
        let to = record.answerable();
        self.days.on(self.span.day).book_message(buyer, to);
        self.time_silence(session);
        let first = self.message_counts(place) && self.count_message(session);
        if let Some(agent) = stranded
            && !anybody_online
        {
            self.note_absent(agent, Absence::AlreadyOffline, out);
            self.notify(session, agent, out);
            self.note_absent(agent, Absence::AlreadyOffline, out);
            self.reply_offline(session, out);
        }
        if first {
            self.judge_reply_rate(self.span.day, out);
        }
        Ok(())
    }

    /// Whether a message that is sent now to a session at this place counts (M1).
    fn message_counts(&self, place: SessionPlace) -> bool {
        let reply = &self.policy.service.reply;
        let of_day_ms = self.span.of_day_ms(self.now);
        let in_hours = (reply.from_ms..reply.to_ms).contains(&of_day_ms);
        in_hours && (place != SessionPlace::Bot || reply.count_bot)
    }

    /// After a handoff, the messages that the buyer sent to the bot count as one message now (M1).
    pub(in crate::domain) fn count_handoff(&mut self, session: u32, out: &mut DecisionSink) {
        let record = &self.sessions[session];
        let asked = record.marks.wrote_to_bot && !self.policy.service.reply.count_bot;
        if asked && self.message_counts(record.place) && self.count_message(session) {
            self.judge_reply_rate(self.span.day, out);
        }
    }

    /// Counts a message at the current time. Returns whether it is the buyer's first of the day.
    fn count_message(&mut self, session: u32) -> bool {
        let reply = self.policy.service.reply;
        let (now, day) = (self.now, self.span.day);
        let late_at = now + reply.within;
        let record = &mut self.sessions[session];
        if record.awaited.is_none() {
            record.awaited = Some(PendingReply {
                since: now,
                overdue_at: late_at,
                day,
            });
            if !reply.remind_after.is_zero() && reply.remind_after < reply.within {
                self.timers
                    .arm(session, Timer::ReplyDue, now + reply.remind_after);
            }
            self.timers.arm(session, Timer::ReplyOverdue, late_at);
        }
        let book = self.days.on(day);
        let first = book.book_consulting(record.buyer);
        if !book.buyer(record.buyer).late {
            match record.late_marks.iter_mut().find(|mark| mark.day == day) {
                Some(mark) => mark.late_at = mark.late_at.min(late_at),
                None => {
                    record.late_marks.push(ReplyDeadline { day, late_at });
                    book.change_pending(1);
                }
            }
            self.mark_lates(session);
        }
        first
    }

    fn mark_lates(&mut self, session: u32) {
        let marks = self.sessions[session].late_marks.iter();
        match marks.map(|mark| mark.late_at).min() {
            Some(late_at) => self.lates.set(session, late_at),
            None => self.lates.remove(session),
        }
    }

    /// Books the messages of one session that are late by now.
    fn settle_lates_of(&mut self, session: u32) {
        let (now, days) = (self.now, &mut self.days);
        let record = &mut self.sessions[session];
        let buyer = record.buyer;
        record.late_marks.retain(|mark| {
            let late = mark.late_at <= now;
            if late {
                let book = days.on(mark.day);
                book.book_late(buyer);
                book.change_pending(-1);
            }
            !late
        });
        self.mark_lates(session);
    }

    /// Books all messages that are late by now, also those whose timers have not fired yet (M1).
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
    ) -> Result<(), Rejection> {
        let (session, _) = self.find_own(session, agent)?;
        if !human {
            return Ok(());
        }
        self.sessions[session].speaker = Some(Speaker::Agent);
        let buyer = self.sessions[session].buyer;
        self.days.on(self.span.day).book_reply(buyer);
        self.answer(session);
        if self.policy.session.requires_agent_reply {
            self.time_silence(session);
        }
        Ok(())
    }

    /// A human reply answers all earlier messages.
    fn answer(&mut self, session: u32) {
        if self.sessions[session].awaited.take().is_none() {
            return;
        }
        self.timers.disarm(session, Timer::ReplyDue);
        self.timers.disarm(session, Timer::ReplyOverdue);
        self.settle_lates_of(session);
        for mark in std::mem::take(&mut self.sessions[session].late_marks) {
            self.days.on(mark.day).change_pending(-1);
        }
        self.lates.remove(session);
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
    pub(in crate::domain) fn bot_message(&mut self, session: &Id) -> Result<(), Rejection> {
        let session = self.find_with_bot(session)?;
        self.sessions[session].speaker = Some(Speaker::Bot);
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
        self.decide(body, out);
        self.judge_reply_rate(awaited.day, out);
        self.drop_if_done(session);
    }
}
