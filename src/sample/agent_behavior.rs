//! What agents do: they come and go, answer one buyer after the other, transfer sessions, and close them.

use std::io::{self, Write};

use crate::domain::protocol::codes::Presence;

use super::chat_state::{AgentDesk, ChatPlace};
use super::day_script::{HEAD, Role};
use super::event_queue::{AgentNumber, ChatNumber, DAY_S, EndedBy, Moment, ScheduledStep};
use super::gateway::{TraceEvent, TraceField};
use super::simulation::Simulation;
use super::topic::{GREETING, RUDE, SORRY, WELCOMES};

/// An agent that has a break answers later by so many seconds.
const BREAK_S: (u64, u64) = (20, 70);

/// The priority of a session that the head of the shop raises in the queue.
const RAISED: u64 = 9;

/// For every chat that an agent has, it answers later by so many seconds.
const PER_CHAT_S: u64 = 2;

/// An answer over a slow line reaches the gateway so many seconds after it was written.
const LINE_S: (u64, u64) = (20, 90);

/// After so many seconds an answer begins with an apology.
const SORRY_AFTER_S: u64 = 100;

impl AgentDesk {
    /// Puts this chat first.
    pub(super) fn hurry(&mut self, chat: ChatNumber) {
        if let Some(place) = self.inbox.iter().position(|&waiting| waiting == chat) {
            self.inbox.remove(place);
            self.inbox.push_front(chat);
        }
    }
}

impl<W: Write> Simulation<W> {
    /// An agent comes or goes.
    pub(super) fn change_presence(
        &mut self,
        agent: AgentNumber,
        presence: Presence,
    ) -> io::Result<()> {
        self.desks[agent].presence = presence;
        self.desks[agent].set_away = false;
        let name = match presence {
            Presence::Online => "agent.online",
            Presence::Away => "agent.away",
            Presence::Offline => "agent.offline",
        };
        self.send(TraceEvent::new(name).with("agent", self.script.staff[agent].id))?;
        self.write(agent);
        Ok(())
    }

    /// An agent that the shop has set away is back, unless it came or went meanwhile.
    pub(super) fn back(&mut self, agent: AgentNumber) -> io::Result<()> {
        if self.desks[agent].set_away {
            self.change_presence(agent, Presence::Online)?;
        }
        Ok(())
    }

    /// When the agent is back at its desk, if it has left it.
    pub(super) fn back_at_desk(&self, agent: AgentNumber) -> Option<Moment> {
        let second = self.now.0 % DAY_S;
        let mut breaks = self.script.staff[agent].leaves_desk.iter();
        let (_, back) = breaks.find(|(left, back)| (left * 60..back * 60).contains(&second))?;
        Some(self.now.after(back * 60 - second))
    }

    /// The agent is done with the work after its sessions.
    pub(super) fn ready(&mut self, agent: AgentNumber) -> io::Result<()> {
        if self.desks[agent].presence == Presence::Offline {
            return Ok(());
        }
        self.send(TraceEvent::new("agent.ready").with("agent", self.script.staff[agent].id))
    }

    /// A buyer waits for an answer of this agent, if the agent sees it.
    pub(super) fn wait_for_answer(&mut self, chat: ChatNumber, agent: AgentNumber) {
        if self.sometimes(self.script.staff[agent].overlooks) {
            return;
        }
        let inbox = &mut self.desks[agent].inbox;
        if !inbox.contains(&chat) {
            inbox.push_back(chat);
        }
        self.write(agent);
    }

    /// The agent begins its next answer, if there is one to write.
    pub(super) fn write(&mut self, agent: AgentNumber) {
        let desk = &self.desks[agent];
        if desk.writing || desk.inbox.is_empty() {
            return;
        }
        if let Some(back) = self.back_at_desk(agent) {
            self.event_queue.plan(back, ScheduledStep::Write(agent));
            return;
        }
        let desk = &mut self.desks[agent];
        let break_s = match desk.presence {
            Presence::Online => 0,
            Presence::Away => self.rng.between(BREAK_S),
            Presence::Offline => return,
        };
        desk.writing = true;
        let more_s = break_s + PER_CHAT_S * desk.load;
        let (least_s, most_s) = self.script.staff[agent].pace_s;
        self.plan(
            (least_s + more_s, most_s + more_s),
            ScheduledStep::Reply(agent),
        );
    }

