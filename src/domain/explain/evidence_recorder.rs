//! Collects the evidence for a decision ([`super::explanation`]).
//!
//! Evidence is built only if the next decision is to be explained, and dropped if no decision follows.

use super::decision_sink::DecisionSink;
use super::explanation::{
    Candidate, Comparison, Evidence, NoRota, NotAnswered, RecentAgent, RecentFinding, ScoreBasis,
    Step, TakeBackAttempt, Verdict,
};
use crate::domain::base::ratio::Share;
use crate::domain::base::time::OffsetTimestamp;
use crate::domain::explain::explanation::Absence;
use crate::domain::policy::{Member, OfflineMode, QueueMode, Strategy};
use crate::domain::protocol::codes::{ErrorCode, Presence};
use crate::domain::protocol::decision::{Period, Rate};
use crate::domain::protocol::event::{Event, EventBody};
use crate::domain::state::agent::{Agent, BOT};
use crate::domain::state::agent_group::PickBy;
use crate::domain::state::buyer::Buyer;
use crate::domain::state::scores::WeekScores;
use crate::domain::state::shop::Shop;
use crate::domain::state::timers::{ShopTimer, Timer};

impl Shop {
    /// R1: the buyer's recent agent and the result of R1, if there is one and R1 is on.
    pub(in crate::domain) fn note_recent(
        &self,
        known: Option<(&Buyer, RecentFinding)>,
        out: &mut DecisionSink,
    ) {
        let known = known.filter(|_| !self.policy.routing.recent.window.is_zero());
        let queue = self.policy.routing.queue.mode;
        out.note(self.seq, || Evidence::Recent {
            known: known.map(|(buyer, finding)| {
                let agent = &self.directory.agents[buyer.recent_agent];
                RecentAgent {
                    agent: self.candidate(agent, verdict_of(agent, finding, queue)),
                    until: self.stamp(buyer.recent_until),
                    finding,
                }
            }),
            policy: self.policy.routing.recent.clone(),
            queue,
        });
    }

    /// R3: no agent of the shop is online, so none of the group is.
    pub(in crate::domain) fn note_nobody_online(&self, group: u32, out: &mut DecisionSink) {
        out.note(self.seq, || {
            Evidence::NobodyOnline(self.group_candidates(Comparison::Lot, group, None, &[]))
        });
    }

    /// R5: why no member of the rota gets the session.
    pub(in crate::domain) fn note_no_rota(&self, out: &mut DecisionSink) {
        out.note(self.seq, || {
            let offline = &self.policy.routing.offline;
            Evidence::NoRota(match offline.mode {
                OfflineMode::Wait => NoRota::Off,
                OfflineMode::Rota if offline.members.is_empty() => NoRota::Empty,
                OfflineMode::Rota => NoRota::Unfit {
                    members: offline.members.clone(),
                    candidates: self.named(&offline.members),
                },
            })
        });
    }

    /// R1d, R4, R5, R7, R10: all agents of a group, which one was picked, and which ones were left out.
    pub(in crate::domain) fn note_candidates(
        &self,
        step: Step,
        group: u32,
        picked: Option<u32>,
        passed: &[u32],
        out: &mut DecisionSink,
    ) {
        out.note(self.seq, || {
            let by = match step {
                Step::Instead | Step::AnyOnline => Comparison::Lot,
                Step::Own | Step::Overflow | Step::Drain => {
                    Comparison::Strategy(self.policy.routing.strategy)
                }
                Step::Rota => Comparison::Rota,
            };
            Evidence::Candidates {
                step,
                by,
                queue: self.policy.routing.queue.mode,
                candidates: self.group_candidates(by, group, picked, passed),
            }
        });
    }

    /// R8: the agent that the transfer names.
    pub(in crate::domain) fn note_manual(&self, agent: u32, out: &mut DecisionSink) {
        out.drop_notes();
        out.note(self.seq, || {
            Evidence::Manual(self.candidate(&self.directory.agents[agent], Verdict::Picked))
        });
    }

