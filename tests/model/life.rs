//! The life of a session (S1 to S6, R8): opened, handed off, transferred, ranked, messages, closed.

use crate::model::event::Opening;
use crate::model::routing::Plan;
use crate::model::session::{Place, Session, Speaker};
use crate::model::shop::{Answer, Contact, Rejection, Shop};
use crate::model::timers::TimerKind;
use crate::model::value::Ms;
use serde_json::json;
use std::collections::BTreeSet;

impl Shop {
    pub fn open_session(&mut self, opening: Opening) -> Answer {
        if self.known(&opening.session).is_ok() {
            return Err("session_exists".into());
        }
        if let Some(other) = self.open_session_of(&opening.buyer) {
            let mut rejection = Rejection::from("buyer_in_session");
            rejection.session = Some(self.sessions[other].id.clone());
            return Err(rejection);
        }
        if self.is_blocked(&opening.buyer) {
            return Err("buyer_blocked".into());
        }
        let mut session = new_session(&opening, self.clock);
        session.repeat_visit = !opening.bot && self.is_repeat_visit(&opening.buyer);
        if opening.bot {
            session.place = Place::Bot;
            session.bot_had_it = true;
            let index = self.add(session);
            self.restart_silence(index);
            return Ok(());
        }
        let plan = self.plan(&session);
        self.refuse_where_full(&plan)?;
        let index = self.add(session);
        self.follow(index, plan);
        Ok(())
    }

    /// S1: a buyer has at most one open session in a shop.
    pub fn open_session_of(&self, buyer: &str) -> Option<usize> {
        let of_buyer = |session: &&usize| self.sessions[**session].buyer == buyer;
        self.open.iter().find(of_buyer).copied()
    }

    fn add(&mut self, session: Session) -> usize {
        let index = self.sessions.len();
        self.newest.insert(session.id.clone(), index);
        self.sessions.push(session);
        self.open.insert(index);
        index
    }

    /// R6.
    fn refuse_where_full(&self, plan: &Plan) -> Answer {
        if matches!(plan, Plan::Wait { .. }) && self.queue_is_full() {
            return Err("queue_full".into());
        }
        Ok(())
    }

    pub fn hand_off(
        &mut self,
        id: &str,
        question: Option<String>,
        order_status: Option<String>,
    ) -> Answer {
        let index = self.opened(id)?;
        let mut session = self.sessions[index].clone();
        if !session.is_with_bot() {
            return Err("not_with_bot".into());
        }
        session.question = question.or(session.question);
        session.order_status = order_status.or(session.order_status);
        session.repeat_visit = self.is_repeat_visit(&session.buyer);
        let plan = self.plan(&session);
        self.refuse_where_full(&plan)?;
        self.sessions[index] = session;
        self.follow(index, plan);
        self.leave_bot(index);
        Ok(())
    }

    /// Leaving the bot is one message of that instant where the buyer wrote to the bot in that session.
    fn leave_bot(&mut self, index: usize) {
        if self.sessions[index].wrote_to_bot {
            self.note_debt(index);
            self.count_leaving_bot(index);
        }
    }

    /// R8.
    pub fn transfer(&mut self, id: &str, to: &str) -> Answer {
        let index = self.opened(id)?;
        if self.sessions[index].agent() == Some(to) {
            return Ok(());
        }
        if !self.is_routable(to) {
            return Err("agent_unknown".into());
        }
        if self.agents[to].presence == crate::model::event::Presence::Offline {
            return Err("agent_offline".into());
        }
        let from_bot = self.sessions[index].is_with_bot();
        if from_bot {
            self.sessions[index].repeat_visit = self.is_repeat_visit(&self.sessions[index].buyer);
        }
        self.sessions[index].bounces = 0; // R10d
        self.sessions[index].taken_from.clear();
        self.assign(index, to, "manual");
        if from_bot {
            self.leave_bot(index);
        }
        Ok(())
    }

    /// R11.
    pub fn rank(&mut self, id: &str, priority: u64) -> Answer {
        let index = self.opened(id)?;
        self.sessions[index].ranked = Some(priority);
        Ok(())
    }

    pub fn close_by(&mut self, id: &str, by: &str) -> Answer {
        let index = self.opened(id)?;
        self.close(index, by);
        Ok(())
    }

    /// S5: the close, then the invite.
    pub fn close(&mut self, index: usize, reason: &str) {
        self.leave_agent(index);
        self.book_close(index, reason);
        self.keep_place(index, reason);
        self.end_take_back(index);
        self.sessions[index].place = Place::Closed { at: self.clock };
        self.open.remove(&index);
        for ended in [
            TimerKind::ReplyDue,
            TimerKind::Silence,
            TimerKind::Queue,
            TimerKind::Left,
        ] {
            self.timers.cancel(index, ended);
        }
        let closed = &self.sessions[index];
        let fields = json!({
            "session": closed.id, "buyer": closed.buyer, "agent": closed.served_by(), "reason": reason,
        });
        self.emit("session.closed", fields);
        self.decide_auto_invite(index, reason);
    }

