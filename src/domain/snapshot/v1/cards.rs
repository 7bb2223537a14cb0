//! Rating cards, in form 1.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::instant;
use super::name::OfText;
use crate::domain::protocol::rating::Source;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::card::Card;

#[derive(Serialize, Deserialize)]
pub(super) struct CardV1 {
    agent: u32,
    source: SourceV1,
    made_ms: i64,
    used: bool,
}

/// Written as its code.
#[derive(Clone, Copy)]
enum SourceV1 {
    Buyer,
    Agent,
    Auto,
}

impl SourceV1 {
    fn word(self) -> &'static str {
        match self {
            SourceV1::Buyer => "buyer",
            SourceV1::Agent => "agent",
            SourceV1::Auto => "auto",
        }
    }
}

impl Serialize for SourceV1 {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for SourceV1 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<SourceV1, D::Error> {
        let all = [SourceV1::Buyer, SourceV1::Agent, SourceV1::Auto];
        let known = |word: &str| all.into_iter().find(|source| source.word() == word);
        from.deserialize_str(OfText(known, "an unknown code"))
    }
}

impl From<Card> for CardV1 {
    fn from(card: Card) -> CardV1 {
        let Card {
            agent,
            source,
            made,
            day: _,
            used,
        } = card;
        let source = match source {
            Source::Buyer => SourceV1::Buyer,
            Source::Agent => SourceV1::Agent,
            Source::Auto => SourceV1::Auto,
        };
        CardV1 {
            agent,
            source,
            made_ms: made.ms(),
            used,
        }
    }
}

impl TryFrom<CardV1> for Card {
    type Error = InvalidPart;
    fn try_from(read: CardV1) -> Result<Card, InvalidPart> {
        let source = match read.source {
            SourceV1::Buyer => Source::Buyer,
            SourceV1::Agent => Source::Agent,
            SourceV1::Auto => Source::Auto,
        };
        Ok(Card {
            agent: read.agent,
            source,
            made: instant(read.made_ms)?,
            day: None,
            used: read.used,
        })
    }
}
