//! Reconciliation: an event that an older core decided is decided again, and **the record wins**.
//!
//! The shop decides the event by this core's rules. That applies all effects besides decisions: messages, presence,
//! windows and the clock. If the decisions differ from the record, the state is then adjusted to the record. A session
//! is at the place of its last recorded decision, and was taken back as often as the record says. Agents are away and
//! the shop is open as the record says. Recorded cards and ratings exist, others do not. Recorded invitations are
//! counted, loads follow, and `seq` continues after the record. If the record rejects the event, only time passes.
//!
//! What cannot be known stays as this core computes it: the other effects of an event that this core cannot parse or
//! rejects, and the wording of prompts and replies.
//!
//! Nothing here can fail or panic, whatever a record contains. The invariants
//! ([`audit`](super::read::invariants::audit)) hold again after one more accepted event. Until then, a session that the
//! record left waiting may wait although an agent is free by this core's rules, and a reminder that the record does not
//! have may be overdue. The drain and the timers of the next event handle both, with decisions of their own.

mod before_event;
mod cards;
mod nearest_policy;
mod placing;
mod recorded;
mod recorded_entities;
mod take_backs;
mod undo_redo;

pub use recorded::{RecordedBody, RecordedDecision, RecordedOutcome};

use std::borrow::Cow;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::base::id::Id;
use super::base::time::Instant;
use super::explain::decision_sink::DecisionSink;
use super::policy::Policy;
use super::protocol::decision::ErrorCode;
use super::protocol::event::{Event, EventBody, RatedOn};
use super::state::idempotency::{Code, IdempotencyRecord};
use super::state::shared_invites::Ledger;
use super::state::shop::Shop;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::rejection::Rejection;

use before_event::Before;
use recorded_entities::stand_at;

/// Handles an event of an older core: decides it again, and adjusts the state to the record. `event` is `None` if
/// this core cannot parse it. `out` gets the decisions of this core.
pub fn take_recorded(
    shop: &mut Shop,
    event: Option<&Event>,
    recorded: &RecordedOutcome<'_>,
    ledger: &mut dyn Ledger,
    out: &mut DecisionSink,
) {
    shop.seq = recorded.seq_before;
    let began = out.decisions.len();
    let before = Before::capture(shop, event, recorded);
    let rejection = recorded.rejection();
    match (event, rejection) {
        (Some(event), Some(error)) => {
            reject_recorded(shop, event, error, recorded.at, ledger, out);
        }
        (Some(event), None) => {
            // The record says whether the id was used before.
            let event = Event {
                id: None,
                ..event.clone()
            };
            shop.take(&event, ledger, out);
        }
        (None, _) => pass_time(shop, recorded.at, ledger, out),
    }
    let decided = out.decisions[began..].iter();
    let decided = decided.map(|decision| RecordedDecision::of(decision, shop.now));
    let decided: Vec<RecordedDecision> = decided.collect();
    let decisions = with_reasons(recorded.decisions, event);
    let recorded = &RecordedOutcome {
        decisions: &decisions,
        ..*recorded
    };
    if decided != *decisions {
        reconcile(shop, &before, event, &decided, recorded);
    }
    shop.seq = recorded.seq_after();
    if let (Some(event), None) = (event, rejection)
        && let Some(id) = &event.id
    {
        let receipt = IdempotencyRecord {
            print: event.print,
            first: recorded.seq_before.saturating_add(1),
            count: recorded.decided,
        };
        let id = (Code::of(id), id.clone());
        shop.remembered.keep_again(id, shop.now, receipt);
    }
}

/// The recorded decisions, with the reasons of a rating: records of the first core have them in the event alone.
fn with_reasons<'a>(
    decisions: &'a [RecordedDecision],
    event: Option<&Event>,
) -> Cow<'a, [RecordedDecision]> {
    let mut decisions = Cow::Borrowed(decisions);
    if let Some(EventBody::RatingSubmitted { reasons: given, .. }) = event.map(|event| &event.what)
        && !given.is_empty()
    {
        for decision in decisions.to_mut() {
            if let RecordedBody::RatingRecorded { reasons, .. } = &mut decision.body
                && reasons.is_empty()
            {
                reasons.clone_from(given);
            }
        }
    }
    decisions
}

/// An event that an older core rejected as malformed stays rejected, even if this core can parse it.
pub fn reject_as_recorded(
    shop: &mut Shop,
    rejection: Option<(&str, Rejection)>,
    recorded: &RecordedOutcome<'_>,
    out: &mut DecisionSink,
) {
    shop.seq = recorded.seq_before;
    if let Some((event, rejection)) = rejection {
        shop.reject(event, rejection, out);
    }
    shop.seq = recorded.seq_after();
}

/// The shop that a recorded event created, with the nearest policy that this core accepts.
pub fn made_by_record(id: &Id, policy: &serde_json::Value, at: Instant) -> Shop {
    Shop::new(id.clone(), Policy::nearest(policy), at)
}

/// Advances the clock to `to`, unless it is later.
fn pass_time(shop: &mut Shop, to: Instant, ledger: &mut dyn Ledger, out: &mut DecisionSink) {
    if shop.now <= to && to.of_an_event() {
        shop.advance(to, ledger, out);
    }
}

/// The record rejects the event, so it has no effect.
fn reject_recorded(
    shop: &mut Shop,
    event: &Event,
    recorded: Option<ErrorCode>,
    at: Instant,
    ledger: &mut dyn Ledger,
    out: &mut DecisionSink,
) {
    let result = shop.check_before(event);
    // These two checks come before the clock advances.
    let stands = matches!(
        recorded,
        Some(ErrorCode::TimeWentBack | ErrorCode::Malformed)
    );
    if !stands {
        pass_time(shop, at, ledger, out);
    }
    let result = result.and_then(|()| would_handle(shop, event));
    if let Err(rejection) = result {
        shop.reject(event.what.name(), rejection, out);
    }
}

