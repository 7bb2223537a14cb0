//! The table of the settings: names, defaults, ranges and explanations.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::ip_network::Network;
use super::value::{BuyerSpace, LogFormat, LogLevel, MetricsPublic, SettingValue, Size, between};
use crate::domain::base::time::Duration;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct SettingRow {
    /// The name in the file and in `--set`: words with dots between them.
    pub name: &'static str,
    /// The explanation, in lines.
    pub doc: &'static [&'static str],
    /// The default, as text.
    pub default: &'static str,
    /// The valid values: form and range.
    pub form: fn() -> String,
}

impl SettingRow {
    /// The variable of the environment: `XIAOER_` and the name in capitals, with `_` for dots.
    pub fn variable(&self) -> String {
        let name = self.name.replace('.', "_");
        format!("XIAOER_{}", name.to_ascii_uppercase())
    }
}

/// Makes the struct of the rows, and the functions over all rows.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty = $name:literal, $default:literal $(, in $range:expr)?;)+) => {
        /// All settings. [`Settings::ROWS`] is the same as a table.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $($(#[doc = $doc])+ #[doc = ""] #[doc = concat!("`", $name, "`, by default `", $default, "`.")]
            pub $field: $type,)+
        }

        impl Settings {
            /// One row for each setting, in the order of the struct.
            pub const ROWS: &'static [SettingRow] = &[$(SettingRow {
                name: $name,
                doc: &[$($doc),+],
                default: $default,
                form: || form_of::<$type>(no_range::<$type>()$(.or(Some($range)))?),
            },)+];

            /// The default settings.
            pub(super) fn defaults() -> Result<Settings, &'static str> {
                Ok(Settings { $($field: <$type>::read($default).ok_or($name)?,)+ })
            }

            /// Sets one setting by its name; the error says which values are valid.
            pub(super) fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
                match name {
                    $($name => {
                        let range = no_range::<$type>()$(.or(Some($range)))?;
                        let value = <$type>::read(text).filter(|value| within(value, range.as_ref()));
                        self.$field = value.ok_or_else(|| form_of::<$type>(range))?;
                    })+
                    _ => return Err(format!("there is no setting `{name}`")),
                }
                Ok(())
            }

            /// Every value as text, in the order of [`Settings::ROWS`]; the texts can be set again.
            pub fn values(&self) -> Vec<String> {
                vec![$(self.$field.write(),)+]
            }
        }
    };
}

