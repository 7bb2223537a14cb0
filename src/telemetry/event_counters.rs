//! `xiaoer_events_total`: a counter for every type of event, found by arithmetic.

use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::event::EventBody;

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
pub(super) fn slot(what: &EventBody) -> usize {
    match what {
        EventBody::ShopConfigured { .. } => 0,
        EventBody::AgentConfigured { .. } => 1,
        EventBody::AgentRemoved { .. } => 2,
        EventBody::PresenceChanged { presence, .. } => match presence {
            Presence::Online => 3,
            Presence::Away => 4,
            Presence::Offline => 5,
        },
        EventBody::SessionOpened { .. } => 6,
        EventBody::SessionHandoff { .. } => 7,
        EventBody::SessionTransferred { .. } => 8,
        EventBody::SessionClosed { .. } => 9,
        EventBody::BuyerMessage { .. } => 10,
        EventBody::AgentMessage { .. } => 11,
        EventBody::BotMessage { .. } => 12,
        EventBody::InviteRequested { .. } => 13,
        EventBody::RatingOpened { .. } => 14,
        EventBody::RatingSubmitted { .. } => 15,
        EventBody::BuyerFlagged { .. } => 16,
        EventBody::Clock => 17,
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
        let presence = |presence| EventBody::PresenceChanged {
            agent: id(),
            presence,
        };
        let events = [
            EventBody::ShopConfigured {
                policy: GivenPolicy::Sent(Box::default()),
            },
            EventBody::AgentConfigured {
                agent: id(),
                name: None,
                roles: Vec::new(),
                capacity: 1,
                weight: 1,
            },
            EventBody::AgentRemoved { agent: id() },
            presence(Presence::Online),
            presence(Presence::Away),
            presence(Presence::Offline),
            EventBody::SessionOpened {
                session: id(),
                buyer: id(),
                entry: None,
                question: None,
                order_status: None,
                bot: false,
            },
            EventBody::SessionHandoff {
                session: id(),
                question: None,
                order_status: None,
            },
            EventBody::SessionTransferred {
                session: id(),
                to: id(),
            },
            EventBody::SessionClosed {
                session: id(),
                by: ClosedBy::Buyer,
            },
            EventBody::BuyerMessage { session: id() },
            EventBody::AgentMessage {
                session: id(),
                agent: None,
                human: true,
            },
            EventBody::BotMessage { session: id() },
            EventBody::InviteRequested {
                session: id(),
                agent: None,
            },
            EventBody::RatingOpened {
                session: id(),
                card: None,
            },
            EventBody::RatingSubmitted {
                on: RatedOn::Card(id()),
                stars: Stars::new(5).unwrap(),
                reasons: Vec::new(),
            },
            EventBody::BuyerFlagged {
                buyer: id(),
                risk: true,
            },
            EventBody::Clock,
        ];
        assert_eq!(events.len(), TYPES.len());
        for (at, event) in events.iter().enumerate() {
            assert_eq!((slot(event), TYPES[at]), (at, event.name()));
        }
    }
}
