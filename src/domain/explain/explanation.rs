//! The evidence for a decision, as data. [`super::evidence_recorder`] and the rules collect it. Its wording is in another
//! folder.

use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::ratio::Share;
use crate::domain::base::time::{Duration, OffsetTimestamp};
use crate::domain::explain::invite_check::Check;
use crate::domain::policy::{
    GoodRatePolicy, Interval, Member, OutsideHours, QueueMode, Recent, ReplyPolicy, ReplyUnit,
    Strategy, TakeBackPolicy, Whom,
};
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::decision::{Decision, Period, Rate, Trigger, WaitReason};
use crate::domain::protocol::event::Priority;
use crate::domain::state::agent_directory::RoutingScope;
use crate::domain::state::session::Speaker;

/// A decision and its evidence, in the order in which it was collected.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// The evidence.
    pub notes: Vec<Evidence>,
}

impl Explanation {
    /// A copy for readers who may not learn about other shops: without the counts of the ledger (I12).
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

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// R1: the buyer's recent agent.
    Recent {
        /// The recent agent. `None` if there is none, or the window is `0s`.
        known: Option<RecentAgent>,
        /// The policy's `routing.recent`.
        policy: Recent,
        /// The policy's `routing.queue.mode` (R14).
        queue: QueueMode,
    },
    /// R1d: any free agent instead of the recent one.
    AnyoneInstead,
    /// R2: the scope of the session.
    Scope(RoutingScope),
    /// R3, R1d: no routable agent is online. These are the agents of the scope.
    NobodyOnline(Vec<Candidate>),
    /// R5: no member of the rota got the session.
    NoRota(NoRota),
    /// R1d, R4, R5, R7: the candidates and the picked one.
    Candidates {
        /// The step that looked at them.
        step: Step,
        /// The order by which they were compared.
        by: Comparison,
        /// The policy's `routing.queue.mode` (R14).
        queue: QueueMode,
        /// All candidates.
        candidates: Vec<Candidate>,
    },
    /// R7: the session waited longest of those that a free agent can serve.
    Drained {
        /// The pool.
        pool: Box<str>,
        /// The start of the wait.
        since: OffsetTimestamp,
        /// The number of sessions that still wait in the shop, this one included.
        waiting: u32,
        /// Whether none of those that come later was queued earlier.
        longest: bool,
        /// How many come before this one, but no agent that may serve them is free.
        unserved: u32,
    },
    /// R11: the place in the queue is not that of the order of queueing.
    Ranked(Box<QueueOrder>),
    /// S7: the buyer has left the page. Until then its place is kept, and it is not served.
    LeftPage {
        /// When the session closes, unless the buyer comes back.
        until: OffsetTimestamp,
    },
    /// S7: sessions that come before this one and are not served, because their buyers have left the page.
    LeftAhead {
        /// The first of them.
        sessions: Vec<WaitingSession>,
        /// How many there are.
        in_all: u32,
    },
    /// R10c: agents from which the session was taken.
    PassedOver {
        /// The agents.
        agents: Vec<Id>,
        /// Whether they may get it all the same, because no other agent that may serve it is online.
        counted: bool,
    },
    /// R8: a transfer by hand.
    Manual(Candidate),
    /// R9: the session's agent is absent.
    Absent {
        /// The agent that has the session, or had it until now.
        agent: Candidate,
        /// The reason of the absence.
        absence: Absence,
    },
    /// R10: the agent did not answer in time, so the session is routed again.
    NotAnswered(Box<NotAnswered>),
    /// R5b: the session waits for a reply of an offline agent, and others are online.
    HandedOver {
        /// The agent that has the session, or had it until now.
        agent: Candidate,
        /// Since when the buyer waits for a reply.
        since: OffsetTimestamp,
    },
    /// R10e: sessions were taken from the agent, one after the other.
    Missed {
        /// The agent.
        agent: Candidate,
        /// How many, since its last sign of activity.
        misses: u32,
        /// The policy's `routing.take_back.away_after`.
        away_after: u32,
    },
    /// R5: the rota has just assigned the session to the agent.
    LeftToRota {
        /// The agent.
        agent: Candidate,
        /// Whether the shop is closed and treats that as offline (H2). Otherwise no agent is online.
        shut: bool,
    },
    /// H2: the shop is closed and treats that as offline, so routing looks for no agent that is online.
    Shut {
        /// When it opens.
        until: Option<OffsetTimestamp>,
    },
    /// H2: the shop is closed, so its own reply takes the place of the offline reply.
    ClosedReply {
        /// When it opens.
        until: Option<OffsetTimestamp>,
    },
    /// H3: the opening hours of the day.
    Hours(Box<DayHours>),
    /// R5, R6: the session has just started to wait.
    Waits {
        /// The pool.
        pool: Box<str>,
        /// The position in the pool.
        position: u32,
        /// Why it waits.
        reason: WaitReason,
    },
    /// R6: the session waited as long as the policy allowed when the wait began.
    WaitedOut {
        /// The pool.
        pool: Box<str>,
        /// The start of the wait.
        since: OffsetTimestamp,
        /// The policy's `routing.queue.max_wait` at that time.
        max_wait: Duration,
    },
    /// S7: the buyer left the page and did not come back.
    GaveUp {
        /// The pool.
        pool: Box<str>,
        /// The start of the wait.
        since: OffsetTimestamp,
        /// Since when the buyer was away from the page. `None` if the policy changed since.
        away_since: Option<OffsetTimestamp>,
        /// The policy's `routing.queue.leave_grace`.
        leave_grace: Duration,
    },
    /// S3: the buyer was silent as long as the policy allowed when the timer started.
    Silent {
        /// The start of the timer.
        since: OffsetTimestamp,
        /// The policy's `session.close_after_buyer_silence` at that time.
        length: Duration,
        /// The last speaker.
        last: Option<Speaker>,
    },
    /// M6: a rate with a sufficient sample.
    Judged {
        /// The metric with its day, week or month.
        period: Period,
        /// The rate as a fraction.
        rate: Rate,
        /// The policy's alert threshold.
        line: Share,
        /// The sample from which on it is judged: the policy's `service.min_sample`, or the one of the reply rate.
        min_sample: u32,
        /// What is counted.
        basis: ScoreBasis,
    },
    /// M13: the counts of a day.
    DaySummary {
        /// The policy's `service.reply`.
        reply: ReplyPolicy,
    },
    /// M3: a round that is late.
    LateRound {
        /// What the reply rate counts (M12).
        unit: ReplyUnit,
        /// Whether it is the session's first round.
        first: bool,
    },
    /// B1: the buyer is blocked.
    Blocked {
        /// When the block ends by itself.
        until: Option<OffsetTimestamp>,
    },
    /// T1: the event came later than the policy allows.
    TooLate {
        /// The time of the event.
        at: OffsetTimestamp,
        /// The shop's clock.
        clock: OffsetTimestamp,
        /// The policy's `session.lateness`.
        lateness: Duration,
    },
    /// I1 to I13: all rules of the invitation.
    Invite {
        /// The trigger.
        trigger: Trigger,
        /// The rules, in order.
        checks: Vec<Check>,
    },
    /// Q1: when the session was closed.
    ClosedAt(OffsetTimestamp),
    /// Q1: the buyer wrote nothing on this day, to the agent or to the shop.
    NotContacted(Whom, Id),
    /// Q1, Q3: the buyer's previous rating, and when the next one is allowed.
    RatedAt {
        /// The scope of the limit.
        per: Whom,
        /// The time of the previous rating.
        at: OffsetTimestamp,
        /// When the buyer may rate again.
        again: OffsetTimestamp,
    },
    /// Q2: the end of the card's validity.
    CardExpired(OffsetTimestamp),
    /// An older release took the decision, and this one would take another. No other evidence exists.
    OlderRelease,
}

