//! `xiaoer_events_total`: a counter for every type of event, found by arithmetic.

use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::event::What;

/// The types of events, in the order of [`slot`].
pub(super) const TYPES: [&str; 18] = [
    "shop.configured",
    "agent.configured",
    "agent.removed",
    "agent.online",
    "agent.away",
    "agent.offline",
    "session.opened",
    "session.handoff",
    "session.transferred",
    "session.closed",
    "buyer.message",
    "agent.message",
    "bot.message",
    "invite.requested",
    "rating.opened",
    "rating.submitted",
    "buyer.flagged",
    "clock",
];

/// Which counter an event moves.
pub(super) fn slot(what: &What) -> usize {
    match what {
        What::ShopConfigured { .. } => 0,
        What::AgentConfigured { .. } => 1,
        What::AgentRemoved { .. } => 2,
        What::PresenceChanged { presence, .. } => match presence {
            Presence::Online => 3,
            Presence::Away => 4,
            Presence::Offline => 5,
        },
        What::SessionOpened { .. } => 6,
        What::SessionHandoff { .. } => 7,
        What::SessionTransferred { .. } => 8,
        What::SessionClosed { .. } => 9,
        What::BuyerMessage { .. } => 10,
        What::AgentMessage { .. } => 11,
        What::BotMessage { .. } => 12,
        What::InviteRequested { .. } => 13,
        What::RatingOpened { .. } => 14,
        What::RatingSubmitted { .. } => 15,
        What::BuyerFlagged { .. } => 16,
        What::Clock => 17,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base::id::Id;
    use crate::domain::protocol::event::{ClosedBy, GivenPolicy, RatedOn, Stars};

    #[test]
    fn every_event_moves_the_counter_of_its_type() {
        let id = || Id::new("x").unwrap();
        let presence = |presence| What::PresenceChanged {
            agent: id(),
            presence,
        };
        let events = [
            What::ShopConfigured {
                policy: GivenPolicy::Sent(Box::default()),
            },
            What::AgentConfigured {
                agent: id(),
                name: None,
                roles: Vec::new(),
                capacity: 1,
                weight: 1,
            },
            What::AgentRemoved { agent: id() },
            presence(Presence::Online),
            presence(Presence::Away),
            presence(Presence::Offline),
            What::SessionOpened {
                session: id(),
                buyer: id(),
                entry: None,
                question: None,
                order_status: None,
                bot: false,
            },
            What::SessionHandoff {
                session: id(),
                question: None,
                order_status: None,
            },
            What::SessionTransferred {
                session: id(),
                to: id(),
            },
            What::SessionClosed {
                session: id(),
                by: ClosedBy::Buyer,
            },
            What::BuyerMessage { session: id() },
            What::AgentMessage {
                session: id(),
                agent: None,
                human: true,
            },
            What::BotMessage { session: id() },
            What::InviteRequested {
                session: id(),
                agent: None,
            },
            What::RatingOpened {
                session: id(),
                card: None,
            },
            What::RatingSubmitted {
                on: RatedOn::Card(id()),
                stars: Stars::new(5).unwrap(),
                reasons: Vec::new(),
            },
            What::BuyerFlagged {
                buyer: id(),
                risk: true,
            },
            What::Clock,
        ];
        assert_eq!(events.len(), TYPES.len());
        for (at, event) in events.iter().enumerate() {
            assert_eq!((slot(event), TYPES[at]), (at, event.name()));
        }
    }
}
