//! What the record names, in the shop: the instant of a decision, and sessions, buyers and agents, created if this core
//! has none.

use crate::domain::base::calendar::LocalDaySpan;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::state::agent::{Agent, BOT, BOT_ID};
use crate::domain::state::buyer::Buyer;
use crate::domain::state::session::{Session, SessionPlace};
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::Timer;

/// Sets the clock to the time of a decision between the previous event and this one, without other effects.
pub(super) fn stand_at(shop: &mut Shop, at: Instant, clock: (Instant, LocalDaySpan)) {
    shop.now = at.in_event_years().min(clock.0);
    if clock.1.holds(shop.now) {
        shop.span = clock.1;
    } else if !shop.span.holds(shop.now) {
        shop.span = shop.policy.timezone.span(shop.now);
    }
}

/// The number of a session that the record names without placing it. If it does not exist, it is created closed.
pub(super) fn session_or_a_closed_one(shop: &mut Shop, session: &Id, buyer: &Id) -> u32 {
    if let Some(number) = shop.sessions.find(session) {
        return number;
    }
    let (number, _) = make_session(shop, session, buyer, RoutingAttributes::default());
    shop.sessions[number].place = SessionPlace::Closed { at: shop.now };
    shop.closed.push_back((shop.now, number));
    shop.totals.closed += 1;
    number
}

/// Creates a session that this core does not know, and its buyer.
pub(super) fn make_session(
    shop: &mut Shop,
    session: &Id,
    buyer: &Id,
    attributes: RoutingAttributes,
) -> (u32, u32) {
    let known = shop.buyers.find(buyer);
    let buyer = known.unwrap_or_else(|| shop.buyers.insert(Buyer::new(buyer.clone())));
    let opened_as = shop.totals.opened + 1;
    let begins = (shop.now, shop.seq.saturating_sub(1), opened_as);
    let record = Session::new(session.clone(), buyer, begins, attributes);
    shop.totals.opened += 1;
    (shop.sessions.insert(record), buyer)
}

/// Sets the agent that serves a session, or served it last. The place that it still takes with another one after its
/// close is free (S8).
pub(super) fn serve_by(shop: &mut Shop, session: u32, agent: u32) {
    if shop.sessions[session].server != agent {
        end_wrap_up(shop, session);
    }
    shop.sessions[session].server = agent;
}

/// Ends the work after a session, if it has not ended (S8).
pub(super) fn end_wrap_up(shop: &mut Shop, session: u32) {
    if shop.timers.due(session, Timer::WrapUp).is_some() {
        shop.timers.disarm(session, Timer::WrapUp);
        shop.end_wrap_up(session);
    }
}

/// The number of an agent that the record names. Creates it without a profile if necessary.
pub(super) fn agent_of_record(shop: &mut Shop, agent: &Id) -> u32 {
    if agent.as_str() == BOT_ID {
        return BOT;
    }
    let day = shop.span.day;
    let agents = &mut shop.directory.agents;
    let known = agents.find(agent);
    known.unwrap_or_else(|| agents.insert(Agent::new(agent.clone(), day)))
}
