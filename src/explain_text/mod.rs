//! Words for people: reasons and summaries as a seller reads them, in Chinese and English.
//!
//! Names [`crate::domain`] only. What the wire language says to machines is in [`crate::wire`]. Every phrase stands
//! here in both languages, side by side, so that neither is forgotten; every code of the domain is matched by name,
//! so that a new one does not compile without words.

mod phrase;
mod table;

// Why a decision was taken.
mod candidates;
mod causes;
mod evidence_json;
mod explanation;
mod invite;
mod other;
mod rating;
mod recent_agent;
mod rejection;
mod routing;
mod routing_steps;

// How a shop stands.
mod highlights;
mod summary;

pub use evidence_json::facts;
pub use explanation::{Both, both, explain};
pub use highlights::{Highlights, HighlightsAsked};
pub use summary::summary;

/// A language that people are spoken to in.
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
