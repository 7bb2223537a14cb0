//! Rating cards, in form 2.

use serde::{Deserialize, Serialize};

use super::instant;
use crate::domain::base::calendar::Day;
use crate::domain::protocol::rating::Source;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::card::Card;

#[derive(Serialize, Deserialize)]
pub struct CardV2 {
    pub agent: u32,
    pub source: SourceV2,
    pub made_ms: i64,
    pub day: Option<i32>,
    pub used: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum SourceV2 {
    Buyer,
    Agent,
    Auto,
}

impl From<Card> for CardV2 {
    fn from(card: Card) -> CardV2 {
        let Card {
            agent,
            source,
            made,
            day,
            used,
        } = card;
        let source = match source {
            Source::Buyer => SourceV2::Buyer,
            Source::Agent => SourceV2::Agent,
            Source::Auto => SourceV2::Auto,
        };
        CardV2 {
            agent,
            source,
            made_ms: made.ms(),
            day: day.map(|day| day.0),
            used,
        }
    }
}

impl TryFrom<CardV2> for Card {
    type Error = InvalidPart;
    fn try_from(read: CardV2) -> Result<Card, InvalidPart> {
        let source = match read.source {
            SourceV2::Buyer => Source::Buyer,
            SourceV2::Agent => Source::Agent,
            SourceV2::Auto => Source::Auto,
        };
        Ok(Card {
            agent: read.agent,
            source,
            made: instant(read.made_ms)?,
            day: read.day.map(Day),
            used: read.used,
        })
    }
}
