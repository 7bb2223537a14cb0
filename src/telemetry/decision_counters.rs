//! `xiaoer_decisions_total`: a counter for every type and reason, found by arithmetic.

use crate::domain::protocol::codes::{
    AssignReason, BlockCode, CloseReason, ErrorCode, RefuseReason, WaitReason,
};
use crate::domain::protocol::decision::DecisionBody;

// Where the counters of each type begin: in the order of `DecisionBody`, each as long as its list of reasons.
const ASSIGNED: usize = 0;
const QUEUED: usize = ASSIGNED + AssignReason::ALL.len();
const CLOSED: usize = QUEUED + WaitReason::ALL.len();
const NOTIFIED: usize = CLOSED + CloseReason::ALL.len();
const AUTO_REPLY: usize = NOTIFIED + 1;
const INVITED: usize = AUTO_REPLY + 1;
const BLOCKED: usize = INVITED + 1;
const RATING_OPENED: usize = BLOCKED + BlockCode::ALL.len();
const RECORDED: usize = RATING_OPENED + 1;
const REFUSED: usize = RECORDED + 1;
const DUE: usize = REFUSED + RefuseReason::ALL.len();
const OVERDUE: usize = DUE + 1;
const ALERT: usize = OVERDUE + 1;
const RECOVERED: usize = ALERT + 1;
const REJECTED: usize = RECOVERED + 1;

/// Which counter a decision moves. A blocked invite counts once, under the first of its codes.
pub(super) fn slot(body: &DecisionBody) -> usize {
    match body {
        DecisionBody::SessionAssigned { reason, .. } => ASSIGNED + *reason as usize,
        DecisionBody::SessionQueued { reason, .. } => QUEUED + *reason as usize,
        DecisionBody::SessionClosed { reason, .. } => CLOSED + *reason as usize,
        DecisionBody::AgentNotified { .. } => NOTIFIED,
        DecisionBody::AutoReplySent { .. } => AUTO_REPLY,
        DecisionBody::InviteSent { .. } => INVITED,
        DecisionBody::InviteBlocked { blocked_by, .. } => {
            BLOCKED + blocked_by.first().map_or(0, |code| *code as usize)
        }
        DecisionBody::RatingOpened { .. } => RATING_OPENED,
        DecisionBody::RatingRecorded { .. } => RECORDED,
        DecisionBody::RatingRefused { reason, .. } => REFUSED + *reason as usize,
        DecisionBody::ReplyDue { .. } => DUE,
        DecisionBody::ReplyOverdue { .. } => OVERDUE,
        DecisionBody::ScoreAlert { .. } => ALERT,
        DecisionBody::ScoreRecovered { .. } => RECOVERED,
        DecisionBody::EventRejected { error, .. } => REJECTED + *error as usize,
    }
}

/// The type and the reason of every counter, in the order of [`slot`].
pub(super) fn labels() -> Vec<(&'static str, Option<&'static str>)> {
    let none = Vec::new;
    let types = [
        (
            "session.assigned",
            codes(AssignReason::ALL, AssignReason::code),
        ),
        ("session.queued", codes(WaitReason::ALL, WaitReason::code)),
        ("session.closed", codes(CloseReason::ALL, CloseReason::code)),
        ("agent.notified", none()),
        ("auto_reply.sent", none()),
        ("invite.sent", none()),
        ("invite.blocked", codes(BlockCode::ALL, BlockCode::code)),
        ("rating.opened", none()),
        ("rating.recorded", none()),
        (
            "rating.refused",
            codes(RefuseReason::ALL, RefuseReason::code),
        ),
        ("reply.due", none()),
        ("reply.overdue", none()),
        ("score.alert", none()),
        ("score.recovered", none()),
        ("event.rejected", codes(ErrorCode::ALL, ErrorCode::code)),
    ];
    let mut labels = Vec::new();
    for (name, reasons) in types {
        match reasons.is_empty() {
            true => labels.push((name, None)),
            false => labels.extend(reasons.into_iter().map(|reason| (name, Some(reason)))),
        }
    }
    labels
}

fn codes<T: Copy>(all: &[T], code: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|reason| code(*reason)).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::base::calendar::Day;
    use crate::domain::base::id::Id;
    use crate::domain::base::ratio::Share;
    use crate::domain::base::time::{Duration, Instant, Stamp};
    use crate::domain::protocol::codes::Trigger;
    use crate::domain::protocol::decision::{Period, Rate};
    use crate::domain::protocol::event::Stars;
    use crate::domain::protocol::rating::{Level, Source};

    fn id() -> Id {
        Id::new("x").unwrap()
    }

    fn stamp() -> Stamp {
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
        };
        let plain = [
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
        let labels = labels();
        let mut moved = vec![0; labels.len()];
        for (body, reason) in every_decision() {
            assert_eq!(labels[slot(&body)], (body.name(), reason));
            moved[slot(&body)] += 1;
        }
        assert_eq!(moved, vec![1; labels.len()], "each once");
        let names = every_decision().into_iter().map(|(body, _)| body.name());
        let names: std::collections::BTreeSet<&str> = names.collect();
        assert_eq!(names, DecisionBody::NAMES.iter().copied().collect());
    }
}
