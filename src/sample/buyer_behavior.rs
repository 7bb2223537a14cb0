//! What buyers do: they come, ask, wait, lose patience, leave, and rate.

use std::io::{self, Write};

use super::chat_state::{Chat, ChatPlace, SampleBuyer};
use super::event_queue::{ChatNumber, EndedBy, ScheduledStep};
use super::gateway::{TraceEvent, TraceField};
use super::rating::SampleRating;
use super::simulation::Simulation;
use super::topic::{BOT, NUDGES, THANKS};
use crate::sample::visit::{BuyerVisit, SampleEntry};

/// The percentage of buyers who have been here before.
const RETURNING: u64 = 27;

/// The percentage of buyers whom the platform flags.
const FLAGGED: u64 = 1;

/// The priority of a buyer with a membership.
const VIP: u64 = 5;

/// The priority of a session about an order that must be changed at once.
const URGENT: u64 = 8;

/// The percentage of buyers who open the page again after they closed it.
const RETURNS_TO_PAGE: u64 = 35;

/// How long a buyer stays blocked, in seconds.
const BLOCKED_S: u64 = 16 * 3600;

/// How many of the latest buyers may come again.
const REGULARS_MAX: u64 = 240;

/// The percentage of invited buyers who open the card.
const OPENS: u64 = 60;

/// How many questions a buyer has.
const TURNS: [(u64, u64); 5] = [(28, 1), (32, 2), (22, 3), (12, 4), (6, 5)];

impl<W: Write> Simulation<W> {
    /// A buyer comes in.
    pub(super) fn arrive(&mut self, visit: BuyerVisit) -> io::Result<()> {
        let buyer = self.choose_buyer();
        self.open_chat(buyer, visit)
    }

    /// A buyer whom the shop has blocked comes again.
    pub(super) fn come_again(&mut self, chat: ChatNumber) -> io::Result<()> {
        let Chat { buyer, visit, .. } = self.chats[chat];
        self.open_chat(buyer, visit)
    }

    fn open_chat(&mut self, buyer: usize, visit: BuyerVisit) -> io::Result<()> {
        let chat = self.chats.len();
        let turns = self.rng.weighted(&TURNS);
        self.chats.push(Chat::new(chat, buyer, visit, turns));
        self.buyers[buyer].busy = true;
        if !self.buyers[buyer].flagged && self.rng.chance(FLAGGED) {
            self.plan((20, 60), ScheduledStep::Flag(chat));
        }
        self.plan((2, 14), ScheduledStep::Say(chat, 0));
        let every = self.script.habits.blocked_every;
        if every > 0 && chat % every == every / 2 && !self.buyers[buyer].blocked {
            self.plan((60, 150), ScheduledStep::Block(chat));
        }
        let id = self.buyers[buyer].id.clone();
        if std::mem::take(&mut self.buyers[buyer].unreported_priority) {
            let ranked = TraceEvent::new("buyer.ranked").with("buyer", id.clone());
            self.send(ranked.with("priority", TraceField::Whole(VIP)))?;
        }
        let urgent = self.sometimes(self.script.habits.urgent);
        let question = match visit.entry {
            SampleEntry::Live { asks: true } => visit.topic.question(),
            SampleEntry::Live { asks: false }
            | SampleEntry::Product
            | SampleEntry::Order
            | SampleEntry::Message
            | SampleEntry::Elsewhere => None,
        };
        self.send_in_chat("session.opened", chat, |opened| {
            opened
                .with("buyer", id)
                .with_some("entry", visit.entry.name())
                .with_some("question", question)
                .with_some("order_status", known_status(visit))
                .with_some("bot", visit.bot.then_some(TraceField::Flag(true)))
                .with_some("priority", urgent.then_some(TraceField::Whole(URGENT)))
        })
    }

    /// A buyer who has been here and is not here now, or a new one.
    fn choose_buyer(&mut self) -> usize {
        if self.rng.chance(RETURNING) {
            for _ in 0..4 {
                let known = self.buyers.len() as u64;
                let back = 1 + self.rng.below(known.min(REGULARS_MAX));
                if let Some(buyer) = known.checked_sub(back).map(|buyer| buyer as usize)
                    && !self.buyers[buyer].busy
                    && !self.buyers[buyer].blocked
                {
                    return buyer;
                }
            }
        }
        let unreported_priority = self.sometimes(self.script.habits.vips);
        self.buyers.push(SampleBuyer {
            id: format!("买家{:04}", self.buyers.len() + 1),
            busy: false,
            flagged: false,
            unreported_priority,
            blocked: false,
        });
        self.buyers.len() - 1
    }

