//! A fast writer of decisions. Its text equals that of [`WrittenDecision`](super::WrittenDecision) byte for byte.
//!
//! Decisions of one request usually have the same time, so the text before `seq` is written once for all of them.

use serde::Serialize;

use crate::domain::base::id::Id;
use crate::domain::base::ratio::Decimal;
use crate::domain::base::time::{OffsetTimestamp, STAMP_BYTES_MAX};
use crate::domain::protocol::decision::{Decision, DecisionBody};

/// The estimated length of a decision, in bytes.
const DECISION_BYTES: usize = 256;

/// Writes decisions of one shop.
pub struct DecisionWriter {
    shop: Id,
    /// The time in `head`.
    at: Option<OffsetTimestamp>,
    /// The text before `seq`. Empty before the first decision.
    head: String,
}

impl DecisionWriter {
    /// A writer for the decisions of `shop`.
    pub fn new(shop: &Id) -> DecisionWriter {
        DecisionWriter {
            shop: shop.clone(),
            at: None,
            head: String::new(),
        }
    }

    /// Writes decisions as a JSON array.
    pub fn write(&mut self, decisions: &[Decision], to: &mut String) {
        to.reserve(2 + decisions.len() * DECISION_BYTES);
        to.push('[');
        for (index, decision) in decisions.iter().enumerate() {
            if index > 0 {
                to.push(',');
            }
            self.write_one(decision, to);
        }
        to.push(']');
    }

    fn write_one(&mut self, decision: &Decision, to: &mut String) {
        if self.head.is_empty() || self.at != decision.at {
            self.turn_to(decision.at);
        }
        to.push_str(&self.head);
        number("", decision.seq, to);
        code(",\"type\":", decision.body.name(), to);
        fields(&decision.body, to);
        to.push('}');
    }

    fn turn_to(&mut self, at: Option<OffsetTimestamp>) {
        self.at = at;
        self.head.clear();
        self.head.push('{');
        if let Some(at) = at {
            stamp("\"at\":", at, &mut self.head);
            self.head.push(',');
        }
        text("\"shop\":", &self.shop, &mut self.head);
        self.head.push_str(",\"seq\":");
    }
}

/// The decision's own fields, each after a comma.
fn fields(body: &DecisionBody, to: &mut String) {
    match body {
        DecisionBody::SessionAssigned {
            session,
            buyer,
            agent,
            reason,
            repeat_visit,
            waited,
        } => {
            names(session, buyer, Some(agent), to);
            code(REASON, reason.code(), to);
            to.push_str(match repeat_visit {
                true => ",\"repeat_visit\":true",
                false => ",\"repeat_visit\":false",
            });
            match waited.ms() % 1000 {
                0 => number(",\"waited\":", (waited.ms() / 1000) as u64, to),
                _ => value(",\"waited\":", &Decimal::seconds(*waited), to),
            }
        }
        DecisionBody::SessionQueued {
            session,
            buyer,
            pool,
            position,
            reason,
            prompt,
            priority,
        } => {
            names(session, buyer, None, to);
            text(",\"pool\":", pool, to);
            number(",\"position\":", u64::from(*position), to);
            code(REASON, reason.code(), to);
            text(",\"prompt\":", prompt, to);
            if let Some(priority) = priority {
                number(",\"priority\":", u64::from(priority.level()), to);
            }
        }
        DecisionBody::SessionClosed {
            session,
            buyer,
            agent,
            reason,
        } => {
            names(session, buyer, agent.as_ref(), to);
            code(REASON, reason.code(), to);
        }
        DecisionBody::AgentNotified { agent, session } => {
            text(AGENT, agent, to);
            text(SESSION, session, to);
        }
        DecisionBody::AutoReplySent {
            session,
            text: said,
        } => {
            text(SESSION, session, to);
            text(",\"text\":", said, to);
        }
        DecisionBody::InviteSent {
            card,
            session,
            buyer,
            agent,
            trigger,
        } => {
            text(CARD, card, to);
            names(session, buyer, Some(agent), to);
            code(TRIGGER, trigger.code(), to);
        }
        DecisionBody::InviteBlocked {
            session,
            buyer,
            agent,
            trigger,
            blocked_by,
            retry_at,
        } => {
            names(session, buyer, agent.as_ref(), to);
            code(TRIGGER, trigger.code(), to);
            to.push_str(",\"blocked_by\":");
            for (index, blocked) in blocked_by.iter().enumerate() {
                code(if index == 0 { "[" } else { "," }, blocked.code(), to);
            }
            to.push_str(if blocked_by.is_empty() { "[]" } else { "]" });
            if let Some(retry_at) = retry_at {
                stamp(",\"retry_at\":", *retry_at, to);
            }
        }
        DecisionBody::RatingOpened {
            card,
            session,
            buyer,
            agent,
            source,
        } => {
            text(CARD, card, to);
            names(session, buyer, Some(agent), to);
            code(SOURCE, source.code(), to);
        }
        DecisionBody::RatingRecorded {
            card,
            session,
            buyer,
            agent,
            level,
            stars,
            source,
            reasons,
            comment,
        } => {
            text(CARD, card, to);
            names(session, buyer, Some(agent), to);
            code(",\"level\":", level.code(), to);
            number(",\"stars\":", u64::from(stars.count()), to);
            code(SOURCE, source.code(), to);
            if !reasons.is_empty() {
                value(",\"reasons\":", reasons, to);
            }
            if let Some(comment) = comment {
                text(",\"comment\":", comment, to);
            }
        }
        DecisionBody::ReplyDue {
            session,
            buyer,
            agent,
            since,
            overdue_at,
        } => {
            names(session, buyer, agent.as_ref(), to);
            stamp(SINCE, *since, to);
            stamp(",\"overdue_at\":", *overdue_at, to);
        }
        DecisionBody::ReplyOverdue {
            session,
            buyer,
            agent,
            since,
        } => {
            names(session, buyer, agent.as_ref(), to);
            stamp(SINCE, *since, to);
        }
        // The other types are rare and use serde.
        DecisionBody::SessionTakenBack { .. }
        | DecisionBody::AgentPresenceSet { .. }
        | DecisionBody::HoursOpened { .. }
        | DecisionBody::HoursClosed { .. }
        | DecisionBody::ScoreDay { .. }
        | DecisionBody::RatingRefused { .. }
        | DecisionBody::ScoreAlert { .. }
        | DecisionBody::ScoreRecovered { .. }
        | DecisionBody::EventRejected { .. } => rest(body, to),
    }
}

