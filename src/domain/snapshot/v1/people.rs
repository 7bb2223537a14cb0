//! Agents, buyers and their histories, in form 1.

use serde::{Deserialize, Serialize};

use super::instant;
use super::name::{NameV1, TextV1};
use crate::domain::base::calendar::Day;
use crate::domain::protocol::codes::Presence;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::agent::{Agent, AgentProfile, DayCount, Tally};
use crate::domain::state::buyer::{Buyer, BuyerAgentHistory};

#[derive(Serialize, Deserialize)]
pub(super) struct AgentV1<'a> {
    id: NameV1<'a>,
    post: Option<PostV1<'a>>,
    presence: PresenceV1,
    last_assigned: u64,
    latest: DayCountV1,
    earlier: Vec<DayCountV1>,
    tally: TallyV1<'a>,
}

#[derive(Serialize, Deserialize)]
struct PostV1<'a> {
    name: Option<TextV1<'a>>,
    roles: Vec<NameV1<'a>>,
    capacity: u32,
    weight: u32,
}

#[derive(Serialize, Deserialize)]
enum PresenceV1 {
    Online,
    Away,
    Offline,
}

#[derive(Serialize, Deserialize)]
struct DayCountV1 {
    day: i32,
    assigned: u32,
    rota: u32,
}

#[derive(Serialize, Deserialize)]
struct TallyV1<'a> {
    assigned: u64,
    /// Satisfied, neutral, disappointed.
    levels: [u64; 3],
    stars: u64,
    /// By reason, in order.
    reasons: Vec<(NameV1<'a>, u64)>,
}

impl<'a> From<&'a Agent> for AgentV1<'a> {
    fn from(agent: &'a Agent) -> AgentV1<'a> {
        let (latest, earlier) = agent.counts();
        AgentV1 {
            id: (&agent.id).into(),
            post: agent.post.as_ref().map(PostV1::from),
            presence: match agent.presence {
                Presence::Online => PresenceV1::Online,
                Presence::Away => PresenceV1::Away,
                Presence::Offline => PresenceV1::Offline,
            },
            last_assigned: agent.last_assigned,
            latest: DayCountV1::from(latest),
            earlier: earlier.iter().map(|&count| count.into()).collect(),
            tally: TallyV1::from(&agent.tally),
        }
    }
}

impl TryFrom<AgentV1<'_>> for Agent {
    type Error = InvalidPart;
    fn try_from(read: AgentV1<'_>) -> Result<Agent, InvalidPart> {
        let latest = DayCount::from(read.latest);
        let mut agent = Agent::new(read.id.id(), latest.day);
        agent.post = read.post.map(AgentProfile::from);
        agent.presence = match read.presence {
            PresenceV1::Online => Presence::Online,
            PresenceV1::Away => Presence::Away,
            PresenceV1::Offline => Presence::Offline,
        };
        agent.last_assigned = read.last_assigned;
        let earlier = read.earlier.into_iter().map(DayCount::from);
        agent.set_counts(latest, earlier.collect());
        agent.tally = read.tally.into();
        Ok(agent)
    }
}

impl<'a> From<&'a AgentProfile> for PostV1<'a> {
    fn from(post: &'a AgentProfile) -> PostV1<'a> {
        let AgentProfile {
            name,
            roles,
            capacity,
            weight,
        } = post;
        PostV1 {
            name: name.as_deref().map(|name| TextV1(name.into())),
            roles: roles.iter().map(NameV1::from).collect(),
            capacity: *capacity,
            weight: *weight,
        }
    }
}

impl From<PostV1<'_>> for AgentProfile {
    fn from(read: PostV1<'_>) -> AgentProfile {
        AgentProfile {
            name: read.name.map(|name| name.0.into_owned()),
            roles: read.roles.into_iter().map(NameV1::id).collect(),
            capacity: read.capacity,
            weight: read.weight,
        }
    }
}

