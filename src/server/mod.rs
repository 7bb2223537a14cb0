//! The server: puts the rooms together, listens, and shuts down in order.

mod control;
mod tls;
mod watching;

use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{App, HttpServer};
use futures_util::future::select;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub use control::{SOCKET, ask_backup};
use watching::{OfJournal, Watching};

use crate::api::{self, ApiState, Keeper, Limits, configure};
use crate::domain::time::Duration as Length;
use crate::env::{Env, StartRule};
use crate::journal::{Embedded, Journal, JournalError};
use crate::keys::{Keys, NewKey, Scope};
use crate::settings::{LogFormat, Settings};
use crate::shop::{self, Desk, DeskSettings, SharedLedger};
use crate::webhook::{self, Calling, SystemLookup, Webhooks};

/// How long those who listen to streams may take to take what was sent, once the server stops.
const LISTENERS_WITHIN: Duration = Duration::from_secs(3);

/// Why the server did not start, or has stopped.
#[derive(Debug)]
pub enum ServeError {
    /// Something that is named cannot be used: what, and what to do.
    Unusable(String),
    /// The journal's folder.
    Journal(JournalError),
    /// The world failed.
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
    /// Where; the port is the real one.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// The key that the first start has made, which is shown once.
    pub first_key: Option<String>,
    /// Its shops.
    pub desk: Desk,
}

impl Listening {
    /// Where it is found.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

/// How the journal is kept, by the settings.
pub fn journal_settings(settings: &Settings) -> crate::journal::Settings {
    crate::journal::Settings {
        data: settings.data.clone(),
        cache_bytes: settings.journal_cache_bytes.0,
        reserve_bytes: settings.journal_reserve_bytes.0,
        ballast_bytes: settings.journal_ballast_bytes.0,
        linger_us: settings.journal_linger_us,
        retention_ms: settings.journal_retention.ms(),
        patience: crate::journal::Patience {
            open: std_time(settings.journal_open_timeout),
            commit: std_time(settings.journal_commit_timeout),
        },
        sync: settings.journal_sync,
    }
}

fn std_time(length: Length) -> Duration {
    Duration::from_millis(length.ms().max(0) as u64)
}

/// Serves until it is told to stop. `listening` is called once it takes requests, with what it can be asked by.
///
/// # Errors
///
/// The folder, the keys, the certificate or the address cannot be used. A disk that fails later ends the process.
pub fn serve<Then>(
    settings: &Settings,
    env: Env,
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
    crate::env::before_end(crate::telemetry::logs::flush);
    raise_file_limit();
    let served = actix_rt::System::new().block_on(run(settings, env, listening));
    crate::telemetry::logs::flush();
    served
}

/// As many connections as the machine allows.
fn raise_file_limit() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let all = rustix::process::Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it may not be raised, there are fewer connections.
    rustix::process::setrlimit(rustix::process::Resource::Nofile, all).ok();
}

async fn run<Then>(
    settings: &Settings,
    env: Env,
    listening: impl FnOnce(Listening) -> Then,
) -> Result<(), ServeError>
where
    Then: Future<Output = ()> + 'static,
{
    let stop = Stop::listen()?;
    let watching = Watching::new();
    let of_journal = Box::new(OfJournal(Arc::clone(&watching)));
    let opened = Embedded::open(&journal_settings(settings), &env, of_journal)?;
    let start = StartRule {
        gap_max: settings.clock_gap_max,
        accept: settings.clock_accept,
    };
    env.clock.resume(opened.latest, start);
    let ledger = Arc::new(SharedLedger::kept(opened.ledger.as_deref(), opened.booked)?);
    let journal = Arc::new(opened.journal);
    let source = Arc::clone(&ledger);
    journal.keep_ledger(Box::new(move || source.stored()));
    control::listen(&settings.data, &journal);
    let (keeper, keys, first_key) = keep(settings, &env)?;
    let desk = Desk::new(
        Arc::clone(&journal) as Arc<dyn Journal>,
        ledger,
        env,
        Arc::clone(&watching) as Arc<dyn shop::Watch>,
        &DeskSettings {
            mailbox: settings.shop_mailbox as usize,
            idle: std_time(settings.shop_idle),
            grace: settings.presence_grace,
        },
    );
    desk.renew_leases()?;
    let webhooks = webhooks(settings, &desk, &watching)?;
    let state = Arc::new(ApiState {
        desk: desk.clone(),
        webhooks: Arc::clone(&webhooks),
        keeper,
        limits: Limits {
            body_bytes_max: settings.http_body_bytes_max.0 as usize,
            body_timeout: std_time(settings.http_body_timeout),
            metrics_public: settings.http_metrics_public,
            ..Limits::default()
        },
        watch: Arc::clone(&watching) as Arc<dyn api::Watch>,
    });
    let (server, address) = bind(settings, &desk, state)?;
    let running = server.run();
    let handle = running.handle();
    actix_rt::spawn(running);
    actix_rt::spawn(look_after(watching, keys));
    let sleepers = desk.clone();
    actix_rt::spawn(async move {
        if let Err(error) = sleepers.wake_sleepers().await {
            tracing::error!(%error, "sleeping shops cannot be woken for their timers");
        }
    });
    actix_rt::spawn(listening(Listening {
        address,
        tls: settings.tls_certificate.is_some(),
        first_key,
        desk: desk.clone(),
    }));
    stop.told().await;
    tracing::info!("stopping: what was taken is answered, nothing more is taken");
    desk.close().await;
    select(pin!(handle.stop(true)), pin!(stuck(&desk))).await;
    webhooks.close().await;
    control::leave(&settings.data);
    // What the shops have stored is written before the process may end.
    let closing = actix_rt::task::spawn_blocking(move || journal.close());
    closing.await.ok();
    tracing::info!("stopped");
    Ok(())
}

