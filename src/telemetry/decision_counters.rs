//! `xiaoer_decisions_total`: a counter for every type of decision and, where a type has reasons, for each reason.

use super::instruments::Counter;
use crate::domain::protocol::decision::{DecisionBody, DecisionType};

/// The counters, type by type and reason by reason.
pub(super) struct DecisionCounters {
    starts: Vec<usize>,
    counters: Vec<Counter>,
}

impl DecisionCounters {
    /// `make` makes the counter of a type and a reason.
    pub(super) fn new(
        make: impl Fn(&'static str, Option<&'static str>) -> Counter,
    ) -> DecisionCounters {
        DecisionCounters {
            starts: starts(),
            counters: labels()
                .into_iter()
                .map(|(name, reason)| make(name, reason))
                .collect(),
        }
    }

    /// The counter of a decision. A blocked invitation counts once, under its first code.
    pub(super) fn of(&self, body: &DecisionBody) -> &Counter {
        &self.counters[place(&self.starts, body)]
    }
}

/// The type and the reason of every counter, in order.
fn labels() -> Vec<(&'static str, Option<&'static str>)> {
    let of = |kind: &DecisionType| {
        let reasons: Vec<_> = kind.reasons().into_iter().map(Some).collect();
        let reasons = if reasons.is_empty() {
            vec![None]
        } else {
            reasons
        };
        let name = kind.code();
        reasons.into_iter().map(move |reason| (name, reason))
    };
    DecisionType::ALL.iter().flat_map(of).collect()
}

/// Where the counters of each type begin.
fn starts() -> Vec<usize> {
    let lengths = DecisionType::ALL
        .iter()
        .map(|kind| kind.reasons().len().max(1));
    lengths
        .scan(0, |next, length| {
            let start = *next;
            *next += length;
            Some(start)
        })
        .collect()
}