    /// The agent has written its next answer.
    pub(super) fn reply(&mut self, agent: AgentNumber) -> io::Result<()> {
        self.desks[agent].writing = false;
        if self.desks[agent].presence == Presence::Offline {
            return Ok(());
        }
        if self.back_at_desk(agent).is_some() {
            self.write(agent);
            return Ok(());
        }
        while let Some(chat) = self.desks[agent].inbox.pop_front() {
            let record = &self.chats[chat];
            if record.unanswered.is_none() {
                continue;
            }
            if record.with == ChatPlace::Agent(agent) {
                self.answer(chat, agent)?;
                break;
            }
            if self.still_answers(chat, agent) {
                self.answer_after_close(chat, agent)?;
                break;
            }
        }
        self.write(agent);
        Ok(())
    }

    /// Whether the chat is closed, and the agent who had it answers nevertheless.
    fn still_answers(&self, chat: ChatNumber, agent: AgentNumber) -> bool {
        let closed = self.chats[chat].closed_with;
        closed.is_some_and(|(at, with)| {
            with == agent && self.now < at.after(self.script.habits.late_answer_s)
        })
    }

    fn answer_after_close(&mut self, chat: ChatNumber, agent: AgentNumber) -> io::Result<()> {
        let record = &mut self.chats[chat];
        record.unanswered = None;
        let words = record.visit.topic.words();
        let text = format!("{}{}", self.rng.pick(&SORRY), self.rng.pick(words.answers));
        let id = self.script.staff[agent].id;
        self.send_in_chat("agent.message", chat, |message| {
            message.with("agent", id).with("text", text)
        })
    }

    fn answer(&mut self, chat: ChatNumber, agent: AgentNumber) -> io::Result<()> {
        let record = &mut self.chats[chat];
        let plan = record.replan();
        let since = record.unanswered.take().unwrap_or(self.now);
        let late = self.now >= since.after(SORRY_AFTER_S);
        record.waited_long |= late;
        record.served = true;
        let text = if record.thanked {
            self.rng.pick(&WELCOMES).to_owned()
        } else if self.rng.chance(self.script.staff[agent].rude) {
            record.treated_rudely = true;
            self.rng.pick(&RUDE).to_owned()
        } else {
            let sorry = if late { self.rng.pick(&SORRY) } else { "" };
            let words = record.visit.topic.words();
            format!("{sorry}{}", self.rng.pick(words.answers))
        };
        let mut written = self.now;
        if self.sometimes(self.script.habits.slow_line) {
            written = self.now.before(self.rng.between(LINE_S)).max(since);
        }
        let message = TraceEvent::new("agent.message")
            .with("session", self.chats[chat].id.clone())
            .with("agent", self.script.staff[agent].id)
            .with("text", text);
        self.send_as_of(written, message)?;
        self.plan_next(chat, plan);
        Ok(())
    }

    /// What follows an answer.
    fn plan_next(&mut self, chat: ChatNumber, plan: u32) {
        let record = &self.chats[chat];
        let (more, thanked, transferred) =
            (record.turns_left > 0, record.thanked, record.transferred);
        let misplaced = record.agent().is_some_and(|agent| {
            (self.script.staff[agent].role == Role::Aftersale) != record.visit.topic.is_aftersale()
        });
        if !thanked && self.rng.chance(14) {
            self.plan((3, 9), ScheduledStep::SendMore(chat, plan));
        }
        if more && !transferred && self.rng.chance(if misplaced { 18 } else { 2 }) {
            self.plan((3, 9), ScheduledStep::Transfer(chat, plan));
        } else if more {
            self.plan((6, 80), ScheduledStep::Say(chat, plan));
        } else if !thanked && self.rng.chance(45) {
            self.plan((5, 40), ScheduledStep::Say(chat, plan));
        } else {
            self.plan_end(chat, plan);
        }
    }

    /// The conversation is over; most chats end by silence.
    fn plan_end(&mut self, chat: ChatNumber, plan: u32) {
        if self.rng.chance(12) {
            self.plan((3, 12), ScheduledStep::AskForRating(chat, plan));
        }
        let by = self.rng.weighted(&[
            (34, Some(EndedBy::Agent)),
            (20, Some(EndedBy::Buyer)),
            (2, Some(EndedBy::System)),
            (44, None),
        ]);
        if let Some(by) = by {
            self.plan((15, 110), ScheduledStep::End(chat, plan, by));
        }
    }

