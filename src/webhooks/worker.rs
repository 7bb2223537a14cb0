//! The worker of one endpoint: reads the next decisions from the journal, sends them, and stores the result.
//!
//! There is one task for each endpoint, and no queue. A slow endpoint delays only itself, and its decisions stay in
//! the journal until it accepts them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;

use super::delivery::batch_reader::BatchReader;
use super::delivery::delivery_state::{Attempt, AttemptResult, Lane, SeqRange};
use super::delivery::outbox::{AttemptEnd, Change, Next};
use super::delivery::payload::{self, Message};
use super::endpoint::{Endpoint, EndpointState};
use super::endpoint_state::{Delivered, NamedWebhook, Subscription};
use super::send::{attempt_end, attempt_result, call, disable_reason};
use super::transport::client::{CallResult, WebhookClient};
use super::{Notify, WebhookObserver};
use crate::domain::base::time::Instant;
use crate::runtime::{DecisionFeed, ReadError, Shops, StoredDecision};

/// Decisions that are read at once.
const READ_AT_ONCE: usize = 256;

/// How often the cursor is stored while deliveries succeed. A crash repeats the deliveries since.
const SAVE_AFTER: Duration = Duration::from_millis(100);

/// The cursor is stored sooner after so many messages.
const SAVE_MESSAGES: u32 = 64;

/// The wait before a journal that could not be read is read again.
const READ_AGAIN: Duration = Duration::from_secs(5);

/// A worker wakes at least once a day.
const A_DAY: Duration = Duration::from_secs(86_400);

/// How long calls in flight may take once the server stops.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// What all workers share.
pub struct WorkerContext {
    /// Where decisions are read, and the clock.
    pub shops: Shops,
    /// The HTTP client.
    pub client: WebhookClient,
    /// The observer of calls.
    pub observer: Arc<dyn WebhookObserver>,
    /// True once the server stops.
    pub closing: watch::Receiver<bool>,
    /// Sends the notice that an endpoint was disabled.
    pub send_notice: Notify,
}

/// An attempt that has ended.
struct AttemptDone {
    of: Attempt,
    message: Message,
    called: CallResult,
}

/// How long until there is work without a new event; `None` where only an event brings work.
type WakeAt = Option<Duration>;

type InFlight = Pin<Box<dyn Future<Output = AttemptDone> + Send>>;

/// The worker of one endpoint.
pub struct EndpointWorker {
    context: Arc<WorkerContext>,
    subscription: Arc<Subscription>,
    feed: DecisionFeed,
    /// How often the shop had been deleted when the worker began.
    gone: u64,
    /// Decisions of the in-order lane that were read and not yet sent.
    reader: BatchReader,
    sending: FuturesUnordered<InFlight>,
    /// How many changes of the cursor are not stored yet.
    unsaved: u32,
}

/// Why a worker ended.
pub enum WorkerEnd {
    /// The server stops.
    Closed,
    /// The endpoint was removed.
    Removed,
    /// The shop was deleted.
    ShopGone,
}

impl EndpointWorker {
    /// A worker that is not running yet.
    pub fn new(context: Arc<WorkerContext>, subscription: Arc<Subscription>) -> EndpointWorker {
        let feed = context.shops.follow(&subscription.shop);
        EndpointWorker {
            gone: feed.latest().gone,
            feed,
            context,
            subscription,
            reader: BatchReader::default(),
            sending: FuturesUnordered::new(),
            unsaved: 0,
        }
    }

