//! The parts of a policy during parsing: an object, its path, and its keys one by one.

use super::Member;
use crate::model::value::{Ms, decimal, duration, is_id, whole};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const COUNT_MAX: i64 = 1_000_000;

/// The path of a bad key.
pub type BadKey = String;

/// An object of the policy and where it is.
pub struct Node<'a> {
    pub map: &'a Map<String, Value>,
    pub path: String,
}

impl<'a> Node<'a> {
    pub fn path_of(&self, key: &str) -> BadKey {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    pub fn only(&self, known: &[&str]) -> Result<(), BadKey> {
        match self.map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(unknown) => Err(self.path_of(unknown)),
            None => Ok(()),
        }
    }

    pub fn value<T>(&self, key: &str, read: impl Fn(&Value) -> Option<T>) -> Result<T, BadKey> {
        self.map
            .get(key)
            .and_then(read)
            .ok_or_else(|| self.path_of(key))
    }

    pub fn object(&self, key: &str) -> Result<Node<'a>, BadKey> {
        let map = self
            .map
            .get(key)
            .and_then(Value::as_object)
            .ok_or_else(|| self.path_of(key))?;
        Ok(Node {
            map,
            path: self.path_of(key),
        })
    }

    /// The objects of a map by their names, which are ids.
    pub fn objects(&self) -> Result<Vec<(String, Node<'a>)>, BadKey> {
        self.map
            .keys()
            .map(|name| Ok((self.name(name)?, self.object(name)?)))
            .collect()
    }

    pub fn name(&self, name: &str) -> Result<String, BadKey> {
        if is_id(name) {
            Ok(name.to_owned())
        } else {
            Err(self.path_of(name))
        }
    }

    pub fn flag(&self, key: &str) -> Result<bool, BadKey> {
        self.value(key, Value::as_bool)
    }

    pub fn text(&self, key: &str) -> Result<String, BadKey> {
        self.value(key, |value| value.as_str().map(str::to_owned))
    }

    pub fn duration(&self, key: &str) -> Result<Ms, BadKey> {
        self.value(key, |value| duration(value.as_str()?))
    }

    pub fn some_duration(&self, key: &str) -> Result<Ms, BadKey> {
        self.value(key, |value| {
            duration(value.as_str()?).filter(|length| *length > 0)
        })
    }

    pub fn count(&self, key: &str) -> Result<u64, BadKey> {
        let in_range = |value: &Value| whole(value).filter(|count| (0..=COUNT_MAX).contains(count));
        self.value(key, |value| in_range(value)?.try_into().ok())
    }

    /// A number from 0 to `most` of at most `places` decimals.
    pub fn decimal(&self, key: &str, places: u32, most: u64) -> Result<u64, BadKey> {
        let range = 0..=most * 10_u64.pow(places);
        let scaled = |value: &Value| u64::try_from(decimal(value, places)?).ok();
        self.value(key, |value| {
            scaled(value).filter(|number| range.contains(number))
        })
    }

    pub fn one_of<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<T, BadKey> {
        let chosen = |text: &str| {
            choices
                .iter()
                .find(|(name, _)| *name == text)
                .map(|choice| choice.1)
        };
        self.value(key, |value| chosen(value.as_str()?))
    }

    pub fn members(&self, key: &str, groups: Groups) -> Result<Vec<Member>, BadKey> {
        self.value(key, |value| {
            value
                .as_array()?
                .iter()
                .map(|item| member(item, groups))
                .collect()
        })
    }

    /// A map of lists, without those that are empty.
    pub fn lists(&self, groups: Groups) -> Result<BTreeMap<String, Vec<Member>>, BadKey> {
        let mut lists = BTreeMap::new();
        for name in self.map.keys() {
            let members = self.members(&self.name(name)?, groups)?;
            if !members.is_empty() {
                lists.insert(name.clone(), members);
            }
        }
        Ok(lists)
    }
}

/// The groups that a list may name: none of them within a group.
pub type Groups<'a> = Option<&'a Map<String, Value>>;

fn member(item: &Value, groups: Groups) -> Option<Member> {
    let text = item.as_str()?;
    if let Some(group) = text.strip_prefix("group:") {
        return groups?
            .contains_key(group)
            .then(|| Member::Group(group.to_owned()));
    }
    match text.strip_prefix("role:") {
        Some(role) => is_id(role).then(|| Member::Role(role.to_owned())),
        None => is_id(text).then(|| Member::Agent(text.to_owned())),
    }
}
