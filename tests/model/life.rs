//! The life of a session (S1 to S6, R8): opened, handed off, transferred, messages, closed.

use crate::model::event::Opening;
use crate::model::routing::Plan;
use crate::model::session::{Place, Session, Speaker};
use crate::model::shop::{Answer, Contact, Rejection, Shop};
use crate::model::timers::TimerKind;
use serde_json::json;

impl Shop {
    pub fn open_session(&mut self, opening: Opening) -> Answer {
        if self.known(&opening.session).is_ok() {
            return Err("session_exists".into());
        }
        if let Some(other) = self.open_session_of(&opening.buyer) {
            let mut rejection = Rejection::from("buyer_in_session");
            rejection.session = Some(other);
            return Err(rejection);
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
    fn open_session_of(&self, buyer: &str) -> Option<String> {
        let of_buyer = |session: &&usize| self.sessions[**session].buyer == buyer;
        self.open
            .iter()
            .find(of_buyer)
            .map(|session| self.sessions[*session].id.clone())
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
        self.count_leaving_bot(index);
        Ok(())
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
        self.assign(index, to, "manual");
        if from_bot {
            self.count_leaving_bot(index);
        }
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
        self.sessions[index].place = Place::Closed { at: self.clock };
        self.open.remove(&index);
        for ended in [TimerKind::ReplyDue, TimerKind::Silence, TimerKind::Queue] {
            self.timers.cancel(index, ended);
        }
        let closed = &self.sessions[index];
        let fields = json!({
            "session": closed.id, "buyer": closed.buyer, "agent": closed.served_by(), "reason": reason,
        });
        self.emit("session.closed", fields);
        self.decide_auto_invite(index, reason);
    }

    pub fn buyer_message(&mut self, id: &str) -> Answer {
        let index = self.opened(id)?;
        let nobody_sees_it = self.reroute_from_offline(index);
        self.note_contact(index);
        let with_bot = self.sessions[index].is_with_bot();
        self.sessions[index].wrote_to_bot |= with_bot;
        self.sessions[index].last_speaker = Some(Speaker::Buyer);
        let new_day = self.count_message(index, with_bot);
        self.restart_silence(index);
        if nobody_sees_it {
            self.notify_offline(index);
        }
        self.judge_reply_rate(new_day);
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

    pub fn agent_message(&mut self, id: &str, agent: Option<&str>, human: bool) -> Answer {
        let index = self.session_of_agent(id, agent)?;
        if human {
            self.sessions[index].last_speaker = Some(Speaker::Agent);
            self.answer_messages(index);
            self.restart_silence_for_speech(index);
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

    pub fn bot_message(&mut self, id: &str) -> Answer {
        let index = self.opened(id)?;
        if !self.sessions[index].is_with_bot() {
            return Err("not_with_bot".into());
        }
        self.sessions[index].last_speaker = Some(Speaker::Bot);
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

fn new_session(opening: &Opening, now: i64) -> Session {
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
    }
}
