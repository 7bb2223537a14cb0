//! Ratings of buyers: who opens a card, who rates, how well and why.

use std::io::{self, Write};

use super::chat_state::Chat;
use super::event_queue::{ChatNumber, ScheduledStep};
use super::gateway::{Happening, TraceField};
use super::simulation::Simulation;

/// The percentage of invited buyers who open the card.
const OPENS: u64 = 60;

/// Stars of a buyer who was served well.
const PLEASED: [(u64, u64); 5] = [(75, 5), (18, 4), (4, 3), (1, 2), (2, 1)];

/// Stars of a buyer who had to wait.
const KEPT_WAITING: [(u64, u64); 5] = [(36, 5), (20, 4), (18, 3), (10, 2), (16, 1)];

/// Stars of a buyer to whom an agent was rude.
const SNUBBED: [(u64, u64); 5] = [(10, 5), (10, 4), (22, 3), (24, 2), (34, 1)];

const PRAISE: [&str; 4] = ["很耐心", "回复快", "专业", "客服小姐姐很好"];

impl<W: Write> Simulation<W> {
    /// A card has come.
    pub(super) fn invited(&mut self, chat: ChatNumber, card: &str) {
        if self.luck.chance(OPENS) {
            self.plan(
                (8, 240),
                ScheduledStep::OpenCard(chat, Some(card.to_owned())),
            );
        } else if self.luck.chance(25) {
            self.plan((8, 240), ScheduledStep::Rate(chat, Some(card.to_owned())));
        }
    }

    /// The chat is over: few buyers rate it by themselves, and more of those who were treated badly.
    pub(super) fn look_back(&mut self, chat: ChatNumber) {
        let snubbed = self.chats[chat].snubbed;
        if self.luck.chance(if snubbed { 30 } else { 4 }) {
            self.plan((10, 200), ScheduledStep::OpenCard(chat, None));
        } else if self.luck.chance(2) {
            self.plan((10, 200), ScheduledStep::Rate(chat, None));
        }
    }

    /// The buyer opens a card: the invited one, or by itself. Some then do not rate, and some rate twice.
    pub(super) fn open_card(&mut self, chat: ChatNumber, card: Option<String>) -> io::Result<()> {
        let invited = card.clone();
        self.tell_in("rating.opened", chat, |opened| {
            opened.with_some("card", invited)
        })?;
        if self.luck.chance(84) {
            self.plan((5, 40), ScheduledStep::Rate(chat, card.clone()));
        }
        if card.is_some() && self.luck.chance(4) {
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
        let stars = self.luck.weighted(stars_of(record));
        let (snubbed, waited_long) = (record.snubbed, record.waited_long);
        let reasons: &[&str] = match stars {
            4.. if self.luck.chance(25) => &["professional"],
            4.. => &[],
            _ if snubbed && waited_long => &["attitude", "slow"],
            _ if snubbed => &["attitude"],
            _ if waited_long => &["slow"],
            _ if self.luck.chance(50) => &["unsolved"],
            _ => &[],
        };
        let comment = match stars {
            5 if self.luck.chance(20) => Some(self.luck.pick(&PRAISE)),
            ..=2 if snubbed => Some("态度太差了"),
            ..=2 if waited_long => Some("半天不回"),
            _ => None,
        };
        let submitted = Happening::new("rating.submitted")
            .with_some("card", card)
            .with_some("session", session);
        let submitted = match level(stars).filter(|_| self.luck.chance(20)) {
            Some(level) => submitted.with("level", level),
            None => submitted.with("stars", TraceField::Whole(stars)),
        };
        let reasons = (!reasons.is_empty()).then_some(TraceField::List(reasons));
        self.tell(
            submitted
                .with_some("reasons", reasons)
                .with_some("comment", comment),
        )
    }
}

fn stars_of(chat: &Chat) -> &'static [(u64, u64)] {
    if chat.snubbed {
        &SNUBBED
    } else if chat.waited_long {
        &KEPT_WAITING
    } else {
        &PLEASED
    }
}

/// The level that matches these stars, where there is one.
fn level(stars: u64) -> Option<&'static str> {
    match stars {
        5 => Some("satisfied"),
        3 => Some("neutral"),
        1 => Some("disappointed"),
        _ => None,
    }
}
