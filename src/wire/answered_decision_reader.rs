//! Parses decisions as they were returned, to explain a recorded decision that this core would take differently.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::ratio::Share;
use crate::domain::base::time::{Duration, Instant, OffsetTimestamp};
use crate::domain::protocol::codes::{
    AssignReason, BlockCode, CloseReason, ErrorCode, Presence, PresenceReason, RefuseReason,
    Trigger, WaitReason,
};
use crate::domain::protocol::decision::{Decision, DecisionBody, Period, Rate};
use crate::domain::protocol::event::{Priority, Stars};
use crate::domain::protocol::rating::{Level, Source};

/// The fields of all decision types. Each decision has some of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Reread<'a> {
    #[serde(borrow)]
    at: Option<Cow<'a, str>>,
    seq: u64,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    session: Option<Cow<'a, str>>,
    #[serde(borrow)]
    buyer: Option<Cow<'a, str>>,
    #[serde(borrow)]
    agent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    card: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pool: Option<Cow<'a, str>>,
    position: u32,
    #[serde(borrow)]
    prompt: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(borrow)]
    trigger: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    error: Cow<'a, str>,
    #[serde(borrow)]
    level: Cow<'a, str>,
    #[serde(borrow)]
    metric: Cow<'a, str>,
    #[serde(borrow)]
    period: Cow<'a, str>,
    #[serde(borrow)]
    blocked_by: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    retry_at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    since: Option<Cow<'a, str>>,
    #[serde(borrow)]
    overdue_at: Option<Cow<'a, str>>,
    repeat_visit: bool,
    waited: f64,
    stars: u64,
    value: Option<f64>,
    threshold: f64,
    bounce: u32,
    priority: Option<u32>,
    consulting: u64,
    late: u64,
    below: bool,
    effective_rate: Option<f64>,
    penalty_risk: bool,
    #[serde(borrow)]
    presence: Cow<'a, str>,
    #[serde(borrow)]
    until: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reasons: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    comment: Option<Cow<'a, str>>,
    needed: Option<u64>,
}

/// Parses one decision. `None` if this core does not know its type or one of its codes.
pub fn read_decision(text: &str) -> Option<Decision> {
    let reread: Reread<'_> = serde_json::from_str(text).ok()?;
    let at = match reread.at.as_deref() {
        Some(at) => Some(stamp(at)?),
        None => None,
    };
    Some(Decision {
        seq: reread.seq,
        at,
        body: reread.body()?,
    })
}