const SESSION: &str = ",\"session\":";
const AGENT: &str = ",\"agent\":";
const CARD: &str = ",\"card\":";
const REASON: &str = ",\"reason\":";
const TRIGGER: &str = ",\"trigger\":";
const SOURCE: &str = ",\"source\":";
const SINCE: &str = ",\"since\":";

/// The session, its buyer, and its agent if there is one.
fn names(session: &Id, buyer: &Id, agent: Option<&Id>, to: &mut String) {
    text(SESSION, session, to);
    text(",\"buyer\":", buyer, to);
    if let Some(agent) = agent {
        text(AGENT, agent, to);
    }
}

/// A text that may need escapes.
fn text(key: &str, text: &str, to: &mut String) {
    let special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if text.bytes().any(special) {
        return value(key, text, to);
    }
    code(key, text, to);
}

/// A text that needs no escapes.
fn code(key: &str, code: &str, to: &mut String) {
    to.push_str(key);
    to.push('"');
    to.push_str(code);
    to.push('"');
}

fn stamp(key: &str, stamp: OffsetTimestamp, to: &mut String) {
    code(key, stamp.write(&mut [0; STAMP_BYTES_MAX]), to);
}

/// The number of digits of the largest number.
const U64_DIGITS_MAX: usize = 20;

fn number(key: &str, number: u64, to: &mut String) {
    to.push_str(key);
    let (mut digits, mut begin, mut rest) = ([b'0'; U64_DIGITS_MAX], U64_DIGITS_MAX - 1, number);
    loop {
        digits[begin] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
        begin -= 1;
    }
    to.push_str(std::str::from_utf8(&digits[begin..]).unwrap_or_default());
}

/// Any value, by serde. Writing to memory cannot fail.
fn value(key: &str, value: &(impl Serialize + ?Sized), to: &mut String) {
    to.push_str(key);
    to.push_str(&serde_json::to_string(value).unwrap_or_default());
}

/// All fields of a body, by serde, without the braces.
fn rest(body: &DecisionBody, to: &mut String) {
    let object = serde_json::to_string(body).unwrap_or_default();
    let inner = object.trim_start_matches('{');
    let inner = inner.strip_suffix('}').unwrap_or_default();
    if !inner.is_empty() {
        to.push(',');
        to.push_str(inner);
    }
}

#[cfg(test)]
mod tests {
    use super::super::WrittenDecision;
    use super::*;
    use crate::domain::base::calendar::Day;
    use crate::domain::base::ratio::Share;
    use crate::domain::base::time::{Duration, Instant};
    use crate::domain::protocol::codes::{
        AssignReason, BlockCode, CloseReason, ErrorCode, Presence, PresenceReason, RefuseReason,
        Trigger, WaitReason,
    };
    use crate::domain::protocol::decision::{Period, Rate};
    use crate::domain::protocol::event::{Priority, Stars};
    use crate::domain::protocol::rating::{Level, Source};

    const SPELT: [&str; 4] = ["s1", "会话-1", "a\"b\\c/", "x\u{2028}😀"];

    fn at(ms: i64) -> OffsetTimestamp {
        Instant::from_ms(1_794_362_400_000 + ms).at_offset(28_800)
    }

