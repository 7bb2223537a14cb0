//! Agents, buyers and their histories, in form 2.

use serde::{Deserialize, Serialize};

use super::instant;
use super::name::{NameV2, TextV2};
use super::sheets::SheetV2;
use crate::domain::base::calendar::Day;
use crate::domain::collections::linked_list::LinkedList;
use crate::domain::collections::slab_map::NOBODY;
use crate::domain::protocol::codes::Presence;
use crate::domain::protocol::event::Priority;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::agent::{Agent, AgentProfile, DayCount, Tally};
use crate::domain::state::buyer::{Buyer, BuyerAgentHistory};
use crate::domain::state::sheets::{DeskState, DeskTime};

#[derive(Serialize, Deserialize)]
pub struct AgentV2<'a> {
    pub id: NameV2<'a>,
    pub post: Option<PostV2<'a>>,
    pub presence: PresenceV2,
    pub presence_since_ms: i64,
    pub held: bool,
    pub misses: u32,
    pub desk_state: DeskStateV2,
    pub desk_since_ms: i64,
    pub last_assigned: u64,
    pub latest: DayCountV2,
    pub earlier: Vec<DayCountV2>,
    pub tally: TallyV2<'a>,
    /// By day, in order.
    pub sheets: Vec<(i32, SheetV2<'a>)>,
}

#[derive(Serialize, Deserialize)]
pub struct PostV2<'a> {
    pub name: Option<TextV2<'a>>,
    pub roles: Vec<NameV2<'a>>,
    pub capacity: u32,
    pub weight: u32,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum PresenceV2 {
    Online,
    Away,
    Offline,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum DeskStateV2 {
    Offline,
    Online,
    Away,
    Full,
}

#[derive(Serialize, Deserialize)]
pub struct DayCountV2 {
    pub day: i32,
    pub assigned: u32,
    pub rota: u32,
}

#[derive(Serialize, Deserialize)]
pub struct TallyV2<'a> {
    pub assigned: u64,
    /// Satisfied, neutral, disappointed.
    pub levels: [u64; 3],
    pub stars: u64,
    /// By reason, in order.
    pub reasons: Vec<(NameV2<'a>, u64)>,
}

impl<'a> From<&'a Agent> for AgentV2<'a> {
    fn from(agent: &'a Agent) -> AgentV2<'a> {
        let Agent {
            id,
            post,
            routable: _,
            presence,
            presence_since,
            held,
            sessions: _,
            wrapping_up: _,
            misses,
            desk_time: DeskTime { state, since },
            last_assigned,
            latest,
            earlier,
            seats: _,
            tally,
            sheets,
        } = agent;
        AgentV2 {
            id: id.into(),
            post: post.as_ref().map(PostV2::from),
            presence: match presence {
                Presence::Online => PresenceV2::Online,
                Presence::Away => PresenceV2::Away,
                Presence::Offline => PresenceV2::Offline,
            },
            presence_since_ms: presence_since.ms(),
            held: *held,
            misses: *misses,
            desk_state: match state {
                DeskState::Offline => DeskStateV2::Offline,
                DeskState::Online => DeskStateV2::Online,
                DeskState::Away => DeskStateV2::Away,
                DeskState::Full => DeskStateV2::Full,
            },
            desk_since_ms: since.ms(),
            last_assigned: *last_assigned,
            latest: DayCountV2::from(*latest),
            earlier: earlier.iter().map(|&count| count.into()).collect(),
            tally: TallyV2::from(tally),
            sheets: sheets
                .iter()
                .map(|(day, sheet)| (day.0, sheet.into()))
                .collect(),
        }
    }
}

impl TryFrom<AgentV2<'_>> for Agent {
    type Error = InvalidPart;
    fn try_from(read: AgentV2<'_>) -> Result<Agent, InvalidPart> {
        let earlier = read.earlier.into_iter().map(DayCount::from);
        let sheets = read.sheets.into_iter();
        Ok(Agent {
            id: read.id.id(),
            post: read.post.map(AgentProfile::from),
            routable: false,
            presence: match read.presence {
                PresenceV2::Online => Presence::Online,
                PresenceV2::Away => Presence::Away,
                PresenceV2::Offline => Presence::Offline,
            },
            presence_since: instant(read.presence_since_ms)?,
            held: read.held,
            sessions: LinkedList::EMPTY,
            wrapping_up: LinkedList::EMPTY,
            misses: read.misses,
            desk_time: DeskTime {
                state: match read.desk_state {
                    DeskStateV2::Offline => DeskState::Offline,
                    DeskStateV2::Online => DeskState::Online,
                    DeskStateV2::Away => DeskState::Away,
                    DeskStateV2::Full => DeskState::Full,
                },
                since: instant(read.desk_since_ms)?,
            },
            last_assigned: read.last_assigned,
            latest: DayCount::from(read.latest),
            earlier: earlier.collect(),
            seats: Vec::new(),
            tally: read.tally.into(),
            sheets: sheets
                .map(|(day, sheet)| (Day(day), sheet.into()))
                .collect(),
        })
    }
}

