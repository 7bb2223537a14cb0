//! A JSON reader that knows its path and continues after errors: every problem is recorded with its path.
//!
//! `Deserialize` with `serde_path_to_error` is not enough: it stops at the first error, reports in one language, and
//! cannot merge objects. Here an invalid key is recorded and read as `None`, and the keys next to it are still read.
//!
//! `null` means absent, except in arrays. A path consists of keys and map names, and ends at the key of an array
//! (contract, section 1).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::problem::{PolicyError, Wording};
use super::shape::{ObjectTable, Shape};
use crate::domain::base::id::{ID_BYTES_MAX, Id};
use crate::domain::base::suggestion::nearest;

/// The maximum number of characters of an unknown key that are quoted.
const QUOTED_CHARS_MAX: usize = 40;

/// How the value of a key is read, written and documented.
pub trait KeyKind {
    /// The Rust type of the value.
    type Value;

    /// The shape of the value in JSON.
    const SHAPE: Shape;

    /// Reads the value. `None` if it is invalid; the problem is then recorded.
    fn read(spot: ValueAt<'_>) -> Option<Self::Value>;

    /// Writes the value in the form that can be read.
    fn write<S: Serializer>(value: &Self::Value, to: S) -> Result<S::Ok, S::Error>;

    /// The default value of a key without a default in its row, if neither the policy nor its preset has it.
    fn when_left_out() -> Option<Value> {
        None
    }
}

/// Serializes a value by its kind.
pub struct Rendered<'a, K: KeyKind>(pub &'a K::Value);

impl<K: KeyKind> Serialize for Rendered<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        K::write(self.0, serializer)
    }
}

/// The state of reading one policy.
#[derive(Default)]
pub struct Reading {
    error: PolicyError,
    /// The names in `routing.groups`. `None` if they are invalid.
    groups: Option<BTreeSet<Id>>,
}

/// The path of a value. It becomes text only for a problem.
#[derive(Clone, Copy)]
struct KeyPath<'a> {
    above: Option<&'a KeyPath<'a>>,
    key: &'a str,
    in_array: bool,
}

/// A value, the layers below it, and its path.
#[derive(Clone, Copy)]
pub struct ValueAt<'a> {
    path: KeyPath<'a>,
    /// The values of all layers, the nearest first. Never empty.
    values: &'a [&'a Value],
    reading: &'a RefCell<Reading>,
}

/// An object, the layers below it, and its allowed keys.
pub struct ObjectReader<'a> {
    path: KeyPath<'a>,
    layers: Vec<&'a Map<String, Value>>,
    table: &'static ObjectTable,
    reading: &'a RefCell<Reading>,
}

/// Reads a whole policy. Each object of `layers` is merged over the following ones.
pub fn read_layers<K: KeyKind>(layers: &[&Value]) -> Result<K::Value, PolicyError> {
    let reading = RefCell::default();
    let read = K::read(ValueAt {
        path: KeyPath::ROOT,
        values: layers,
        reading: &reading,
    });
    let error = reading.into_inner().error;
    read.filter(|_| error.problems().is_empty()).ok_or(error)
}

impl<'a> KeyPath<'a> {
    const ROOT: KeyPath<'static> = KeyPath {
        above: None,
        key: "policy",
        in_array: false,
    };

    fn below<'b>(&'b self, key: &'b str) -> KeyPath<'b> {
        if self.in_array {
            return *self;
        }
        KeyPath {
            above: Some(self),
            key,
            in_array: false,
        }
    }

    fn text(&self) -> String {
        match self.above {
            Some(above) if above.above.is_some() => format!("{}.{}", above.text(), self.key),
            Some(_) | None => self.key.to_owned(),
        }
    }
}

