//! What is booked on the sheets of agents and of the desk (M7 to M10).

use crate::domain::base::time::Instant;
use crate::domain::protocol::codes::CloseReason;
use crate::domain::state::agent::BOT;
use crate::domain::state::daily_stats::DESK;
use crate::domain::state::pending_reply::AgentRound;
use crate::domain::state::session::SessionPlace;
use crate::domain::state::shop::Shop;

impl Shop {
    /// Begins a round with the session's agent, if a message waits for a reply and no round is open (M9a).
    pub(in crate::domain) fn begin_round(&mut self, session: u32) {
        let record = &self.sessions[session];
        let (Some(agent), Some(awaited), None) = (record.agent(), record.awaited, record.round)
        else {
            return;
        };
        let began = awaited.since.max(record.assigned_at);
        let day = self.span_at(began).day;
        let late_at = began + self.policy.service.reply.within;
        let record = &mut self.sessions[session];
        let buyer = record.buyer;
        record.round = Some(AgentRound {
            agent,
            began,
            late_at,
            day,
            first: !std::mem::replace(&mut record.marks.had_round_here, true),
            late: false,
        });
        let book = self.days.on(day);
        book.change_pending(1);
        if book.book_round_of(DESK, buyer) {
            book.desk.buyers += 1;
        }
        let new = book.book_round_of(agent, buyer);
        let answers = &mut self.directory.agents[agent].sheet(day).answers;
        answers.buyers += u64::from(new);
        answers.rounds += 1;
        self.may_be_late(session, late_at);
    }

    /// Books the session's round as late, if it is by now (M9b).
    pub(in crate::domain) fn settle_round(&mut self, session: u32) {
        let record = &mut self.sessions[session];
        let buyer = record.buyer;
        if let Some(round) = &mut record.round
            && !round.late
            && round.late_at <= self.now
        {
            round.late = true;
            let round = *round;
            let book = self.days.on(round.day);
            book.change_pending(-1);
            if book.book_late_round_of(DESK, buyer) {
                book.desk.late_buyers += 1;
            }
            let new = book.book_late_round_of(round.agent, buyer);
            let answers = &mut self.directory.agents[round.agent].sheet(round.day).answers;
            answers.late += 1;
            answers.late_buyers += u64::from(new);
        }
    }

    /// A human reply of an instant ends the session's round (M9a).
    pub(in crate::domain) fn end_round(&mut self, session: u32, own: Instant) {
        if let Some((round, at)) = self.finish_round(session, own) {
            let time = at - round.began;
            let answers = &mut self.directory.agents[round.agent].sheet(round.day).answers;
            answers.answered += 1;
            answers.each.add(time);
            if round.first {
                answers.first.add(time);
            }
        }
    }

    /// The session leaves its agent for another or for a queue: its round is dropped (M9a).
    pub(in crate::domain) fn drop_round(&mut self, session: u32) {
        if let Some((round, _)) = self.finish_round(session, self.now) {
            let sheet = self.directory.agents[round.agent].sheet(round.day);
            sheet.answers.dropped += 1;
            self.find_next_late(session);
        }
    }

    /// Ends the session's round at an instant, but not before it began. Returns the round and that instant.
    fn finish_round(&mut self, session: u32, at: Instant) -> Option<(AgentRound, Instant)> {
        self.settle_round(session);
        let record = &mut self.sessions[session];
        let (round, buyer) = (record.round.take()?, record.buyer);
        let at = at.max(round.began);
        let book = self.days.on(round.day);
        if !round.late {
            book.change_pending(-1);
            return Some((round, at));
        }
        let late = round.late_at <= at;
        if book.settle_late_round_of(DESK, buyer, late) {
            book.desk.late_buyers -= 1;
        }
        let in_time = book.settle_late_round_of(round.agent, buyer, late);
        let answers = &mut self.directory.agents[round.agent].sheet(round.day).answers;
        answers.late_buyers -= u64::from(in_time);
        answers.late -= u64::from(!late);
        Some((round, at))
    }

    /// Books the end of a session that is about to close (M9d, M10).
    pub(in crate::domain) fn book_end(&mut self, session: u32, reason: CloseReason) {
        let record = &self.sessions[session];
        let (now, today) = (self.now, self.span.day);
        match record.place {
            SessionPlace::Agent(agent) => {
                let lingered = now - record.last_message.max(record.assigned_at);
                self.directory.agents[agent]
                    .sheet(today)
                    .linger
                    .add(lingered);
            }
            SessionPlace::Waiting { since, .. } => match reason {
                CloseReason::Buyer | CloseReason::Timeout | CloseReason::Abandoned => {
                    self.days.on(today).desk.abandoned.add(now - since);
                }
                CloseReason::Agent
                | CloseReason::System
                | CloseReason::AgentOffline
                | CloseReason::Blocked => {}
            },
            SessionPlace::Bot | SessionPlace::Closed { .. } => {}
        }
        if !self.sessions[session].marks.answered {
            self.book_unserved(session, 1);
        }
    }

    /// A closed session was answered after all (S10, T1d).
    pub(in crate::domain) fn take_back_unserved(&mut self, session: u32) {
        self.book_unserved(session, -1);
    }

    /// Books a session that closes without a human reply (M10), or takes that back.
    fn book_unserved(&mut self, session: u32, by: i64) {
        let record = &self.sessions[session];
        let Some(day) = record.asked_on else {
            return;
        };
        let desk = &mut self.days.on(day).desk;
        let of_desk = if record.marks.human {
            &mut desk.never_answered
        } else {
            &mut desk.never_assigned
        };
        *of_desk = of_desk.saturating_add_signed(by);
        // The bot is no agent that could have answered.
        if let Some(agent) = record.served_by().filter(|&agent| agent != BOT) {
            let unserved = &mut self.directory.agents[agent].sheet(day).unserved;
            *unserved = unserved.saturating_add_signed(by);
        }
    }
}
