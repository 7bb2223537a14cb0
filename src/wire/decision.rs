//! Writing decisions (contract, section 3): one JSON object each, optional fields without a value left out.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::domain::decision::{Body, CloseReason, Decision, Period, Rate};
use crate::domain::id::Id;
use crate::domain::policy::Share;
use crate::domain::report::Decimal;
use crate::domain::time::Stamp;

/// A decision of a shop as the wire language writes it.
pub struct Written<'a> {
    /// The shop's id; empty where that was malformed.
    pub shop: &'a str,
    /// The decision.
    pub decision: &'a Decision,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(at) = &self.decision.at {
            map.serialize_entry("at", at)?;
        }
        map.serialize_entry("shop", self.shop)?;
        map.serialize_entry("seq", &self.decision.seq)?;
        map.serialize_entry("type", self.decision.body.name())?;
        write_body(&mut map, &self.decision.body)?;
        map.end()
    }
}

impl Body {
    /// The decision's type, as the wire language writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Body::SessionAssigned { .. } => "session.assigned",
            Body::SessionQueued { .. } => "session.queued",
            Body::SessionClosed { .. } => "session.closed",
            Body::AgentNotified { .. } => "agent.notified",
            Body::AutoReplySent { .. } => "auto_reply.sent",
            Body::InviteSent { .. } => "invite.sent",
            Body::InviteBlocked { .. } => "invite.blocked",
            Body::RatingOpened { .. } => "rating.opened",
            Body::RatingRecorded { .. } => "rating.recorded",
            Body::RatingRefused { .. } => "rating.refused",
            Body::ReplyDue { .. } => "reply.due",
            Body::ReplyOverdue { .. } => "reply.overdue",
            Body::ScoreAlert { .. } => "score.alert",
            Body::ScoreRecovered { .. } => "score.recovered",
            Body::EventRejected { .. } => "event.rejected",
        }
    }
}

fn write_body<M: SerializeMap>(map: &mut M, body: &Body) -> Result<(), M::Error> {
    match body {
        Body::SessionAssigned {
            session,
            buyer,
            agent,
            reason,
            repeat_visit,
            waited,
        } => {
            names(map, session, buyer)?;
            map.serialize_entry("agent", agent)?;
            map.serialize_entry("reason", reason.code())?;
            map.serialize_entry("repeat_visit", repeat_visit)?;
            map.serialize_entry("waited", &Decimal::seconds(*waited))
        }
        Body::SessionQueued {
            session,
            buyer,
            pool,
            position,
            reason,
            prompt,
        } => {
            names(map, session, buyer)?;
            map.serialize_entry("pool", pool)?;
            map.serialize_entry("position", position)?;
            map.serialize_entry("reason", reason.code())?;
            map.serialize_entry("prompt", prompt)
        }
        Body::SessionClosed {
            session,
            buyer,
            agent,
            reason,
        } => write_close(map, session, buyer, agent, *reason),
        Body::AgentNotified { agent, session } => {
            map.serialize_entry("agent", agent)?;
            map.serialize_entry("session", session)
        }
        Body::AutoReplySent { session, text } => {
            map.serialize_entry("session", session)?;
            map.serialize_entry("text", text)
        }
        Body::InviteSent { .. } | Body::InviteBlocked { .. } => write_invite(map, body),
        Body::RatingOpened { .. } | Body::RatingRecorded { .. } | Body::RatingRefused { .. } => {
            write_rating(map, body)
        }
        Body::ReplyDue {
            session,
            buyer,
            agent,
            since,
            overdue_at,
        } => {
            write_reply(map, session, buyer, agent, since)?;
            map.serialize_entry("overdue_at", overdue_at)
        }
        Body::ReplyOverdue {
            session,
            buyer,
            agent,
            since,
        } => write_reply(map, session, buyer, agent, since),
        Body::ScoreAlert {
            period,
            value,
            threshold,
            needed,
        } => {
            write_score(map, *period, *value, *threshold)?;
            option(map, "needed", needed)
        }
        Body::ScoreRecovered {
            period,
            value,
            threshold,
        } => write_score(map, *period, *value, *threshold),
        Body::EventRejected {
            event,
            error,
            message,
            session,
        } => {
            map.serialize_entry("event", event)?;
            map.serialize_entry("error", error.code())?;
            map.serialize_entry("message", message)?;
            option(map, "session", session)
        }
    }
}