    /// Delivers until the server stops, or the endpoint or its shop is removed.
    pub async fn run(mut self) -> WorkerEnd {
        let mut closing = self.context.closing.clone();
        let mut save = Box::pin(tokio::time::sleep(SAVE_AFTER));
        loop {
            if *closing.borrow() {
                return self.close().await;
            }
            let next = {
                let inner = self.subscription.inner();
                if inner.removed {
                    return WorkerEnd::Removed;
                }
                if self.feed.latest().gone != self.gone {
                    return WorkerEnd::ShopGone;
                }
                match inner.endpoint.is_on() {
                    true => inner.outbox.next(self.now()),
                    false => Next::Wait(None),
                }
            };
            let due = match next {
                Next::Retry(of) => self.retry(of),
                Next::Read(lane, after, until) => self.read_next(lane, after, until),
                Next::Wait(at) => Err(at.map(|at| {
                    let wait_ms = (at.ms() - self.now().ms()).max(0) as u64;
                    Duration::from_millis(wait_ms)
                })),
            };
            let Err(due) = due else {
                // Reading never waits, so the workers of other endpoints get their turn here.
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
                received = self.feed.changed() => {
                    if received.gone != self.gone {
                        return WorkerEnd::ShopGone;
                    }
                    self.subscription.inner().outbox.mark_new_decisions();
                }
                () = self.subscription.wake.notified() => {}
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
        self.context.shops.now()
    }

    /// Reads the next message of a lane, and sends it.
    fn read_next(&mut self, lane: Lane, after: u64, until: Option<u64>) -> Result<(), WakeAt> {
        let subscription = Arc::clone(&self.subscription);
        let endpoint = subscription.inner().endpoint.clone();
        let mut once = BatchReader::default();
        let reader = match lane {
            Lane::InOrder => &mut self.reader,
            Lane::Retry | Lane::Replay => &mut once,
        };
        let shops = &self.context.shops;
        let found = reader.take(&endpoint, after, until, |after| {
            let page = shops.decisions_here(&subscription.shop, after, READ_AT_ONCE)?;
            if let Some(first) = page.items.first()
                && first.seq > after + 1
            {
                let (from, to) = (after + 1, first.seq - 1);
                tracing::warn!(
                    endpoint = subscription.id,
                    from,
                    to,
                    "decisions for a webhook were dropped by `journal.retention` before they were delivered"
                );
            }
            Ok::<_, ReadError>(page.items)
        });
        let found = found.map_err(log_read_error)?;
        if found.passed > after {
            subscription.inner().outbox.skip_to(lane, found.passed);
            self.unsaved = self.unsaved.max(1);
        }
        let (Some(first), Some(last)) = (found.decisions.first(), found.decisions.last()) else {
            if !found.more {
                subscription.inner().outbox.exhausted(lane);
            }
            return Ok(());
        };
        let range = SeqRange {
            from: first.seq,
            to: last.seq,
        };
        let message = self.message(&endpoint, &found.decisions);
        self.send(Attempt { range, lane }, &endpoint, message);
        Ok(())
    }

    fn message(&self, endpoint: &Endpoint, decisions: &[StoredDecision]) -> Option<Message> {
        let shop = &self.subscription.shop;
        match (decisions, endpoint.batch) {
            // Several decisions are always a list, also where `batch` was switched off after they were grouped.
            ([one], None) => Some(payload::single(&endpoint.id, shop, one)),
            (several, _) => payload::batch(&endpoint.id, shop, several),
        }
    }

    /// Reads a message that failed from the journal again, and retries it.
    fn retry(&mut self, of: Attempt) -> Result<(), WakeAt> {
        let endpoint = self.subscription.inner().endpoint.clone();
        let (mut decisions, mut found) = (Vec::new(), false);
        let mut seen = of.range.from - 1;
        while seen < of.range.to {
            let shops = &self.context.shops;
            let page = shops.decisions_here(&self.subscription.shop, seen, READ_AT_ONCE);
            let page = page.map_err(log_read_error)?;
            let Some(last) = page.items.last() else { break };
            seen = last.seq;
            for decision in page.items.into_iter().filter(|d| d.seq <= of.range.to) {
                found = true;
                if endpoint.subscribes_to(decision.header().kind) {
                    decisions.push(decision);
                }
            }
        }
        if found && decisions.is_empty() {
            let changes = self.subscription.inner().outbox.drop_unsubscribed(of);
            self.store(&changes);
            return Ok(());
        }
        let message = self.message(&endpoint, &decisions);
        self.send(of, &endpoint, message);
        Ok(())
    }

    /// Sends a message; `None` means that the journal no longer holds it.
    fn send(&mut self, of: Attempt, endpoint: &Endpoint, message: Option<Message>) {
        let now = self.now();
        let Some(message) = message else {
            let result = AttemptResult {
                at_ms: now.ms(),
                failure: Some("its decisions are no longer in the journal".to_owned()),
                ..AttemptResult::default()
            };
            let changes = self.subscription.inner().outbox.lost(of, result, now);
            self.store(&changes);
            return;
        };
        let intent = {
            let mut inner = self.subscription.inner();
            let is_new = inner.outbox.cursor().blocking.is_none();
            inner.outbox.begin(of, now);
            // The range of a call is stored before the call, so that a crash repeats it with the same decisions.
            (is_new && of.lane == Lane::InOrder && endpoint.batch.is_some())
                .then(|| inner.cursor_entry())
        };
        let (context, shop) = (Arc::clone(&self.context), self.subscription.shop.clone());
        let endpoint = endpoint.clone();
        self.sending.push(Box::pin(async move {
            if let Some((name, value)) = intent {
                // Where this fails the disk has failed, and the server stops.
                context.shops.put_metadata(&shop, &name, value).await.ok();
            }
            let called = call(&context.client, &shop, &endpoint, &message, now).await;
            AttemptDone {
                of,
                message,
                called,
            }
        }));
    }

    /// Records the end of an attempt, and stores the result.
    fn finish(&mut self, done: AttemptDone) {
        let (of, message, called) = (done.of, done.message, done.called);
        let now = self.now();
        let (ended, result) = (attempt_end(&called, now), attempt_result(&called, now));
        let delivered = ended == AttemptEnd::Delivered;
        self.context
            .observer
            .tried(delivered, message.decisions, called.micros);
        let changes = {
            let mut inner = self.subscription.inner();
            if inner.removed {
                return;
            }
            if delivered {
                let so_far = inner
                    .outbox
                    .failed_messages()
                    .find(|failing| failing.range == of.range);
                let tries = so_far.map_or(0, |failing| failing.attempts) + 1;
                inner.add_recent(Delivered {
                    range: of.range,
                    attempts: tries,
                    result: result.clone(),
                });
            }
            inner
                .outbox
                .finish(of, ended, result.clone(), &message.id, now)
        };
        self.store(&changes);
        if changes.contains(&Change::Disable) {
            self.disable(ended, &result, now);
        }
    }

    /// Hands the changes to the journal, in their order.
    fn store(&mut self, changes: &[Change]) {
        self.unsaved += 1;
        for change in changes {
            if let Change::Queued(range) | Change::Dequeued(range) = change {
                let (named, given_up) = {
                    let inner = self.subscription.inner();
                    let given_up = inner
                        .outbox
                        .pending_retry(*range)
                        .is_some_and(|of| of.retry_at.is_none());
                    (inner.retry_entry(*range), given_up)
                };
                if given_up {
                    self.context
                        .observer
                        .gave_up(&self.subscription.shop, &self.subscription.id);
                }
                self.store_soon(named);
            }
        }
    }

    fn store_soon(&self, (name, value): NamedWebhook) {
        if let Err(error) =
            self.context
                .shops
                .put_metadata_soon(&self.subscription.shop, &name, value)
        {
            tracing::error!(%error, "the delivery state of a webhook cannot be stored");
        }
    }

    fn save(&mut self) {
        self.unsaved = 0;
        let inner = self.subscription.inner();
        self.store_soon(inner.cursor_entry());
    }

    /// Disables the endpoint, and sends the notice.
    fn disable(&mut self, ended: AttemptEnd, result: &AttemptResult, now: Instant) {
        let why = disable_reason(ended, result);
        {
            let mut inner = self.subscription.inner();
            inner.endpoint.state = EndpointState::Disabled {
                why: why.clone(),
                at: now,
            };
            // Under the lock, so that changes are stored in their order.
            self.store_soon(inner.endpoint_entry());
        }
        self.save();
        self.context
            .observer
            .disabled(&self.subscription.shop, &self.subscription.id, &why);
        (self.context.send_notice)(&self.subscription, &why);
    }

    /// Waits for calls in flight, and stores the cursor.
    async fn close(mut self) -> WorkerEnd {
        let all = async {
            while let Some(done) = self.sending.next().await {
                self.finish(done);
            }
        };
        tokio::time::timeout(CLOSE_WITHIN, all).await.ok();
        let (name, value) = self.subscription.inner().cursor_entry();
        self.context
            .shops
            .put_metadata(&self.subscription.shop, &name, value)
            .await
            .ok();
        WorkerEnd::Closed
    }
}

/// Logs that the journal could not be read. Returns when to read it again.
fn log_read_error(error: ReadError) -> WakeAt {
    tracing::error!(?error, "the decisions for a webhook cannot be read");
    Some(READ_AGAIN)
}
