//! Reading events (contract, section 2): every type with its fields, and what is said of one that is malformed.

use std::borrow::Cow;

use crate::domain::agent::{BOT_ID, CAPACITY_MAX, Presence, ROUTABLE_ROLE, WEIGHT_MAX};
use crate::domain::event::{ClosedBy, Event, RatedOn, Stars, What};
use crate::domain::id::{CARD_ID_BYTES_MAX, ID_BYTES_MAX, Id};
use crate::domain::installation::Malformed;
use crate::domain::rating::Level;
use crate::domain::time::Instant;

use super::json::{NotAnObject, Value, read_object};

/// The shop of an event that names none, in a trace.
pub const SHOP_DEFAULT: &str = "default";

const CAPACITY_DEFAULT: u32 = 10;
const WEIGHT_DEFAULT: u32 = 1;

/// What an agent can send that is a human reply.
const HUMAN_KINDS: [&str; 15] = [
    "text",
    "emoji",
    "image",
    "video",
    "payment_card",
    "address_change_result",
    "follow_coupon",
    "product_coupon",
    "product_card",
    "product_recommendation",
    "group_free_card",
    "payment_request",
    "group_card",
    "order_repriced",
    "return_tracking_changed",
];

/// What an agent's workbench sends by itself.
const AUTO_REPLY_KIND: &str = "auto_reply";

/// One line of a trace.
#[derive(Debug)]
pub enum Line {
    /// An event of a shop.
    Event(Id, Event),
    /// A JSON object that is no event.
    Malformed(Malformed),
}

/// Reads one JSON object as an event. Errors where it is none at all.
pub fn read_line(text: &str) -> Result<Line, NotAnObject> {
    let mut fields = Reader(read_object(text)?.0);
    let shop = match fields.id("shop") {
        Ok(shop) => Ok(shop.unwrap_or_else(|| Id::known(SHOP_DEFAULT))),
        Err(message) => Err(message),
    };
    let name = fields.take("type");
    let at = fields.instant();
    let event = match &name {
        Some(Value::Text(name)) => event(name, &at, &mut fields),
        Some(_) => Err("`type` must be a string: one of the event types.".to_owned()),
        None => Err("`type` is missing: say what happened, such as \"session.opened\".".to_owned()),
    };
    Ok(match (shop, event) {
        (Ok(shop), Ok(event)) => Line::Event(shop, event),
        (shop, event) => Line::Malformed(Malformed {
            event: match name {
                Some(Value::Text(name)) => name.into_owned(),
                Some(_) | None => String::new(),
            },
            at: at.ok(),
            message: shop
                .as_ref()
                .err()
                .cloned()
                .or(event.err())
                .unwrap_or_default(),
            shop: shop.ok(),
        }),
    })
}

fn event(
    name: &str,
    at: &Result<Instant, String>,
    fields: &mut Reader<'_>,
) -> Result<Event, String> {
    let what = what(name, fields)?;
    let id = fields.id("id")?;
    let at = at.clone()?;
    fields.finish(name)?;
    Ok(Event {
        at,
        id,
        print: 0,
        what,
    })
}

