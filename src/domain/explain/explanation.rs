//! Why: the notes that a decision can be explained with, as data. They are taken in [`super::evidence`] and in the rooms
//! of the rules; how they are told is not said here.

use crate::domain::base::id::Id;
use crate::domain::base::ratio::Share;
use crate::domain::base::time::{Duration, Stamp};
use crate::domain::explain::invite_check::Check;
use crate::domain::policy::{Member, Recent, Strategy, Whom};
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::decision::{Decision, Period, Rate, Trigger, WaitReason};
use crate::domain::state::agent_directory::Scope;
use crate::domain::state::session::Speaker;

/// A decision and all that was looked at for it, in that order.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// What was looked at.
    pub notes: Vec<Evidence>,
}

impl Explanation {
    /// As it is shown to who may learn nothing of other shops: without what the ledger counted of them (I12).
    #[must_use]
    pub fn without_other_shops(mut self) -> Explanation {
        for note in &mut self.notes {
            if let Evidence::Invite { checks, .. } = note {
                for check in checks {
                    *check = check.without_other_shops();
                }
            }
        }
        self
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// R1: the agent that the buyer knows.
    Recent {
        /// The agent, if there is one. With a window of `0s` none is looked for.
        known: Option<Known>,
        /// The policy's `routing.recent`.
        policy: Recent,
    },
    /// R1d: instead of the recent agent, anybody who is free.
    AnyoneInstead,
    /// R2: where the session belongs.
    Scope(Scope),
    /// R3, R1d: nobody routable is online; these are the agents of the scope.
    NobodyOnline(Vec<Candidate>),
    /// R5: nobody of a rota got the session.
    NoRota(NoRota),
    /// R1d, R4, R5, R7: those who could be picked, and who was.
    Candidates {
        /// Who was looked at.
        step: Step,
        /// By what they were compared.
        by: Comparison,
        /// Everybody who was.
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
    /// R9: who has the session is not there.
    Absent {
        /// Who has it, or had it until now.
        agent: Candidate,
        /// How that came.
        absence: Absence,
    },
    /// R5: the rota has just left the session to the agent.
    LeftToRota(Candidate),
    /// R5, R6: the session has just begun to wait.
    Waits {
        /// Its pool.
        pool: Box<str>,
        /// Its place in it.
        position: u32,
        /// Why it waits.
        reason: WaitReason,
    },
    /// R6: the session waited for as long as the policy allowed when it began to.
    WaitedOut {
        /// Its pool.
        pool: Box<str>,
        /// Since when.
        since: Stamp,
        /// The policy's `routing.queue.max_wait` of then.
        max_wait: Duration,
    },
    /// S3: the buyer was silent for as long as the policy allowed when the clock started.
    Silent {
        /// When the clock started.
        since: Stamp,
        /// The policy's `session.close_after_buyer_silence` of then.
        length: Duration,
        /// Who spoke last.
        last: Option<Speaker>,
    },
    /// M6: a rate with a sample that is large enough.
    Judged {
        /// The rate, and its day, week or month.
        period: Period,
        /// What it was counted from.
        rate: Rate,
        /// The policy's line.
        line: Share,
        /// The policy's `service.min_sample`.
        min_sample: u32,
    },
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
    /// An older release took the decision, and this one would take another: nothing else is known of it.
    OlderRelease,
}

/// The agent that a buyer knows (R1).
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Who, and how it stood.
    pub agent: Candidate,
    /// Until when it served the buyer.
    pub until: Stamp,
    /// What came of it.
    pub finding: RecentFinding,
}

/// What came of R1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecentFinding {
    /// The window has passed.
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

/// Why nobody of a rota got a session (R5).
#[derive(Clone, Debug, PartialEq)]
pub enum NoRota {
    /// The policy's `routing.offline.mode` is `wait`.
    Off,
    /// The rota names nobody.
    Empty,
    /// Nobody whom the rota names takes buyers.
    Unfit {
        /// The policy's `routing.offline.members`.
        members: Vec<Member>,
        /// Those of them that the shop has or had.
        candidates: Vec<Candidate>,
    },
}

/// Who was looked at, and by which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// R1d: everybody, instead of the recent agent.
    Instead,
    /// R4: the scope's own.
    Own,
    /// R4b: everybody, as the scope overflows.
    Overflow,
    /// R4c: everybody, as nobody of the scope is online.
    AnyOnline,
    /// R5: the rota.
    Rota,
    /// R7: those who may serve the pool.
    Drain,
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
    /// It took no buyers: it had not the role, or was removed.
    NotRoutable,
    /// It served the buyer too long ago (R1).
    Passed,
}

/// How a session comes to have an agent who is not there (R9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The agent went offline. Sessions that no other agent can take over stay with it.
    WentOffline,
    /// The agent was removed. Sessions that no other agent can take over wait, whatever the queue's limit.
    Removed,
    /// The agent was offline when the buyer wrote. A session that no other agent can take over stays with it.
    AlreadyOffline,
}
