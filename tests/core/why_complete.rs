//! Every decision of generated traces has the evidence of its kind and no other: evidence that led to no decision is
//! dropped, and no text is cut short.

use std::collections::{BTreeMap, BTreeSet};

use xiaoer::domain::base::id::Id;
use xiaoer::domain::explain::explanation::{Candidate, Evidence, Explanation, Verdict};
use xiaoer::domain::installation::Installation;
use xiaoer::domain::protocol::decision::{
    AssignReason, CloseReason, Decision, DecisionBody, DecisionType, ErrorCode, RefuseReason,
    WaitReason,
};
use xiaoer::explain_text::{self, Language};
use xiaoer::replay::{FoundDecision, explain, replay_with};

use crate::differential::seeds;
use crate::model::generate::trace;

/// Events of a trace.
const EVENTS: u64 = 200;

/// So many decisions of one type and reason are explained: each takes a replay of its own.
const OF_ONE_KIND: u32 = 8;

#[test]
fn every_decision_has_its_own_evidence() {
    let mut seen: BTreeMap<(&str, usize), u32> = BTreeMap::new();
    for seed in seeds(0..24) {
        let lines = trace(seed, EVENTS).lines;
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        for (shop, decision) in decisions(&text) {
            let kind = (decision.body.name(), decision.body.reason_index());
            let explained = seen.entry(kind).or_default();
            if *explained == OF_ONE_KIND {
                continue;
            }
            *explained += 1;
            let found = explain(text.as_bytes(), &shop, decision.seq);
            let Ok(FoundDecision::Why(why)) = found else {
                panic!("seed {seed}, {shop} {decision:?}: {found:?}");
            };
            assert_eq!(why.decision, decision, "seed {seed}, {shop}");
            if let Err(wrong) = fits(&why).and_then(|()| reads_well(&why)) {
                panic!("seed {seed}, {shop}: {wrong}\n{why:#?}");
            }
        }
    }
    let types = DecisionType::codes().collect::<BTreeSet<_>>();
    let seen = seen.keys().map(|&(kind, _)| kind).collect();
    let unseen: Vec<&str> = types.difference(&seen).copied().collect();
    assert!(unseen.is_empty(), "no generated trace comes to {unseen:?}");
}

/// All decisions of shops that exist.
fn decisions(text: &str) -> Vec<(Id, Decision)> {
    let mut found = Vec::new();
    let mut installation = Installation::default();
    replay_with(&mut installation, text.as_bytes(), |shop, taken, _| {
        let Some(shop) = Id::new(shop) else {
            return Ok(());
        };
        let taken = taken.iter().filter(|decision| decision.seq > 0);
        found.extend(taken.map(|decision| (shop.clone(), decision.clone())));
        Ok(())
    })
    .expect("a trace");
    found
}