    /// R9: the agent that is absent.
    pub(in crate::domain) fn note_absent(
        &self,
        agent: u32,
        absence: Absence,
        out: &mut DecisionSink,
    ) {
        out.drop_notes();
        out.note(self.seq, || Evidence::Absent {
            agent: self.candidate_as_it_is(agent),
            absence,
        });
    }

    /// R10: the agent that did not answer, the clock, and the agents that are left out.
    pub(in crate::domain) fn note_not_answered(
        &self,
        session: u32,
        attempt: TakeBackAttempt,
        bounce: u32,
        passed: &[u32],
        out: &mut DecisionSink,
    ) {
        out.drop_notes();
        let record = &self.sessions[session];
        let (Some(agent), Some(debt)) = (record.agent(), record.debt) else {
            return;
        };
        out.note(self.seq, || {
            Evidence::NotAnswered(Box::new(NotAnswered {
                agent: self.candidate(&self.directory.agents[agent], Verdict::TakenFrom),
                assigned_at: self.stamp(record.assigned_at),
                since: self.stamp(debt),
                waited: self.now - record.assigned_at.max(debt),
                attempt,
                bounce,
                passed: passed.iter().map(|&agent| self.agent_id(agent)).collect(),
                misses: self.directory.agents[agent].misses + 1,
                policy: self.policy.routing.take_back,
            }))
        });
    }

    /// R5b: the offline agent, and since when the buyer waits for its reply.
    pub(in crate::domain) fn note_handed_over(&self, session: u32, out: &mut DecisionSink) {
        out.drop_notes();
        let record = &self.sessions[session];
        let (Some(agent), Some(debt)) = (record.agent(), record.debt) else {
            return;
        };
        out.note(self.seq, || Evidence::HandedOver {
            agent: self.candidate_as_it_is(agent),
            since: self.stamp(debt),
        });
    }

    /// R10e: the sessions that were taken from an agent. Called before it is set away.
    pub(in crate::domain) fn note_missed(&self, agent: u32, out: &mut DecisionSink) {
        out.drop_notes();
        out.note(self.seq, || Evidence::Missed {
            agent: self.candidate(&self.directory.agents[agent], Verdict::TakenFrom),
            misses: self.directory.agents[agent].misses,
            away_after: self.policy.routing.take_back.away_after,
        });
    }

    /// R5: the reason of a notification and an automatic reply.
    pub(in crate::domain) fn note_left_to_rota(&self, agent: u32, out: &mut DecisionSink) {
        out.drop_notes();
        out.note(self.seq, || {
            let agent = &self.directory.agents[agent];
            Evidence::LeftToRota {
                agent: self.candidate(agent, Verdict::Picked),
                shut: self.is_shut(),
            }
        });
    }

    /// H2: routing, while the shop is closed and treats that as offline.
    pub(in crate::domain) fn note_shut(&self, out: &mut DecisionSink) {
        out.note(self.seq, || Evidence::Shut {
            until: self.hours_change(),
        });
    }

    /// H2: the reply of a closed shop.
    pub(in crate::domain) fn note_closed_reply(&self, out: &mut DecisionSink) {
        out.note(self.seq, || Evidence::ClosedReply {
            until: self.hours_change(),
        });
    }

    /// When the opening hours change next, if they do.
    fn hours_change(&self) -> Option<OffsetTimestamp> {
        let mut own = self.timers.own();
        let (due, ..) = own.find(|&(.., timer)| timer == ShopTimer::Hours)?;
        Some(self.stamp(due))
    }

    /// S3: the silence timer fired. An armed timer keeps its duration when the policy changes.
    pub(in crate::domain) fn note_silence(&self, session: u32, out: &mut DecisionSink) {
        out.drop_notes();
        let record = &self.sessions[session];
        out.note(self.seq, || Evidence::Silent {
            since: self.stamp(record.silent_since),
            length: self.now - record.silent_since,
            last: record.speaker,
        });
    }

