//! Reads the fields of one event by name, and builds the errors for wrong ones.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::domain::base::id::{CARD_ID_BYTES_MAX, ID_BYTES_MAX, Id};
use crate::domain::base::time::Instant;
use crate::domain::protocol::event::{ClosedBy, MessageKind, Priority};
use crate::domain::protocol::rating::Level;

use crate::wire::value::Value;

/// The expected form of `at`.
const AN_INSTANT: &str =
    "an instant of the years 2000 to 2099, such as \"2026-11-11T10:00:00+08:00\"";

/// The fields of an event. Each is taken once; those that are left are unknown.
pub(super) struct Reader<'a>(pub(super) Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Reader<'a> {
    /// Takes the last value of a field, unless it is omitted.
    pub(super) fn take(&mut self, name: &str) -> Option<Value<'a>> {
        // An earlier duplicate stays. It is ignored, because the last one counts.
        let (_, value) = self.0.iter_mut().rfind(|(key, _)| key == name)?;
        let taken = std::mem::replace(value, Value::Null);
        Some(taken).filter(|value| !value.is_null())
    }

    /// Whether a field is present and not `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        let last = self.0.iter().rfind(|(key, _)| key == name);
        last.is_some_and(|(_, value)| !value.is_null())
    }

    pub(super) fn finish(&self, event: &str) -> Result<(), String> {
        // Of duplicate unknown keys the last counts, and null counts as omitted.
        let unknown = self
            .0
            .iter()
            .rev()
            .enumerate()
            .find(|(from_end, (key, value))| {
                let later = self.0.len() - from_end..self.0.len();
                !value.is_null() && !self.0[later].iter().any(|(other, _)| other == key)
            });
        match unknown {
            None => Ok(()),
            Some((_, (key, _))) => Err(format!("`{key}` is no field of {event}: leave it out.")),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(format!("`{name}` must be a string.")),
        }
    }

    pub(super) fn id(&mut self, name: &str) -> Result<Option<Id>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Id::new(&text).map(Some).ok_or_else(|| no_id(name)),
            Some(_) => Err(no_id(name)),
        }
    }

    pub(super) fn need_id(&mut self, name: &str) -> Result<Id, String> {
        self.id(name)?
            .ok_or_else(|| format!("`{name}` is missing: an id."))
    }

    pub(super) fn card(&mut self) -> Result<Option<Id>, String> {
        let wrong = || {
            format!(
                "`card` must be a string of 1 to {CARD_ID_BYTES_MAX} bytes without control characters."
            )
        };
        match self.take("card") {
            None => Ok(None),
            Some(Value::Text(text)) => Id::card(&text).map(Some).ok_or_else(wrong),
            Some(_) => Err(wrong()),
        }
    }

    pub(super) fn ids(&mut self, name: &str) -> Result<Option<Vec<Id>>, String> {
        let wrong =
            || format!("`{name}` must be an array of strings, each of 1 to {ID_BYTES_MAX} bytes.");
        match self.take(name) {
            None => Ok(None),
            Some(Value::List(list)) => {
                let ids = list.iter().map(|value| Id::new(value.as_text()?));
                let ids: Option<Vec<Id>> = ids.collect();
                ids.map(Some).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    }

    pub(super) fn bool(&mut self, name: &str) -> Result<Option<bool>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(format!("`{name}` must be true or false.")),
        }
    }

    /// A whole number within a range.
    pub(super) fn whole(
        &mut self,
        name: &str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, String> {
        let number = match self.take(name) {
            None => return Ok(None),
            Some(Value::Whole(number)) => u32::try_from(number).ok(),
            Some(_) => None,
        };
        let number = number.filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            format!(
                "`{name}` must be a whole number from {least} to {most}, without fraction or exponent."
            )
        })
    }

    pub(super) fn priority(&mut self) -> Result<Option<Priority>, String> {
        let number = self.whole("priority", 0..=u32::from(Priority::MAX))?;
        Ok(number.and_then(Priority::new))
    }

    pub(super) fn need_priority(&mut self) -> Result<Priority, String> {
        self.priority()?
            .ok_or_else(|| "`priority` is missing: a whole number from 0 to 9.".to_owned())
    }

    /// A time, unless it is omitted.
    pub(super) fn instant(&mut self, name: &str) -> Result<Option<Instant>, String> {
        let instant = match self.take(name) {
            None => return Ok(None),
            Some(Value::Text(text)) => Instant::parse(&text),
            Some(_) => None,
        };
        instant
            .map(Some)
            .ok_or_else(|| format!("`{name}` must be {AN_INSTANT}."))
    }

    /// The event's time.
    pub(super) fn need_at(&mut self) -> Result<Instant, String> {
        self.instant("at")?
            .ok_or_else(|| format!("`at` is missing: {AN_INSTANT}."))
    }

    pub(super) fn need_bool(&mut self, name: &str) -> Result<bool, String> {
        self.bool(name)?
            .ok_or_else(|| format!("`{name}` is missing: true or false."))
    }

    pub(super) fn human_kind(&mut self) -> Result<bool, String> {
        let Some(text) = self.text("kind")? else {
            return Ok(true);
        };
        let kind = MessageKind::named(&text).ok_or_else(|| {
            let kinds: Vec<&str> = MessageKind::codes().collect();
            format!("`kind` {text:?} is none of {}.", kinds.join(", "))
        })?;
        Ok(kind != MessageKind::AutoReply)
    }

    pub(super) fn closed_by(&mut self) -> Result<ClosedBy, String> {
        let by = self.text("by")?;
        by.and_then(|by| ClosedBy::named(&by))
            .ok_or_else(|| "`by` must be \"agent\", \"buyer\" or \"system\".".to_owned())
    }

    pub(super) fn level(&mut self) -> Result<Option<Level>, String> {
        let Some(name) = self.text("level")? else {
            return Ok(None);
        };
        Level::named(&name).map(Some).ok_or_else(|| {
            "`level` must be \"satisfied\", \"neutral\" or \"disappointed\".".to_owned()
        })
    }
}

fn no_id(name: &str) -> String {
    format!("`{name}` must be a string of 1 to {ID_BYTES_MAX} bytes without control characters.")
}
