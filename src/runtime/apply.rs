//! Deciding: an event of a request becomes decisions and a record, or an answer that needs none. The way back is in
//! [`super::recovery`].

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
use crate::domain::rules::dispatch::Applied;
use crate::domain::state::shop::Shop;
use crate::domain::{CORE, protocol::codes::ErrorCode, state::idempotency::IdempotencyRecord};
use crate::journal::{Journal, NewRecord, RecordKind};
use crate::runtime::event_result::{EventResult, IncomingEvent, Unavailable};
use crate::wire::DecisionWriter;

/// About how long the decisions of an event are.
const DECISIONS_BYTES: usize = 192;

/// What the events of one request are decided with, one after the other.
pub(super) struct ResponseBuffer {
    /// The decisions of the latest.
    pub(super) out: DecisionSink,
    pen: DecisionWriter,
    /// The decisions of all, as they are written.
    text: String,
}

impl ResponseBuffer {
    /// For about so many events of a shop.
    pub(super) fn new(shop: &Id, events: usize) -> ResponseBuffer {
        ResponseBuffer {
            out: DecisionSink::default(),
            pen: DecisionWriter::new(shop),
            text: String::with_capacity(events * DECISIONS_BYTES),
        }
    }

    /// Writes the latest decisions behind the others; where they stand.
    fn write(&mut self) -> Range<usize> {
        let begin = self.text.len();
        self.pen.write(&self.out.decisions, &mut self.text);
        begin..self.text.len()
    }

    /// Gives every item that was decided its piece of the text.
    pub(super) fn finish(self, items: &mut [EventOutcome]) {
        let text = ByteString::from(self.text);
        for item in items {
            if let EventOutcome::Decided(answered, range) = item {
                answered.decisions = text.slice_ref(&text[range.clone()]);
            }
        }
    }
}

/// What becomes of one event of a request.
pub(super) enum EventOutcome {
    /// It is answered, by what stands here in the text of the request's decisions.
    Decided(EventResult, Range<usize>),
    /// It is answered.
    Answered(EventResult),
    /// It happened before: the journal has the answer.
    Repeated(Id, IdempotencyRecord),
}

/// What an event is decided with.
pub(super) struct EventApplier<'a> {
    pub(super) id: &'a Id,
    pub(super) journal: &'a Arc<dyn Journal>,
    pub(super) ledger: &'a SharedLedger,
}

/// An event that was decided: its answer, and the order of its record where it has one.
pub(super) struct AppliedEvent {
    pub(super) item: EventOutcome,
    pub(super) order: Option<u64>,
}

impl EventApplier<'_> {
    /// Decides one event for a shop that is awake or is not there, and appends it to the journal.
    pub(super) fn decide(
        &self,
        awake: &mut Option<LiveShop>,
        intake: IncomingEvent,
        work: &mut ResponseBuffer,
    ) -> Result<AppliedEvent, Unavailable> {
        match awake {
            Some(awake) => self.decide_awake(awake, intake, RecordKind::Event, work),
            None => self.decide_absent(awake, intake, work),
        }
    }

    /// No such shop: `shop.configured` makes one, all else is told so.
    fn decide_absent(
        &self,
        awake: &mut Option<LiveShop>,
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
                let new = awake.insert(LiveShop {
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
                self.decide_awake(new, intake, RecordKind::Created, work)
            }
            Err(rejection) => {
                let name = event.what.name();
                let decision = reject_without_shop(name, Some(event.at), rejection);
                Ok(without_record(event.id, decision, work))
            }
        }
    }

    fn decide_awake(
        &self,
        awake: &mut LiveShop,
        intake: IncomingEvent,
        kind: RecordKind,
        work: &mut ResponseBuffer,
    ) -> Result<AppliedEvent, Unavailable> {
        let at = match &intake {
            IncomingEvent::Event { event, .. } => event.at.max(awake.shop.now()),
            IncomingEvent::Malformed { .. } => awake.shop.now(),
        };
        if !at.of_an_event() {
            return Err(Unavailable::Damaged(past_all_years(at)));
        }
        let mut turn = self.ledger.turn();
        let out = &mut work.out;
        let shop = &mut awake.shop;
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
                match shop.take(&event, &mut turn, out) {
                    Applied::Accepted | Applied::Rejected => {}
                    Applied::Repeated => return Ok(repeated(shop, event.id, event.print)),
                }
                // An event of before is rejected at the shop's clock.
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
        let rated =
            |decision: &Decision| matches!(decision.body, DecisionBody::RatingRecorded { .. });
        let entry = NewRecord {
            shop: self.id,
            kind,
            core: CORE,
            n: awake.n + 1,
            at,
            due: shop.next_timer(),
            seq_before,
            decided: out.decisions.len() as u32,
            text: &text,
            decisions,
            claims: &turn.claims,
            booked: &turn.booked,
            rated: out.decisions.iter().any(rated),
        };
        let bytes = text.len() + decisions.len();
        let order = self.journal.append(awake.owner, &entry, None);
        let order = order.map_err(|_| Unavailable::Broken)?;
        awake.n += 1;
        awake.fresh.records += 1;
        awake.fresh.bytes += bytes;
        Ok(AppliedEvent {
            item: decided(id, out, written),
            order: Some(order),
        })
    }
}

/// Nothing can be dated behind this.
fn past_all_years(at: Instant) -> String {
    format!(
        "the shop's clock stands at {}, since an earlier release took a machine's clock that was wrong. What the shop \
         holds can be read and exported, and it takes nothing more: `DELETE` it, and set it up again",
        at.at_offset(0)
    )
}

/// An answer that the journal need not have.
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

/// An event with the id of an accepted one: the same answer, or none where its body is another.
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

/// Why an event was rejected, where it was: its own rejection comes last.
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