    /// B1: the block of a buyer.
    pub(in crate::domain) fn note_blocked(&self, buyer: u32, out: &mut DecisionSink) {
        out.drop_notes();
        out.note(self.seq, || {
            let until = self.blocks.get(&buyer).copied().flatten();
            Evidence::Blocked {
                until: until.map(|until| self.stamp(until)),
            }
        });
    }

    /// B1, T1: what an event was rejected for, where its rejection names a time.
    pub(in crate::domain) fn note_rejected(
        &self,
        event: &Event,
        error: ErrorCode,
        out: &mut DecisionSink,
    ) {
        out.drop_notes();
        if !out.is_asked(self.seq) {
            return;
        }
        if error == ErrorCode::TimeWentBack {
            out.note(self.seq, || Evidence::TooLate {
                at: self.stamp(event.at),
                clock: self.stamp(self.now),
                lateness: self.policy.session.lateness,
            });
        }
        if error == ErrorCode::BuyerBlocked
            && let EventBody::SessionOpened { buyer, .. } = &event.what
            && let Some(buyer) = self.buyers.find(buyer)
        {
            self.note_blocked(buyer, out);
        }
    }

    /// M6: the reason of an alert or a recovery.
    pub(in crate::domain) fn note_judged(
        &self,
        period: Period,
        rate: Rate,
        line: Share,
        out: &mut DecisionSink,
    ) {
        out.drop_notes();
        out.note(self.seq, || {
            let service = &self.policy.service;
            let (basis, own) = match period {
                Period::ReplyRate(_) => {
                    let (unit, within) = (service.reply.unit, service.reply.within);
                    (
                        ScoreBasis::Replies { unit, within },
                        service.reply.min_sample,
                    )
                }
                Period::GoodRate(week) => {
                    let book = self.scores.weeks.get(&week);
                    let all = book.map_or(rate, WeekScores::good_rate);
                    let policy = service.good_rate;
                    (ScoreBasis::Ratings { all, policy }, None)
                }
                Period::AttitudeRate(_) => (ScoreBasis::Attitude, None),
            };
            Evidence::Judged {
                period,
                rate,
                line,
                min_sample: own.unwrap_or(service.min_sample),
                basis,
            }
        });
    }

    /// M13: how the counts of a day are made.
    pub(in crate::domain) fn note_day(&self, out: &mut DecisionSink) {
        out.drop_notes();
        out.note(self.seq, || Evidence::DaySummary {
            reply: self.policy.service.reply,
        });
    }

    /// M3: the round that is late.
    pub(in crate::domain) fn note_late_round(&self, first: bool, out: &mut DecisionSink) {
        out.drop_notes();
        out.note(self.seq, || Evidence::LateRound {
            unit: self.policy.service.reply.unit,
            first,
        });
    }

    /// All agents of a group, and why each was passed over.
    fn group_candidates(
        &self,
        by: Comparison,
        group: u32,
        picked: Option<u32>,
        passed: &[u32],
    ) -> Vec<Candidate> {
        let queue = self.policy.routing.queue.mode;
        let agents = &self.directory.agents;
        let seats = &self.directory.group(group).seats;
        let candidates = seats.iter().map(|&number| {
            let agent = &agents[number];
            let verdict = match picked {
                Some(picked) if picked == number => Verdict::Picked,
                _ if passed.contains(&number) => Verdict::TakenFrom,
                Some(picked) => self.passed_over(by, agent, &agents[picked]),
                None => unfit(agent, queue).unwrap_or(Verdict::NotDrawn),
            };
            self.candidate(agent, verdict)
        });
        candidates.collect()
    }

