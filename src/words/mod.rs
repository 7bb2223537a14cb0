//! Words for people: reasons and summaries as a seller reads them, in Chinese and English.
//!
//! Names [`crate::domain`] only. What the wire language says to machines is in [`crate::wire`].

/// A language that people are spoken to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文.
    Chinese,
    /// English.
    English,
}