    /// `own` is the message's own instant (T1a).
    pub fn buyer_message(&mut self, id: &str, own: Ms) -> Answer {
        let index = self.opened(id)?;
        self.note_buyer_here(index); // S7
        self.reroute_from_offline(index);
        self.note_contact(index);
        let with_bot = self.sessions[index].is_with_bot();
        self.sessions[index].wrote_to_bot |= with_bot;
        self.sessions[index].last_speaker = Some(Speaker::Buyer);
        self.sessions[index].last_heard = Some(self.clock);
        if !with_bot {
            self.note_debt(index);
        }
        let one_more = self.count_message(index, with_bot, own);
        self.restart_silence(index);
        self.notify_offline(index);
        self.judge_reply_rates(one_more);
        Ok(())
    }

    /// S6: to whom it is.
    fn note_contact(&mut self, index: usize) {
        let session = &self.sessions[index];
        let contact = Contact {
            buyer: session.buyer.clone(),
            to: session.serving_now().map(str::to_owned),
            day: self.today(),
        };
        self.contacts.push(contact);
    }

    /// `own` is the message's own instant (T1a).
    pub fn agent_message(&mut self, id: &str, agent: Option<&str>, human: bool, own: Ms) -> Answer {
        let index = self.known(id)?;
        if self.sessions[index].is_closed() {
            return self.answer_after_close(index, agent, human, own);
        }
        let index = self.session_of_agent(id, agent)?;
        if human {
            let session = &mut self.sessions[index];
            session.last_speaker = Some(Speaker::Agent);
            session.last_heard = Some(self.clock);
            session.replied_since_assigned = true;
            session.debt = None;
            let agent = session.agent().expect("it sends the message").to_owned();
            self.misses.remove(&agent); // R10e
            self.end_take_back(index);
            let mended = self.answer_messages(index, own);
            self.restart_silence_for_speech(index);
            self.judge_reply_rates(mended);
        }
        Ok(())
    }

    /// S4: only the session's own agent may.
    pub fn session_of_agent(&self, id: &str, agent: Option<&str>) -> Result<usize, Rejection> {
        let index = self.opened(id)?;
        let own = self.sessions[index].agent().ok_or("not_session_agent")?;
        if agent.is_some_and(|agent| agent != own) {
            return Err("not_session_agent".into());
        }
        Ok(index)
    }

    /// `own` is the message's own instant (T1a).
    pub fn bot_message(&mut self, id: &str, own: Ms) -> Answer {
        let index = self.opened(id)?;
        if !self.sessions[index].is_with_bot() {
            return Err("not_with_bot".into());
        }
        self.sessions[index].last_speaker = Some(Speaker::Bot);
        self.note_bot_reply(index, own);
        self.restart_silence_for_speech(index);
        Ok(())
    }

    /// S3: opened, assigned, a buyer's message.
    pub fn restart_silence(&mut self, index: usize) {
        self.timers.cancel(index, TimerKind::Silence);
        let policy = &self.policy.session;
        let session = &self.sessions[index];
        let served = session.is_with_bot() || session.agent().is_some();
        let silence = policy.close_after_buyer_silence;
        let runs = !policy.requires_agent_reply || served_spoke_last(session);
        if silence > 0 && served && runs {
            self.timers
                .arm(index, TimerKind::Silence, self.clock + silence);
        }
    }

    /// S3: a message of an agent, or of the bot while with it, matters with `requires_agent_reply`.
    fn restart_silence_for_speech(&mut self, index: usize) {
        if self.policy.session.requires_agent_reply {
            self.restart_silence(index);
        }
    }
}

/// Whether the last to speak is an agent of the shop, or the bot while with the bot (S3).
fn served_spoke_last(session: &Session) -> bool {
    match session.last_speaker {
        Some(Speaker::Agent) => true,
        Some(Speaker::Bot) => session.is_with_bot(),
        Some(Speaker::Buyer) | None => false,
    }
}

fn new_session(opening: &Opening, now: Ms) -> Session {
    Session {
        id: opening.session.clone(),
        buyer: opening.buyer.clone(),
        entry: opening.entry.clone(),
        question: opening.question.clone(),
        order_status: opening.order_status.clone(),
        opened: now,
        place: Place::Nowhere,
        bot_had_it: false,
        last_agent: None,
        repeat_visit: false,
        last_speaker: None,
        wrote_to_bot: false,
        offline_reply_sent: false,
        cards: Vec::new(),
        reminder: None,
        unanswered: Vec::new(),
        was_queued: false,
        first_wait: None,
        opened_with: opening.priority,
        ranked: None,
        debt: None,
        overdue: false,
        bounces: 0,
        taken_from: BTreeSet::new(),
        assigned_at: now,
        replied_since_assigned: false,
        buyer_left: false,
        human_replied: false,
        last_heard: None,
        asked_on: None,
        had_round: false,
        open_round: None,
        stretch_had_round: false,
    }
}
