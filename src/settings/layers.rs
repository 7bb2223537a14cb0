//! The layers of settings: defaults, the file, the environment, and flags, each over the one before.

use super::origin::Origin;

use super::error::SettingsError;
use super::table::{SettingRow, Settings};
use crate::domain::base::time::Duration;

/// The shortest retention, except for none: answers to repeated ids are stored for 7 days, and a day more allows for
/// wrong clocks.
const RETENTION_MIN: Duration = Duration::days(8);

/// The sources of settings.
pub struct Sources<E> {
    /// The name of the file and its text, TOML; `None` without a file.
    pub file: Option<(String, String)>,
    /// The environment. Only variables that begin with `XIAOER_` are used, and each must name a setting.
    pub env: E,
    /// Names and values, in the order of the command line; the last of equal names counts.
    pub flags: Vec<(String, String)>,
}

/// The origin of each value, in the order of [`Settings::ROWS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

impl Origins {
    /// The origin of the setting of this name; [`Origin::Default`] where there is no such setting.
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
    /// Loads the layers. Reads nothing but its arguments.
    ///
    /// The file is in the folder that `data` names, so a caller that looks for it there calls twice: without a file to
    /// get the folder, then with it.
    ///
    /// # Errors
    ///
    /// The file is not valid TOML; a name or a variable is not a setting; a value is invalid; two settings contradict
    /// each other. The first error is returned, with what to change.
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
        // An environment has no order. It is sorted so that the same mistake gives the same error.
        let ours = sources.env.filter(|(name, _)| name.starts_with("XIAOER_"));
        let mut ours: Vec<(String, String)> = ours.collect();
        ours.sort();
        for (variable, value) in ours {
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
            must: "readable: please report this bug".to_owned(),
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

    fn wrong(&self, row: &SettingRow, text: &str, origin: Origin, must: String) -> SettingsError {
        SettingsError::Value {
            name: row.name,
            text: text.to_owned(),
            origin,
            must,
        }
    }

    /// Checks that settings go together.
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
                "is allowed on a loopback address only: listen on 127.0.0.1, or make keys with `xiaoer key new` and \
                 leave it out",
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
            // No setting has a value of these kinds; as text, they are refused with the name of the setting.
            toml::Value::Float(number) => number.to_string(),
            toml::Value::Datetime(when) => when.to_string(),
            toml::Value::Array(_) => "[…]".to_owned(),
        };
        found.push((name, text));
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn load(
        file: Option<&str>,
        env: &[(&str, &str)],
        flags: &[(&str, &str)],
    ) -> Result<(Settings, Origins), String> {
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect()
        };
        Settings::load(Sources {
            file: file.map(|text| ("xiaoer.toml".to_owned(), text.to_owned())),
            env: owned(env).into_iter(),
            flags: owned(flags),
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn each_layer_is_over_the_one_before() {
        let file = "listen = '127.0.0.1:1'\nworkers = 1\n[http]\nmetrics_public = false\nbody_timeout = '1s'\n";
        let env = [
            ("PATH", "/bin"),
            ("XIAOER_WORKERS", "2"),
            ("XIAOER_LISTEN", "127.0.0.1:2"),
        ];
        let flags = [
            ("listen", "127.0.0.1:3"),
            ("listen", "[::1]:4"),
            ("journal.cache_bytes", "1GiB"),
        ];
        let (settings, origins) = load(Some(file), &env, &flags).unwrap();
        assert_eq!(settings.workers, 2);
        assert_eq!(settings.http_body_timeout.ms(), 1000);
        assert_eq!(settings.journal_cache_bytes.0, 1 << 30);
        assert_eq!(
            origins.of("workers"),
            Origin::Variable("XIAOER_WORKERS".into())
        );
        expect![[r#"
            listen = "[::1]:4"                   # command line
            data = "xiaoer-data"                 # default
            insecure = false                     # default
            workers = 2                          # XIAOER_WORKERS
            tls.certificate = ""                 # default
            tls.key = ""                         # default
            tls.handshake_timeout = "5s"         # default
            tls.handshakes_max = 2048            # default
            log.level = "info"                   # default
            log.format = "text"                  # default
            journal.retention = "90d"            # default
            journal.reserve_bytes = "256MiB"     # default
            journal.ballast_bytes = "64MiB"      # default
            journal.sync = true                  # default
            journal.cache_bytes = "1GiB"         # command line
            journal.checkpoint_records = 262144  # default
            journal.linger_us = 200              # default
            upgrade.in_place = false             # default
            journal.open_timeout = "1m"          # default
            journal.commit_timeout = "30s"       # default
            clock.gap_max = "30d"                # default
            clock.accept = false                 # default
            shop.mailbox = 1024                  # default
            shop.idle = "5m"                     # default
            shop.waiting_bytes_max = "16MiB"     # default
            shop.bytes_per_hour_max = 0          # default
            shops.buyer_space = "preset"         # default
            presence.grace = "10s"               # default
            webhook.private_addresses = false    # default
            webhook.timeout = "15s"              # default
            webhook.endpoints_max = 200          # default
            http.body_bytes_max = "16MiB"        # default
            http.bodies_bytes_max = "256MiB"     # default
            http.answers_bytes_max = "256MiB"    # default
            http.body_timeout = "1s"             # xiaoer.toml
            http.header_timeout = "5s"           # default
            http.write_timeout = "30s"           # default
            http.keep_alive = "1m 15s"           # default
            http.connections_max = 12000         # default
            http.connections_per_peer = 1024     # default
            http.proxies = ""                    # default
            http.metrics_public = false          # xiaoer.toml
            http.shutdown_timeout = "30s"        # default
        "#]]
        .assert_eq(&settings.print(&origins));
        let (again, _) = load(Some(&settings.print(&origins)), &[], &[]).unwrap();
        assert_eq!(again, settings);
    }

    #[test]
    fn nothing_set_is_the_defaults() {
        let (settings, origins) = load(None, &[], &[]).unwrap();
        assert_eq!(settings, Settings::defaults().unwrap());
        assert_eq!(
            load(Some(""), &[], &[]),
            Ok((settings.clone(), origins.clone()))
        );
        assert!(
            origins
                .all()
                .iter()
                .all(|origin| *origin == Origin::Default)
        );
        let printed = settings.print(&origins);
        assert!(
            printed.lines().all(|line| line.ends_with("# default")),
            "{printed}"
        );
    }

    #[test]
    fn a_path_with_anything_in_it_reads_back() {
        let path = "/a \"b\"\\c\td/店\u{7f}";
        let (settings, origins) = load(None, &[("XIAOER_DATA", path)], &[]).unwrap();
        let (again, _) = load(Some(&settings.print(&origins)), &[], &[]).unwrap();
        assert_eq!(again.data.to_str(), Some(path));
    }

    #[test]
    fn the_explained_file_sets_nothing_until_its_lines_are_taken_in() {
        let explained = Settings::explained();
        let defaults = Settings::defaults();
        assert_eq!(
            load(Some(&explained), &[], &[]).map(|(it, _)| it).ok(),
            defaults.clone().ok()
        );
        let set = explained.lines().filter_map(|line| line.strip_prefix("# "));
        let set: Vec<&str> = set.filter(|line| line.contains(" = ")).collect();
        assert_eq!(set.len(), Settings::ROWS.len());
        assert_eq!(
            load(Some(&set.join("\n")), &[], &[]).map(|(it, _)| it).ok(),
            defaults.ok()
        );
        expect![[r##"
            # Settings of xiaoer. What is left out has the default that stands here; variables of the environment
            # count more than this file, and flags more than those.

            # Where the server listens: an address and a port.
            # an address and a port like `127.0.0.1:7600` or `[::1]:7600`; variable XIAOER_LISTEN
            # listen = "127.0.0.1:7600"

            # The data folder: the journal, the keys, and `xiaoer.toml`, unless `--config` names another file.
            # a path; variable XIAOER_DATA
            # data = "xiaoer-data"

            # Whether all requests are allowed without a key; for trials, and only where `listen` is a loopback address.
            # `true` or `false`; variable XIAOER_INSECURE
            # insecure = false

            # How many threads serve; 0: one for each core.
            # a whole number, from 0 to 512; variable XIAOER_WORKERS
            # workers = 0

            # The certificate of the server and its chain, a PEM file; with `tls.key` the server serves HTTPS.
            # a path, or nothing; variable XIAOER_TLS_CERTIFICATE
            # tls.certificate = ""

            # The private key of the certificate, a PEM file.
            # a path, or nothing; variable XIAOER_TLS_KEY
            # tls.key = ""

            # How long a TLS handshake may take.
            # a duration like `90d`, `1h 30m` or `500ms`, from 10ms to 1h; variable XIAOER_TLS_HANDSHAKE_TIMEOUT
            # tls.handshake_timeout = "5s"

            # How many TLS handshakes of one thread are in progress at once; further connections are closed. One address can
            # have at most `http.connections_per_peer` of them.
            # a whole number, from 1 to 1000000; variable XIAOER_TLS_HANDSHAKES_MAX
            # tls.handshakes_max = 2048

            # The least urgent level that is logged.
            # `off`, `error`, `warn`, `info`, `debug` or `trace`; variable XIAOER_LOG_LEVEL
            # log.level = "info"

            # The format of the log: lines for people, or one JSON object a line.
            # `text` or `json`; variable XIAOER_LOG_FORMAT
            # log.format = "text"

            # How long records are stored; `0s`: for ever. At least 8d, because an event's answer is stored for 7 days.
            # a duration like `90d`, `1h 30m` or `500ms`; variable XIAOER_JOURNAL_RETENTION
            # journal.retention = "90d"

            # Free bytes that are left on the disk: with less, events are refused (507), and reading goes on.
            # a size like `16MiB`, or a number of bytes, from 0 to 1TiB; variable XIAOER_JOURNAL_RESERVE_BYTES
            # journal.reserve_bytes = "256MiB"

            # Bytes of a file that is deleted when the disk is full, so that the server can start. With fewer than 8MiB it
            # may not start.
            # a size like `16MiB`, or a number of bytes, from 0 to 1GiB; variable XIAOER_JOURNAL_BALLAST_BYTES
            # journal.ballast_bytes = "64MiB"

            # Whether an answer waits for the disk. Off is for tests only: a power cut then loses answers.
            # `true` or `false`; variable XIAOER_JOURNAL_SYNC
            # journal.sync = true

            # Bytes of memory for the read cache of the journal.
            # a size like `16MiB`, or a number of bytes, from 1MiB to 1TiB; variable XIAOER_JOURNAL_CACHE_BYTES
            # journal.cache_bytes = "32MiB"

            # About how many records a start reads again at most: after so many a checkpoint is taken, at most one a second.
            # Fewer records make a start quicker and cost more writing.
            # a whole number, from 1 to 1000000000; variable XIAOER_JOURNAL_CHECKPOINT_RECORDS
            # journal.checkpoint_records = 262144

            # Microseconds that a commit waits for others to join, where several joined before; 0: never.
            # a whole number, from 0 to 1000; variable XIAOER_JOURNAL_LINGER_US
            # journal.linger_us = 200

            # Whether a folder of an older form is converted in place at the start. It needs no room for a copy, and it
            # cannot be undone: take a backup first.
            # `true` or `false`; variable XIAOER_UPGRADE_IN_PLACE
            # upgrade.in_place = false

            # How long the disk may give no answer while the folder is opened, before the process ends with status 74; `0s`:
            # for ever.
            # a duration like `90d`, `1h 30m` or `500ms`, from 0s to 1d; variable XIAOER_JOURNAL_OPEN_TIMEOUT
            # journal.open_timeout = "60s"

            # The same for a commit, for a checkpoint, and for any other call into an open folder.
            # a duration like `90d`, `1h 30m` or `500ms`, from 0s to 1d; variable XIAOER_JOURNAL_COMMIT_TIMEOUT
            # journal.commit_timeout = "30s"

            # How far the machine's clock may be past the last record at a start. Beyond that, events are refused (503) until
            # the clock is set right or accepted. `0s`: any distance.
            # a duration like `90d`, `1h 30m` or `500ms`; variable XIAOER_CLOCK_GAP_MAX
            # clock.gap_max = "30d"

            # Whether this start accepts the machine's clock, however far it is past the last record; `--accept-clock`.
            # `true` or `false`; variable XIAOER_CLOCK_ACCEPT
            # clock.accept = false

            # How many requests of one shop may wait; further ones are answered 503.
            # a whole number, from 1 to 1000000; variable XIAOER_SHOP_MAILBOX
            # shop.mailbox = 1024

            # How long a shop without requests stays in memory.
            # a duration like `90d`, `1h 30m` or `500ms`, from 10ms to 365d; variable XIAOER_SHOP_IDLE
            # shop.idle = "5m"

            # Bytes of one shop that may wait for a commit, of 64MiB for all shops; beyond that its next event is answered
            # 503.
            # a size like `16MiB`, or a number of bytes, from 1MiB to 64MiB; variable XIAOER_SHOP_WAITING_BYTES_MAX
            # shop.waiting_bytes_max = "16MiB"

            # Bytes that one shop may add to the journal in an hour; beyond that its events are answered 429, and those of
            # other shops are not. 0: no limit.
            # a size like `16MiB`, or a number of bytes, from 0 to 1TiB; variable XIAOER_SHOP_BYTES_PER_HOUR_MAX
            # shop.bytes_per_hour_max = "0B"

            # The buyer space of a shop that names none: `preset`, shared by the shops of its preset, for one seller; or
            # `shop`, its own, for a server with shops of several sellers.
            # `preset` or `shop`; variable XIAOER_SHOPS_BUYER_SPACE
            # shops.buyer_space = "preset"

            # How long after the end of its lease an agent still counts as present, before the server takes it offline.
            # a duration like `90d`, `1h 30m` or `500ms`, from 0s to 1d; variable XIAOER_PRESENCE_GRACE
            # presence.grace = "10s"

            # Whether webhooks may call private addresses: loopback, link-local, a company's own network. Keep it off where
            # people with keys should not reach that network.
            # `true` or `false`; variable XIAOER_WEBHOOK_PRIVATE_ADDRESSES
            # webhook.private_addresses = false

            # How long a webhook endpoint may take to answer.
            # a duration like `90d`, `1h 30m` or `500ms`, from 10ms to 2m; variable XIAOER_WEBHOOK_TIMEOUT
            # webhook.timeout = "15s"

            # How many endpoints a shop may have.
            # a whole number, from 1 to 10000; variable XIAOER_WEBHOOK_ENDPOINTS_MAX
            # webhook.endpoints_max = 200

            # The largest body of a request, in bytes; a larger one is answered 413.
            # a size like `16MiB`, or a number of bytes, from 1KiB to 1GiB; variable XIAOER_HTTP_BODY_BYTES_MAX
            # http.body_bytes_max = "16MiB"

            # The bytes that the bodies of all requests in progress may have together; a request without room is answered
            # 503.
            # a size like `16MiB`, or a number of bytes, from 1MiB to 1TiB; variable XIAOER_HTTP_BODIES_BYTES_MAX
            # http.bodies_bytes_max = "256MiB"

            # The bytes of answers that clients have not received yet, together. Connections without a valid key may use a
            # quarter. A long answer without room is answered 503; a client that receives nothing is disconnected.
            # a size like `16MiB`, or a number of bytes, from 1MiB to 1TiB; variable XIAOER_HTTP_ANSWERS_BYTES_MAX
            # http.answers_bytes_max = "256MiB"

            # How long a request's body may take to arrive; a slower one is answered 408.
            # a duration like `90d`, `1h 30m` or `500ms`, from 10ms to 1h; variable XIAOER_HTTP_BODY_TIMEOUT
            # http.body_timeout = "10s"

            # How long a request's head may take to arrive.
            # a duration like `90d`, `1h 30m` or `500ms`, from 10ms to 1h; variable XIAOER_HTTP_HEADER_TIMEOUT
            # http.header_timeout = "5s"

            # How long a client may take to receive what is ready, about 64KiB at once, before it is disconnected.
            # a duration like `90d`, `1h 30m` or `500ms`, from 10ms to 1h; variable XIAOER_HTTP_WRITE_TIMEOUT
            # http.write_timeout = "30s"

            # How long a connection without a request stays open.
            # a duration like `90d`, `1h 30m` or `500ms`, from 10ms to 1h; variable XIAOER_HTTP_KEEP_ALIVE
            # http.keep_alive = "75s"

            # How many connections one thread keeps open; further ones wait.
            # a whole number, from 1 to 1000000; variable XIAOER_HTTP_CONNECTIONS_MAX
            # http.connections_max = 12000

            # How many connections without a valid key one address may have; further ones are closed. Of IPv6, all addresses
            # of a /64 network count as one.
            # a whole number, from 1 to 1000000; variable XIAOER_HTTP_CONNECTIONS_PER_PEER
            # http.connections_per_peer = 1024

            # Addresses of proxies, whose connections belong to many clients: `http.connections_per_peer` does not apply to
            # them.
            # nothing, or addresses and networks like `10.0.0.7` or `10.0.0.0/8`, with commas between them; variable XIAOER_HTTP_PROXIES
            # http.proxies = ""

            # Whether `/metrics` is answered without a key; `auto`: only where the server listens on a loopback address.
            # `auto`, `true` or `false`; variable XIAOER_HTTP_METRICS_PUBLIC
            # http.metrics_public = "auto"

            # How long a stopping server may take to finish accepted requests.
            # a duration like `90d`, `1h 30m` or `500ms`, from 0s to 1h; variable XIAOER_HTTP_SHUTDOWN_TIMEOUT
            # http.shutdown_timeout = "30s"
        "##]].assert_eq(&explained);
    }

    #[test]
    fn what_cannot_be_says_what_can() {
        let errors = [
            load(Some("listen = \n"), &[], &[]),
            load(Some("a = 1\na = 2\n"), &[], &[]),
            load(Some("lisen = '127.0.0.1:1'"), &[], &[]),
            load(Some("[http]\nbody_timout = '1s'"), &[], &[]),
            load(Some("[nothing]\nlike = 'it'"), &[], &[]),
            load(Some("listen.port = 1"), &[], &[]),
            load(Some("workers = [1]"), &[], &[]),
            load(Some("workers = 1.5"), &[], &[]),
            load(Some("what = 2026-11-11"), &[], &[]),
            load(Some("workers = -1"), &[], &[]),
            load(Some("listen = 7600"), &[], &[]),
            load(None, &[("XIAOER_LISEN", "127.0.0.1:1")], &[]),
            load(None, &[("XIAOER_SEEDS", "7")], &[]),
            load(None, &[("XIAOER_HTTP__KEEP_ALIVE", "1s")], &[]),
            load(None, &[("XIAOER_", "")], &[]),
            load(None, &[("XIAOER_LISTEN", "")], &[]),
            load(None, &[("XIAOER_WORKERS", "1025")], &[]),
            load(None, &[], &[("retention", "30d")]),
            load(None, &[], &[("Workers", "1")]),
            load(None, &[], &[("", "1")]),
            load(None, &[], &[("data", "")]),
            load(None, &[], &[("log.level", "verbose")]),
            load(None, &[], &[("log.format", "JSON")]),
            load(None, &[], &[("http.metrics_public", "yes")]),
            load(None, &[], &[("journal.reserve_bytes", "1GB")]),
            load(None, &[], &[("journal.linger_us", "1001")]),
            load(None, &[], &[("shop.mailbox", "0")]),
            load(None, &[], &[("http.body_timeout", "10")]),
            load(None, &[], &[("http.keep_alive", "2h")]),
            load(None, &[], &[("journal.retention", "7d")]),
            load(
                None,
                &[],
                &[("insecure", "true"), ("listen", "0.0.0.0:7600")],
            ),
            load(
                Some("insecure = true"),
                &[("XIAOER_LISTEN", "[::]:7600")],
                &[],
            ),
            load(Some("tls.key = 'k.pem'"), &[], &[]),
            load(None, &[("XIAOER_TLS_CERTIFICATE", "c.pem")], &[]),
        ];
        let errors: Vec<String> = errors.into_iter().map(|error| error.unwrap_err()).collect();
        expect![[r#"
            xiaoer.toml, line 1: not valid TOML: string values must be quoted, expected literal string
            xiaoer.toml, line 2: not valid TOML: duplicate key
            xiaoer.toml: there is no setting `lisen`; did you mean `listen`?
            xiaoer.toml: there is no setting `http.body_timout`; did you mean `http.body_timeout`?
            xiaoer.toml: there is no setting `nothing.like`: remove it; `xiaoer serve --print-settings` shows all settings
            xiaoer.toml: there is no setting `listen.port`: remove it; `xiaoer serve --print-settings` shows all settings
            xiaoer.toml: `workers` must be a whole number, from 0 to 512, not `[…]`
            xiaoer.toml: `workers` must be a whole number, from 0 to 512, not `1.5`
            xiaoer.toml: there is no setting `what`: remove it; `xiaoer serve --print-settings` shows all settings
            xiaoer.toml: `workers` must be a whole number, from 0 to 512, not `-1`
            xiaoer.toml: `listen` must be an address and a port like `127.0.0.1:7600` or `[::1]:7600`, not `7600`
            environment: there is no setting `XIAOER_LISEN`; did you mean `XIAOER_LISTEN`?
            environment: there is no setting `XIAOER_SEEDS`: remove it; `xiaoer serve --print-settings` shows all settings
            environment: there is no setting `XIAOER_HTTP__KEEP_ALIVE`; did you mean `XIAOER_HTTP_KEEP_ALIVE`?
            environment: there is no setting `XIAOER_`: remove it; `xiaoer serve --print-settings` shows all settings
            XIAOER_LISTEN: `listen` must be an address and a port like `127.0.0.1:7600` or `[::1]:7600`, not ``
            XIAOER_WORKERS: `workers` must be a whole number, from 0 to 512, not `1025`
            command line: there is no setting `retention`; did you mean `journal.retention`?
            command line: there is no setting `Workers`; did you mean `workers`?
            command line: there is no setting ``: remove it; `xiaoer serve --print-settings` shows all settings
            command line: `data` must be a path, not ``
            command line: `log.level` must be `off`, `error`, `warn`, `info`, `debug` or `trace`, not `verbose`
            command line: `log.format` must be `text` or `json`, not `JSON`
            command line: `http.metrics_public` must be `auto`, `true` or `false`, not `yes`
            command line: `journal.reserve_bytes` must be a size like `16MiB`, or a number of bytes, from 0 to 1TiB, not `1GB`
            command line: `journal.linger_us` must be a whole number, from 0 to 1000, not `1001`
            command line: `shop.mailbox` must be a whole number, from 1 to 1000000, not `0`
            command line: `http.body_timeout` must be a duration like `90d`, `1h 30m` or `500ms`, from 10ms to 1h, not `10`
            command line: `http.keep_alive` must be a duration like `90d`, `1h 30m` or `500ms`, from 10ms to 1h, not `2h`
            command line: `journal.retention` must be at least 8d, because an event that is sent again within 7 days gets its first answer; `0s` keeps the journal for ever
            command line: `insecure` is allowed on a loopback address only: listen on 127.0.0.1, or make keys with `xiaoer key new` and leave it out
            xiaoer.toml: `insecure` is allowed on a loopback address only: listen on 127.0.0.1, or make keys with `xiaoer key new` and leave it out
            xiaoer.toml: `tls.key` needs its certificate: set `tls.certificate` too
            XIAOER_TLS_CERTIFICATE: `tls.certificate` needs its private key: set `tls.key` too"#]].assert_eq(&errors.join("\n"));
    }

    #[test]
    fn what_goes_together_is_taken() {
        for flags in [
            &[("journal.retention", "8d")][..],
            &[("journal.retention", "0s")],
            &[("insecure", "true")],
            &[("insecure", "true"), ("listen", "[::1]:1")],
            &[("tls.key", "k.pem"), ("tls.certificate", "c.pem")],
            &[("tls.key", "k.pem"), ("tls.key", "")],
        ] {
            load(None, &[], flags).unwrap();
        }
    }
}