impl<'a> From<&'a AgentProfile> for PostV2<'a> {
    fn from(post: &'a AgentProfile) -> PostV2<'a> {
        let AgentProfile {
            name,
            roles,
            capacity,
            weight,
        } = post;
        PostV2 {
            name: name.as_deref().map(|name| TextV2(name.into())),
            roles: roles.iter().map(NameV2::from).collect(),
            capacity: *capacity,
            weight: *weight,
        }
    }
}

impl From<PostV2<'_>> for AgentProfile {
    fn from(read: PostV2<'_>) -> AgentProfile {
        AgentProfile {
            name: read.name.map(|name| name.0.into_owned()),
            roles: read.roles.into_iter().map(NameV2::id).collect(),
            capacity: read.capacity,
            weight: read.weight,
        }
    }
}

impl From<DayCount> for DayCountV2 {
    fn from(
        DayCount {
            day,
            assigned,
            rota,
        }: DayCount,
    ) -> DayCountV2 {
        DayCountV2 {
            day: day.0,
            assigned,
            rota,
        }
    }
}

impl From<DayCountV2> for DayCount {
    fn from(read: DayCountV2) -> DayCount {
        DayCount {
            day: Day(read.day),
            assigned: read.assigned,
            rota: read.rota,
        }
    }
}

impl<'a> From<&'a Tally> for TallyV2<'a> {
    fn from(tally: &'a Tally) -> TallyV2<'a> {
        let Tally {
            assigned,
            levels,
            stars,
            reasons,
        } = tally;
        TallyV2 {
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

impl From<TallyV2<'_>> for Tally {
    fn from(read: TallyV2<'_>) -> Tally {
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
pub struct BuyerV2<'a> {
    pub id: NameV2<'a>,
    pub recent_agent: u32,
    pub closed_on: u16,
    pub risk: bool,
    pub priority: u8,
    pub recent_until_ms: i64,
    pub auto_invited_at_ms: i64,
    pub auto_invites: (i32, u32),
}

impl<'a> From<&'a Buyer> for BuyerV2<'a> {
    fn from(buyer: &'a Buyer) -> BuyerV2<'a> {
        let Buyer {
            id,
            open_session: _,
            held_by: _,
            recent_agent,
            closed_on,
            risk,
            priority,
            recent_until,
            auto_invited_at,
            auto_invites: (day, count),
        } = buyer;
        BuyerV2 {
            id: id.into(),
            recent_agent: *recent_agent,
            closed_on: *closed_on,
            risk: *risk,
            priority: priority.level(),
            recent_until_ms: recent_until.ms(),
            auto_invited_at_ms: auto_invited_at.ms(),
            auto_invites: (day.0, *count),
        }
    }
}

impl TryFrom<BuyerV2<'_>> for Buyer {
    type Error = InvalidPart;
    fn try_from(read: BuyerV2<'_>) -> Result<Buyer, InvalidPart> {
        let (day, count) = read.auto_invites;
        Ok(Buyer {
            id: read.id.id(),
            open_session: NOBODY,
            held_by: 0,
            recent_agent: read.recent_agent,
            closed_on: read.closed_on,
            risk: read.risk,
            priority: priority(read.priority)?,
            recent_until: instant(read.recent_until_ms)?,
            auto_invited_at: instant(read.auto_invited_at_ms)?,
            auto_invites: (Day(day), count),
        })
    }
}

/// A priority by its number.
pub fn priority(level: u8) -> Result<Priority, InvalidPart> {
    Priority::new(u32::from(level)).ok_or("a priority out of range".into())
}

#[derive(Serialize, Deserialize)]
pub struct TieV2 {
    pub pair: (u32, u32),
    pub rated_at_ms: i64,
    pub submitted_at_ms: i64,
    pub manual_invited_at_ms: i64,
}

impl From<&BuyerAgentHistory> for TieV2 {
    fn from(tie: &BuyerAgentHistory) -> TieV2 {
        let BuyerAgentHistory {
            pair,
            rated_at,
            submitted_at,
            manual_invited_at,
        } = tie;
        TieV2 {
            pair: *pair,
            rated_at_ms: rated_at.ms(),
            submitted_at_ms: submitted_at.ms(),
            manual_invited_at_ms: manual_invited_at.ms(),
        }
    }
}

impl TryFrom<TieV2> for BuyerAgentHistory {
    type Error = InvalidPart;
    fn try_from(read: TieV2) -> Result<BuyerAgentHistory, InvalidPart> {
        Ok(BuyerAgentHistory {
            pair: read.pair,
            rated_at: instant(read.rated_at_ms)?,
            submitted_at: instant(read.submitted_at_ms)?,
            manual_invited_at: instant(read.manual_invited_at_ms)?,
        })
    }
}