/// The couriers of all webhooks, going on where they were.
fn webhooks(
    settings: &Settings,
    desk: &Desk,
    watching: &Arc<Watching>,
) -> Result<Arc<Webhooks>, ServeError> {
    let calling = Calling {
        timeout: std_time(settings.webhook_timeout),
        private_addresses: settings.webhook_private_addresses,
        lookup: Arc::new(SystemLookup::new()),
    };
    let settings = webhook::Settings {
        calling,
        endpoints_max: settings.webhook_endpoints_max as usize,
    };
    let watch = Arc::clone(watching) as Arc<dyn webhook::Watch>;
    Ok(Webhooks::open(desk.clone(), settings, watch)?)
}

/// Ends where somebody listens to a stream and does not take what was sent: whoever takes nothing is not waited for.
async fn stuck(desk: &Desk) {
    actix_rt::time::sleep(LISTENERS_WITHIN).await;
    if !desk.has_listeners() {
        std::future::pending::<()>().await;
    }
}

/// Who is let in; on a first start somebody must be.
#[expect(
    clippy::type_complexity,
    reason = "three things that are made together"
)]
fn keep(
    settings: &Settings,
    env: &Env,
) -> Result<(Keeper, Option<Arc<Keys>>, Option<String>), ServeError> {
    if settings.insecure {
        return Ok((Keeper::Insecure, None, None));
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
            at: env.clock.now(),
        };
        first = Some(keys.new_key(admin).map_err(unusable)?.1);
    }
    let keeper = Keeper::Keys(Arc::clone(&keys) as Arc<dyn api::KeyRing>);
    Ok((keeper, Some(keys), first))
}

type Server = actix_web::dev::Server;

/// Anything that can be run as a server.
trait Runs {
    fn run(self: Box<Self>) -> Server;
}

impl<F: FnOnce() -> Server> Runs for F {
    fn run(self: Box<Self>) -> Server {
        self()
    }
}

fn bind(
    settings: &Settings,
    desk: &Desk,
    state: Arc<ApiState>,
) -> Result<(Box<dyn Runs>, SocketAddr), ServeError> {
    let desk = desk.clone();
    let server = HttpServer::new(move || {
        desk.settle_here();
        App::new().configure(configure(Arc::clone(&state)))
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = match settings.workers as usize {
        0 => cores,
        workers => workers,
    };
    let server = server
        .workers(workers)
        .disable_signals()
        .max_connections(settings.http_connections_max as usize)
        .client_request_timeout(std_time(settings.http_header_timeout))
        .client_disconnect_timeout(Duration::from_secs(1))
        .keep_alive(std_time(settings.http_keep_alive))
        .shutdown_timeout(std_time(settings.http_shutdown_timeout).as_secs());
    let taken = |error: std::io::Error| {
        ServeError::Unusable(format!(
            "{} cannot be listened on: {error}; choose another with --listen",
            settings.listen
        ))
    };
    let server = match (&settings.tls_certificate, &settings.tls_key) {
        (Some(certificate), Some(key)) => {
            let tls = tls::configure(Path::new(certificate), Path::new(key))?;
            server
                .bind_rustls_0_23(settings.listen, tls)
                .map_err(taken)?
        }
        (None, _) | (_, None) => server.bind(settings.listen).map_err(taken)?,
    };
    let address = server.addrs().first().copied().unwrap_or(settings.listen);
    Ok((Box::new(move || server.run()), address))
}

/// Small chores, once a second: keys that another process has changed, histograms.
async fn look_after(watching: Arc<Watching>, keys: Option<Arc<Keys>>) {
    let mut told = String::new();
    loop {
        actix_rt::time::sleep(Duration::from_secs(1)).await;
        watching.upkeep();
        let Some(keys) = keys.clone() else { continue };
        let reloaded = actix_rt::task::spawn_blocking(move || keys.reload_if_changed()).await;
        match reloaded {
            Ok(Ok(true)) => tracing::info!("the keys were changed by another process"),
            Ok(Ok(false)) | Err(_) => {}
            Ok(Err(error)) => {
                let text = error.to_string();
                if text != told {
                    tracing::error!(%error, "the keys stay as they were");
                    told = text;
                }
            }
        }
    }
}

/// Ctrl-C, and the word of whoever runs services; heard from the moment on at which this is made.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn listen() -> Result<Stop, ServeError> {
        let hear = |kind| {
            let failed = |error| ServeError::Failed(format!("signals cannot be heard: {error}"));
            signal(kind).map_err(failed)
        };
        Ok(Stop {
            interrupt: hear(SignalKind::interrupt())?,
            terminate: hear(SignalKind::terminate())?,
        })
    }

    async fn told(mut self) {
        let (interrupt, terminate) = (self.interrupt.recv(), self.terminate.recv());
        futures_util::future::select(Box::pin(interrupt), Box::pin(terminate)).await;
    }
}
