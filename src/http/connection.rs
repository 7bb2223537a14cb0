//! The state of a connection that its server and its requests share: whether its client has shown a good key, and the
//! progress of its requests.
//!
//! The server stores one in each connection's data and reads it when it reads and writes. It reads the next request
//! only after the current one is answered, unless the current one waits for its body. A request without a server, as in
//! tests, gets a connection of its own.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::HttpRequest;

/// The state of a connection. It stays on the connection's thread.
#[derive(Debug, Default)]
pub struct Connection {
    known: Cell<bool>,
    answering: Cell<u32>,
    steps: Cell<u64>,
    body: Cell<BodyWanted>,
}

/// The body that a request waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyWanted {
    /// None.
    #[default]
    None,
    /// A body of this length in bytes.
    Sized(u64),
    /// A chunked body, which marks its own end.
    Chunks,
}

impl Connection {
    /// The connection of a request.
    pub(super) fn of(request: &HttpRequest) -> Rc<Connection> {
        request
            .conn_data::<Rc<Connection>>()
            .cloned()
            .unwrap_or_default()
    }

    /// Whether the client has shown a good key.
    pub fn is_known(&self) -> bool {
        self.known.get()
    }

    /// Records that the client has shown a good key.
    pub(super) fn make_known(&self) {
        self.known.set(true);
    }

    /// Whether a request is being answered, up to the end of its response body.
    pub fn is_answering(&self) -> bool {
        self.answering.get() > 0
    }

    /// The body that the current request waits for.
    pub fn body_wanted(&self) -> BodyWanted {
        self.body.get()
    }

    /// A counter that grows when a request starts and when its body has been read. Bytes received before that are not
    /// part of the next request's head.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// Starts a request. It counts as answered when the guard is dropped.
    pub(super) fn begin(self: &Rc<Self>) -> AnsweringGuard {
        self.answering.set(self.answering.get() + 1);
        self.step();
        AnsweringGuard(Rc::clone(self))
    }

    /// Starts to wait for a body, until the guard is dropped.
    pub(super) fn begin_body(&self, wanted: BodyWanted) -> BodyGuard<'_> {
        self.body.set(wanted);
        BodyGuard(self)
    }

    fn step(&self) {
        self.steps.set(self.steps.get() + 1);
    }
}

/// Guard of a request that is being answered.
pub(super) struct AnsweringGuard(Rc<Connection>);

impl Drop for AnsweringGuard {
    fn drop(&mut self) {
        let answering = self.0.answering.get();
        self.0.answering.set(answering.saturating_sub(1));
    }
}

/// Guard of a request that waits for its body.
pub(super) struct BodyGuard<'a>(&'a Connection);

impl Drop for BodyGuard<'_> {
    fn drop(&mut self) {
        self.0.body.set(BodyWanted::None);
        self.0.step();
    }
}
