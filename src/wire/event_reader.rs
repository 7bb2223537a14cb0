//! Parses events (contract, section 2): the fields of every type, and the errors of malformed events.

use std::borrow::Cow;

use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::installation::Malformed;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::event::{Event, EventBody, EventType, GivenPolicy, RatedOn, Stars};
use crate::domain::state::agent::{BOT_ID, CAPACITY_MAX, ROUTABLE_ROLE, WEIGHT_MAX};

use super::fields::Reader;
use super::fingerprint::print;
use super::flat_json::Scanner;
use super::json::{NotAnObject, read_object};
use crate::wire::value::Value;

/// The shop of a trace event that names none.
pub const SHOP_DEFAULT: &str = "default";

/// The estimated minimum length of an event, in bytes.
const EVENT_BYTES: usize = 96;

const CAPACITY_DEFAULT: u32 = 10;
const WEIGHT_DEFAULT: u32 = 1;

/// One line of a trace.
#[derive(Debug)]
pub enum Line {
    /// An event of a shop.
    Event(Id, Event),
    /// A JSON object that is not a valid event.
    Malformed(Malformed),
}

/// An event from a source that knows the shop and the time, such as a request.
#[derive(Debug)]
pub struct ReadEvent {
    /// The event, or what could be read of it. Its shop is always that of the source.
    pub line: Line,
    /// Whether `at` was omitted, so that the event has the time of the source.
    pub stamped: bool,
    /// The shop that the body names, if any.
    pub shop_named: Option<Id>,
}

/// Parses one JSON object of a trace as an event. Fails if the text is not a JSON object.
pub fn read_line(text: &str) -> Result<Line, NotAnObject> {
    let fields = &mut Reader(read_object(text)?.0);
    let shop = fields.id("shop");
    let shop = shop.map(|shop| shop.unwrap_or_else(|| Id::known(SHOP_DEFAULT)));
    let at = fields.need_at();
    Ok(line(shop.clone().ok(), shop.err(), at, 0, fields))
}

/// Parses one JSON object that was received for `shop` at `now`. The body may omit both; another shop is malformed.
/// Fails if the text is not a JSON object.
///
/// An event with an `id` gets a fingerprint of its body. It does not depend on the order of keys, and a field that is
/// `null` counts as omitted.
pub fn read_event(text: &str, shop: &Id, now: Instant) -> Result<ReadEvent, NotAnObject> {
    Ok(read(&mut Reader(read_object(text)?.0), shop, now))
}

/// Parses a JSON array of plain objects in one pass (nearly all events are plain). Each is parsed as by [`read_event`]
/// and passed on with its text. `None` if it is not such an array; the caller then parses it otherwise, and no event
/// was passed on.
pub fn read_plain_events<'a, T>(
    array: &'a str,
    shop: &Id,
    now: Instant,
    mut each: impl FnMut(ReadEvent, &'a str) -> T,
) -> Option<Vec<T>> {
    let mut all = Vec::with_capacity(array.len() / EVENT_BYTES + 1);
    let (mut scanner, mut fields) = (Scanner::new(array), Reader(Vec::with_capacity(8)));
    if !scanner.step(b'[') {
        return None;
    }
    if scanner.step(b']') {
        return scanner.is_at_end().then_some(all);
    }
    loop {
        fields.0.clear();
        let text = scanner.object(&mut fields.0)?;
        all.push(each(read(&mut fields, shop, now), text));
        if !scanner.step(b',') {
            break;
        }
    }
    (scanner.step(b']') && scanner.is_at_end()).then_some(all)
}