/// Whether [`Shop::take`] would handle the event now. The error says why not. Changes nothing.
fn would_handle(shop: &mut Shop, event: &Event) -> Result<(), Rejection> {
    shop.fresh_crews();
    match &event.what {
        EventBody::ShopConfigured { policy } => policy
            .read()
            .map(drop)
            .map_err(|error| Rejection::new(ErrorCode::PolicyInvalid, error.to_string())),
        EventBody::AgentRemoved { agent }
        | EventBody::AgentReady { agent }
        | EventBody::PresenceChanged { agent, .. } => shop.find_agent(agent).map(drop),
        EventBody::SessionOpened {
            session,
            buyer,
            entry,
            question,
            order_status,
            bot,
            priority: _,
        } => {
            let known = shop.check_opening(session, buyer)?;
            let attributes = RoutingAttributes {
                entry: entry.clone(),
                question: question.clone(),
                order_status: order_status.clone(),
            };
            match bot {
                true => Ok(()),
                false => shop.check_room_for(session, &attributes, known),
            }
        }
        EventBody::SessionHandoff {
            session,
            question,
            order_status,
        } => {
            let number = shop.find_with_bot(session)?;
            let record = &shop.sessions[number];
            let attributes = record.asked_anew(question, order_status);
            shop.check_room_for(session, &attributes, Some(record.buyer))
        }
        EventBody::SessionTransferred { session, to } => {
            let session = shop.find_open(session)?;
            let found = shop.directory.agents.find(to);
            match shop.sessions[session].agent() {
                Some(own) if found == Some(own) => Ok(()),
                Some(_) | None => shop.transferable(to, found).map(drop),
            }
        }
        EventBody::SessionClosed { session, .. }
        | EventBody::SessionRanked { session, .. }
        | EventBody::BuyerLeft { session }
        | EventBody::BuyerReturned { session }
        | EventBody::BuyerMessage { session } => shop.find_open(session).map(drop),
        EventBody::AgentMessage { session, agent, .. } => {
            let late = shop.find_answered_late(session, agent.as_ref(), event.at);
            match late {
                Some(_) => Ok(()),
                None => shop.find_own(session, agent.as_ref()).map(drop),
            }
        }
        EventBody::InviteRequested { session, agent } => {
            shop.find_own(session, agent.as_ref()).map(drop)
        }
        EventBody::BotMessage { session } => shop.find_with_bot(session).map(drop),
        EventBody::RatingOpened { session, .. }
        | EventBody::RatingSubmitted {
            on: RatedOn::Session(session),
            ..
        } => shop.find_session(session).map(drop),
        EventBody::RatingSubmitted {
            on: RatedOn::Card(_),
            ..
        }
        | EventBody::AgentConfigured { .. }
        | EventBody::BuyerFlagged { .. }
        | EventBody::BuyerRanked { .. }
        | EventBody::BuyerBlocked { .. }
        | EventBody::Clock => Ok(()),
    }
}

/// Adjusts the state of this core to the record.
fn reconcile(
    shop: &mut Shop,
    before: &Before,
    event: Option<&Event>,
    decided: &[RecordedDecision],
    recorded: &RecordedOutcome<'_>,
) {
    shop.fresh_crews();
    let (extra, missing) = differences(decided, recorded.decisions);
    let clock = (shop.now, shop.span);
    for decision in extra.iter().rev() {
        stand_at(shop, decision.at, clock);
        undo_redo::take_back(shop, &decision.body, before);
    }
    for (place, (decision, &missing)) in recorded.decisions.iter().zip(&missing).enumerate() {
        shop.seq = recorded.seq_before.saturating_add(place as u64 + 1);
        stand_at(shop, decision.at, clock);
        match missing {
            true => undo_redo::catch_up(shop, &decision.body, event),
            false => cards::keep_card(shop, &decision.body),
        }
    }
    let differing = || {
        let missing = recorded.decisions.iter().zip(&missing);
        let missing = missing.filter(|(_, missing)| **missing);
        let missing = missing.map(|(decision, _)| decision);
        let differing = extra.iter().copied().chain(missing);
        differing.map(|decision| &decision.body)
    };
    take_backs::count_bounces(shop, before, differing(), recorded);
    placing::place_as_recorded(
        shop,
        before,
        event,
        decided,
        (&extra, &missing),
        recorded,
        clock,
    );
    take_backs::set_away_as_recorded(shop, before, event, differing(), recorded, clock);
    undo_redo::order_assignments(shop, before, &extra, recorded);
    (shop.now, shop.span) = clock;
    if differing().any(is_of_hours) {
        open_as_recorded(shop, before, recorded);
    }
    shop.overdue_may_move = true;
    shop.settle_lates();
}

fn is_of_hours(decision: &RecordedBody) -> bool {
    matches!(decision, RecordedBody::Hours { .. })
}

/// The shop is open as the record last said (H3). Where this core's policy says otherwise, the next event decides it.
fn open_as_recorded(shop: &mut Shop, before: &Before, recorded: &RecordedOutcome<'_>) {
    let mut open_now = before.open_now;
    for decision in recorded.decisions {
        if let RecordedBody::Hours { open } = decision.body {
            open_now = open;
        }
    }
    shop.open_now = open_now;
    if open_now != shop.is_open_at(shop.now) {
        shop.timers.arm_hours(Some(shop.now));
    }
}

/// The decisions that are not recorded, and for each recorded one whether it is missing. Duplicates count separately.
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
    // Of several equal decisions the last ones are missing.
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