settings! {
    /// Where the server listens: an address and a port.
    listen: SocketAddr = "listen", "127.0.0.1:7600";
    /// The data folder: the journal, the keys, and `xiaoer.toml`, unless `--config` names another file.
    data: PathBuf = "data", "xiaoer-data";
    /// Whether all requests are allowed without a key; for trials, and only where `listen` is a loopback address.
    insecure: bool = "insecure", "false";
    /// How many threads serve; 0: one for each core.
    workers: u64 = "workers", "0", in 0..=512;
    /// The certificate of the server and its chain, a PEM file; with `tls.key` the server serves HTTPS.
    tls_certificate: Option<PathBuf> = "tls.certificate", "";
    /// The private key of the certificate, a PEM file.
    tls_key: Option<PathBuf> = "tls.key", "";
    /// How long a TLS handshake may take.
    tls_handshake_timeout: Duration = "tls.handshake_timeout", "5s", in ms(10)..=ms(3_600_000);
    /// How many TLS handshakes of one thread are in progress at once; further connections are closed. One address can
    /// have at most `http.connections_per_peer` of them.
    tls_handshakes_max: u64 = "tls.handshakes_max", "2048", in 1..=1_000_000;
    /// The least urgent level that is logged.
    log_level: LogLevel = "log.level", "info";
    /// The format of the log: lines for people, or one JSON object a line.
    log_format: LogFormat = "log.format", "text";
    /// How long records are stored; `0s`: for ever. At least 8d, because an event's answer is stored for 7 days.
    journal_retention: Duration = "journal.retention", "90d";
    /// Free bytes that are left on the disk: with less, events are refused (507), and reading goes on.
    journal_reserve_bytes: Size = "journal.reserve_bytes", "256MiB", in Size(0)..=Size::tib(1);
    /// Bytes of a file that is deleted when the disk is full, so that the server can start. With fewer than 8MiB it
    /// may not start.
    journal_ballast_bytes: Size = "journal.ballast_bytes", "64MiB", in Size(0)..=Size::mib(1024);
    /// Whether an answer waits for the disk. Off is for tests only: a power cut then loses answers.
    journal_sync: bool = "journal.sync", "true";
    /// Bytes of memory for the read cache of the journal.
    journal_cache_bytes: Size = "journal.cache_bytes", "32MiB", in Size::mib(1)..=Size::tib(1);
    /// About how many records a start reads again at most: after so many a checkpoint is taken, at most one a second.
    /// Fewer records make a start quicker and cost more writing.
    journal_checkpoint_records: u64 = "journal.checkpoint_records", "262144", in 1..=1_000_000_000;
    /// Microseconds that a commit waits for others to join, where several joined before; 0: never.
    journal_linger_us: u64 = "journal.linger_us", "200", in 0..=1000;
    /// Whether a folder of an older form is converted in place at the start. It needs no room for a copy, and it
    /// cannot be undone: take a backup first.
    upgrade_in_place: bool = "upgrade.in_place", "false";
    /// How long the disk may give no answer while the folder is opened, before the process ends with status 74; `0s`:
    /// for ever.
    journal_open_timeout: Duration = "journal.open_timeout", "60s", in ms(0)..=Duration::days(1);
    /// The same for a commit, for a checkpoint, and for any other call into an open folder.
    journal_commit_timeout: Duration = "journal.commit_timeout", "30s", in ms(0)..=Duration::days(1);
    /// How far the machine's clock may be past the last record at a start. Beyond that, events are refused (503) until
    /// the clock is set right or accepted. `0s`: any distance.
    clock_gap_max: Duration = "clock.gap_max", "30d";
    /// Whether this start accepts the machine's clock, however far it is past the last record; `--accept-clock`.
    clock_accept: bool = "clock.accept", "false";
    /// How many requests of one shop may wait; further ones are answered 503.
    shop_mailbox: u64 = "shop.mailbox", "1024", in 1..=1_000_000;
    /// How long a shop without requests stays in memory.
    shop_idle: Duration = "shop.idle", "5m", in ms(10)..=Duration::days(365);
    /// Bytes of one shop that may wait for a commit, of 64MiB for all shops; beyond that its next event is answered
    /// 503.
    shop_waiting_bytes_max: Size = "shop.waiting_bytes_max", "16MiB", in Size::mib(1)..=Size::mib(64);
    /// Bytes that one shop may add to the journal in an hour; beyond that its events are answered 429, and those of
    /// other shops are not. 0: no limit.
    shop_bytes_per_hour_max: Size = "shop.bytes_per_hour_max", "0B", in Size(0)..=Size::tib(1);
    /// The buyer space of a shop that names none: `preset`, shared by the shops of its preset, for one seller; or
    /// `shop`, its own, for a server with shops of several sellers.
    shops_buyer_space: BuyerSpace = "shops.buyer_space", "preset";
    /// How long after the end of its lease an agent still counts as present, before the server takes it offline.
    presence_grace: Duration = "presence.grace", "10s", in ms(0)..=Duration::days(1);
    /// Whether webhooks may call private addresses: loopback, link-local, a company's own network. Keep it off where
    /// people with keys should not reach that network.
    webhook_private_addresses: bool = "webhook.private_addresses", "false";
    /// How long a webhook endpoint may take to answer.
    webhook_timeout: Duration = "webhook.timeout", "15s", in ms(10)..=ms(120_000);
    /// How many endpoints a shop may have.
    webhook_endpoints_max: u64 = "webhook.endpoints_max", "200", in 1..=10_000;
    /// The largest body of a request, in bytes; a larger one is answered 413.
    http_body_bytes_max: Size = "http.body_bytes_max", "16MiB", in Size::kib(1)..=Size::mib(1024);
    /// The bytes that the bodies of all requests in progress may have together; a request without room is answered
    /// 503.
    http_bodies_bytes_max: Size = "http.bodies_bytes_max", "256MiB", in Size::mib(1)..=Size::tib(1);
    /// The bytes of answers that clients have not received yet, together. Connections without a valid key may use a
    /// quarter. A long answer without room is answered 503; a client that receives nothing is disconnected.
    http_answers_bytes_max: Size = "http.answers_bytes_max", "256MiB", in Size::mib(1)..=Size::tib(1);
    /// How long a request's body may take to arrive; a slower one is answered 408.
    http_body_timeout: Duration = "http.body_timeout", "10s", in ms(10)..=ms(3_600_000);
    /// How long a request's head may take to arrive.
    http_header_timeout: Duration = "http.header_timeout", "5s", in ms(10)..=ms(3_600_000);
    /// How long a client may take to receive what is ready, about 64KiB at once, before it is disconnected.
    http_write_timeout: Duration = "http.write_timeout", "30s", in ms(10)..=ms(3_600_000);
    /// How long a connection without a request stays open.
    http_keep_alive: Duration = "http.keep_alive", "75s", in ms(10)..=ms(3_600_000);
    /// How many connections one thread keeps open; further ones wait.
    http_connections_max: u64 = "http.connections_max", "12000", in 1..=1_000_000;
    /// How many connections without a valid key one address may have; further ones are closed. Of IPv6, all addresses
    /// of a /64 network count as one.
    http_connections_per_peer: u64 = "http.connections_per_peer", "1024", in 1..=1_000_000;
    /// Addresses of proxies, whose connections belong to many clients: `http.connections_per_peer` does not apply to
    /// them.
    http_proxies: Vec<Network> = "http.proxies", "";
    /// Whether `/metrics` is answered without a key; `auto`: only where the server listens on a loopback address.
    http_metrics_public: MetricsPublic = "http.metrics_public", "auto";
    /// How long a stopping server may take to finish accepted requests.
    http_shutdown_timeout: Duration = "http.shutdown_timeout", "30s", in ms(0)..=ms(3_600_000);
}

