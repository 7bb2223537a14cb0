//! Highlights: the few decisions of many that are worth a look.
//!
//! The memory is bounded, however many decisions there are.

use crate::domain::base::id::Id;
use crate::domain::base::ratio::Share;
use crate::domain::base::time::{Duration, OffsetTimestamp};
use crate::domain::protocol::decision::{AssignReason, Decision, DecisionBody, Period, Rate};

use super::Language;

/// How many alerts and recoveries are kept.
const ALERTS_MAX: usize = 8;

/// The longest wait that ended with an agent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LongestWait {
    pub(super) seq: u64,
    pub(super) at: Option<OffsetTimestamp>,
    pub(super) session: Id,
    pub(super) agent: Id,
    pub(super) waited: Duration,
}

/// An event of a score.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alert {
    pub(super) seq: u64,
    pub(super) at: Option<OffsetTimestamp>,
    pub(super) period: Period,
    pub(super) value: Rate,
    pub(super) line: Share,
    pub(super) word: Highlight,
}

/// Which event.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Highlight {
    /// How many more satisfied ratings are needed, where that is known.
    Alert(Option<u64>),
    Recovered,
}

/// Why a decision is worth explaining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HighlightsAsked {
    /// The longest wait.
    LongestWait,
    /// An invitation that was blocked for the most reasons.
    Block,
    /// A buyer who got the recent agent.
    RecentAgent,
    /// The first alert.
    Alert,
}

impl HighlightsAsked {
    /// The question, in words.
    pub fn words(self, language: Language) -> &'static str {
        match self {
            HighlightsAsked::LongestWait => language.say(
                "等得最久的买家，为什么给了这位客服",
                "who waited longest, and why this agent",
            ),
            HighlightsAsked::Block => language.say(
                "为什么没有邀请这位买家评价",
                "why this buyer was not asked for a rating",
            ),
            HighlightsAsked::RecentAgent => language.say(
                "为什么回到了最近联系的客服",
                "why this buyer got the agent it knows",
            ),
            HighlightsAsked::Alert => {
                language.say("这条预警怎么来的", "where this alert comes from")
            }
        }
    }
}

/// The highlights of a shop's decisions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Highlights {
    pub(super) longest_wait: Option<LongestWait>,
    /// The first alerts and recoveries.
    pub(super) alerts: Vec<Alert>,
    pub(super) alerts_in_all: u64,
    pub(super) overdue: u64,
    pub(super) rejected: u64,
    /// The invitation that was blocked for the most reasons, the first of those: its `seq` and the number of reasons.
    pub(super) block: Option<(u64, usize)>,
    pub(super) blocked_in_all: u64,
    /// An assignment to the recent agent ahead of waiting sessions.
    pub(super) recent: Option<u64>,
}

impl Highlights {
    /// Adds a shop's next decision.
    pub fn take(&mut self, decision: &Decision) {
        let seq = decision.seq;
        match &decision.body {
            DecisionBody::SessionAssigned {
                session,
                agent,
                reason,
                waited,
                ..
            } => {
                if self.recent.is_none() && *reason == AssignReason::RecentAgent {
                    self.recent = Some(seq);
                }
                let longest = self.longest_wait.as_ref().map(|longest| longest.waited);
                if *waited > longest.unwrap_or(Duration::ZERO) {
                    self.longest_wait = Some(LongestWait {
                        seq,
                        at: decision.at,
                        session: session.clone(),
                        agent: agent.clone(),
                        waited: *waited,
                    });
                }
            }
            DecisionBody::InviteBlocked { blocked_by, .. } => {
                self.blocked_in_all += 1;
                if self
                    .block
                    .is_none_or(|(_, reasons)| blocked_by.len() > reasons)
                {
                    self.block = Some((seq, blocked_by.len()));
                }
            }
            DecisionBody::ReplyOverdue { .. } => self.overdue += 1,
            DecisionBody::ScoreAlert {
                period,
                value,
                threshold,
                needed,
            } => self.alert(
                decision,
                *period,
                *value,
                *threshold,
                Highlight::Alert(*needed),
            ),
            DecisionBody::ScoreRecovered {
                period,
                value,
                threshold,
            } => self.alert(decision, *period, *value, *threshold, Highlight::Recovered),
            DecisionBody::EventRejected { .. } => self.rejected += 1,
            DecisionBody::SessionQueued { .. }
            | DecisionBody::SessionTakenBack { .. }
            | DecisionBody::AgentPresenceSet { .. }
            | DecisionBody::HoursOpened { .. }
            | DecisionBody::HoursClosed { .. }
            | DecisionBody::ScoreDay { .. }
            | DecisionBody::SessionClosed { .. }
            | DecisionBody::AgentNotified { .. }
            | DecisionBody::AutoReplySent { .. }
            | DecisionBody::InviteSent { .. }
            | DecisionBody::RatingOpened { .. }
            | DecisionBody::RatingRecorded { .. }
            | DecisionBody::RatingRefused { .. }
            | DecisionBody::ReplyDue { .. } => {}
        }
    }

    fn alert(
        &mut self,
        decision: &Decision,
        period: Period,
        value: Rate,
        line: Share,
        word: Highlight,
    ) {
        self.alerts_in_all += 1;
        if self.alerts.len() < ALERTS_MAX {
            self.alerts.push(Alert {
                seq: decision.seq,
                at: decision.at,
                period,
                value,
                line,
                word,
            });
        }
    }

    /// Decisions whose explanations are worth reading, by `seq`, each with its topic.
    pub fn interesting(&self) -> Vec<(u64, HighlightsAsked)> {
        let wait = self
            .longest_wait
            .as_ref()
            .map(|longest| (longest.seq, HighlightsAsked::LongestWait));
        let block = self.block.map(|(seq, _)| (seq, HighlightsAsked::Block));
        let recent = self.recent.map(|seq| (seq, HighlightsAsked::RecentAgent));
        let alert = self
            .alerts
            .first()
            .map(|alert| (alert.seq, HighlightsAsked::Alert));
        [wait, block, recent, alert].into_iter().flatten().collect()
    }
}