impl<'a> ObjectReader<'a> {
    /// Reads a value as an object: `keys` reads the known keys, and unknown keys are recorded.
    pub fn whole<T>(
        spot: ValueAt<'a>,
        table: &'static ObjectTable,
        keys: impl FnOnce(&ObjectReader<'a>) -> Option<T>,
    ) -> Option<T> {
        let object = |value: &&'a Value| value.as_object();
        let layers: Option<Vec<_>> = spot.values.iter().map(object).collect();
        let Some(layers) = layers else {
            return spot.wrong(("must be an object", "必须是对象"));
        };
        let at = ObjectReader {
            path: spot.path,
            layers,
            table,
            reading: spot.reading,
        };
        let read = keys(&at);
        at.note_unknown_keys();
        read
    }

    /// Reads a key from the nearest layer that has it, or its default.
    pub fn read<K: KeyKind>(&self, key: &str) -> Option<K::Value> {
        let values = self.layers.iter().filter_map(|layer| layer.get(key));
        let mut values: Vec<&Value> = values.filter(|value| !value.is_null()).collect();
        let default = values
            .is_empty()
            .then(|| self.table.key(key)?.default_value());
        let default = default.flatten();
        values.extend(&default);
        let path = self.path.below(key);
        let spot = ValueAt {
            path,
            values: &values,
            reading: self.reading,
        };
        match (values.is_empty(), path.in_array) {
            (false, _) => K::read(spot),
            (true, false) => spot.wrong(("must have a value", "必须有值")),
            (true, true) => spot.wrong((
                format!("must hold objects that have {key:?}"),
                format!("其中每个对象必须有 {key:?}"),
            )),
        }
    }

    /// Reads a key again without recording problems, for rules that relate several keys.
    pub fn peek<K: KeyKind>(&self, key: &str) -> Option<K::Value> {
        let aside = ObjectReader {
            layers: self.layers.clone(),
            reading: &RefCell::default(),
            ..*self
        };
        aside.read::<K>(key)
    }

    /// Records a problem with the value of a key.
    pub fn note(&self, key: &str, expected: impl Into<Wording>) {
        let path = self.path.below(key).text();
        self.reading.borrow_mut().error.add(path, expected);
    }

    fn note_unknown_keys(&self) {
        let keys = self.layers.iter().flat_map(|layer| layer.iter());
        let unknown = keys.filter(|(key, value)| !value.is_null() && self.table.key(key).is_none());
        for (key, _) in unknown {
            if self.reading.borrow_mut().error.stops() {
                return;
            }
            self.note(key, self.instead_of(key));
        }
    }

    /// A suggestion for an unknown key: the nearest known one, or all if none is near.
    fn instead_of(&self, unknown: &str) -> Wording {
        let quoted: String = unknown.chars().take(QUOTED_CHARS_MAX).collect();
        let known = || self.table.keys.iter().map(|key| key.name);
        match nearest(unknown, known()) {
            Some(known) => Wording::from((
                format!("{quoted:?} is no known key, perhaps {known:?} was meant"),
                format!("没有 {quoted:?} 这个键，是否想写 {known:?}"),
            )),
            None => {
                let all: Vec<&str> = known().collect();
                Wording::from((
                    format!("{quoted:?} is no known key, there are {}", all.join(", ")),
                    format!("没有 {quoted:?} 这个键，可用的有 {}", all.join("、")),
                ))
            }
        }
    }
}

impl<'a> ValueAt<'a> {
    /// The value of the nearest layer.
    pub fn value(&self) -> &'a Value {
        self.values.first().copied().unwrap_or(&Value::Null)
    }

    /// Records that the value is invalid.
    pub fn wrong<T>(&self, expected: impl Into<Wording>) -> Option<T> {
        let path = self.path.text();
        self.reading.borrow_mut().error.add(path, expected);
        None
    }

    /// The value as a string. If it is not a string, records `expected`.
    pub fn str(&self, expected: (&str, &str)) -> Option<&'a str> {
        let text = self.value().as_str();
        text.or_else(|| self.wrong(expected))
    }

    /// Reads the items of an array. The path ends here.
    pub fn list<T>(
        &self,
        expected: (&str, &str),
        read: impl Fn(ValueAt<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(items) = self.value().as_array() else {
            return self.wrong(expected);
        };
        let path = KeyPath {
            in_array: true,
            ..self.path
        };
        let items = self.until_full(items.iter());
        let items = items.map(|item| {
            read(ValueAt {
                path,
                values: &[item],
                ..*self
            })
        });
        all(items)
    }

    /// Reads a map whose keys are names.
    pub fn map<T>(&self, read: impl Fn(ValueAt<'_>) -> Option<T>) -> Option<BTreeMap<Id, T>> {
        let Some(object) = self.value().as_object() else {
            return self.wrong(("must be an object", "必须是对象"));
        };
        let entries = object.iter().filter(|(_, value)| !value.is_null());
        let entries = self.until_full(entries).map(|(name, value)| {
            let spot = ValueAt {
                path: self.path.below(name),
                values: &[value],
                ..*self
            };
            let Some(id) = Id::new(name) else {
                return spot.wrong((
                    format!(
                        "its name must have 1 to {ID_BYTES_MAX} bytes and no control characters"
                    ),
                    format!("名称必须为 1 到 {ID_BYTES_MAX} 字节，且不含控制字符"),
                ));
            };
            Some((id, read(spot)?))
        });
        Some(all(entries)?.into_iter().collect())
    }

    /// Stops when the list of problems is full.
    fn until_full<I: Iterator>(&self, items: I) -> impl Iterator<Item = I::Item> {
        items.take_while(|_| !self.reading.borrow_mut().error.stops())
    }

    /// The key of the value.
    pub fn key(&self) -> &'a str {
        self.path.key
    }

    /// Sets the names of the groups, for the lists that use them.
    pub fn set_groups(&self, names: BTreeSet<Id>) {
        self.reading.borrow_mut().groups = Some(names);
    }

    /// Whether a group with this name exists, as far as is known.
    pub fn has_group(&self, name: &Id) -> bool {
        let reading = self.reading.borrow();
        let names = reading.groups.as_ref();
        names.is_none_or(|names| names.contains(name))
    }
}

/// All items, or `None` if one is invalid. All items are read in any case, to record their problems.
fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let mut all = Some(Vec::with_capacity(items.size_hint().1.unwrap_or(0)));
    for item in items {
        match (&mut all, item) {
            (Some(all), Some(item)) => all.push(item),
            (_, None) => all = None,
            (None, Some(_)) => {}
        }
    }
    all
}
