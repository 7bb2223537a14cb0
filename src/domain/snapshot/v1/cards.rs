//! Rating cards, in form 1.

use serde::{Deserialize, Deserializer};

use crate::domain::snapshot::stream::OfText;
use crate::domain::snapshot::v2::cards::{CardV2, SourceV2};

#[derive(Deserialize)]
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

impl<'de> Deserialize<'de> for SourceV1 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<SourceV1, D::Error> {
        let all = [SourceV1::Buyer, SourceV1::Agent, SourceV1::Auto];
        let known = |word: &str| all.into_iter().find(|source| source.word() == word);
        from.deserialize_str(OfText(known, "an unknown code"))
    }
}

impl From<CardV1> for CardV2 {
    /// The card is on no sheet: sheets begin with form 2.
    fn from(card: CardV1) -> CardV2 {
        CardV2 {
            agent: card.agent,
            source: match card.source {
                SourceV1::Buyer => SourceV2::Buyer,
                SourceV1::Agent => SourceV2::Agent,
                SourceV1::Auto => SourceV2::Auto,
            },
            made_ms: card.made_ms,
            day: None,
            used: card.used,
        }
    }
}