fn place(starts: &[usize], body: &DecisionBody) -> usize {
    starts[body.kind() as usize] + body.reason_index()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::base::calendar::Day;
    use crate::domain::base::id::Id;
    use crate::domain::base::ratio::Share;
    use crate::domain::base::time::{Duration, Instant, OffsetTimestamp};
    use crate::domain::protocol::codes::{
        AssignReason, BlockCode, CloseReason, ErrorCode, RefuseReason, WaitReason,
    };
    use crate::domain::protocol::codes::{Presence, PresenceReason, Trigger};
    use crate::domain::protocol::decision::{Period, Rate};
    use crate::domain::protocol::event::Stars;
    use crate::domain::protocol::rating::{Level, Source};

    fn id() -> Id {
        Id::new("x").unwrap()
    }

    fn stamp() -> OffsetTimestamp {
        Instant::from_ms(1_794_362_400_000).at_offset(0)
    }

    fn assigned(reason: AssignReason) -> DecisionBody {
        DecisionBody::SessionAssigned {
            session: id(),
            buyer: id(),
            agent: id(),
            reason,
            repeat_visit: false,
            waited: Duration::ZERO,
        }
    }

    fn queued(reason: WaitReason) -> DecisionBody {
        DecisionBody::SessionQueued {
            session: id(),
            buyer: id(),
            pool: "".into(),
            position: 1,
            reason,
            prompt: "".into(),
            priority: None,
        }
    }

    fn closed(reason: CloseReason) -> DecisionBody {
        DecisionBody::SessionClosed {
            session: id(),
            buyer: id(),
            agent: None,
            reason,
        }
    }

    fn blocked(blocked_by: Vec<BlockCode>) -> DecisionBody {
        DecisionBody::InviteBlocked {
            session: id(),
            buyer: id(),
            agent: None,
            trigger: Trigger::Auto,
            blocked_by,
            retry_at: None,
        }
    }

    fn refused(reason: RefuseReason) -> DecisionBody {
        DecisionBody::RatingRefused {
            session: None,
            card: None,
            reason,
        }
    }

    fn rejected(error: ErrorCode) -> DecisionBody {
        DecisionBody::EventRejected {
            event: "".into(),
            error,
            message: "".into(),
            session: None,
        }
    }

    /// One decision of every type and reason, with its reason.
    pub fn every_decision() -> Vec<(DecisionBody, Option<&'static str>)> {
        let period = Period::ReplyRate(Day(0));
        let (value, threshold) = (Rate { over: 1, under: 2 }, Share::ONE);
        let (card, session, buyer, agent) = (id(), id(), id(), id());
        let source = Source::Buyer;
        let invite = DecisionBody::InviteSent {
            card: card.clone(),
            session: session.clone(),
            buyer: buyer.clone(),
            agent: agent.clone(),
            trigger: Trigger::Auto,
        };
        let opened = DecisionBody::RatingOpened {
            card: card.clone(),
            session: session.clone(),
            buyer: buyer.clone(),
            agent: agent.clone(),
            source,
        };
        let (level, stars) = (Level::Satisfied, Stars::new(5).unwrap());
        let recorded = DecisionBody::RatingRecorded {
            card,
            session,
            buyer,
            agent,
            level,
            stars,
            source,
            reasons: Vec::new(),
            comment: None,
        };
        let plain = [
            DecisionBody::SessionTakenBack {
                session: id(),
                buyer: id(),
                agent: id(),
                since: stamp(),
                bounce: 1,
            },
            DecisionBody::HoursOpened { until: None },
            DecisionBody::HoursClosed { until: None },
            DecisionBody::ScoreDay {
                period: Day(20_000),
                consulting: 1,
                late: 0,
                value: None,
                threshold,
                below: false,
                effective_rate: value,
                penalty_risk: false,
            },
            DecisionBody::AgentNotified {
                agent: id(),
                session: id(),
            },
            DecisionBody::AutoReplySent {
                session: id(),
                text: "".into(),
            },
            invite,
            opened,
            recorded,
            DecisionBody::ReplyDue {
                session: id(),
                buyer: id(),
                agent: None,
                since: stamp(),
                overdue_at: stamp(),
            },
            DecisionBody::ReplyOverdue {
                session: id(),
                buyer: id(),
                agent: None,
                since: stamp(),
            },
            DecisionBody::ScoreAlert {
                period,
                value,
                threshold,
                needed: None,
            },
            DecisionBody::ScoreRecovered {
                period,
                value,
                threshold,
            },
        ];
        let mut all: Vec<_> = plain.into_iter().map(|body| (body, None)).collect();
        all.extend(
            AssignReason::ALL
                .iter()
                .map(|it| (assigned(*it), Some(it.code()))),
        );
        all.extend(PresenceReason::ALL.iter().map(|it| {
            let body = DecisionBody::AgentPresenceSet {
                agent: id(),
                presence: Presence::Away,
                reason: *it,
            };
            (body, Some(it.code()))
        }));
        all.extend(
            WaitReason::ALL
                .iter()
                .map(|it| (queued(*it), Some(it.code()))),
        );
        all.extend(
            CloseReason::ALL
                .iter()
                .map(|it| (closed(*it), Some(it.code()))),
        );
        all.extend(
            RefuseReason::ALL
                .iter()
                .map(|it| (refused(*it), Some(it.code()))),
        );
        all.extend(
            ErrorCode::ALL
                .iter()
                .map(|it| (rejected(*it), Some(it.code()))),
        );
        all.extend(BlockCode::ALL.iter().map(|it| {
            let codes = vec![*it, BlockCode::NoContact];
            (blocked(codes), Some(it.code()))
        }));
        all
    }

    #[test]
    fn every_decision_moves_the_counter_of_its_type_and_reason() {
        let (labels, starts) = (labels(), starts());
        let mut moved = vec![0; labels.len()];
        for (body, reason) in every_decision() {
            let place = place(&starts, &body);
            assert_eq!(labels[place], (body.name(), reason));
            moved[place] += 1;
        }
        assert_eq!(moved, vec![1; labels.len()], "each once");
    }
}
