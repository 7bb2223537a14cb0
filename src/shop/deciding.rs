//! Deciding: an event of a request becomes decisions and a record, or an answer that needs none; and the way back, a
//! shop that comes up from its stored state and its records.

use std::sync::Arc;

use super::desk::{Answered, Intake, Refused};
use super::ledger::{Recorded, SharedLedger};
use crate::domain::decision::{Body, Decision};
use crate::domain::event::What;
use crate::domain::id::Id;
use crate::domain::installation::{create, reject_without_shop};
use crate::domain::outcome::Outcome;
use crate::domain::shop::{Rejection, Shop, Taken};
use crate::domain::{code::ErrorCode, receipt::Receipt};
use crate::journal::{Claimed, Entry, Journal, JournalError, Kind, Owner, Record};
use crate::wire::{Line, Written, read_event};

/// A shop that is awake, and its place in the journal.
pub(super) struct Awake {
    pub(super) shop: Box<Shop>,
    pub(super) owner: Owner,
    /// How many records it has.
    pub(super) n: u64,
    /// How many of them its stored state has not taken in, and their bytes.
    pub(super) fresh: Fresh,
    /// The bytes of its stored state.
    pub(super) state_bytes: usize,
}

/// What came after the stored state.
#[derive(Clone, Copy, Default)]
pub(super) struct Fresh {
    pub(super) records: u64,
    pub(super) bytes: usize,
}

/// What becomes of one event of a request.
pub(super) enum Item {
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
        out: &mut Outcome,
    ) -> Result<Decided, Refused> {
        match awake {
            Some(awake) => self.decide_awake(awake, intake, Kind::Event, out),
            None => self.decide_absent(awake, intake, out),
        }
    }

    /// No such shop: `shop.configured` makes one, all else is told so.
    fn decide_absent(
        &self,
        awake: &mut Option<Awake>,
        intake: Intake,
        out: &mut Outcome,
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
                return Ok(self.without_record(None, &decision));
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
                self.decide_awake(new, intake, Kind::Created, out)
            }
            Err(rejection) => {
                let name = event.what.name();
                let decision = reject_without_shop(name, Some(event.at), rejection);
                Ok(self.without_record(event.id, &decision))
            }
        }
    }

    fn without_record(&self, id: Option<Id>, decision: &Decision) -> Decided {
        let mut decisions = String::new();
        write(self.id, std::slice::from_ref(decision), &mut decisions);
        Decided {
            item: Item::Answered(Answered {
                id,
                decisions,
                rejected: rejected(std::slice::from_ref(decision)),
                conflict: false,
                refused: None,
            }),
            order: None,
        }
    }

    fn decide_awake(
        &self,
        awake: &mut Awake,
        intake: Intake,
        kind: Kind,
        out: &mut Outcome,
    ) -> Result<Decided, Refused> {
        let mut turn = self.ledger.turn();
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
        let mut decisions = String::with_capacity(256 * out.decisions.len() + 2);
        write(self.id, &out.decisions, &mut decisions);
        let rated = |decision: &Decision| matches!(decision.body, Body::RatingRecorded { .. });
        let text = str::from_utf8(&text).map_err(|_| Refused::Broken)?;
        let entry = Entry {
            shop: self.id,
            kind,
            n: awake.n + 1,
            at,
            seq_before,
            decided: out.decisions.len() as u32,
            text,
            decisions: &decisions,
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
            item: Item::Answered(Answered {
                id,
                rejected: rejected(&out.decisions),
                decisions,
                conflict: false,
                refused: None,
            }),
            order: Some(order),
        })
    }
}