const fn ms(ms: i64) -> Duration {
    Duration::from_ms(ms)
}

fn no_range<T>() -> Option<RangeInclusive<T>> {
    None
}

fn within<T: PartialOrd>(value: &T, range: Option<&RangeInclusive<T>>) -> bool {
    range.is_none_or(|range| range.contains(value))
}

fn form_of<T: SettingValue>(range: Option<RangeInclusive<T>>) -> String {
    T::FORM.to_owned() + &range.map(|range| between(&range)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_default_can_be_set_and_reads_back() {
        let defaults = Settings::defaults().unwrap();
        for (row, value) in Settings::ROWS.iter().zip(defaults.values()) {
            let mut settings = defaults.clone();
            assert_eq!(settings.set(row.name, row.default), Ok(()), "{}", row.name);
            assert_eq!(settings.set(row.name, &value), Ok(()), "{}", row.name);
            assert_eq!(settings, defaults);
        }
    }

    #[test]
    fn every_row_has_a_name_of_its_own_and_is_explained() {
        let rows = Settings::ROWS;
        let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
        let variables: BTreeSet<String> = rows.iter().map(SettingRow::variable).collect();
        assert_eq!((names.len(), variables.len()), (rows.len(), rows.len()));
        for row in rows {
            let good = row.name.chars().all(|c| matches!(c, 'a'..='z' | '_' | '.'));
            assert!(good && row.doc.concat().ends_with('.'), "{}", row.name);
        }
    }
}
