//! Texts for people: explanations and summaries for sellers, in Chinese and English.
//!
//! This module uses [`crate::domain`] only. Texts for machines are in [`crate::wire`]. Every phrase is here in both
//! languages, side by side, so that neither is forgotten. Every code of the domain is matched by name, so that a new
//! code does not compile without its text.

mod phrase;
mod table;

// Why a decision was made.
mod candidates;
mod causes;
mod evidence_json;
mod explanation;
mod hours;
mod invite;
mod rating;
mod recent_agent;
mod rejection;
mod reply_deadline;
mod routing;
mod routing_steps;
mod score;
mod session;
mod take_back;
mod waiting;

// The state of a shop.
mod notable_decisions;
mod shop_summary;

pub use evidence_json::facts;
pub use explanation::{BothLanguages, both, explain};
pub use notable_decisions::{Highlights, HighlightsAsked};
pub use shop_summary::summary;

/// A language of texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The one of two phrases that is in this language.
    pub fn say<T>(self, chinese: T, english: T) -> T {
        match self {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }
}
