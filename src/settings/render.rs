//! The settings as text: their values with their origins, and the commented file. Both are TOML.

use std::fmt::Write;

use super::layers::Origins;
use super::table::Settings;

impl Settings {
    /// Every setting, its value and its origin, as `--print-settings` prints them. Used as a file, the text sets the
    /// same values.
    pub fn print(&self, origins: &Origins) -> String {
        let values = self.values();
        let lines = Settings::ROWS.iter().zip(&values);
        let lines: Vec<String> = lines.map(|(row, value)| line(row.name, value)).collect();
        let width = lines.iter().map(|line| line.chars().count()).max();
        let width = width.unwrap_or_default();
        let mut text = String::new();
        for (line, origin) in lines.iter().zip(origins.all()) {
            // A name with a line break would end the comment.
            let origin = origin.to_string().replace(char::is_control, " ");
            let _ = writeln!(text, "{line:width$}  # {origin}");
        }
        text
    }

    /// A file that explains every setting and sets none: a start for `xiaoer.toml`.
    pub fn explained() -> String {
        let mut text = String::from(
            "# Settings of xiaoer. What is left out has the default that stands here; variables of the environment\n\
             # count more than this file, and flags more than those.\n",
        );
        for row in Settings::ROWS {
            text.push('\n');
            for doc in row.doc {
                let _ = writeln!(text, "#{doc}");
            }
            let form = (row.form)();
            let _ = writeln!(text, "# {form}; variable {}", row.variable());
            let _ = writeln!(text, "# {}", line(row.name, row.default));
        }
        text
    }
}

/// `name = value` as TOML: numbers and switches as they are, the rest quoted.
fn line(name: &str, value: &str) -> String {
    let bare = matches!(value, "true" | "false") || value.parse::<i64>().is_ok();
    if bare {
        return format!("{name} = {value}");
    }
    let mut quoted = String::new();
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    format!("{name} = \"{quoted}\"")
}
