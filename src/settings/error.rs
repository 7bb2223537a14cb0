//! What can be wrong with settings, and what to change.

use std::fmt;

use super::table::{SettingRow, Settings};
use crate::settings::origin::Origin;

/// Why the settings cannot be. The text says what to change, and where.
#[derive(Debug, PartialEq)]
pub enum SettingsError {
    /// The file is no TOML.
    File {
        /// Its name.
        file: String,
        /// The line, from 1, where it shows.
        line: Option<usize>,
        /// How it shows.
        message: String,
    },
    /// There is no such setting.
    Unknown {
        /// The name or the variable, as it was given.
        name: String,
        /// Where it was given.
        origin: Origin,
        /// The name or the variable that is most like it.
        suggestion: Option<String>,
    },
    /// The setting cannot be this.
    Value {
        /// Its name.
        name: &'static str,
        /// What was given.
        text: String,
        /// Where it was given.
        origin: Origin,
        /// What can be given.
        must: String,
    },
    /// The setting does not go with the others.
    Together {
        /// Its name.
        name: &'static str,
        /// Where it was set.
        origin: Origin,
        /// What would go.
        must: &'static str,
    },
}

impl SettingsError {
    pub(super) fn unknown(name: &str, origin: Origin) -> SettingsError {
        let names = Settings::ROWS.iter().map(|row| row.name.to_owned());
        SettingsError::Unknown {
            name: name.to_owned(),
            origin,
            suggestion: most_like(name, names),
        }
    }

    pub(super) fn unknown_variable(variable: &str) -> SettingsError {
        SettingsError::Unknown {
            name: variable.to_owned(),
            origin: Origin::Variable(variable.to_owned()),
            suggestion: most_like(variable, Settings::ROWS.iter().map(SettingRow::variable)),
        }
    }
}

/// The candidate that a slip of the pen is most likely to have come from.
fn most_like(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    // What all variables begin with makes none of them more like another.
    let plain = |name: &str| name.trim_start_matches("XIAOER_").to_ascii_lowercase();
    let lower = plain(name);
    let scored = candidates.map(|candidate| {
        let found = plain(&candidate);
        // `--set retention=30d`: the last word of a name alone.
        let tail = found.rsplit('.').next() == Some(lower.as_str());
        let score = strsim::jaro_winkler(&lower, &found);
        (if tail { 1.0 } else { score }, candidate)
    });
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(score, _)| *score > 0.85)
        .map(|(_, candidate)| candidate)
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
                write!(f, ": no TOML: {}", message.trim_end())
            }
            SettingsError::Unknown {
                name,
                origin,
                suggestion,
            } => {
                match origin {
                    // The name of a variable tells already where it is.
                    Origin::Variable(_) => write!(f, "environment: there is no setting `{name}`")?,
                    Origin::Default | Origin::File(_) | Origin::Flag => {
                        write!(f, "{origin}: there is no setting `{name}`")?;
                    }
                }
                match suggestion {
                    Some(suggestion) => write!(f, "; did you mean `{suggestion}`?"),
                    None => f.write_str(
                        ": take it away, and `xiaoer serve --print-settings` shows those there are",
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
