//! From an accepted socket to the framework: the limits of its address, TLS, and the stream that bounds it.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_rt::net::TcpStream;
use actix_service::{Service, ServiceFactory};
use futures_util::future::LocalBoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::bounded_stream::{ClientStream, Socket};
use super::connections::{Connections, OpenConnection};
use super::tls::Certificate;
use crate::telemetry::Cut;

/// How connections are accepted.
#[derive(Clone)]
pub(super) struct Accepting {
    pub connections: Arc<Connections>,
    pub tls: Option<Tls>,
}

/// How a connection is encrypted.
#[derive(Clone)]
pub(super) struct Tls {
    pub certificate: Arc<Certificate>,
    /// How long a handshake may take.
    pub timeout: Duration,
    /// How many handshakes of one thread are in progress.
    pub handshakes_max: usize,
}

/// Makes the service of one thread; `http` is the framework's.
pub(super) struct AcceptingFactory<F> {
    pub http: F,
    pub accepting: Accepting,
}

impl<F> ServiceFactory<TcpStream> for AcceptingFactory<F>
where
    F: ServiceFactory<(ClientStream<MaybeTls>, Option<SocketAddr>), Config = ()>,
    F::Future: 'static,
    F::Service: 'static,
{
    type Response = ();
    type Error = ();
    type Config = ();
    type Service = AcceptingService<F::Service>;
    type InitError = F::InitError;
    type Future = LocalBoxFuture<'static, Result<Self::Service, Self::InitError>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let (http, accepting) = (self.http.new_service(()), self.accepting.clone());
        Box::pin(async move {
            Ok(AcceptingService {
                http: Rc::new(http.await?),
                accepting,
                handshakes: Rc::default(),
            })
        })
    }
}

/// Accepts connections on one thread.
pub(super) struct AcceptingService<S> {
    http: Rc<S>,
    accepting: Accepting,
    /// Handshakes that are in progress.
    handshakes: Rc<Cell<usize>>,
}

impl<S> Service<TcpStream> for AcceptingService<S>
where
    S: Service<(ClientStream<MaybeTls>, Option<SocketAddr>)> + 'static,
{
    type Response = ();
    type Error = ();
    type Future = LocalBoxFuture<'static, Result<(), ()>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        self.http.poll_ready(cx).map_err(drop)
    }

    fn call(&self, stream: TcpStream) -> Self::Future {
        let (http, accepting) = (Rc::clone(&self.http), self.accepting.clone());
        let handshakes = Rc::clone(&self.handshakes);
        Box::pin(async move {
            // A socket without an address is closed already.
            let Ok(address) = stream.peer_addr() else {
                return Ok(());
            };
            let Some(open) = accepting.connections.admit(address.ip()) else {
                // The client may have sent much already. Closing without a reset would leave that data with the
                // system.
                stream.set_zero_linger().ok();
                return Ok(());
            };
            let stream = match &accepting.tls {
                None => MaybeTls::Plain(stream),
                Some(tls) => match encrypt(stream, tls, &open, &handshakes).await {
                    Some(stream) => stream,
                    None => return Ok(()),
                },
            };
            let stream = ClientStream::new(stream, open);
            http.call((stream, Some(address))).await.map_err(drop)?;
            Ok(())
        })
    }
}

/// A handshake in progress, until this is dropped.
struct Handshake(Rc<Cell<usize>>);

impl Drop for Handshake {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Runs a handshake; `None` where it fails. Each connection runs its own, so that a silent client delays no other.
async fn encrypt(
    stream: TcpStream,
    tls: &Tls,
    open: &OpenConnection,
    handshakes: &Rc<Cell<usize>>,
) -> Option<MaybeTls> {
    if handshakes.get() >= tls.handshakes_max {
        open.end(Cut::HandshakesFull);
        return None;
    }
    handshakes.set(handshakes.get() + 1);
    let _in_hand = Handshake(Rc::clone(handshakes));
    let acceptor = TlsAcceptor::from(tls.certificate.config());
    match actix_rt::time::timeout(tls.timeout, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(MaybeTls::Tls(Box::new(stream))),
        // The client sent something else than a handshake, or has left.
        Ok(Err(_)) => None,
        Err(_) => {
            open.end(Cut::HandshakeTooSlow);
            None
        }
    }
}

/// A socket, encrypted or not.
pub(super) enum MaybeTls {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket for MaybeTls {
    fn abandon(&self) {
        let socket = match self {
            MaybeTls::Plain(socket) => socket,
            MaybeTls::Tls(stream) => stream.get_ref().0,
        };
        socket.set_zero_linger().ok();
    }
}

impl AsyncRead for MaybeTls {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            MaybeTls::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            MaybeTls::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for MaybeTls {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            MaybeTls::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            MaybeTls::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            MaybeTls::Plain(socket) => Pin::new(socket).poll_flush(cx),
            MaybeTls::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            MaybeTls::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            MaybeTls::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
