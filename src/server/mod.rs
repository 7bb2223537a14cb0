//! The server: connects the modules, listens, and shuts down in order.

// Incoming: sockets, their limits, TLS.
mod bounded_stream;
mod connection_setup;
mod connections;
mod http_server;
mod peers;
mod request_boundaries;
mod tls;

// The process: resources, signals, metrics and logs.
mod control_socket;
mod folder_upgrade;
mod observers;
mod process_limits;
mod reload;
mod shop_key_binding;
mod signals;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select;

use connection_setup::{Accepting, Tls};
use connections::Connections;
pub use control_socket::{SOCKET, ask_backup, ask_number, secrets};
pub use folder_upgrade::upgrade;
use observers::{JournalMetrics, Observers};
pub use reload::ReadSettings;
use reload::{ReloadedFiles, reload_on_hangup};
use signals::Signals;
use tls::Certificate;

use crate::domain::base::time::Duration as Length;
use crate::env::{self, Env, StartRule};
use crate::http;
use crate::http::{AppState, Authenticator, Budget, Limits};
use crate::journal::{Embedded, Journal, JournalError};
use crate::keys::{Keys, NewKey, Scope};
use crate::runtime::{self, RuntimeSettings, SharedLedger, ShopQuota, Shops};
use crate::settings::{BuyerSpace, LogFormat, MetricsPublic, Settings};
use crate::webhooks::{self, ClientSettings, SecretsFile, SystemLookup, Webhooks};

/// How long clients of streams may take to receive what was sent, once the server stops.
const LISTENERS_WITHIN: Duration = Duration::from_secs(3);

/// How often it is checked whether a client still receives.
const STUCK_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// Why the server did not start, or has stopped.
#[derive(Debug)]
pub enum ServeError {
    /// A setting, a file or an address cannot be used; the text says what to do.
    Unusable(String),
    /// The journal's folder.
    Journal(JournalError),
    /// The system has failed.
    Failed(String),
}

