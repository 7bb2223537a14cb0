//! Which messages count, which of them are late, in each unit, and the reminders (M1 to M3, M12).

use crate::model::calendar;
use crate::model::policy::Unit;
use crate::model::session::Reminder;
use crate::model::shop::Shop;
use crate::model::timers::{Subject, TimerKind};
use crate::model::value::Ms;
use serde_json::json;
use std::collections::BTreeSet;

/// A message that M1 counts.
pub struct CountedMessage {
    pub buyer: String,
    /// Its own instant.
    pub at: Ms,
    /// Late from this instant on, unless it was answered before.
    pub late_at: Ms,
    pub answered: Option<Ms>,
    /// M12: whether M3 runs for it, and whether it is the first such one of its session.
    pub begins_round: bool,
    pub begins_session: bool,
}

impl CountedMessage {
    pub fn is_late(&self, now: Ms) -> bool {
        let in_time = self
            .answered
            .is_some_and(|answered| answered < self.late_at);
        self.late_at <= now && !in_time
    }
}

/// A natural day of M1 and M2.
#[derive(Default)]
pub struct ReplyDay {
    pub messages: Vec<CountedMessage>,
    /// Who got a human reply in any session at any hour of the day, consulting or not.
    pub got_reply: BTreeSet<String>,
}

impl ReplyDay {
    /// M12: how many there are of a unit, and how many of them are late.
    pub fn count(&self, unit: Unit, now: Ms) -> (u64, u64) {
        let of_unit = |message: &&CountedMessage| match unit {
            Unit::Buyer => true,
            Unit::Round => message.begins_round,
            Unit::Session => message.begins_session,
        };
        let all: Vec<&CountedMessage> = self.messages.iter().filter(of_unit).collect();
        let late = all.iter().copied().filter(|message| message.is_late(now));
        let (all, late) = match unit {
            Unit::Buyer => (buyers(all.iter().copied()), buyers(late)),
            Unit::Round | Unit::Session => (all.len(), late.count()),
        };
        (all as u64, late as u64)
    }

    pub fn consulting(&self) -> BTreeSet<&str> {
        self.messages
            .iter()
            .map(|message| message.buyer.as_str())
            .collect()
    }

    /// M2: the consulting buyers who got a reply.
    pub fn replied(&self) -> u64 {
        let consulting = self.consulting().into_iter();
        consulting
            .filter(|buyer| self.got_reply.contains(*buyer))
            .count() as u64
    }
}

fn buyers<'a>(messages: impl Iterator<Item = &'a CountedMessage>) -> usize {
    let buyers: BTreeSet<&str> = messages.map(|message| message.buyer.as_str()).collect();
    buyers.len()
}

impl Shop {
    /// M1, for a buyer's message with that own instant. Its day, where it is one more of the day's unit (M6b).
    pub fn count_message(&mut self, index: usize, to_bot: bool, own: Ms) -> BTreeSet<String> {
        let service = &self.policy.service;
        let time = calendar::time_of_day(own, &self.policy.zone);
        let in_time = service.from <= time && time < service.to;
        let in_hours = !service.in_hours || self.policy.is_open(own);
        if !in_time || !in_hours || (to_bot && !service.count_bot) {
            return BTreeSet::new();
        }
        let (unit, daily, within) = (service.unit, service.daily, service.within);
        let late_at = own + within;
        let day = calendar::day(own, &self.policy.zone);
        let messages = &self.reply_days.entry(day.clone()).or_default().messages;
        let buyer = self.sessions[index].buyer.clone();
        let first_of_day = messages.is_empty();
        let first_of_buyer = messages.iter().all(|message| message.buyer != buyer);
        if first_of_day && daily {
            let due = calendar::next_day(own, &self.policy.zone) + within;
            let subject = Subject::Day(day.clone(), index);
            self.timers.arm_subject(subject, TimerKind::Day, due); // M13
        }
        let begins_round = self.sessions[index].unanswered.is_empty();
        if begins_round {
            self.arm_reminders(index, own, &day);
        }
        let session = &mut self.sessions[index];
        let begins_session = begins_round && !session.had_round;
        session.had_round = true;
        session.asked_on.get_or_insert_with(|| day.clone());
        let messages = &mut self
            .reply_days
            .get_mut(&day)
            .expect("it was made above")
            .messages;
        session.unanswered.push((day.clone(), messages.len()));
        messages.push(CountedMessage {
            buyer,
            at: own,
            late_at,
            answered: None,
            begins_round,
            begins_session,
        });
        self.begin_round(index);
        let one_more = match unit {
            Unit::Buyer => first_of_buyer,
            Unit::Round => begins_round,
            Unit::Session => begins_session,
        };
        one_more.then_some(day).into_iter().collect()
    }

