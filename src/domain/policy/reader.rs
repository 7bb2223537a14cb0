//! A reader of JSON that knows where it is and goes on after a fault: all that is wrong is noted with its path.
//!
//! Why no `Deserialize` with `serde_path_to_error`: that stops at the first fault, gives sentences in one language, and
//! cannot lay an object over another. Here a key that cannot be read is noted and is `None`, and its neighbours are read
//! all the same.
//!
//! `null` is left out everywhere but in arrays. A path goes by the keys, names in maps included, and ends at an array's
//! key (contract, section 1).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::problem::{PolicyError, Wording};
use super::shape::{ObjectTable, Shape};
use crate::domain::base::id::{ID_BYTES_MAX, Id};
use crate::domain::base::suggestion::nearest;

/// A longer key is not quoted whole.
const QUOTED_CHARS_MAX: usize = 40;

/// How the value of a key is read, written and described.
pub trait KeyKind {
    /// What is read.
    type Value;

    /// What it looks like in the wire form.
    const SHAPE: Shape;

    /// Reads it; nothing where it is wrong, which is then noted.
    fn read(spot: Spot<'_>) -> Option<Self::Value>;

    /// Writes it as it can be read again.
    fn write<S: Serializer>(value: &Self::Value, to: S) -> Result<S::Ok, S::Error>;

    /// The value of a key that neither a policy nor its preset has, where its row names none.
    fn when_left_out() -> Option<Value> {
        None
    }
}

/// A value as its kind writes it.
pub struct Rendered<'a, K: KeyKind>(pub &'a K::Value);

impl<K: KeyKind> Serialize for Rendered<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        K::write(self.0, serializer)
    }
}

/// What one reading of a policy has found so far.
#[derive(Default)]
pub struct Reading {
    error: PolicyError,
    /// The names of `routing.groups`; none where those cannot be read.
    groups: Option<BTreeSet<Id>>,
}

/// Where a value stands; written out only for a problem.
#[derive(Clone, Copy)]
struct KeyPath<'a> {
    above: Option<&'a KeyPath<'a>>,
    key: &'a str,
    in_array: bool,
}

/// A value, what it is laid over, and where it stands.
#[derive(Clone, Copy)]
pub struct Spot<'a> {
    path: KeyPath<'a>,
    /// The nearest first; never empty.
    values: &'a [&'a Value],
    reading: &'a RefCell<Reading>,
}

/// An object, what it is laid over, and the keys that it may have.
pub struct ObjectReader<'a> {
    path: KeyPath<'a>,
    layers: Vec<&'a Map<String, Value>>,
    table: &'static ObjectTable,
    reading: &'a RefCell<Reading>,
}

/// Reads a whole policy: the objects of `layers`, each laid over those that follow it.
pub fn read_layers<K: KeyKind>(layers: &[&Value]) -> Result<K::Value, PolicyError> {
    let reading = RefCell::default();
    let read = K::read(Spot {
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
    /// Reads a value as an object: `keys` reads the keys of the table, and others are noted.
    pub fn whole<T>(
        spot: Spot<'a>,
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

    /// Reads a key of the table, from the nearest layer that has a value, or its default.
    pub fn read<K: KeyKind>(&self, key: &str) -> Option<K::Value> {
        let values = self.layers.iter().filter_map(|layer| layer.get(key));
        let mut values: Vec<&Value> = values.filter(|value| !value.is_null()).collect();
        let default = values
            .is_empty()
            .then(|| self.table.key(key)?.default_value());
        let default = default.flatten();
        values.extend(&default);
        let path = self.path.below(key);
        let spot = Spot {
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

    /// Reads a key once more and notes nothing, for a rule between keys.
    pub fn peek<K: KeyKind>(&self, key: &str) -> Option<K::Value> {
        let aside = ObjectReader {
            layers: self.layers.clone(),
            reading: &RefCell::default(),
            ..*self
        };
        aside.read::<K>(key)
    }

    /// Notes that something is wrong with the value of a key.
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

    /// What an unknown key was perhaps meant to be: the nearest known one, or all where none is near.
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

impl<'a> Spot<'a> {
    /// The nearest value.
    pub fn value(&self) -> &'a Value {
        self.values.first().copied().unwrap_or(&Value::Null)
    }

    /// Notes that the value is wrong.
    pub fn wrong<T>(&self, expected: impl Into<Wording>) -> Option<T> {
        let path = self.path.text();
        self.reading.borrow_mut().error.add(path, expected);
        None
    }

    /// The value where it is a string; else what is `expected` is noted.
    pub fn str(&self, expected: (&str, &str)) -> Option<&'a str> {
        let text = self.value().as_str();
        text.or_else(|| self.wrong(expected))
    }

    /// Reads the items of an array; a path ends here.
    pub fn list<T>(
        &self,
        expected: (&str, &str),
        read: impl Fn(Spot<'_>) -> Option<T>,
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
            read(Spot {
                path,
                values: &[item],
                ..*self
            })
        });
        all(items)
    }

    /// Reads a map, whose keys are names.
    pub fn map<T>(&self, read: impl Fn(Spot<'_>) -> Option<T>) -> Option<BTreeMap<Id, T>> {
        let Some(object) = self.value().as_object() else {
            return self.wrong(("must be an object", "必须是对象"));
        };
        let entries = object.iter().filter(|(_, value)| !value.is_null());
        let entries = self.until_full(entries).map(|(name, value)| {
            let spot = Spot {
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

    /// What is left is not looked at once no further problem would be listed.
    fn until_full<I: Iterator>(&self, items: I) -> impl Iterator<Item = I::Item> {
        items.take_while(|_| !self.reading.borrow_mut().error.stops())
    }

    /// The key under which the value stands.
    pub fn key(&self) -> &'a str {
        self.path.key
    }

    /// Says which groups there are, for the lists that name them.
    pub fn set_groups(&self, names: BTreeSet<Id>) {
        self.reading.borrow_mut().groups = Some(names);
    }

    /// Whether there is a group of this name, as far as is known.
    pub fn has_group(&self, name: &Id) -> bool {
        let reading = self.reading.borrow();
        let names = reading.groups.as_ref();
        names.is_none_or(|names| names.contains(name))
    }
}

/// All of them; nothing where one is missing. Each is read whatever became of those before it.
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
