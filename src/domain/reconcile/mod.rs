//! Reconciling: an event that an older core decided is decided again, and **the record wins**.
//!
//! The shop decides the event by this core's rules, which does all that an event does beside its decisions: messages,
//! presence, windows, the clock. Where the decisions come out otherwise than the record says, the state is then made to
//! fit the record: a session is where the record's last word on it puts it, cards and ratings that were answered exist,
//! others do not, invites that were sent are counted, loads follow, and `seq` goes on behind the record. Where the record
//! says that the event was rejected, only time passes.
//!
//! What cannot be known stays as this core has it: what is beside the decisions of an event that this core cannot read or
//! rejects, and the wording of prompts and replies.
//!
//! Nothing here can fail or panic, whatever a record says. What must hold ([`Shop::audit`]) holds again once one more
//! event was accepted: until then a session that the record left waiting may wait although somebody is free by this
//! core's rules, and a reminder may be overdue that the record did not give. The drain and the timers of the next event
//! see to both, as decisions of their own.

mod before;
mod bookings;
mod cards;
mod nearest;
mod placing;
mod recorded;

pub use recorded::{RecordedBody, RecordedDecision, RecordedOutcome};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::base::calendar::Stretch;
use super::base::id::Id;
use super::base::time::Instant;
use super::explain::decision_sink::DecisionSink;
use super::policy::Policy;
use super::protocol::decision::ErrorCode;
use super::protocol::event::{Event, EventBody, RatedOn};
use super::state::idempotency::{Code, IdempotencyRecord};
use super::state::shared_invites::Ledger;
use super::state::shop::Shop;
use crate::domain::policy::routing_attributes::Ask;
use crate::domain::protocol::rejection::Rejection;

use before::Before;

impl Shop {
    /// Handles an event as an older core has: decides it again, and makes the state fit what is recorded. Without an
    /// event this core cannot read it. `out` has what this core decides.
    pub fn take_recorded(
        &mut self,
        event: Option<&Event>,
        recorded: &RecordedOutcome<'_>,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) {
        self.seq = recorded.seq_before;
        let began = out.decisions.len();
        let before = self.before(event, recorded);
        let rejection = recorded.rejection();
        match (event, rejection) {
            (Some(event), Some(error)) => {
                self.reject_recorded(event, error, recorded.at, ledger, out);
            }
            (Some(event), None) => {
                // Whether its id was used before is for the record to say.
                let event = Event {
                    id: None,
                    ..event.clone()
                };
                self.take(&event, ledger, out);
            }
            (None, _) => self.pass_time(recorded.at, ledger, out),
        }
        let decided = out.decisions[began..].iter();
        let decided = decided.map(|decision| RecordedDecision::of(decision, self.now));
        let decided: Vec<RecordedDecision> = decided.collect();
        if decided != recorded.decisions {
            self.reconcile(&before, event, &decided, recorded);
        }
        self.seq = recorded.seq_after();
        if let (Some(event), None) = (event, rejection)
            && let Some(id) = &event.id
        {
            let receipt = IdempotencyRecord {
                print: event.print,
                first: recorded.seq_before.saturating_add(1),
                count: recorded.decided,
            };
            let id = (Code::of(id), id.clone());
            self.remembered.keep_again(id, self.now, receipt);
        }
    }

    /// What an older core could not read as an event stays rejected, whether this core reads it or not.
    pub fn reject_as_recorded(
        &mut self,
        rejection: Option<(&str, Rejection)>,
        recorded: &RecordedOutcome<'_>,
        out: &mut DecisionSink,
    ) {
        self.seq = recorded.seq_before;
        if let Some((event, rejection)) = rejection {
            self.reject(event, rejection, out);
        }
        self.seq = recorded.seq_after();
    }

    /// The shop that a recorded event made, with the policy of this core that is nearest to the recorded one.
    pub fn made_by_record(id: &Id, policy: &serde_json::Value, at: Instant) -> Shop {
        Shop::new(id.clone(), Policy::nearest(policy), at)
    }

    /// Time passes until `to`, if it has not yet.
    fn pass_time(&mut self, to: Instant, ledger: &mut dyn Ledger, out: &mut DecisionSink) {
        if self.now <= to && to.of_an_event() {
            self.advance(to, ledger, out);
        }
    }

    /// The record rejects the event: it does nothing, whatever this core thinks of it.
    fn reject_recorded(
        &mut self,
        event: &Event,
        recorded: Option<ErrorCode>,
        at: Instant,
        ledger: &mut dyn Ledger,
        out: &mut DecisionSink,
    ) {
        let result = self.check_before(event);
        // These two are seen while the clock still stands.
        let stands = matches!(
            recorded,
            Some(ErrorCode::TimeWentBack | ErrorCode::Malformed)
        );
        if !stands {
            self.pass_time(at, ledger, out);
        }
        let result = result.and_then(|()| self.would_handle(&event.what));
        if let Err(rejection) = result {
            self.reject(event.what.name(), rejection, out);
        }
    }