    /// The agents that these members name, in id order, routable or not.
    fn named(&self, members: &[Member]) -> Vec<Candidate> {
        let groups = &self.policy.routing.groups;
        let plain: Vec<&Member> = members
            .iter()
            .flat_map(|member| match member {
                Member::Agent(_) | Member::Role(_) => vec![member],
                Member::Group(group) => groups.get(group).into_iter().flatten().collect(),
            })
            .collect();
        let agents = self.directory.agents.iter();
        let mut named: Vec<Candidate> = agents
            .filter(|&(number, agent)| {
                number != BOT && plain.iter().any(|member| is_named(agent, member))
            })
            .map(|(number, _)| self.candidate_as_it_is(number))
            .collect();
        named.sort_by(|a, b| a.agent.cmp(&b.agent));
        named
    }

    /// An agent without a comparison to others.
    fn candidate_as_it_is(&self, agent: u32) -> Candidate {
        let agent = &self.directory.agents[agent];
        let queue = self.policy.routing.queue.mode;
        let verdict = if agent.routable {
            unfit(agent, queue).unwrap_or(Verdict::NotDrawn)
        } else {
            Verdict::NotRoutable
        };
        self.candidate(agent, verdict)
    }

    fn candidate(&self, agent: &Agent, verdict: Verdict) -> Candidate {
        let today = agent.on_day(self.span.day);
        let places = agent.wrapping_up.iter(&self.sessions);
        let free_at = places.filter_map(|session| self.timers.due(session, Timer::WrapUp));
        Candidate {
            agent: agent.id.clone(),
            presence: agent.presence,
            load: agent.load(),
            after_work: agent.wrapping_up.len(),
            place_free_at: free_at.min().map(|at| self.stamp(at)),
            capacity: agent.capacity(),
            today: today.assigned,
            rota_today: today.rota,
            weight: agent.weight(),
            last_assigned: agent.last_assigned,
            verdict,
        }
    }

    fn passed_over(&self, by: Comparison, agent: &Agent, picked: &Agent) -> Verdict {
        let queue = self.policy.routing.queue.mode;
        let duty = match by {
            Comparison::Strategy(strategy) => PickBy::Desk(strategy, queue),
            Comparison::Lot => PickBy::Desk(Strategy::Random, queue),
            Comparison::Rota => PickBy::Rota,
        };
        if let (PickBy::Desk(..), Some(unfit)) = (duty, unfit(agent, queue)) {
            return unfit;
        }
        if duty == PickBy::Desk(Strategy::Random, queue) {
            return Verdict::NotDrawn;
        }
        let day = self.span.day;
        let (turn, ahead) = (duty.turn(agent, day), duty.turn(picked, day));
        if turn.ratio != ahead.ratio {
            Verdict::LargerRatio
        } else if turn.last_assigned != ahead.last_assigned {
            Verdict::AssignedLater
        } else {
            Verdict::LaterId
        }
    }
}

/// Why an agent could not be picked at all.
fn unfit(agent: &Agent, queue: QueueMode) -> Option<Verdict> {
    match agent.presence {
        Presence::Offline => Some(Verdict::Offline),
        Presence::Away => Some(Verdict::Away),
        Presence::Online if queue == QueueMode::None => None,
        Presence::Online => (!agent.has_room()).then_some(Verdict::Full),
    }
}

/// The result of R1 as a verdict on the agent.
fn verdict_of(agent: &Agent, finding: RecentFinding, queue: QueueMode) -> Verdict {
    match finding {
        RecentFinding::Passed => Verdict::Passed,
        RecentFinding::NotRoutable => Verdict::NotRoutable,
        RecentFinding::Takes => Verdict::Picked,
        RecentFinding::Full => Verdict::Full,
        RecentFinding::Unavailable => unfit(agent, queue).unwrap_or(Verdict::Offline),
    }
}

/// Whether a member that is not a group names the agent.
fn is_named(agent: &Agent, member: &Member) -> bool {
    match member {
        Member::Agent(id) => *id == agent.id,
        Member::Role(role) => agent.post.iter().any(|post| post.roles.contains(role)),
        Member::Group(_) => false,
    }
}