/// Whether the evidence is that of the decision.
fn fits(why: &Explanation) -> Result<(), String> {
    let notes = why.notes.as_slice();
    let first = notes.first();
    match &why.decision.body {
        DecisionBody::SessionAssigned { reason, agent, .. } => {
            let beginning = match reason {
                AssignReason::Queue => matches!(first, Some(Evidence::Drained { .. })),
                AssignReason::Manual => matches!(first, Some(Evidence::Manual(_))),
                AssignReason::AgentOffline => matches!(first, Some(Evidence::Absent { .. })),
                AssignReason::NoAnswer => matches!(first, Some(Evidence::NotAnswered(_))),
                AssignReason::OfflineHandover => {
                    matches!(first, Some(Evidence::HandedOver { .. }))
                }
                AssignReason::RecentAgent
                | AssignReason::RecentAgentUnavailable
                | AssignReason::Question
                | AssignReason::Entry
                | AssignReason::OrderStatus
                | AssignReason::All
                | AssignReason::ScopeOffline
                | AssignReason::Overflow
                | AssignReason::OfflineRota => {
                    matches!(first, Some(Evidence::Recent { .. } | Evidence::Scope(_)))
                }
            };
            check(beginning, "it begins with other evidence")?;
            let picked = picked(notes).map(|candidate| &candidate.agent);
            check(picked == Some(agent), "another agent was picked")
        }
        DecisionBody::SessionTakenBack { agent, bounce, .. } => {
            let Some(Evidence::NotAnswered(found)) = first else {
                return Err("nothing of R10".to_owned());
            };
            check(found.agent.agent == *agent, "another agent")?;
            check(found.bounce == *bounce, "another count")?;
            check(found.passed.contains(agent), "the agent is not passed over")
        }
        DecisionBody::SessionQueued { reason, pool, .. } => {
            let beginning = match reason {
                WaitReason::NoAnswer => matches!(first, Some(Evidence::NotAnswered(_))),
                WaitReason::OfflineHandover => {
                    matches!(first, Some(Evidence::HandedOver { .. }))
                }
                WaitReason::AllBusy
                | WaitReason::ScopeOffline
                | WaitReason::NobodyOnline
                | WaitReason::Closed => matches!(
                    first,
                    Some(Evidence::Recent { .. } | Evidence::Scope(_) | Evidence::Absent { .. })
                ),
            };
            check(beginning, "it begins with other evidence")?;
            check(picked(notes).is_none(), "an agent was picked")?;
            let shut = notes
                .iter()
                .any(|note| matches!(note, Evidence::Shut { .. }));
            check(
                shut == (*reason == WaitReason::Closed),
                "closed or not closed",
            )?;
            let all = &**pool == "all";
            let scope = notes.iter().find_map(|note| {
                if let Evidence::Scope(scope) = note {
                    Some(scope.pool_name())
                } else {
                    None
                }
            });
            check(
                all || scope.as_deref() == Some(&**pool),
                "the pool of another scope",
            )
        }
        DecisionBody::SessionClosed { reason, .. } => match (reason, notes) {
            (CloseReason::Timeout, [Evidence::Silent { .. } | Evidence::WaitedOut { .. }])
            | (CloseReason::AgentOffline, [Evidence::Absent { .. }])
            | (CloseReason::Abandoned, [Evidence::GaveUp { .. }])
            | (CloseReason::Blocked, [Evidence::Blocked { .. }])
            | (CloseReason::Agent | CloseReason::Buyer | CloseReason::System, []) => Ok(()),
            (
                CloseReason::Timeout
                | CloseReason::AgentOffline
                | CloseReason::Abandoned
                | CloseReason::Blocked
                | CloseReason::Agent
                | CloseReason::Buyer
                | CloseReason::System,
                _,
            ) => Err("not what closed it".to_owned()),
        },
        DecisionBody::AgentPresenceSet { agent, .. } => {
            let own =
                matches!(notes, [Evidence::Missed { agent: found, .. }] if found.agent == *agent);
            check(own, "not the agent's misses")
        }
        DecisionBody::HoursOpened { .. } | DecisionBody::HoursClosed { .. } => {
            check(matches!(notes, [Evidence::Hours(_)]), "not the hours")
        }
        DecisionBody::ScoreDay { .. } => check(
            matches!(notes, [Evidence::DaySummary { .. }]),
            "not the day",
        ),
        DecisionBody::AgentNotified { agent, .. } => {
            let own = match first {
                Some(Evidence::LeftToRota { agent: found, .. }) => {
                    notes.len() == 1 && found.agent == *agent
                }
                Some(Evidence::Absent { agent: found, .. }) => {
                    found.agent == *agent && picked(notes).is_none()
                }
                _ => false,
            };
            check(own, "not why it is notified")
        }
        DecisionBody::AutoReplySent { .. } => {
            let own = matches!(
                first,
                Some(
                    Evidence::LeftToRota { .. } | Evidence::Waits { .. } | Evidence::Absent { .. }
                )
            );
            check(own, "not why it is sent")
        }
        DecisionBody::InviteSent { .. } | DecisionBody::InviteBlocked { .. } => check(
            matches!(notes, [Evidence::Invite { .. }]),
            "not the rules of invitations",
        ),
        DecisionBody::RatingOpened { .. }
        | DecisionBody::RatingRecorded { .. }
        | DecisionBody::ReplyDue { .. } => check(notes.is_empty(), "it needs no evidence"),
        DecisionBody::RatingRefused { reason, .. } => {
            let own = match reason {
                RefuseReason::BuyerBlocked => matches!(notes, [Evidence::Blocked { .. }]),
                RefuseReason::SessionOver => matches!(notes, [Evidence::ClosedAt(_)]),
                RefuseReason::NoContact => matches!(notes, [Evidence::NotContacted(..)]),
                RefuseReason::RatedRecently => matches!(notes, [Evidence::RatedAt { .. }]),
                RefuseReason::CardExpired => matches!(notes, [Evidence::CardExpired(_)]),
                RefuseReason::NobodyServed | RefuseReason::CardUnknown | RefuseReason::CardUsed => {
                    notes.is_empty()
                }
            };
            check(own, "not why it is refused")
        }
        DecisionBody::ReplyOverdue { .. } => check(
            matches!(notes, [Evidence::LateRound { .. }]),
            "not the round",
        ),
        DecisionBody::ScoreAlert { period, .. } | DecisionBody::ScoreRecovered { period, .. } => {
            let own = matches!(notes, [Evidence::Judged { period: of, .. }] if of == period);
            check(own, "not the score")
        }
        DecisionBody::EventRejected { error, .. } => {
            let own = match (error, notes) {
                (ErrorCode::BuyerBlocked, [Evidence::Blocked { .. }])
                | (ErrorCode::TimeWentBack, [Evidence::TooLate { .. }]) => true,
                (ErrorCode::BuyerBlocked | ErrorCode::TimeWentBack, _) => false,
                (_, notes) => notes.is_empty(),
            };
            check(own, "not why it is rejected")
        }
    }
}

fn check(holds: bool, wrong: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(wrong.to_owned()) }
}

/// The agent that the last step picked.
fn picked(notes: &[Evidence]) -> Option<&Candidate> {
    let is_picked = |candidate: &&Candidate| candidate.verdict == Verdict::Picked;
    notes.iter().rev().find_map(|note| {
        if let Evidence::Candidates { candidates, .. } = note {
            return candidates.iter().find(is_picked);
        }
        if let Evidence::Recent { known, .. } = note {
            return known.as_ref().map(|known| &known.agent).filter(is_picked);
        }
        if let Evidence::Manual(agent) = note {
            return Some(agent).filter(is_picked);
        }
        None
    })
}

/// Whether both texts are whole: no line without words, and none that ends in the middle.
fn reads_well(why: &Explanation) -> Result<(), String> {
    for language in [Language::Chinese, Language::English] {
        let text = explain_text::explain("default", why, language);
        for line in text.lines() {
            let bare =
                line.trim_end().ends_with(']') || line.contains("，，") || line.contains("。。");
            let cut = line != line.trim_end() || line.ends_with(['：', '，', ','].as_slice());
            let head = line.ends_with("：") || line.ends_with(':');
            check(
                !bare && (!cut || head),
                &format!("a line is cut short: {line:?}"),
            )?;
            let (open, closed) = (
                line.matches(['(', '（']).count(),
                line.matches([')', '）']).count(),
            );
            check(open == closed, &format!("a bracket is left open: {line:?}"))?;
        }
    }
    Ok(())
}