/// The buyer's recent agent (R1).
#[derive(Clone, Debug, PartialEq)]
pub struct RecentAgent {
    /// The agent and its state.
    pub agent: Candidate,
    /// When the agent last served the buyer.
    pub until: OffsetTimestamp,
    /// The result of R1.
    pub finding: RecentFinding,
}

/// The result of R1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecentFinding {
    /// The window has passed.
    Passed,
    /// The agent is no longer routable.
    NotRoutable,
    /// R1a, R1b: the agent gets the session.
    Takes,
    /// R1c: the agent is online, but full.
    Full,
    /// R1d: the agent is offline or away.
    Unavailable,
}

/// Why no member of a rota got a session (R5).
#[derive(Clone, Debug, PartialEq)]
pub enum NoRota {
    /// The policy's `routing.offline.mode` is `wait`.
    Off,
    /// The rota is empty.
    Empty,
    /// No member of the rota is routable.
    Unfit {
        /// The policy's `routing.offline.members`.
        members: Vec<Member>,
        /// Those members that the shop has or had.
        candidates: Vec<Candidate>,
    },
}

/// The step that looked at candidates, and its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// R1d: all agents, instead of the recent one.
    Instead,
    /// R4: the agents of the scope.
    Own,
    /// R4b: all agents, because the scope overflows.
    Overflow,
    /// R4c: all agents, because none of the scope is online.
    AnyOnline,
    /// R5: the rota.
    Rota,
    /// R7: the agents that may serve the pool.
    Drain,
}

/// The order by which candidates were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The policy's strategy (P1, P2, P3).
    Strategy(Strategy),
    /// A deterministic draw among all free agents of the shop (P3).
    Lot,
    /// Today's assignments by the rota (R5).
    Rota,
}

