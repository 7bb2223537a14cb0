//! A reader of JSON that knows where it is: objects laid over one another, and single values.
//!
//! It does not know which keys a policy has; whoever reads names them, and what was not asked for is an
//! unknown key. `null` is left out everywhere but in arrays. The path of an error goes by the keys, names
//! in maps included, and ends at an array's key (contract, section 1).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::render::Word;
use super::{COUNT_MAX, PolicyError};
use crate::domain::base::calendar::Zone;
use crate::domain::base::id::{ID_BYTES_MAX, Id};
use crate::domain::base::ratio::Share;
use crate::domain::base::time::{DURATION_DAYS_MAX, Duration};

/// What was read, or the one thing that is wrong.
pub(super) type Read<T> = Result<T, PolicyError>;

/// An unknown key longer than this is not compared with the known ones, nor quoted whole.
const QUOTED_CHARS_MAX: usize = 40;

/// Where a value stands; written out only for an error.
#[derive(Clone, Copy)]
struct Path<'a> {
    above: Option<&'a Path<'a>>,
    key: &'a str,
    in_array: bool,
}

/// A value and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Spot<'a> {
    path: Path<'a>,
    value: &'a Value,
}

/// An object, and what it is laid over.
pub(super) struct Object<'a> {
    path: Path<'a>,
    layers: Vec<&'a Map<String, Value>>,
    asked: Vec<&'static str>,
}

/// Reads a whole policy: the objects of `layers`, each laid over those that follow it.
pub(super) fn root<T>(layers: &[&Value], read: impl FnOnce(&mut Object<'_>) -> Read<T>) -> Read<T> {
    Object::over(Path::ROOT, layers, read)
}

impl<'a> Object<'a> {
    fn over<'l, T>(
        path: Path<'_>,
        layers: &[&'l Value],
        read: impl FnOnce(&mut Object<'_>) -> Read<T>,
    ) -> Read<T> {
        let object = |layer: &&'l Value| layer.as_object();
        let objects: Option<Vec<_>> = layers.iter().map(object).collect();
        let mut object = Object {
            path,
            layers: objects.ok_or_else(|| path.error("must be an object".to_owned()))?,
            asked: Vec::new(),
        };
        let read = read(&mut object)?;
        object.refuse_unknown()?;
        Ok(read)
    }

    /// The values that stand at a key, the nearest first.
    fn values(&mut self, key: &'static str) -> impl Iterator<Item = &'a Value> {
        self.asked.push(key);
        let values = self.layers.iter().filter_map(move |layer| layer.get(key));
        values.filter(|value| !value.is_null())
    }

    /// Reads the value of a key, where there is one.
    pub(super) fn read_if<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Spot<'_>) -> Read<T>,
    ) -> Read<Option<T>> {
        let Some(value) = self.values(key).next() else {
            return Ok(None);
        };
        let path = self.path.below(key);
        read(Spot { path, value }).map(Some)
    }

    /// Reads the value of a key that the policy or its preset must have.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Spot<'_>) -> Read<T>,
    ) -> Read<T> {
        let value = self.read_if(key, read)?;
        value.ok_or_else(|| self.error(key, "must have a value"))
    }

    /// Reads the object of a key, which merges key by key onto what it is laid over.
    pub(super) fn object<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Object<'_>) -> Read<T>,
    ) -> Read<T> {
        let layers: Vec<&Value> = self.values(key).collect();
        Object::over(self.path.below(key), &layers, read)
    }

    /// The error that something is wrong with the value of a key.
    pub(super) fn error(&self, key: &str, expected: &str) -> PolicyError {
        self.path.below(key).error(expected.to_owned())
    }

    fn refuse_unknown(&self) -> Read<()> {
        let unknown = |key: &&String| !self.asked.contains(&key.as_str());
        for layer in &self.layers {
            let keys = layer.iter().filter(|(_, value)| !value.is_null());
            if let Some(key) = keys.map(|(key, _)| key).find(unknown) {
                return Err(self.path.below(key).error(self.instead_of(key)));
            }
        }
        Ok(())
    }

    /// What an unknown key was perhaps meant to be: the nearest known one, or all where none is near.
    fn instead_of(&self, key: &str) -> String {
        let quoted: String = key.chars().take(QUOTED_CHARS_MAX).collect();
        let short = key.len() <= 4 * QUOTED_CHARS_MAX;
        let known = self.asked.iter().filter(|_| short);
        let counted = known.map(|known| (changes(key, known), known));
        let near = counted.filter(|(count, known)| *count <= 1 + known.len() / 3);
        match near.min_by_key(|(count, _)| *count) {
            Some((_, known)) => format!("{quoted:?} is no known key, perhaps {known:?} was meant"),
            None => format!(
                "{quoted:?} is no known key, there are {}",
                self.asked.join(", ")
            ),
        }
    }
}

