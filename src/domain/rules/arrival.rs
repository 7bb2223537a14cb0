//! Arrival: a session is opened (`session.opened`), and the bot hands it off (`session.handoff`); S1, S2.

use super::routing::{RoutingChoice, RoutingRequest};
use crate::domain::base::id::Id;
use crate::domain::collections::slab_map::NOBODY;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::protocol::decision::ErrorCode;
use crate::domain::protocol::event::Priority;
use crate::domain::protocol::rejection::Rejection;
use crate::domain::state::agent::BOT;
use crate::domain::state::buyer::Buyer;
use crate::domain::state::session::{Session, SessionPlace};
use crate::domain::state::shop::Shop;

impl Shop {
    /// `session.opened`.
    pub(in crate::domain) fn open(
        &mut self,
        session: &Id,
        buyer: &Id,
        attributes: RoutingAttributes,
        bot: bool,
        priority: Option<Priority>,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let known = self.check_opening(session, buyer)?;
        if bot {
            let number = self.begin(session, buyer, known, attributes, true);
            self.sessions[number].priority = priority;
            return Ok(());
        }
        self.fresh_crews();
        let caller = RoutingRequest {
            session,
            attributes: &attributes,
            buyer: known,
        };
        let route = self.route(caller, out);
        self.check_room(&route)?;
        let number = self.begin(session, buyer, known, attributes, false);
        self.sessions[number].priority = priority;
        self.settle_repeat_visit(number);
        self.follow(number, route, out);
        Ok(())
    }

    /// S1. Returns the buyer's number, if the shop knows the buyer.
    pub(in crate::domain) fn check_opening(
        &self,
        session: &Id,
        buyer: &Id,
    ) -> Result<Option<u32>, Rejection> {
        if self.sessions.find(session).is_some() {
            let message = format!(
                "Session {session:?} is open, or was closed in the last 7 days: give each session an id of its own."
            );
            return Err(Rejection::new(ErrorCode::SessionExists, message));
        }
        let known = self.buyers.find(buyer);
        let open = known.map_or(NOBODY, |buyer| self.buyers[buyer].open_session);
        if open != NOBODY {
            let other = self.sessions[open].id.clone();
            let message =
                format!("Buyer {buyer:?} is in session {other:?}: go on in it, or close it first.");
            return Err(Rejection {
                error: ErrorCode::BuyerInSession,
                message,
                session: Some(other),
            });
        }
        if known.is_some_and(|buyer| self.is_blocked(buyer)) {
            let message = format!(
                "Buyer {buyer:?} is blocked: send `buyer.blocked` with `blocked` false to serve it again."
            );
            return Err(Rejection::new(ErrorCode::BuyerBlocked, message));
        }
        Ok(known)
    }

    /// R6's limit, for a session that is about to be routed. The agent groups must be current.
    pub(in crate::domain) fn check_room_for(
        &self,
        session: &Id,
        attributes: &RoutingAttributes,
        buyer: Option<u32>,
    ) -> Result<(), Rejection> {
        let caller = RoutingRequest {
            session,
            attributes,
            buyer,
        };
        let route = self.route(caller, &mut DecisionSink::default());
        self.check_room(&route)
    }

    /// R6's limit, for a session that would wait.
    fn check_room(&self, route: &RoutingChoice) -> Result<(), Rejection> {
        match route {
            RoutingChoice::Wait { .. } if !self.queue_has_room() => {
                let message = format!(
                    "{} sessions wait, which is the policy's `routing.queue.limit`: tell the buyer to come back later, \
                     or raise the limit.",
                    self.queue.waiting
                );
                Err(Rejection::new(ErrorCode::QueueFull, message))
            }
            RoutingChoice::Wait { .. } | RoutingChoice::To { .. } => Ok(()),
        }
    }

    /// Creates the session, with the bot or about to be routed.
    fn begin(
        &mut self,
        session: &Id,
        buyer: &Id,
        known: Option<u32>,
        attributes: RoutingAttributes,
        bot: bool,
    ) -> u32 {
        let buyer = known.unwrap_or_else(|| self.buyers.insert(Buyer::new(buyer.clone())));
        let opened_as = self.totals.opened + 1;
        let opened = (self.now, self.seq, opened_as);
        let mut record = Session::new(session.clone(), buyer, opened, attributes);
        if bot {
            record.server = BOT;
        }
        let number = self.sessions.insert(record);
        self.buyers[buyer].open_session = number;
        self.totals.opened(bot);
        if bot {
            self.time_silence(number);
        }
        number
    }

    /// Decides at the first routing whether this is a repeat visit (R1).
    pub(in crate::domain) fn settle_repeat_visit(&mut self, session: u32) {
        let buyer = self.sessions[session].buyer;
        let repeat_visit = self.is_repeat_visit(Some(buyer));
        let marks = &mut self.sessions[session].marks;
        if !std::mem::replace(&mut marks.routed, true) {
            marks.repeat_visit = repeat_visit;
        }
    }

    /// `session.handoff`.
    pub(in crate::domain) fn hand_off(
        &mut self,
        session: &Id,
        question: &Option<Id>,
        order_status: &Option<Id>,
        out: &mut DecisionSink,
    ) -> Result<(), Rejection> {
        let number = self.find_with_bot(session)?;
        let record = &self.sessions[number];
        let attributes = record.asked_anew(question, order_status);
        let buyer = Some(record.buyer);
        self.fresh_crews();
        let caller = RoutingRequest {
            session,
            attributes: &attributes,
            buyer,
        };
        let route = self.route(caller, out);
        self.check_room(&route)?;
        self.sessions[number].attributes = Some(Box::new(attributes));
        self.settle_repeat_visit(number);
        self.leave_bot(number);
        self.follow(number, route, out);
        self.count_handoff(number, out);
        Ok(())
    }

    /// The session, if it is with the bot (S2).
    pub(in crate::domain) fn find_with_bot(&self, session: &Id) -> Result<u32, Rejection> {
        let number = self.find_open(session)?;
        match self.sessions[number].place {
            SessionPlace::Bot => Ok(number),
            SessionPlace::Agent(_) | SessionPlace::Waiting { .. } | SessionPlace::Closed { .. } => {
                let message = format!(
                    "Session {session:?} is not with the bot: only a session that was opened with `bot` and not \
                     handed off is."
                );
                Err(Rejection::new(ErrorCode::NotWithBot, message))
            }
        }
    }
}