/// An agent that was considered.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The agent.
    pub agent: Id,
    /// Its presence at that time.
    pub presence: Presence,
    /// Its number of open sessions and of places after work.
    pub load: u32,
    /// Those of them that are places after work (S8).
    pub after_work: u32,
    /// When the first place after work becomes free.
    pub place_free_at: Option<OffsetTimestamp>,
    /// Its maximum number of open sessions.
    pub capacity: u32,
    /// Its assignments on this day.
    pub today: u32,
    /// Those of them that the rota made.
    pub rota_today: u32,
    /// Its weight.
    pub weight: u32,
    /// The `seq` of its latest assignment. 0: never.
    pub last_assigned: u64,
    /// Why it was picked or passed over.
    pub verdict: Verdict,
}

/// Why a candidate was picked or passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It was picked.
    Picked,
    /// Its ratio was larger.
    LargerRatio,
    /// The ratios were equal, but its latest assignment was later (P4).
    AssignedLater,
    /// All else was equal, but its id is later (P4).
    LaterId,
    /// The draw selected another agent (P3).
    NotDrawn,
    /// It was full.
    Full,
    /// The session was taken from it, because it did not answer (R10).
    TakenFrom,
    /// It was away.
    Away,
    /// It was offline.
    Offline,
    /// It was not routable: it lacked the role, or was removed.
    NotRoutable,
    /// It served the buyer too long ago (R1).
    Passed,
}

/// What a score counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScoreBasis {
    /// M1, M12: replies.
    Replies {
        /// The policy's `service.reply.unit`.
        unit: ReplyUnit,
        /// The policy's `service.reply.within`.
        within: Duration,
    },
    /// M4: those ratings of the week that are judged.
    Ratings {
        /// All ratings of the week.
        all: Rate,
        /// The policy's `service.good_rate`.
        policy: GoodRatePolicy,
    },
    /// M5: the neutral and disappointed ratings of the month.
    Attitude,
}

/// The opening hours of the day on which a shop opens or closes (H1, H3).
#[derive(Clone, Debug, PartialEq)]
pub struct DayHours {
    /// The day.
    pub day: Day,
    /// Whether the policy's `hours.days` has the day. Otherwise they are those of the weekday.
    pub single: bool,
    /// The opening hours. `None`: open all day.
    pub intervals: Option<Vec<Interval>>,
    /// The one that holds now.
    pub current: Option<Interval>,
    /// Whether a new policy opened or closed the shop. Otherwise it was the time.
    pub by_policy: bool,
    /// The policy's `hours.outside`.
    pub outside: OutsideHours,
}

/// The place of a waiting session in the queue (R11).
#[derive(Clone, Debug, PartialEq)]
pub struct QueueOrder {
    /// The queue instant: when it was last queued, or since when its buyer waits for a reply.
    pub queued: OffsetTimestamp,
    /// When it was last queued.
    pub since: OffsetTimestamp,
    /// Its priority.
    pub priority: Priority,
    /// The policy's `routing.priority.age`.
    pub age: Duration,
    /// The first sessions that were queued earlier and come later.
    pub before: Vec<WaitingSession>,
    /// How many there are.
    pub before_in_all: u32,
}

/// A session that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitingSession {
    /// The session.
    pub session: Id,
    /// When it was last queued.
    pub since: OffsetTimestamp,
    /// The queue instant (R11).
    pub queued: OffsetTimestamp,
    /// Its priority.
    pub priority: Priority,
}

/// A session whose agent did not answer in time (R10).
#[derive(Clone, Debug, PartialEq)]
pub struct NotAnswered {
    /// The agent that has the session, or had it until now.
    pub agent: Candidate,
    /// When it got the session.
    pub assigned_at: OffsetTimestamp,
    /// Since when the buyer waits for a reply.
    pub since: OffsetTimestamp,
    /// From the later of the two until now.
    pub waited: Duration,
    /// Whether the clock ran out just now.
    pub attempt: TakeBackAttempt,
    /// How often the session was taken back, this time included.
    pub bounce: u32,
    /// The agents that are left out, this one included.
    pub passed: Vec<Id>,
    /// How many sessions were taken from the agent since its last sign of activity, this one included.
    pub misses: u32,
    /// The policy's `routing.take_back`.
    pub policy: TakeBackPolicy,
}

/// When take-back tries to move a session (R10b).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakeBackAttempt {
    /// The clock of R10a ran out.
    Due,
    /// The clock ran out before, and no other agent could get the session then.
    Again,
}

/// Why a session has an absent agent (R9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The agent went offline. Sessions that no other agent can take stay with it.
    WentOffline,
    /// The agent was removed. Sessions that no other agent can take wait, regardless of the queue's limit.
    Removed,
    /// The agent was offline when the buyer wrote. A session that no other agent can take stays with it.
    AlreadyOffline,
}
