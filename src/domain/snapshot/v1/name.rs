//! Ids and other text in form 1. An id has 1 to 160 bytes without control characters, the maximum of a card id.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::base::id::Id;
use crate::domain::snapshot::stream::OfText;
use crate::domain::snapshot::v2::name::{NameV2, TextV2};

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

impl From<NameV1<'_>> for NameV2<'static> {
    fn from(name: NameV1<'_>) -> NameV2<'static> {
        NameV2(Cow::Owned(name.id()))
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

/// Text.
pub(super) struct TextV1(pub(super) String);

impl From<TextV1> for TextV2<'static> {
    fn from(text: TextV1) -> TextV2<'static> {
        TextV2(text.0.into())
    }
}

impl<'de> Deserialize<'de> for TextV1 {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let any = |text: &str| Some(text.to_owned());
        Ok(TextV1(from.deserialize_str(OfText(any, "no text"))?))
    }
}
