//! What a policy looks like, as data: every key with its shape, its default and its two lines of documentation.
//!
//! The description of the HTTP door, the comments of `data/presets/standard.toml` and the lists in messages are made of
//! it.

use serde_json::Value;

/// An object of a policy and its keys.
pub struct ObjectTable {
    /// What the description calls its type.
    pub name: &'static str,
    /// What it is for.
    pub english: &'static str,
    /// The same in Chinese.
    pub chinese: &'static str,
    /// Its keys, in the order in which they are read and written.
    pub keys: &'static [PolicyKey],
}

/// One key of a policy.
pub struct PolicyKey {
    /// The key.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// What it is for.
    pub english: &'static str,
    /// The same in Chinese.
    pub chinese: &'static str,
    /// The value of the standard preset.
    pub default: fn() -> Option<Value>,
}

/// The words of a choice.
pub struct ChoiceTable {
    /// What the description calls its type.
    pub name: &'static str,
    /// What is chosen.
    pub english: &'static str,
    /// The words.
    pub words: &'static [&'static str],
}

/// What a value looks like in the wire form.
#[derive(Clone, Copy)]
pub enum Shape {
    /// `true` or `false`.
    Flag,
    /// A string, and one that it may be.
    Text {
        /// Nothing where any string will do.
        example: Option<&'static str>,
    },
    /// `"1h 30m"`.
    Duration,
    /// A whole number from 0.
    Whole {
        /// The largest.
        max: u32,
    },
    /// A number from 0, with decimals.
    Decimal {
        /// The largest.
        max: u32,
    },
    /// A word of few.
    Choice(&'static ChoiceTable),
    /// An agent's id, `group:NAME` or `role:NAME`.
    Member,
    /// An object of these keys.
    Object(&'static ObjectTable),
    /// An object whose keys are names.
    Map(&'static Shape),
    /// An array.
    List(&'static Shape),
}

impl ObjectTable {
    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static PolicyKey> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl PolicyKey {
    /// The value of the standard preset.
    pub fn default_value(&self) -> Option<Value> {
        (self.default)()
    }
}