/// Parses a JSON object as the fields of one event type without `type`, `at`, `shop` and `id`: the body of a resource.
/// `path` has the fields from the URL, which the object may not contain. Errors say what is wrong.
pub fn read_event_body(
    kind: EventType,
    path: &[(&'static str, &Id)],
    text: &str,
) -> Result<EventBody, String> {
    let read = read_object(text).map_err(|error| format!("The body is {error}."))?;
    let fields = &mut Reader(read.0);
    for (name, given) in path {
        if fields.has(name) {
            return Err(format!(
                "`{name}` is in the address: leave it out of the body."
            ));
        }
        let given = Value::Text(Cow::Borrowed(given.as_str()));
        fields.0.push((Cow::Borrowed(name), given));
    }
    let body = what(kind, fields)?;
    fields.finish(kind.code())?;
    Ok(body)
}

fn read(fields: &mut Reader<'_>, shop: &Id, now: Instant) -> ReadEvent {
    let print = if fields.has("id") {
        print(&fields.0)
    } else {
        0
    };
    let named = fields.id("shop");
    let wrong = match &named {
        Ok(Some(named)) if named != shop => Some(format!(
            "`shop` {named:?} is not the shop {shop:?} that this was sent to: leave it out, or send it there."
        )),
        Ok(_) => None,
        Err(message) => Some(message.clone()),
    };
    let at = fields.instant("at");
    let stamped = at == Ok(None);
    let at = at.map(|at| at.unwrap_or(now));
    ReadEvent {
        line: line(Some(shop.clone()), wrong, at, print, fields),
        stamped,
        shop_named: named.ok().flatten(),
    }
}

/// Builds the event from its fields, if its shop is known and valid.
fn line(
    shop: Option<Id>,
    wrong: Option<String>,
    at: Result<Instant, String>,
    print: u64,
    fields: &mut Reader<'_>,
) -> Line {
    let name = fields.take("type");
    let event = match &name {
        Some(Value::Text(name)) => event(name, &at, print, fields),
        Some(_) => Err("`type` must be a string: one of the event types.".to_owned()),
        None => Err("`type` is missing: say what happened, such as \"session.opened\".".to_owned()),
    };
    let (shop, message) = match (shop, wrong, event) {
        (Some(shop), None, Ok(event)) => return Line::Event(shop, event),
        (shop, wrong, event) => (shop, wrong.or(event.err()).unwrap_or_default()),
    };
    Line::Malformed(Malformed {
        shop,
        event: match name {
            Some(Value::Text(name)) => name.into_owned(),
            Some(_) | None => String::new(),
        },
        at: at.ok(),
        message,
    })
}

fn event(
    name: &str,
    at: &Result<Instant, String>,
    print: u64,
    fields: &mut Reader<'_>,
) -> Result<Event, String> {
    let kind = EventType::named(name)
        .ok_or_else(|| format!("`type` {name:?} is no event type: see the table of events."))?;
    let what = what(kind, fields)?;
    let id = fields.id("id")?;
    let at = at.clone()?;
    fields.finish(name)?;
    if let EventBody::BuyerBlocked {
        until: Some(until), ..
    } = &what
        && *until <= at
    {
        return Err("`until` must be later than `at`: leave it out to block for good.".to_owned());
    }
    Ok(Event {
        at,
        id,
        print,
        what,
    })
}

fn what(kind: EventType, fields: &mut Reader<'_>) -> Result<EventBody, String> {
    Ok(match kind {
        EventType::BuyerMessage => {
            fields.id("kind")?;
            fields.text("text")?;
            EventBody::BuyerMessage {
                session: fields.need_id("session")?,
            }
        }
        EventType::AgentMessage => {
            fields.text("text")?;
            EventBody::AgentMessage {
                human: fields.human_kind()?,
                session: fields.need_id("session")?,
                agent: fields.id("agent")?,
            }
        }
        EventType::BotMessage => {
            fields.text("text")?;
            EventBody::BotMessage {
                session: fields.need_id("session")?,
            }
        }
        EventType::SessionOpened => EventBody::SessionOpened {
            session: fields.need_id("session")?,
            buyer: fields.need_id("buyer")?,
            entry: fields.id("entry")?,
            question: fields.id("question")?,
            order_status: fields.id("order_status")?,
            bot: fields.bool("bot")?.unwrap_or(false),
            priority: fields.priority()?,
        },
        EventType::SessionRanked => EventBody::SessionRanked {
            session: fields.need_id("session")?,
            priority: fields.need_priority()?,
        },
        EventType::SessionClosed => EventBody::SessionClosed {
            session: fields.need_id("session")?,
            by: fields.closed_by()?,
        },
        EventType::SessionHandoff => EventBody::SessionHandoff {
            session: fields.need_id("session")?,
            question: fields.id("question")?,
            order_status: fields.id("order_status")?,
        },
        EventType::SessionTransferred => {
            fields.id("by")?;
            EventBody::SessionTransferred {
                session: fields.need_id("session")?,
                to: fields.need_id("to")?,
            }
        }
        EventType::InviteRequested => EventBody::InviteRequested {
            session: fields.need_id("session")?,
            agent: fields.id("agent")?,
        },
        EventType::RatingOpened => EventBody::RatingOpened {
            session: fields.need_id("session")?,
            card: fields.card()?,
        },
        EventType::RatingSubmitted => rating(fields)?,
        EventType::AgentOnline => presence(Presence::Online, fields)?,
        EventType::AgentAway => presence(Presence::Away, fields)?,
        EventType::AgentOffline => presence(Presence::Offline, fields)?,
        EventType::AgentConfigured => agent(fields)?,
        EventType::AgentRemoved => EventBody::AgentRemoved {
            agent: fields.need_id("agent")?,
        },
        EventType::BuyerFlagged => EventBody::BuyerFlagged {
            buyer: fields.need_id("buyer")?,
            risk: fields.need_bool("risk")?,
        },
        EventType::AgentReady => EventBody::AgentReady {
            agent: fields.need_id("agent")?,
        },
        EventType::BuyerLeft => EventBody::BuyerLeft {
            session: fields.need_id("session")?,
        },
        EventType::BuyerReturned => EventBody::BuyerReturned {
            session: fields.need_id("session")?,
        },
        EventType::BuyerRanked => EventBody::BuyerRanked {
            buyer: fields.need_id("buyer")?,
            priority: fields.need_priority()?,
        },
        EventType::BuyerBlocked => block(fields)?,
        EventType::ShopConfigured => policy(fields)?,
        EventType::Clock => EventBody::Clock,
    })
}

fn presence(presence: Presence, fields: &mut Reader<'_>) -> Result<EventBody, String> {
    let agent = fields.need_id("agent")?;
    Ok(EventBody::PresenceChanged { agent, presence })
}

fn agent(fields: &mut Reader<'_>) -> Result<EventBody, String> {
    let agent = fields.need_id("agent")?;
    if agent.as_str() == BOT_ID {
        return Err("`agent` \"bot\" is the bot's own name: give the agent another.".to_owned());
    }
    let roles = fields.ids("roles")?;
    Ok(EventBody::AgentConfigured {
        agent,
        name: fields.text("name")?.map(Cow::into_owned),
        roles: roles.unwrap_or_else(|| vec![Id::known(ROUTABLE_ROLE)]),
        capacity: fields
            .whole("capacity", 1..=CAPACITY_MAX)?
            .unwrap_or(CAPACITY_DEFAULT),
        weight: fields
            .whole("weight", 1..=WEIGHT_MAX)?
            .unwrap_or(WEIGHT_DEFAULT),
    })
}

fn block(fields: &mut Reader<'_>) -> Result<EventBody, String> {
    let buyer = fields.need_id("buyer")?;
    let (blocked, until) = (fields.need_bool("blocked")?, fields.instant("until")?);
    if until.is_some() && !blocked {
        return Err("`until` ends a block: leave it out where `blocked` is false.".to_owned());
    }
    Ok(EventBody::BuyerBlocked {
        buyer,
        blocked,
        until,
    })
}

fn policy(fields: &mut Reader<'_>) -> Result<EventBody, String> {
    match fields.take("policy") {
        Some(Value::Object(policy)) => Ok(EventBody::ShopConfigured {
            policy: GivenPolicy::Sent(policy),
        }),
        Some(_) => Err("`policy` must be an object of the policy's keys.".to_owned()),
        None => Err("`policy` is missing: an object, `{}` for the standard preset.".to_owned()),
    }
}

fn rating(fields: &mut Reader<'_>) -> Result<EventBody, String> {
    let on = match (fields.card()?, fields.id("session")?) {
        (Some(card), None) => RatedOn::Card(card),
        (None, Some(session)) => RatedOn::Session(session),
        (Some(_), Some(_)) | (None, None) => {
            return Err("Name exactly one of `card` and `session`.".to_owned());
        }
    };
    let stars = match (fields.whole("stars", 1..=5)?, fields.level()?) {
        (Some(stars), None) => u64::from(stars),
        (None, Some(level)) => level.stars(),
        (Some(_), Some(_)) | (None, None) => {
            return Err("Give exactly one of `level` and `stars`.".to_owned());
        }
    };
    let stars = Stars::new(stars).ok_or("`stars` must be a whole number from 1 to 5.")?;
    let comment = fields.text("comment")?.filter(|text| !text.is_empty());
    let mut reasons: Vec<Id> = Vec::new();
    for reason in fields.ids("reasons")?.unwrap_or_default() {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Ok(EventBody::RatingSubmitted {
        on,
        stars,
        reasons,
        comment: comment.map(Into::into),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_of_a_resource_is_read_as_its_event() {
        let agent = Id::known("anna");
        for (text, expected) in [
            ("{}", Ok(())),
            (r#"{"name":"安娜","capacity":3}"#, Ok(())),
            (r#"{"capacity":0}"#, Err("`capacity`")),
            (r#"{"agent":"bo"}"#, Err("`agent` is in the address")),
            (r#"{"agent":null}"#, Ok(())),
            (r#"{"id":"e1"}"#, Err("`id` is no field")),
            (r#"{"at":"2026-11-11T10:00:00Z"}"#, Err("`at` is no field")),
            (r#"{"x":1}"#, Err("`x` is no field")),
            ("[]", Err("The body is")),
            ("{", Err("The body is")),
        ] {
            let read = read_event_body(EventType::AgentConfigured, &[("agent", &agent)], text);
            match (read, expected) {
                (Ok(EventBody::AgentConfigured { agent: read, .. }), Ok(())) => {
                    assert_eq!(read, agent)
                }
                (Err(said), Err(part)) => assert!(said.contains(part), "{text}: {said}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }
}
