//! Parses decisions of a record: the parts that determine a shop's state, and the differences between two lists of
//! decisions.
//!
//! An older core may have written types, codes and fields that this core does not have. They are skipped, so that the
//! known parts can still be read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Duration, Instant};
use crate::domain::protocol::codes::{
    AssignReason, BlockCode, CloseReason, ErrorCode, Presence, Trigger, WaitReason,
};
use crate::domain::protocol::decision::Period;
use crate::domain::protocol::event::Stars;
use crate::domain::protocol::rating::Source;
use crate::domain::reconcile::{RecordedBody, RecordedDecision};

/// Fields whose wording may change between releases. They do not count as a difference.
const WORDING: [&str; 3] = ["message", "prompt", "text"];

/// The longest wait that is accepted, in seconds.
const WAITED_S_MAX: f64 = 1e12;

/// The fields that determine the state. Each decision has some of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RecordedFields<'a> {
    #[serde(borrow)]
    at: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
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
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    trigger: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source: Option<Cow<'a, str>>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
    #[serde(borrow)]
    metric: Option<Cow<'a, str>>,
    #[serde(borrow)]
    period: Option<Cow<'a, str>>,
    #[serde(borrow)]
    presence: Option<Cow<'a, str>>,
    #[serde(borrow)]
    blocked_by: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    reasons: Vec<Cow<'a, str>>,
    repeat_visit: bool,
    waited: f64,
    stars: u64,
    bounce: u64,
}

/// Parses the decisions of a record, a JSON array. `at` is the record's time. `None` if the text is not such an array.
pub fn read_recorded(decisions: &str, at: Instant) -> Option<Vec<RecordedDecision>> {
    let each: Vec<&RawValue> = serde_json::from_str(decisions).ok()?;
    let read = each.into_iter().map(|decision| {
        // A decision in an unknown form has no effect on the state.
        let fields: RecordedFields<'_> = serde_json::from_str(decision.get()).unwrap_or_default();
        let said = fields.at.as_deref().and_then(Instant::parse);
        RecordedDecision {
            at: said.unwrap_or(at),
            body: fields.body().unwrap_or(RecordedBody::Other),
        }
    });
    Some(read.collect())
}

impl RecordedFields<'_> {
    /// The decision. `None` if a field that determines the state is missing.
    fn body(&self) -> Option<RecordedBody> {
        let session = || Id::new(self.session.as_deref()?);
        let buyer = || Id::new(self.buyer.as_deref()?);
        let agent = || Id::new(self.agent.as_deref()?);
        let card = || Id::card(self.card.as_deref()?);
        let source = || Source::named(self.source.as_deref()?);
        let trigger = || Trigger::named(self.trigger.as_deref()?);
        let period = || Period::named(self.metric.as_deref()?, self.period.as_deref()?);
        Some(match self.kind.as_deref()? {
            "session.assigned" => RecordedBody::Assigned {
                session: session()?,
                buyer: buyer()?,
                agent: agent()?,
                reason: self.reason.as_deref().and_then(AssignReason::named),
                repeat_visit: self.repeat_visit,
                waited: self.waited(),
            },
            "session.queued" => RecordedBody::Queued {
                session: session()?,
                buyer: buyer()?,
                pool: self.pool.as_deref()?.into(),
                reason: self.reason.as_deref().and_then(WaitReason::named),
            },
            "session.taken_back" => RecordedBody::TakenBack {
                session: session()?,
                buyer: buyer()?,
                agent: agent()?,
                bounce: u32::try_from(self.bounce).unwrap_or(u32::MAX),
            },
            "session.closed" => RecordedBody::Closed {
                session: session()?,
                buyer: buyer()?,
                reason: self.reason.as_deref().and_then(CloseReason::named),
            },
            "agent.presence_set" => RecordedBody::PresenceSet {
                agent: agent()?,
                presence: Presence::named(self.presence.as_deref()?)?,
            },
            "hours.opened" => RecordedBody::Hours { open: true },
            "hours.closed" => RecordedBody::Hours { open: false },
            "invite.sent" => RecordedBody::InviteSent {
                card: card()?,
                session: session()?,
                buyer: buyer()?,
                agent: agent()?,
                trigger: trigger()?,
            },
            "invite.blocked" => RecordedBody::InviteBlocked {
                session: session()?,
                trigger: trigger()?,
                blocked_by: {
                    let codes = self.blocked_by.iter();
                    codes.filter_map(|code| BlockCode::named(code)).collect()
                },
            },
            "rating.opened" => RecordedBody::RatingOpened {
                card: card()?,
                session: session()?,
                buyer: buyer()?,
                agent: agent()?,
                source: source()?,
            },
            "rating.recorded" => RecordedBody::RatingRecorded {
                card: card()?,
                session: session()?,
                buyer: buyer()?,
                agent: agent()?,
                stars: Stars::new(self.stars)?,
                source: source()?,
                reasons: {
                    let reasons = self.reasons.iter();
                    reasons.filter_map(|reason| Id::new(reason)).collect()
                },
            },
            "reply.due" => RecordedBody::ReplyDue {
                session: session()?,
            },
            "reply.overdue" => RecordedBody::ReplyOverdue {
                session: session()?,
            },
            "score.alert" => RecordedBody::Score {
                period: period()?,
                alert: true,
            },
            "score.recovered" => RecordedBody::Score {
                period: period()?,
                alert: false,
            },
            "score.day" => RecordedBody::DaySummed {
                day: Day::parse(self.period.as_deref()?)?,
            },
            "event.rejected" => RecordedBody::Rejected {
                error: self.error.as_deref().and_then(ErrorCode::named),
            },
            _ => return None,
        })
    }

    /// Seconds with millisecond precision, as written.
    fn waited(&self) -> Duration {
        let seconds = self.waited.clamp(0.0, WAITED_S_MAX);
        Duration::from_ms((seconds * 1000.0).round() as i64)
    }
}

