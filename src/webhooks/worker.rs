//! The worker of one endpoint: reads the next decisions from the journal, sends them, and stores the result.
//!
//! One task an endpoint, and no queue: a slow endpoint holds up nobody but itself, and what it has not had yet stays in
//! the journal, however long that is.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;

use super::delivery::attempt::{Attempt, AttemptResult, Lane, SeqRange};
use super::delivery::batch_reader::BatchReader;
use super::delivery::outbox::{AttemptEnd, Change, Next};
use super::delivery::payload::{self, Message};
use super::endpoint::{Endpoint, EndpointState};
use super::send::{call, ended, told, why_off};
use super::subscription::{Delivered, NamedWebhook, Subscription};
use super::transport::client::{CallResult, WebhookClient};
use super::{Notify, WebhookObserver};
use crate::domain::base::time::Instant;
use crate::runtime::{DecisionFeed, ReadError, Shops, StoredDecision};

/// Decisions that are read at once.
const READ_AT_ONCE: usize = 256;

/// How far what is kept of an endpoint may be behind, where nothing failed: what a crash may send twice.
const SAVE_AFTER: Duration = Duration::from_millis(100);

/// Messages after which it is kept sooner.
const SAVE_MESSAGES: u32 = 64;

/// When a shop is looked at again whose journal could not be read.
const READ_AGAIN: Duration = Duration::from_secs(5);

/// Where nothing is due it is looked all the same, once.
const A_DAY: Duration = Duration::from_secs(86_400);

/// How long what is on its way may take once the server stops.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// What all couriers share.
pub struct Office {
    /// Where decisions are read, and what time it is.
    pub desk: Shops,
    /// How calls are made.
    pub caller: WebhookClient,
    /// Who is told.
    pub watch: Arc<dyn WebhookObserver>,
    /// The word that the server stops.
    pub closing: watch::Receiver<bool>,
    /// Tells other endpoints of one that the server has switched off.
    pub notify: Notify,
}

/// A try that is over.
struct AttemptDone {
    of: Attempt,
    message: Message,
    called: CallResult,
}

/// When there is something to do by itself; nothing: only where there is news.
type WakeAt = Option<Duration>;

type InFlight = Pin<Box<dyn Future<Output = AttemptDone> + Send>>;

/// The worker.
pub struct EndpointWorker {
    office: Arc<Office>,
    post: Arc<Subscription>,
    following: DecisionFeed,
    /// How often the shop had been taken away when this began.
    gone: u64,
    /// Read of the journal, and not yet sent: for the line alone.
    ahead: BatchReader,
    sending: FuturesUnordered<InFlight>,
    /// What has changed since the progress was kept; messages that ended count.
    unsaved: u32,
}

/// How a worker ended.
pub enum Over {
    /// The server stops.
    Closed,
    /// The endpoint was taken away.
    Removed,
    /// The shop was.
    ShopGone,
}

impl EndpointWorker {
    /// A worker that has not begun.
    pub fn new(office: Arc<Office>, post: Arc<Subscription>) -> EndpointWorker {
        let following = office.desk.follow(&post.shop);
        EndpointWorker {
            gone: following.heard().gone,
            following,
            office,
            post,
            ahead: BatchReader::default(),
            sending: FuturesUnordered::new(),
            unsaved: 0,
        }
    }

    /// Delivers until there is no more to deliver to.
    pub async fn run(mut self) -> Over {
        let mut closing = self.office.closing.clone();
        let mut save = Box::pin(tokio::time::sleep(SAVE_AFTER));
        loop {
            if *closing.borrow() {
                return self.close().await;
            }
            let next = {
                let inner = self.post.inner();
                if inner.removed {
                    return Over::Removed;
                }
                if self.following.heard().gone != self.gone {
                    return Over::ShopGone;
                }
                match inner.endpoint.is_on() {
                    true => inner.outbox.next(self.now()),
                    false => Next::Wait(None),
                }
            };
            let due = match next {
                Next::Again(of) => self.again(of),
                Next::Look(lane, after, until) => self.look(lane, after, until),
                Next::Wait(at) => Err(at.map(|at| {
                    let wait_ms = (at.ms() - self.now().ms()).max(0) as u64;
                    Duration::from_millis(wait_ms)
                })),
            };
            let Err(due) = due else {
                // Reading waits for nothing: the couriers of others have their turn.
                tokio::task::yield_now().await;
                continue;
            };
            if self.unsaved >= SAVE_MESSAGES {
                self.save();
            }
            let unsaved = self.unsaved > 0;
            tokio::select! {
                biased;
                Some(done) = self.sending.next() => self.finish(done),
                heard = self.following.changed() => {
                    if heard.gone != self.gone {
                        return Over::ShopGone;
                    }
                    self.post.inner().outbox.news();
                }
                () = self.post.wake.notified() => {}
                () = tokio::time::sleep(due.unwrap_or(A_DAY)) => {}
                () = &mut save, if unsaved => {
                    self.save();
                    save.as_mut().reset(tokio::time::Instant::now() + SAVE_AFTER);
                }
                _ = closing.changed() => {}
            }
        }
    }

