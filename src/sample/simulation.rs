//! The simulation: takes one step of the event queue after the other, and reacts to the decisions of the core.
//!
//! It is a closed loop. The agent that the core has assigned writes, and an agent with more work answers later. A
//! timer of the core that is due before the next step fires at its own second, by a `clock` event as a live gateway
//! sends.

use std::io::{self, Write};

use crate::domain::base::id::Id;
use crate::domain::protocol::codes::{Presence, WaitReason};
use crate::domain::protocol::decision::{Decision, DecisionBody};

use super::arrivals::plan_arrivals;
use super::chat_state::{AgentDesk, Chat, ChatPlace, SampleBuyer, chat_of};
use super::day_script::{DayScript, HEAD, Role, SampleDay};
use super::event_queue::{AgentNumber, ChatNumber, DAY_S, EventQueue, Moment, ScheduledStep};
use super::gateway::{Gateway, TraceEvent, TraceField};
use super::seeded_rng::SeededRng;
use super::shifts::plan_shifts;
use super::{holiday, promotion};

/// The sample ends on the morning after its last day, at this second.
const END_S: u64 = 10 * 3600 + 30 * 60;

/// How long a buyer waits in the queue, in seconds; some outlast the shop's own limit.
const PATIENCE_S: [(u64, (u64, u64)); 3] = [(25, (60, 150)), (55, (150, 420)), (20, (420, 900))];

/// The days of the sample, as far as they have been played.
pub struct Simulation<W> {
    pub(super) script: DayScript,
    pub(super) gateway: Gateway<W>,
    pub(super) rng: SeededRng,
    pub(super) event_queue: EventQueue,
    pub(super) now: Moment,
    pub(super) chats: Vec<Chat>,
    pub(super) buyers: Vec<SampleBuyer>,
    pub(super) desks: Vec<AgentDesk>,
}

impl<W: Write> Simulation<W> {
    /// A shop before its first buyer.
    pub fn new(day: SampleDay, seed: u64, trace: W) -> Simulation<W> {
        let script = match day {
            SampleDay::Promotion => promotion::DAY,
            SampleDay::Holiday => holiday::DAY,
        };
        Simulation {
            gateway: Gateway::new(trace),
            rng: SeededRng::new(seed),
            event_queue: EventQueue::default(),
            now: script.begin,
            chats: Vec::new(),
            buyers: Vec::new(),
            desks: script.staff.iter().map(|_| AgentDesk::empty()).collect(),
            script,
        }
    }

    /// Plays `days` days and the morning after.
    pub fn play(mut self, days: u64) -> io::Result<()> {
        let end = self.script.begin.after(days * DAY_S + END_S);
        self.open_shop()?;
        plan_shifts(&self.script, &mut self.event_queue, days, end);
        plan_arrivals(&self.script, &mut self.event_queue, &mut self.rng, days);
        loop {
            let timer = self.gateway.next_timer().filter(|&due| due < end);
            let next = self.event_queue.next_at().filter(|&at| at < end);
            match (timer, next) {
                (Some(due), next) if next.is_none_or(|at| due <= at) => {
                    self.now = due.max(self.now);
                    self.send(TraceEvent::new("clock"))?;
                }
                (_, Some(_)) => {
                    if let Some((at, step)) = self.event_queue.pop() {
                        self.now = at;
                        self.take(step)?;
                    }
                }
                (_, None) => break,
            }
        }
        self.now = end;
        self.send(TraceEvent::new("clock"))?;
        self.gateway.finish()
    }

    fn open_shop(&mut self) -> io::Result<()> {
        let policy = TraceField::Json(self.script.policy);
        self.send(TraceEvent::new("shop.configured").with("policy", policy))?;
        for member in self.script.staff {
            let roles: &[&str] = match member.role {
                Role::Presale => &["agent", "presale"],
                Role::Aftersale => &["agent", "aftersale"],
            };
            self.send(
                TraceEvent::new("agent.configured")
                    .with("agent", member.id)
                    .with("name", member.name)
                    .with("roles", TraceField::List(roles))
                    .with("capacity", TraceField::Whole(member.capacity))
                    .with("weight", TraceField::Whole(member.weight)),
            )?;
        }
        self.send(
            TraceEvent::new("agent.configured")
                .with("agent", HEAD)
                .with("roles", TraceField::List(&["owner", "admin"])),
        )
    }

