//! The structure of a policy as data: every key with its shape, its default and its documentation in two languages.
//!
//! The OpenAPI schema, the comments of `data/presets/standard.toml` and the lists in messages are generated from it.

use serde_json::Value;

/// An object of a policy and its keys.
pub struct ObjectTable {
    /// The name of its type in the OpenAPI description.
    pub name: &'static str,
    /// The English documentation.
    pub english: &'static str,
    /// The Chinese documentation.
    pub chinese: &'static str,
    /// The keys, in the order in which they are read and written.
    pub keys: &'static [PolicyKey],
}

/// One key of a policy.
pub struct PolicyKey {
    /// The key.
    pub name: &'static str,
    /// The shape of its value.
    pub shape: Shape,
    /// The English documentation.
    pub english: &'static str,
    /// The Chinese documentation.
    pub chinese: &'static str,
    /// The value in the standard preset.
    pub default: fn() -> Option<Value>,
}

/// The words of a choice.
pub struct ChoiceTable {
    /// The name of its type in the OpenAPI description.
    pub name: &'static str,
    /// The English documentation.
    pub english: &'static str,
    /// The words.
    pub words: &'static [&'static str],
}

/// The shape of a value in JSON.
#[derive(Clone, Copy)]
pub enum Shape {
    /// `true` or `false`.
    Flag,
    /// A string, with an example.
    Text {
        /// `None` if any string is valid.
        example: Option<&'static str>,
    },
    /// A duration, such as `"1h 30m"`.
    Duration,
    /// A whole number from 0.
    Whole {
        /// The maximum.
        max: u32,
    },
    /// A number from 0, with decimals.
    Decimal {
        /// The maximum.
        max: u32,
    },
    /// One of a few words.
    Choice(&'static ChoiceTable),
    /// An agent's id, `group:NAME` or `role:NAME`.
    Member,
    /// An object with these keys.
    Object(&'static ObjectTable),
    /// An object whose keys are names.
    Map(&'static Shape),
    /// An array.
    List(&'static Shape),
}

impl ObjectTable {
    /// The key with this name.
    pub fn key(&self, name: &str) -> Option<&'static PolicyKey> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl PolicyKey {
    /// The value in the standard preset.
    pub fn default_value(&self) -> Option<Value> {
        (self.default)()
    }
}