    fn now(&self) -> Instant {
        self.office.desk.now()
    }

    /// Looks for what comes next in a lane, and sends it.
    fn look(&mut self, lane: Lane, after: u64, until: Option<u64>) -> Result<(), WakeAt> {
        let post = Arc::clone(&self.post);
        let endpoint = post.inner().endpoint.clone();
        let mut once = BatchReader::default();
        let ahead = match lane {
            Lane::Line => &mut self.ahead,
            Lane::Aside | Lane::Resend => &mut once,
        };
        let desk = &self.office.desk;
        let found = ahead.take(&endpoint, after, until, |after| {
            let page = desk.decisions_here(&post.shop, after, READ_AT_ONCE)?;
            if let Some(first) = page.items.first()
                && first.seq > after + 1
            {
                let (from, to) = (after + 1, first.seq - 1);
                tracing::warn!(
                    endpoint = post.id,
                    from,
                    to,
                    "decisions for a webhook were dropped by `journal.retention` before they went out"
                );
            }
            Ok::<_, ReadError>(page.items)
        });
        let found = found.map_err(unread)?;
        if found.passed > after {
            post.inner().outbox.pass(lane, found.passed);
            self.unsaved = self.unsaved.max(1);
        }
        let (Some(first), Some(last)) = (found.wanted.first(), found.wanted.last()) else {
            if !found.more {
                post.inner().outbox.exhausted(lane);
            }
            return Ok(());
        };
        let parcel = SeqRange {
            from: first.seq,
            to: last.seq,
        };
        let message = self.message(&endpoint, &found.wanted);
        self.send(Attempt { parcel, lane }, &endpoint, message);
        Ok(())
    }

    fn message(&self, endpoint: &Endpoint, wanted: &[StoredDecision]) -> Option<Message> {
        let shop = &self.post.shop;
        match (wanted, endpoint.batch) {
            // Several are a list, also where they were made up before `batch` was switched off.
            ([one], None) => Some(payload::single(&endpoint.id, shop, one)),
            (several, _) => payload::batch(&endpoint.id, shop, several),
        }
    }

    /// Tries a message again that has failed before: it is read from the journal once more.
    fn again(&mut self, of: Attempt) -> Result<(), WakeAt> {
        let endpoint = self.post.inner().endpoint.clone();
        let (mut wanted, mut found) = (Vec::new(), false);
        let mut seen = of.parcel.from - 1;
        while seen < of.parcel.to {
            let desk = &self.office.desk;
            let page = desk.decisions_here(&self.post.shop, seen, READ_AT_ONCE);
            let page = page.map_err(unread)?;
            let Some(last) = page.items.last() else { break };
            seen = last.seq;
            for decision in page.items.into_iter().filter(|d| d.seq <= of.parcel.to) {
                found = true;
                if endpoint.wants(decision.said().kind) {
                    wanted.push(decision);
                }
            }
        }
        if found && wanted.is_empty() {
            let changes = self.post.inner().outbox.unwanted(of);
            self.keep(&changes);
            return Ok(());
        }
        let message = self.message(&endpoint, &wanted);
        self.send(of, &endpoint, message);
        Ok(())
    }

