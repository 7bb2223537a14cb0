//! Deciding: an event of a request becomes decisions and a record, or an answer that needs none. The way back is in
//! [`super::recovery`].

use super::live_shop::{Awake, Fresh};
use std::ops::Range;
use std::sync::Arc;

use bytestring::ByteString;

use super::shared_ledger::SharedLedger;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::explain::decision_sink::Outcome;
use crate::domain::installation::{create, reject_without_shop};
use crate::domain::protocol::decision::{Body, Decision};
use crate::domain::protocol::rejection::Rejection;
use crate::domain::rules::dispatch::Taken;
use crate::domain::state::shop::Shop;
use crate::domain::{CORE, protocol::codes::ErrorCode, state::idempotency::Receipt};
use crate::journal::{Entry, Journal, Kind};
use crate::runtime::event_result::{Answered, Intake, Refused};
use crate::wire::Pen;

/// About how long the decisions of an event are.
const DECISIONS_BYTES: usize = 192;

/// What the events of one request are decided with, one after the other.
pub(super) struct Work {
    /// The decisions of the latest.
    pub(super) out: Outcome,
    pen: Pen,
    /// The decisions of all, as they are written.
    text: String,
}

impl Work {
    /// For about so many events of a shop.
    pub(super) fn new(shop: &Id, events: usize) -> Work {
        Work {
            out: Outcome::default(),
            pen: Pen::new(shop),
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
    pub(super) fn finish(self, items: &mut [Item]) {
        let text = ByteString::from(self.text);
        for item in items {
            if let Item::Decided(answered, range) = item {
                answered.decisions = text.slice_ref(&text[range.clone()]);
            }
        }
    }
}

/// What becomes of one event of a request.
pub(super) enum Item {
    /// It is answered, by what stands here in the text of the request's decisions.
    Decided(Answered, Range<usize>),
    /// It is answered.
    Answered(Answered),
    /// It happened before: the journal has the answer.
    Repeated(Id, Receipt),
}

/// What an event is decided with.
pub(super) struct Deciding<'a> {
    pub(super) id: &'a Id,
    pub(super) journal: &'a Arc<dyn Journal>,
    pub(super) ledger: &'a SharedLedger,
}

/// An event that was decided: its answer, and the order of its record where it has one.
pub(super) struct Decided {
    pub(super) item: Item,
    pub(super) order: Option<u64>,
}

impl Deciding<'_> {
    /// Decides one event for a shop that is awake or is not there, and appends it to the journal.
    pub(super) fn decide(
        &self,
        awake: &mut Option<Awake>,
        intake: Intake,
        work: &mut Work,
    ) -> Result<Decided, Refused> {
        match awake {
            Some(awake) => self.decide_awake(awake, intake, Kind::Event, work),
            None => self.decide_absent(awake, intake, work),
        }
    }

    /// No such shop: `shop.configured` makes one, all else is told so.
    fn decide_absent(
        &self,
        awake: &mut Option<Awake>,
        intake: Intake,
        work: &mut Work,
    ) -> Result<Decided, Refused> {
        let (event, stamped, text) = match intake {
            Intake::Event {
                event,
                stamped,
                text,
            } => (event, stamped, text),
            Intake::Malformed { malformed, .. } => {
                let rejection = Rejection::new(ErrorCode::Malformed, malformed.message);
                let decision = reject_without_shop(&malformed.event, malformed.at, rejection);
                return Ok(without_record(None, decision, work));
            }
        };
        match create(self.id, &event) {
            Ok(shop) => {
                let owner = self.journal.create(self.id);
                let new = awake.insert(Awake {
                    shop: Box::new(shop),
                    owner,
                    n: 0,
                    fresh: Fresh::default(),
                    state_bytes: 0,
                });
                let intake = Intake::Event {
                    event,
                    stamped,
                    text,
                };
                self.decide_awake(new, intake, Kind::Created, work)
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
        awake: &mut Awake,
        intake: Intake,
        kind: Kind,
        work: &mut Work,
    ) -> Result<Decided, Refused> {
        let at = match &intake {
            Intake::Event { event, .. } => event.at.max(awake.shop.now()),
            Intake::Malformed { .. } => awake.shop.now(),
        };
        if !at.of_an_event() {
            return Err(Refused::Damaged(past_all_years(at)));
        }
        let mut turn = self.ledger.turn();
        let out = &mut work.out;
        let shop = &mut awake.shop;
        let seq_before = shop.seq();
        out.decisions.clear();
        let (kind, id, at, text) = match intake {
            Intake::Event {
                mut event,
                stamped,
                text,
            } => {
                if stamped {
                    event.at = event.at.max(shop.now());
                }
                match shop.take(&event, &mut turn, out) {
                    Taken::Accepted | Taken::Rejected => {}
                    Taken::Repeated => return Ok(repeated(shop, event.id, event.print)),
                }
                // An event of before is rejected at the shop's clock.
                (kind, event.id, event.at.max(shop.now()), text)
            }
            Intake::Malformed { malformed, text } => {
                let rejection = Rejection::new(ErrorCode::Malformed, malformed.message);
                shop.reject(&malformed.event, rejection, out);
                (Kind::Malformed, None, shop.now(), text)
            }
        };
        let written = work.write();
        let (out, decisions) = (&work.out, &work.text[written.clone()]);
        let rated = |decision: &Decision| matches!(decision.body, Body::RatingRecorded { .. });
        let entry = Entry {
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
        let order = order.map_err(|_| Refused::Broken)?;
        awake.n += 1;
        awake.fresh.records += 1;
        awake.fresh.bytes += bytes;
        Ok(Decided {
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
fn without_record(id: Option<Id>, decision: Decision, work: &mut Work) -> Decided {
    work.out.decisions.clear();
    work.out.decisions.push(decision);
    let written = work.write();
    Decided {
        item: decided(id, &work.out, written),
        order: None,
    }
}

fn decided(id: Option<Id>, out: &Outcome, written: Range<usize>) -> Item {
    let answered = Answered {
        id,
        decisions: ByteString::new(),
        rejected: rejected(&out.decisions),
        ..Answered::nothing()
    };
    Item::Decided(answered, written)
}

/// An event with the id of an accepted one: the same answer, or none where its body is another.
fn repeated(shop: &Shop, id: Option<Id>, print: u64) -> Decided {
    let receipt = id.as_ref().and_then(|id| shop.receipt(id));
    let item = match (id, receipt) {
        (Some(id), Some(receipt)) if receipt.print == print => Item::Repeated(id, receipt),
        (id, _) => Item::Answered(Answered {
            id,
            conflict: true,
            ..Answered::nothing()
        }),
    };
    Decided { item, order: None }
}

/// The code, where an event was rejected: its own rejection comes last.
fn rejected(decisions: &[Decision]) -> Option<ErrorCode> {
    match &decisions.last()?.body {
        Body::EventRejected { error, .. } => Some(*error),
        Body::SessionAssigned { .. }
        | Body::SessionQueued { .. }
        | Body::SessionClosed { .. }
        | Body::AgentNotified { .. }
        | Body::AutoReplySent { .. }
        | Body::InviteSent { .. }
        | Body::InviteBlocked { .. }
        | Body::RatingOpened { .. }
        | Body::RatingRecorded { .. }
        | Body::RatingRefused { .. }
        | Body::ReplyDue { .. }
        | Body::ReplyOverdue { .. }
        | Body::ScoreAlert { .. }
        | Body::ScoreRecovered { .. } => None,
    }
}