/// The differences between two lists of decisions of one event: their number, and at most `limit` sentences. Wording
/// does not count. The sentences contain no values, because a value may be a buyer's.
pub fn differing(recorded: &str, now: &str, first_seq: u64, limit: usize) -> (u64, Vec<String>) {
    if recorded == now {
        return (0, Vec::new());
    }
    let (Ok(recorded), Ok(now)) = (list(recorded), list(now)) else {
        return (1, vec![format!("decision {first_seq}: it does not read")]);
    };
    let (mut count, mut told) = (0, Vec::new());
    for place in 0..recorded.len().max(now.len()) {
        let sentence = match (recorded.get(place), now.get(place)) {
            (Some(recorded), Some(now)) => difference(recorded, now),
            (Some(recorded), None) => Some(format!("{} would not be", kind(recorded))),
            (None, Some(now)) => Some(format!("nothing was, {} would be now", kind(now))),
            (None, None) => None,
        };
        let Some(sentence) = sentence else { continue };
        count += 1;
        if told.len() < limit {
            told.push(format!("decision {}: {sentence}", first_seq + place as u64));
        }
    }
    (count, told)
}

/// A decision as its keys and raw values.
type Plain<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

fn list(text: &str) -> Result<Vec<Plain<'_>>, serde_json::Error> {
    serde_json::from_str(text)
}

fn kind<'a>(decision: &Plain<'a>) -> &'a str {
    decision.get("type").map_or("", |kind| kind.get())
}

