//! A naive reference model of the rules. It scans lists, keeps everything, and does not optimise.
//!
//! It was written only from the contract and the rules, by an author who had not seen the program. That makes it
//! independent. It shares no code with the program and must not be fixed by looking at it. Where the two differ, the
//! rules decide which one is wrong.
//!
//! | file | rules |
//! | --- | --- |
//! | `value`, `calendar` | instants, durations, ids, ratios; natural days, weeks, months |
//! | `event` | the form of an event |
//! | `policy` | the policy: presets, merging, checking |
//! | `shop`, `timers` | one shop's state, the order of checks, the clock |
//! | `session`, `life` | S1 to S6, R8 |
//! | `giving_up`, `after_work`, `late` | S7, S8, S10 and T1d |
//! | `routing`, `moves` | R1 to R5, R5b, R9, R14, P1 to P4 |
//! | `waiting` | R6, R7, R11 |
//! | `take_back` | R10 |
//! | `hours` | H1 to H3 |
//! | `blocked` | B1 |
//! | `invite` | I1 to I13 |
//! | `rating` | Q1 to Q6 |
//! | `reply`, `score` | M1 to M6, M12, M13, T1b, T1c |
//! | `desk` | what M9 to M11 book |
//! | `report`, `sheets` | the report |
//! | `audit` | what must hold after every event |
//! | `generate` | traces to play against it |

#![allow(
    dead_code,
    reason = "each test that plays against the model uses its own part of it"
)]

mod after_work;
pub mod audit;
mod blocked;
mod calendar;
mod desk;
mod event;
pub mod generate;
mod giving_up;
mod hours;
mod invite;
mod late;
mod life;
mod moves;
mod policy;
mod rating;
mod reply;
mod report;
mod routing;
mod score;
mod session;
mod sheets;
mod shop;
mod take_back;
mod timers;
pub mod value;
mod waiting;

use event::{Envelope, Event, Timed};
use invite::SentInvite;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Map, Value};
use shop::{Rejection, Shop};
use std::collections::BTreeMap;

/// All shops of a trace.
#[derive(Default)]
pub struct Model {
    shops: BTreeMap<String, Shop>,
    /// Invites of all shops, in the order of handling (I12).
    ledger: Vec<SentInvite>,
}

impl Model {
    pub fn new() -> Self {
        Model::default()
    }

    /// The decisions of one line of a trace; an error where it is no JSON object.
    pub fn line(&mut self, line: &str) -> Result<Vec<Value>, String> {
        if line.trim().is_empty() {
            return Ok(Vec::new());
        }
        let object: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| error.to_string())?;
        Ok(self.envelope(Envelope::read(object)))
    }

    /// By shop id.
    pub fn report(&self) -> Value {
        let reports = self
            .shops
            .iter()
            .map(|(name, shop)| (name.clone(), shop.report()));
        reports.collect::<Map<_, _>>().into()
    }

    /// The open sessions of a shop: session, buyer, and who has it (`bot`, an agent, none in a queue).
    pub fn open_sessions(&self, shop: &str) -> Vec<(String, String, Option<String>)> {
        let shop = self.shops.get(shop).into_iter();
        shop.flat_map(|shop| shop.open.iter().map(|session| &shop.sessions[*session]))
            .map(|s| {
                (
                    s.id.clone(),
                    s.buyer.clone(),
                    s.serving_now().map(str::to_owned),
                )
            })
            .collect()
    }

    /// When the next timer of a shop is due.
    pub fn next_timer(&self, shop: &str) -> Option<value::Ms> {
        self.shops.get(shop)?.timers.next_due()
    }

    fn envelope(&mut self, envelope: Envelope) -> Vec<Value> {
        let Envelope {
            kind,
            at,
            shop,
            event,
        } = envelope;
        let known = shop.as_ref().and_then(|name| self.shops.get_mut(name));
        let Some(known) = known else {
            return self
                .without_shop(shop.clone(), event)
                .unwrap_or_else(|no| vec![outside(no, &kind, at, shop)]);
        };
        known.ledger = std::mem::take(&mut self.ledger);
        let decisions = known.take(&kind, event);
        self.ledger = std::mem::take(&mut known.ledger);
        decisions
    }

    /// An event for a shop that does not exist: `shop.configured` makes it.
    fn without_shop(
        &mut self,
        name: Option<String>,
        event: Option<Timed>,
    ) -> Result<Vec<Value>, Rejection> {
        let name = name.ok_or("malformed")?;
        let Timed { at, id, event } = event.ok_or("malformed")?;
        let Event::ShopConfigured { policy } = event else {
            return Err("shop_unknown".into());
        };
        let policy = policy::read(&policy).map_err(Rejection::policy)?;
        let mut shop = Shop::new(name.clone(), policy, at);
        shop.look_at_hours(); // H3: it begins open
        shop.finish();
        shop.remember(id);
        let decisions = shop.take_decisions();
        self.shops.insert(name, shop);
        Ok(decisions)
    }
}

/// A rejection of an event for a shop that does not exist: `seq` 0, the event's own `at` at +08:00.
fn outside(rejection: Rejection, kind: &str, at: Option<value::Ms>, shop: Option<String>) -> Value {
    let Value::Object(mut decision) = rejection.fields(kind) else {
        unreachable!("fields are an object");
    };
    decision.retain(|_, value| !value.is_null());
    let zone = TimeZone::fixed(Offset::constant(8));
    if let Some(at) = at {
        decision.insert("at".to_owned(), Value::from(value::written(at, &zone)));
    }
    decision.insert("shop".to_owned(), Value::from(shop.unwrap_or_default()));
    decision.insert("seq".to_owned(), Value::from(0));
    decision.insert("type".to_owned(), Value::from("event.rejected"));
    Value::Object(decision)
}
