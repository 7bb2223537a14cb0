//! Agents, buyers and their histories, in form 1.

use serde::Deserialize;

use super::NEVER_MS;
use super::name::{NameV1, TextV1};
use crate::domain::snapshot::v2::people::{
    AgentV2, BuyerV2, DayCountV2, DeskStateV2, PostV2, PresenceV2, TallyV2, TieV2,
};

#[derive(Deserialize)]
pub(super) struct AgentV1 {
    id: NameV1<'static>,
    post: Option<PostV1>,
    presence: PresenceV1,
    last_assigned: u64,
    latest: DayCountV1,
    earlier: Vec<DayCountV1>,
    tally: TallyV1,
}

#[derive(Deserialize)]
struct PostV1 {
    name: Option<TextV1>,
    roles: Vec<NameV1<'static>>,
    capacity: u32,
    weight: u32,
}

#[derive(Deserialize)]
enum PresenceV1 {
    Online,
    Away,
    Offline,
}

#[derive(Deserialize)]
struct DayCountV1 {
    day: i32,
    assigned: u32,
    rota: u32,
}

#[derive(Deserialize)]
struct TallyV1 {
    assigned: u64,
    /// Satisfied, neutral, disappointed.
    levels: [u64; 3],
    stars: u64,
    /// By reason, in order.
    reasons: Vec<(NameV1<'static>, u64)>,
}

impl From<AgentV1> for AgentV2<'static> {
    /// Since when the agent has its presence is not known. Its time at the desk is set later, once its load is known.
    fn from(agent: AgentV1) -> AgentV2<'static> {
        AgentV2 {
            id: agent.id.into(),
            post: agent.post.map(PostV2::from),
            presence: match agent.presence {
                PresenceV1::Online => PresenceV2::Online,
                PresenceV1::Away => PresenceV2::Away,
                PresenceV1::Offline => PresenceV2::Offline,
            },
            presence_since_ms: NEVER_MS,
            held: false,
            misses: 0,
            desk_state: DeskStateV2::Offline,
            desk_since_ms: NEVER_MS,
            last_assigned: agent.last_assigned,
            latest: agent.latest.into(),
            earlier: agent.earlier.into_iter().map(DayCountV2::from).collect(),
            tally: agent.tally.into(),
            sheets: Vec::new(),
        }
    }
}

impl From<PostV1> for PostV2<'static> {
    fn from(post: PostV1) -> PostV2<'static> {
        PostV2 {
            name: post.name.map(Into::into),
            roles: post.roles.into_iter().map(Into::into).collect(),
            capacity: post.capacity,
            weight: post.weight,
        }
    }
}

impl From<DayCountV1> for DayCountV2 {
    fn from(count: DayCountV1) -> DayCountV2 {
        DayCountV2 {
            day: count.day,
            assigned: count.assigned,
            rota: count.rota,
        }
    }
}

impl From<TallyV1> for TallyV2<'static> {
    fn from(tally: TallyV1) -> TallyV2<'static> {
        let reasons = tally.reasons.into_iter();
        TallyV2 {
            assigned: tally.assigned,
            levels: tally.levels,
            stars: tally.stars,
            reasons: reasons.map(|(reason, n)| (reason.into(), n)).collect(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct BuyerV1 {
    id: NameV1<'static>,
    recent_agent: u32,
    closed_on: u16,
    risk: bool,
    recent_until_ms: i64,
    auto_invited_at_ms: i64,
    auto_invites: (i32, u32),
}

impl From<BuyerV1> for BuyerV2<'static> {
    fn from(buyer: BuyerV1) -> BuyerV2<'static> {
        BuyerV2 {
            id: buyer.id.into(),
            recent_agent: buyer.recent_agent,
            closed_on: buyer.closed_on,
            risk: buyer.risk,
            priority: 0,
            recent_until_ms: buyer.recent_until_ms,
            auto_invited_at_ms: buyer.auto_invited_at_ms,
            auto_invites: buyer.auto_invites,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct TieV1 {
    pair: (u32, u32),
    rated_at_ms: i64,
    submitted_at_ms: i64,
    manual_invited_at_ms: i64,
}

impl From<TieV1> for TieV2 {
    fn from(tie: TieV1) -> TieV2 {
        TieV2 {
            pair: tie.pair,
            rated_at_ms: tie.rated_at_ms,
            submitted_at_ms: tie.submitted_at_ms,
            manual_invited_at_ms: tie.manual_invited_at_ms,
        }
    }
}
