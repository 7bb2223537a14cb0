//! Decides the events of a request. Each becomes decisions with a record, or a response without a record.
//! [`super::recovery`] is the inverse.

use super::live_shop::{LiveShop, SinceSnapshot};
use std::ops::Range;
use std::sync::Arc;

use bytestring::ByteString;

use super::shared_ledger::SharedLedger;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::installation::{create, reject_without_shop};
use crate::domain::protocol::decision::{Decision, DecisionBody};
use crate::domain::protocol::rejection::Rejection;
use crate::domain::rules::apply_event::Applied;
use crate::domain::state::shop::Shop;
use crate::domain::{CORE, protocol::codes::ErrorCode, state::idempotency::IdempotencyRecord};
use crate::journal::{Journal, NewRecord, RecordKind};
use crate::runtime::event_result::{EventResult, IncomingEvent, Unavailable};
use crate::wire::DecisionWriter;

/// The estimated length of an event's decisions, in bytes.
const DECISIONS_BYTES: usize = 192;

/// The buffers that the events of one request share.
pub(super) struct ResponseBuffer {
    /// The decisions of the latest event.
    pub(super) out: DecisionSink,
    writer: DecisionWriter,
    /// The serialized decisions of all events.
    text: String,
}

impl ResponseBuffer {
    /// Buffers for about this many events of a shop.
    pub(super) fn new(shop: &Id, events: usize) -> ResponseBuffer {
        ResponseBuffer {
            out: DecisionSink::default(),
            writer: DecisionWriter::new(shop),
            text: String::with_capacity(events * DECISIONS_BYTES),
        }
    }

    /// Appends the latest decisions to the text. Returns their range.
    fn write(&mut self) -> Range<usize> {
        let begin = self.text.len();
        self.writer.write(&self.out.decisions, &mut self.text);
        begin..self.text.len()
    }

    /// Gives every decided item its slice of the text.
    pub(super) fn finish(self, items: &mut [EventOutcome]) {
        let text = ByteString::from(self.text);
        for item in items {
            if let EventOutcome::Decided(answered, range) = item {
                answered.decisions = text.slice_ref(&text[range.clone()]);
            }
        }
    }
}

/// The result of one event of a request.
pub(super) enum EventOutcome {
    /// Decided. The range is that of its decisions in the text of the request.
    Decided(EventResult, Range<usize>),
    /// Answered without new decisions in the text.
    Answered(EventResult),
    /// An event with this id was accepted before. The journal has its response.
    Repeated(Id, IdempotencyRecord),
}

/// The inputs for deciding an event.
pub(super) struct EventApplier<'a> {
    pub(super) id: &'a Id,
    pub(super) journal: &'a Arc<dyn Journal>,
    pub(super) ledger: &'a SharedLedger,
}

/// A decided event: its response, and the position of its record if it has one.
pub(super) struct AppliedEvent {
    pub(super) item: EventOutcome,
    pub(super) order: Option<u64>,
}