    /// A workbench sends its greeting.
    pub(super) fn greet(&mut self, chat: ChatNumber) -> io::Result<()> {
        match self.chats[chat].agent() {
            Some(agent) if self.desks[agent].presence != Presence::Offline => {
                let id = self.script.staff[agent].id;
                self.send_in_chat("agent.message", chat, |message| {
                    message
                        .with("agent", id)
                        .with("kind", "auto_reply")
                        .with("text", GREETING)
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The agent sends something more: a card, a picture, a text.
    pub(super) fn send_more(&mut self, chat: ChatNumber, plan: u32) -> io::Result<()> {
        let Some(agent) = self.present_agent(chat, plan) else {
            return Ok(());
        };
        let words = self.chats[chat].visit.topic.words();
        let (kind, text) = self.rng.pick(words.sendings);
        let id = self.script.staff[agent].id;
        self.send_in_chat("agent.message", chat, |message| {
            let message = message.with("agent", id);
            message.with("kind", kind).with_some("text", text)
        })
    }

    /// The agent transfers the buyer to the colleague with the fewest chats.
    pub(super) fn transfer(&mut self, chat: ChatNumber, plan: u32) -> io::Result<()> {
        let Some(agent) = self.present_agent(chat, plan) else {
            return Ok(());
        };
        let wanted = if self.chats[chat].visit.topic.is_aftersale() {
            Role::Aftersale
        } else {
            Role::Presale
        };
        let staff = self.script.staff;
        let Some(to) = self.colleague(|other| other != agent && staff[other].role == wanted) else {
            self.plan((6, 80), ScheduledStep::Say(chat, plan));
            return Ok(());
        };
        let record = &mut self.chats[chat];
        record.transferred = true;
        record.unanswered = Some(self.now);
        record.replan();
        self.send_in_chat("session.transferred", chat, |given| {
            given.with("to", staff[to].id).with("by", staff[agent].id)
        })
    }

    /// The head of the shop transfers the longest-waiting session to the agent with the fewest chats, or raises it in
    /// the queue.
    pub(super) fn supervise(&mut self) -> io::Result<()> {
        let waiting = self.chats.iter().enumerate();
        let waiting = waiting.filter_map(|(chat, record)| match record.with {
            ChatPlace::Queue(since) => Some((since, chat)),
            ChatPlace::Nobody | ChatPlace::Bot | ChatPlace::Agent(_) | ChatPlace::Closed => None,
        });
        match (waiting.min(), self.colleague(|_| true)) {
            (Some((_, chat)), _) if self.script.habits.ranks_waiting => {
                self.send_in_chat("session.ranked", chat, |ranked| {
                    ranked.with("priority", TraceField::Whole(RAISED))
                })
            }
            (Some((_, chat)), Some(to)) => {
                let id = self.script.staff[to].id;
                self.send_in_chat("session.transferred", chat, |given| {
                    given.with("to", id).with("by", HEAD)
                })
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    /// Of the agents who are online and suit the topic, the one with the fewest chats.
    fn colleague(&self, suits: impl Fn(AgentNumber) -> bool) -> Option<AgentNumber> {
        let online = |&agent: &AgentNumber| self.desks[agent].presence == Presence::Online;
        let suiting = (0..self.desks.len())
            .filter(online)
            .filter(|&agent| suits(agent));
        suiting.min_by_key(|&agent| self.desks[agent].load)
    }

    /// The agent clicks 邀请评价.
    pub(super) fn ask_for_rating(&mut self, chat: ChatNumber, plan: u32) -> io::Result<()> {
        match self.present_agent(chat, plan) {
            Some(agent) => {
                let id = self.script.staff[agent].id;
                self.send_in_chat("invite.requested", chat, |asked| asked.with("agent", id))
            }
            None => Ok(()),
        }
    }

    /// The chat ends.
    pub(super) fn end(&mut self, chat: ChatNumber, plan: u32, by: EndedBy) -> io::Result<()> {
        if !self.chats[chat].follows(plan) {
            return Ok(());
        }
        let by = match by {
            EndedBy::Agent if self.present_agent(chat, plan).is_none() => return Ok(()),
            EndedBy::Agent => "agent",
            EndedBy::Buyer => "buyer",
            EndedBy::System => "system",
        };
        self.send_in_chat("session.closed", chat, |closed| closed.with("by", by))
    }

    /// The agent of the chat, if there is one and nothing has happened since `plan` was made.
    fn present_agent(&self, chat: ChatNumber, plan: u32) -> Option<AgentNumber> {
        let record = &self.chats[chat];
        let agent = record.agent().filter(|_| record.follows(plan))?;
        (self.desks[agent].presence != Presence::Offline).then_some(agent)
    }
}