    /// The buyer writes.
    pub(super) fn say(&mut self, chat: ChatNumber, plan: u32) -> io::Result<()> {
        let record = &mut self.chats[chat];
        if !record.follows(plan) {
            return Ok(());
        }
        let words = record.visit.topic.words();
        let ends = record.opened && record.turns_left == 0;
        let text = if ends {
            record.thanked = true;
            self.rng.pick(&THANKS)
        } else if record.opened {
            record.turns_left -= 1;
            self.rng.pick(words.questions)
        } else {
            record.opened = true;
            record.turns_left -= 1;
            self.rng.pick(words.openings)
        };
        let sending = match ends {
            true => None,
            false => self.rng.weighted(&[
                (88, None),
                (5, Some("image")),
                (4, Some("product_card")),
                (3, Some("order_card")),
            ]),
        };
        self.buyer_writes(chat, sending, text)?;
        if ends && self.rng.chance(10) {
            self.plan((2, 6), ScheduledStep::End(chat, plan, EndedBy::Buyer));
        }
        Ok(())
    }

    /// One message of the buyer, and what it waits for then.
    fn buyer_writes(
        &mut self,
        chat: ChatNumber,
        sending: Option<&'static str>,
        text: &'static str,
    ) -> io::Result<()> {
        self.send_in_chat("buyer.message", chat, |message| match sending {
            Some(kind) => message.with("kind", kind),
            None => message.with("text", text),
        })?;
        let record = &mut self.chats[chat];
        let plan = record.plan;
        match record.with {
            ChatPlace::Bot => {
                self.plan((1, 4), ScheduledStep::BotSay(chat));
                return Ok(());
            }
            ChatPlace::Agent(agent) => {
                record.unanswered.get_or_insert(self.now);
                self.wait_for_answer(chat, agent);
            }
            ChatPlace::Queue(_) => {
                record.unanswered.get_or_insert(self.now);
            }
            ChatPlace::Nobody | ChatPlace::Closed => return Ok(()),
        }
        if self.chats[chat].nudges < 2 {
            self.plan((75, 240), ScheduledStep::Nudge(chat, plan));
        } else if self.rng.chance(40) {
            self.plan((30, 120), ScheduledStep::End(chat, plan, EndedBy::Buyer));
        }
        Ok(())
    }

    /// The buyer asks whether an agent is there.
    pub(super) fn nudge(&mut self, chat: ChatNumber, plan: u32) -> io::Result<()> {
        let record = &mut self.chats[chat];
        if !record.follows(plan) || record.unanswered.is_none() || self.rng.chance(35) {
            return Ok(());
        }
        record.nudges += 1;
        let text = self.rng.pick(&NUDGES);
        self.buyer_writes(chat, None, text)
    }

    /// The bot answers.
    pub(super) fn bot_say(&mut self, chat: ChatNumber) -> io::Result<()> {
        if self.chats[chat].with != ChatPlace::Bot {
            return Ok(());
        }
        let text = self.rng.pick(&BOT);
        self.send_in_chat("bot.message", chat, |message| message.with("text", text))?;
        let record = &mut self.chats[chat];
        let (plan, more) = (record.replan(), record.turns_left > 0);
        if self.rng.chance(55) {
            self.plan((4, 20), ScheduledStep::HandOff(chat, plan));
        } else if more {
            self.plan((5, 40), ScheduledStep::Say(chat, plan));
        } else if self.rng.chance(40) {
            self.plan((10, 60), ScheduledStep::End(chat, plan, EndedBy::Buyer));
        }
        Ok(())
    }

    /// The bot hands the buyer over to the agents.
    pub(super) fn hand_off(&mut self, chat: ChatNumber, plan: u32) -> io::Result<()> {
        let record = &mut self.chats[chat];
        if !record.follows(plan) || record.with != ChatPlace::Bot {
            return Ok(());
        }
        record.unanswered = Some(self.now);
        let visit = record.visit;
        let question = visit.topic.question().filter(|_| self.rng.chance(60));
        self.send_in_chat("session.handoff", chat, |given| {
            given
                .with_some("question", question)
                .with_some("order_status", visit.topic.order_status())
        })
    }

    /// The buyer has waited long enough in the queue.
    pub(super) fn give_up(&mut self, chat: ChatNumber, waits: u32) -> io::Result<()> {
        let record = &self.chats[chat];
        match record.with {
            ChatPlace::Queue(_) if record.waits == waits && !record.left_page => {
                let plan = record.plan;
                if self.script.habits.leaves_page {
                    self.leave_page(chat)
                } else {
                    self.end(chat, plan, EndedBy::Buyer)
                }
            }
            ChatPlace::Nobody
            | ChatPlace::Bot
            | ChatPlace::Queue(_)
            | ChatPlace::Agent(_)
            | ChatPlace::Closed => Ok(()),
        }
    }

