//! Values of fields, with exactly the types that the wire language tells apart.

use std::borrow::Cow;

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Counts as left out.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction or exponent, not negative.
    Whole(u64),
    /// Any other number.
    Number,
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Value<'a>>),
    /// An object: only a policy is one, and that is read as JSON.
    Object(Box<serde_json::Value>),
    /// Well-formed JSON past what numbers or nesting can hold.
    Strange,
}

impl Value<'_> {
    /// Whether it counts as left out.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text of a string.
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }
}

/// A field's name and value.
pub type Field<'a> = (Cow<'a, str>, Value<'a>);
