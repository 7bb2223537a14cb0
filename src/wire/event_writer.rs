//! Serializes events that this server creates. The counterpart of [`super::read_event`].

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::domain::protocol::event::{EventBody, GivenPolicy, MessageKind, RatedOn};

/// An event as one JSON object without `at`, `shop` and `id`. Parsing it gives the same event.
pub fn write_event(body: &EventBody) -> String {
    // Writing to memory cannot fail, and every key is a string.
    serde_json::to_string(&WrittenEvent(body)).unwrap_or_default()
}

struct WrittenEvent<'a>(&'a EventBody);

impl Serialize for WrittenEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.0.name())?;
        write_fields(self.0, &mut map)?;
        map.end()
    }
}

fn write_fields<M: SerializeMap>(body: &EventBody, map: &mut M) -> Result<(), M::Error> {
    match body {
        EventBody::ShopConfigured { policy } => match policy {
            GivenPolicy::Sent(sent) | GivenPolicy::Checked { sent, .. } => {
                map.serialize_entry("policy", sent)?;
            }
        },
        EventBody::AgentConfigured {
            agent,
            name,
            roles,
            capacity,
            weight,
        } => {
            map.serialize_entry("agent", agent)?;
            some(map, "name", name.as_ref())?;
            map.serialize_entry("roles", roles)?;
            map.serialize_entry("capacity", capacity)?;
            map.serialize_entry("weight", weight)?;
        }
        EventBody::AgentRemoved { agent }
        | EventBody::AgentReady { agent }
        | EventBody::PresenceChanged { agent, .. } => {
            map.serialize_entry("agent", agent)?;
        }
        EventBody::SessionOpened {
            session,
            buyer,
            entry,
            question,
            order_status,
            bot,
            priority,
        } => {
            map.serialize_entry("session", session)?;
            map.serialize_entry("buyer", buyer)?;
            some(map, "entry", entry.as_ref())?;
            some(map, "question", question.as_ref())?;
            some(map, "order_status", order_status.as_ref())?;
            map.serialize_entry("bot", bot)?;
            some(map, "priority", priority.as_ref())?;
        }
        EventBody::SessionRanked { session, priority } => {
            map.serialize_entry("session", session)?;
            map.serialize_entry("priority", priority)?;
        }
        EventBody::SessionHandoff {
            session,
            question,
            order_status,
        } => {
            map.serialize_entry("session", session)?;
            some(map, "question", question.as_ref())?;
            some(map, "order_status", order_status.as_ref())?;
        }
        EventBody::SessionTransferred { session, to } => {
            map.serialize_entry("session", session)?;
            map.serialize_entry("to", to)?;
        }
        EventBody::SessionClosed { session, by } => {
            map.serialize_entry("session", session)?;
            map.serialize_entry("by", by.code())?;
        }
        EventBody::BuyerMessage { session }
        | EventBody::BotMessage { session }
        | EventBody::BuyerLeft { session }
        | EventBody::BuyerReturned { session } => {
            map.serialize_entry("session", session)?;
        }
        EventBody::AgentMessage {
            session,
            agent,
            human,
        } => {
            map.serialize_entry("session", session)?;
            some(map, "agent", agent.as_ref())?;
            some(map, "kind", (!human).then_some(MessageKind::AutoReply))?;
        }
        EventBody::InviteRequested { session, agent } => {
            map.serialize_entry("session", session)?;
            some(map, "agent", agent.as_ref())?;
        }
        EventBody::RatingOpened { session, card } => {
            map.serialize_entry("session", session)?;
            some(map, "card", card.as_ref())?;
        }
        EventBody::RatingSubmitted {
            on,
            stars,
            reasons,
            comment,
        } => {
            match on {
                RatedOn::Card(card) => map.serialize_entry("card", card)?,
                RatedOn::Session(session) => map.serialize_entry("session", session)?,
            }
            map.serialize_entry("stars", stars)?;
            map.serialize_entry("reasons", reasons)?;
            some(map, "comment", comment.as_ref())?;
        }
        EventBody::BuyerFlagged { buyer, risk } => {
            map.serialize_entry("buyer", buyer)?;
            map.serialize_entry("risk", risk)?;
        }
        EventBody::BuyerRanked { buyer, priority } => {
            map.serialize_entry("buyer", buyer)?;
            map.serialize_entry("priority", priority)?;
        }
        EventBody::BuyerBlocked {
            buyer,
            blocked,
            until,
        } => {
            map.serialize_entry("buyer", buyer)?;
            map.serialize_entry("blocked", blocked)?;
            let until = until.map(|until| until.at_offset(0));
            some(map, "until", until.as_ref())?;
        }
        EventBody::Clock => {}
    }
    Ok(())
}