    /// The buyer closes the page, and some open it again before their place in the queue is gone.
    fn leave_page(&mut self, chat: ChatNumber) -> io::Result<()> {
        let record = &mut self.chats[chat];
        record.left_page = true;
        let plan = record.replan();
        if self.rng.chance(RETURNS_TO_PAGE) {
            self.plan((15, 100), ScheduledStep::Return(chat, plan));
        }
        self.send_in_chat("buyer.left", chat, |left| left)
    }

    /// The buyer opens the page again, and waits on.
    pub(super) fn return_to_page(&mut self, chat: ChatNumber, plan: u32) -> io::Result<()> {
        let record = &mut self.chats[chat];
        if !record.follows(plan) {
            return Ok(());
        }
        record.left_page = false;
        let waits = record.waits;
        self.plan((5, 30), ScheduledStep::Nudge(chat, plan));
        self.plan((120, 600), ScheduledStep::GiveUp(chat, waits));
        self.send_in_chat("buyer.returned", chat, |returned| returned)
    }

    /// A card has come.
    pub(super) fn invited(&mut self, chat: ChatNumber, card: &str) {
        if self.rng.chance(OPENS) {
            self.plan(
                (8, 240),
                ScheduledStep::OpenCard(chat, Some(card.to_owned())),
            );
        } else if self.rng.chance(25) {
            self.plan((8, 240), ScheduledStep::Rate(chat, Some(card.to_owned())));
        }
    }

    /// The chat is over: few buyers rate it by themselves, and more of those who were treated badly.
    pub(super) fn rate_uninvited(&mut self, chat: ChatNumber) {
        let treated_rudely = self.chats[chat].treated_rudely;
        if self.rng.chance(if treated_rudely { 30 } else { 4 }) {
            self.plan((10, 200), ScheduledStep::OpenCard(chat, None));
        } else if self.rng.chance(2) {
            self.plan((10, 200), ScheduledStep::Rate(chat, None));
        }
    }

    /// The buyer opens a card: the invited one, or by itself. Some then do not rate, and some rate twice.
    pub(super) fn open_card(&mut self, chat: ChatNumber, card: Option<String>) -> io::Result<()> {
        let invited = card.clone();
        self.send_in_chat("rating.opened", chat, |opened| {
            opened.with_some("card", invited)
        })?;
        if self.rng.chance(84) {
            self.plan((5, 40), ScheduledStep::Rate(chat, card.clone()));
        }
        if card.is_some() && self.rng.chance(4) {
            self.plan((41, 90), ScheduledStep::Rate(chat, card));
        }
        Ok(())
    }

    /// The buyer rates.
    pub(super) fn rate(&mut self, chat: ChatNumber, card: Option<String>) -> io::Result<()> {
        let record = &self.chats[chat];
        let session = match card {
            Some(_) => None,
            None => Some(record.id.clone()),
        };
        let rating = SampleRating::draw(&mut self.rng, record);
        let submitted = TraceEvent::new("rating.submitted")
            .with_some("card", card)
            .with_some("session", session);
        let submitted = match rating.level {
            Some(level) => submitted.with("level", level),
            None => submitted.with("stars", TraceField::Whole(rating.stars)),
        };
        let reasons = (!rating.reasons.is_empty()).then_some(TraceField::List(rating.reasons));
        self.send(
            submitted
                .with_some("reasons", reasons)
                .with_some("comment", rating.comment),
        )
    }

    /// The platform flags the buyer.
    pub(super) fn flag(&mut self, chat: ChatNumber) -> io::Result<()> {
        let buyer = &mut self.buyers[self.chats[chat].buyer];
        buyer.flagged = true;
        let id = buyer.id.clone();
        let flagged = TraceEvent::new("buyer.flagged").with("buyer", id);
        self.send(flagged.with("risk", TraceField::Flag(true)))
    }

    /// The shop blocks a buyer who still chats. Later the buyer comes again.
    pub(super) fn block(&mut self, chat: ChatNumber) -> io::Result<()> {
        let record = &self.chats[chat];
        if record.with == ChatPlace::Closed {
            return Ok(());
        }
        let buyer = &mut self.buyers[record.buyer];
        buyer.blocked = true;
        let id = buyer.id.clone();
        self.plan((150, 600), ScheduledStep::ComeAgain(chat));
        let blocked = TraceEvent::new("buyer.blocked").with("buyer", id);
        let blocked = blocked.with("blocked", TraceField::Flag(true));
        let until = self.now.after(BLOCKED_S).stamp().to_string();
        self.send(blocked.with("until", until))
    }
}

/// The bot knows the order only after it has asked.
fn known_status(visit: BuyerVisit) -> Option<&'static str> {
    visit.topic.order_status().filter(|_| !visit.bot)
}