/// How many characters must be put in, taken out or replaced to make one word of the other (Levenshtein).
fn changes(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (at, &wanted) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != wanted);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[other.len()]
}

impl<'a> Path<'a> {
    const ROOT: Path<'static> = Path {
        above: None,
        key: "policy",
        in_array: false,
    };

    fn below<'b>(&'b self, key: &'b str) -> Path<'b> {
        if self.in_array {
            return *self;
        }
        Path {
            above: Some(self),
            key,
            in_array: false,
        }
    }

    fn error(&self, expected: String) -> PolicyError {
        PolicyError {
            path: self.text(),
            expected,
        }
    }

    fn text(&self) -> String {
        match self.above {
            Some(above) if above.above.is_some() => format!("{}.{}", above.text(), self.key),
            Some(_) | None => self.key.to_owned(),
        }
    }
}

impl<'a> Spot<'a> {
    /// A value of the policy itself, not of one of its objects.
    pub(super) fn top(key: &'a str, value: &'a Value) -> Spot<'a> {
        Spot {
            path: Path::ROOT.below(key),
            value,
        }
    }

    /// The error that the value must be something else.
    pub(super) fn must(&self, be: &str) -> PolicyError {
        self.path.error(format!("must {be}"))
    }

    /// The value where it is a string; else the error that it must `be` something else.
    pub(super) fn str(&self, be: &str) -> Read<&'a str> {
        self.value.as_str().ok_or_else(|| self.must(be))
    }

    /// Reads the value as an object that is laid over nothing.
    pub(super) fn object<T>(&self, read: impl FnOnce(&mut Object<'_>) -> Read<T>) -> Read<T> {
        Object::over(self.path, &[self.value], read)
    }

    /// Reads the items of an array; a path ends here.
    pub(super) fn list<T>(&self, be: &str, read: impl Fn(Spot<'_>) -> Read<T>) -> Read<Vec<T>> {
        let items = self.value.as_array().ok_or_else(|| self.must(be))?;
        let path = Path {
            in_array: true,
            ..self.path
        };
        items
            .iter()
            .map(|value| read(Spot { path, value }))
            .collect()
    }

    /// Reads a map, whose keys are names.
    pub(super) fn map<T>(&self, read: impl Fn(Spot<'_>) -> Read<T>) -> Read<BTreeMap<Id, T>> {
        let object = self.value.as_object();
        let object = object.ok_or_else(|| self.must("be an object"))?;
        let mut map = BTreeMap::new();
        for (name, value) in object.iter().filter(|(_, value)| !value.is_null()) {
            let spot = Spot {
                path: self.path.below(name),
                value,
            };
            let id = Id::new(name).ok_or_else(|| spot.path.error(name_form("its name must")))?;
            map.insert(id, read(spot)?);
        }
        Ok(map)
    }

    /// The key under which the value stands.
    pub(super) fn key(&self) -> &'a str {
        self.path.key
    }
}

fn name_form(must: &str) -> String {
    format!("{must} have 1 to {ID_BYTES_MAX} bytes and no control characters")
}

/// `true` or `false`.
pub(super) fn flag(spot: Spot<'_>) -> Read<bool> {
    let flag = spot.value.as_bool();
    flag.ok_or_else(|| spot.must("be true or false"))
}

/// Any string.
pub(super) fn text(spot: Spot<'_>) -> Read<String> {
    spot.str("be a string").map(str::to_owned)
}

/// A name: an id.
pub(super) fn name(spot: Spot<'_>) -> Read<Id> {
    let text = spot.str("be a string")?;
    Id::new(text).ok_or_else(|| spot.path.error(name_form("must")))
}

/// A time zone by its exact IANA name.
pub(super) fn zone(spot: Spot<'_>) -> Read<Zone> {
    const BE: &str = "be the exact IANA name of a time zone, such as \"Asia/Shanghai\"";
    Zone::get(spot.str(BE)?).ok_or_else(|| spot.must(BE))
}

/// One of the words of a choice.
pub(super) fn word<T: Word>(spot: Spot<'_>) -> Read<T> {
    let chosen = spot.value.as_str();
    let choice = T::CHOICES
        .iter()
        .find(|choice| Some(choice.word()) == chosen);
    choice.copied().ok_or_else(|| {
        let words: Vec<&str> = T::CHOICES.iter().map(|choice| choice.word()).collect();
        spot.must(&format!("be one of {}", words.join(", ")))
    })
}

/// A duration, `0s` included.
pub(super) fn duration(spot: Spot<'_>) -> Read<Duration> {
    let length = spot.value.as_str().and_then(Duration::parse);
    length.ok_or_else(|| {
        spot.must(&format!(
            "be a duration such as \"1h 30m\" (ms, s, m, h, d or w, at most {DURATION_DAYS_MAX} days)"
        ))
    })
}

/// A duration longer than `0s`.
pub(super) fn some_duration(spot: Spot<'_>) -> Read<Duration> {
    let length = duration(spot)?;
    if length.is_zero() {
        return Err(spot.must("be longer than 0s"));
    }
    Ok(length)
}

/// A whole number from 0 to [`COUNT_MAX`]; `10.0` and `1e1` are none.
pub(super) fn count(spot: Spot<'_>) -> Read<u32> {
    let count = spot
        .value
        .as_u64()
        .and_then(|count| u32::try_from(count).ok());
    let fits = count.filter(|&count| count <= COUNT_MAX);
    fits.ok_or_else(|| {
        spot.must(&format!(
            "be a whole number from 0 to {COUNT_MAX}, without a fraction"
        ))
    })
}

/// A number from 0 to 1 with at most 4 decimals.
pub(super) fn share(spot: Spot<'_>) -> Read<Share> {
    let parts = parts_of_one(spot.value, Share::ONE.0, 1);
    let share = parts.map(Share);
    share.ok_or_else(|| spot.must("be a number from 0 to 1 with at most 4 decimals"))
}

/// A number from 0 to 100 with at most 2 decimals, in hundredths.
pub(super) fn percent(spot: Spot<'_>) -> Read<u16> {
    let parts = parts_of_one(spot.value, 100, 100);
    parts.ok_or_else(|| spot.must("be a number from 0 to 100 with at most 2 decimals"))
}

/// A number from 0 to `max` in parts of one, where it is a whole number of those. The float nearest to
/// a short decimal is the quotient of its parts, so comparing back lets no other decimal through.
fn parts_of_one(value: &Value, of_one: u16, max: u16) -> Option<u16> {
    let number = value.as_f64()?;
    let parts = (number * f64::from(of_one)).round();
    let fits = (0.0..=f64::from(of_one) * f64::from(max)).contains(&parts);
    (fits && parts / f64::from(of_one) == number).then_some(parts as u16)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_nearest_key_is_suggested() {
        for (key, expected) in [
            (
                "windw",
                r#""windw" is no known key, perhaps "window" was meant"#,
            ),
            (
                "Window",
                r#""Window" is no known key, perhaps "window" was meant"#,
            ),
            (
                "awaywindow",
                r#""awaywindow" is no known key, perhaps "away_window" was meant"#,
            ),
            ("x", r#""x" is no known key, there are window, away_window"#),
            (
                "接待\n",
                r#""接待\n" is no known key, there are window, away_window"#,
            ),
        ] {
            let value = json!({ key: 1, "window": "1h", "gone": null });
            let keys = |at: &mut Object<'_>| {
                at.read_if("window", duration)?;
                at.read_if("away_window", duration)
            };
            let error = root(&[&value], keys).unwrap_err();
            assert_eq!(
                (error.path.as_str(), error.expected.as_str()),
                (key, expected)
            );
        }
    }

    #[test]
    fn changes_are_counted() {
        for (one, other, count) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("form", "from", 2),
            ("接待", "待", 1),
        ] {
            assert_eq!(changes(one, other), count, "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_layer_that_has_a_value_counts() {
        let near = json!({ "a": { "x": 1, "y": null }, "list": [1] });
        let far = json!({ "a": { "x": 2, "y": 3 }, "list": [4, 5] });
        let read = root(&[&near, &far], |at| {
            let a = at.object("a", |at| Ok((at.read("x", count)?, at.read("y", count)?)))?;
            Ok((a, at.read("list", |spot| spot.list("be an array", count))?))
        });
        assert_eq!(read, Ok(((1, 3), vec![1])));
    }
}