fn some<M: SerializeMap, T: Serialize>(
    map: &mut M,
    key: &'static str,
    value: Option<T>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(key, &value),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base::id::Id;
    use crate::domain::base::time::Instant;
    use crate::domain::protocol::codes::Presence;
    use crate::domain::protocol::event::{ClosedBy, EventType, Priority, Stars};
    use crate::wire::{Line, read_event};

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    /// Every event twice: with all its fields, and with as few as possible.
    fn events() -> Vec<EventBody> {
        let (odd, plain) = (id("a\"\\ü客"), id("b"));
        let some = || Some(odd.clone());
        let mut events = vec![EventBody::Clock];
        for policy in [
            "{}",
            r#"{"preset":"douyin","queue":{"x":[1.5,null,"\u0000é"]}}"#,
        ] {
            events.push(EventBody::ShopConfigured {
                policy: GivenPolicy::Sent(serde_json::from_str(policy).unwrap()),
            });
        }
        for (name, roles) in [
            (None, vec![]),
            (Some("n\"客".to_owned()), vec![odd.clone(), plain.clone()]),
        ] {
            events.push(EventBody::AgentConfigured {
                agent: odd.clone(),
                name,
                roles,
                capacity: 7,
                weight: 3,
            });
        }
        events.push(EventBody::AgentRemoved { agent: odd.clone() });
        events.push(EventBody::AgentReady { agent: odd.clone() });
        for presence in Presence::ALL {
            events.push(EventBody::PresenceChanged {
                agent: odd.clone(),
                presence: *presence,
            });
        }
        for given in [None, some()] {
            let session = odd.clone();
            events.extend([
                EventBody::SessionOpened {
                    session: session.clone(),
                    buyer: plain.clone(),
                    entry: given.clone(),
                    question: given.clone(),
                    order_status: given.clone(),
                    bot: given.is_some(),
                    priority: given.as_ref().and(Priority::new(9)),
                },
                EventBody::SessionRanked {
                    session: session.clone(),
                    priority: Priority::default(),
                },
                EventBody::SessionHandoff {
                    session: session.clone(),
                    question: given.clone(),
                    order_status: given.clone(),
                },
                EventBody::AgentMessage {
                    session: session.clone(),
                    agent: given.clone(),
                    human: given.is_some(),
                },
                EventBody::InviteRequested {
                    session: session.clone(),
                    agent: given.clone(),
                },
                EventBody::RatingOpened {
                    session: session.clone(),
                    card: given.clone(),
                },
                EventBody::RatingSubmitted {
                    on: match &given {
                        Some(card) => RatedOn::Card(card.clone()),
                        None => RatedOn::Session(session.clone()),
                    },
                    stars: Stars::new(if given.is_some() { 1 } else { 5 }).unwrap(),
                    reasons: given.clone().into_iter().collect(),
                    comment: given.as_ref().map(|text| text.as_str().into()),
                },
                EventBody::BuyerRanked {
                    buyer: session.clone(),
                    priority: Priority::new(3).unwrap(),
                },
                EventBody::BuyerBlocked {
                    buyer: session.clone(),
                    blocked: given.is_some(),
                    until: given.is_some().then(|| Instant::from_ms(1_900_000_000_250)),
                },
                EventBody::BuyerLeft {
                    session: session.clone(),
                },
                EventBody::BuyerReturned {
                    session: session.clone(),
                },
                EventBody::BuyerFlagged {
                    buyer: session,
                    risk: given.is_some(),
                },
            ]);
        }
        for by in ClosedBy::ALL {
            events.push(EventBody::SessionClosed {
                session: odd.clone(),
                by: *by,
            });
        }
        let session = odd;
        events.extend([
            EventBody::SessionTransferred {
                session: session.clone(),
                to: plain,
            },
            EventBody::BuyerMessage {
                session: session.clone(),
            },
            EventBody::BotMessage { session },
        ]);
        events
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let mut names = std::collections::BTreeSet::new();
        for event in events() {
            let text = write_event(&event);
            let read = read_event(&text, &id("s"), Instant::from_ms(1_800_000_000_000)).unwrap();
            let Line::Event(_, read) = read.line else {
                panic!("{text} is malformed: {:?}", read.line);
            };
            assert_eq!(read.what, event, "{text}");
            names.insert(event.name());
        }
        for kind in EventType::ALL {
            assert!(names.contains(kind.code()), "{kind:?} is not tried");
        }
    }
}