    fn take(&mut self, step: ScheduledStep) -> io::Result<()> {
        match step {
            ScheduledStep::Arrive(visit) => self.arrive(visit),
            ScheduledStep::Presence(agent, presence) => self.change_presence(agent, presence),
            ScheduledStep::Write(agent) => {
                self.write(agent);
                Ok(())
            }
            ScheduledStep::Reply(agent) => self.reply(agent),
            ScheduledStep::Greet(chat) => self.greet(chat),
            ScheduledStep::Say(chat, plan) => self.say(chat, plan),
            ScheduledStep::Nudge(chat, plan) => self.nudge(chat, plan),
            ScheduledStep::BotSay(chat) => self.bot_say(chat),
            ScheduledStep::HandOff(chat, plan) => self.hand_off(chat, plan),
            ScheduledStep::GiveUp(chat, waits) => self.give_up(chat, waits),
            ScheduledStep::Return(chat, plan) => self.return_to_page(chat, plan),
            ScheduledStep::SendMore(chat, plan) => self.send_more(chat, plan),
            ScheduledStep::Transfer(chat, plan) => self.transfer(chat, plan),
            ScheduledStep::AskForRating(chat, plan) => self.ask_for_rating(chat, plan),
            ScheduledStep::End(chat, plan, by) => self.end(chat, plan, by),
            ScheduledStep::Supervise => self.supervise(),
            ScheduledStep::Flag(chat) => self.flag(chat),
            ScheduledStep::Block(chat) => self.block(chat),
            ScheduledStep::ComeAgain(chat) => self.come_again(chat),
            ScheduledStep::Ready(agent) => self.ready(agent),
            ScheduledStep::Back(agent) => self.back(agent),
            ScheduledStep::OpenCard(chat, card) => self.open_card(chat, card),
            ScheduledStep::Rate(chat, card) => self.rate(chat, card),
        }
    }

    /// Sends an event, and reacts to its decisions.
    pub(super) fn send(&mut self, what: TraceEvent<'_>) -> io::Result<()> {
        self.send_as_of(self.now, what)
    }

    /// Sends an event that happened then and comes now, and reacts to its decisions.
    pub(super) fn send_as_of(&mut self, at: Moment, what: TraceEvent<'_>) -> io::Result<()> {
        for decision in self.gateway.send(at, what)? {
            self.react_to(&decision);
        }
        Ok(())
    }