fn names<M: SerializeMap>(map: &mut M, session: &Id, buyer: &Id) -> Result<(), M::Error> {
    map.serialize_entry("session", session)?;
    map.serialize_entry("buyer", buyer)
}

fn option<M: SerializeMap, T: Serialize>(
    map: &mut M,
    name: &str,
    value: &Option<T>,
) -> Result<(), M::Error> {
    match value {
        Some(value) => map.serialize_entry(name, value),
        None => Ok(()),
    }
}

fn write_close<M: SerializeMap>(
    map: &mut M,
    session: &Id,
    buyer: &Id,
    agent: &Option<Id>,
    reason: CloseReason,
) -> Result<(), M::Error> {
    names(map, session, buyer)?;
    option(map, "agent", agent)?;
    map.serialize_entry("reason", reason.code())
}

fn write_reply<M: SerializeMap>(
    map: &mut M,
    session: &Id,
    buyer: &Id,
    agent: &Option<Id>,
    since: &Stamp,
) -> Result<(), M::Error> {
    names(map, session, buyer)?;
    option(map, "agent", agent)?;
    map.serialize_entry("since", since)
}

fn write_invite<M: SerializeMap>(map: &mut M, body: &Body) -> Result<(), M::Error> {
    match body {
        Body::InviteSent {
            card,
            session,
            buyer,
            agent,
            trigger,
        } => {
            map.serialize_entry("card", card)?;
            names(map, session, buyer)?;
            map.serialize_entry("agent", agent)?;
            map.serialize_entry("trigger", trigger.code())
        }
        Body::InviteBlocked {
            session,
            buyer,
            agent,
            trigger,
            blocked_by,
            retry_at,
        } => {
            names(map, session, buyer)?;
            option(map, "agent", agent)?;
            map.serialize_entry("trigger", trigger.code())?;
            let codes: Vec<&str> = blocked_by.iter().map(|code| code.code()).collect();
            map.serialize_entry("blocked_by", &codes)?;
            option(map, "retry_at", retry_at)
        }
        _ => Ok(()),
    }
}

fn write_rating<M: SerializeMap>(map: &mut M, body: &Body) -> Result<(), M::Error> {
    match body {
        Body::RatingOpened {
            card,
            session,
            buyer,
            agent,
            source,
        } => {
            map.serialize_entry("card", card)?;
            names(map, session, buyer)?;
            map.serialize_entry("agent", agent)?;
            map.serialize_entry("source", source.code())
        }
        Body::RatingRecorded {
            card,
            session,
            buyer,
            agent,
            level,
            stars,
            source,
        } => {
            map.serialize_entry("card", card)?;
            names(map, session, buyer)?;
            map.serialize_entry("agent", agent)?;
            map.serialize_entry("level", level.code())?;
            map.serialize_entry("stars", &stars.count())?;
            map.serialize_entry("source", source.code())
        }
        Body::RatingRefused {
            session,
            card,
            reason,
        } => {
            option(map, "session", session)?;
            option(map, "card", card)?;
            map.serialize_entry("reason", reason.code())
        }
        _ => Ok(()),
    }
}

fn write_score<M: SerializeMap>(
    map: &mut M,
    period: Period,
    value: Rate,
    threshold: Share,
) -> Result<(), M::Error> {
    map.serialize_entry("metric", period.metric())?;
    map.serialize_entry("period", &period.to_string())?;
    map.serialize_entry("value", &Decimal::rate(value))?;
    map.serialize_entry(
        "threshold",
        &Decimal {
            scaled: u64::from(threshold.0),
            scale: 10_000,
        },
    )
}
