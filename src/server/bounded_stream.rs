//! The bytes of one client, between its socket and the framework, and their limits.
//!
//! The framework reads as much as arrives, makes requests of all of it, and waits for ever until an answer is taken.
//! So a client that sends many small requests and reads nothing would make the server hold thousands of requests and
//! answers. Here, for every connection:
//!
//! - the head of the next request is passed on once the request before is answered and the system has taken its
//!   answer; the rest of a body is passed on while its request waits for it, and nothing after it;
//! - the client takes an answer within the write timeout, about 64 KiB at once, or the connection ends;
//! - bytes that wait for a client, and long unfinished heads, count against the budget of all connections; where there
//!   is no room the connection ends;
//! - the part of a body after its first 64 KiB is read in turns with long bodies of other connections;
//! - a head that has begun ends within the header timeout. The framework checks this for the first head of a
//!   connection only.
//!
//! The framework works in rounds: it reads, has requests answered, writes, and flushes once all is written. A round
//! here begins and ends with a flush. A request in one piece costs one pass over its bytes and no timer.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_rt::time::{Sleep, sleep};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::PollSemaphore;

use super::connections::OpenConnection;
use super::request_boundaries::HeadCount;
use crate::http::{BodyWanted, BudgetPart, ByteShare, Connection};
use crate::telemetry::Cut;

/// The most that is read at once.
const READ_BYTES_MAX: usize = 16 * 1024;

/// The most that an encrypting stream holds unsent.
const FLUSH_BYTES: u64 = 64 * 1024;

/// An unfinished head up to this length is not counted: every connection has a buffer of this size.
const HEAD_COUNTED_FROM: u64 = 8 * 1024;

/// The longest part of a head that the framework holds.
const HEAD_BYTES_MAX: u64 = 128 * 1024;

/// The length from which a body is read in turns.
const LONG_FROM_BYTES: u64 = 64 * 1024;

/// A stream that is read and written.
pub(super) trait Socket: AsyncRead + AsyncWrite + Unpin {
    /// Discards what the system has not sent yet when the socket is closed.
    fn abandon(&self);
}

/// The stream of one client.
pub(super) struct ClientStream<S> {
    stream: S,
    connection: Rc<Connection>,
    open: OpenConnection,
    /// Bytes that were read and not yet passed on.
    held: Bytes,
    heads: HeadCount,
    /// Its turns to read a piece of a long body.
    long_bodies: PollSemaphore,
    /// Whether the framework waits for bytes that may have arrived already.
    withheld: bool,
    /// Bytes that were passed on since the connection's latest step.
    unused_bytes: u64,
    steps: u64,
    /// What the connection waits for, with a time limit.
    waiting: Option<TimedWait>,
}

/// A wait with a time limit.
struct TimedWait {
    what: Wait,
    until: Pin<Box<Sleep>>,
    share: ByteShare,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// Until the client receives what was written.
    Taken,
    /// Until the client has sent the rest of a head.
    Head,
}

impl<S: Socket> ClientStream<S> {
    pub(super) fn new(stream: S, open: OpenConnection) -> ClientStream<S> {
        ClientStream {
            stream,
            connection: Rc::default(),
            long_bodies: PollSemaphore::new(Arc::clone(&open.limits().long_bodies)),
            open,
            held: Bytes::new(),
            heads: HeadCount::new(),
            withheld: false,
            unused_bytes: 0,
            steps: 0,
            waiting: None,
        }
    }

    /// The connection as its requests see it.
    pub(super) fn connection(&self) -> Rc<Connection> {
        Rc::clone(&self.connection)
    }

    fn is_waiting(&self, what: Wait) -> bool {
        self.waiting
            .as_ref()
            .is_some_and(|waiting| waiting.what == what)
    }

    /// The connection's share of the budget of all connections.
    fn part(&self) -> BudgetPart {
        match self.connection.is_known() {
            true => BudgetPart::All,
            false => BudgetPart::Quarter,
        }
    }

