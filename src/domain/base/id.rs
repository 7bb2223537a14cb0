//! Ids of shops, agents, sessions, buyers and events. They are compared byte by byte.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use compact_str::CompactString;

/// The maximum length of an id, in UTF-8 bytes (contract, section 1).
pub const ID_BYTES_MAX: usize = 128;

/// The maximum length of a card id, in UTF-8 bytes: a session's id, `#` and a number.
pub const CARD_ID_BYTES_MAX: usize = 160;

/// An id of 1 to 128 bytes without control characters. Up to 24 bytes are stored inline.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(CompactString);

impl Id {
    /// Parses an id. `None` if `text` is empty, longer than [`ID_BYTES_MAX`] or contains a control character.
    pub fn new(text: &str) -> Option<Id> {
        Id::within(text, ID_BYTES_MAX)
    }

    /// Like [`Id::new`] for a card, up to [`CARD_ID_BYTES_MAX`].
    pub fn card(text: &str) -> Option<Id> {
        Id::within(text, CARD_ID_BYTES_MAX)
    }

    fn within(text: &str, bytes_max: usize) -> Option<Id> {
        let fits = (1..=bytes_max).contains(&text.len());
        (fits && !has_control(text)).then(|| Id(CompactString::new(text)))
    }

    /// An id from a constant that is known to be valid.
    pub(crate) fn known(text: &'static str) -> Id {
        Id(CompactString::const_new(text))
    }

    /// `<id>#<number>`: the id of a session's card.
    pub(crate) fn numbered(id: &Id, number: usize) -> Id {
        Id(compact_str::format_compact!("{}#{number}", id.0))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Fast check: most ids are printable ASCII, so their bytes suffice.
fn has_control(text: &str) -> bool {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return false;
    }
    text.chars().any(char::is_control)
}

impl Deref for Id {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&Id> for Id {
    fn from(id: &Id) -> Id {
        id.clone()
    }
}

impl Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0.as_str(), f)
    }
}

impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl utoipa::PartialSchema for Id {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some(format!(
                "1 to {ID_BYTES_MAX} bytes without control characters; the id of a card has up to {CARD_ID_BYTES_MAX}."
            )))
            .min_length(Some(1))
            .into()
    }
}

impl utoipa::ToSchema for Id {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_1_to_128_bytes_without_control_characters() {
        let chinese = "小".repeat(42);
        for (text, good) in [
            ("a", true),
            ("", false),
            ("会话-1", true),
            ("a b", true),
            (&"x".repeat(128), true),
            (&"x".repeat(129), false),
            (&format!("{chinese}ab"), true),
            (&format!("{chinese}小"), false),
            ("a\nb", false),
            ("a\u{7f}", false),
            ("a\u{85}", false),
        ] {
            assert_eq!(Id::new(text).is_some(), good, "{text:?}");
        }
    }

    #[test]
    fn a_card_id_may_be_longer() {
        let card = format!("{}#12", "x".repeat(128));
        assert!(Id::card(&card).is_some());
        assert!(Id::new(&card).is_none());
        assert!(Id::card(&"x".repeat(161)).is_none());
    }
}