impl Reread<'_> {
    fn body(&self) -> Option<DecisionBody> {
        let maybe_agent = || self.agent.as_deref().and_then(Id::new);
        let maybe_session = || self.session.as_deref().and_then(Id::new);
        let maybe_card = || self.card.as_deref().and_then(Id::card);
        let (session, agent, card) = (maybe_session, maybe_agent, maybe_card);
        let buyer = || Id::new(self.buyer.as_deref()?);
        let since = || stamp(self.since.as_deref()?);
        let until = || stamp(self.until.as_deref()?);
        Some(match self.kind.as_ref() {
            "session.assigned" => DecisionBody::SessionAssigned {
                session: session()?,
                buyer: buyer()?,
                agent: agent()?,
                reason: AssignReason::named(&self.reason)?,
                repeat_visit: self.repeat_visit,
                waited: Duration::from_ms((self.waited.clamp(0.0, 1e12) * 1000.0).round() as i64),
            },
            "session.queued" => DecisionBody::SessionQueued {
                session: session()?,
                buyer: buyer()?,
                pool: self.pool.as_deref()?.into(),
                position: self.position,
                reason: WaitReason::named(&self.reason)?,
                prompt: self.prompt.as_ref().into(),
                priority: self.priority.and_then(Priority::new),
            },
            "session.taken_back" => DecisionBody::SessionTakenBack {
                session: session()?,
                buyer: buyer()?,
                agent: agent()?,
                since: since()?,
                bounce: self.bounce,
            },
            "agent.presence_set" => DecisionBody::AgentPresenceSet {
                agent: agent()?,
                presence: Presence::named(&self.presence)?,
                reason: PresenceReason::named(&self.reason)?,
            },
            "hours.opened" => DecisionBody::HoursOpened { until: until() },
            "hours.closed" => DecisionBody::HoursClosed { until: until() },
            "session.closed" => DecisionBody::SessionClosed {
                session: session()?,
                buyer: buyer()?,
                agent: agent(),
                reason: CloseReason::named(&self.reason)?,
            },
            "agent.notified" => DecisionBody::AgentNotified {
                agent: agent()?,
                session: session()?,
            },
            "auto_reply.sent" => DecisionBody::AutoReplySent {
                session: session()?,
                text: self.text.as_ref().into(),
            },
            "invite.sent" => DecisionBody::InviteSent {
                card: card()?,
                session: session()?,
                buyer: buyer()?,
                agent: agent()?,
                trigger: Trigger::named(&self.trigger)?,
            },
            "invite.blocked" => DecisionBody::InviteBlocked {
                session: session()?,
                buyer: buyer()?,
                agent: agent(),
                trigger: Trigger::named(&self.trigger)?,
                blocked_by: {
                    let codes = self.blocked_by.iter();
                    codes
                        .map(|code| BlockCode::named(code))
                        .collect::<Option<_>>()?
                },
                retry_at: self.retry_at.as_deref().and_then(stamp),
            },
            "rating.opened" => DecisionBody::RatingOpened {
                card: card()?,
                session: session()?,
                buyer: buyer()?,
                agent: agent()?,
                source: Source::named(&self.source)?,
            },
            "rating.recorded" => DecisionBody::RatingRecorded {
                card: card()?,
                session: session()?,
                buyer: buyer()?,
                agent: agent()?,
                level: Level::named(&self.level)?,
                stars: Stars::new(self.stars)?,
                source: Source::named(&self.source)?,
                reasons: self
                    .reasons
                    .iter()
                    .filter_map(|reason| Id::new(reason))
                    .collect(),
                comment: self.comment.as_deref().map(Into::into),
            },
            "rating.refused" => DecisionBody::RatingRefused {
                session: session(),
                card: card(),
                reason: RefuseReason::named(&self.reason)?,
            },
            "reply.due" => DecisionBody::ReplyDue {
                session: session()?,
                buyer: buyer()?,
                agent: agent(),
                since: since()?,
                overdue_at: stamp(self.overdue_at.as_deref()?)?,
            },
            "reply.overdue" => DecisionBody::ReplyOverdue {
                session: session()?,
                buyer: buyer()?,
                agent: agent(),
                since: since()?,
            },
            "score.alert" => DecisionBody::ScoreAlert {
                period: Period::named(&self.metric, &self.period)?,
                value: as_rate(self.value.unwrap_or_default()),
                threshold: Share(myriads(self.threshold)),
                needed: self.needed,
            },
            "score.recovered" => DecisionBody::ScoreRecovered {
                period: Period::named(&self.metric, &self.period)?,
                value: as_rate(self.value.unwrap_or_default()),
                threshold: Share(myriads(self.threshold)),
            },
            "score.day" => DecisionBody::ScoreDay {
                period: Day::parse(&self.period)?,
                consulting: self.consulting,
                late: self.late,
                value: self.value.map(as_rate),
                threshold: Share(myriads(self.threshold)),
                below: self.below,
                effective_rate: as_rate(self.effective_rate.unwrap_or_default()),
                penalty_risk: self.penalty_risk,
            },
            "event.rejected" => DecisionBody::EventRejected {
                event: self.event.as_ref().into(),
                error: ErrorCode::named(&self.error)?,
                message: self.message.as_ref().into(),
                session: session(),
            },
            _ => return None,
        })
    }
}

/// A rate as it was written, with four digits.
fn as_rate(value: f64) -> Rate {
    Rate {
        over: u64::from(myriads(value)),
        under: 10_000,
    }
}

fn myriads(share: f64) -> u16 {
    (share.clamp(0.0, 1.0) * 10_000.0).round() as u16
}

/// An instant with its written offset: `…+08:00`.
fn stamp(text: &str) -> Option<OffsetTimestamp> {
    let instant = Instant::parse(text)?;
    let (_, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (sign, zone) = zone.split_at_checked(1)?;
    let (hours, minutes) = zone.split_once(':')?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let offset_s = (hours * 60 + minutes) * 60;
    match sign {
        "+" => Some(instant.at_offset(offset_s)),
        "-" => Some(instant.at_offset(-offset_s)),
        _ => None,
    }
}
