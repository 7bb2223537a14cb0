//! Ids and other text in form 2. An id has 1 to 160 bytes without control characters, the maximum of a card id.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::base::id::Id;
use crate::domain::snapshot::stream::OfText;

/// An id: borrowed for encoding, owned after decoding.
pub struct NameV2<'a>(pub Cow<'a, Id>);

impl NameV2<'_> {
    /// The id.
    pub fn id(self) -> Id {
        self.0.into_owned()
    }
}

impl<'a> From<&'a Id> for NameV2<'a> {
    fn from(id: &'a Id) -> NameV2<'a> {
        NameV2(Cow::Borrowed(id))
    }
}

impl Serialize for NameV2<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for NameV2<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let id = from.deserialize_str(OfText(Id::card, "text that is no id"))?;
        Ok(NameV2(Cow::Owned(id)))
    }
}

/// Text: borrowed for encoding, owned after decoding.
pub struct TextV2<'a>(pub Cow<'a, str>);

impl Serialize for TextV2<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TextV2<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let any = |text: &str| Some(text.to_owned());
        let text = from.deserialize_str(OfText(any, "no text"))?;
        Ok(TextV2(Cow::Owned(text)))
    }
}