impl EventApplier<'_> {
    /// Decides one event for a shop that is loaded or does not exist, and appends it to the journal.
    pub(super) fn decide(
        &self,
        loaded: &mut Option<LiveShop>,
        intake: IncomingEvent,
        work: &mut ResponseBuffer,
    ) -> Result<AppliedEvent, Unavailable> {
        match loaded {
            Some(loaded) => self.decide_loaded(loaded, intake, RecordKind::Event, work),
            None => self.decide_absent(loaded, intake, work),
        }
    }

    /// Handles an event of a shop that does not exist: `shop.configured` creates it, any other event is rejected.
    fn decide_absent(
        &self,
        loaded: &mut Option<LiveShop>,
        intake: IncomingEvent,
        work: &mut ResponseBuffer,
    ) -> Result<AppliedEvent, Unavailable> {
        let (event, stamped, text) = match intake {
            IncomingEvent::Event {
                event,
                stamped,
                text,
            } => (event, stamped, text),
            IncomingEvent::Malformed { malformed, .. } => {
                let rejection = Rejection::new(ErrorCode::Malformed, malformed.message);
                let decision = reject_without_shop(&malformed.event, malformed.at, rejection);
                return Ok(without_record(None, decision, work));
            }
        };
        match create(self.id, &event) {
            Ok(shop) => {
                let owner = self.journal.create(self.id);
                let new = loaded.insert(LiveShop {
                    shop: Box::new(shop),
                    owner,
                    n: 0,
                    fresh: SinceSnapshot::default(),
                    state_bytes: 0,
                });
                let intake = IncomingEvent::Event {
                    event,
                    stamped,
                    text,
                };
                self.decide_loaded(new, intake, RecordKind::Created, work)
            }
            Err(rejection) => {
                let name = event.what.name();
                let decision = reject_without_shop(name, Some(event.at), rejection);
                Ok(without_record(event.id, decision, work))
            }
        }
    }

    fn decide_loaded(
        &self,
        loaded: &mut LiveShop,
        intake: IncomingEvent,
        kind: RecordKind,
        work: &mut ResponseBuffer,
    ) -> Result<AppliedEvent, Unavailable> {
        let at = match &intake {
            IncomingEvent::Event { event, .. } => event.at.max(loaded.shop.now()),
            IncomingEvent::Malformed { .. } => loaded.shop.now(),
        };
        if !at.of_an_event() {
            return Err(Unavailable::Damaged(past_all_years(at)));
        }
        let mut transaction = self.ledger.begin();
        let out = &mut work.out;
        let shop = &mut loaded.shop;
        let seq_before = shop.seq();
        out.decisions.clear();
        let (kind, id, at, text) = match intake {
            IncomingEvent::Event {
                mut event,
                stamped,
                text,
            } => {
                if stamped {
                    event.at = event.at.max(shop.now());
                }
                match shop.take(&event, &mut transaction, out) {
                    Applied::Accepted | Applied::Rejected => {}
                    Applied::Repeated => return Ok(repeated(shop, event.id, event.print)),
                }
                // An event from before the shop's clock is rejected at the shop's clock.
                (kind, event.id, event.at.max(shop.now()), text)
            }
            IncomingEvent::Malformed { malformed, text } => {
                let rejection = Rejection::new(ErrorCode::Malformed, malformed.message);
                shop.reject(&malformed.event, rejection, out);
                (RecordKind::Malformed, None, shop.now(), text)
            }
        };
        let written = work.write();
        let (out, decisions) = (&work.out, &work.text[written.clone()]);
        let entry = NewRecord {
            shop: self.id,
            kind,
            core: CORE,
            n: loaded.n + 1,
            at,
            due: shop.next_timer(),
            seq_before,
            decided: out.decisions.len() as u32,
            text: &text,
            decisions,
            claims: &transaction.claims,
            booked: &transaction.booked,
            rated: out.decisions.iter().any(is_rating),
        };
        let bytes = text.len() + decisions.len();
        let order = self.journal.append(loaded.owner, &entry, None);
        let order = order.map_err(|_| Unavailable::Broken)?;
        loaded.n += 1;
        loaded.fresh.records += 1;
        loaded.fresh.bytes += bytes;
        Ok(AppliedEvent {
            item: decided(id, out, written),
            order: Some(order),
        })
    }
}

fn is_rating(decision: &Decision) -> bool {
    matches!(decision.body, DecisionBody::RatingRecorded { .. })
}

/// The rejection message for an instant after the last representable year.
fn past_all_years(at: Instant) -> String {
    format!(
        "the shop's clock stands at {}, since an earlier release took a machine's clock that was wrong. What the shop \
         holds can be read and exported, and it takes nothing more: `DELETE` it, and set it up again",
        at.at_offset(0)
    )
}

/// A response that needs no record.
fn without_record(id: Option<Id>, decision: Decision, work: &mut ResponseBuffer) -> AppliedEvent {
    work.out.decisions.clear();
    work.out.decisions.push(decision);
    let written = work.write();
    AppliedEvent {
        item: decided(id, &work.out, written),
        order: None,
    }
}

fn decided(id: Option<Id>, out: &DecisionSink, written: Range<usize>) -> EventOutcome {
    let answered = EventResult {
        id,
        decisions: ByteString::new(),
        rejected: rejection(&out.decisions),
        ..EventResult::nothing()
    };
    EventOutcome::Decided(answered, written)
}

/// An event with the id of an accepted one: the same response, or a conflict if the body differs.
fn repeated(shop: &Shop, id: Option<Id>, print: u64) -> AppliedEvent {
    let receipt = id.as_ref().and_then(|id| shop.receipt(id));
    let item = match (id, receipt) {
        (Some(id), Some(receipt)) if receipt.print == print => EventOutcome::Repeated(id, receipt),
        (id, _) => EventOutcome::Answered(EventResult {
            id,
            conflict: true,
            ..EventResult::nothing()
        }),
    };
    AppliedEvent { item, order: None }
}

/// The rejection of an event, if it was rejected. It is the last decision.
fn rejection(decisions: &[Decision]) -> Option<Rejection> {
    let DecisionBody::EventRejected {
        error,
        message,
        session,
        ..
    } = &decisions.last()?.body
    else {
        return None;
    };
    Some(Rejection {
        error: *error,
        message: message.to_string(),
        session: session.clone(),
    })
}
