//! The layers: what is set by default, in the file, in the environment and by flags, each over the one before.

use std::fmt;

use super::error::SettingsError;
use super::table::{Row, Settings};
use crate::domain::time::Duration;

/// Variables that begin with `XIAOER_` and are no settings: those of tests, benches and scripts.
pub const OTHER_VARIABLES: [&str; 7] = [
    "XIAOER_BUYERS",
    "XIAOER_GOLDEN",
    "XIAOER_KILLS",
    "XIAOER_POWER_CUTS",
    "XIAOER_SEEDS",
    "XIAOER_SHARED",
    "XIAOER_TRACE",
];

/// The shortest journal but for none: answers to repeated ids are kept for 7 days, and a day more is room for clocks.
const RETENTION_MIN: Duration = Duration::days(8);

/// Where settings come from.
pub struct Sources<E> {
    /// The name of the file and its text, TOML; none where there is no file.
    pub file: Option<(String, String)>,
    /// The environment. What does not begin with `XIAOER_` is passed over.
    pub env: E,
    /// Names and values, in the order of the command line; of two with the same name the last counts.
    pub flags: Vec<(String, String)>,
}

/// Who has set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// The file of this name.
    File(String),
    /// The variable of this name.
    Variable(String),
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(name) => f.write_str(name),
            Origin::Variable(name) => f.write_str(name),
            Origin::Flag => f.write_str("command line"),
        }
    }
}

/// Who has set each value, in the order of [`Settings::ROWS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

impl Origins {
    /// Who has set the setting of this name; [`Origin::Default`] where there is none.
    pub fn of(&self, name: &str) -> Origin {
        let origins = Settings::ROWS.iter().zip(&self.0);
        let found = origins.into_iter().find(|(row, _)| row.name == name);
        found.map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    pub(super) fn all(&self) -> &[Origin] {
        &self.0
    }
}

impl Settings {
    /// Puts the layers over each other. Reads nothing but what it is given.
    ///
    /// The file is in the folder that `data` names, so a caller that looks for it there asks twice: without a file
    /// for the folder, then with it.
    ///
    /// # Errors
    ///
    /// The file is no TOML; a name or a variable is no setting; a value cannot be; two settings do not go together.
    /// The first such, with what to change.
    pub fn load<E>(sources: Sources<E>) -> Result<(Settings, Origins), SettingsError>
    where
        E: Iterator<Item = (String, String)>,
    {
        let mut layers = Layers::new()?;
        if let Some((name, text)) = sources.file {
            for (path, value) in read_file(&name, &text)? {
                layers.set(&path, &value, Origin::File(name.clone()))?;
            }
        }
        // The order of an environment is nobody's choice; sorted, the same mistake gives the same error.
        let ours = sources.env.filter(|(name, _)| name.starts_with("XIAOER_"));
        let mut ours: Vec<(String, String)> = ours.collect();
        ours.sort();
        for (variable, value) in ours {
            if OTHER_VARIABLES.contains(&variable.as_str()) {
                continue;
            }
            let row = Settings::ROWS.iter().find(|row| row.variable() == variable);
            let row = row.ok_or_else(|| SettingsError::unknown_variable(&variable))?;
            layers.set(row.name, &value, Origin::Variable(variable))?;
        }
        for (name, value) in sources.flags {
            layers.set(&name, &value, Origin::Flag)?;
        }
        layers.check()?;
        Ok((layers.settings, Origins(layers.origins)))
    }
}

struct Layers {
    settings: Settings,
    origins: Vec<Origin>,
}

impl Layers {
    fn new() -> Result<Layers, SettingsError> {
        let settings = Settings::defaults().map_err(|name| SettingsError::Value {
            name,
            text: "its default".to_owned(),
            origin: Origin::Default,
            must: "one that can be read: this is a mistake of the program".to_owned(),
        })?;
        let origins = vec![Origin::Default; Settings::ROWS.len()];
        Ok(Layers { settings, origins })
    }

    fn set(&mut self, name: &str, text: &str, origin: Origin) -> Result<(), SettingsError> {
        let at = Settings::ROWS.iter().position(|row| row.name == name);
        let Some(at) = at else {
            return Err(SettingsError::unknown(name, origin));
        };
        if let Err(must) = self.settings.set(name, text) {
            return Err(self.wrong(&Settings::ROWS[at], text, origin, must));
        }
        self.origins[at] = origin;
        Ok(())
    }

    fn wrong(&self, row: &Row, text: &str, origin: Origin, must: String) -> SettingsError {
        SettingsError::Value {
            name: row.name,
            text: text.to_owned(),
            origin,
            must,
        }
    }

    /// What only shows once all layers are there.
    fn check(&self) -> Result<(), SettingsError> {
        let settings = &self.settings;
        let retention = settings.journal_retention;
        if !retention.is_zero() && retention < RETENTION_MIN {
            return Err(self.together(
                "journal.retention",
                "must be at least 8d, because an event that is sent again within 7 days gets its first answer; `0s` \
                 keeps the journal for ever",
            ));
        }
        if settings.insecure && !settings.listen.ip().is_loopback() {
            return Err(self.together(
                "insecure",
                "is for a loopback address alone: listen on 127.0.0.1, or make keys with `xiaoer key new` and leave \
                 it out",
            ));
        }
        match (&settings.tls_certificate, &settings.tls_key) {
            (Some(_), Some(_)) | (None, None) => Ok(()),
            (Some(_), None) => Err(self.together(
                "tls.certificate",
                "needs its private key: set `tls.key` too",
            )),
            (None, Some(_)) => Err(self.together(
                "tls.key",
                "needs its certificate: set `tls.certificate` too",
            )),
        }
    }

    fn together(&self, name: &'static str, must: &'static str) -> SettingsError {
        let at = Settings::ROWS.iter().position(|row| row.name == name);
        let origin = at.map_or(Origin::Default, |at| self.origins[at].clone());
        SettingsError::Together { name, origin, must }
    }
}

/// The dotted names of a file and their values as text.
fn read_file(file: &str, text: &str) -> Result<Vec<(String, String)>, SettingsError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| SettingsError::File {
        file: file.to_owned(),
        line: error.span().map(|span| line_of(text, span.start)),
        message: error.message().to_owned(),
    })?;
    let mut found = Vec::new();
    flatten("", &table, &mut found);
    Ok(found)
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.bytes().take(at);
    1 + before.filter(|byte| *byte == b'\n').count()
}

fn flatten(above: &str, table: &toml::Table, found: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let name = format!("{above}{key}");
        let text = match value {
            toml::Value::Table(below) => {
                flatten(&format!("{name}."), below, found);
                continue;
            }
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(is) => is.to_string(),
            // No setting is one of these; as text, they are refused by name.
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Datetime(when) => when.to_string(),
            toml::Value::Array(_) => "[…]".to_owned(),
        };
        found.push((name, text));
    }
}
