//! The kinds of values of settings, and how each is read and written.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::domain::base::time::{DAY_MS, Duration};
use crate::domain::protocol::codes::codes;

/// A kind of value. A value that is written can be read again.
pub(super) trait SettingValue: Sized + PartialOrd {
    /// Which values are valid, as the end of "must be …".
    const FORM: &'static str;

    /// Parses a value.
    fn read(text: &str) -> Option<Self>;

    /// Writes a value.
    fn write(&self) -> String;
}

/// ", from 1 to 1024": the end of a form.
pub(super) fn between<T: SettingValue>(range: &RangeInclusive<T>) -> String {
    format!(
        ", from {} to {}",
        range.start().write(),
        range.end().write()
    )
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

codes! {
    /// The least urgent level that is logged.
    LogLevel {
        /// Nothing is logged.
        Off = "off",
        /// Failures.
        Error = "error",
        /// Also problems that will become failures.
        Warn = "warn",
        /// Also one line for each request.
        Info = "info",
        /// Also what the server does.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

codes! {
    /// The buyer space of a shop that names none.
    BuyerSpace {
        /// The space of its preset.
        Preset = "preset",
        /// A space of its own.
        Shop = "shop",
    }
}

codes! {
    /// The format of the log.
    LogFormat {
        /// For people.
        Text = "text",
        /// One object a line.
        Json = "json",
    }
}

codes! {
    /// Who may read `/metrics` without a key.
    MetricsPublic {
        /// Every client where the server listens on a loopback address; otherwise none.
        Auto = "auto",
        /// Every client.
        True = "true",
        /// No client.
        False = "false",
    }
}

const SIZES: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

impl Size {
    pub(super) const fn kib(count: u64) -> Size {
        Size(count << 10)
    }

    pub(super) const fn mib(count: u64) -> Size {
        Size(count << 20)
    }

    pub(super) const fn tib(count: u64) -> Size {
        Size(count << 40)
    }
}

impl SettingValue for Size {
    const FORM: &'static str = "a size like `16MiB`, or a number of bytes";

    fn read(text: &str) -> Option<Size> {
        let unit = SIZES
            .iter()
            .find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
        let (count, bytes) = unit.unwrap_or((text, 1));
        Some(Size(whole_number(count)?.checked_mul(bytes)?))
    }

    fn write(&self) -> String {
        let unit = SIZES
            .iter()
            .find(|(_, bytes)| self.0 > 0 && self.0.is_multiple_of(*bytes));
        let (unit, bytes) = unit.unwrap_or(&("", 1));
        // Plain bytes need no unit.
        let unit = if *bytes == 1 { "" } else { unit };
        format!("{}{unit}", self.0 / bytes)
    }
}

impl SettingValue for Duration {
    const FORM: &'static str = "a duration like `90d`, `1h 30m` or `500ms`";

    fn read(text: &str) -> Option<Duration> {
        Duration::parse(text)
    }

    fn write(&self) -> String {
        // The wire writes hours, and no days; a retention is read more easily in days.
        match self.ms() {
            ms if ms > 0 && ms % DAY_MS == 0 => format!("{}d", ms / DAY_MS),
            _ => self.to_string(),
        }
    }
}

impl SettingValue for u64 {
    const FORM: &'static str = "a whole number";

    fn read(text: &str) -> Option<u64> {
        whole_number(text)
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for bool {
    const FORM: &'static str = "`true` or `false`";

    fn read(text: &str) -> Option<bool> {
        text.parse().ok()
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for SocketAddr {
    const FORM: &'static str = "an address and a port like `127.0.0.1:7600` or `[::1]:7600`";

    fn read(text: &str) -> Option<SocketAddr> {
        match text.strip_prefix("localhost:") {
            Some(port) => Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?))),
            None => text.parse().ok(),
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for PathBuf {
    const FORM: &'static str = "a path";

    fn read(text: &str) -> Option<PathBuf> {
        (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
    }

    fn write(&self) -> String {
        self.to_string_lossy().into_owned()
    }
}

impl SettingValue for Option<PathBuf> {
    const FORM: &'static str = "a path, or nothing";

    fn read(text: &str) -> Option<Option<PathBuf>> {
        match text {
            "" => Some(None),
            _ => PathBuf::read(text).map(Some),
        }
    }

    fn write(&self) -> String {
        self.as_ref().map(PathBuf::write).unwrap_or_default()
    }
}

impl SettingValue for LogLevel {
    const FORM: &'static str = "`off`, `error`, `warn`, `info`, `debug` or `trace`";

    fn read(text: &str) -> Option<LogLevel> {
        LogLevel::ALL
            .iter()
            .copied()
            .find(|level| level.code() == text)
    }

    fn write(&self) -> String {
        self.code().to_owned()
    }
}

impl SettingValue for LogFormat {
    const FORM: &'static str = "`text` or `json`";

    fn read(text: &str) -> Option<LogFormat> {
        LogFormat::ALL
            .iter()
            .copied()
            .find(|format| format.code() == text)
    }

    fn write(&self) -> String {
        self.code().to_owned()
    }
}

impl SettingValue for BuyerSpace {
    const FORM: &'static str = "`preset` or `shop`";

    fn read(text: &str) -> Option<BuyerSpace> {
        BuyerSpace::ALL
            .iter()
            .copied()
            .find(|space| space.code() == text)
    }

    fn write(&self) -> String {
        self.code().to_owned()
    }
}

impl SettingValue for MetricsPublic {
    const FORM: &'static str = "`auto`, `true` or `false`";

    fn read(text: &str) -> Option<MetricsPublic> {
        MetricsPublic::ALL
            .iter()
            .copied()
            .find(|public| public.code() == text)
    }

    fn write(&self) -> String {
        self.code().to_owned()
    }
}

/// Digits alone: no sign, no blank.
fn whole_number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_exactly() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("512", Some(512)),
            ("512B", Some(512)),
            ("16MiB", Some(16 << 20)),
            ("1TiB", Some(1 << 40)),
            ("16777216TiB", None),
            ("16 MiB", None),
            ("16MB", None),
            ("16M", None),
            ("1.5MiB", None),
            ("-1", None),
            ("+1", None),
            ("MiB", None),
            ("", None),
        ] {
            assert_eq!(Size::read(text), bytes.map(Size), "{text:?}");
        }
    }

    #[test]
    fn values_are_written_so_that_they_read_back() {
        for (bytes, text) in [
            (0, "0"),
            (1023, "1023"),
            (1536, "1536"),
            (2048, "2KiB"),
            (16 << 20, "16MiB"),
            (3 << 40, "3TiB"),
        ] {
            assert_eq!(Size(bytes).write(), text);
            assert_eq!(Size::read(text), Some(Size(bytes)));
        }
        for (text, written) in [
            ("2160h", "90d"),
            ("25h", "25h"),
            ("0s", "0s"),
            ("75s", "1m 15s"),
        ] {
            let duration = <Duration as SettingValue>::read(text).unwrap();
            assert_eq!(SettingValue::write(&duration), written);
            assert_eq!(Duration::read(written), Some(duration));
        }
    }

    #[test]
    fn the_words_of_a_form_are_those_that_are_read() {
        let quoted = |form: &str| -> Vec<String> {
            let words = form.split('`').skip(1).step_by(2);
            words.map(str::to_owned).collect()
        };
        for word in quoted(LogLevel::FORM) {
            assert_eq!(LogLevel::read(&word).map(|level| level.write()), Some(word));
        }
        assert_eq!(quoted(LogLevel::FORM).len(), LogLevel::ALL.len());
        for word in quoted(LogFormat::FORM) {
            assert_eq!(
                LogFormat::read(&word).map(|format| format.write()),
                Some(word)
            );
        }
        assert_eq!(quoted(LogFormat::FORM).len(), LogFormat::ALL.len());
        for word in quoted(BuyerSpace::FORM) {
            assert_eq!(
                BuyerSpace::read(&word).map(|space| space.write()),
                Some(word)
            );
        }
        assert_eq!(quoted(BuyerSpace::FORM).len(), BuyerSpace::ALL.len());
        for word in quoted(MetricsPublic::FORM) {
            assert_eq!(
                MetricsPublic::read(&word).map(|public| public.write()),
                Some(word)
            );
        }
        assert_eq!(quoted(MetricsPublic::FORM).len(), MetricsPublic::ALL.len());
        for word in quoted(SocketAddr::FORM) {
            assert_eq!(SocketAddr::read(&word).unwrap().write(), word);
        }
        assert_eq!(
            SocketAddr::read("localhost:80"),
            SocketAddr::read("127.0.0.1:80")
        );
        assert_eq!(SocketAddr::read("shop.example:80"), None);
    }
}
