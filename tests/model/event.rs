//! Parses an event (contract section 2): a JSON object becomes an `Event`, or is malformed.

use crate::model::value::{CARD_BYTES_MAX, Ms, instant, is_id, is_id_up_to, whole};
use serde_json::{Map, Value};

/// The bot's name where an agent is written; no agent may have it.
pub const BOT: &str = "bot";

pub const CAPACITY_DEFAULT: u64 = 10;
pub const WEIGHT_DEFAULT: u64 = 1;

/// `kind` of `agent.message`: the human replies, and the one that is not a reply.
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
const AUTO_REPLY_KIND: &str = "auto_reply";

/// What is read of an event before anything is decided.
pub struct Envelope {
    /// `""` where `type` is no string.
    pub kind: String,
    pub at: Option<Ms>,
    /// None where malformed.
    pub shop: Option<String>,
    /// None where malformed.
    pub event: Option<Timed>,
}

pub struct Timed {
    pub at: Ms,
    pub id: Option<String>,
    pub event: Event,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    Online,
    Away,
    Offline,
}

pub struct Opening {
    pub session: String,
    pub buyer: String,
    pub entry: String,
    pub question: Option<String>,
    pub order_status: Option<String>,
    pub bot: bool,
    pub priority: Option<u64>,
}

pub enum RatingTarget {
    Card(String),
    Session(String),
}

pub enum Event {
    ShopConfigured {
        policy: Map<String, Value>,
    },
    AgentConfigured {
        agent: String,
        roles: Vec<String>,
        capacity: u64,
        weight: u64,
    },
    AgentRemoved {
        agent: String,
    },
    AgentPresence {
        agent: String,
        presence: Presence,
    },
    AgentReady {
        agent: String,
    },
    SessionOpened(Opening),
    SessionHandoff {
        session: String,
        question: Option<String>,
        order_status: Option<String>,
    },
    SessionTransferred {
        session: String,
        to: String,
    },
    SessionRanked {
        session: String,
        priority: u64,
    },
    SessionClosed {
        session: String,
        by: String,
    },
    BuyerMessage {
        session: String,
    },
    BuyerLeft {
        session: String,
    },
    BuyerReturned {
        session: String,
    },
    AgentMessage {
        session: String,
        agent: Option<String>,
        human: bool,
    },
    BotMessage {
        session: String,
    },
    InviteRequested {
        session: String,
        agent: Option<String>,
    },
    RatingOpened {
        session: String,
        card: Option<String>,
    },
    RatingSubmitted {
        target: RatingTarget,
        stars: u64,
        /// Without repeats.
        reasons: Vec<String>,
        comment: String,
    },
    BuyerFlagged {
        buyer: String,
        risk: bool,
    },
    BuyerRanked {
        buyer: String,
        priority: u64,
    },
    BuyerBlocked {
        buyer: String,
        blocked: bool,
        until: Option<Ms>,
    },
    Clock,
}

impl Envelope {
    pub fn read(object: Map<String, Value>) -> Envelope {
        let mut object = object;
        drop_nulls(&mut object);
        let kind = object
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("")
            .to_owned();
        let at = object.get("at").and_then(Value::as_str).and_then(instant);
        let shop = match object.get("shop") {
            None => Some("default".to_owned()),
            Some(shop) => id(shop),
        };
        let event = timed(&kind, at, Fields(object));
        Envelope {
            kind,
            at,
            shop,
            event,
        }
    }
}

/// A key whose value is `null` counts as left out, everywhere.
fn drop_nulls(object: &mut Map<String, Value>) {
    object.retain(|_, value| !value.is_null());
    object.values_mut().for_each(drop_nulls_within);
}