    /// M1: with `count_bot` off, leaving the bot is one message where the buyer wrote to the bot.
    pub fn count_leaving_bot(&mut self, index: usize) {
        if !self.policy.service.count_bot {
            let one_more = self.count_message(index, false, self.clock);
            self.judge_reply_rates(one_more);
        }
    }

    /// M3: for the oldest unanswered message, by its own instant.
    fn arm_reminders(&mut self, index: usize, since: Ms, day: &str) {
        let service = &self.policy.service;
        let overdue_at = since + service.within;
        if 0 < service.remind_after && service.remind_after < service.within {
            self.timers
                .arm(index, TimerKind::ReplyDue, since + service.remind_after);
        }
        self.timers.arm(index, TimerKind::ReplyOverdue, overdue_at);
        let reminder = Reminder {
            since,
            overdue_at,
            day: day.to_owned(),
        };
        self.sessions[index].reminder = Some(reminder);
    }

    /// A human reply answers every message of the session (M1), at its own instant, but none before that message's
    /// (T1c). It is one of its own day (M2). Answers with the days on which a message was late and is late no more.
    pub fn answer_messages(&mut self, index: usize, own: Ms) -> BTreeSet<String> {
        self.timers.cancel(index, TimerKind::ReplyDue);
        self.timers.cancel(index, TimerKind::ReplyOverdue);
        self.answer_round(index, own);
        let session = &mut self.sessions[index];
        session.reminder = None;
        session.human_replied = true;
        let mut mended = BTreeSet::new();
        for (day, place) in session.unanswered.drain(..) {
            let messages = &mut self
                .reply_days
                .get_mut(&day)
                .expect("a day that counts")
                .messages;
            let message = &mut messages[place];
            let was_late = message.is_late(self.clock);
            message.answered = Some(own.max(message.at));
            if was_late && !message.is_late(self.clock) {
                mended.insert(day);
            }
        }
        self.note_reply_of_day(index, own);
        mended
    }

    /// M2: with `effective_bot`, where the buyer wrote to the bot in that session before.
    pub fn note_bot_reply(&mut self, index: usize, own: Ms) {
        if self.policy.service.effective_bot && self.sessions[index].wrote_to_bot {
            self.note_reply_of_day(index, own);
        }
    }

    fn note_reply_of_day(&mut self, index: usize, own: Ms) {
        let buyer = self.sessions[index].buyer.clone();
        let day = calendar::day(own, &self.policy.zone);
        let day = self.reply_days.entry(day).or_default();
        day.got_reply.insert(buyer);
    }

    pub fn reply_due(&mut self, index: usize) {
        let session = &self.sessions[index];
        let reminder = session.reminder.as_ref().expect("armed for a message");
        let fields = json!({
            "session": session.id, "buyer": session.buyer, "agent": session.serving_now(),
            "since": self.written(reminder.since), "overdue_at": self.written(reminder.overdue_at),
        });
        self.emit("reply.due", fields);
    }

    pub fn reply_overdue(&mut self, index: usize) {
        let session = &self.sessions[index];
        let reminder = session.reminder.clone().expect("armed for a message");
        let fields = json!({
            "session": session.id, "buyer": session.buyer, "agent": session.serving_now(),
            "since": self.written(reminder.since),
        });
        self.emit("reply.overdue", fields);
        self.judge_reply_rate(reminder.day);
    }
}
