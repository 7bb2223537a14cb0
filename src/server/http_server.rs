//! The sockets, the threads and the framework behind them.
//!
//! The framework's own server hides its streams, so its parts are combined here: the acceptor and its threads, the
//! limits of connections, HTTP/1.1, and the route table.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, Response};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, map_config};
use actix_web::body::BoxBody;
use actix_web::dev::{AppConfig, Server};
use actix_web::{App, Error};
use tokio::net::TcpSocket;

use super::bounded_stream::ClientStream;
use super::connection_setup::{Accepting, AcceptingFactory, MaybeTls};
use super::{ServeError, std_time};
use crate::api::configure;
use crate::http::AppState;
use crate::runtime::Shops;
use crate::settings::Settings;

/// Connections that the system has accepted and the server has not.
const BACKLOG: u32 = 1024;

/// The send buffer of one client; the system doubles it. It does not grow, so that a client that reads slowly shows
/// progress, and one that does not read costs little memory.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// How long a connection that is being closed may still send.
const CLOSING_WITHIN: Duration = Duration::from_secs(1);

/// Listens. The options set here hold for every connection.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let listen = || -> io::Result<TcpListener> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        // Answers are complete when they are written, so none waits for an acknowledgement of the one before.
        socket.set_nodelay(true)?;
        socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    listen().map_err(|error| {
        ServeError::Unusable(format!(
            "{address} cannot be listened on: {error}; choose another with --listen"
        ))
    })
}

/// The number of threads that serve.
pub(super) fn workers(settings: &Settings) -> usize {
    /// The framework's own limit.
    const WORKERS_MAX: usize = 512;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    match settings.workers as usize {
        0 => cores.min(WORKERS_MAX),
        workers => workers,
    }
}

/// Serves the connections of a listener.
pub(super) fn start(
    listener: TcpListener,
    settings: &Settings,
    shops: &Shops,
    state: Arc<AppState>,
    accepting: Accepting,
) -> io::Result<Server> {
    let builder = Server::build()
        .workers(workers(settings))
        .disable_signals()
        .max_concurrent_connections(settings.http_connections_max as usize)
        .shutdown_timeout(std_time(settings.http_shutdown_timeout).as_secs());
    let stopping = builder.graceful_shutdown_signal();
    let address = listener.local_addr()?;
    let (shops, keep_alive) = (shops.clone(), std_time(settings.http_keep_alive));
    let header_timeout = std_time(settings.http_header_timeout);
    let factory = move || {
        shops.run_actors_here();
        let stopping = stopping.clone();
        let app = App::new().configure(configure(Arc::clone(&state)));
        let app = app
            .into_factory()
            .map_err(|error: Error| Response::<BoxBody>::from(error.error_response()));
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(keep_alive)
            .client_request_timeout(header_timeout)
            .client_disconnect_timeout(CLOSING_WITHIN)
            .local_addr(address)
            .on_connect_ext(|stream: &ClientStream<MaybeTls>, data| {
                data.insert(stream.connection());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        AcceptingFactory {
            http,
            accepting: accepting.clone(),
        }
    };
    Ok(builder.listen("http", listener, factory)?.run())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[actix_web::test]
    async fn every_connection_has_what_the_listener_was_given() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let _client = TcpStream::connect(address).unwrap();
        listener.set_nonblocking(false).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert!(accepted.nodelay().unwrap());
        let held = rustix::net::sockopt::socket_send_buffer_size(&accepted).unwrap();
        assert!(held <= SEND_BUFFER_BYTES as usize * 2, "{held}");
        let again = listen(address).err().map(|error| error.to_string());
        let again = again.unwrap_or_default();
        assert!(again.contains("--listen"), "{again}");
    }
}