    /// Sends a message, where there is one.
    fn send(&mut self, of: Attempt, endpoint: &Endpoint, message: Option<Message>) {
        let now = self.now();
        let Some(message) = message else {
            let told = AttemptResult {
                at_ms: now.ms(),
                failure: Some("it is not in the journal any more".to_owned()),
                ..AttemptResult::default()
            };
            let changes = self.post.inner().outbox.lost(of, told, now);
            self.keep(&changes);
            return;
        };
        let intent = {
            let mut inner = self.post.inner();
            let is_new = inner.outbox.progress().held.is_none();
            inner.outbox.began(of, now);
            // Which decisions are in one call is known before it goes out: after a crash it goes out as the same.
            (is_new && of.lane == Lane::Line && endpoint.batch.is_some())
                .then(|| inner.kept_progress())
        };
        let (office, shop) = (Arc::clone(&self.office), self.post.shop.clone());
        let endpoint = endpoint.clone();
        self.sending.push(Box::pin(async move {
            if let Some((name, value)) = intent {
                // Where it cannot be kept the server stops by itself.
                office.desk.keep(&shop, &name, value).await.ok();
            }
            let called = call(&office.caller, &shop, &endpoint, &message, now).await;
            AttemptDone {
                of,
                message,
                called,
            }
        }));
    }

    /// Keeps what became of a try.
    fn finish(&mut self, done: AttemptDone) {
        let (of, message, called) = (done.of, done.message, done.called);
        let now = self.now();
        let (ended, told) = (ended(&called, now), told(&called, now));
        let delivered = ended == AttemptEnd::Delivered;
        self.office
            .watch
            .tried(delivered, message.decisions, called.micros);
        let changes = {
            let mut inner = self.post.inner();
            if inner.removed {
                return;
            }
            if delivered {
                let so_far = inner
                    .outbox
                    .failing()
                    .find(|failing| failing.parcel == of.parcel);
                let tries = so_far.map_or(0, |failing| failing.tries) + 1;
                inner.remember(Delivered {
                    parcel: of.parcel,
                    tries,
                    told: told.clone(),
                });
            }
            inner
                .outbox
                .ended(of, ended, told.clone(), &message.id, now)
        };
        self.keep(&changes);
        if changes.contains(&Change::SwitchOff) {
            self.switch_off(ended, &told, now);
        }
    }

    /// Hands what has changed to the journal, in its order.
    fn keep(&mut self, changes: &[Change]) {
        self.unsaved += 1;
        for change in changes {
            if let Change::Aside(parcel) | Change::Settled(parcel) = change {
                let (named, given_up) = {
                    let inner = self.post.inner();
                    let given_up = inner
                        .outbox
                        .aside(*parcel)
                        .is_some_and(|of| of.again.is_none());
                    (inner.kept_aside(*parcel), given_up)
                };
                if given_up {
                    self.office.watch.gave_up(&self.post.shop, &self.post.id);
                }
                self.keep_soon(named);
            }
        }
    }

    fn keep_soon(&self, (name, value): NamedWebhook) {
        if let Err(error) = self.office.desk.keep_soon(&self.post.shop, &name, value) {
            tracing::error!(%error, "how far a webhook is cannot be kept");
        }
    }

    fn save(&mut self) {
        self.unsaved = 0;
        let inner = self.post.inner();
        self.keep_soon(inner.kept_progress());
    }

    /// The endpoint is gone, or has not taken anything for days.
    fn switch_off(&mut self, ended: AttemptEnd, told: &AttemptResult, now: Instant) {
        let why = why_off(ended, told);
        {
            let mut inner = self.post.inner();
            inner.endpoint.state = EndpointState::Disabled {
                why: why.clone(),
                at: now,
            };
            // While it is held: what was changed last is kept last.
            self.keep_soon(inner.kept_endpoint());
        }
        self.save();
        self.office
            .watch
            .disabled(&self.post.shop, &self.post.id, &why);
        (self.office.notify)(&self.post, &why);
    }

    /// The server stops: what is on its way may come to its end, and how far it is is kept.
    async fn close(mut self) -> Over {
        let all = async {
            while let Some(done) = self.sending.next().await {
                self.finish(done);
            }
        };
        tokio::time::timeout(CLOSE_WITHIN, all).await.ok();
        let (name, value) = self.post.inner().kept_progress();
        self.office
            .desk
            .keep(&self.post.shop, &name, value)
            .await
            .ok();
        Over::Closed
    }
}

/// The journal cannot be read: when it is tried again.
fn unread(error: ReadError) -> WakeAt {
    tracing::error!(?error, "the decisions for a webhook cannot be read");
    Some(READ_AGAIN)
}