/// An event with the id of an accepted one: the same answer, or none where its body is another.
fn repeated(shop: &Shop, id: Option<Id>, print: u64) -> Decided {
    let receipt = id.as_ref().and_then(|id| shop.receipt(id));
    let item = match (id, receipt) {
        (Some(id), Some(receipt)) if receipt.print == print => Item::Repeated(id, receipt),
        (id, _) => Item::Answered(Answered {
            id,
            decisions: "[]".to_owned(),
            rejected: None,
            conflict: true,
            refused: None,
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

/// Decisions as a JSON array.
fn write(shop: &Id, decisions: &[Decision], to: &mut String) {
    let mut bytes = std::mem::take(to).into_bytes();
    bytes.push(b'[');
    for (index, decision) in decisions.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        // Writing into memory cannot fail.
        let written = serde_json::to_writer(&mut bytes, &Written::new(shop, decision));
        debug_assert!(written.is_ok());
    }
    bytes.push(b']');
    *to = String::from_utf8(bytes).unwrap_or_default();
}

/// A shop as it was when the journal was last written.
pub(super) fn come_up(id: &Id, claimed: Claimed) -> Result<Awake, JournalError> {
    let Claimed { owner, state, tail } = claimed;
    let state_bytes = state.as_ref().map_or(0, |state| state.bytes.len());
    let (mut n, mut shop) = match state {
        None => (0, None),
        Some(state) => (state.n, Some(read_state(id, &state.bytes)?)),
    };
    let mut fresh = Fresh::default();
    let mut out = Outcome::default();
    for record in &tail {
        replay(id, &mut shop, record, &mut out)?;
        n = record.n;
        fresh.records += 1;
        fresh.bytes += record.text.len() + record.decisions.len();
    }
    let shop = shop.ok_or_else(|| astray(id, "it has no first record"))?;
    Ok(Awake {
        shop: Box::new(shop),
        owner,
        n,
        fresh,
        state_bytes,
    })
}

/// What is stored of a shop does not lead where it led.
pub(super) fn astray(id: &Id, what: &str) -> JournalError {
    JournalError::Damaged(format!(
        "shop {id:?} cannot come back from the journal: {what}. Nothing was changed. Run `xiaoer verify`; \
         `xiaoer restore` goes back to a backup"
    ))
}

/// Reads a stored state.
pub(super) fn read_state(id: &Id, bytes: &[u8]) -> Result<Shop, JournalError> {
    let read = bincode::serde::decode_from_slice(bytes, bincode::config::standard());
    let (shop, _): (Shop, usize) = read.map_err(|error| astray(id, &error.to_string()))?;
    Ok(shop)
}

/// The stored form of a shop's state.
pub(super) fn stored(shop: &Shop) -> Vec<u8> {
    // Writing into memory cannot fail.
    bincode::serde::encode_to_vec(shop, bincode::config::standard()).unwrap_or_default()
}

/// Decides a record again; it must come out as it did.
pub(super) fn replay(
    id: &Id,
    shop: &mut Option<Shop>,
    record: &Record,
    out: &mut Outcome,
) -> Result<(), JournalError> {
    out.decisions.clear();
    let read = read_event(&record.text, id, record.at);
    let read = read.map_err(|error| astray(id, &error.to_string()))?;
    let mut ledger = Recorded::new(&record.claims);
    match (read.line, record.kind) {
        (Line::Event(_, mut event), Kind::Created | Kind::Event) => {
            if read.stamped {
                event.at = record.at;
            }
            if let (None, What::ShopConfigured { .. }) = (&shop, &event.what) {
                let made = create(id, &event);
                *shop = Some(made.map_err(|rejection| astray(id, &rejection.message))?);
            }
            let shop = shop
                .as_mut()
                .ok_or_else(|| astray(id, "it was never made"))?;
            shop.take(&event, &mut ledger, out);
        }
        (Line::Malformed(malformed), Kind::Malformed) => {
            let shop = shop
                .as_mut()
                .ok_or_else(|| astray(id, "it was never made"))?;
            let rejection = Rejection::new(ErrorCode::Malformed, malformed.message);
            shop.reject(&malformed.event, rejection, out);
        }
        (Line::Event(..) | Line::Malformed(_), _) => {
            return Err(astray(
                id,
                &format!("its record {} reads otherwise now", record.n),
            ));
        }
    }
    let seq = shop.as_ref().map_or(0, Shop::seq);
    if seq != record.seq_before + u64::from(record.decided) {
        return Err(astray(
            id,
            &format!("its record {} is decided otherwise now", record.n),
        ));
    }
    Ok(())
}
