//! Why: the notes that a decision can be explained with, as data. How they are told is not said here.

use super::agent::{Agent, Presence};
use super::crew::Duty;
use super::decision::{Decision, Trigger};
use super::id::Id;
use super::invite::Check;
use super::outcome::Outcome;
use super::policy::{Strategy, Whom};
use super::roster::Scope;
use super::session::Place;
use super::shop::Shop;
use super::time::{Duration, Stamp};

/// A decision and all that was looked at for it, in that order.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// The decision.
    pub decision: Decision,
    /// What was looked at.
    pub notes: Vec<Note>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// R1: the agent that the buyer knows.
    Recent {
        /// Who, if anybody.
        agent: Option<Id>,
        /// Until when it served the buyer.
        until: Stamp,
        /// The policy's `routing.recent.window`.
        window: Duration,
        /// What came of it.
        finding: RecentFinding,
    },
    /// R1d: instead of the recent agent, anybody who is free.
    AnyoneInstead,
    /// R2: where the session belongs.
    Scope(Scope),
    /// R3: nobody routable is online.
    NobodyOnline,
    /// R4, R5, R7: those who could be picked, and who was.
    Candidates {
        /// By what they were compared.
        by: Comparison,
        /// Everybody of the scope.
        candidates: Vec<Candidate>,
    },
    /// R7: the session waited longest among those that somebody free can serve.
    Drained {
        /// Its pool.
        pool: Box<str>,
        /// Since when it waited.
        since: Stamp,
        /// How many still wait in the shop, this one included.
        waiting: u32,
    },
    /// R8: by hand.
    Manual(Candidate),
    /// I1 to I13: all rules of the invite.
    Invite {
        /// Who asked.
        trigger: Trigger,
        /// The rules in their order.
        checks: Vec<Check>,
    },
    /// Q1: the session closed then.
    ClosedAt(Stamp),
    /// Q1: the buyer wrote nothing today, to the agent or to the shop.
    NotContacted(Whom, Id),
    /// Q1, Q3: the buyer rated then, and may again at the second instant.
    RatedAt {
        /// Of whom.
        per: Whom,
        /// When.
        at: Stamp,
        /// When it may again.
        again: Stamp,
    },
    /// Q2: the card could be used until then.
    CardExpired(Stamp),
}

/// What came of R1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecentFinding {
    /// The buyer knows nobody.
    Nobody,
    /// The window has passed, or R1 is off.
    Passed,
    /// The agent takes no buyers any more.
    NotRoutable,
    /// R1a, R1b: the agent gets the buyer.
    Takes,
    /// R1c: online, but full.
    Full,
    /// R1d: offline, or away.
    Unavailable,
}

/// By what candidates were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// By the policy's strategy (P1, P2, P3).
    Strategy(Strategy),
    /// By lot among all free agents of the shop (P3).
    Lot,
    /// By today's offline assignments (R5).
    Rota,
}

/// An agent that could have been picked.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Who.
    pub agent: Id,
    /// Where it was.
    pub presence: Presence,
    /// What it had.
    pub load: u32,
    /// What it may have.
    pub capacity: u32,
    /// Its assignments of today.
    pub today: u32,
    /// Those of them that the rota gave it.
    pub rota_today: u32,
    /// Its weight.
    pub weight: u32,
    /// The `seq` of its latest assignment; 0: never.
    pub last_assigned: u64,
    /// What came of it.
    pub verdict: Verdict,
}

/// Why a candidate was picked or passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It was picked.
    Picked,
    /// Its ratio was larger.
    LargerRatio,
    /// The ratio was the same, but it was assigned something later (P4).
    AssignedLater,
    /// All the same, but its id comes later (P4).
    LaterId,
    /// The lot fell on another (P3).
    NotDrawn,
    /// It was full.
    Full,
    /// It was away.
    Away,
    /// It was offline.
    Offline,
}

impl Shop {
    pub(super) fn note_pick(&self, crew: u32, picked: u32, out: &mut Outcome) {
        out.note(self.seq, || {
            let rota = self.roster.rota().is_some_and(|(number, _)| number == crew);
            let by = if rota {
                Comparison::Rota
            } else {
                Comparison::Strategy(self.policy.routing.strategy)
            };
            self.candidates(by, crew, Some(picked))
        });
    }

    pub(super) fn note_draw(&self, picked: u32, out: &mut Outcome) {
        out.note(self.seq, || {
            self.candidates(Comparison::Lot, super::roster::EVERYBODY, Some(picked))
        });
    }

    pub(super) fn note_nobody(&self, crew: u32, out: &mut Outcome) {
        let by = Comparison::Strategy(self.policy.routing.strategy);
        out.note(self.seq, || self.candidates(by, crew, None));
    }

    pub(super) fn note_drain(
        &self,
        session: u32,
        pool: u32,
        crew: u32,
        picked: u32,
        out: &mut Outcome,
    ) {
        out.drop_notes();
        let Place::Waiting { since, .. } = self.sessions[session].place else {
            return;
        };
        out.note(self.seq, || Note::Drained {
            pool: self.queue.pools[pool].name().into(),
            since: self.stamp(since),
            waiting: self.queue.waiting,
        });
        self.note_pick(crew, picked, out);
    }

    pub(super) fn note_manual(&self, agent: u32, out: &mut Outcome) {
        out.drop_notes();
        out.note(self.seq, || {
            Note::Manual(self.candidate(&self.roster.agents[agent], Verdict::Picked))
        });
    }

    /// Everybody of a crew, and why each was passed over.
    fn candidates(&self, by: Comparison, crew: u32, picked: Option<u32>) -> Note {
        let agents = &self.roster.agents;
        let seats = &self.roster.crews[crew as usize].seats;
        let candidates = seats.iter().map(|&number| {
            let agent = &agents[number];
            let verdict = match picked {
                Some(picked) if picked == number => Verdict::Picked,
                Some(picked) => self.passed_over(by, agent, &agents[picked]),
                None => unfit(agent).unwrap_or(Verdict::NotDrawn),
            };
            self.candidate(agent, verdict)
        });
        Note::Candidates {
            by,
            candidates: candidates.collect(),
        }
    }

    fn candidate(&self, agent: &Agent, verdict: Verdict) -> Candidate {
        let today = agent.on_day(self.stretch.day);
        Candidate {
            agent: agent.id.clone(),
            presence: agent.presence,
            load: agent.load(),
            capacity: agent.capacity(),
            today: today.assigned,
            rota_today: today.rota,
            weight: agent.weight(),
            last_assigned: agent.last_assigned,
            verdict,
        }
    }

    fn passed_over(&self, by: Comparison, agent: &Agent, picked: &Agent) -> Verdict {
        let duty = match by {
            Comparison::Strategy(strategy) => Duty::Desk(strategy),
            Comparison::Lot => Duty::Desk(Strategy::Random),
            Comparison::Rota => Duty::Rota,
        };
        if let (Duty::Desk(_), Some(unfit)) = (duty, unfit(agent)) {
            return unfit;
        }
        if duty == Duty::Desk(Strategy::Random) {
            return Verdict::NotDrawn;
        }
        let day = self.stretch.day;
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
fn unfit(agent: &Agent) -> Option<Verdict> {
    match agent.presence {
        Presence::Offline => Some(Verdict::Offline),
        Presence::Away => Some(Verdict::Away),
        Presence::Online => (!agent.has_room()).then_some(Verdict::Full),
    }
}
