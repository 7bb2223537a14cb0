//! Which messages count, which of them are late, and the reminders (M1 to M3).

use crate::model::calendar;
use crate::model::session::Reminder;
use crate::model::shop::Shop;
use crate::model::timers::TimerKind;
use crate::model::value::Ms;
use serde_json::json;
use std::collections::BTreeSet;

/// A message that M1 counts.
pub struct CountedMessage {
    pub buyer: String,
    /// Late from this instant on, unless it was answered before.
    pub late_at: Ms,
    pub answered: Option<Ms>,
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
    pub fn consulting(&self) -> BTreeSet<&str> {
        self.messages
            .iter()
            .map(|message| message.buyer.as_str())
            .collect()
    }

    pub fn late(&self, now: Ms) -> BTreeSet<&str> {
        let late = self.messages.iter().filter(|message| message.is_late(now));
        late.map(|message| message.buyer.as_str()).collect()
    }

    pub fn replied(&self) -> usize {
        self.consulting()
            .into_iter()
            .filter(|buyer| self.got_reply.contains(*buyer))
            .count()
    }
}

impl Shop {
    /// M1, for a buyer's message. The day, where it is the buyer's first counting message of it.
    pub fn count_message(&mut self, index: usize, to_bot: bool) -> Option<String> {
        let service = &self.policy.service;
        let time = calendar::time_of_day(self.clock, &self.policy.zone);
        let in_hours = service.from <= time && time < service.to;
        if !in_hours || (to_bot && !service.count_bot) {
            return None;
        }
        let late_at = self.clock + service.within;
        let day = self.today();
        if self.sessions[index].unanswered.is_empty() {
            self.arm_reminders(index, late_at, &day);
        }
        let session = &mut self.sessions[index];
        let messages = &mut self.reply_days.entry(day.clone()).or_default().messages;
        let is_first = !messages
            .iter()
            .any(|message| message.buyer == session.buyer);
        session.unanswered.push((day.clone(), messages.len()));
        messages.push(CountedMessage {
            buyer: session.buyer.clone(),
            late_at,
            answered: None,
        });
        is_first.then_some(day)
    }

    /// M1: with `count_bot` off, leaving the bot is one message where the buyer wrote to the bot.
    pub fn count_leaving_bot(&mut self, index: usize) {
        if self.sessions[index].wrote_to_bot && !self.policy.service.count_bot {
            let new_day = self.count_message(index, false);
            self.judge_reply_rate(new_day);
        }
    }

    /// M3: for the oldest unanswered message.
    fn arm_reminders(&mut self, index: usize, overdue_at: Ms, day: &str) {
        let service = &self.policy.service;
        let since = self.clock;
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

    /// A human reply answers every message of the session (M1), and is one of the day (M2).
    pub fn answer_messages(&mut self, index: usize) {
        self.timers.cancel(index, TimerKind::ReplyDue);
        self.timers.cancel(index, TimerKind::ReplyOverdue);
        let session = &mut self.sessions[index];
        session.reminder = None;
        for (day, place) in session.unanswered.drain(..) {
            let messages = &mut self
                .reply_days
                .get_mut(&day)
                .expect("a day that counts")
                .messages;
            messages[place].answered = Some(self.clock);
        }
        let buyer = session.buyer.clone();
        let today = self.today();
        self.reply_days
            .entry(today)
            .or_default()
            .got_reply
            .insert(buyer);
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
        self.judge_reply_rate(Some(reminder.day));
    }
}
