//! Errors of settings, with what to change.

use std::fmt;

use super::table::{SettingRow, Settings};
use crate::domain::base::suggestion::nearest;
use crate::settings::origin::Origin;

/// Why the settings are invalid. The text says what to change, and where.
#[derive(Debug, PartialEq)]
pub enum SettingsError {
    /// The file is not valid TOML.
    File {
        /// The name of the file.
        file: String,
        /// The line of the error, from 1.
        line: Option<usize>,
        /// The error of the parser.
        message: String,
    },
    /// There is no such setting.
    Unknown {
        /// The name or the variable, as it was given.
        name: String,
        /// Where it was given.
        origin: Origin,
        /// The nearest known name or variable.
        suggestion: Option<String>,
    },
    /// The value is invalid.
    Value {
        /// The name of the setting.
        name: &'static str,
        /// The value, as it was given.
        text: String,
        /// Where it was given.
        origin: Origin,
        /// Which values are valid.
        must: String,
    },
    /// The setting does not go with another one.
    Together {
        /// The name of the setting.
        name: &'static str,
        /// Where it was set.
        origin: Origin,
        /// Which combinations are valid.
        must: &'static str,
    },
}

impl SettingsError {
    pub(super) fn unknown(name: &str, origin: Origin) -> SettingsError {
        let names = Settings::ROWS.iter().map(|row| row.name.to_owned());
        SettingsError::Unknown {
            name: name.to_owned(),
            origin,
            suggestion: suggest(name, names),
        }
    }

    pub(super) fn unknown_variable(variable: &str) -> SettingsError {
        SettingsError::Unknown {
            name: variable.to_owned(),
            origin: Origin::Variable(variable.to_owned()),
            suggestion: suggest(variable, Settings::ROWS.iter().map(SettingRow::variable)),
        }
    }
}

/// The known name that is nearest to `name`.
///
/// The prefix of variables is not compared: a name of three letters would otherwise be near to every variable. A last
/// segment without its table also counts, as in `--set retention=30d`.
fn suggest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    const PREFIX: &str = "XIAOER_";
    let bare = |name: &str| name.trim_start_matches(PREFIX).to_owned();
    let known: Vec<String> = known.collect();
    let last_segment = |known: &&String| {
        let segment = known.rsplit('.').next().unwrap_or_default();
        segment.eq_ignore_ascii_case(name)
    };
    if let Some(known) = known.iter().find(last_segment) {
        return Some(known.clone());
    }
    let bare_names: Vec<String> = known.iter().map(|known| bare(known)).collect();
    let near = nearest(&bare(name), bare_names.iter().map(String::as_str))?;
    let position = bare_names.iter().position(|known| known == near)?;
    known.get(position).cloned()
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingsError::File {
                file,
                line,
                message,
            } => {
                f.write_str(file)?;
                if let Some(line) = line {
                    write!(f, ", line {line}")?;
                }
                write!(f, ": not valid TOML: {}", message.trim_end())
            }
            SettingsError::Unknown {
                name,
                origin,
                suggestion,
            } => {
                match origin {
                    // The name of a variable says already where it was given.
                    Origin::Variable(_) => write!(f, "environment: there is no setting `{name}`")?,
                    Origin::Default | Origin::File(_) | Origin::Flag => {
                        write!(f, "{origin}: there is no setting `{name}`")?;
                    }
                }
                match suggestion {
                    Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
                    None => f.write_str(
                        ": remove it; `xiaoer serve --print-settings` shows all settings",
                    ),
                }
            }
            SettingsError::Value {
                name,
                text,
                origin,
                must,
            } => write!(f, "{origin}: `{name}` must be {must}, not `{text}`"),
            SettingsError::Together { name, origin, must } => {
                write!(f, "{origin}: `{name}` {must}")
            }
        }
    }
}

impl std::error::Error for SettingsError {}