    /// Ends the connection where a wait has passed its limit.
    fn check_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Some(waiting) = &mut self.waiting else {
            return Ok(());
        };
        if waiting.until.as_mut().poll(cx).is_pending() {
            return Ok(());
        }
        let why = match waiting.what {
            Wait::Taken => Cut::NotTaken,
            Wait::Head => Cut::HeadTooSlow,
        };
        Err(self.end(why))
    }

    /// Begins a wait, and counts the bytes that are held for it.
    fn wait(&mut self, what: Wait, bytes: u64, cx: &mut Context<'_>) -> io::Result<()> {
        let part = self.part();
        let counts = match &mut self.waiting {
            Some(waiting) if waiting.what == what => waiting.share.set(bytes, part),
            Some(_) | None => {
                let limits = self.open.limits();
                let time = match what {
                    Wait::Taken => limits.write_timeout,
                    Wait::Head => limits.header_timeout,
                };
                let mut share = limits.answers.nothing();
                let counts = share.set(bytes, part);
                let mut until = Box::pin(sleep(time));
                // Makes the framework call again when the time is over.
                let _ = until.as_mut().poll(cx);
                self.waiting = Some(TimedWait { what, until, share });
                counts
            }
        };
        self.open.set_stuck(what == Wait::Taken);
        match counts {
            true => Ok(()),
            false => Err(self.end(Cut::AnswersFull)),
        }
    }

    /// Ends the connection because of a limit.
    fn end(&self, why: Cut) -> io::Error {
        self.stream.abandon();
        self.open.end(why)
    }

    /// Counts bytes that are passed on. Empty lines before a head do not count.
    fn hand_over(&mut self, bytes: &[u8]) {
        let is_more = |byte: &u8| !matches!(byte, b'\r' | b'\n');
        if self.unused_bytes > 0 || bytes.iter().any(is_more) {
            self.unused_bytes += bytes.len() as u64;
        }
    }

    /// Assigns the bytes that were passed on to a request, if one has begun since.
    fn look_at_steps(&mut self) {
        if self.steps != self.connection.steps() {
            self.steps = self.connection.steps();
            self.unused_bytes = 0;
            if self.is_waiting(Wait::Head) {
                self.waiting = None;
            }
        }
    }

    /// The client has received everything that was written.
    fn turn_is_over(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.look_at_steps();
        if self.is_waiting(Wait::Taken) {
            self.waiting = None;
            self.open.set_stuck(false);
        }
        if self.connection.is_known() {
            self.open.stop_counting();
        }
        let idle = !self.connection.is_answering();
        let wanted = match self.connection.body_wanted() {
            BodyWanted::None => false,
            BodyWanted::Sized(bytes) => bytes > self.heads.behind_head(),
            BodyWanted::Chunks => {
                self.heads.reset();
                true
            }
        };
        if idle {
            self.heads.reset();
        }
        if self.withheld && (idle || wanted) {
            self.withheld = false;
            cx.waker().wake_by_ref();
        }
        let counted = match self.unused_bytes {
            ..=HEAD_COUNTED_FROM => 0,
            bytes => bytes.min(HEAD_BYTES_MAX),
        };
        let is_first = self.steps == 0;
        if idle && (counted > 0 || (self.unused_bytes > 0 && !is_first)) {
            self.wait(Wait::Head, counted, cx)?;
        }
        Ok(())
    }

    /// Whether a long body is being read.
    fn is_in_long_body(&self) -> bool {
        self.unused_bytes >= LONG_FROM_BYTES && self.connection.body_wanted() != BodyWanted::None
    }

    /// Passes nothing on now.
    fn withhold(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.withheld = true;
        if !self.is_waiting(Wait::Taken) && !self.connection.is_answering() {
            // Nothing else makes the framework call again.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// How many of these bytes may be passed on now. They count as passed on.
    fn pass(&mut self, bytes: &[u8]) -> usize {
        let behind = self.heads.behind_head();
        match self.connection.body_wanted() {
            BodyWanted::Sized(all) if all > behind => self.heads.pass_sized(bytes, all - behind),
            BodyWanted::None | BodyWanted::Sized(_) => self.heads.pass_head(bytes),
            BodyWanted::Chunks => self.heads.pass_chunks(bytes),
        }
    }

    /// Passes on as many of the held bytes as allowed.
    fn hand_over_held(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let next = self.held.slice(..self.held.len().min(buf.remaining()));
        let passed = self.pass(&next);
        if passed == 0 {
            return self.withhold(cx);
        }
        let passed = self.held.split_to(passed);
        buf.put_slice(&passed);
        self.hand_over(&passed);
        Poll::Ready(Ok(()))
    }
}

impl<S: Socket> AsyncRead for ClientStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check_time(cx)?;
        this.look_at_steps();
        if this.is_waiting(Wait::Taken) {
            this.withheld = true;
            return Poll::Pending;
        }
        if !this.held.is_empty() {
            return this.hand_over_held(cx, buf);
        }
        // The permit is held until this piece is read. The semaphore is never closed.
        let _turn = match this.is_in_long_body() {
            true => std::task::ready!(this.long_bodies.poll_acquire(cx)),
            false => None,
        };
        let before = buf.filled().len();
        if buf.remaining() > READ_BYTES_MAX {
            let mut some = ReadBuf::new(buf.initialize_unfilled_to(READ_BYTES_MAX));
            std::task::ready!(Pin::new(&mut this.stream).poll_read(cx, &mut some))?;
            let read = some.filled().len();
            buf.advance(read);
        } else {
            std::task::ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        }
        let read = &buf.filled()[before..];
        if read.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let passed = this.pass(read);
        if passed < read.len() {
            this.held = Bytes::copy_from_slice(&read[passed..]);
            buf.set_filled(before + passed);
        }
        if passed == 0 {
            return this.withhold(cx);
        }
        this.hand_over(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: Socket> AsyncWrite for ClientStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check_time(cx)?;
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        if written.is_pending() {
            this.wait(Wait::Taken, bytes.len() as u64, cx)?;
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check_time(cx)?;
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        match flushed {
            Poll::Pending => this.wait(Wait::Taken, FLUSH_BYTES, cx)?,
            Poll::Ready(Ok(())) => this.turn_is_over(cx)?,
            Poll::Ready(Err(_)) => {}
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check_time(cx)?;
        let closed = Pin::new(&mut this.stream).poll_shutdown(cx);
        if closed.is_pending() {
            this.wait(Wait::Taken, FLUSH_BYTES, cx)?;
        }
        closed
    }
}