fn what(name: &str, fields: &mut Reader<'_>) -> Result<What, String> {
    Ok(match name {
        "buyer.message" => {
            fields.id("kind")?;
            fields.text("text")?;
            What::BuyerMessage {
                session: fields.need_id("session")?,
            }
        }
        "agent.message" => {
            fields.text("text")?;
            What::AgentMessage {
                human: fields.human_kind()?,
                session: fields.need_id("session")?,
                agent: fields.id("agent")?,
            }
        }
        "bot.message" => {
            fields.text("text")?;
            What::BotMessage {
                session: fields.need_id("session")?,
            }
        }
        "session.opened" => What::SessionOpened {
            session: fields.need_id("session")?,
            buyer: fields.need_id("buyer")?,
            entry: fields.id("entry")?,
            question: fields.id("question")?,
            order_status: fields.id("order_status")?,
            bot: fields.bool("bot")?.unwrap_or(false),
        },
        "session.closed" => What::SessionClosed {
            session: fields.need_id("session")?,
            by: fields.closed_by()?,
        },
        "session.handoff" => What::SessionHandoff {
            session: fields.need_id("session")?,
            question: fields.id("question")?,
            order_status: fields.id("order_status")?,
        },
        "session.transferred" => {
            fields.id("by")?;
            What::SessionTransferred {
                session: fields.need_id("session")?,
                to: fields.need_id("to")?,
            }
        }
        "invite.requested" => What::InviteRequested {
            session: fields.need_id("session")?,
            agent: fields.id("agent")?,
        },
        "rating.opened" => What::RatingOpened {
            session: fields.need_id("session")?,
            card: fields.card()?,
        },
        "rating.submitted" => rating(fields)?,
        "agent.online" => presence(Presence::Online, fields)?,
        "agent.away" => presence(Presence::Away, fields)?,
        "agent.offline" => presence(Presence::Offline, fields)?,
        "agent.configured" => agent(fields)?,
        "agent.removed" => What::AgentRemoved {
            agent: fields.need_id("agent")?,
        },
        "buyer.flagged" => What::BuyerFlagged {
            buyer: fields.need_id("buyer")?,
            risk: fields
                .bool("risk")?
                .ok_or("`risk` is missing: true or false.")?,
        },
        "shop.configured" => policy(fields)?,
        "clock" => What::Clock,
        _ => {
            return Err(format!(
                "`type` {name:?} is no event type: see the table of events."
            ));
        }
    })
}

fn presence(presence: Presence, fields: &mut Reader<'_>) -> Result<What, String> {
    let agent = fields.need_id("agent")?;
    Ok(What::PresenceChanged { agent, presence })
}

fn agent(fields: &mut Reader<'_>) -> Result<What, String> {
    let agent = fields.need_id("agent")?;
    if agent.as_str() == BOT_ID {
        return Err("`agent` \"bot\" is the bot's own name: give the agent another.".to_owned());
    }
    let roles = fields.ids("roles")?;
    Ok(What::AgentConfigured {
        agent,
        name: fields.text("name")?.map(Cow::into_owned),
        roles: roles.unwrap_or_else(|| vec![Id::known(ROUTABLE_ROLE)]),
        capacity: fields
            .whole("capacity", CAPACITY_MAX)?
            .unwrap_or(CAPACITY_DEFAULT),
        weight: fields
            .whole("weight", WEIGHT_MAX)?
            .unwrap_or(WEIGHT_DEFAULT),
    })
}

fn policy(fields: &mut Reader<'_>) -> Result<What, String> {
    match fields.take("policy") {
        Some(Value::Object(policy)) => Ok(What::ShopConfigured { policy }),
        Some(_) => Err("`policy` must be an object of the policy's keys.".to_owned()),
        None => Err("`policy` is missing: an object, `{}` for the standard preset.".to_owned()),
    }
}