impl std::fmt::Display for ServeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ServeError::Unusable(what) | ServeError::Failed(what) => f.write_str(what),
            ServeError::Journal(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ServeError {}

impl From<JournalError> for ServeError {
    fn from(error: JournalError) -> ServeError {
        ServeError::Journal(error)
    }
}

/// A server that listens.
pub struct Listening {
    /// Its address, with the real port.
    pub address: SocketAddr,
    /// Whether it serves HTTPS.
    pub tls: bool,
    /// The key that the first start has made, which is shown once.
    pub first_key: Option<String>,
    /// Its shops.
    pub shops: Shops,
}

impl Listening {
    /// Its URL.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

/// The settings of the journal.
pub fn journal_settings(settings: &Settings) -> crate::journal::JournalSettings {
    crate::journal::JournalSettings {
        data: settings.data.clone(),
        cache_bytes: settings.journal_cache_bytes.0,
        reserve_bytes: settings.journal_reserve_bytes.0,
        ballast_bytes: settings.journal_ballast_bytes.0,
        linger_us: settings.journal_linger_us,
        retention_ms: settings.journal_retention.ms(),
        checkpoint_records: settings.journal_checkpoint_records,
        timeouts: crate::journal::DiskTimeouts {
            open: std_time(settings.journal_open_timeout),
            commit: std_time(settings.journal_commit_timeout),
        },
        sync: settings.journal_sync,
    }
}

fn std_time(length: Length) -> Duration {
    Duration::from_millis(length.ms().max(0) as u64)
}

/// Serves until a signal stops it. `listening` is called once requests are accepted. `read_settings` reads the
/// settings again at SIGHUP.
///
/// # Errors
///
/// The folder, the keys, the certificate or the address cannot be used. A disk that fails later ends the process.
pub fn serve<Then>(
    settings: &Settings,
    env: Env,
    read_settings: Option<ReadSettings>,
    listening: impl FnOnce(Listening) -> Then,
) -> Result<(), ServeError>
where
    Then: Future<Output = ()> + 'static,
{
    crate::telemetry::logs::init(
        settings.log_level.code(),
        matches!(settings.log_format, LogFormat::Json),
    )
    .map_err(|error| ServeError::Unusable(error.to_string()))?;
    env::set_exit_hook(crate::telemetry::logs::flush);
    process_limits::raise_file_limit();
    process_limits::check(http_server::workers(settings))?;
    let served = actix_rt::System::new().block_on(run(settings, env, read_settings, listening));
    crate::telemetry::logs::flush();
    served
}

async fn run<Then>(
    settings: &Settings,
    env: Env,
    read_settings: Option<ReadSettings>,
    listening: impl FnOnce(Listening) -> Then,
) -> Result<(), ServeError>
where
    Then: Future<Output = ()> + 'static,
{
    let signals = Signals::listen()?;
    let observers = Observers::new();
    let (journal, ledger) = open_journal(settings, &env, &observers)?;
    control_socket::listen(&settings.data, &journal);
    let (authenticator, keys, first_key) = authenticator(settings, &env)?;
    let shops = shops(settings, env, (&journal, ledger), &observers);
    if let Some(keys) = &keys {
        shop_key_binding::bind(keys, &journal);
    }
    shops.renew_leases()?;
    let webhooks = webhooks(settings, &shops, &observers)?;
    let limits = limits(settings);
    let tls = tls(settings)?;
    let files = ReloadedFiles {
        keys,
        certificate: tls.as_ref().map(|tls| Arc::clone(&tls.certificate)),
    };
    let connections = Connections::new(
        settings,
        Arc::clone(&limits.answers),
        Arc::clone(&observers),
    );
    let accepting = Accepting {
        connections: Arc::clone(&connections),
        tls,
    };
    let state = Arc::new(AppState {
        shops: shops.clone(),
        webhooks: Arc::clone(&webhooks),
        authenticator,
        limits,
        observer: Arc::clone(&observers) as Arc<dyn http::HttpObserver>,
        description: crate::api::description(),
    });
    let listener = http_server::listen(settings.listen)?;
    let address = listener.local_addr().map_err(not_started)?;
    let running =
        http_server::start(listener, settings, &shops, state, accepting).map_err(not_started)?;
    let handle = running.handle();
    actix_rt::spawn(running);
    actix_rt::spawn(run_upkeep(observers, files.clone()));
    let hangup = reload_on_hangup(signals.hangup, settings.clone(), read_settings, files);
    actix_rt::spawn(hangup);
    actix_rt::spawn(wake_passivated_shops(shops.clone()));
    actix_rt::spawn(listening(Listening {
        address,
        tls: settings.tls_certificate.is_some(),
        first_key,
        shops: shops.clone(),
    }));
    signals.stop.received().await;
    tracing::info!("stopping: accepted requests are answered, new ones are refused");
    shops.close().await;
    select(pin!(handle.stop(true)), pin!(stuck(&shops, &connections))).await;
    webhooks.close().await;
    control_socket::remove_socket(&settings.data);
    // Everything that the shops have stored is written before the process may end.
    env::blocking(move || journal.close()).await.ok();
    tracing::info!("stopped");
    Ok(())
}

fn not_started(error: std::io::Error) -> ServeError {
    ServeError::Failed(format!("the server's threads cannot be started: {error}"))
}

/// Opens the journal and the ledger, and sets the clock to the end of the journal.
fn open_journal(
    settings: &Settings,
    env: &Env,
    observers: &Arc<Observers>,
) -> Result<(Arc<Embedded>, Arc<SharedLedger>), ServeError> {
    let mut upgrade = upgrade(&settings.data);
    upgrade.in_place = settings.upgrade_in_place;
    let opened = Embedded::open_or_upgrade(
        &journal_settings(settings),
        env,
        Box::new(JournalMetrics(Arc::clone(observers))),
        &mut upgrade,
    )?;
    for sentence in &opened.repairs {
        tracing::warn!("the folder was repaired: {sentence}");
    }
    let start = StartRule {
        gap_max: settings.clock_gap_max,
        accept: settings.clock_accept,
    };
    env.clock.resume(opened.latest, start);
    let ledger = Arc::new(SharedLedger::load(opened.ledger.as_deref(), opened.booked)?);
    let journal = Arc::new(opened.journal);
    let source = Arc::clone(&ledger);
    journal.set_ledger_source(Box::new(move || source.bytes()));
    Ok((journal, ledger))
}

/// The shops of a journal. Each is loaded by its first request.
fn shops(
    settings: &Settings,
    env: Env,
    (journal, ledger): (&Arc<Embedded>, Arc<SharedLedger>),
    observers: &Arc<Observers>,
) -> Shops {
    Shops::new(
        Arc::clone(journal) as Arc<dyn Journal>,
        ledger,
        env,
        Arc::clone(observers) as Arc<dyn runtime::RuntimeObserver>,
        &RuntimeSettings {
            mailbox: settings.shop_mailbox as usize,
            idle: std_time(settings.shop_idle),
            grace: settings.presence_grace,
            quota: ShopQuota {
                waiting_bytes_max: settings.shop_waiting_bytes_max.0,
                bytes_per_hour_max: settings.shop_bytes_per_hour_max.0,
            },
        },
    )
}

/// Wakes passivated shops for their timers, as long as the server runs.
async fn wake_passivated_shops(shops: Shops) {
    if let Err(error) = runtime::wake_passivated_shops(shops).await {
        tracing::error!(%error, "passivated shops with timers cannot be listed, so their timers will not fire \
        until they get an event");
    }
}

/// Starts the workers of all webhooks.
fn webhooks(
    settings: &Settings,
    shops: &Shops,
    observers: &Arc<Observers>,
) -> Result<Arc<Webhooks>, ServeError> {
    let client = ClientSettings {
        timeout: std_time(settings.webhook_timeout),
        private_addresses: settings.webhook_private_addresses,
        lookup: Arc::new(SystemLookup::new()),
    };
    let secrets = SecretsFile::open(&settings.data)?;
    let settings = webhooks::WebhookSettings {
        client,
        endpoints_max: settings.webhook_endpoints_max as usize,
        secrets,
    };
    let observer = Arc::clone(observers) as Arc<dyn webhooks::WebhookObserver>;
    Ok(Webhooks::open(shops.clone(), settings, observer)?)
}

/// The limits of requests, from the settings.
fn limits(settings: &Settings) -> Limits {
    Limits {
        body_bytes_max: settings.http_body_bytes_max.0 as usize,
        body_timeout: std_time(settings.http_body_timeout),
        metrics_public: match settings.http_metrics_public {
            MetricsPublic::Auto => settings.listen.ip().to_canonical().is_loopback(),
            MetricsPublic::True => true,
            MetricsPublic::False => false,
        },
        bodies: Budget::new(settings.http_bodies_bytes_max.0),
        answers: Budget::new(settings.http_answers_bytes_max.0),
        own_buyer_space: matches!(settings.shops_buyer_space, BuyerSpace::Shop),
        ..Limits::default()
    }
}

/// How connections are encrypted, where there is a certificate.
fn tls(settings: &Settings) -> Result<Option<Tls>, ServeError> {
    let (Some(certificate), Some(key)) = (&settings.tls_certificate, &settings.tls_key) else {
        return Ok(None);
    };
    Ok(Some(Tls {
        certificate: Certificate::open(certificate, key)?,
        timeout: std_time(settings.tls_handshake_timeout),
        handshakes_max: settings.tls_handshakes_max as usize,
    }))
}

/// Ends once no client receives anything that is ready for it, from a stream or any other answer.
async fn stuck(shops: &Shops, connections: &Connections) {
    actix_rt::time::sleep(LISTENERS_WITHIN).await;
    while !shops.has_listeners() && !connections.are_all_stuck() {
        actix_rt::time::sleep(STUCK_CHECK_INTERVAL).await;
    }
}

/// The keys; a first start makes one.
#[expect(
    clippy::type_complexity,
    reason = "three things that are made together"
)]
fn authenticator(
    settings: &Settings,
    env: &Env,
) -> Result<(Authenticator, Option<Arc<Keys>>, Option<String>), ServeError> {
    if settings.insecure {
        return Ok((Authenticator::Insecure, None, None));
    }
    let unusable = |error: crate::keys::KeyError| ServeError::Unusable(error.to_string());
    let keys = Arc::new(Keys::open(&settings.data).map_err(unusable)?);
    let mut first = None;
    if keys.is_empty() {
        let admin = NewKey {
            shop: None,
            scope: Scope::Admin,
            name: Some("first start".to_owned()),
            own_clock: true,
            number: None,
            at: env.clock.now(),
        };
        first = Some(keys.new_key(admin).map_err(unusable)?.1);
    }
    let authenticator = Authenticator::Keys(Arc::clone(&keys) as Arc<dyn http::KeyRing>);
    Ok((authenticator, Some(keys), first))
}

/// Periodic work, once a second: files that another process has changed, histograms, connections that were ended.
async fn run_upkeep(observers: Arc<Observers>, files: ReloadedFiles) {
    let mut wrong_keys = String::new();
    loop {
        actix_rt::time::sleep(Duration::from_secs(1)).await;
        observers.upkeep();
        reload::check_files(&files, &mut wrong_keys).await;
    }
}