    /// Whether [`Shop::take`] would handle the event now, and else why not. Nothing changes.
    fn would_handle(&mut self, what: &EventBody) -> Result<(), Rejection> {
        self.fresh_crews();
        match what {
            EventBody::ShopConfigured { policy } => policy
                .read()
                .map(drop)
                .map_err(|error| Rejection::new(ErrorCode::PolicyInvalid, error.to_string())),
            EventBody::AgentRemoved { agent } | EventBody::PresenceChanged { agent, .. } => {
                self.find_agent(agent).map(drop)
            }
            EventBody::SessionOpened {
                session,
                buyer,
                entry,
                question,
                order_status,
                bot,
            } => {
                let known = self.check_opening(session, buyer)?;
                let ask = Ask {
                    entry: entry.clone(),
                    question: question.clone(),
                    order_status: order_status.clone(),
                };
                match bot {
                    true => Ok(()),
                    false => self.check_room_for(session, &ask, known),
                }
            }
            EventBody::SessionHandoff {
                session,
                question,
                order_status,
            } => {
                let number = self.find_with_bot(session)?;
                let record = &self.sessions[number];
                let ask = record.asked_anew(question, order_status);
                self.check_room_for(session, &ask, Some(record.buyer))
            }
            EventBody::SessionTransferred { session, to } => {
                let session = self.find_open(session)?;
                let found = self.roster.agents.find(to);
                match self.sessions[session].agent() {
                    Some(own) if found == Some(own) => Ok(()),
                    Some(_) | None => self.transferable(to, found).map(drop),
                }
            }
            EventBody::SessionClosed { session, .. } | EventBody::BuyerMessage { session } => {
                self.find_open(session).map(drop)
            }
            EventBody::AgentMessage { session, agent, .. }
            | EventBody::InviteRequested { session, agent } => {
                self.find_own(session, agent.as_ref()).map(drop)
            }
            EventBody::BotMessage { session } => self.find_with_bot(session).map(drop),
            EventBody::RatingOpened { session, .. }
            | EventBody::RatingSubmitted {
                on: RatedOn::Session(session),
                ..
            } => self.find_session(session).map(drop),
            EventBody::RatingSubmitted {
                on: RatedOn::Card(_),
                ..
            }
            | EventBody::AgentConfigured { .. }
            | EventBody::BuyerFlagged { .. }
            | EventBody::Clock => Ok(()),
        }
    }

    /// Makes the state that this core came to fit what is recorded.
    fn reconcile(
        &mut self,
        before: &Before,
        event: Option<&Event>,
        decided: &[RecordedDecision],
        recorded: &RecordedOutcome<'_>,
    ) {
        self.fresh_crews();
        let (extra, missing) = differences(decided, recorded.decisions);
        let clock = (self.now, self.stretch);
        for decision in extra.iter().rev() {
            self.stand_at(decision.at, clock);
            self.take_back(&decision.body, before, event);
        }
        for (place, (decision, &missing)) in recorded.decisions.iter().zip(&missing).enumerate() {
            self.seq = recorded.seq_before.saturating_add(place as u64 + 1);
            self.stand_at(decision.at, clock);
            match missing {
                true => self.catch_up(&decision.body, event),
                false => self.keep_card(&decision.body),
            }
        }
        self.place_as_recorded(before, event, decided, (&extra, &missing), recorded, clock);
        self.order_assignments(before, &extra, recorded);
        (self.now, self.stretch) = clock;
    }

    /// The clock stands where a decision was taken, between the event before and this one; nothing else follows from it.
    pub(super) fn stand_at(&mut self, at: Instant, clock: (Instant, Stretch)) {
        self.now = at.in_event_years().min(clock.0);
        if clock.1.holds(self.now) {
            self.stretch = clock.1;
        } else if !self.stretch.holds(self.now) {
            self.stretch = self.policy.timezone.stretch(self.now);
        }
    }
}

/// What was decided and is not recorded; and of what is recorded, whether it was not decided. Each as often as it is.
fn differences<'a>(
    decided: &'a [RecordedDecision],
    recorded: &[RecordedDecision],
) -> (Vec<&'a RecordedDecision>, Vec<bool>) {
    let mut left: HashMap<&RecordedDecision, u32, FixedState> = HashMap::default();
    for decision in recorded {
        *left.entry(decision).or_default() += 1;
    }
    let mut extra = Vec::new();
    for decision in decided {
        match left.get_mut(decision) {
            Some(count) if *count > 0 => *count -= 1,
            Some(_) | None => extra.push(decision),
        }
    }
    // Of several that are the same the later ones are missing.
    let mut missing = vec![false; recorded.len()];
    for (decision, missing) in recorded.iter().zip(&mut missing).rev() {
        if let Some(count) = left.get_mut(decision)
            && *count > 0
        {
            *count -= 1;
            *missing = true;
        }
    }
    (extra, missing)
}