fn drop_nulls_within(value: &mut Value) {
    match value {
        Value::Object(object) => drop_nulls(object),
        Value::Array(items) => items.iter_mut().for_each(drop_nulls_within),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The keys of an event that nobody has read yet.
struct Fields(Map<String, Value>);

impl Fields {
    /// `Some(None)` where it is left out, `None` where it is malformed.
    fn optional<T>(&mut self, key: &str, read: impl Fn(&Value) -> Option<T>) -> Option<Option<T>> {
        match self.0.remove(key) {
            None => Some(None),
            Some(value) => read(&value).map(Some),
        }
    }

    fn required<T>(&mut self, key: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        self.optional(key, read)?
    }

    fn id(&mut self, key: &str) -> Option<String> {
        self.required(key, id)
    }

    fn optional_id(&mut self, key: &str) -> Option<Option<String>> {
        self.optional(key, id)
    }
}

fn timed(kind: &str, at: Option<Ms>, mut fields: Fields) -> Option<Timed> {
    for read_already in ["type", "at", "shop"] {
        fields.0.remove(read_already);
    }
    let id = fields.optional_id("id")?;
    let at = at?;
    let event = event(kind, at, &mut fields)?;
    let nothing_unknown = fields.0.is_empty();
    nothing_unknown.then_some(Timed { at, id, event })
}

fn event(kind: &str, at: Ms, f: &mut Fields) -> Option<Event> {
    match kind {
        "shop.configured" => {
            let policy = f.required("policy", |value| value.as_object().cloned())?;
            Some(Event::ShopConfigured { policy })
        }
        "agent.configured" | "agent.removed" | "agent.online" | "agent.away" | "agent.offline"
        | "agent.ready" => agent_event(kind, f),
        "session.opened"
        | "session.handoff"
        | "session.transferred"
        | "session.ranked"
        | "session.closed" => session_event(kind, f),
        "buyer.message" | "agent.message" | "bot.message" => message(kind, f),
        "invite.requested" => {
            let (session, agent) = (f.id("session")?, f.optional_id("agent")?);
            Some(Event::InviteRequested { session, agent })
        }
        "rating.opened" => {
            let (session, card) = (f.id("session")?, f.optional("card", card)?);
            Some(Event::RatingOpened { session, card })
        }
        "rating.submitted" => rating_submitted(f),
        "buyer.flagged" => {
            let (buyer, risk) = (f.id("buyer")?, f.required("risk", Value::as_bool)?);
            Some(Event::BuyerFlagged { buyer, risk })
        }
        "buyer.left" => Some(Event::BuyerLeft {
            session: f.id("session")?,
        }),
        "buyer.returned" => Some(Event::BuyerReturned {
            session: f.id("session")?,
        }),
        "buyer.ranked" => {
            let (buyer, priority) = (f.id("buyer")?, f.required("priority", priority)?);
            Some(Event::BuyerRanked { buyer, priority })
        }
        "buyer.blocked" => buyer_blocked(at, f),
        "clock" => Some(Event::Clock),
        _ => None,
    }
}

/// `until` is later than `at`, and only where `blocked` is true.
fn buyer_blocked(at: Ms, f: &mut Fields) -> Option<Event> {
    let (buyer, blocked) = (f.id("buyer")?, f.required("blocked", Value::as_bool)?);
    let until = f.optional("until", |value| instant(value.as_str()?))?;
    if until.is_some_and(|until| !blocked || until <= at) {
        return None;
    }
    Some(Event::BuyerBlocked {
        buyer,
        blocked,
        until,
    })
}

fn agent_event(kind: &str, f: &mut Fields) -> Option<Event> {
    let agent = f.id("agent")?;
    let presence = match kind {
        "agent.configured" => return agent_configured(agent, f),
        "agent.removed" => return Some(Event::AgentRemoved { agent }),
        "agent.ready" => return Some(Event::AgentReady { agent }),
        "agent.online" => Presence::Online,
        "agent.away" => Presence::Away,
        _ => Presence::Offline,
    };
    Some(Event::AgentPresence { agent, presence })
}

fn agent_configured(agent: String, f: &mut Fields) -> Option<Event> {
    if agent == BOT {
        return None;
    }
    f.optional("name", text)?;
    let roles = f
        .optional("roles", ids)?
        .unwrap_or_else(|| vec!["agent".to_owned()]);
    let capacity = f
        .optional("capacity", |v| within(v, 1, 1000))?
        .unwrap_or(CAPACITY_DEFAULT);
    let weight = f
        .optional("weight", |v| within(v, 1, 100))?
        .unwrap_or(WEIGHT_DEFAULT);
    Some(Event::AgentConfigured {
        agent,
        roles,
        capacity,
        weight,
    })
}

fn session_event(kind: &str, f: &mut Fields) -> Option<Event> {
    let session = f.id("session")?;
    match kind {
        "session.opened" => Some(Event::SessionOpened(Opening {
            session,
            buyer: f.id("buyer")?,
            entry: f
                .optional_id("entry")?
                .unwrap_or_else(|| "other".to_owned()),
            question: f.optional_id("question")?,
            order_status: f.optional_id("order_status")?,
            bot: f.optional("bot", Value::as_bool)?.unwrap_or(false),
            priority: f.optional("priority", priority)?,
        })),
        "session.handoff" => {
            let (question, order_status) =
                (f.optional_id("question")?, f.optional_id("order_status")?);
            Some(Event::SessionHandoff {
                session,
                question,
                order_status,
            })
        }
        "session.transferred" => {
            f.optional_id("by")?; // a note, not checked
            Some(Event::SessionTransferred {
                session,
                to: f.id("to")?,
            })
        }
        "session.ranked" => Some(Event::SessionRanked {
            session,
            priority: f.required("priority", priority)?,
        }),
        _ => {
            let by = f.required("by", text)?;
            let known = matches!(by.as_str(), "agent" | "buyer" | "system");
            known.then_some(Event::SessionClosed { session, by })
        }
    }
}

fn message(kind: &str, f: &mut Fields) -> Option<Event> {
    let session = f.id("session")?;
    f.optional("text", text)?;
    match kind {
        "buyer.message" => {
            f.optional_id("kind")?;
            Some(Event::BuyerMessage { session })
        }
        "agent.message" => {
            let agent = f.optional_id("agent")?;
            let human = f.optional("kind", is_human)?.unwrap_or(true);
            Some(Event::AgentMessage {
                session,
                agent,
                human,
            })
        }
        _ => Some(Event::BotMessage { session }),
    }
}

fn is_human(kind: &Value) -> Option<bool> {
    let kind = kind.as_str()?;
    let human = HUMAN_KINDS.contains(&kind);
    (human || kind == AUTO_REPLY_KIND).then_some(human)
}

fn rating_submitted(f: &mut Fields) -> Option<Event> {
    let target = match (f.optional("card", card)?, f.optional_id("session")?) {
        (Some(card), None) => RatingTarget::Card(card),
        (None, Some(session)) => RatingTarget::Session(session),
        _ => return None,
    };
    let stars = match (
        f.optional("level", stars_of_level)?,
        f.optional("stars", |v| within(v, 1, 5))?,
    ) {
        (Some(stars), None) | (None, Some(stars)) => stars,
        _ => return None,
    };
    let mut reasons: Vec<String> = Vec::new();
    for reason in f.optional("reasons", ids)?.unwrap_or_default() {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let comment = f.optional("comment", text)?.unwrap_or_default();
    Some(Event::RatingSubmitted {
        target,
        stars,
        reasons,
        comment,
    })
}

/// Q5: a bare level is 5, 3, 1 stars.
fn stars_of_level(level: &Value) -> Option<u64> {
    match level.as_str()? {
        "satisfied" => Some(5),
        "neutral" => Some(3),
        "disappointed" => Some(1),
        _ => None,
    }
}

fn id(value: &Value) -> Option<String> {
    value.as_str().filter(|text| is_id(text)).map(str::to_owned)
}

fn card(value: &Value) -> Option<String> {
    value
        .as_str()
        .filter(|text| is_id_up_to(text, CARD_BYTES_MAX))
        .map(str::to_owned)
}

fn ids(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(id).collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// R11: 0 to 9, 9 first.
fn priority(value: &Value) -> Option<u64> {
    within(value, 0, 9)
}

fn within(value: &Value, least: i64, most: i64) -> Option<u64> {
    let number = whole(value).filter(|number| (least..=most).contains(number))?;
    u64::try_from(number).ok()
}