fn rating(fields: &mut Reader<'_>) -> Result<What, String> {
    let on = match (fields.card()?, fields.id("session")?) {
        (Some(card), None) => RatedOn::Card(card),
        (None, Some(session)) => RatedOn::Session(session),
        (Some(_), Some(_)) | (None, None) => {
            return Err("Name exactly one of `card` and `session`.".to_owned());
        }
    };
    let stars = match (fields.whole("stars", 5)?, fields.level()?) {
        (Some(stars), None) => u64::from(stars),
        (None, Some(level)) => level.stars(),
        (Some(_), Some(_)) | (None, None) => {
            return Err("Give exactly one of `level` and `stars`.".to_owned());
        }
    };
    let stars = Stars::new(stars).ok_or("`stars` must be a whole number from 1 to 5.")?;
    fields.text("comment")?;
    let mut reasons: Vec<Id> = Vec::new();
    for reason in fields.ids("reasons")?.unwrap_or_default() {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Ok(What::RatingSubmitted { on, stars, reasons })
}

/// The fields of an event, taken one by one; what is left over is unknown.
struct Reader<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Reader<'a> {
    /// The last value of a field, unless it is left out.
    fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let mut taken = None;
        for (key, value) in &mut self.0 {
            if key == name {
                taken = Some(std::mem::replace(value, Value::Null));
            }
        }
        taken.filter(|value| *value != Value::Null)
    }

    fn finish(&self, event: &str) -> Result<(), String> {
        // Of two equal unknown keys the last counts, and null counts as left out.
        let unknown = self
            .0
            .iter()
            .rev()
            .enumerate()
            .find(|(from_end, (key, value))| {
                let later = self.0.len() - from_end..self.0.len();
                *value != Value::Null && !self.0[later].iter().any(|(other, _)| other == key)
            });
        match unknown {
            None => Ok(()),
            Some((_, (key, _))) => Err(format!("`{key}` is no field of {event}: leave it out.")),
        }
    }

    fn text(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(format!("`{name}` must be a string.")),
        }
    }

    fn id(&mut self, name: &str) -> Result<Option<Id>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Id::new(&text).map(Some).ok_or_else(|| no_id(name)),
            Some(_) => Err(no_id(name)),
        }
    }

    fn need_id(&mut self, name: &str) -> Result<Id, String> {
        self.id(name)?
            .ok_or_else(|| format!("`{name}` is missing: an id."))
    }

    fn card(&mut self) -> Result<Option<Id>, String> {
        let wrong = || {
            format!(
                "`card` must be a string of 1 to {CARD_ID_BYTES_MAX} bytes without control characters."
            )
        };
        match self.take("card") {
            None => Ok(None),
            Some(Value::Text(text)) => Id::card(&text).map(Some).ok_or_else(wrong),
            Some(_) => Err(wrong()),
        }
    }

    fn ids(&mut self, name: &str) -> Result<Option<Vec<Id>>, String> {
        let wrong =
            || format!("`{name}` must be an array of strings, each of 1 to {ID_BYTES_MAX} bytes.");
        match self.take(name) {
            None => Ok(None),
            Some(Value::List(list)) => {
                let ids = list.iter().map(|value| Id::new(value.as_text()?));
                let ids: Option<Vec<Id>> = ids.collect();
                ids.map(Some).ok_or_else(wrong)
            }
            Some(_) => Err(wrong()),
        }
    }

    fn bool(&mut self, name: &str) -> Result<Option<bool>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(format!("`{name}` must be true or false.")),
        }
    }

    /// A whole number from 1 to `max`.
    fn whole(&mut self, name: &str, max: u32) -> Result<Option<u32>, String> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Whole(number)) if (1..=u64::from(max)).contains(&number) => {
                Ok(Some(number as u32))
            }
            Some(_) => Err(format!(
                "`{name}` must be a whole number from 1 to {max}, without fraction or exponent."
            )),
        }
    }

    fn instant(&mut self) -> Result<Instant, String> {
        let wrong = "`at` must be an instant of the years 2000 to 2099, such as \"2026-11-11T10:00:00+08:00\".";
        match self.take("at") {
            None => Err(format!("`at` is missing. {wrong}")),
            Some(Value::Text(text)) => Instant::parse(&text).ok_or_else(|| wrong.to_owned()),
            Some(_) => Err(wrong.to_owned()),
        }
    }

    fn human_kind(&mut self) -> Result<bool, String> {
        match self.text("kind")?.as_deref() {
            None => Ok(true),
            Some(AUTO_REPLY_KIND) => Ok(false),
            Some(kind) if HUMAN_KINDS.contains(&kind) => Ok(true),
            Some(kind) => Err(format!(
                "`kind` {kind:?} is none of {}, {AUTO_REPLY_KIND}.",
                HUMAN_KINDS.join(", ")
            )),
        }
    }

    fn closed_by(&mut self) -> Result<ClosedBy, String> {
        match self.text("by")?.as_deref() {
            Some("agent") => Ok(ClosedBy::Agent),
            Some("buyer") => Ok(ClosedBy::Buyer),
            Some("system") => Ok(ClosedBy::System),
            Some(_) | None => Err("`by` must be \"agent\", \"buyer\" or \"system\".".to_owned()),
        }
    }

    fn level(&mut self) -> Result<Option<Level>, String> {
        let Some(name) = self.text("level")? else {
            return Ok(None);
        };
        let level = Level::ALL.iter().find(|level| level.code() == name);
        level.copied().map(Some).ok_or_else(|| {
            "`level` must be \"satisfied\", \"neutral\" or \"disappointed\".".to_owned()
        })
    }
}

fn no_id(name: &str) -> String {
    format!("`{name}` must be a string of 1 to {ID_BYTES_MAX} bytes without control characters.")
}