    /// Bodies of every type, with and without optional fields.
    fn bodies(name: &str, some: bool) -> Vec<DecisionBody> {
        let id = || Id::new(name).unwrap();
        let (session, buyer, agent, card) = (id, id, id, id);
        let maybe = || some.then(id);
        let said = || format!("{name}\n\t\u{1}\u{7f}").into_boxed_str();
        let (since, threshold) = (at(0), Share(9500));
        let value = Rate {
            over: 1,
            under: if some { 3 } else { 0 },
        };
        let waited = Duration::from_ms(if some { 61_050 } else { 61_000 });
        let level = Level::Neutral;
        let mut bodies = vec![
            DecisionBody::SessionAssigned {
                session: session(),
                buyer: buyer(),
                agent: agent(),
                reason: AssignReason::RecentAgent,
                repeat_visit: some,
                waited,
            },
            DecisionBody::SessionQueued {
                session: session(),
                buyer: buyer(),
                pool: name.into(),
                position: 12,
                reason: WaitReason::AllBusy,
                prompt: said(),
                priority: if some { Priority::new(9) } else { None },
            },
            DecisionBody::SessionTakenBack {
                session: session(),
                buyer: buyer(),
                agent: agent(),
                since,
                bounce: 2,
            },
            DecisionBody::AgentPresenceSet {
                agent: agent(),
                presence: Presence::Away,
                reason: PresenceReason::NoAnswer,
            },
            DecisionBody::HoursOpened {
                until: some.then_some(at(5)),
            },
            DecisionBody::HoursClosed {
                until: some.then_some(at(6)),
            },
            DecisionBody::ScoreDay {
                period: Day(20_000),
                consulting: 3,
                late: 1,
                value: some.then_some(value),
                threshold,
                below: some,
                effective_rate: value,
                penalty_risk: !some,
            },
            DecisionBody::SessionClosed {
                session: session(),
                buyer: buyer(),
                agent: maybe(),
                reason: CloseReason::Timeout,
            },
            DecisionBody::AgentNotified {
                agent: agent(),
                session: session(),
            },
            DecisionBody::AutoReplySent {
                session: session(),
                text: said(),
            },
            DecisionBody::InviteSent {
                card: card(),
                session: session(),
                buyer: buyer(),
                agent: agent(),
                trigger: Trigger::Auto,
            },
            DecisionBody::InviteBlocked {
                session: session(),
                buyer: buyer(),
                agent: maybe(),
                trigger: Trigger::Manual,
                blocked_by: vec![BlockCode::Disabled; if some { 2 } else { 0 }],
                retry_at: some.then_some(at(1)),
            },
            DecisionBody::RatingOpened {
                card: card(),
                session: session(),
                buyer: buyer(),
                agent: agent(),
                source: Source::Buyer,
            },
            DecisionBody::RatingRecorded {
                card: card(),
                session: session(),
                buyer: buyer(),
                agent: agent(),
                level,
                stars: Stars::new(3).unwrap(),
                source: Source::Auto,
                reasons: maybe().into_iter().chain(maybe()).collect(),
                comment: some.then(said),
            },
            DecisionBody::RatingRefused {
                session: maybe(),
                card: maybe(),
                reason: RefuseReason::CardUsed,
            },
            DecisionBody::ReplyDue {
                session: session(),
                buyer: buyer(),
                agent: maybe(),
                since,
                overdue_at: at(250),
            },
            DecisionBody::ReplyOverdue {
                session: session(),
                buyer: buyer(),
                agent: maybe(),
                since,
            },
            DecisionBody::EventRejected {
                event: name.into(),
                error: ErrorCode::QueueFull,
                message: said(),
                session: maybe(),
            },
        ];
        for period in [
            Period::ReplyRate(Day(20_000)),
            Period::GoodRate(Day(20_000).week()),
            Period::AttitudeRate(Day(20_000).month()),
        ] {
            bodies.push(DecisionBody::ScoreAlert {
                period,
                value,
                threshold,
                needed: some.then_some(7),
            });
            bodies.push(DecisionBody::ScoreRecovered {
                period,
                value,
                threshold,
            });
        }
        bodies
    }

    #[test]
    fn it_writes_what_serde_writes() {
        for (name, some) in SPELT.iter().flat_map(|name| [(name, true), (name, false)]) {
            let mut pen = DecisionWriter::new(&Id::new(name).unwrap());
            let bodies = bodies(name, some).into_iter();
            let decisions: Vec<Decision> = (0..)
                .zip(bodies)
                .map(|(seq, body)| Decision {
                    seq: match seq {
                        0..3 => seq,
                        3 => u64::MAX,
                        _ => seq * 1_000_003,
                    },
                    // Some share a time, some differ, some have none.
                    at: (seq % 5 != 3).then(|| at(seq as i64 / 2 * 250)),
                    body,
                })
                .collect();
            let mut text = String::new();
            pen.write(&decisions, &mut text);
            let written: Vec<WrittenDecision<'_>> = decisions
                .iter()
                .map(|one| WrittenDecision::new(name, one))
                .collect();
            assert_eq!(text, serde_json::to_string(&written).unwrap());
            text.clear();
            pen.write(&[], &mut text);
            assert_eq!(text, "[]");
        }
    }
}