impl From<DayCount> for DayCountV1 {
    fn from(
        DayCount {
            day,
            assigned,
            rota,
        }: DayCount,
    ) -> DayCountV1 {
        DayCountV1 {
            day: day.0,
            assigned,
            rota,
        }
    }
}

impl From<DayCountV1> for DayCount {
    fn from(read: DayCountV1) -> DayCount {
        DayCount {
            day: Day(read.day),
            assigned: read.assigned,
            rota: read.rota,
        }
    }
}

impl<'a> From<&'a Tally> for TallyV1<'a> {
    fn from(tally: &'a Tally) -> TallyV1<'a> {
        let Tally {
            assigned,
            levels,
            stars,
            reasons,
        } = tally;
        TallyV1 {
            assigned: *assigned,
            levels: *levels,
            stars: *stars,
            reasons: reasons
                .iter()
                .map(|(reason, &n)| (reason.into(), n))
                .collect(),
        }
    }
}

impl From<TallyV1<'_>> for Tally {
    fn from(read: TallyV1<'_>) -> Tally {
        let reasons = read.reasons.into_iter();
        Tally {
            assigned: read.assigned,
            levels: read.levels,
            stars: read.stars,
            reasons: reasons.map(|(reason, n)| (reason.id(), n)).collect(),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct BuyerV1<'a> {
    id: NameV1<'a>,
    recent_agent: u32,
    closed_on: u16,
    risk: bool,
    recent_until_ms: i64,
    auto_invited_at_ms: i64,
    auto_invites: (i32, u32),
}

impl<'a> From<&'a Buyer> for BuyerV1<'a> {
    fn from(buyer: &'a Buyer) -> BuyerV1<'a> {
        let Buyer {
            id,
            open_session: _,
            held_by: _,
            recent_agent,
            closed_on,
            risk,
            priority: _,
            recent_until,
            auto_invited_at,
            auto_invites: (day, count),
        } = buyer;
        BuyerV1 {
            id: id.into(),
            recent_agent: *recent_agent,
            closed_on: *closed_on,
            risk: *risk,
            recent_until_ms: recent_until.ms(),
            auto_invited_at_ms: auto_invited_at.ms(),
            auto_invites: (day.0, *count),
        }
    }
}

impl TryFrom<BuyerV1<'_>> for Buyer {
    type Error = InvalidPart;
    fn try_from(read: BuyerV1<'_>) -> Result<Buyer, InvalidPart> {
        let (day, count) = read.auto_invites;
        Ok(Buyer {
            recent_agent: read.recent_agent,
            closed_on: read.closed_on,
            risk: read.risk,
            recent_until: instant(read.recent_until_ms)?,
            auto_invited_at: instant(read.auto_invited_at_ms)?,
            auto_invites: (Day(day), count),
            ..Buyer::new(read.id.id())
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct TieV1 {
    pair: (u32, u32),
    rated_at_ms: i64,
    submitted_at_ms: i64,
    manual_invited_at_ms: i64,
}

impl From<&BuyerAgentHistory> for TieV1 {
    fn from(tie: &BuyerAgentHistory) -> TieV1 {
        let BuyerAgentHistory {
            pair,
            rated_at,
            submitted_at,
            manual_invited_at,
        } = tie;
        TieV1 {
            pair: *pair,
            rated_at_ms: rated_at.ms(),
            submitted_at_ms: submitted_at.ms(),
            manual_invited_at_ms: manual_invited_at.ms(),
        }
    }
}

impl TryFrom<TieV1> for BuyerAgentHistory {
    type Error = InvalidPart;
    fn try_from(read: TieV1) -> Result<BuyerAgentHistory, InvalidPart> {
        Ok(BuyerAgentHistory {
            pair: read.pair,
            rated_at: instant(read.rated_at_ms)?,
            submitted_at: instant(read.submitted_at_ms)?,
            manual_invited_at: instant(read.manual_invited_at_ms)?,
        })
    }
}