    /// Sends an event of a chat, and reacts to its decisions.
    pub(super) fn send_in_chat(
        &mut self,
        name: &'static str,
        chat: ChatNumber,
        more: impl for<'a> FnOnce(TraceEvent<'a>) -> TraceEvent<'a>,
    ) -> io::Result<()> {
        let session = self.chats[chat].id.clone();
        self.send(more(TraceEvent::new(name).with("session", session)))
    }

    /// True `percent` times of a hundred. What never happens draws nothing.
    pub(super) fn sometimes(&mut self, percent: u64) -> bool {
        percent > 0 && self.rng.chance(percent)
    }

    /// Plans a step so many seconds from now, drawn from `range_s`.
    pub(super) fn plan(&mut self, range_s: (u64, u64), step: ScheduledStep) {
        let at = self.now.after(self.rng.between(range_s));
        self.event_queue.plan(at, step);
    }

    fn react_to(&mut self, decision: &Decision) {
        match &decision.body {
            DecisionBody::SessionAssigned { session, agent, .. } => {
                if let (Some(chat), Some(agent)) = (chat_of(session), self.number_of(agent)) {
                    self.assigned(chat, agent);
                }
            }
            DecisionBody::SessionQueued {
                session, reason, ..
            } => {
                if let Some(chat) = chat_of(session) {
                    self.queued(chat, *reason);
                }
            }
            DecisionBody::AgentPresenceSet { agent, .. } => {
                if let Some(agent) = self.number_of(agent) {
                    self.set_away(agent);
                }
            }
            DecisionBody::EventRejected { event, .. } if &**event == "session.opened" => {
                self.turned_away();
            }
            DecisionBody::SessionClosed { session, .. } => {
                if let Some(chat) = chat_of(session) {
                    self.closed(chat);
                }
            }
            DecisionBody::InviteSent { session, card, .. } => {
                if let Some(chat) = chat_of(session) {
                    self.invited(chat, card);
                }
            }
            DecisionBody::ReplyDue { session, .. } | DecisionBody::ReplyOverdue { session, .. } => {
                if let Some(chat) = chat_of(session) {
                    self.reminded(chat);
                }
            }
            DecisionBody::SessionTakenBack { .. }
            | DecisionBody::HoursOpened { .. }
            | DecisionBody::HoursClosed { .. }
            | DecisionBody::ScoreDay { .. }
            | DecisionBody::AgentNotified { .. }
            | DecisionBody::AutoReplySent { .. }
            | DecisionBody::InviteBlocked { .. }
            | DecisionBody::RatingOpened { .. }
            | DecisionBody::RatingRecorded { .. }
            | DecisionBody::RatingRefused { .. }
            | DecisionBody::ScoreAlert { .. }
            | DecisionBody::ScoreRecovered { .. }
            | DecisionBody::EventRejected { .. } => {}
        }
    }

    fn assigned(&mut self, chat: ChatNumber, agent: AgentNumber) {
        self.leave(chat);
        let record = &mut self.chats[chat];
        record.with = ChatPlace::Agent(agent);
        self.desks[agent].load += 1;
        if record.unanswered.is_some() {
            self.wait_for_answer(chat, agent);
        } else if !record.served && self.script.staff[agent].greets {
            self.plan((1, 2), ScheduledStep::Greet(chat));
        }
    }

    fn queued(&mut self, chat: ChatNumber, reason: WaitReason) {
        self.leave(chat);
        let record = &mut self.chats[chat];
        record.with = ChatPlace::Queue(self.now);
        record.waits += 1;
        let waits = record.waits;
        if reason == WaitReason::Closed && self.sometimes(self.script.habits.waits_until_open) {
            return;
        }
        let patience_s = self.rng.weighted(&PATIENCE_S);
        self.plan(patience_s, ScheduledStep::GiveUp(chat, waits));
    }

    fn closed(&mut self, chat: ChatNumber) {
        self.leave(chat);
        let record = &mut self.chats[chat];
        let agent = record.agent();
        record.closed_with = agent.map(|agent| (self.now, agent));
        if let Some(agent) = agent.filter(|_| record.served)
            && self.sometimes(self.script.habits.ready)
        {
            self.plan((6, 30), ScheduledStep::Ready(agent));
        }
        let record = &mut self.chats[chat];
        record.with = ChatPlace::Closed;
        self.buyers[record.buyer].busy = false;
        if record.served {
            self.rate_uninvited(chat);
        }
    }

    /// The chat leaves its agent or the queue.
    fn leave(&mut self, chat: ChatNumber) {
        let record = &mut self.chats[chat];
        match record.with {
            ChatPlace::Agent(agent) => self.desks[agent].load -= 1,
            ChatPlace::Queue(since) => record.waited_long |= self.now >= since.after(120),
            ChatPlace::Nobody | ChatPlace::Bot | ChatPlace::Closed => {}
        }
    }

    /// The buyer of the chat that was just opened may not come in.
    fn turned_away(&mut self) {
        if let Some(record) = self.chats.last_mut() {
            record.with = ChatPlace::Closed;
            self.buyers[record.buyer].busy = false;
        }
    }

    /// The shop has set the agent away, who sees it after a while.
    fn set_away(&mut self, agent: AgentNumber) {
        self.desks[agent].presence = Presence::Away;
        self.desks[agent].set_away = true;
        match self.back_at_desk(agent) {
            Some(back) => self.event_queue.plan(back, ScheduledStep::Back(agent)),
            None => self.plan((60, 240), ScheduledStep::Back(agent)),
        }
    }

    fn reminded(&mut self, chat: ChatNumber) {
        self.chats[chat].waited_long = true;
        if let Some(agent) = self.chats[chat].agent()
            && self.rng.chance(60)
        {
            self.desks[agent].hurry(chat);
        }
    }

    /// The agent's index in the staff.
    fn number_of(&self, agent: &Id) -> Option<AgentNumber> {
        let mut staff = self.script.staff.iter();
        staff.position(|member| member.id == agent.as_str())
    }
}
