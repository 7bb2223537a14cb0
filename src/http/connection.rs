//! One connection, as its server and its requests know it: whether its client has shown a good key, and how far its
//! requests are.
//!
//! The server puts one into the data of each connection and looks at it where it reads and writes: the next request is
//! read once the one before is answered, unless it is the body of that one that is waited for. A request that came
//! without a server, as in tests, has a connection of its own.

use std::cell::Cell;
use std::rc::Rc;

use actix_web::HttpRequest;

/// What is known of a connection. It stays on the thread of its connection.
#[derive(Debug, Default)]
pub struct Connection {
    known: Cell<bool>,
    answering: Cell<u32>,
    steps: Cell<u64>,
    body: Cell<BodyWanted>,
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyWanted {
    /// No body.
    #[default]
    None,
    /// A body of this length.
    Sized(u64),
    /// A body in chunks, which says itself where it ends.
    Chunks,
}

impl Connection {
    /// The connection on which a request came in.
    pub(super) fn of(request: &HttpRequest) -> Rc<Connection> {
        request
            .conn_data::<Rc<Connection>>()
            .cloned()
            .unwrap_or_default()
    }

    /// Whether its client has shown a good key.
    pub fn is_known(&self) -> bool {
        self.known.get()
    }

    /// Its client has shown a good key.
    pub(super) fn make_known(&self) {
        self.known.set(true);
    }

    /// Whether a request is being answered, up to the end of its answer's body.
    pub fn is_answering(&self) -> bool {
        self.answering.get() > 0
    }

    /// The body that a request waits for.
    pub fn body_wanted(&self) -> BodyWanted {
        self.body.get()
    }

    /// A number that grows when a request has begun and when its body has been read: what came in before is no part of
    /// the next request's head.
    pub fn steps(&self) -> u64 {
        self.steps.get()
    }

    /// A request has begun; it is answered when what comes back is dropped.
    pub(super) fn begin(self: &Rc<Self>) -> Answering {
        self.answering.set(self.answering.get() + 1);
        self.step();
        Answering(Rc::clone(self))
    }

    /// A request waits for its body, until what comes back is dropped.
    pub(super) fn begin_body(&self, wanted: BodyWanted) -> ReadingBody<'_> {
        self.body.set(wanted);
        ReadingBody(self)
    }

    fn step(&self) {
        self.steps.set(self.steps.get() + 1);
    }
}

/// A request that is being answered.
pub(super) struct Answering(Rc<Connection>);

impl Drop for Answering {
    fn drop(&mut self) {
        let answering = self.0.answering.get();
        self.0.answering.set(answering.saturating_sub(1));
    }
}

/// A request that waits for its body.
pub(super) struct ReadingBody<'a>(&'a Connection);

impl Drop for ReadingBody<'_> {
    fn drop(&mut self) {
        self.0.body.set(BodyWanted::None);
        self.0.step();
    }
}
