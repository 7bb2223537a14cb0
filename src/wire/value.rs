//! Values of fields, with exactly the types that events distinguish.

use std::borrow::Cow;

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Counts as omitted.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A non-negative number without fraction or exponent.
    Whole(u64),
    /// Any other number.
    Number,
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Value<'a>>),
    /// An object. Only a policy is one, and it is parsed as JSON.
    Object(Box<serde_json::Value>),
    /// Valid JSON beyond the limits of numbers or nesting.
    Strange,
}

impl Value<'_> {
    /// Whether the field counts as omitted.
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
