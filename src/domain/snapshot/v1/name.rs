//! Ids and other text in form 1. An id has 1 to 160 bytes without control characters, the maximum of a card id.
//!
//! Text is borrowed from the input bytes, so a corrupt length allocates nothing.

use std::borrow::Cow;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::base::id::Id;

/// An id: borrowed for encoding, owned after decoding.
pub(super) struct NameV1<'a>(Cow<'a, Id>);

impl NameV1<'_> {
    /// The id.
    pub(super) fn id(self) -> Id {
        self.0.into_owned()
    }
}

impl<'a> From<&'a Id> for NameV1<'a> {
    fn from(id: &'a Id) -> NameV1<'a> {
        NameV1(Cow::Borrowed(id))
    }
}

impl Serialize for NameV1<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for NameV1<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let id = from.deserialize_str(OfText(Id::card, "text that is no id"))?;
        Ok(NameV1(Cow::Owned(id)))
    }
}

/// Text: borrowed for encoding, owned after decoding.
pub(super) struct TextV1<'a>(pub(super) Cow<'a, str>);

impl Serialize for TextV1<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TextV1<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let any = |text: &str| Some(text.to_owned());
        let text = from.deserialize_str(OfText(any, "no text"))?;
        Ok(TextV1(Cow::Owned(text)))
    }
}

/// Decodes text with a function. The message is the error if it returns nothing.
pub(super) struct OfText<F>(pub(super) F, pub(super) &'static str);

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for OfText<F> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::custom(self.1))
    }
}