fn difference(recorded: &Plain<'_>, now: &Plain<'_>) -> Option<String> {
    if kind(recorded) != kind(now) {
        let (recorded, now) = (kind(recorded), kind(now));
        return Some(format!("{recorded} would be {now} now"));
    }
    let value = |of: &Plain<'_>, key: &str| of.get(key).map(|value| value.get().to_owned());
    let keys = recorded.keys().chain(now.keys());
    let mut keys: Vec<&str> = keys.map(AsRef::as_ref).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| !WORDING.contains(key) && value(recorded, key) != value(now, key));
    (!keys.is_empty()).then(|| {
        let kind = kind(recorded);
        format!("{kind} would have another `{}` now", keys.join("`, `"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base::ratio::Rate;
    use crate::domain::protocol::decision::{Decision, DecisionBody};
    use crate::wire::DecisionWriter;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    /// Every decision that determines the state is read back as it was written.
    #[test]
    fn what_is_written_is_read() {
        use crate::domain::base::calendar::Zone;
        use crate::domain::base::ratio::Share;
        use crate::domain::protocol::codes::PresenceReason;
        use crate::domain::protocol::event::Priority;
        let (now, (s, b, a)) = (
            at("2026-11-11T02:00:00Z"),
            (id("会话"), id("b\"1"), id("anna")),
        );
        let zone = Zone::get("Asia/Shanghai").unwrap();
        let day = zone.span(now).day;
        let card = Id::card("会话#2").unwrap();
        let (session, buyer, agent) = (s.clone(), b.clone(), a.clone());
        let score = |period, alert| {
            let (value, threshold) = (Rate { over: 1, under: 2 }, Share(8000));
            match alert {
                true => DecisionBody::ScoreAlert {
                    period,
                    value,
                    threshold,
                    needed: None,
                },
                false => DecisionBody::ScoreRecovered {
                    period,
                    value,
                    threshold,
                },
            }
        };
        let stamp = now.at_offset(28_800);
        let bodies = [
            DecisionBody::SessionAssigned {
                session,
                buyer,
                agent,
                reason: AssignReason::Queue,
                repeat_visit: true,
                waited: Duration::from_ms(90_250),
            },
            DecisionBody::SessionQueued {
                session: s.clone(),
                buyer: b.clone(),
                pool: "question:live/几天发货".into(),
                position: 2,
                reason: WaitReason::AllBusy,
                prompt: "前面还有1位".into(),
                priority: Priority::new(3),
            },
            DecisionBody::SessionTakenBack {
                session: s.clone(),
                buyer: b.clone(),
                agent: a.clone(),
                since: stamp,
                bounce: 2,
            },
            DecisionBody::AgentPresenceSet {
                agent: a.clone(),
                presence: Presence::Away,
                reason: PresenceReason::NoAnswer,
            },
            DecisionBody::HoursOpened { until: Some(stamp) },
            DecisionBody::HoursClosed { until: None },
            DecisionBody::ScoreDay {
                period: day,
                consulting: 2,
                late: 1,
                value: Some(Rate { over: 1, under: 2 }),
                threshold: Share(8000),
                below: true,
                effective_rate: Rate { over: 2, under: 2 },
                penalty_risk: false,
            },
            DecisionBody::SessionClosed {
                session: s.clone(),
                buyer: b.clone(),
                agent: None,
                reason: CloseReason::Timeout,
            },
            DecisionBody::InviteSent {
                card: card.clone(),
                session: s.clone(),
                buyer: b.clone(),
                agent: a.clone(),
                trigger: Trigger::Manual,
            },
            DecisionBody::InviteBlocked {
                session: s.clone(),
                buyer: b.clone(),
                agent: Some(a.clone()),
                trigger: Trigger::Auto,
                blocked_by: vec![BlockCode::TooShort, BlockCode::NoContact],
                retry_at: Some(stamp),
            },
            DecisionBody::RatingOpened {
                card: card.clone(),
                session: s.clone(),
                buyer: b.clone(),
                agent: a.clone(),
                source: Source::Buyer,
            },
            DecisionBody::RatingRecorded {
                card,
                session: s.clone(),
                buyer: b.clone(),
                agent: a.clone(),
                level: crate::domain::protocol::rating::Level::Neutral,
                stars: Stars::new(3).unwrap(),
                source: Source::Auto,
                reasons: vec![id("attitude"), id("慢")],
                comment: Some("不好".into()),
            },
            DecisionBody::ReplyDue {
                session: s.clone(),
                buyer: b.clone(),
                agent: None,
                since: stamp,
                overdue_at: stamp,
            },
            DecisionBody::ReplyOverdue {
                session: s.clone(),
                buyer: b,
                agent: Some(a.clone()),
                since: stamp,
            },
            score(Period::ReplyRate(day), true),
            score(Period::GoodRate(day.week()), false),
            score(Period::AttitudeRate(day.month()), true),
            DecisionBody::AgentNotified {
                agent: a,
                session: s,
            },
            DecisionBody::EventRejected {
                event: "clock".into(),
                error: ErrorCode::TimeWentBack,
                message: "no".into(),
                session: None,
            },
        ];
        let decisions = (7..).zip(bodies).map(|(seq, body)| Decision {
            seq,
            at: Some(stamp),
            body,
        });
        let decisions: Vec<Decision> = decisions.collect();
        let mut text = String::new();
        DecisionWriter::new(&id("shop")).write(&decisions, &mut text);
        let read = read_recorded(&text, at("2020-01-01T00:00:00Z")).unwrap();
        assert_eq!(read.len(), decisions.len());
        for (read, decision) in read.iter().zip(&decisions) {
            assert_eq!(read.body, RecordedBody::from(&decision.body));
            assert_eq!(read.at, now);
        }
        let each: Vec<&RawValue> = serde_json::from_str(&text).unwrap();
        for (text, decision) in each.iter().zip(&decisions) {
            let again = crate::wire::read_decision(text.get()).unwrap();
            let mut written = String::new();
            DecisionWriter::new(&id("shop")).write(&[again], &mut written);
            assert_eq!(written, format!("[{text}]"), "{decision:?}");
        }
    }

    #[test]
    fn what_this_core_does_not_know_is_left_out() {
        let now = at("2026-11-11T02:00:00Z");
        for (text, count) in [
            ("[]", Some(0)),
            ("{}", None),
            ("", None),
            ("[7]", Some(1)),
            (r#"[{"type":"session.praised","session":"s"}]"#, Some(1)),
            (
                r#"[{"type":"session.assigned","session":"s","buyer":"b"}]"#,
                Some(1),
            ),
            (r#"[{"type":"rating.recorded","stars":9}]"#, Some(1)),
            (r#"[{"type":7,"session":{}}]"#, Some(1)),
        ] {
            let read = read_recorded(text, now);
            assert_eq!(read.as_ref().map(Vec::len), count, "{text}");
            let other = |decision: &RecordedDecision| decision.body == RecordedBody::Other;
            assert!(read.iter().flatten().all(other), "{text}");
        }
        let text = r#"[{"at":"2026-11-11T10:00:00+08:00","type":"session.assigned","session":"s","buyer":"b",
            "agent":"a","reason":"by_the_moon","mood":[1],"waited":1e300}]"#;
        let read = read_recorded(text, now).unwrap();
        assert!(matches!(
            &read[0].body,
            RecordedBody::Assigned {
                reason: None,
                repeat_visit: false,
                ..
            }
        ));
    }

    #[test]
    fn differences_are_told_without_values() {
        let one = r#"[{"seq":4,"type":"session.assigned","agent":"anna","buyer":"老王"}]"#;
        for (recorded, now, count, sentence) in [
            (one, one, 0, ""),
            (
                one,
                r#"[{"seq":4,"type":"session.assigned","agent":"bo","buyer":"老王"}]"#,
                1,
                "decision 4: \"session.assigned\" would have another `agent` now",
            ),
            (
                one,
                r#"[{"seq":4,"type":"session.queued","buyer":"老王"}]"#,
                1,
                "decision 4: \"session.assigned\" would be \"session.queued\" now",
            ),
            (
                one,
                "[]",
                1,
                "decision 4: \"session.assigned\" would not be",
            ),
            (
                "[]",
                one,
                1,
                "decision 4: nothing was, \"session.assigned\" would be now",
            ),
            (
                r#"[{"type":"event.rejected","message":"Do it."}]"#,
                r#"[{"type":"event.rejected","message":"Do so."}]"#,
                0,
                "",
            ),
        ] {
            let (differ, told) = differing(recorded, now, 4, 3);
            assert_eq!(differ, count);
            assert_eq!(told.first().map_or("", String::as_str), sentence);
        }
        let (count, told) = differing("[{},{},{}]", "[]", 1, 2);
        assert_eq!((count, told.len()), (3, 2));
    }
}
